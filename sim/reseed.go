package sim

import "github.com/lockstep-sim/lockstep/protocols"

// Reseed gives a run another future: after event After everything random is drawn
// from another seed. What happened before, and what is on its way, stays.
type Reseed struct {
	After uint64 // the event; 0: never
	Seed  uint64
}

// reseed makes all streams those of another seed. Their positions stay, and so do the
// rates and offsets of clocks, which were drawn at the start.
func (w *World) reseed(seed uint64) {
	w.cfg.Seed = seed
	w.links.each(func(from, to protocols.NodeID, l *link) { l.stream = w.cfg.linkStream(from, to) })
	for i := range w.nodes {
		w.nodes[i].disk.stream = streamOf(seed, ofDisk, uint64(w.cfg.role(w.nodes[i].id)))
	}
	for i := range w.clients {
		w.clients[i].draws.base = streamOf(seed, ofClient, uint64(-w.clients[i].id))
	}
	for i := range w.subscribers {
		own := streamOf(seed, ofSubscriber, uint64(i+1))
		w.subscribers[i].asks.base, w.subscribers[i].restarts.base = own.sub(0), own.sub(1)
	}
	for i := range w.faults {
		w.faults[i].stream = streamOf(seed, ofFault, uint64(w.faults[i].Fault.streamName()))
	}
	w.arrivalDraws.base = streamOf(seed, ofWorkload, 0)
}
