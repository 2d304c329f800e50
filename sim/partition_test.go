package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// divided returns a world of n replicas in the middle of a partition, and its record.
func dividedWorld(t *testing.T, seed uint64, n int, f Fault) (*World, *fault) {
	t.Helper()
	cfg := steady(seed)
	cfg.Replicas = n
	f.Kind, f.At, f.For = protocols.FaultPartition, second/2, Forever
	cfg.Faults = []Fault{f}
	w := run(t, cfg, second)
	if w.faults[0].State != Active {
		t.Fatalf("%s: %+v", describe(&f), w.faults[0].FaultRecord)
	}
	return w, &w.faults[0]
}

// hears checks whom each replica hears during a partition.
func hears(t *testing.T, w *World, want func(id protocols.NodeID) protocols.NodeSet) {
	t.Helper()
	facts := w.Facts()
	for id := protocols.NodeID(1); int(id) <= w.cluster.Replicas; id++ {
		if got := facts.Hears[id]; got != want(id) {
			t.Errorf("%s: %s hears %s, want %s", w.faults[0].Names, id, got, want(id))
		}
	}
}

func TestTwoSides(t *testing.T) {
	sizes := map[int]bool{}
	for seed := range uint64(20) {
		for _, shape := range []Shape{Halves, RandomSplit} {
			w, f := dividedWorld(t, seed, 5, Fault{Shape: shape, Target: target("n2")})
			a, b := f.division.a, f.division.b
			if !a.Has(2) || b.Empty() || a.Or(b) != protocols.NodesUpTo(5) || !a.And(b).Empty() {
				t.Errorf("%s: sides %s and %s", shape, a, b)
			}
			if shape == Halves && a.Len() != 2 {
				t.Errorf("the smaller half is %s", a)
			}
			if shape == RandomSplit {
				sizes[a.Len()] = true
			}
			hears(t, w, func(id protocols.NodeID) protocols.NodeSet {
				if a.Has(id) {
					return a
				}
				return b
			})
		}
	}
	for size := 1; size < 5; size++ {
		if !sizes[size] {
			t.Errorf("no random split has %d with the target", size)
		}
	}
}

// Everybody hears a majority, and no two hear the same one.
func TestRing(t *testing.T) {
	for _, n := range []int{3, 4, 5, 7} {
		w, _ := dividedWorld(t, 1, n, Fault{Shape: Ring, Target: target("random")})
		seen := map[protocols.NodeSet]bool{}
		facts := w.Facts()
		for id := protocols.NodeID(1); int(id) <= n; id++ {
			heard := facts.Hears[id]
			if heard.Len() != n/2+1 || !heard.Has(id) || seen[heard] {
				t.Errorf("of %d, %s hears %s", n, id, heard)
			}
			seen[heard] = true
		}
	}
}

func TestBridgeAndStar(t *testing.T) {
	for seed := range uint64(5) {
		w, f := dividedWorld(t, seed, 5, Fault{Shape: Bridge, Target: target("n3")})
		a, b := f.division.a, f.division.b
		if a.And(b) != protocols.Nodes(3) || a.Len() != 3 || b.Len() != 3 {
			t.Errorf("bridge: %s and %s", a, b)
		}
		hears(t, w, func(id protocols.NodeID) protocols.NodeSet {
			switch {
			case id == 3:
				return protocols.NodesUpTo(5)
			case a.Has(id):
				return a
			}
			return b
		})
		w, _ = dividedWorld(t, seed, 5, Fault{Shape: Star, Target: target("n3")})
		hears(t, w, func(id protocols.NodeID) protocols.NodeSet {
			if id == 3 {
				return protocols.NodesUpTo(5)
			}
			return protocols.Nodes(3, id)
		})
	}
}

// With from, nothing but the links between the two is cut; with a direction, one way.
func TestIsolateFrom(t *testing.T) {
	w, _ := dividedWorld(t, 1, 3, Fault{Target: target("n1"), From: target("n3")})
	hears(t, w, func(id protocols.NodeID) protocols.NodeSet {
		if id == 2 {
			return protocols.NodesUpTo(3)
		}
		return protocols.Nodes(id, 2)
	})
	w, _ = dividedWorld(t, 1, 3, Fault{Target: target("n1"), From: target("n3"), OneWay: In})
	hears(t, w, func(id protocols.NodeID) protocols.NodeSet {
		if id == 1 {
			return protocols.Nodes(1, 2)
		}
		return protocols.NodesUpTo(3)
	})
}

// Clients are on both sides, with the majority, or on a side by chance; those that
// the target names are with the target.
func TestClientsInAPartition(t *testing.T) {
	reaches := func(w *World, c, id protocols.NodeID) bool {
		return w.links.of(c, id).cut == 0 && w.links.of(id, c).cut == 0
	}
	split := map[bool]bool{}
	for seed := range uint64(20) {
		w, _ := dividedWorld(t, seed, 5, Fault{Target: target("n1 n2")})
		if !reaches(w, -1, 1) || !reaches(w, -1, 3) {
			t.Error("a client is cut off")
		}
		w, _ = dividedWorld(t, seed, 5, Fault{Target: target("n1 n2 c2"), Clients: WithMajority})
		if reaches(w, -1, 1) || !reaches(w, -1, 3) || !reaches(w, -2, 1) || reaches(w, -2, 3) {
			t.Error("c1 is not with the majority, or c2 not with the target")
		}
		w, _ = dividedWorld(t, seed, 5, Fault{Target: target("n1 n2 n4"), Clients: WithMajority})
		if !reaches(w, -1, 1) || reaches(w, -1, 3) {
			t.Error("c1 is not with the majority that the target is")
		}
		w, _ = dividedWorld(t, seed, 5, Fault{Target: target("n1 n2"), Clients: SplitClients})
		if reaches(w, -1, 1) == reaches(w, -1, 3) {
			t.Error("c1 is on no side, or on both")
		}
		split[reaches(w, -1, 1)] = true
	}
	if len(split) != 2 {
		t.Error("c1 is always on the same side")
	}
}

// A flapping partition opens and closes; messages pass while it is open.
func TestFlapping(t *testing.T) {
	w, r := struck(t, Fault{Kind: protocols.FaultPartition, Target: target("n2"), Flap: 100 * ms})
	phase := func(e *TraceEvent) bool { return e.Time.Sub(r.Struck)/(50*ms)%2 == 0 } // closed in the first half
	touching := func(e *TraceEvent) bool { return e.Peer > 0 && (e.Node == 2) != (e.Peer == 2) }
	closed := during(w, &r, TraceDelivered, func(e *TraceEvent) bool { return touching(e) && phase(e) })
	open := during(w, &r, TraceDelivered, func(e *TraceEvent) bool { return touching(e) && !phase(e) })
	if closed != 0 || open == 0 {
		t.Errorf("%d messages passed while it was closed, %d while it was open", closed, open)
	}
	if n := strings.Count(text(t, w), "partition flapping every 100ms opens"); n != 5 {
		t.Errorf("it opened %d times, want 5", n)
	}
	if facts := w.Facts(); facts.Hears[2].Len() != 5 {
		t.Errorf("after the end n2 hears %s", facts.Hears[2])
	}
}
