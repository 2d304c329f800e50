// Package search runs many scenarios on a pool of workers. A simulation is one
// goroutine and shares nothing, so this package is the only one with more than
// one. What it emits does not depend on the number of workers.
package search

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// Job is one run. Scenarios and protocols may be shared between jobs: runs only
// read them.
type Job struct {
	Scenario *scenarios.Scenario
	Protocol *protocols.Protocol
	Seed     uint64
	Options  scenarios.Options
}

// Jobs pairs every scenario with every protocol that it is meant for and every
// seed from first to last, in that order.
func Jobs(list []*scenarios.Scenario, protos []*protocols.Protocol, first, last uint64) []Job {
	var jobs []Job
	for _, sc := range list {
		for _, p := range protos {
			if !sc.Runs(p.Name) {
				continue
			}
			for seed := first; seed <= last; seed++ {
				jobs = append(jobs, Job{Scenario: sc, Protocol: p, Seed: seed})
				if seed == last {
					break // last may be the largest uint64
				}
			}
		}
	}
	return jobs
}

// aheadPerWorker bounds how far runs may be ahead of the oldest unfinished one,
// and with it the results that wait for their turn.
const aheadPerWorker = 16

// Run runs the jobs on the given number of workers (at least one) and calls emit
// with every result, one at a time, in job order. When ctx is cancelled no
// further job is begun; those that are running end, and Run emits the results up
// to the first job that was not run and returns ctx's error. When emit returns an
// error, Run stops likewise and returns it. When a run panics outside protocol
// code, Run stops likewise and panics with a [*Crash].
func Run(ctx context.Context, jobs []Job, workers int, emit func(int, *scenarios.Result) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers = max(1, min(workers, len(jobs)))
	next := make(chan int)
	tickets := make(chan struct{}, workers*aheadPerWorker)
	results := make(chan done)
	go handOut(ctx, len(jobs), tickets, next)
	go work(jobs, workers, next, results)

	waiting := map[int]done{}
	emitted := 0
	var failed error
	var crash *Crash
	for d := range results {
		waiting[d.index] = d
		for d, ok := waiting[emitted]; ok; d, ok = waiting[emitted] {
			delete(waiting, emitted)
			if crash == nil && d.crash != nil {
				crash = d.crash
				cancel(nil)
			}
			if failed == nil && crash == nil {
				if failed = emit(emitted, d.result); failed != nil {
					cancel(failed)
				}
			}
			emitted++
			<-tickets
		}
	}
	if crash != nil {
		panic(crash)
	}
	if failed == nil && emitted < len(jobs) {
		return context.Cause(ctx)
	}
	return failed
}

// done is a result and the position of its job, or the panic that it ended in.
type done struct {
	index  int
	result *scenarios.Result
	crash  *Crash
}

// Crash is what Run panics with, on its caller's goroutine, when a run panicked
// outside protocol code: a bug of lockstep.
type Crash struct {
	Job   Job
	Value any    // as given to panic
	Stack []byte // of the worker
}

// String says which run it was, and why and where it ended.
func (c *Crash) String() string {
	name := ""
	if c.Job.Scenario != nil {
		name = c.Job.Scenario.Name
	}
	return fmt.Sprintf("%s with %s, seed %d: %v\n%s", name, c.Job.Protocol.Name, c.Job.Seed, c.Value, c.Stack)
}

// runOne runs one job and catches its panic.
func runOne(runner *scenarios.Runner, i int, j *Job) (d done) {
	defer func() {
		if v := recover(); v != nil {
			*runner = scenarios.Runner{} // its world is in no known state
			d = done{index: i, crash: &Crash{*j, v, debug.Stack()}}
		}
	}()
	return done{index: i, result: runner.Run(j.Scenario, j.Protocol, j.Seed, j.Options)}
}

// handOut sends the positions 0 to n-1, each for a ticket, until ctx ends.
func handOut(ctx context.Context, n int, tickets chan<- struct{}, next chan<- int) {
	defer close(next)
	for i := range n {
		select {
		case tickets <- struct{}{}:
		case <-ctx.Done():
			return
		}
		select {
		case next <- i:
		case <-ctx.Done():
			return
		}
	}
}

// work runs what is handed out on workers that share nothing, and closes results
// when all is done.
func work(jobs []Job, workers int, next <-chan int, results chan<- done) {
	var pool sync.WaitGroup
	for range workers {
		pool.Go(func() {
			var runner scenarios.Runner
			for i := range next {
				results <- runOne(&runner, i, &jobs[i])
			}
		})
	}
	pool.Wait()
	close(results)
}
