package checker

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

var histories = flag.Int("checker.histories", 2000, "random histories per agreement test")

// shape is a family of histories.
type shape struct {
	name    string
	machine string
	mix     generate.Mix
	blind   bool
	fast    Decider // the linear check that applies to most of them
}

var shapes = []shape{
	{"register", "register", generate.Mix{Read: 1, Put: 1}, false, ByZones},
	{"register blind", "register", generate.Mix{Read: 1, Put: 1}, true, ByZones},
	{"cas", "register", generate.Mix{Read: 2, Put: 1, CAS: 2}, false, ByZones},
	{"cas blind", "register", generate.Mix{Read: 2, Put: 2, CAS: 1}, true, ByZones},
	{"delete", "kv", generate.Mix{Read: 2, Put: 2, CAS: 1, Delete: 2}, false, ByZones},
	{"delete, no put", "kv", generate.Mix{Read: 2, CAS: 3, Delete: 2}, false, ByZones},
	{"append", "kv", generate.Mix{Read: 2, Put: 1, Append: 2, Delete: 1}, false, ByPorcupine},
	{"counter", "counter", generate.Mix{Read: 1, Increment: 1, Double: 1}, false, ByPorcupine},
	{"log", "log", generate.Mix{Read: 1, Append: 1}, false, ByLog},
}

// drawn is one random small history with what may be known about it.
type drawn struct {
	ops []protocols.Operation
	log []protocols.LogCommand
	opt Options
	// changed: an answer may differ from what the generator made.
	changed bool
}

// draw makes a small history: in two cases of three with one answer changed, in
// half with coarse times.
func (s shape) draw(seed uint64, largest int) drawn {
	r := rand.New(rand.NewPCG(seed, 7))
	h := generate.New(generate.Config{
		Machine: s.machine, Seed: seed, N: 3 + r.IntN(largest-2), Clients: 1 + r.IntN(5), Keys: 1,
		Unknown: [...]int{0, 100, 400}[r.IntN(3)], Mix: s.mix,
		Tick:    [...]int64{0, 0, 200_000, 500_000, 1_000_000}[r.IntN(5)],
		WithLog: true,
	})
	changed := r.IntN(3) > 0
	if changed {
		change(r, h.Operations)
	}
	return drawn{h.Operations, h.Log, Options{Machine: s.machine, Blind: s.blind, Positions: true, Log: h.Log}, changed}
}

// change gives one answered operation another answer.
func change(r *rand.Rand, ops []protocols.Operation) {
	op := &ops[r.IntN(len(ops))]
	if op.Outcome != protocols.Done {
		return
	}
	switch {
	case op.Op == protocols.CAS && r.IntN(3) == 0:
		op.Swapped = !op.Swapped
	case op.Op == protocols.ReadRange && len(op.List) > 0 && r.IntN(2) == 0:
		list := append([]protocols.Value(nil), op.List...)
		list[r.IntN(len(list))] += protocols.Value(r.IntN(3) - 1)
		op.List = list
	case r.IntN(5) == 0:
		op.Value = 0
	case r.IntN(2) == 0:
		op.Value += protocols.Value(r.IntN(3) - 1)
	default:
		op.Value = protocols.Value(ops[r.IntN(len(ops))].Arg)
	}
}

func onlyPart(t testing.TB, d drawn) (Part, bool) {
	parts := Plan(d.ops, d.opt)
	if len(parts) > 1 {
		t.Fatalf("%d parts, want one", len(parts))
	}
	if len(parts) == 0 {
		return Part{}, false
	}
	return parts[0], true
}

// TestAgreement compares the linear checks, the search with and without patch,
// the witness and, up to 7 operations, brute force.
func TestAgreement(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := tally{}
			for i := range *histories {
				largest := 12
				if i%2 == 0 {
					largest = 7
				}
				c.compare(t, s.draw(uint64(i), largest), fmt.Sprintf("seed %d", i))
			}
			t.Logf("%+v", c)
			c.demand(t, s, *histories)
		})
	}
}

// tally counts what an agreement test has seen, so that it cannot pass by not
// looking.
type tally struct{ good, bad, fast, brute, witness, refused int }

func (c *tally) compare(t *testing.T, d drawn, name string) {
	t.Helper()
	p, ok := onlyPart(t, d)
	if !ok {
		return
	}
	want := plainPorcupine(d.ops, d.opt)
	if want {
		c.good++
	} else {
		c.bad++
	}
	fatal := func(format string, args ...any) {
		t.Helper()
		for i := range d.ops {
			t.Log(FormatOperation(&d.ops[i]))
		}
		t.Fatalf(name+": "+format, args...)
	}
	if len(d.ops) <= 7 {
		c.brute++
		if got := brute(d.ops, d.opt); got != want {
			fatal("brute force says %v, porcupine %v", got, want)
		}
	}
	if got := p.search().verdict; (got == OK) != want || got == Inconclusive {
		fatal("patched search says %v, porcupine %v", got, want)
	}
	if result, by, found := p.checkFast(); result != notApplicable {
		c.fast++
		if (result == holds) != want {
			fatal("%v says %v, porcupine %v: %v", by, result == holds, want, found)
		}
		if result == fails && (len(found.ops) == 0 || found.text == "") {
			fatal("%v: no explanation", by)
		}
	}
	if why := p.witness(); why == "" {
		c.witness++
		if !want {
			fatal("the witness acquits what porcupine refutes")
		}
	} else if want {
		c.refused++
		if !d.changed {
			fatal("the witness refuses an untouched history: %s", why)
		}
	}
	if got := p.Check(); (got.Verdict == OK) != want || (got.Verdict == Violation) == want || (got.Counterexample == nil) != want {
		fatal("the ladder says %v, porcupine %v", got.Verdict, want)
	}
}

func (c *tally) demand(t *testing.T, s shape, n int) {
	t.Helper()
	if c.good < n/5 || c.bad < n/20 || c.brute < n/3 || c.witness < n/5 {
		t.Errorf("too few of a kind: %+v", *c)
	}
	if applies := c.fast > n/2; applies != (s.fast != ByPorcupine) {
		t.Errorf("the linear check applied to %d of %d", c.fast, n)
	}
}
