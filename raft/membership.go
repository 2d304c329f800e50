package raft

import "github.com/lockstep-sim/lockstep/protocols"

// wish is what an operator has asked the leader for. It lives with the leadership: an
// operator asks the next leader again.
type wish struct {
	active   bool
	voters   protocols.NodeSet
	learners protocols.NodeSet
}

// admin handles an operator's wish. It has no answer: what came of it is noted.
func (n *Node) admin(a *protocols.Admin, out *protocols.Effects) {
	if n.role != leader {
		n.drop(out, "an operator's wish put to a node that does not lead")
		return
	}
	switch a.Kind {
	case protocols.Reconfigure:
		w := wish{active: true, voters: a.Members, learners: a.Learner}
		target := Configuration{Voters: w.voters, Learners: w.learners}
		if !target.isPossible(n.replicas) {
			n.drop(out, "a configuration that cannot be")
			return
		}
		if n.wish != w {
			n.wish = w
			n.beginRounds(w.voters.And(n.configuration().Learners))
		}
		n.pursue(out)
	case protocols.TransferLeadership:
		n.transferTo(a.Target, out)
	default:
		n.drop(out, "an operator's wish that Raft does not know")
	}
}

// pursue takes the next step towards what the operator wants, when the one before is
// done: its configuration committed, and an entry of this term as well, since else an
// earlier leader's change may still come to be (Ongaro, raft-dev, 2015-07-10).
func (n *Node) pursue(out *protocols.Effects) {
	if n.role != leader || n.latest().index > n.commit || n.transfer.target != protocols.Nobody {
		return
	}
	if n.commit < n.termStart && !n.bugs.changeBeforeCommit {
		return
	}
	c := n.configuration()
	switch {
	case c.isJoint():
		n.leaveJoint(c, out)
	case n.wish.active:
		if next, ok := n.nextConfiguration(c); ok {
			n.change(next, out)
		}
	}
}

// leaveJoint proposes C_new once C_old,new is committed (§4.3), whoever began it.
func (n *Node) leaveJoint(c *Configuration, out *protocols.Effects) {
	if n.bugs.leaveByStarterOnly && n.latest().index < n.termStart {
		return
	}
	n.change(Configuration{Voters: c.Voters, Learners: c.Learners, Disks: c.Disks}, out)
}

// nextConfiguration returns the configuration that follows c on the way to what is
// wished; false: there is none, or what it needs is not there yet.
func (n *Node) nextConfiguration(c *Configuration) (Configuration, bool) {
	w := &n.wish
	fresh := w.voters.Minus(c.Voters)
	next := Configuration{Voters: c.Voters, Learners: w.learners.Minus(c.Voters).Or(fresh), Disks: c.Disks}
	if next.Learners != c.Learners {
		return next, true // new servers catch up first, without a vote (§4.2.1)
	}
	ready := n.caughtUp(fresh)
	if n.parameters.Membership == MembershipJoint {
		if c.Voters == w.voters && c.Learners == w.learners {
			w.active = false
			return next, false
		}
		next.Outgoing, next.Voters = c.Voters, w.voters
		next.Learners = w.learners.Minus(c.Voters)
		return n.withDisks(next), ready == fresh
	}
	// One server at a time (§4.1): first who comes, then who goes, this node last.
	if id := ready.Next(protocols.Nobody); id != protocols.Nobody {
		next.Voters, next.Learners = c.Voters.With(id), c.Learners.Without(id)
		return n.withDisks(next), true
	}
	leaving := c.Voters.Minus(w.voters)
	id := leaving.Without(n.id).Next(protocols.Nobody)
	if id == protocols.Nobody {
		id = leaving.Next(protocols.Nobody)
	}
	if id == protocols.Nobody || !fresh.Empty() {
		w.active = w.active && !fresh.Empty()
		return next, false
	}
	next.Voters = c.Voters.Without(id)
	if w.learners.Has(id) {
		next.Learners = next.Learners.With(id)
	}
	return next, true
}

// withDisks returns c with the disks that its members have now.
func (n *Node) withDisks(c Configuration) Configuration {
	var disks []Disk
	all := c.all()
	for id := all.Next(protocols.Nobody); id != protocols.Nobody; id = all.Next(id) {
		number := n.configuration().disk(id)
		if n.configuration().Learners.Has(id) && n.progress[id].disk > number {
			number = n.progress[id].disk
		}
		if number > 0 {
			disks = append(disks, Disk{id, number})
		}
	}
	c.Disks = disks
	return c
}

// change appends a configuration, which is in force from now on.
func (n *Node) change(c Configuration, out *protocols.Effects) {
	before := n.configuration().all()
	fresh := c.all().Minus(before)
	for id := fresh.Next(protocols.Nobody); id != protocols.Nobody; id = fresh.Next(id) {
		n.welcome(id)
	}
	at := n.log.Append(Entry{Term: n.term, Configuration: &c})
	n.learnConfigurations(at-1, n.log.View(at, 1))
	n.recount()
	// A lease was given by a quorum of the old configuration.
	n.leaseUntil = 0
	n.publish(out)
}

// recount counts for everybody what its disk has, where that counts now.
func (n *Node) recount() {
	for _, peer := range n.peers {
		n.match[peer] = 0
		if n.counts(peer) {
			n.match[peer] = n.progress[peer].stored
		}
	}
}

// welcome begins the record of a server that joins.
func (n *Node) welcome(id protocols.NodeID) {
	p := &n.progress[id]
	n.match[id] = 0
	p.stored, p.sending, p.caughtUp = 0, nil, false
	p.probe(n.log.Last() + 1)
	p.roundEnd, p.roundBegan = n.log.Last()+1, n.now
}

// beginRounds asks anew whether learners that are to vote have caught up: they may have
// fallen behind since.
func (n *Node) beginRounds(learners protocols.NodeSet) {
	for id := learners.Next(protocols.Nobody); id != protocols.Nobody; id = learners.Next(id) {
		p := &n.progress[id]
		p.caughtUp = p.stored == n.log.Last()
		p.roundEnd, p.roundBegan = n.log.Last(), n.now
	}
}

// caughtUp returns which of the fresh servers have the log well enough to vote.
func (n *Node) caughtUp(fresh protocols.NodeSet) protocols.NodeSet {
	var ready protocols.NodeSet
	for id := fresh.Next(protocols.Nobody); id != protocols.Nobody; id = fresh.Next(id) {
		if n.progress[id].caughtUp {
			ready = ready.With(id)
		}
	}
	return ready
}

// advanceRound measures how fast a learner catches up, in rounds: each is to
// replicate what the log held when it began. One that takes less than an election
// timeout is good enough (§4.2.1).
func (n *Node) advanceRound(id protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[id]
	if p.caughtUp || p.stored < p.roundEnd {
		return
	}
	p.caughtUp = n.now.Sub(p.roundBegan) < n.parameters.ElectionTimeout.Min
	p.roundEnd, p.roundBegan = n.log.Last(), n.now
	if p.caughtUp {
		n.pursue(out)
	}
}

// settled handles that configurations up to the commit index are committed.
func (n *Node) settled(out *protocols.Effects) {
	if n.bugs.effectiveOnApply {
		n.configure()
	}
	k := n.noted
	for k.index < n.latest().index {
		next := n.after(k.index)
		if next.index > n.commit {
			break
		}
		k = next
	}
	if k.index == n.noted.index {
		n.pursue(out)
		return
	}
	n.noted = k
	if !k.config.isJoint() {
		n.noteMembers(out)
	}
	if n.role == leader && !n.isVoter() && k.index == n.latest().index && !k.config.isJoint() {
		// §4.2.2: a leader that is not in C_new steps down when that is committed.
		n.startRound(out)
		n.becomeFollower(n.term, protocols.Nobody, out)
	} else {
		n.pursue(out)
	}
	n.checkElection(out)
}

// after returns the first configuration of the log behind index i.
func (n *Node) after(i protocols.Index) configured {
	for _, c := range n.configurations {
		if c.index > i {
			return c
		}
	}
	return *n.latest()
}

func (n *Node) noteMembers(out *protocols.Effects) {
	out.Note(protocols.Note{Kind: protocols.NoteMembers, Epoch: n.term, Index: n.noted.index, Members: n.noted.config.Voters})
}

// checkElection arms or disarms the election timer after a change of configuration.
func (n *Node) checkElection(out *protocols.Effects) {
	switch {
	case n.role == leader:
	case n.mayCampaign():
		n.armElection(out)
	default:
		out.CancelTimer(timerElection)
		if n.role != follower {
			n.role = follower
		}
	}
}
