package scenarios

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Goodput compares the operations that returned per virtual second before the first
// fault struck and after everything was healed, with the network and the workload of
// the file. It finds failures that go on when their cause is gone (metastable failures,
// Bronson et al., HotOS 2021).
type Goodput struct {
	Before Decimal `json:"before"`
	After  Decimal `json:"after"`
}

// goodputLeast is how many operations have to return before the first fault for their
// rate to be worth a comparison.
const goodputLeast = 200

// goodput lets the workload go on after the heal of all, for as long as it ran before
// the first fault, and demands the share of the rate that the scenario names. Nothing is
// demanded where replicas are gone for good or members have changed: fewer or other ones
// have another rate.
func (r *run) goodput() {
	w := r.world
	if r.sc.Goodput == 0 || r.isOff(CheckGoodput) || len(r.sc.Script)+len(r.sc.Admin)+len(r.sc.Phases)+len(r.sc.Network.Regions) > 0 || !w.Refused().Empty() {
		return
	}
	struck, any := firstStrike(w.FaultLog())
	if !any {
		return
	}
	history := w.History()
	if len(history) == 0 {
		return
	}
	begin := history[0].Began
	before := returnedWithin(history, begin, struck)
	if before < goodputLeast {
		return
	}
	w.Resume()
	from := w.Now().Add(maxTimeout(r.p, r.parameters)) // clients find the leader, queues fill
	to := from.Add(struck.Sub(begin))
	if r.advance(to, nil) != sim.Reached || r.stopped {
		return
	}
	after := returnedWithin(w.History(), from, to)
	span := int64(struck.Sub(begin))
	r.result.Goodput = &Goodput{Before: perSecond(before, span), After: perSecond(after, span)}
	if after*uint64(sim.Always) < before*uint64(r.sc.Goodput) {
		r.violate(CheckGoodput, "after the heal of all, %s operations return per second, before the first fault %s: want %s of that",
			r.result.Goodput.After, r.result.Goodput.Before, r.sc.Goodput)
	}
	w.StopWorkload()
}

// firstStrike returns when the first fault struck.
func firstStrike(log []sim.FaultRecord) (first protocols.Time, any bool) {
	for i := range log {
		f := &log[i]
		if struck := f.State == sim.Active || f.State == sim.Over; struck && (!any || f.Struck < first) {
			first, any = f.Struck, true
		}
	}
	return first, any
}

// returnedWithin counts the operations that returned after from and up to to.
func returnedWithin(history []protocols.Operation, from, to protocols.Time) (n uint64) {
	for i := range history {
		if op := &history[i]; op.Outcome == protocols.Done && op.Ended > from && op.Ended <= to {
			n++
		}
	}
	return n
}

// goodputText describes the key.
var goodputText = fmt.Sprintf("After the heal of all, the workload goes on, and this share of the operations per second before the first fault must return again: 90%%. Judged where %d operations returned before the first fault, and no replica is gone for good; it needs even latencies and no loss to mean anything.", goodputLeast)
