package scenarios

import (
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Goodput compares the operations that returned per virtual second before the first
// fault struck and after everything was healed, with the network and the workload of
// the file. It finds failures that go on when their cause is gone (metastable failures,
// Bronson et al., HotOS 2021).
type Goodput struct {
	Before Decimal `json:"before"`
	After  Decimal `json:"after"` // the best that was seen
}

// goodputLeast is how many operations have to return before the first fault for their
// rate to be worth a comparison.
const goodputLeast = 200

// goodput lets the workload go on after the heal of all, in stretches as long as the one
// before the first fault, and demands that the share of the rate that the scenario names
// returns in one of them within the bound of the liveness phase. Single stretches differ
// by chance; a failure that goes on shows in all. Nothing is demanded where replicas are gone for good or members have changed: fewer or other ones
// have another rate.
func (r *run) goodput() {
	w := r.world
	if r.sc.Goodput == 0 || r.isOff(CheckGoodput) || len(r.sc.Script)+len(r.sc.Admin)+len(r.sc.Phases)+len(r.sc.Network.Regions) > 0 || !w.Refused().Empty() {
		return
	}
	struck, any := firstStrike(w.FaultLog())
	if !any || wiped(w.FaultLog()) {
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
	span := struck.Sub(begin)
	best := uint64(0)
	for last := from.Add(max(span, r.settle)); from.Add(span) <= last && !enough(best, before, r.sc.Goodput); from = from.Add(span) {
		if r.advance(from.Add(span), nil) != sim.Reached || r.stopped {
			return
		}
		best = max(best, returnedWithin(w.History(), from, from.Add(span)))
	}
	r.result.Goodput = &Goodput{Before: perSecond(before, int64(span)), After: perSecond(best, int64(span))}
	if !enough(best, before, r.sc.Goodput) {
		r.violate(CheckGoodput, "in %s after the heal of all, at most %s operations return per second, before the first fault %s: want %s of that",
			sim.FormatDuration(max(span, r.settle)), r.result.Goodput.After, r.result.Goodput.Before, r.sc.Goodput)
	}
	w.StopWorkload()
}

// enough reports whether after is at least the share of before.
func enough(after, before uint64, share sim.Prob) bool {
	return after*uint64(sim.Always) >= before*uint64(share)
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

// wiped reports whether a replica has lost its disk: it may be out of every quorum until
// the members change, and a quorum of fewer is a slower one.
func wiped(log []sim.FaultRecord) bool {
	return slices.ContainsFunc(log, func(f sim.FaultRecord) bool {
		return f.Fault.Kind == protocols.FaultWipe && f.Effective
	})
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
var goodputText = fmt.Sprintf("After the heal of all, the workload goes on, and this share of the operations per second before the first fault must return again, within the bound of the liveness phase: 90%%. Judged where %d operations returned before the first fault, and no replica is gone for good; it needs even latencies and no loss to mean anything.", goodputLeast)
