package raft

import "github.com/lockstep-sim/lockstep/protocols"

func (n *Node) onElectionTimeout(out *protocols.Effects) {
	switch {
	case n.role == leader || !n.mayCampaign():
	case n.parameters.PreVote:
		n.becomePreCandidate(out)
	default:
		n.becomeCandidate(false, out)
	}
}

func (n *Node) askPreVotes(out *protocols.Effects) {
	last := n.log.Last()
	ask := PreVote{Term: n.term + 1, LastLogIndex: last, LastLogTerm: n.termAt(last)}
	for _, peer := range n.peers {
		// Early: a question about a term that nobody is in yet. Should the log be
		// ahead of the disk and the node crash, it is no longer the one that asked.
		protocols.SendEarly(out, peer, ask)
	}
	protocols.SendEarly(out, n.id, PreVoteResponse{Term: n.term + 1, VoteGranted: true})
}

func (n *Node) askVotes(transfer bool, out *protocols.Effects) {
	last := n.log.Last()
	ask := RequestVote{Term: n.term, LastLogIndex: last, LastLogTerm: n.termAt(last), LeadershipTransfer: transfer}
	for _, peer := range n.peers {
		// Gated: the request implies the sender's vote for itself. Deviation: not
		// sent again in this term; the next timeout starts another election.
		protocols.Send(out, peer, ask)
	}
	protocols.Send(out, n.id, RequestVoteResponse{Term: n.term, VoteGranted: true, CandidateID: n.id})
}

// onPreVote answers whether this node would vote for the sender in m.Term. It
// changes nothing.
func (n *Node) onPreVote(from protocols.NodeID, m *PreVote, out *protocols.Effects) {
	if m.Term > maxTerm {
		n.drop(out, "term out of range")
		return
	}
	byTerm := m.Term > n.term || m.Term == n.term && (n.vote == protocols.Nobody || n.vote == from)
	noLeader := n.role != leader && n.now >= n.quietUntil
	grant := byTerm && noLeader && n.isTrusted() && n.isUpToDate(m.LastLogIndex, m.LastLogTerm)
	if n.bugs.silentRefusal && m.Term < n.term {
		return
	}
	answer := PreVoteResponse{Term: n.term, VoteGranted: grant}
	if grant {
		answer.Term = m.Term
	}
	// Early: it promises nothing. A refusal carries this node's own term, so that a
	// candidate with a longer log but a lower term learns of it; without that, PreVote
	// and CheckQuorum can wait for each other for ever.
	protocols.SendEarly(out, from, answer)
}

func (n *Node) onPreVoteResponse(from protocols.NodeID, m *PreVoteResponse, out *protocols.Effects) {
	if !m.VoteGranted {
		n.observeTerm(m.Term, out)
		return
	}
	// A grant carries the future term and raises nobody's.
	if n.role != preCandidate || m.Term != n.term+1 {
		return
	}
	n.votes = n.votes.With(from)
	if n.quorum.Has(n.votes) {
		n.becomeCandidate(false, out)
	}
}

func (n *Node) onRequestVote(from protocols.NodeID, m *RequestVote, out *protocols.Effects) {
	if m.Term >= n.term && n.inLease() && !m.LeadershipTransfer {
		// §4.2.3: this node hears a leader; a candidate that does not is ignored, and
		// its term with it. Also within a term: this node may have reached it, by a
		// late refusal say, while the leader of an older one counts on its promise.
		return
	}
	if !n.observeTerm(m.Term, out) {
		return
	}
	grant := m.Term == n.term && n.isTrusted() &&
		(n.vote == protocols.Nobody || n.vote == from) &&
		n.isUpToDate(m.LastLogIndex, m.LastLogTerm)
	answer := RequestVoteResponse{Term: n.term, VoteGranted: grant, CandidateID: from}
	if !grant {
		// Early: a refusal promises nothing.
		protocols.SendEarly(out, from, answer)
		return
	}
	if n.vote == protocols.Nobody {
		n.vote = from
		n.saveHardState(out)
	}
	if n.role == preCandidate {
		n.becomeFollower(n.term, protocols.Nobody, out)
	}
	n.armElection(out)
	if n.bugs.earlyVote {
		protocols.SendEarly(out, from, answer)
		return
	}
	protocols.Send(out, from, answer)
}

func (n *Node) onRequestVoteResponse(from protocols.NodeID, m *RequestVoteResponse, out *protocols.Effects) {
	if !n.observeTerm(m.Term, out) || !m.VoteGranted || m.Term != n.term {
		return
	}
	if m.CandidateID != n.id {
		n.drop(out, "a vote for somebody else")
		return
	}
	if n.role != candidate {
		return
	}
	n.votes = n.votes.With(from)
	if n.quorum.Has(n.votes) {
		n.becomeLeader(out)
	}
}

// observeTerm moves to a higher term as a follower of nobody yet (§3.3). It
// returns false for a term that cannot be.
func (n *Node) observeTerm(term uint64, out *protocols.Effects) bool {
	if term > maxTerm {
		n.drop(out, "term out of range")
		return false
	}
	if term > n.term {
		n.becomeFollower(term, protocols.Nobody, out)
	}
	return true
}

// inLease reports whether this node has promised a leader not to vote.
func (n *Node) inLease() bool {
	return n.parameters.CheckQuorum && (n.role == leader || n.now < n.quietUntil)
}

// isUpToDate reports whether a log that ends at (index, term) is at least as
// up-to-date as this node's (§3.6.1).
func (n *Node) isUpToDate(index protocols.Index, term uint64) bool {
	last := n.log.Last()
	if n.bugs.commitVote {
		last = n.commit
	}
	mine := n.termAt(last)
	return term > mine || term == mine && index >= last
}
