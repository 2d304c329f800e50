package vr

import "github.com/lockstep-sim/lockstep/protocols"

// VR-I9 is about what primaries believe: a lease is judged by the holder's clock
// while it stands, and by the true time until when it surely does.

// checkLease judges a primary that believes in its lease.
func (w *watcher) checkLease(m *protocols.Moment, n *Node, g *ghostNode) {
	switch {
	case !n.leading || n.leaseUntil == 0:
		g.leaseEnd = 0
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
	g.lease, g.leaseEnd = n.view, m.Now.Add(scale(rest, billion, billion+w.maxDrift))
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
