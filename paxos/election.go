package paxos

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// proposer is what a candidate and a leader keep for their ballot, which is
// Node.promised: a node that promises another one is neither any more.
type proposer struct {
	first    protocols.Index   // of the Prepare
	promises protocols.NodeSet // who has promised the ballot
	// inherit holds, per slot and in order, the pvalue of the highest ballot that was
	// reported; those below next are used up.
	inherit []Pvalue
	used    int
	// inherited is the highest slot reported. New commands come above it, and reads
	// wait until it is executed.
	inherited protocols.Index
	compacted protocols.Index // the highest compacted prefix reported; 0: none

	next      protocols.Index // the next slot to propose in
	queue     []protocols.Command
	queueHead int
	proposed  []uint64        // per client: highest Seq queued or proposed in this ballot
	flushTo   protocols.Index // no-ops fill the slots up to here: a configuration waits for them
	overdue   protocols.Index // slots below were proposed before the last heartbeat
	heard     protocols.NodeSet
	normal    bool // all that was inherited is executed
}

// reset starts phase 1 from slot first.
func (p *proposer) reset(first protocols.Index) {
	*p = proposer{first: first, next: first, inherit: p.inherit[:0], queue: p.queue[:0], proposed: p.proposed}
	clear(p.proposed)
}

func (n *Node) onElectionTimeout(out *protocols.Effects) {
	switch {
	case n.role == leader || n.role == learner:
	case n.isLeaving():
		n.handOver(out)
		n.armElection(out)
	case !n.isMember():
	case n.inLease(n.id):
		n.armElection(out) // it has promised a leader not to campaign
	case n.role == candidate:
		// Nobody has a higher ballot, or this node would not be a candidate: answers
		// are late or lost, so it asks again in the same ballot.
		whom := n.replicas.Minus(n.promises)
		if n.execute.Applied < n.compacted {
			whom = n.replicas // the snapshot is what is missing
		}
		n.askPromises(whom, n.promised, out)
		out.CancelTimer(timerElection)
		n.armElection(out)
	default:
		n.becomeCandidate(out)
	}
}

// askPromises sends Prepare to the members among the given nodes; before is what this
// node had promised before the ballot.
func (n *Node) askPromises(whom protocols.NodeSet, before Ballot, out *protocols.Effects) {
	whom = whom.And(n.audience.With(n.id))
	for id := whom.Next(protocols.Nobody); id != protocols.Nobody; id = whom.Next(id) {
		if id == n.id {
			protocols.Send(out, n.id, n.report(n.first, before))
			continue
		}
		// Gated: the sender's own promise of the ballot must be durable, or it might
		// use the ballot again after a restart (P-06).
		protocols.Send(out, id, Prepare{Ballot: n.promised, First: n.first})
	}
}

// onPrepare is rule 1 of an acceptor.
func (n *Node) onPrepare(from protocols.NodeID, m *Prepare, out *protocols.Effects) {
	if !n.isBallotOf(m.Ballot, from) || from == n.id {
		n.drop(out, "a ballot that the sender cannot have")
		return
	}
	if n.role == learner {
		return
	}
	n.see(m.Ballot)
	switch {
	case n.isStranger(from) && m.First <= n.execute.Applied:
		// This node has executed all that the sender has, and there the sender is no
		// member any more. It may not know.
		n.sendCatchup(from, m.First, out)
		return
	case m.Ballot < n.promised:
		n.refuse(from, m.Ballot, out)
		return
	case m.Ballot > n.promised && (n.role == leader || n.inLease(from)):
		return // this node hears a leader
	}
	before, stopped := n.promised, n.role == candidate
	if m.Ballot > n.promised {
		n.becomeFollower(m.Ballot, protocols.Nobody, out)
	}
	protocols.Send(out, from, n.report(m.First, before))
	if n.bugs.noBackoff && stopped { // P-16
		n.becomeCandidate(out)
	}
}

// report makes the Promise of the ballot promised; before is what was promised
// before that.
func (n *Node) report(first protocols.Index, before Ballot) Promise {
	m := Promise{Ballot: n.promised, Executed: n.execute.Applied, Compacted: n.slots.base}
	if n.bugs.omitChosen { // P-07
		m.Executed, m.Compacted, first = 0, 0, max(first, n.execute.Applied+1)
	}
	m.Accepted = n.slots.accepted(first)
	if n.bugs.sharedBallot { // P-05
		for i := range m.Accepted {
			m.Accepted[i].Ballot = before
		}
	}
	return m
}

// refuse tells the sender of a message of ballot that a higher one is promised.
func (n *Node) refuse(to protocols.NodeID, ballot Ballot, out *protocols.Effects) {
	// Early: it makes the receiver stop, and claims no more than that somebody has
	// used the higher ballot.
	protocols.SendEarly(out, to, Nack{Ballot: ballot, Promised: n.promised})
}

// inLease reports whether this node has promised a leader other than candidate not
// to help a candidate.
func (n *Node) inLease(candidate protocols.NodeID) bool {
	return n.now < n.quietUntil && n.quietFor != candidate
}

// impossible returns why no correct acceptor can have sent m, or "".
func (m *Promise) impossible() string {
	if m.Compacted > m.Executed {
		return "a compacted prefix that was not executed"
	}
	slot := m.Compacted
	for i := range m.Accepted {
		p := &m.Accepted[i]
		if p.Slot <= slot || p.Slot > m.Executed+maxAhead {
			return "slots out of order or out of range"
		}
		if p.Ballot == 0 || p.Ballot > m.Ballot && p.Ballot != learned {
			return "a ballot above the promised one"
		}
		slot = p.Slot
	}
	return ""
}

func (n *Node) onPromise(from protocols.NodeID, m *Promise, out *protocols.Effects) {
	if n.role != candidate && n.role != leader || m.Ballot != n.promised {
		return // of a ballot that is over
	}
	if why := m.impossible(); why != "" {
		n.drop(out, why)
		return
	}
	n.promises = n.promises.With(from)
	n.merge(m.Accepted)
	if m.Compacted > n.execute.Applied {
		n.compacted = max(n.compacted, m.Compacted)
		n.askCatchup(from, out)
	}
	n.proceed(out)
}

// merge keeps for each slot the value that was accepted at the highest ballot
// (PMS §2.2, P2c). A value for a slot that this ballot has proposed in already
// comes too late to matter: a quorum reported before.
func (n *Node) merge(reported []Pvalue) {
	at := n.used
	for i := range reported {
		p := &reported[i]
		if p.Slot < n.next {
			continue
		}
		for at < len(n.inherit) && n.inherit[at].Slot < p.Slot {
			at++
		}
		switch {
		case at == len(n.inherit) || n.inherit[at].Slot != p.Slot:
			n.inherit = slices.Insert(n.inherit, at, *p)
		case p.Ballot > n.inherit[at].Ballot && !n.bugs.firstReported: // P-01
			n.inherit[at] = *p
		}
		n.inherited = max(n.inherited, p.Slot)
	}
}

// isPrepared reports whether a phase 1 quorum of those who decide slot i has
// promised this node's ballot, and reported what it has accepted there. What an
// acceptor has compacted is chosen, but it does not say with which value: it has to be
// installed first. A candidate meets that, and a leader whose members change: those of
// the new configuration may have gone on under another leader for long.
func (n *Node) isPrepared(i protocols.Index) bool {
	if n.bugs.earlyPropose { // P-10
		return true
	}
	return (i > n.compacted || n.bugs.overCompacted) && n.governing(i).prepare.Has(n.promises) // P-32
}

// proceed goes on to phase 2 where phase 1 is complete.
func (n *Node) proceed(out *protocols.Effects) {
	if n.role == candidate && n.isPrepared(n.execute.Applied+1) {
		n.becomeLeader(out)
	}
	if n.role == leader {
		n.proposeOpen(out)
		n.serveReads(out)
	}
}

func (n *Node) onNack(m *Nack, out *protocols.Effects) {
	if m.Promised.Round() > maxRound {
		n.drop(out, "ballot out of range")
		return
	}
	n.see(m.Promised)
	if n.role != candidate && n.role != leader || m.Ballot != n.promised || m.Promised <= n.promised {
		return
	}
	// It backs off for a random time, or two candidates could stop each other for
	// ever (PMS §2.4; PMMC §3).
	n.becomeFollower(n.promised, protocols.Nobody, out)
	out.CancelTimer(timerElection)
	n.armElection(out)
	if n.bugs.noBackoff { // P-16
		n.becomeCandidate(out)
	}
}
