package checker

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

// TestPatchKeepsSearchSmall: with many unknown outcomes, only the patched history
// can be searched; the history has deletes of unknown outcome, so that zones do
// not apply.
func TestPatchKeepsSearchSmall(t *testing.T) {
	h := generate.New(generate.Config{Machine: "kv", Seed: 2, N: 400, Clients: 3, Unknown: 150,
		Mix: generate.Mix{Read: 20, Put: 20, CAS: 5, Delete: 1}})
	opt := Options{Budget: Budget{Steps: 200_000}}
	p := Plan(h.Operations, opt)[0]
	if result, by, _ := p.checkFast(); result != notApplicable {
		t.Fatalf("%v applies: the test needs another history", by)
	}
	unknown := 0
	for i := range p.ops {
		if p.at(i).Outcome == protocols.Unknown {
			unknown++
		}
	}
	ops, _ := p.patched()
	openEnded := 0
	for i := range ops {
		if ops[i].Return == protocols.Infinity {
			openEnded++
		}
	}
	s := p.search()
	t.Logf("%d operations, %d of unknown outcome; patched: %d, %d; %d steps", len(p.ops), unknown, len(ops), openEnded, s.steps)
	if s.verdict != OK || s.steps > 20_000 {
		t.Errorf("verdict %v after %d steps", s.verdict, s.steps)
	}
	if unknown < 20 || openEnded > unknown/4 || len(ops) > len(p.ops)-unknown/4 {
		t.Error("the patch did too little")
	}
}

// What is seen through a chain of swaps took effect in time, all of it; what
// nobody saw is dropped.
func TestPatchFollowsChains(t *testing.T) {
	ops := []protocols.Operation{open(cas(1, 0, 4, 0, 1, 0)), open(cas(2, 4, 5, 0, 2, 0)), open(cas(3, 5, 6, 0, 3, 0)),
		op(4, protocols.Get, 0, 6, 4, 5), op(5, protocols.Get, 0, 6, 4, 9),
		open(op(6, protocols.Put, 7, 0, 6, 0)), open(cas(7, 7, 8, 0, 6, 0))}
	p := Plan(ops, Options{})[0]
	patched, numbers := p.patched()
	if want := []int32{0, 1, 2, 3, 4}; !slices.Equal(numbers, want) {
		t.Fatalf("kept %v, want %v", numbers, want)
	}
	for i, want := range []int64{5, 5, 5, 5, 9} {
		if patched[i].Return != want {
			t.Errorf("operation %d returns at %d, want %d", i, patched[i].Return, want)
		}
	}
}

// Renaming values and keys, and listing operations in another order, changes no
// verdict. Renamed values leave the dense index for the hash table.
func TestRenaming(t *testing.T) {
	for at, s := range shapes {
		good, bad := 0, 0
		for seed := range uint64(400) {
			d := s.draw(seed, 12)
			want := Linearizable(d.ops, d.opt).Verdict
			if want == OK {
				good++
			} else {
				bad++
			}
			r := rand.New(rand.NewPCG(seed, 9))
			rename := func(v int64) int64 {
				if v == 0 || at >= 6 { // beyond registers, values are more than names
					return v
				}
				return v<<40 - 7
			}
			for i := range d.ops {
				o := &d.ops[i]
				o.Arg, o.Old, o.Value = rename(o.Arg), rename(o.Old), protocols.Value(rename(int64(o.Value)))
				if s.machine == "kv" {
					o.Key = 4_000_000_000
				}
			}
			for i := range d.opt.Log {
				c := &d.opt.Log[i].Command
				c.Arg, c.Old = rename(c.Arg), rename(c.Old)
			}
			r.Shuffle(len(d.ops), func(i, j int) { d.ops[i], d.ops[j] = d.ops[j], d.ops[i] })
			if got := Linearizable(d.ops, d.opt).Verdict; got != want {
				t.Fatalf("%s, seed %d: renamed and shuffled %v, before %v", s.name, seed, got, want)
			}
		}
		if good < 40 || bad < 20 {
			t.Errorf("%s: %d good and %d bad", s.name, good, bad)
		}
	}
}

// TestStaleReads: large histories with one stale read are refuted, wherever it
// stands, and acquitted without it.
func TestStaleReads(t *testing.T) {
	for _, stale := range []int{0, 20, 500, 950} {
		h := generate.New(generate.Config{Machine: "kv", Keys: 10, Seed: 7, N: 50_000, Clients: 64, Unknown: 100, Stale: stale})
		if (h.Stale >= 0) != (stale > 0) {
			t.Fatalf("stale read at %d", h.Stale)
		}
		r := Linearizable(h.Operations, Options{})
		if want := stale > 0; (r.Verdict == Violation) != want || r.Verdict == Inconclusive {
			t.Errorf("stale %d: %v", stale, r.Verdict)
		}
		if r.Verdict == Violation && !slices.ContainsFunc(r.Counterexample.Operations, func(o protocols.Operation) bool {
			return o.Call == h.Operations[h.Stale].Call
		}) {
			t.Errorf("stale %d: the counterexample does not show the read: %s", stale, r.Counterexample.Text)
		}
	}
}

func TestRadixSort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 47, 48, 1000} {
		for _, spread := range []uint64{1, 3, 5000, 1 << 40, 1<<64 - 1} {
			items := make([]sortable, n)
			for i := range items {
				items[i] = sortable{r.Uint64N(spread) + r.Uint64N(2), int32(i)}
			}
			want := slices.Clone(items)
			slices.SortStableFunc(want, func(a, b sortable) int { return cmp.Compare(a.key, b.key) })
			if got := radixSort(items, make([]sortable, n)); !slices.Equal(got, want) {
				t.Fatalf("n %d, spread %d: %v", n, spread, got)
			}
		}
	}
}

func TestValueIndex(t *testing.T) {
	for _, step := range []int64{1, 3, 1 << 20, 1 << 52, -5, -1 << 50} {
		var x valueIndex
		x.size(1001, min(0, 1000*step), max(0, 1000*step))
		for i := int64(0); i <= 1000; i++ {
			if id, fresh := x.add(i*step, int32(i)); id != int32(i) || !fresh {
				t.Fatalf("step %d: value %d gets %d, %v", step, i, id, fresh)
			}
		}
		for i := int64(0); i <= 1000; i++ {
			if id, fresh := x.add(i*step, -9); id != int32(i) || fresh {
				t.Fatalf("step %d: value %d has %d, %v", step, i, id, fresh)
			}
			if id := x.find(i * step); id != int32(i) {
				t.Fatalf("step %d: value %d has %d", step, i, id)
			}
		}
		for _, absent := range []int64{1001 * step, -7 * step, 1<<62 + 1} {
			if id := x.find(absent); id != -1 {
				t.Fatalf("step %d: value %d has %d, want none", step, absent, id)
			}
		}
	}
}
