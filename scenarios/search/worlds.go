package search

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/lockstep-sim/lockstep/sim"
)

// Worlds calls one with each of 0 to n-1, on the given number of workers (at least
// one). A worker hands the same world to all its calls, for [sim.World.Reset], so that
// many short runs cost little. What one keeps it puts in its own place by number; then
// the outcome does not depend on the number of workers. When ctx is cancelled or a call
// fails no further call is begun. Worlds returns the error of the lowest number that
// failed among those that were begun, or that of ctx.
func Worlds(ctx context.Context, n, workers int, one func(w *sim.World, i int) error) error {
	var next atomic.Int64
	var stop atomic.Bool
	var lock sync.Mutex
	var failed error
	first := n
	fail := func(i int, err error) {
		stop.Store(true)
		lock.Lock()
		defer lock.Unlock()
		if i < first {
			first, failed = i, err
		}
	}
	var pool sync.WaitGroup
	for range max(1, min(workers, n)) {
		pool.Go(func() {
			var w sim.World
			for ctx.Err() == nil && !stop.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := one(&w, i); err != nil {
					fail(i, err)
				}
			}
		})
	}
	pool.Wait()
	if failed == nil {
		return ctx.Err()
	}
	return failed
}
