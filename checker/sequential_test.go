package checker

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

// oracleSequential tries every way to interleave what the clients did. Operations of
// unknown outcome come anywhere, or not at all.
func oracleSequential(machine string, blind bool, ops []protocols.Operation) bool {
	var sessions [][]*protocols.Operation
	of := map[protocols.NodeID]int{}
	for i := range ops { // in the order of the calls of each client
		op := &ops[i]
		if op.Outcome == protocols.Unknown {
			sessions = append(sessions, []*protocols.Operation{op})
			continue
		}
		if _, have := of[op.Client]; !have {
			of[op.Client] = len(sessions)
			sessions = append(sessions, nil)
		}
		sessions[of[op.Client]] = append(sessions[of[op.Client]], op)
	}
	cells := map[protocols.Key]plainState{}
	var try func() bool
	try = func() bool {
		done := true
		for k, session := range sessions {
			if len(session) == 0 {
				continue
			}
			op := session[0]
			done = done && op.Outcome == protocols.Unknown
			before := cells[op.Key]
			next, ok := plainStep(machine, blind, before, op)
			if !ok {
				continue
			}
			sessions[k], cells[op.Key] = session[1:], next
			if try() {
				return true
			}
			sessions[k], cells[op.Key] = session, before
		}
		return done
	}
	return try()
}

// TestSequentialAgainstOracle: histories of every machine, with operations of unknown
// outcome, values that come back and writes that answer what they saw, are decided as
// trying all orders decides them.
func TestSequentialAgainstOracle(t *testing.T) {
	rounds := 3_000
	if testing.Short() {
		rounds = 600
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, machine := range []string{"register", "queue", "counter", "log"} {
		for _, unique := range []bool{true, false} {
			held, broken := 0, 0
			for range rounds {
				ops := smallHistory(r, machine, unique)
				if machine == "register" && r.IntN(2) == 0 {
					spread(r, ops)
				}
				opt := Options{Machine: machine, Blind: true, Keyed: true}
				f := WhatHolds(ops, nil, opt).Findings[Sequential]
				want := oracleSequential(machine, true, ops)
				if f.Verdict == Inconclusive || (f.Verdict == OK) != want {
					for i := range ops {
						t.Log(FormatOperation(&ops[i]))
					}
					t.Fatalf("%s, unique %v: %v (%s), want %v", machine, unique, f.Verdict, f.Text, want)
				}
				if want {
					held++
				} else {
					broken++
				}
			}
			if held < rounds/20 || broken < rounds/20 {
				t.Errorf("%s, unique %v: held %d times, broken %d times: the histories test little", machine, unique, held, broken)
			}
		}
	}
}

// spread gives every operation one of two keys.
func spread(r *rand.Rand, ops []protocols.Operation) {
	for i := range ops {
		ops[i].Key = protocols.Key(1 + r.IntN(2))
	}
}

// TestSequentialNotLinearizable: what is sequentially consistent and not linearizable
// is told from what is neither, and from what is causally consistent only.
func TestSequentialNotLinearizable(t *testing.T) {
	put := func(client int, key protocols.Key, v int64, at int64) protocols.Operation {
		return protocols.Operation{Command: protocols.Command{Client: protocols.NodeID(-client), Kind: protocols.Write, Op: protocols.Put, Key: key, Arg: v}, Outcome: protocols.Done, Call: at, Return: at + 1}
	}
	get := func(client int, key protocols.Key, v protocols.Value, at int64) protocols.Operation {
		return protocols.Operation{Command: protocols.Command{Client: protocols.NodeID(-client), Kind: protocols.Read, Op: protocols.Get, Key: key}, Value: v, Outcome: protocols.Done, Call: at, Return: at + 1}
	}
	for _, c := range []struct {
		name, strongest string
		ops             []protocols.Operation
	}{
		{"a stale read of another client", "sequential consistency", []protocols.Operation{put(1, 1, 1, 1), put(1, 1, 2, 3), get(2, 1, 1, 5)}},
		{"two clients that each miss the other's write", "causal consistency", []protocols.Operation{
			put(1, 1, 1, 1), put(2, 2, 2, 1), get(1, 2, 0, 3), get(2, 1, 0, 3)}},
		{"two clients that see two writes in two orders", "causal consistency", []protocols.Operation{
			put(1, 1, 1, 1), put(2, 1, 2, 1), get(3, 1, 1, 3), get(3, 1, 2, 5), get(4, 1, 2, 3), get(4, 1, 1, 5)}},
	} {
		opt := Options{Machine: "kv", Blind: true}
		if r := Linearizable(c.ops, opt); r.Verdict != Violation {
			t.Errorf("%s: linearizability: %v", c.name, r.Verdict)
		}
		h := WhatHolds(c.ops, nil, opt)
		if got := h.Strongest(); got != c.strongest {
			t.Errorf("%s: %s, want %s", c.name, got, c.strongest)
		}
	}
}

// TestSequentialLarge: large histories that are linearizable are found to be
// sequentially consistent too, and one of their reads made wrong is found, or the
// search says how many steps it took.
func TestSequentialLarge(t *testing.T) {
	for _, c := range []generate.Config{
		{Machine: "register", N: 20_000, Clients: 16, Unknown: 20},
		{Machine: "kv", Keys: 50, N: 20_000, Clients: 16, Unknown: 20},
		{Machine: "kv", Keys: 5, N: 20_000, Clients: 30, Mix: generate.Mix{Read: 2, Put: 2, CAS: 1}},
		{Machine: "log", N: 5_000, Clients: 8},
		{Machine: "counter", N: 5_000, Clients: 8, Mix: generate.Mix{Read: 1, Increment: 1}},
	} {
		for seed := range uint64(3) {
			c.Seed = seed
			h := generate.New(c)
			for _, blind := range []bool{true, false} {
				if blind && (c.Machine == "log" || c.Machine == "counter") {
					continue // their histories are made of answers
				}
				f := WhatHolds(h.Operations, nil, Options{Machine: c.Machine, Blind: blind}).Findings[Sequential]
				if f.Verdict != OK {
					t.Errorf("%s of %d clients, seed %d, blind %v: %v (%s)", c.Machine, c.Clients, seed, blind, f.Verdict, f.Text)
				}
			}
		}
	}
}

// TestSequentialBudget: a search that runs out of budget says so, with the steps it
// took, and never decides.
func TestSequentialBudget(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	spent := 0
	for range 300 {
		ops := smallHistory(r, "queue", false)
		full := WhatHolds(ops, nil, Options{Machine: "queue", Blind: true}).Findings[Sequential]
		s := sessionScan{history: ops, opt: Options{Machine: "queue", Blind: true, Budget: Budget{Steps: 1}}.filled(), reason: "a queue"}
		s.nameSessions(nil)
		s.kind = queueMachine
		s.opt.Budget.Steps = -4 * crossShare * int64(len(ops)) // none at all
		f := s.sequential(Finding{})
		switch {
		case f.Verdict == Inconclusive:
			spent++
			if !strings.Contains(f.Text, " steps") {
				t.Fatalf("%q says nothing of steps", f.Text)
			}
		case f.Verdict != full.Verdict:
			t.Fatalf("%v, and %v with more budget", f.Verdict, full.Verdict)
		}
	}
	if spent < 30 {
		t.Errorf("the budget was spent %d times", spent)
	}
}

// TestSequentialSessions: a step looks at every session, so that with thousands it costs
// more of the budget; what is bounded is the work, not the operations executed.
func TestSequentialSessions(t *testing.T) {
	for _, c := range []struct {
		clients int
		want    Verdict
	}{{256, OK}, {20 * sessionsPerStep, Inconclusive}} {
		h := generate.New(generate.Config{Machine: "kv", Seed: 1, N: 20_000, Clients: c.clients, Keys: 10})
		f := WhatHolds(h.Operations, nil, Options{Blind: true, Budget: Budget{Steps: 1}}).Findings[Sequential]
		if f.Verdict != c.want {
			t.Errorf("%d clients: %v (%s), want %v", c.clients, f.Verdict, f.Text, c.want)
		}
	}
}
