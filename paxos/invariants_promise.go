package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// PX-I6 rests on a promise (PML §5.2): who answers a round of a leader helps nobody else
// to a higher ballot for the minimum election timeout. A promise that is broken makes two
// leaders only where a phase 1 is won within the lease, so it is judged here, when the
// answer to a Prepare leaves.

// ghostPromise is what one node has promised under read leases, across restarts.
type ghostPromise struct {
	ballot Ballot // of the leader whose round it answered last; 0: none yet
	to     protocols.NodeID
	until  protocols.Time // however its clock runs within the bound, it is bound for as long
}

// newPromises returns the promises of a cluster, and nil where nothing rests on them.
func newPromises(c protocols.Cluster, p *Parameters) []ghostPromise {
	if parseReads(p.Reads) != readLease {
		return nil
	}
	return make([]ghostPromise, c.Replicas+1)
}

// quiets takes in an answer to a round.
func (w *watcher) quiets(m *protocols.Moment, v *HeartbeatResponse) {
	if w.promises != nil {
		until := m.Now.Add(scale(w.parameters.ElectionTimeout.Min, billion, billion+w.parameters.MaxDrift) - rounded)
		w.promises[m.Node] = ghostPromise{v.Ballot, m.To, until}
	}
}

// checkQuiet judges a part in phase 1 of ballot b for candidate, as it leaves. Once a
// higher ballot than that of the promise has a leader, nobody rests on that any more.
func (w *watcher) checkQuiet(m *protocols.Moment, b Ballot, candidate protocols.NodeID) {
	if w.promises == nil {
		return
	}
	g := &w.promises[m.Node]
	if g.ballot != 0 && b > g.ballot && m.Now < g.until && candidate != g.to && w.highestLed <= g.ballot {
		m.Violate(leaseExclusion, "%v takes part in phase 1 of ballot %v for %v, but has answered a round of %v at ballot %v, and so promised to help nobody else before %v", m.Node, b, candidate, g.to, g.ballot, g.until)
	}
}

// believes judges a leader that believes in its lease.
func (w *watcher) believes(m *protocols.Moment, n *Node) {
	l, g := leaderOf(n), &w.nodes[m.Node]
	if w.newest.excludes(n.promised, l.from) {
		m.Violate(leaseExclusion, "%v believes in the lease of ballot %v, but ballot %v has a leader", m.Node, n.promised, w.newest.ballot)
		return
	}
	if g.lease.ballot != n.promised || l.from == g.lease.from {
		return
	}
	// Others decide from here on, and must have promised as much.
	g.lease.from = l.from
	q := w.confirming(n)
	if _, known := w.reads.Confirmed(m.Node, q, m.Now); known {
		w.checkPromises(m, n, n.leaseUntil)
	} else if !w.reads.Answered(m.Node, q) {
		m.Violate(readEvidence, "%v keeps the lease of ballot %v, but those who decide from slot %d on have answered no round of it", m.Node, n.promised, l.from)
	}
}
