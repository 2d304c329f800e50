package vr

import "github.com/lockstep-sim/lockstep/protocols"

// VR-I9 is about what primaries believe: a lease is judged by the holder's clock
// while it stands, and by the true time until when it surely does.

// rounded is by how much times of different clocks differ for being whole numbers.
const rounded protocols.Duration = 1_000

// checkLease judges a primary that believes in its lease.
func (w *watcher) checkLease(m *protocols.Moment, n *Node, g *ghostNode) {
	switch {
	case !n.leading || n.leaseUntil == 0:
		g.leaseEnd = 0
		w.reads.Leased(m.Node, 0)
	case m.Event.Now < n.leaseUntil && w.newest > n.view:
		m.Violate(leaseExclusion, "%v believes in the lease of view %v, but view %v has a primary", m.Node, n.view, w.newest)
	}
}

// leased takes in a lease. How the holder's clock will run is not known here; it may
// be fast by the bound, so the lease lasts as long as it surely does.
func (w *watcher) leased(m *protocols.Moment, n *Node, g *ghostNode, note *protocols.Note) {
	if !n.leading {
		return
	}
	rest := max(0, note.Until.Sub(m.Event.Now))
	w.checkPromises(m, n, rest)
	w.reads.Leased(m.Node, note.Until)
	g.lease, g.leaseEnd = n.view, m.Now.Add(scale(rest, billion, billion+w.maxDrift))
}

// checkPromises: a lease ends before the first of those may take part in a view change
// who answered its round (§6.3). The holder's clock may be slow by the bound, and theirs
// fast.
func (w *watcher) checkPromises(m *protocols.Moment, n *Node, rest protocols.Duration) {
	left, ok := w.reads.Confirmed(m.Node, n.quorum, m.Now)
	if !ok {
		m.Violate(readEvidence, "%v takes a lease of view %v, but no quorum has answered a round that left in it", m.Node, n.view)
		return
	}
	end := m.Now.Add(rest + scale(rest, w.maxDrift, billion-w.maxDrift))
	promised := left.Add(scale(w.promise, billion, billion+w.maxDrift))
	if end > promised.Add(rounded) {
		m.Violate(readEvidence, "%v takes a lease of view %v that may last until %v, but those who answered its round promise nothing after %v", m.Node, n.view, end, promised)
	}
}

// elected judges the beginning of a view against the leases that stand.
func (w *watcher) elected(m *protocols.Moment, view View) {
	w.newest = max(w.newest, view)
	for id := range w.nodes {
		if g := &w.nodes[id]; g.leaseEnd > m.Now && g.lease < view {
			m.Violate(leaseExclusion, "%v leads view %v while %v holds the lease of view %v until %v", m.Node, view, protocols.NodeID(id), g.lease, g.leaseEnd)
		}
	}
}
