package checker

import (
	"testing"

	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

// one operation of a client, at [2n, 2n+1] where n is its place.
func inOrder(ops ...protocols.Operation) []protocols.Operation {
	for i := range ops {
		op := &ops[i]
		op.Client, op.Seq = -1, uint64(i+1)
		op.Call, op.Return = int64(2*i), int64(2*i+1)
		if op.Outcome == protocols.Unknown {
			op.Return = protocols.Infinity
		}
	}
	return ops
}

func done(op protocols.Op, arg int64, value protocols.Value, list ...protocols.Value) protocols.Operation {
	o := protocols.Operation{Outcome: protocols.Done, Value: value, List: list}
	o.Op, o.Arg, o.Kind = op, arg, protocols.Write
	if op == protocols.Get || op == protocols.ReadRange {
		o.Kind = protocols.Read
	}
	if op == protocols.ReadRange {
		o.Arg, o.Old, o.Value = 1, 1<<40, protocols.Value(len(list))
	}
	return o
}

func unknown(op protocols.Op, arg int64) protocols.Operation {
	o := done(op, arg, 0)
	o.Outcome = protocols.Unknown
	return o
}

func TestCountEffects(t *testing.T) {
	add := func(v int64) protocols.Operation { return done(protocols.AppendTo, v, 0) }
	take := func(v protocols.Value) protocols.Operation { return done(protocols.Delete, 0, v) }
	put := func(v int64) protocols.Operation { return done(protocols.Put, v, 0) }
	get := func(v protocols.Value) protocols.Operation { return done(protocols.Get, 0, v) }
	increment := done(protocols.Increment, 1, 0)
	read := func(list ...protocols.Value) protocols.Operation { return done(protocols.ReadRange, 0, 0, list...) }
	const none = Undefined
	for _, c := range []struct {
		name, machine string
		ops           []protocols.Operation
		want          Effects
	}{
		{"log", "log", inOrder(add(1), add(2), add(3), read(1, 2, 3)), Effects{}},
		{"log that lost its end", "log", inOrder(add(1), add(2), add(3), read(1, 2, 3), read(1)), Effects{Lost: 2}},
		{"log with a gap", "log", inOrder(add(1), add(2), add(3), read(1, 3)), Effects{Lost: 1, Gaps: 1}},
		{"log with an entry twice", "log", inOrder(add(1), add(2), read(1, 2, 1)), Effects{Duplicated: 1}},
		{"log out of order", "log", inOrder(add(1), add(2), add(3), read(3, 1, 2)), Effects{Reordered: 2}},
		{"log, unknown outcome", "log", inOrder(add(1), unknown(protocols.AppendTo, 2), add(3), read(1, 3)), Effects{}},
		{"log that nobody read", "log", inOrder(add(1), add(2)), Effects{none, none, none, none}},
		{"queue", "queue", inOrder(add(1), add(2), take(1), take(2), take(0)), Effects{}},
		{"queue, something left", "queue", inOrder(add(1), add(2), take(1)), Effects{}},
		{"queue that lost two", "queue", inOrder(add(1), add(2), add(3), take(1), take(0)), Effects{Lost: 2}},
		{"queue with a gap", "queue", inOrder(add(1), add(2), take(2)), Effects{Gaps: 1}},
		{"queue, excused", "queue", inOrder(add(1), add(2), unknown(protocols.Delete, 0), take(2), take(0)), Effects{}},
		{"queue, an element three times", "queue", inOrder(add(1), take(1), take(1), take(1)), Effects{Duplicated: 2}},
		{"queue out of order", "queue", inOrder(add(1), add(2), add(3), take(3), take(1), take(2)), Effects{Reordered: 2}},
		{"counter", "counter", inOrder(increment, increment, get(2)), Effects{0, 0, none, none}},
		{"counter too low", "counter", inOrder(increment, increment, increment, get(1)), Effects{2, 0, none, none}},
		{"counter too high", "counter", inOrder(increment, unknown(protocols.Increment, 1), get(5)), Effects{0, 3, none, none}},
		{"register", "register", inOrder(put(1), put(2), get(2)), Effects{0, none, none, none}},
		{"register that went back", "register", inOrder(put(1), put(2), put(3), get(3), get(1)), Effects{2, none, none, none}},
		{"register, values come back", "register", inOrder(put(1), put(2), put(1), get(1)), Effects{none, none, none, none}},
	} {
		opt := Options{Machine: c.machine, Blind: true}
		if got := CountEffects(c.ops, opt); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		broken := c.want.Lost > 0 || c.want.Duplicated > 0 || c.want.Gaps > 0 || c.want.Reordered > 0
		if v := Linearizable(c.ops, opt).Verdict; (v == Violation) != broken {
			t.Errorf("%s: %v", c.name, v)
		}
	}
}

// TestCorrectHistoriesLoseNothing: histories that are linearizable have no such effect.
func TestCorrectHistoriesLoseNothing(t *testing.T) {
	for _, machine := range []string{"register", "kv", "log", "counter"} {
		for seed := range uint64(50) {
			h := generate.New(generate.Config{Machine: machine, Keys: 3, Seed: seed, N: 300, Clients: 5, Unknown: 50})
			e := CountEffects(h.Operations, Options{Machine: machine})
			if e.Lost > 0 || e.Duplicated > 0 || e.Gaps > 0 || e.Reordered > 0 {
				t.Errorf("%s, seed %d: %+v", machine, seed, e)
			}
		}
	}
}
