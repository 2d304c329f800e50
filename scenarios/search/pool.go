package search

import (
	"context"
	"sync"

	"github.com/lockstep-sim/lockstep/scenarios"
)

// Pool is a set of workers that keep their memory between calls. It belongs to one
// goroutine.
type Pool struct{ runners []scenarios.Runner }

// NewPool returns a pool of the given number of workers, at least one.
func NewPool(workers int) *Pool { return &Pool{make([]scenarios.Runner, max(1, workers))} }

// First runs jobs in order until accept takes a result, and returns its position and
// the result, or the number of jobs that were run and nil. It asks accept in job
// order, and results behind the accepted one are dropped, so that what it returns
// does not depend on the number of workers. When ctx is cancelled no further job is
// begun. When a run panics outside protocol code it panics with a [*Crash].
func (p *Pool) First(ctx context.Context, jobs []Job, accept func(*scenarios.Result) bool) (int, *scenarios.Result) {
	for begin := 0; begin < len(jobs); begin += len(p.runners) {
		if ctx.Err() != nil {
			return begin, nil
		}
		wave := jobs[begin:min(begin+len(p.runners), len(jobs))]
		for i, d := range p.wave(wave, begin) {
			if d.crash != nil {
				panic(d.crash)
			}
			if accept(d.result) {
				return begin + i, d.result
			}
		}
	}
	return len(jobs), nil
}

// wave runs as many jobs as there are workers, or fewer, at once.
func (p *Pool) wave(jobs []Job, begin int) []done {
	results := make([]done, len(jobs))
	if len(jobs) == 1 {
		results[0] = runOne(&p.runners[0], begin, &jobs[0])
		return results
	}
	var pool sync.WaitGroup
	for i := range jobs {
		pool.Go(func() { results[i] = runOne(&p.runners[i], begin+i, &jobs[i]) })
	}
	pool.Wait()
	return results
}
