package raft

import "github.com/lockstep-sim/lockstep/protocols"

func (n *Node) onHeartbeatTimer(out *protocols.Effects) {
	if n.role != leader {
		return
	}
	out.SetTimer(timerHeartbeat, n.parameters.Heartbeat)
	n.startRound(out)
	n.serveReads(out)
}

// startRound sends a heartbeat to everybody under a number of its own and returns
// that. Nothing but the number tells one round from another: a number reused, or
// taken from a client, would let late answers confirm what came after them.
func (n *Node) startRound(out *protocols.Effects) uint64 {
	n.round++
	n.sentAt[n.round%roundsKept] = n.now
	for _, peer := range n.peers {
		// Early: a heartbeat claims no log; that it comes from a leader was settled by
		// durable votes.
		protocols.SendEarly(out, peer, Heartbeat{Term: n.term, Commit: min(n.commit, n.progress[peer].stored), Round: n.round, Disk: n.progress[peer].disk})
	}
	n.acknowledgeRound(n.id, n.round, out)
	return n.round
}

// hear handles the term of a message that only a leader sends. It returns false
// when the sender does not lead this node's term.
func (n *Node) hear(from protocols.NodeID, term uint64, out *protocols.Effects) bool {
	switch {
	case term < n.term:
		return false
	case term > maxTerm:
		n.drop(out, "term out of range")
		return false
	case from == n.id || term == n.term && n.leader != protocols.Nobody && n.leader != from:
		n.drop(out, "two leaders in one term")
		return false
	case term > n.term || n.role != follower || n.leader != from:
		n.becomeFollower(term, from, out)
	default:
		n.armElection(out)
	}
	n.quietUntil = n.now.Add(n.parameters.ElectionTimeout.Min)
	return true
}

func (n *Node) onHeartbeat(from protocols.NodeID, m *Heartbeat, out *protocols.Effects) {
	answer := HeartbeatResponse{Round: m.Round, Disk: n.disk}
	if n.hear(from, m.Term, out) {
		switch {
		case m.Disk != n.disk: // about what this node has lost
		case m.Commit > n.log.Last():
			n.drop(out, "a commit index beyond what this node acknowledged")
			return
		default:
			n.advanceCommit(m.Commit, out)
		}
	} else if m.Term >= n.term {
		return
	} else {
		// The sender may lead this node's term by now, with a round of the same number that
		// this node has not heard.
		answer.Round = 0
	}
	answer.Term = n.term
	// Early: it says only that this node, now, knows no term above its own. Should
	// the term not reach the disk, its leader has been elected by a durable majority
	// none the less, and no leader of a lower term can commit.
	protocols.SendEarly(out, from, answer)
}

func (n *Node) onHeartbeatResponse(from protocols.NodeID, m *HeartbeatResponse, out *protocols.Effects) {
	if !n.observeTerm(m.Term, out) || m.Term != n.term || n.role != leader {
		return
	}
	if m.Round > n.round || from == n.id {
		n.drop(out, "an answer to a round that was not sent")
		return
	}
	if !n.isDiskOf(from, m.Disk) {
		return
	}
	n.heard = n.heard.With(from)
	if n.counts(from) && n.acknowledgeRound(from, m.Round, out) {
		n.serveReads(out)
	}
	n.retransmit(from, out)
}

// onQuorumTimer steps down when no quorum has answered since the last time
// (§6.2): clients are better off with another node, or with none.
func (n *Node) onQuorumTimer(out *protocols.Effects) {
	if n.role != leader {
		return
	}
	if !n.quorum.Has(n.heard) {
		n.becomeFollower(n.term, protocols.Nobody, out)
		return
	}
	n.heard = protocols.Nodes(n.id)
	out.SetTimer(timerQuorum, n.parameters.ElectionTimeout.Max)
}
