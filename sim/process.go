package sim

import (
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// slowStep is what a step takes at a node that is slowed down, times the factor.
// Elsewhere a step takes no time.
const slowStep = 10 * time.Microsecond

// busyFactor is how many times as likely a crash by attrition is while the disk has
// writes that are not durable (TigerBeetle's simulator has the same).
const busyFactor = 10

// Stops reports whether a fault of kind k stops nodes that it may boot again later.
func Stops(k protocols.FaultKind) bool {
	switch k {
	case protocols.FaultCrash, protocols.FaultPowerLoss, protocols.FaultAttrition, protocols.FaultCrashPoint, protocols.FaultWipe:
		return true
	}
	return false
}

// keepDown counts that fault i keeps n down.
func (w *World) keepDown(i int, n *node) {
	f := &w.faults[i]
	f.down = f.down.With(n.id)
	n.crashes++
}

// letUp counts that fault i no longer keeps n down, and boots n if nothing does.
func (w *World) letUp(i int, n *node) {
	f := &w.faults[i]
	if !f.down.Has(n.id) {
		return
	}
	f.down = f.down.Without(n.id)
	if n.crashes--; n.crashes == 0 && !n.up {
		w.boot(n)
	}
}

// cutOff stops n by a power loss or the loss of its disk, and keeps it down.
func (w *World) cutOff(i int, n *node, what loss) {
	w.keepDown(i, n)
	if n.up {
		w.killed(i, w.crashLosing(n, what))
		return
	}
	lost := w.dropCache(n, what)
	if w.crashDisk(&n.disk); what == losesDisk {
		lost += w.wipeDisk(&n.disk)
	}
	if lost > 0 {
		w.hit(i, lost)
	}
}

// attrition draws when fault i next asks whether to crash n. It asks busyFactor
// times as often as n is to crash while its disk is idle; see wearOut.
func (w *World) attrition(i int, n *node, asked uint32) {
	f := &w.faults[i]
	draws := f.stream.sub(uint64(n.id))
	idle := Dist{Kind: Exponential, A: f.Fault.Every / busyFactor}
	wait := idle.Draw(draws.at(3 * uint64(asked)))
	p := w.queue.add(w.now.Add(max(wait, 1)), w.seq)
	p.kind, p.to, p.ref, p.stamp = evAttrition, n.id, uint32(i), asked
}

// wearOut crashes n by fault i: surely while its disk has writes that are not
// durable, else with one chance in busyFactor.
func (w *World) wearOut(n *node, i int, asked uint32) {
	f := &w.faults[i]
	if f.State != Active || w.healed {
		return
	}
	w.attrition(i, n, asked+1)
	draws := f.stream.sub(uint64(n.id))
	if !n.up || f.down.Has(n.id) || n.disk.appended == n.disk.durable && below(draws.at(3*uint64(asked)+1), busyFactor) > 0 {
		return
	}
	w.begin(evAttrition, n.id, protocols.Nobody, uint64(f.Fault.ID), 0)
	w.faultLine(f, "strikes "+w.cluster.Name(n.id))
	w.keepDown(i, n)
	w.killed(i, w.crash(n))
	p := w.queue.add(w.now.Add(max(f.Fault.Down.Draw(draws.at(3*uint64(asked)+2)), 1)), w.seq)
	p.kind, p.to, p.ref, p.stamp = evRevive, n.id, uint32(i), n.life
}

// revive ends one crash by attrition.
func (w *World) revive(n *node, i int, life uint32) {
	f := &w.faults[i]
	if w.healed || !f.down.Has(n.id) || n.life != life {
		return
	}
	w.begin(evRevive, n.id, protocols.Nobody, uint64(f.Fault.ID), 0)
	w.letUp(i, n)
}

// setSlow makes n as slow as the active faults say.
func (w *World) setSlow(n *node) {
	n.slow = 0
	for i := range w.faults {
		f := &w.faults[i]
		if f.Fault.Kind == protocols.FaultSlowNode && f.State == Active && f.Resolved.Nodes.Has(n.id) && !w.mended.Has(n.id) && f.Fault.Factor > n.slow {
			n.slow, n.slower = f.Fault.Factor, i
		}
	}
}

// laden keeps a slow node busy after a step: what comes meanwhile waits.
func (w *World) laden(n *node) {
	if !n.draining {
		n.draining = true
		w.drainNext(n)
	}
}
