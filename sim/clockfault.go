package sim

import "github.com/lockstep-sim/lockstep/protocols"

// strobe lets the wall clocks that fault i hits jump forward, or back again. It has
// jumped so often before.
func (w *World) strobe(i int, jumps uint32) {
	f := &w.faults[i]
	if f.State != Active || f.Resolved.Nodes.Minus(w.mended).Empty() {
		return
	}
	w.begin(evStrobe, protocols.Nobody, protocols.Nobody, uint64(f.Fault.ID), 0)
	f.forward = jumps%2 == 0
	step := protocols.Time(f.Fault.Step)
	if !f.forward {
		step = -step
	}
	r := f.Resolved.Nodes.Minus(w.mended)
	for id := r.Next(protocols.Nobody); id != protocols.Nobody; id = r.Next(id) {
		n := &w.nodes[id-1]
		n.clock.wall += step
		if n.up {
			w.hit(i, 1)
		}
	}
	p := w.queue.add(w.now.Add(f.Fault.Every), w.seq)
	p.kind, p.ref, p.stamp = evStrobe, uint32(i), jumps+1
}

// endStrobe sets n's wall clock back to where fault i found it.
func (w *World) endStrobe(i int, n *node) {
	if f := &w.faults[i]; f.forward {
		n.clock.wall -= protocols.Time(f.Fault.Step)
	}
}
