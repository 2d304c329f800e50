package raft

import "github.com/lockstep-sim/lockstep/protocols"

// R-I10 rests on a promise (§6.4.1): who answers a round of a leader votes in no later
// term for the minimum election timeout. A promise that is broken makes two leaders only
// where an election is won within the lease, so it is judged here, when the vote leaves.

// ghostPromise is what one node has promised under read leases, across restarts.
type ghostPromise struct {
	term  uint64         // of the leader whose round it answered last; 0: none yet
	until protocols.Time // however its clock runs within the bound, it is bound for as long
	told  uint64         // the last term whose leader has told it to campaign
}

// newPromises returns the promises of a cluster, and nil where nothing rests on them.
func newPromises(c protocols.Cluster, reads readMode) []ghostPromise {
	if reads != readLease {
		return nil
	}
	return make([]ghostPromise, c.Replicas+1)
}

// promised takes in an answer to a round. Who refuses a leader of an older term promises
// it nothing.
func (w *watcher) promised(m *protocols.Moment, v *HeartbeatResponse) {
	if w.promises == nil || v.Round == 0 || w.at(v.Term).leader != m.To {
		return
	}
	g := &w.promises[m.Node]
	g.term, g.until = v.Term, m.Now.Add(scale(w.promise, billion, billion+w.drift)-rounded)
}

// handsOver takes in that a leader hands over: it gives its lease up before, and the
// successor's election disregards what was promised.
func (w *watcher) handsOver(m *protocols.Moment, v *TimeoutNow) {
	if w.promises != nil {
		g := &w.promises[m.To]
		g.told = max(g.told, v.Term)
	}
}

// checkPromise judges a vote that leaves, for another: a node's own timer, which its
// answer has started anew, keeps it from campaigning too soon.
func (w *watcher) checkPromise(m *protocols.Moment, term uint64, candidate protocols.NodeID) {
	if w.promises == nil || candidate == m.Node {
		return
	}
	if g := &w.promises[m.Node]; g.term != 0 && term > g.term && m.Now < g.until && w.promises[candidate].told+1 < term {
		m.Violate(leaseExclusion, "%v votes for %v in term %d, but has answered a round of the leader of term %d, and so promised to vote in no later term before %v", m.Node, candidate, term, g.term, g.until)
	}
}
