package search_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/lockstep-sim/lockstep/scenarios/search"
	"github.com/lockstep-sim/lockstep/sim"
)

// TestWorlds: every number once, at any number of workers, and the first error wins.
func TestWorlds(t *testing.T) {
	for _, workers := range []int{0, 1, 3, 50} {
		seen := make([]atomic.Int32, 40)
		err := search.Worlds(t.Context(), len(seen), workers, func(w *sim.World, i int) error {
			if w == nil {
				return errors.New("no world")
			}
			seen[i].Add(1)
			return nil
		})
		if err != nil {
			t.Errorf("%d workers: %v", workers, err)
		}
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Errorf("%d workers: %d was called %d times", workers, i, n)
			}
		}
	}
	err := search.Worlds(t.Context(), 1000, 4, func(_ *sim.World, i int) error {
		if i >= 7 {
			return fmt.Errorf("%d", i)
		}
		return nil
	})
	if err == nil || err.Error() != "7" {
		t.Errorf("got error %v, want that of 7", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err = search.Worlds(ctx, 1000, 1, func(*sim.World, int) error {
		if calls++; calls == 5 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || calls != 5 {
		t.Errorf("%d calls after the end, %v", calls, err)
	}
}
