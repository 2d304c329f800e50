package protocols

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func randomSet(r *rand.Rand, n int) NodeSet {
	var s NodeSet
	for id := 1; id <= n; id++ {
		if r.IntN(2) == 0 {
			s = s.With(NodeID(id))
		}
	}
	return s
}

func randomQuorum(r *rand.Rand, n int) Quorum {
	switch r.IntN(3) {
	case 0:
		return Majority{randomSet(r, n)}
	case 1:
		return Threshold{randomSet(r, n), r.IntN(n + 2)}
	}
	return Joint{randomSet(r, n), randomSet(r, n)}
}

// has says again, slowly, what a quorum is.
func has(q Quorum, present func(NodeID) bool) bool {
	count := func(s NodeSet) (yes, all int) {
		for _, id := range s.Slice() {
			all++
			if present(id) {
				yes++
			}
		}
		return
	}
	switch q := q.(type) {
	case Majority:
		yes, all := count(q.Of)
		return 2*yes > all
	case Threshold:
		yes, _ := count(q.Of)
		return yes >= q.Size && yes >= 1
	case Joint:
		return has(Majority{q.Old}, present) && has(Majority{q.New}, present)
	}
	panic("unknown quorum")
}

func TestQuorumsAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		n := 1 + r.IntN(9)
		q := randomQuorum(r, n)
		s := randomSet(r, n+3)
		if got, want := q.Has(s), has(q, s.Has); got != want {
			t.Fatalf("%s: Has(%s) = %v, want %v", q, s, got, want)
		}
		match := make([]Index, 1+r.IntN(n+3))
		for i := range match {
			match[i] = Index(r.IntN(6))
		}
		want := Index(0)
		for c := Index(1); c <= 6; c++ {
			if has(q, func(id NodeID) bool { return int(id) < len(match) && match[id] >= c }) {
				want = c
			}
		}
		if got := CommittedIndex(q, match); got != want {
			t.Fatalf("%s: CommittedIndex(%v) = %d, want %d", q, match, got, want)
		}
	}
}

// TestThresholdMeets looks for two quorums that do not meet among all pairs.
func TestThresholdMeets(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		n := 1 + r.IntN(7)
		q := Threshold{randomSet(r, n), r.IntN(n + 2)}
		p := Threshold{randomSet(r, n), r.IntN(n + 2)}
		meets := true
		for bits := range uint64(1) << n {
			s := NodeSet{lo: bits << 1}
			if q.Has(s) && p.Has(NodesUpTo(n).Minus(s)) {
				meets = false
			}
		}
		if got := q.Meets(p); got != meets {
			t.Fatalf("%s meets %s: got %v, want %v", q, p, got, meets)
		}
	}
}

func TestMajoritySize(t *testing.T) {
	for n, want := range []int{1, 1, 2, 2, 3, 3, 4} {
		if got := MajoritySize(n); got != want {
			t.Errorf("MajoritySize(%d) = %d, want %d", n, got, want)
		}
	}
	if (Majority{}).Has(NodesUpTo(5)) {
		t.Error("a majority of nobody decided")
	}
}

func TestNodeSetAgainstASlice(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		var s NodeSet
		var ids []NodeID
		for range r.IntN(20) {
			id := NodeID(1 + r.IntN(MaxNodes))
			if r.IntN(4) == 0 {
				s = s.Without(id)
				ids = slices.DeleteFunc(ids, func(x NodeID) bool { return x == id })
			} else if s = s.With(id); !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		if got := s.Slice(); !slices.Equal(got, ids) || s.Len() != len(ids) || s.Empty() != (len(ids) == 0) {
			t.Fatalf("got %v, want %v", got, ids)
		}
	}
}

func TestCommittedIndexDoesNotAllocate(t *testing.T) {
	var q Quorum = Joint{NodesUpTo(5), NodesUpTo(7)}
	match := []Index{0, 5, 4, 3, 2, 1, 6, 7}
	if allocs := testing.AllocsPerRun(100, func() { CommittedIndex(q, match) }); allocs != 0 {
		t.Errorf("CommittedIndex allocates %v times", allocs)
	}
}

func BenchmarkCommittedIndexOfFive(b *testing.B) {
	var q Quorum = Majority{NodesUpTo(5)}
	match := []Index{0, 105, 104, 105, 104, 103}
	for range b.N {
		CommittedIndex(q, match)
	}
}
