package protocols

import (
	"math"
	"testing"
)

type ping struct {
	Term    uint64
	Entries []int64
	Small   int8
	Tiny    uint8
	Flag    bool
	Members NodeSet
	Text    string
	Nested  struct{ Index Index }
	Pair    [2]int16
	Hidden  struct{ inner, Outer uint64 }
}

func (*ping) Kind() Kind { return 1 }

type saved struct{ Term uint64 }

func (*saved) Kind() Kind { return 2 }

func TestSendAndPersistDoNotAllocate(t *testing.T) {
	mem := NewMemory(Recycle)
	out := NewEffects(mem)
	const rounds = 2000
	allocs := testing.AllocsPerRun(5, func() {
		for i := range rounds {
			Send(out, 2, ping{Term: uint64(i)})
			SendEarly(out, 3, ping{Term: uint64(i)})
			Persist(out, saved{uint64(i)})
			out.Reply(Command{}, Result{})
			out.Note(Note{Kind: NoteCommit})
			out.SetTimer(1, 5)
			for _, e := range out.List {
				if e.Message != nil {
					mem.ReleaseMessage(mem.CopyMessage(e.Message))
					mem.ReleaseMessage(e.Message)
				}
			}
			out.Reset()
		}
	})
	// Records are not released: blocks grow up to lastBlock.
	if limit := float64(rounds/lastBlock + 8); allocs > limit {
		t.Errorf("%v allocations for %d rounds, want at most %v", allocs, rounds, limit)
	}
}

func sendOne(mem *Memory, m ping) *ping {
	out := NewEffects(mem)
	Send(out, 1, m)
	return out.List[0].Message.(*ping)
}

func TestPoisonLeavesNothing(t *testing.T) {
	mem := NewMemory(Poison)
	for _, before := range []ping{
		{},
		{Term: 3, Entries: []int64{1}, Small: 5, Tiny: 6, Flag: true, Members: Nodes(1, 2), Text: "x", Pair: [2]int16{1, 2}},
	} {
		before.Nested.Index = 9
		before.Hidden.inner, before.Hidden.Outer = 4, 5
		m := sendOne(mem, before)
		mem.ReleaseMessage(m)
		if m.Term == before.Term || m.Entries != nil || m.Small == before.Small || m.Tiny == before.Tiny || m.Flag == before.Flag ||
			m.Members == before.Members || m.Text == before.Text || m.Nested == before.Nested || m.Hidden.inner == 4 || m.Hidden.Outer == 5 || m.Pair == before.Pair {
			t.Errorf("released %+v, it still shows %+v", before, *m)
		}
		if m.Small >= 0 || m.Tiny < 128 || m.Pair[0] > -1000 || m.Term < math.MaxInt64 {
			t.Errorf("poison is not extreme: %+v", *m)
		}
		if other := sendOne(mem, ping{}); other == m {
			t.Error("poisoned memory was used again")
		}
	}
}

func TestRecycleAndKeep(t *testing.T) {
	recycle := NewMemory(Recycle)
	first := sendOne(recycle, ping{Term: 1})
	recycle.ReleaseMessage(first)
	if second := sendOne(recycle, ping{}); second != first || second.Term != 0 {
		t.Error("recycled memory is not used again, or shows what it held")
	}
	keep := NewMemory(Keep)
	first = sendOne(keep, ping{Term: 1})
	keep.ReleaseMessage(first)
	if second := sendOne(keep, ping{}); second == first || first.Term != 1 {
		t.Error("kept memory was used again or changed")
	}
	duplicate := keep.CopyMessage(first).(*ping)
	if duplicate == first || duplicate.Term != 1 {
		t.Error("a duplicate is not a copy with memory of its own")
	}
}

// A new run finds every slot free, in the order of the first; what is not to be
// used again stays as it is.
func TestRewind(t *testing.T) {
	for _, mode := range []MemoryMode{Recycle, Keep, Poison} {
		mem := NewMemory(mode)
		first, second := sendOne(mem, ping{Term: 1}), sendOne(mem, ping{Term: 2})
		if mode == Recycle {
			mem.ReleaseMessage(second)
			mem.ReleaseMessage(first)
		}
		mem.Rewind()
		a, b := sendOne(mem, ping{Term: 3}), sendOne(mem, ping{Term: 4})
		if reused := a == first && b == second; reused != (mode == Recycle) {
			t.Errorf("mode %d: slots used again in order: %v", mode, reused)
		}
		if mode != Recycle && (first.Term != 1 || second.Term != 2) {
			t.Errorf("mode %d: messages of the last run changed: %v, %v", mode, first, second)
		}
		if a == b || a.Term != 3 || b.Term != 4 {
			t.Errorf("mode %d: the next run got %v and %v", mode, a, b)
		}
	}
}

func TestTwoTypesOfOneKindPanic(t *testing.T) {
	out := NewEffects(NewMemory(Recycle))
	Send(out, 1, ping{})
	if panicText(func() { Send(out, 1, pong{}) }) == "" {
		t.Error("two types share a kind and nobody says so")
	}
}

type pong struct{}

func (*pong) Kind() Kind { return 1 }

func BenchmarkSendAndRelease(b *testing.B) {
	mem := NewMemory(Recycle)
	out := NewEffects(mem)
	for range b.N {
		Send(out, 2, ping{Term: 1})
		mem.ReleaseMessage(out.List[0].Message)
		out.Reset()
	}
}
