package shrink

import (
	"context"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
	"github.com/lockstep-sim/lockstep/sim"
)

// Futures is how many futures are drawn from a moment to say that none escapes.
const Futures = 50

// Fate is the moment at which a violation became inevitable.
type Fate struct {
	Event uint64         // after it all futures fail; 0: from the start
	Time  protocols.Time // of that event
	What  string         // what the trace says of it
	Runs  int
}

// Inevitable finds the event after which each of [Futures] redrawn futures ends in a
// violation of the same check: latencies, losses, timeouts and everything else random
// is drawn from other seeds from there on. It bisects, which takes for granted that
// what is inevitable stays so. ctx ends it early, with its error.
func Inevitable(ctx context.Context, sc *scenarios.Scenario, p *protocols.Protocol, seed uint64, workers int) (*Fate, error) {
	rec := scenarios.Record(sc, p, seed)
	switch {
	case rec.Result.Err != nil:
		return nil, rec.Result.Err
	case len(rec.Result.Violations) == 0:
		return nil, &NotFailing{rec.Result}
	}
	f := &Fate{}
	class, pool := classOf(rec.Result), search.NewPool(workers)
	escapes := func(r *scenarios.Result) bool { return classOf(r) != class }
	doomed := func(after uint64) bool {
		var jobs []search.Job
		for i := range uint64(Futures) {
			other := sim.Reseed{After: after, Seed: protocols.Mix64(seed ^ protocols.Mix64(i+1))}
			if after == 0 {
				jobs = append(jobs, search.Job{Scenario: sc, Protocol: p, Seed: other.Seed})
			} else {
				jobs = append(jobs, search.Job{Scenario: sc, Protocol: p, Seed: seed, Options: scenarios.Options{Reseed: other}})
			}
		}
		at, escaped := pool.First(ctx, jobs, escapes)
		f.Runs += at
		return escaped == nil
	}
	low, high := uint64(0), rec.Result.Violations[0].Event // doomed after high; low is the least that may be
	for low < high && ctx.Err() == nil {
		if middle := low + (high-low)/2; doomed(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f.Event = high
	for i := range rec.Result.Trace {
		if e := &rec.Result.Trace[i]; e.Seq == high {
			f.Time, f.What = e.Time, rec.World.Cluster().Name(e.Node)+" "+rec.World.TraceText(e)
			break
		}
	}
	return f, nil
}
