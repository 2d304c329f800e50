package vr

import "github.com/lockstep-sim/lockstep/protocols"

// VR-I9 rests on a promise (§6.3): who answers a round of a primary keeps out of changes
// to later views for the minimum view timeout. A promise that is broken makes two
// primaries only where a later view begins within the lease, so it is judged here, when
// the replica takes part.

// ghostPromise is what one replica has promised under read leases, across restarts.
type ghostPromise struct {
	view  View             // of the primary whose round it answered last
	to    protocols.NodeID // that primary; Nobody: none yet
	until protocols.Time   // however its clock runs within the bound, it is bound for as long
}

// newPromises returns the promises of a group, and nil where nothing rests on them.
func newPromises(c protocols.Cluster, p *Parameters) []ghostPromise {
	if parseReads(p.Reads) != readLease {
		return nil
	}
	return make([]ghostPromise, c.Replicas+1)
}

// quiets takes in an answer to a round.
func (w *watcher) quiets(m *protocols.Moment, v *CommitOK) {
	if w.promises != nil {
		until := m.Now.Add(scale(w.promise, billion, billion+w.maxDrift) - rounded)
		w.promises[m.Node] = ghostPromise{v.View, m.To, until}
	}
}

// checkQuiet judges a part in the change to view. Nobody rests on the
// promise any more once its primary has left the view itself, or a later view has begun;
// and a later epoch begins only when that primary has committed the reconfiguration.
func (w *watcher) checkQuiet(m *protocols.Moment, view View) {
	if w.promises == nil {
		return
	}
	g := &w.promises[m.Node]
	switch {
	case g.to == protocols.Nobody || view <= g.view || m.Now >= g.until:
	case w.newest > g.view || w.nodes[g.to].promised > g.view || epochOf(view) != epochOf(g.view):
	default:
		m.Violate(leaseExclusion, "%v takes part in the change to view %v, but has answered a round of the primary of view %v, and so promised to keep out before %v", m.Node, view, g.view, g.until)
	}
}

// checkJoin judges a replica that another has made leave its view. One whose own timer
// has is not judged: it may say so at once, and keeps its log to itself.
func (w *watcher) checkJoin(m *protocols.Moment, n *Node, g *ghostNode) {
	switch m.Event.Message.(type) {
	case *StartViewChange, *DoViewChange:
		if n.view > g.view {
			w.checkQuiet(m, n.view)
		}
	}
}
