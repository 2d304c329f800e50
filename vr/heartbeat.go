package vr

import "github.com/lockstep-sim/lockstep/protocols"

// onCommitTimer tells the backups the commit-number. Deviation: also when requests
// keep coming; the paper's primary sends Commit only for want of a Prepare.
func (n *Node) onCommitTimer(out *protocols.Effects) {
	if !n.leading {
		return
	}
	out.SetTimer(timerCommit, n.parameters.CommitInterval)
	n.startRound(out)
	n.serveReads(out)
}

// startRound sends Commit to everybody under a number of its own and returns that.
// Nothing but the number tells one round from another.
func (n *Node) startRound(out *protocols.Effects) uint64 {
	n.round++
	n.sentAt[n.round%roundsKept] = n.now
	n.promise(n.id)
	for _, peer := range n.peers {
		// Early: what is committed a quorum has on disk, and that this node leads was
		// settled by a durable quorum.
		protocols.SendEarly(out, peer, Commit{View: n.view, Commit: n.commit, Round: n.round})
	}
	n.acknowledgeRound(n.id, n.round, out)
	return n.round
}

func (n *Node) onCommit(from protocols.NodeID, m *Commit, out *protocols.Effects) {
	if !n.hear(from, m.View, out) || n.status != normal {
		return
	}
	if m.Commit > maxOp {
		n.drop(out, "an op-number out of range")
		return
	}
	last := n.log.Last()
	if m.Commit > last {
		n.missing(from, m.Commit, out)
	}
	n.advanceCommit(min(m.Commit, last), out)
	// Early: it says only that this node, now, is normal in the view. Had it sent its
	// log to the primary of a later view, it would know that, since that was durable.
	protocols.SendEarly(out, from, CommitOK{View: m.View, Round: m.Round, Op: last})
}

func (n *Node) onCommitOK(from protocols.NodeID, m *CommitOK, out *protocols.Effects) {
	if m.View != n.view || !n.leading {
		return
	}
	if m.Round > n.round || from == n.id || m.Op > n.log.Last() {
		n.drop(out, "an answer to what was not sent")
		return
	}
	n.heard = n.heard.With(from)
	if n.acknowledgeRound(from, m.Round, out) {
		n.serveReads(out)
	}
	n.resend(from, m.Op, out)
}

// resend sends a Prepare again to a backup whose log has not grown for the time
// between two Commit messages, and ends before the primary's or is not acknowledged:
// the Prepare, or its PrepareOK, is lost. Two CommitOK that say the same are no sign
// of that, since rounds for reads follow each other faster than a Prepare travels.
// Deviation: the paper leaves that to state transfer, which the last operation of a
// busy time would not start. One without entries asks for the acknowledgement.
func (n *Node) resend(to protocols.NodeID, op protocols.Index, out *protocols.Effects) {
	last := n.log.Last()
	switch {
	case n.reported[to] != op+1:
		n.reported[to], n.since[to] = op+1, n.now
		return
	case n.now.Sub(n.since[to]) < n.parameters.CommitInterval:
		return
	case op == last && n.match[to] == last, op+1 < n.log.First():
		return
	}
	n.since[to] = n.now
	entries := n.log.View(op+1, n.parameters.MaxBatch)
	n.sendPrepare(to, op+protocols.Index(len(entries)), entries, out)
}

// onQuorumTimer gives up a view whose primary has heard no quorum since the last
// time: its backups may hear it, and so wait for it, while it hears nobody.
// Deviation: the paper's primary stays until it learns of a later view.
func (n *Node) onQuorumTimer(out *protocols.Effects) {
	if !n.leading {
		return
	}
	if !n.quorum.Has(n.heard) {
		n.startViewChange(n.view+1, out)
		return
	}
	n.heard = protocols.Nodes(n.id)
	out.SetTimer(timerQuorum, n.parameters.ViewTimeout.Max)
}
