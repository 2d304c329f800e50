package sim

import "github.com/lockstep-sim/lockstep/protocols"

// The liveness phase: StopWorkload, PickCore, Heal, Probe and RunUntil, then
// HealAll and RunUntil again.

// StopWorkload lets no client call anew, probes excepted. Operations under way
// go on.
func (w *World) StopWorkload() {
	w.stopped = true
	w.arrivals.times, w.arrivals.head = w.arrivals.times[:0], 0
}

// Resume lets the workload go on after HealAll, with the network of the configuration,
// regions apart, and without faults, also beyond Workload.Operations.
func (w *World) Resume() {
	defer w.guard(new(Stop))
	w.begin(evPhase, protocols.Nobody, protocols.Nobody, uint64(len(w.cfg.Phases)), 0)
	if w.tracing {
		w.record(TraceEvent{Kind: TracePhase, Detail: "the workload goes on"})
	}
	w.links.each(func(_, _ protocols.NodeID, l *link) { l.clean, l.cut, l.clogs, l.faulty = false, 0, 0, 0 })
	w.linkFaults, w.narrow = w.linkFaults[:0], 0
	w.behave(&w.cfg.Network)
	w.conduct(&w.cfg.Workload)
	w.stopped, w.patient, w.unlimited = false, false, true
	if w.openLoop {
		w.nextArrival(w.now)
		return
	}
	for i := range w.clients {
		if c := &w.clients[i]; c.state == idle {
			w.nextCall(c)
		}
	}
}

// Probe makes every client call one fresh write and then one fresh read, after
// what it has under way.
func (w *World) Probe() {
	for i := range w.clients {
		c := &w.clients[i]
		c.probes += 2
		if !c.busy() {
			c.state = pausing
			w.sleep(c, w.now)
		}
	}
}

// PendingOperations returns how many operations are under way, and how many
// probes are still to be called.
func (w *World) PendingOperations() int {
	n := w.pending
	for i := range w.clients {
		n += w.clients[i].probes
	}
	return n
}

// Facts returns the true state that a protocol's CanProgress decides on.
func (w *World) Facts() *protocols.Facts {
	f := w.blankFacts()
	f.Live = w.live()
	for i := range w.nodes {
		if n := &w.nodes[i]; n.up && n.actor(stalls) >= 0 {
			f.Stalled = f.Stalled.With(n.id)
		}
	}
	w.links.each(func(from, to protocols.NodeID, l *link) {
		if from > 0 && to > 0 && (l.cut == 0 && l.clogs == 0 || l.clean) {
			f.Hears[to] = f.Hears[to].With(from)
		}
	})
	return f
}

func (w *World) blankFacts() *protocols.Facts {
	f := &protocols.Facts{
		Cluster: w.cluster, Parameters: w.cfg.Parameters,
		Hears: make([]protocols.NodeSet, len(w.nodes)+1), Views: make([]protocols.View, len(w.nodes)+1),
	}
	for i := range w.nodes {
		f.Hears[i+1] = protocols.Nodes(protocols.NodeID(i + 1))
		f.Views[i+1] = w.nodes[i].view
	}
	return f
}

// CanProgress asks the protocol whether it can make progress in the state f, and
// why not. Without an answer of its own, a majority of the replicas must be live
// and connected both ways.
func (w *World) CanProgress(f *protocols.Facts) (bool, string) {
	if can := w.cfg.Protocol.CanProgress; can != nil {
		w.asking = true
		ok, why := can(f)
		w.asking = false
		return ok, why
	}
	if f.Connected().Len() > w.cluster.Replicas/2 {
		return true, ""
	}
	return false, "no majority of the replicas is live and connected both ways"
}

// PickCore chooses a random set of nodes that could make progress by itself,
// everybody else being gone: the shortest such prefix of a random order, or with
// probability 1/2 a random longer one. It is empty if not even all nodes could.
func (w *World) PickCore() protocols.NodeSet {
	defer w.guard(new(Stop))
	draws := stream{base: streamOf(w.cfg.Seed, ofCore, 0)}
	order := protocols.NodesUpTo(len(w.nodes)).Minus(w.unfit()).Slice()
	for i := range order {
		j := i + int(below(draws.next(), uint64(len(order)-i)))
		order[i], order[j] = order[j], order[i]
	}
	for k := 1; k <= len(order); k++ {
		if !w.Suffices(protocols.Nodes(order[:k]...)) {
			continue
		}
		if u := draws.next(); u>>63 == 1 {
			if longer := k + int(below(draws.next(), uint64(len(order)-k+1))); w.Suffices(protocols.Nodes(order[:longer]...)) {
				k = longer
			}
		}
		return protocols.Nodes(order[:k]...)
	}
	return protocols.NodeSet{}
}

// Suffices reports whether the nodes of core could make progress by themselves, everybody
// else being gone.
func (w *World) Suffices(core protocols.NodeSet) bool {
	f := w.blankFacts()
	f.Live = core
	for id := range f.Hears {
		f.Hears[id] = protocols.NodeSet{}
		if core.Has(protocols.NodeID(id)) {
			f.Hears[id] = core
		}
	}
	ok, _ := w.CanProgress(f)
	return ok
}

// HealedLatency returns what messages take on healed links.
func HealedLatency() Dist { return healed.Latency }

// Heal begins the liveness phase: the nodes of core are restarted and unpaused,
// the faults on them end, and the links among them and between them and the
// clients become clean, with 1 to 10 ms latency. Everything else stays as broken
// as it is: no fault ends by itself any more, and none strikes. From now on
// clients turn to the core (and to whom its nodes point), and do not give up.
func (w *World) Heal(core protocols.NodeSet) {
	defer w.guard(new(Stop))
	w.healed, w.patient = true, true
	w.heal(core, "heals "+core.String())
	if askable := core.And(protocols.NodesUpTo(w.cluster.Replicas)); !askable.Empty() {
		w.askable = askable
	}
	for i := range w.clients {
		w.clients[i].giveUp = never
		if !w.askable.Has(w.clients[i].node) {
			w.clients[i].node = w.nextNode(w.clients[i].node)
		}
	}
	w.unclog()
}

// HealAll ends every fault and cleans every link, also those of Network.
func (w *World) HealAll() {
	defer w.guard(new(Stop))
	w.healed, w.patient = true, true
	w.heal(protocols.NodesUpTo(len(w.nodes)), "heals all")
	w.askable = protocols.NodesUpTo(w.cluster.Replicas)
	for i := range w.clients {
		w.clients[i].giveUp = never
	}
	w.unclog()
}

// heal mends the nodes of core and the links that have no end outside it.
func (w *World) heal(core protocols.NodeSet, what string) {
	w.begin(evEnd, protocols.Nobody, protocols.Nobody, 0, 0)
	lo, hi := core.Words()
	w.digest.mix(lo)
	w.digest.mix(hi)
	if w.tracing {
		w.record(TraceEvent{Kind: TraceHeal, Detail: what})
	}
	for i := range w.faults {
		if f := &w.faults[i]; f.State == Planned || f.State == Waiting {
			f.State = Cancelled
		}
	}
	w.waiting = 0
	w.cancelAdmin()
	w.mended = w.mended.Or(core)
	w.links.each(func(from, to protocols.NodeID, l *link) {
		if (from < 0 || core.Has(from)) && (to < 0 || core.Has(to)) {
			l.clean, l.behave, l.far, l.free = true, behaveHealed, 0, 0
		}
	})
	for id := core.Next(protocols.Nobody); id != protocols.Nobody; id = core.Next(id) {
		w.healNode(&w.nodes[id-1])
	}
	for i := range w.faults {
		if f := &w.faults[i]; f.State == Active && !w.remains(f, core) {
			f.State, f.Ended = Over, w.now
		}
	}
	w.leadership()
}

// healNode ends every fault at n.
func (w *World) healNode(n *node) {
	for i := range w.faults {
		f := &w.faults[i]
		f.down = f.down.Without(n.id)
	}
	n.cutAt, n.crashes, n.trap = 0, 0, trap{}
	n.disk.slow, n.disk.slower = 1, -1
	n.clock.wall = 0
	w.setRate(n)
	w.setSlow(n)
	w.treat(n)
	w.replaceDisk(n)
	if n.pauses > 0 {
		n.pauses = 1
		w.resume(n)
	}
	if !n.up {
		w.boot(n)
	}
}

// remains reports whether f still does anything once core is healed.
func (w *World) remains(f *fault, core protocols.NodeSet) bool {
	switch {
	case !f.links:
		return !f.Resolved.Nodes.Minus(core).Empty() && !f.stays()
	}
	if f.division.open {
		return false
	}
	found := false
	w.links.each(func(from, to protocols.NodeID, l *link) {
		found = found || !l.clean && f.touches(from, to)
	})
	return found
}
