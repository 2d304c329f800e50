package scenarios

import (
	"fmt"
	"math"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// phases runs the safety phase, then the two liveness phases: first a random core
// is healed and the rest stays broken, because a replica that can send and not
// receive may stop a cluster for good and nobody would notice if it healed; then
// all is healed.
func (r *run) phases() {
	w := r.world
	stop := r.safety()
	r.snapshot()
	if r.stopped {
		return
	}
	switch stop {
	case sim.Violated:
		return
	case sim.Exhausted:
		r.decide(checker.Inconclusive, fmt.Sprintf("the event budget was spent after %d events at %s, before the heal (%s)", w.Events(), w.Now(), w.Late()))
		return
	}
	if r.isOff(CheckLiveness) {
		w.StopWorkload()
		return
	}
	if len(r.sc.Script) > 0 {
		if r.sc.Then != ThenHeal {
			return
		}
		w.Release()
	}
	core := w.PickCore()
	if core.Empty() {
		core = protocols.NodesUpTo(w.Cluster().Nodes()) // nobody is up to judge by
	}
	w.Grant(r.budget()) // a budget of its own, lest a long safety phase looks like a dead cluster
	w.Heal(core)
	healed := w.Now()
	r.voters = w.Voters()
	r.result.Liveness = &Liveness{Core: core.String()}
	recovered := r.recovers(core, fmt.Sprintf("after the heal of the core %s", core))
	if recovered {
		r.result.Recovery = int64(w.Now().Sub(healed))
		w.HealAll()
		all, when := protocols.NodesUpTo(w.Cluster().Nodes()), fmt.Sprintf("after the heal of all %d", r.sc.Replicas)
		if recovered = r.recovers(all, when); recovered {
			r.subscribed(all, when)
			r.goodput()
		}
	}
	l := r.result.Liveness
	l.Judged = recovered && l.Excuse == "" || len(r.result.Violations) > 0
}

// safety runs the safety phase, or the script in its stead.
func (r *run) safety() sim.Stop {
	if len(r.sc.Script) > 0 {
		return r.play()
	}
	return r.watched(protocols.Time(r.sc.For))
}

// advance is RunUntil, up to the time at which somebody wants to look.
func (r *run) advance(limit protocols.Time, done func() bool) sim.Stop {
	if r.until == 0 || limit < r.until {
		return r.world.RunUntil(limit, done)
	}
	stop := r.world.RunUntil(r.until, done)
	r.stopped = stop == sim.Reached
	return stop
}

// recovers demands progress of the healed nodes within the bound: what is pending
// completes, each client completes a fresh write and a fresh read, and the
// replicas converge. It is false when the run is decided.
func (r *run) recovers(healed protocols.NodeSet, when string) bool {
	w := r.world
	r.bound(r.settle)
	idle := func() bool { return w.PendingOperations() == 0 }
	w.StopWorkload()
	for range 2 { // what is pending, then what is fresh
		switch r.reach(healed, CheckLiveness, idle, func() string {
			return fmt.Sprintf("%s, %d operations are still pending after %s", when, w.PendingOperations(), r.waited())
		}) {
		case excused:
			return true
		case decided:
			return false
		}
		if !r.probed {
			r.probed = true
			w.Probe()
		}
	}
	if r.isOff(CheckConvergence) {
		return true
	}
	r.limit = r.limit.Add(r.work(healed))
	return r.reach(healed, CheckConvergence, func() bool { return r.difference(healed) == "" }, func() string {
		return fmt.Sprintf("%s, replicas differ after %s: %s", when, r.waited(), r.difference(healed))
	}) != decided
}

// subscribed demands that the subscribers read everything that is committed, and
// that their tables are those of the replicas.
func (r *run) subscribed(healed protocols.NodeSet, when string) {
	if !follows(r.p) || r.sc.Workload.Subscribers == 0 || r.isOff(CheckSubscriber) {
		return
	}
	behind := ""
	done := func() (all bool) {
		all, behind = r.world.Subscribed()
		return all
	}
	r.bound(r.settle)
	if r.reach(healed, CheckSubscriber, done, func() string {
		return fmt.Sprintf("%s, %s after %s", when, behind, r.waited())
	}) != reached {
		return
	}
	if text := r.world.SubscriberDifference(); text != "" {
		r.violate(CheckSubscriber, "%s, %s", when, text)
	}
}

// outcome is what came of waiting for something.
type outcome uint8

const (
	reached outcome = iota
	excused         // not reached, by right: it is demanded again after the next heal
	decided         // the run has its verdict
)

// bound begins a part of the liveness phase, which has so much time.
func (r *run) bound(span protocols.Duration) {
	r.since = r.world.Now()
	r.limit = r.since.Add(span)
}

// waited says for how long this part of the liveness phase has been going on.
func (r *run) waited() string { return sim.FormatDuration(r.world.Now().Sub(r.since)) }

// reach runs until done, or decides why that did not happen.
func (r *run) reach(healed protocols.NodeSet, check string, done func() bool, text func() string) outcome {
	stop, led := r.await(healed, done)
	if stop == sim.Reached && !r.stopped && led.Add(r.settle) > r.limit {
		// A leader outside the core has led until lately: the core has its whole bound
		// from when it was left alone.
		r.limit = led.Add(r.settle)
		stop, _ = r.await(healed, done)
	}
	switch {
	case stop == sim.Satisfied:
		return reached
	case stop == sim.Violated || r.stopped:
		return decided
	}
	if stop == sim.Reached {
		if leader := r.ledFromOutside(healed); leader != protocols.Nobody {
			r.result.Liveness.Excuse = fmt.Sprintf("%s, outside the core, leads, and can make progress with those that it is connected with", leader)
			return excused
		}
		if r.outgrown(healed) {
			r.result.Liveness.Excuse = fmt.Sprintf("the members have changed since the heal, and the core %s alone can make no progress any more", healed)
			return excused
		}
	}
	problem := text()
	if stop == sim.Exhausted {
		problem += fmt.Sprintf(" (the event budget is spent at %s; %s)", r.world.Now(), r.world.Late())
	}
	// A cluster that should have made progress, or one that could not?
	if can, why := r.world.CanProgress(r.world.Facts()); !can {
		r.decide(checker.Unavailable, fmt.Sprintf("%s; no progress is possible: %s", problem, why))
	} else {
		r.violate(check, "%s", problem)
	}
	return decided
}

// await runs until done or the limit. led is when it last saw a leader outside the
// healed nodes that leads by right, and has lost that since; 0: never, or it leads still.
func (r *run) await(healed protocols.NodeSet, done func() bool) (stop sim.Stop, led protocols.Time) {
	look := r.settle / looks
	if healed == protocols.NodesUpTo(r.world.Cluster().Nodes()) {
		look = r.limit.Sub(r.world.Now()) // nobody is outside
	}
	for {
		next := min(r.limit, r.world.Now().Add(max(look, 1)))
		stop = r.advance(next, done)
		if stop != sim.Reached || r.stopped {
			return stop, led
		}
		leads := r.ledFromOutside(healed) != protocols.Nobody
		switch {
		case leads && next == r.limit:
			return stop, 0
		case leads:
			led = next
		}
		if next == r.limit {
			return stop, led
		}
	}
}

// looks is how often in the bound somebody looks who leads: once in the largest timeout
// unless the scenario has another bound.
const looks = 50

// work returns how much longer than an operation the healed replicas may take to
// converge: the round trips that the log which is lacking takes at the protocol's pace,
// each with a write, over healed links.
func (r *run) work(healed protocols.NodeSet) protocols.Duration {
	pace := int64(0)
	if r.p.Pace != nil {
		pace = r.p.Pace(r.parameters)
	}
	if pace <= 0 {
		return 0
	}
	least, most := protocols.Index(math.MaxInt64), protocols.Index(0)
	replicas := healed.And(protocols.NodesUpTo(r.sc.Replicas)).Minus(r.world.Refused())
	for id := replicas.Next(protocols.Nobody); id != protocols.Nobody; id = replicas.Next(id) {
		v, _ := r.world.View(id) // who is down has applied nothing yet
		least, most = min(least, v.Applied), max(most, v.Applied)
	}
	if least >= most {
		return 0
	}
	trip := 2*slowEnd(sim.HealedLatency()) + slowEnd(r.sc.Disk.Write) + slowEnd(r.sc.Disk.Fsync)
	return protocols.Duration((int64(most-least)+pace-1)/pace) * trip
}

// ledFromOutside returns the leader outside the healed nodes that leads by right, if
// there is one:
// it and those that it is connected with both ways could make progress by
// themselves. With PreVote they keep the others from deposing it. But its links to
// the core and to clients are as broken as the faults left them, so a client may
// not reach it, and nobody can say by when all of the core has caught up. A leader
// that cannot make progress excuses nothing: the core has to replace it.
func (r *run) ledFromOutside(healed protocols.NodeSet) protocols.NodeID {
	facts := r.world.Facts()
	leader := leaderOf(facts)
	if leader == protocols.Nobody || healed.Has(leader) || !r.leadsByRight(facts, leader) {
		return protocols.Nobody
	}
	return leader
}

// outgrown reports whether the healed nodes could make progress by themselves when they
// were picked, and no longer can since the members have changed: a change that was under
// way before the heal. Those who came to decide may be as broken as the faults left them.
func (r *run) outgrown(healed protocols.NodeSet) bool {
	everybody := protocols.NodesUpTo(r.world.Cluster().Nodes())
	return healed != everybody && r.world.Voters() != r.voters && !r.world.Suffices(healed)
}

// difference says how the replicas among nodes differ; "" when they are equal.
func (r *run) difference(nodes protocols.NodeSet) string {
	var first protocols.View
	firstID := protocols.Nobody
	if !r.sc.Members.Empty() || len(r.sc.Admin)+len(r.sc.Script) > 0 {
		nodes = nodes.And(r.world.Voters()) // who was removed, or has not joined, lags by right
	}
	nodes = nodes.Minus(r.world.Refused()) // who cannot boot is gone for good
	for id := nodes.Next(protocols.Nobody); id != protocols.Nobody && int(id) <= r.sc.Replicas; id = nodes.Next(id) {
		v, up := r.world.View(id)
		switch {
		case !up:
			return fmt.Sprintf("%s is down", id)
		case firstID == protocols.Nobody:
			first, firstID = v, id
		case v.Applied != first.Applied:
			return fmt.Sprintf("%s has applied %d, %s %d", firstID, first.Applied, id, v.Applied)
		case v.StateHash != first.StateHash:
			return fmt.Sprintf("%s and %s have applied %d and have different states", firstID, id, v.Applied)
		case v.Commit > v.Applied:
			return fmt.Sprintf("%s has applied %d of %d committed", id, v.Applied, v.Commit)
		}
	}
	return ""
}

func (r *run) budget() uint64 {
	if r.sc.Events == 0 {
		return sim.DefaultMaxEvents
	}
	return r.sc.Events
}
