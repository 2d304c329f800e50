package scenarios

import (
	"fmt"

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
	stop := w.Run(protocols.Time(r.sc.For))
	r.snapshot()
	switch stop {
	case sim.Violated:
		return
	case sim.Exhausted:
		r.decide(checker.Inconclusive, fmt.Sprintf("the event budget was spent after %d events at %s, before the heal", w.Events(), w.Now()))
		return
	}
	if r.isOff(CheckLiveness) {
		w.StopWorkload()
		return
	}
	core := w.PickCore()
	if core.Empty() {
		core = protocols.NodesUpTo(w.Cluster().Nodes()) // nobody is up to judge by
	}
	w.Grant(r.budget()) // a budget of its own, lest a long safety phase looks like a dead cluster
	w.Heal(core)
	healed := w.Now()
	if r.heal(core, fmt.Sprintf("after the heal of the core %s", core)) {
		r.result.Recovery = int64(w.Now().Sub(healed))
		w.HealAll()
		all := protocols.NodesUpTo(r.sc.Replicas)
		r.converge(w.Now().Add(r.settle), all, fmt.Sprintf("after the heal of all %d", r.sc.Replicas))
	}
}

// heal demands progress of the core within the bound: what is pending completes,
// each client completes a fresh write and a fresh read, and the core converges.
func (r *run) heal(core protocols.NodeSet, when string) bool {
	w := r.world
	w.StopWorkload()
	limit := w.Now().Add(r.settle)
	idle := func() bool { return w.PendingOperations() == 0 }
	if !r.reach(limit, CheckLiveness, idle, func() string {
		return fmt.Sprintf("%s, %d operations are still pending after %s", when, w.PendingOperations(), sim.FormatDuration(r.settle))
	}) {
		return false
	}
	w.Probe()
	if !r.reach(limit, CheckLiveness, idle, func() string {
		return fmt.Sprintf("%s, fresh operations of %d clients are still pending after %s", when, w.PendingOperations(), sim.FormatDuration(r.settle))
	}) {
		return false
	}
	if r.ledFromOutside(core) {
		return true
	}
	return r.converge(limit, core, when)
}

// ledFromOutside reports whether the leader is outside the healed core and both
// hears and reaches somebody in it. Such a leader leads by right: with PreVote its
// followers in the core keep the others from deposing it. But the links between it
// and the core are still as broken as the faults left them, so nobody can say by
// when it has brought all of the core up to date. What clients ask must be done
// none the less, and convergence is demanded once everything is healed.
func (r *run) ledFromOutside(core protocols.NodeSet) bool {
	facts := r.world.Facts()
	leader, epoch := protocols.Nobody, uint64(0)
	for id := facts.Live.Next(protocols.Nobody); id != protocols.Nobody; id = facts.Live.Next(id) {
		if v := &facts.Views[id]; v.Leading && (leader == protocols.Nobody || v.Epoch > epoch) {
			leader, epoch = id, v.Epoch
		}
	}
	if leader == protocols.Nobody || core.Has(leader) {
		return false
	}
	for id := core.Next(protocols.Nobody); id != protocols.Nobody; id = core.Next(id) {
		if facts.Hears[id].Has(leader) && facts.Hears[leader].Has(id) {
			return true
		}
	}
	return false
}

// converge demands equal applied positions and states of the nodes.
func (r *run) converge(limit protocols.Time, nodes protocols.NodeSet, when string) bool {
	if r.isOff(CheckConvergence) {
		return true
	}
	return r.reach(limit, CheckConvergence, func() bool { return r.difference(nodes) == "" }, func() string {
		return fmt.Sprintf("%s, replicas differ after %s: %s", when, sim.FormatDuration(r.settle), r.difference(nodes))
	})
}

// difference says how the replicas among nodes differ; "" when they are equal.
func (r *run) difference(nodes protocols.NodeSet) string {
	var first protocols.View
	firstID := protocols.Nobody
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

// reach runs until done, or records why that did not happen.
func (r *run) reach(limit protocols.Time, check string, done func() bool, text func() string) bool {
	stop := r.world.RunUntil(limit, done)
	switch stop {
	case sim.Satisfied:
		return true
	case sim.Violated:
		return false
	}
	problem := text()
	if stop == sim.Exhausted {
		problem += fmt.Sprintf(" (the event budget is spent at %s)", r.world.Now())
	}
	// A cluster that should have made progress, or one that could not?
	if can, why := r.world.CanProgress(r.world.Facts()); !can {
		r.decide(checker.Unavailable, fmt.Sprintf("%s; no progress is possible: %s", problem, why))
	} else {
		r.violate(check, "%s", problem)
	}
	return false
}

func (r *run) budget() uint64 {
	if r.sc.Events == 0 {
		return sim.DefaultMaxEvents
	}
	return r.sc.Events
}
