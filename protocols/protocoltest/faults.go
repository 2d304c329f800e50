package protocoltest

import (
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// strike lets something go wrong, within what the protocol says that it survives.
func (w *world) strike() {
	h := w.hosts[1+w.draw.below(len(w.hosts)-1)]
	if !h.up() || h.doomed {
		return
	}
	if w.draw.chance(70) {
		if w.room(protocols.FaultCrash) {
			h.doomed = true
		}
		return
	}
	if !w.cut.Has(h.id) && w.room(protocols.FaultPartition) {
		w.cut = w.cut.With(h.id)
		w.push(item{at: w.now.Add(w.draw.between(10*time.Millisecond, 600*time.Millisecond)), kind: rejoin, node: h.id})
	}
}

// room reports whether one more node may suffer the fault. A node counts as
// crashed until it has been up for some time, since it may still be recovering.
func (w *world) room(fault protocols.FaultKind) bool {
	limit := w.s.survives(fault, w.n)
	if limit < 0 {
		return true
	}
	suffering := w.cut.Len()
	if fault == protocols.FaultCrash {
		suffering = 0
		for _, h := range w.hosts[1:] {
			if !h.up() || h.doomed || h.life > 1 && w.now.Sub(h.since) < time.Second {
				suffering++
			}
		}
	}
	return suffering < limit
}

// heal ends all faults, now and to come.
func (w *world) heal() {
	w.calm, w.cut = true, protocols.NodeSet{}
	for _, h := range w.hosts[1:] {
		h.doomed = false
		if !h.up() && w.failure == nil {
			w.boot(h, h.disk.recovered(false))
		}
	}
}

// recovers heals the world and demands that every client gets further.
func (w *world) recovers() *failure {
	w.heal()
	longest := protocols.Duration(time.Second)
	if w.s.protocol.MaxTimeout != nil {
		longest = w.s.protocol.MaxTimeout(w.parameters)
	}
	var goals []int
	for _, c := range w.clients {
		goals = append(goals, c.done+3)
	}
	reached := func() bool {
		for i, c := range w.clients {
			if c.done < goals[i] {
				return false
			}
		}
		return true
	}
	const budget = 200_000
	for end := w.now.Add(50*longest + 10*clientTimeout); !reached(); {
		if w.failure != nil {
			return w.failure
		}
		if w.now > end || w.steps > budget {
			w.fail("no progress: all nodes are up and connected since the faults ended, and for more than 50 timeouts %s got no answer to %s%s", w.stuck(goals).id, w.stuck(goals).command, w.canProgress())
			return w.failure
		}
		w.advance()
	}
	return w.failure
}

func (w *world) stuck(goals []int) *client {
	for i, c := range w.clients {
		if c.done < goals[i] {
			return c
		}
	}
	return w.clients[0]
}

// canProgress returns what the protocol says of the lack of progress.
func (w *world) canProgress() string {
	if w.s.protocol.CanProgress == nil {
		return ""
	}
	f := &protocols.Facts{Cluster: w.cluster, Parameters: w.parameters, Hears: make([]protocols.NodeSet, len(w.hosts)), Views: make([]protocols.View, len(w.hosts))}
	for _, h := range w.hosts[1:] {
		f.Hears[h.id] = protocols.NodesUpTo(w.cluster.Nodes()).Without(h.id)
		if h.up() {
			f.Live = f.Live.With(h.id)
			f.Views[h.id] = w.view(h, protocols.View{})
		}
	}
	if ok, why := w.s.protocol.CanProgress(f); !ok {
		return "; CanProgress says: " + why
	}
	return "; CanProgress says that there can be progress"
}
