package checker

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// smallHistory draws a short history of few values, right or wrong.
func smallHistory(r *rand.Rand, machine string, unique bool) []protocols.Operation {
	n := 2 + r.IntN(6)
	clients := 1 + r.IntN(4)
	free := make([]int64, clients)
	next := int64(0)
	value := func() int64 {
		if next++; unique {
			return next
		}
		return 1 + r.Int64N(2)
	}
	var ops []protocols.Operation
	for range n {
		c := r.IntN(clients)
		op := protocols.Operation{Outcome: protocols.Done, Call: free[c] + 1 + r.Int64N(3)}
		op.Client, op.Seq, op.Kind = protocols.NodeID(-1-c), uint64(len(ops)+1), protocols.Write
		op.Return = op.Call + 1 + r.Int64N(5)
		free[c] = op.Return
		seen := func() protocols.Value { return protocols.Value(r.Int64N(max(next, 2) + 1)) }
		switch draw := r.IntN(5); {
		case machine == "queue" && draw < 3:
			op.Op, op.Arg = protocols.AppendTo, value()
		case machine == "queue":
			op.Op, op.Value = protocols.Delete, seen()
		case machine == "counter" && draw < 3:
			op.Op, op.Arg = protocols.Increment, 1+r.Int64N(2)
		case machine == "counter":
			op.Op, op.Kind, op.Value = protocols.Get, protocols.Read, protocols.Value(r.Int64N(5))
		case machine == "log" && draw < 3:
			op.Op, op.Arg = protocols.AppendTo, value()
		case machine == "log":
			op.Op, op.Kind, op.Arg, op.Old = protocols.ReadRange, protocols.Read, 1, 1<<40
			for range r.IntN(int(next) + 1) {
				op.List = append(op.List, protocols.Value(1+r.Int64N(max(next, 2))))
			}
			op.Value = protocols.Value(len(op.List))
		case draw < 2:
			op.Op, op.Arg = protocols.Put, value()
		case draw == 2:
			op.Op, op.Arg, op.Old = protocols.CAS, value(), int64(seen())
			op.Value, op.Swapped = protocols.Value(op.Old), true
			if r.IntN(3) == 0 {
				op.Value, op.Swapped = seen(), false
			}
		default:
			op.Op, op.Kind, op.Value = protocols.Get, protocols.Read, seen()
		}
		if op.Kind == protocols.Write && r.IntN(5) == 0 {
			op.Outcome, op.Return, op.Value, op.Swapped = protocols.Unknown, protocols.Infinity, 0, false
		}
		ops = append(ops, op)
	}
	return ops
}

// TestWindowAgainstBruteForce: the window search, and the queue check where it
// applies, say what trying all orders says.
func TestWindowAgainstBruteForce(t *testing.T) {
	rounds := 40_000
	if testing.Short() {
		rounds = 8_000
	}
	for _, machine := range []string{"register", "queue", "counter", "log"} {
		for _, unique := range []bool{true, false} {
			t.Run(fmt.Sprint(machine, unique), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2))
				good, bad, fast := 0, 0, 0
				for round := range rounds {
					ops := smallHistory(r, machine, unique)
					opt := Options{Machine: machine, Blind: true}
					want := brute(ops, opt)
					parts := Plan(ops, opt)
					if len(parts) == 0 {
						continue
					}
					p := &parts[0]
					got, _ := p.searchWindow()
					if (got.verdict == OK) != want || got.verdict == Inconclusive {
						for i := range ops {
							t.Log(formatOperation(&ops[i], p.kind, p.opt))
						}
						t.Fatalf("round %d: window says %v, brute force %v", round, got.verdict, want)
					}
					if result, _ := p.checkQueue(); result != notApplicable {
						fast++
						if (result == holds) != want {
							for i := range ops {
								t.Log(formatOperation(&ops[i], p.kind, p.opt))
							}
							t.Fatalf("round %d: queue check says %v, brute force %v", round, result, want)
						}
					}
					if round%10 == 0 {
						checkWhole(t, ops, machine, want)
					}
					if want {
						good++
					} else {
						bad++
					}
				}
				if good < rounds/50 || bad < rounds/50 || machine == "queue" && unique && fast < rounds/5 {
					t.Errorf("%d good, %d bad, %d by the queue check: the histories test little", good, bad, fast)
				}
			})
		}
	}
}

// checkWhole runs all that reports do with a history: the judge, the class, the
// minimal set and what holds, with and without what writes saw.
func checkWhole(t *testing.T, ops []protocols.Operation, machine string, want bool) {
	t.Helper()
	for _, blind := range []bool{true, false} {
		opt := Options{Machine: machine, Blind: blind}
		p := Plan(ops, opt)[0]
		r := p.Check()
		if blind && (r.Verdict == OK) != want {
			t.Fatalf("%s: the judge says %v, brute force %v", machine, r.Verdict, want)
		}
		if r.Verdict == Violation && r.Counterexample.Class == "" {
			t.Fatalf("%s: a violation without a class", machine)
		}
		if m, ok := p.Minimise(r.Counterexample); ok != (r.Verdict == Violation) || ok && len(m.Operations) == 0 {
			t.Fatalf("%s: %v, and minimised to %d operations", machine, r.Verdict, len(m.Operations))
		}
		WhatHolds(ops, nil, opt)
	}
}
