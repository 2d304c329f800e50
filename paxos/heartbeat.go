package paxos

import "github.com/lockstep-sim/lockstep/protocols"

func (n *Node) onHeartbeatTimer(out *protocols.Effects) {
	if n.role != leader {
		return
	}
	out.SetTimer(timerHeartbeat, n.parameters.Heartbeat)
	n.resend(out)
	if !n.isPrepared(n.next) {
		// A new configuration has not promised the ballot yet.
		n.askPromises(n.replicas.Minus(n.promises), n.promised, out)
	}
	n.startRound(out)
	n.serveReads(out)
}

// startRound sends a heartbeat to everybody under a number of its own and returns
// that. Nothing but the number tells one round from another.
func (n *Node) startRound(out *protocols.Effects) uint64 {
	n.round++
	n.sentAt[n.round%roundsKept] = n.now
	for id := n.audience.Next(protocols.Nobody); id != protocols.Nobody; id = n.audience.Next(id) {
		// Early: that the sender leads was settled by durable promises, and what it
		// takes for chosen by durable acceptances.
		protocols.SendEarly(out, id, Heartbeat{Ballot: n.promised, Commit: n.execute.Applied, Round: n.round})
	}
	n.acknowledgeRound(n.id, n.round, out)
	return n.round
}

func (n *Node) onHeartbeat(from protocols.NodeID, m *Heartbeat, out *protocols.Effects) {
	if !n.hear(from, m.Ballot, out) {
		return
	}
	n.learn(m.Ballot, m.Commit, out)
	if n.execute.Applied < m.Commit {
		n.askCatchup(from, out)
	}
	if n.role == learner {
		return // it may have promised a higher ballot, and does not know
	}
	// Early: it says only that this node, now, knows no ballot above the sender's.
	// Should its promise not reach the disk, a durable quorum has promised the same,
	// and no leader of a lower ballot can have anything chosen.
	protocols.SendEarly(out, from, HeartbeatResponse{Ballot: m.Ballot, Round: m.Round, Executed: n.execute.Applied})
}

func (n *Node) onHeartbeatResponse(from protocols.NodeID, m *HeartbeatResponse, out *protocols.Effects) {
	if n.role != leader || m.Ballot != n.promised {
		return
	}
	if m.Round > n.round || from == n.id {
		n.drop(out, "an answer to a round that was not sent")
		return
	}
	n.heard = n.heard.With(from)
	if m.Executed > n.execute.Applied {
		n.askCatchup(from, out)
	}
	if n.acknowledgeRound(from, m.Round, out) {
		n.serveReads(out)
	}
}

// onQuorumTimer steps down when not even a phase 2 quorum has answered since the
// last time: clients are better off with another node, or with none, and acceptors
// that hear this node would ignore every other candidate.
func (n *Node) onQuorumTimer(out *protocols.Effects) {
	if n.role != leader {
		return
	}
	if !n.configurations[n.current].accept.Has(n.heard) {
		n.becomeFollower(n.promised, protocols.Nobody, out)
		return
	}
	n.heard = protocols.Nodes(n.id)
	out.SetTimer(timerQuorum, n.parameters.ElectionTimeout.Max)
}
