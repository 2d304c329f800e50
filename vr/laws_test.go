package vr_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
	"github.com/lockstep-sim/lockstep/vr"
)

// delay is the constant one-way delay in these runs.
const delay = time.Millisecond

// calm is a group without faults or disk time, with one closed-loop client.
func calm(n int, p *vr.Parameters, op sim.Share) sim.Config {
	return sim.Config{
		Protocol: vr.Protocol(), Parameters: p, Replicas: n, Seed: 1, Trace: true,
		Network: sim.Network{Between: sim.Link{Latency: sim.Exactly(delay)}, Client: sim.Link{Latency: sim.Exactly(delay)}},
		Workload: sim.Workload{
			Clients: 1, Keys: 1, Timeout: 10e9, GiveUp: 100e9, Mix: []sim.Share{op},
		},
	}
}

var (
	writes = sim.Share{Op: protocols.Put, Kind: protocols.Write, Weight: 1}
	reads  = sim.Share{Op: protocols.Get, Kind: protocols.Read, Weight: 1}
)

func world(t *testing.T, cfg sim.Config) *sim.World {
	t.Helper()
	w, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// An operation takes 4 delays and 2n messages: request, Prepare and PrepareOK (or
// Commit and CommitOK) for each backup, reply. Alone it takes 2 and 2. It is the
// same in every variant.
func TestLawOfOperations(t *testing.T) {
	for _, variant := range []string{vr.Durable, vr.Diskless, vr.CrashVectors} {
		for _, n := range []int{1, 3, 5, 7} {
			for name, c := range map[string]struct {
				op       sim.Share
				mode     string
				ask, say string
			}{
				"write":         {writes, vr.ReadsRound, "Prepare", "PrepareOK"},
				"read by round": {reads, vr.ReadsRound, "Commit", "CommitOK"},
				"read by log":   {reads, vr.ReadsLog, "Prepare", "PrepareOK"},
			} {
				t.Run(fmt.Sprintf("%s %s n=%d", variant, name, n), func(t *testing.T) {
					p := vr.DefaultParameters()
					p.Variant, p.Reads = variant, c.mode
					p.ViewTimeout, p.CommitInterval = protocols.Range{Min: 1000e9, Max: 1000e9}, 900e9 // no timer speaks
					w := world(t, calm(n, p, c.op))
					done := func(k uint64) func() bool { return func() bool { return w.Stats().Done >= k } }
					w.RunUntil(second, done(1))
					before := *w.Stats()
					before.ByKind = append([]sim.KindCount(nil), before.ByKind...)
					const operations = 50
					if stop := w.RunUntil(10*second, done(1+operations)); stop != sim.Satisfied {
						t.Fatal(stop, w.Violations())
					}
					after := w.Stats()
					delays, messages := 4*delay, uint64(2*n)
					if n == 1 {
						delays = 2 * delay
					}
					for _, op := range w.History()[1:] {
						if op.Outcome == protocols.Done && op.Ended.Sub(op.Began) != delays {
							t.Fatalf("%v took %v, want %v", op.Command, op.Ended.Sub(op.Began), delays)
						}
					}
					for _, k := range after.ByKind {
						want := uint64(0)
						if k.Name == c.ask || k.Name == c.say {
							want = operations * uint64(n-1)
						}
						if got := k.Messages - countOf(before.ByKind, k.Name); got != want {
							t.Errorf("%d of %s, want %d", got, k.Name, want)
						}
					}
					all := after.Messages - before.Messages + after.Replies - before.Replies + operations
					if all != operations*messages {
						t.Errorf("%d messages for %d operations, want %d each", all, operations, messages)
					}
				})
			}
		}
	}
}

func countOf(kinds []sim.KindCount, name string) uint64 {
	for _, k := range kinds {
		if k.Name == name {
			return k.Messages
		}
	}
	return 0
}

// A read under a lease takes 2 delays.
func TestLawOfLeaseReads(t *testing.T) {
	p := vr.DefaultParameters()
	p.Reads = vr.ReadsLease
	cfg := calm(5, p, reads)
	cfg.Workload.Begin = second
	w := world(t, cfg)
	w.Run(2 * second)
	for i, op := range w.History() {
		if i > 0 && op.Outcome == protocols.Done && op.Ended.Sub(op.Began) != 2*delay {
			t.Fatalf("read %d took %v, want %v", i, op.Ended.Sub(op.Began), 2*delay)
		}
	}
	if done := w.Stats().Done; done < 400 {
		t.Errorf("%d reads, want 500 in a second", done)
	}
}

// With disk time w a write takes 4d + w, and one w more where the primary's own fsync
// comes before Prepare leaves. Alone there is nobody to send it to.
func TestLawOfLeaderWrites(t *testing.T) {
	const w = 3 * time.Millisecond
	for _, n := range []int{1, 3, 4, 5, 7} {
		for mode, want := range map[string]time.Duration{vr.LeaderWriteParallel: 4*delay + w, vr.LeaderWriteSerial: 4*delay + 2*w} {
			if n == 1 {
				want = 2*delay + w
			}
			p := vr.DefaultParameters()
			p.LeaderWrite = mode
			cfg := calm(n, p, writes)
			cfg.Disk.Fsync = sim.Exactly(w)
			cfg.Workload.Think = sim.Exactly(10 * time.Millisecond)
			world := world(t, cfg)
			world.Run(second)
			for i, op := range world.History() {
				if i > 0 && op.Outcome == protocols.Done && op.Ended.Sub(op.Began) != want {
					t.Fatalf("n=%d, %s: write %d took %v, want %v", n, mode, i, op.Ended.Sub(op.Began), want)
				}
			}
			if world.Stats().Done < 30 {
				t.Errorf("n=%d, %s: only %d writes", n, mode, world.Stats().Done)
			}
		}
	}
}

// Across a wide area a write takes, at the primary, the floor(n/2)-th smallest round
// trip to the others.
func TestLawOfWideAreaWrites(t *testing.T) {
	to := []protocols.Duration{0, 0, 40e6, 5e6, 90e6, 17e6} // from n1, by node id
	from := []protocols.Duration{0, 0, 41e6, 9e6, 70e6, 20e6}
	p := vr.DefaultParameters()
	p.ViewTimeout, p.CommitInterval = protocols.Range{Min: 1000e9, Max: 1000e9}, 900e9
	cfg := calm(5, p, writes)
	for id := protocols.NodeID(2); id <= 5; id++ {
		cfg.Network.Links = append(cfg.Network.Links,
			sim.LinkRule{From: 1, To: id, Link: sim.Link{Latency: sim.Exactly(to[id])}},
			sim.LinkRule{From: id, To: 1, Link: sim.Link{Latency: sim.Exactly(from[id])}})
	}
	w := world(t, cfg)
	w.Run(5 * second)
	want := 2*delay + 37e6 // n5, the second of 14, 37, 81 and 160 ms
	for i, op := range w.History() {
		if i > 0 && op.Outcome == protocols.Done && op.Ended.Sub(op.Began) != want {
			t.Fatalf("write %d took %v, want %v", i, op.Ended.Sub(op.Began), want)
		}
	}
	if w.Stats().Done < 50 {
		t.Errorf("only %d writes", w.Stats().Done)
	}
}

// When the timers of all backups were reset together, the next primary is normal
// two delays after they fire, and the other backups are three delays after.
func TestLawOfViewChanges(t *testing.T) {
	for _, n := range []int{3, 5, 7} {
		p := vr.DefaultParameters()
		cfg := calm(n, p, writes)
		cfg.Workload.Clients = 0
		cfg.Faults = []sim.Fault{{Kind: protocols.FaultCrash, At: protocols.Time(p.CommitInterval) + 1000, For: sim.Forever, Target: target(t, "n1")}}
		w := world(t, cfg)
		w.Run(second)
		fired := protocols.Time(p.CommitInterval).Add(delay + p.ViewTimeout.Min)
		normal := map[protocols.NodeID]protocols.Time{}
		for _, e := range w.Trace() {
			if e.Kind == sim.TraceNote && e.Note.Kind == protocols.NoteNormal && e.Note.Epoch == 1 {
				normal[e.Node] = e.Time
			}
		}
		for id := protocols.NodeID(2); int(id) <= n; id++ {
			want := fired.Add(3 * delay)
			if id == 2 {
				want = fired.Add(2 * delay)
			}
			if normal[id] != want {
				t.Errorf("n=%d: %v is normal in view 1 at %v, want %v", n, id, normal[id], want)
			}
		}
	}
}
