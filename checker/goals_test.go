//go:build unix

package checker

import (
	"flag"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

var goals = flag.Bool("checker.goals", false, "measure the cost goals (seconds of CPU, gigabytes of memory)")

// cost runs f and returns its CPU time, all threads together, and by how many
// bytes it made the process's memory grow at its peak.
func cost(f func()) (time.Duration, uint64) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime()
	f()
	spent := cpuTime() - start
	runtime.ReadMemStats(&after)
	grown := after.Sys - before.Sys
	if idle := before.HeapIdle - before.HeapReleased; after.HeapInuse > before.HeapInuse {
		grown = max(grown, min(after.HeapInuse-before.HeapInuse, grown+idle))
	}
	return spent, grown
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func historyBytes(n int) uint64 {
	return uint64(n) * 120 // a protocols.Operation on 64-bit machines
}

// TestGoalMillion: a million operations on one key in 0.3 s of CPU and 200 MiB,
// the history included.
func TestGoalMillion(t *testing.T) {
	if !*goals {
		t.Skip("needs -checker.goals")
	}
	for _, blind := range []bool{false, true} {
		h := generate.New(generate.Config{Seed: 1, N: 1_000_000, Clients: 256, Unknown: 100})
		best := time.Hour
		var grown uint64
		for range 3 {
			var r Report
			spent, g := cost(func() { r = Linearizable(h.Operations, Options{Machine: "register", Blind: blind}) })
			if r.Verdict != OK || r.Parts[0].DecidedBy != ByZones {
				t.Fatalf("verdict %v by %v", r.Verdict, r.Parts[0].DecidedBy)
			}
			best, grown = min(best, spent), max(grown, g)
		}
		total := grown + historyBytes(len(h.Operations))
		t.Logf("blind %v: 1,000,000 operations, 1 key, 256 clients, 10 %% unknown: %v CPU, %d MiB with the history", blind, best, total>>20)
		if best > 300*time.Millisecond || total > 200<<20 {
			t.Errorf("want at most 300 ms and 200 MiB")
		}
	}
}

// TestGoalLog: at most 60 ns per operation, contents compared.
func TestGoalLog(t *testing.T) {
	if !*goals {
		t.Skip("needs -checker.goals")
	}
	h := generate.New(generate.Config{Machine: "log", Seed: 1, N: 1_000_000, Clients: 256, Unknown: 100})
	best := time.Hour
	for range 7 {
		spent, _ := cost(func() {
			if r := Linearizable(h.Operations, Options{Machine: "log"}); r.Verdict != OK || r.Parts[0].DecidedBy != ByLog {
				t.Fatalf("verdict %v", r.Verdict)
			}
		})
		best = min(best, spent)
	}
	each := best / time.Duration(len(h.Operations))
	t.Logf("log of 1,000,000 operations, 256 clients, 10 %% unknown: %v CPU per operation", each)
	if each > 60 {
		t.Error("want at most 60 ns")
	}
}

// TestGoalAgainstPorcupine: at least 100 times less CPU and 50 times less memory.
func TestGoalAgainstPorcupine(t *testing.T) {
	if !*goals {
		t.Skip("needs -checker.goals")
	}
	h := generate.New(generate.Config{Seed: 1, N: 100_000, Clients: 4})
	opt := Options{Machine: "register"}
	fastCPU := time.Hour
	var fastMemory uint64
	for range 5 {
		spent, grown := cost(func() {
			if r := Linearizable(h.Operations, opt); r.Verdict != OK || r.Parts[0].DecidedBy != ByZones {
				t.Fatalf("verdict %v", r.Verdict)
			}
		})
		fastCPU, fastMemory = min(fastCPU, spent), max(fastMemory, grown)
	}
	slowCPU, slowMemory := cost(func() {
		if got := plainRegister(h.Operations); got != porcupine.Ok {
			t.Fatalf("porcupine: %v", got)
		}
	})
	own := historyBytes(len(h.Operations))
	t.Logf("100,000 operations, 1 key, 4 clients: zones %v and %d MiB, porcupine %v and %d MiB, history included: %dx and %dx",
		fastCPU, (fastMemory+own)>>20, slowCPU, (slowMemory+own)>>20, slowCPU/fastCPU, (slowMemory+own)/(fastMemory+own))
	if slowCPU < 100*fastCPU || slowMemory+own < 50*(fastMemory+own) {
		t.Errorf("want 100x and 50x")
	}
}

// plainRegister is porcupine with the leanest model of a register whose writes
// answer what they saw.
func plainRegister(history []protocols.Operation) porcupine.CheckResult {
	ops := make([]porcupine.Operation, len(history))
	for i := range history {
		op := &history[i]
		ops[i] = porcupine.Operation{Input: op, Call: op.Call, Return: op.Return}
	}
	return porcupine.CheckOperationsTimeout(porcupine.Model{
		Init: func() any { return uint64(0) },
		Step: func(s, in, _ any) (bool, any) {
			op := in.(*protocols.Operation)
			if op.Outcome == protocols.Done && uint64(op.Value) != s.(uint64) {
				return false, s
			}
			if op.Op == protocols.Put {
				return true, uint64(op.Arg)
			}
			return true, s
		},
		Hash: func(s any) uint64 { return s.(uint64) * 0x9E3779B97F4A7C15 },
	}, ops, 0)
}
