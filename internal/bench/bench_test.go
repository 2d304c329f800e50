package main

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
)

// TestAllocationsPerMessage is a hard limit, not an indication: garbage is what
// makes workers wait for each other.
func TestAllocationsPerMessage(t *testing.T) {
	got, err := allocationsPerMessage(60_000_000_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.4f allocations per delivered message", got)
	if got > goalAllocations {
		t.Errorf("steady5: got %.4f allocations per delivered message, want at most %v", got, goalAllocations)
	}
}

// TestRelayKeepsMessagesUnderWay: no message of the relay gets lost, so that its
// figure really is one at 1,000 pending.
func TestRelayKeepsMessagesUnderWay(t *testing.T) {
	world, err := relayWorld(1000)
	if err != nil {
		t.Fatal(err)
	}
	const virtual = 100 << 20
	world.Run(virtual)
	s := world.Stats()
	if under := s.Messages - s.Delivered; under != 1000 {
		t.Errorf("messages under way: got %d, want 1000", under)
	}
	// Beside them the client's first call waits, which never comes.
	if pending := world.Pending(); pending != 1001 {
		t.Errorf("pending: got %d, want 1001", pending)
	}
	// Each message takes 2^19 ns on average.
	if want := uint64(1000 * virtual / (1 << 19)); s.Delivered < want*9/10 || s.Delivered > want*11/10 {
		t.Errorf("delivered: got %d, want about %d", s.Delivered, want)
	}
}

// TestPendingOfSteady5 holds the length of the queue to what must be in it: a
// timer for each replica and the client.
func TestPendingOfSteady5(t *testing.T) {
	s, err := newSteady(raft.Protocol(), false)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.pending()
	if err != nil {
		t.Fatal(err)
	}
	if got < 6 || got > 500 {
		t.Errorf("mean pending events: got %d, want 6 to 500", got)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{5, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(slices.Clone(c.values)); got != c.want {
			t.Errorf("median of %v: got %v, want %v", c.values, got, c.want)
		}
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		row  row
		want bool
	}{
		{row{got: 1.9, goal: 2}, true}, {row{got: 2.1, goal: 2}, false}, {row{got: 2, goal: 2}, true},
		{row{got: 500, goal: 400, atLeast: true}, true}, {row{got: 399, goal: 400, atLeast: true}, false}, {row{got: 400, goal: 400, atLeast: true}, true},
	} {
		if got := c.row.met(); got != c.want {
			t.Errorf("%v against %v: met %v, want %v", c.row.got, c.row.goal, got, c.want)
		}
	}
}

var _ protocols.Node = (*relay)(nil)
