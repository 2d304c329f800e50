package scenarios

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Gap is a time of the safety phase in which clients waited and no operation
// returned, for longer than the protocol's largest timeout, or a part of one with a
// reason of its own.
type Gap struct {
	FromNS int64     `json:"from_ns"`
	ToNS   int64     `json:"to_ns"`
	Reason GapReason `json:"reason"`
}

// GapReason says why nothing returned, by the true state at that time.
type GapReason string

// The reasons, in the order in which they are looked for.
const (
	GapNoQuorum  GapReason = "no quorum reachable" // the protocol says that it cannot make progress
	GapDiskStall GapReason = "disk stall"          // it could, if the disk of its leader or of a quorum completed an fsync
	GapLivelock  GapReason = "livelock"            // three leaders or more since an operation returned
	GapSplitVote GapReason = "split vote"          // nobody leads, and two epochs or more have gone by
	GapElection  GapReason = "election"            // nobody leads who could make progress
	GapOverload  GapReason = "overload"            // somebody does: messages, disks or processors are slow, or messages get lost
)

// idleness looks four times in each largest timeout whether anything has returned, and
// if not, why. Looking changes nothing.
type idleness struct {
	longest protocols.Duration
	done    uint64 // operations that had returned when something last had
	leaders uint64 // times that somebody had become leader by then
	epoch   uint64 // the highest then
	samples []sample
}

type sample struct {
	at     protocols.Time
	reason GapReason
}

// watched is advance up to the limit of the safety phase, looking on the way.
func (r *run) watched(limit protocols.Time) sim.Stop {
	r.idle.longest = max(maxTimeout(r.p, r.parameters), 4)
	if r.sc.Workload.Clients == 0 {
		return r.advance(limit, nil)
	}
	for at := protocols.Time(0); ; {
		at = min(at.Add(r.idle.longest/4), limit)
		if stop := r.advance(at, nil); stop != sim.Reached || r.stopped || at == limit {
			return stop
		}
		r.look()
	}
}

// look notes why nothing has returned since it last looked.
func (r *run) look() {
	i, w := &r.idle, r.world
	stats := w.Stats()
	facts := w.Facts()
	epoch := highestEpoch(facts)
	if stats.Done != i.done || w.PendingOperations() == 0 {
		i.done, i.leaders, i.epoch = stats.Done, stats.Leaders, epoch
		return
	}
	i.samples = append(i.samples, sample{w.Now(), r.whyIdle(facts, stats.Leaders-i.leaders, epoch-min(epoch, i.epoch))})
}

// whyIdle says what keeps operations from returning, after so many elections and
// epochs without any.
func (r *run) whyIdle(facts *protocols.Facts, elected, epochs uint64) GapReason {
	if can, _ := r.world.CanProgress(facts); !can {
		return GapNoQuorum
	}
	leader := leaderOf(facts)
	working := *facts
	working.Live = facts.Live.Minus(facts.Stalled)
	if can, _ := r.world.CanProgress(&working); !can || facts.Stalled.Has(leader) {
		return GapDiskStall
	}
	switch {
	case elected >= 3:
		return GapLivelock
	case r.leadsByRight(facts, leader):
		return GapOverload
	case epochs >= 2:
		return GapSplitVote
	}
	return GapElection
}

// leaderOf returns the live leader of the highest epoch, if there is one.
func leaderOf(facts *protocols.Facts) protocols.NodeID {
	leader, epoch := protocols.Nobody, uint64(0)
	for id := facts.Live.Next(protocols.Nobody); id != protocols.Nobody; id = facts.Live.Next(id) {
		if v := &facts.Views[id]; v.Leading && (leader == protocols.Nobody || v.Epoch > epoch) {
			leader, epoch = id, v.Epoch
		}
	}
	return leader
}

func highestEpoch(facts *protocols.Facts) (epoch uint64) {
	for i := range facts.Views {
		epoch = max(epoch, facts.Views[i].Epoch)
	}
	return epoch
}

// leadsByRight reports whether a leader and those that it is connected with both ways
// could make progress by themselves. It needs its own links alone: which of the other
// replicas hear each other does not matter to it.
func (r *run) leadsByRight(facts *protocols.Facts, leader protocols.NodeID) bool {
	if leader == protocols.Nobody {
		return false
	}
	around := *facts
	around.Live = protocols.Nodes(leader)
	for id := facts.Live.Next(protocols.Nobody); id != protocols.Nobody; id = facts.Live.Next(id) {
		if facts.Hears[id].Has(leader) && facts.Hears[leader].Has(id) {
			around.Live = around.Live.With(id)
		}
	}
	around.Hears = slices.Clone(facts.Hears)
	replicas := around.Live.And(protocols.NodesUpTo(r.sc.Replicas))
	for id := replicas.Next(protocols.Nobody); id != protocols.Nobody; id = replicas.Next(id) {
		around.Hears[id] = facts.Hears[id].Or(replicas)
	}
	can, _ := r.world.CanProgress(&around)
	return can
}

// gaps finds the gaps in the history of the safety phase, up to end, and labels them.
func (i *idleness) gaps(history []protocols.Operation, end protocols.Time) (gaps []Gap) {
	if len(i.samples) == 0 {
		return nil
	}
	var returned []protocols.Time
	for k := range history {
		if op := &history[k]; op.Outcome == protocols.Done && op.Ended <= end {
			returned = append(returned, op.Ended)
		}
	}
	slices.Sort(returned)
	from := protocols.Time(0)
	for _, to := range append(returned, end) {
		if to.Sub(from) > i.longest {
			if waited := firstWait(history, from, to); to.Sub(waited) > i.longest {
				gaps = i.label(gaps, waited, to)
			}
		}
		from = to
	}
	return gaps
}

// firstWait returns when somebody first waited between from and to; to when nobody did.
func firstWait(history []protocols.Operation, from, to protocols.Time) protocols.Time {
	first := to
	for k := range history {
		if op := &history[k]; op.Began < first && (op.Ended > from || op.Return == protocols.Infinity) {
			first = op.Began
		}
	}
	return max(first, from)
}

// label appends the gap from..to in parts of one reason each.
func (i *idleness) label(gaps []Gap, from, to protocols.Time) []Gap {
	begin := len(gaps)
	for _, s := range i.samples {
		switch {
		case s.at <= from || s.at > to:
		case len(gaps) > begin && gaps[len(gaps)-1].Reason == s.reason:
			gaps[len(gaps)-1].ToNS = int64(s.at)
		default:
			start := int64(from)
			if len(gaps) > begin {
				start = gaps[len(gaps)-1].ToNS
			}
			gaps = append(gaps, Gap{FromNS: start, ToNS: int64(s.at), Reason: s.reason})
		}
	}
	if len(gaps) > begin {
		gaps[len(gaps)-1].ToNS = int64(to)
	}
	return gaps
}
