package checker

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// sessionHistory draws a short history of two cells, mostly wrong in some way.
func sessionHistory(r *rand.Rand) []protocols.Operation {
	n, clients := 3+r.IntN(6), 1+r.IntN(3)
	free := make([]int64, clients)
	written := [3][]int64{}
	next := int64(0)
	var ops []protocols.Operation
	for range n {
		c := r.IntN(clients)
		op := protocols.Operation{Outcome: protocols.Done, Call: free[c] + 1 + r.Int64N(4)}
		op.Client, op.Key = protocols.NodeID(-1-c), protocols.Key(1+r.IntN(2))
		op.Return = op.Call + 1 + r.Int64N(4)
		op.Began, op.Ended = protocols.Time(op.Call), protocols.Time(op.Return)
		free[c] = op.Return
		if r.IntN(2) == 0 {
			next++
			op.Op, op.Kind, op.Arg = protocols.Put, protocols.Write, next
			written[op.Key] = append(written[op.Key], next)
		} else {
			op.Op, op.Kind = protocols.Get, protocols.Read
			if w := written[op.Key]; len(w) > 0 && r.IntN(4) > 0 {
				op.Value = protocols.Value(w[r.IntN(len(w))])
			}
		}
		ops = append(ops, op)
	}
	return ops
}

// oracleOrder tries every order of each cell's versions for one that meets every
// demand; demands are pairs of values of one cell, older first.
func oracleOrder(ops []protocols.Operation, key protocols.Key, demands [][2]int64) bool {
	values := []int64{0}
	for i := range ops {
		if ops[i].Key == key && ops[i].Op == protocols.Put {
			values = append(values, ops[i].Arg)
		}
	}
	var try func(n int) bool
	try = func(n int) bool {
		if n == len(values) {
			for _, d := range demands {
				if slices.Index(values, d[0]) >= slices.Index(values, d[1]) {
					return false
				}
			}
			return true
		}
		for k := n; k < len(values); k++ {
			values[n], values[k] = values[k], values[n]
			if try(n + 1) {
				return true
			}
			values[n], values[k] = values[k], values[n]
		}
		return false
	}
	return try(1) // the initial version stays first
}

// oracleDemands lists pairs for one guarantee, straight from its sentence.
func oracleDemands(ops []protocols.Operation, key protocols.Key, g Guarantee) [][2]int64 {
	var out [][2]int64
	add := func(a, b int64) {
		if a != b {
			out = append(out, [2]int64{a, b})
		}
	}
	sees := func(o *protocols.Operation) bool { return o.Op == protocols.Get }
	for i := range ops {
		for j := range ops {
			a, b := &ops[i], &ops[j]
			if a.Key != key || b.Key != key {
				continue
			}
			if g <= MonotonicReads && !sees(a) && !sees(b) && a.Return < b.Call {
				add(a.Arg, b.Arg)
			}
			if a.Client != b.Client || a.Call >= b.Call {
				continue
			}
			switch {
			case sees(a) && sees(b) && g != ReadYourWrites:
				add(int64(a.Value), int64(b.Value))
			case !sees(a) && sees(b) && g == ReadYourWrites:
				add(a.Arg, int64(b.Value))
			case !sees(a) && !sees(b) && g == MonotonicWrites:
				add(a.Arg, b.Arg)
			case sees(a) && !sees(b) && g == WritesFollowReads:
				add(int64(a.Value), b.Arg)
			}
		}
	}
	return out
}

// oracleCausal computes the causal order as a matrix and looks for the patterns.
func oracleCausal(ops []protocols.Operation) bool {
	n := len(ops)
	before := make([][]bool, n)
	for i := range before {
		before[i] = make([]bool, n)
		for j := range ops {
			a, b := &ops[i], &ops[j]
			before[i][j] = a.Client == b.Client && a.Call < b.Call ||
				a.Op == protocols.Put && b.Op == protocols.Get && a.Key == b.Key && a.Arg == int64(b.Value)
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				before[i][j] = before[i][j] || before[i][k] && before[k][j]
			}
		}
	}
	for r := range n {
		if before[r][r] {
			return false
		}
		if ops[r].Op != protocols.Get {
			continue
		}
		for w := range n {
			if ops[w].Op != protocols.Put || ops[w].Key != ops[r].Key || !before[w][r] {
				continue
			}
			if ops[r].Value == 0 {
				return false
			}
			for o := range n {
				if ops[o].Op == protocols.Put && ops[o].Key == ops[r].Key && ops[o].Arg == int64(ops[r].Value) && o != w && before[o][w] {
					return false
				}
			}
		}
	}
	return true
}

// TestHoldsAgainstOracle: every guarantee is decided as trying all orders decides
// it, and staleness as counting does.
func TestHoldsAgainstOracle(t *testing.T) {
	rounds := 30_000
	if testing.Short() {
		rounds = 6_000
	}
	r := rand.New(rand.NewPCG(3, 4))
	var held, broken [guarantees]int
	stale := 0
	for range rounds {
		ops := sessionHistory(r)
		h := WhatHolds(ops, nil, Options{Machine: "kv", Blind: true})
		for _, f := range h.Findings {
			want := oracleCausal(ops)
			switch f.Guarantee {
			case Causal:
			case Sequential:
				want = oracleSequential("kv", true, ops)
			default:
				want = oracleOrder(ops, 1, oracleDemands(ops, 1, f.Guarantee)) && oracleOrder(ops, 2, oracleDemands(ops, 2, f.Guarantee))
			}
			if (f.Verdict == OK) != want || f.Verdict == Inconclusive {
				for i := range ops {
					t.Log(FormatOperation(&ops[i]))
				}
				t.Fatalf("%v: %v (%s), want %v", f.Guarantee, f.Verdict, f.Text, want)
			}
			if want {
				held[f.Guarantee]++
			} else {
				broken[f.Guarantee]++
			}
		}
		want := countStaleness(ops)
		if h.Staleness != want {
			for i := range ops {
				t.Log(FormatOperation(&ops[i]))
			}
			t.Fatalf("staleness %+v, want %+v", h.Staleness, want)
		}
		stale += want.Stale
	}
	for g := range guarantees {
		if held[g] < rounds/20 || broken[g] < rounds/50 {
			t.Errorf("%v: held %d times, broken %d times of %d: the histories test little", g, held[g], broken[g], rounds)
		}
	}
	if stale < rounds/10 {
		t.Errorf("%d stale reads", stale)
	}
}

func countStaleness(ops []protocols.Operation) Staleness {
	out := Staleness{Decided: true}
	for i := range ops {
		r := &ops[i]
		if r.Op != protocols.Get {
			continue
		}
		out.Reads++
		ret := int64(-1)
		for j := range ops {
			if w := &ops[j]; w.Op == protocols.Put && w.Key == r.Key && w.Arg == int64(r.Value) {
				ret = w.Return
			}
		}
		lacks, first := int64(0), protocols.Infinity
		for j := range ops {
			if w := &ops[j]; w.Op == protocols.Put && w.Key == r.Key && w.Call > ret && w.Return < r.Call {
				lacks, first = lacks+1, min(first, w.Return)
			}
		}
		if lacks > 0 {
			out.Stale++
			out.Versions, out.Nanoseconds = max(out.Versions, lacks), max(out.Nanoseconds, r.Call-first)
		}
	}
	return out
}
