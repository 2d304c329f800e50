package checker

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

// minimalTally counts what the tests of minimal sets have seen.
type minimalTally struct{ sets, proven, smaller, unwritten, undecided int }

// TestMinimalDamaged: the property of [minimalTally.look] over damaged histories of few and many
// sessions.
func TestMinimalDamaged(t *testing.T) {
	for _, sessions := range []int{1, 10, 200, 500} {
		t.Run(fmt.Sprint(sessions), func(t *testing.T) {
			t.Parallel()
			c := minimalTally{}
			for _, machine := range []string{"register", "cas-register", "kv", "queue", "log", "counter"} {
				for _, d := range generate.Damages {
					if machine == "counter" && sessions > 10 {
						continue // too many operations are open for every search
					}
					for seed := range uint64(4) {
						n := max(120, 3*sessions)
						if machine == "counter" || machine == "log" {
							n = min(n, 400) // writes can hardly be left out
						}
						ops, ok := generate.Damaged(machine, seed, n, sessions, d)
						if !ok {
							continue
						}
						opt := Options{Machine: strings.TrimPrefix(machine, "cas-"), Blind: machine != "log"}
						if machine == "log" {
							slices.SortStableFunc(ops, func(a, b protocols.Operation) int { return cmp.Compare(a.Call, b.Call) })
							opt.Seated = Seat(ops)
						}
						c.look(t, ops, opt, fmt.Sprintf("%s, %s, seed %d", machine, d, seed))
					}
				}
			}
			t.Logf("%+v", c)
			if c.sets < 30 || c.proven < c.sets || c.smaller < c.sets || c.undecided > 0 {
				t.Errorf("too few of a kind: %+v", c)
			}
		})
	}
}

// TestMinimalRandom: the same over random histories with unknown outcomes, in which
// one answer was changed.
func TestMinimalRandom(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := minimalTally{}
			for seed := range uint64(*histories / 4) {
				d := s.draw(seed, 24)
				d.opt.Positions, d.opt.Log = false, nil
				c.look(t, d.ops, d.opt, fmt.Sprintf("seed %d", seed))
			}
			t.Logf("%+v", c)
			if c.sets < *histories/40 || c.proven < c.sets*9/10 || c.smaller < c.sets/2 || s.machine != "counter" && s.machine != "log" && c.unwritten == 0 {
				t.Errorf("too few of a kind: %+v", c)
			}
		})
	}
}

// TestMinimalRepeated: the same where values are written again and again, as most
// histories of other systems have it.
func TestMinimalRepeated(t *testing.T) {
	c := minimalTally{}
	for seed := range uint64(*histories / 8) {
		r := rand.New(rand.NewPCG(seed, 9))
		h := generate.New(generate.Config{Machine: "register", Seed: seed, N: 40, Clients: 1 + r.IntN(6),
			Unknown: [...]int{0, 100}[r.IntN(2)], Mix: generate.Mix{Read: 2, Put: 1, CAS: 1}})
		for i := range h.Operations { // equal values stay equal
			op := &h.Operations[i]
			op.Arg, op.Old, op.Value = few(op.Arg), few(op.Old), protocols.Value(few(int64(op.Value)))
			if op.Op == protocols.CAS && op.Outcome == protocols.Done {
				op.Swapped = int64(op.Value) == op.Old
			}
		}
		change(r, h.Operations)
		c.look(t, h.Operations, Options{Machine: "register", Blind: true}, fmt.Sprintf("seed %d", seed))
	}
	t.Logf("%+v", c)
	if c.sets < *histories/40 || c.proven < c.sets*9/10 || c.smaller < c.sets/2 {
		t.Errorf("too few of a kind: %+v", c)
	}
}

// few makes four of all values.
func few(v int64) int64 {
	if v <= 0 {
		return v
	}
	return 1 + v%4
}

// look minimises every violated part of a history. The set is wrong by itself, nothing
// can be taken from it, and each value that it shows was written in it, or is stated
// to have been written by nobody.
func (c *minimalTally) look(t *testing.T, ops []protocols.Operation, opt Options, name string) {
	t.Helper()
	for _, p := range Plan(ops, opt) {
		r := p.Check()
		if r.Verdict == Inconclusive {
			c.undecided++
		}
		m, ok := p.Minimise(r.Counterexample)
		if ok != (r.Verdict == Violation) {
			t.Fatalf("%s: %v, minimised %v", name, r.Verdict, ok)
		}
		if !ok {
			continue
		}
		c.sets++
		if len(m.Operations) < len(p.ops) {
			c.smaller++
		}
		if len(m.Unwritten) > 0 {
			c.unwritten++
		}
		complain := func(format string, args ...any) {
			t.Helper()
			for i := range m.Operations {
				t.Log(formatOperation(&m.Operations[i], p.kind, p.opt))
			}
			t.Fatalf(name+": "+format, args...)
		}
		q := opt
		q.Blind = m.Blind
		if again := Linearizable(m.Operations, q); again.Verdict != Violation {
			complain("the set is %v", again.Verdict)
		}
		plain := q
		plain.Blind = q.Blind || q.Seated // nothing hangs on places that the set does not show
		if len(m.Operations) <= 12 && plainPorcupine(m.Operations, plain) {
			complain("porcupine can order the set")
		}
		for i := range m.Operations {
			for _, v := range shownValues(&m.Operations[i], q) {
				if !writtenIn(m.Operations, v) && (writtenIn(ops, v) || !states(m, v)) {
					complain("nobody in the set writes %d, which %s shows; stated: %v", v, FormatOperation(&m.Operations[i]), m.Unwritten)
				}
			}
		}
		for _, u := range m.Unwritten {
			if writtenIn(ops, u.Value) {
				complain("%d is written", u.Value)
			}
		}
		if m.Proven {
			c.proven++
			if i := superfluous(m.Operations, q); i >= 0 {
				complain("%s can be left out", FormatOperation(&m.Operations[i]))
			}
		}
	}
}

// states reports whether a set says of a value that nobody wrote it.
func states(m Minimal, v int64) bool {
	return slices.ContainsFunc(m.Unwritten, func(u Unwritten) bool { return u.Value == v })
}

// shownValues lists the values that an answer shows, other than of sums.
func shownValues(op *protocols.Operation, opt Options) []int64 {
	if op.Outcome != protocols.Done || opt.Machine == "counter" {
		return nil
	}
	var out []int64
	switch {
	case len(op.List) > 0 && (op.Kind == protocols.Read || !opt.Blind):
		for _, v := range op.List {
			out = append(out, int64(v))
		}
	case op.Op == protocols.Get, op.Op == protocols.CAS, op.Op == protocols.Delete && opt.Machine == "queue",
		!opt.Blind && op.Kind == protocols.Write && opt.Machine != "log" && opt.Machine != "queue":
		out = append(out, int64(op.Value))
	}
	return slices.DeleteFunc(out, func(v int64) bool { return v == 0 })
}

// writtenIn reports whether a value may have been written.
func writtenIn(ops []protocols.Operation, v int64) bool {
	return slices.ContainsFunc(ops, func(op protocols.Operation) bool {
		return op.Outcome != protocols.Failed && op.Arg == v &&
			(op.Op == protocols.Put || op.Op == protocols.AppendTo || op.Op == protocols.CAS && (op.Outcome == protocols.Unknown || op.Swapped))
	})
}

// superfluous returns an operation without which, and without those that show what it
// may have written, the rest is wrong just the same; -1 if there is none. Of what answers
// in sums or positions, or shows absence that writes may have made, only reads are tried.
func superfluous(ops []protocols.Operation, opt Options) int {
	readsOnly := opt.Machine == "counter" || opt.Machine == "log" || opt.Machine == "kv" && slices.ContainsFunc(ops, func(op protocols.Operation) bool {
		return op.Op == protocols.AppendTo || op.Op == protocols.Delete
	})
	for i := range ops {
		if readsOnly && ops[i].Kind == protocols.Write {
			continue
		}
		kept := make([]bool, len(ops))
		for k := range kept {
			kept[k] = k != i
		}
		for again := ops[i].Kind == protocols.Write; again; { // nobody needs a read
			again = false
			for k := range ops {
				if kept[k] && misses(ops, kept, k, opt) {
					kept[k], again = false, true
				}
			}
		}
		var rest []protocols.Operation
		for k := range ops {
			if kept[k] {
				rest = append(rest, ops[k])
			}
		}
		if opt.Seated {
			Seat(rest)
		}
		if Linearizable(rest, opt).Verdict == Violation {
			return i
		}
	}
	return -1
}

// misses reports whether a write is not kept that may have made what operation k shows.
func misses(ops []protocols.Operation, kept []bool, k int, opt Options) bool {
	op := &ops[k]
	shown := shownValues(op, opt)
	if op.Op == protocols.CAS && op.Outcome == protocols.Unknown && op.Old != 0 {
		shown = append(shown, op.Old)
	}
	for w := range ops {
		if kept[w] || w == k {
			continue
		}
		if opt.Machine == "queue" && op.Op == protocols.AppendTo && ops[w].Op == protocols.Delete && int64(ops[w].Value) == op.Arg {
			return true
		}
		for _, v := range shown {
			if writtenIn(ops[w:w+1], v) {
				return true
			}
		}
	}
	return false
}
