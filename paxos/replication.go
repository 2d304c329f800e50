package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// maxAhead bounds how far above what it has executed an acceptor accepts, and with
// it the memory that a lagging one needs. It is far above any window: an acceptor
// that lags by more catches up first.
const maxAhead = 1 << 14

// proposeOpen proposes in every slot that the window leaves open: first what was
// inherited, with no-ops in the gaps (rule 2), then what clients want.
func (n *Node) proposeOpen(out *protocols.Effects) {
	n.next = max(n.next, n.execute.Applied+1)
	for n.next <= n.execute.Applied+n.alpha && n.isPrepared(n.next) {
		for n.used < len(n.inherit) && n.inherit[n.used].Slot < n.next {
			n.used++
		}
		switch {
		case n.used < len(n.inherit) && n.inherit[n.used].Slot == n.next:
			n.propose(n.inherit[n.used].Value, out)
		case n.queueHead < len(n.queue) && n.next > n.inherited:
			n.propose(Value{Command: n.dequeue()}, out)
		case n.next <= n.inherited || n.next <= n.flushTo:
			n.propose(Value{}, out)
		default:
			return
		}
	}
}

// propose asks for value in the next slot. It is the only place where a leader makes
// a pvalue: one value per ballot and slot.
func (n *Node) propose(v Value, out *protocols.Effects) {
	i := n.next
	n.next++
	if v.Command.Client < 0 {
		n.setProposed(v.Command)
	}
	if !v.Members.Empty() {
		n.flushTo = max(n.flushTo, i+n.alpha) // the last one shows that it works
	}
	s := n.slots.reach(i)
	*s = slot{ballot: n.promised, value: v}
	protocols.Persist(out, AcceptedValue{Pvalue{Slot: i, Ballot: n.promised, Value: v}, n.execute.Applied})
	n.sendAccept(i, s, n.governing(i).Members, out)
	// The leader accepts like anyone else: it counts once its own disk has it.
	protocols.Send(out, n.id, Accepted{Ballot: n.promised, Slot: i})
}

// sendAccept sends slot i to the given nodes, but not to itself. Under serial writes
// the first Accept waits for the leader's own acceptance, in whose record it stands.
func (n *Node) sendAccept(i protocols.Index, s *slot, to protocols.NodeSet, out *protocols.Effects) {
	to = to.Without(n.id)
	for id := to.Next(protocols.Nobody); id != protocols.Nobody; id = to.Next(id) {
		m := Accept{Ballot: n.promised, Slot: i, Commit: n.execute.Applied, Value: s.value}
		if n.serial && !s.votes.Has(n.id) {
			protocols.Send(out, id, m)
			continue
		}
		// Early: that the leader proposes says nothing about its disk; should it crash,
		// it proposes again only at a ballot of a higher round.
		protocols.SendEarly(out, id, m)
	}
}

// hear handles the ballot of a message that only a leader sends. It returns false
// when the sender does not lead the highest ballot that this node knows.
func (n *Node) hear(from protocols.NodeID, ballot Ballot, out *protocols.Effects) bool {
	switch {
	case !n.isBallotOf(ballot, from) || from == n.id:
		n.drop(out, "a ballot that the sender cannot have")
		return false
	case ballot < n.promised:
		n.refuse(from, ballot, out)
		return false
	case ballot > n.promised || n.leader != from:
		n.becomeFollower(ballot, from, out)
	default:
		n.armElection(out)
	}
	n.quietUntil, n.quietFor = n.now.Add(n.parameters.ElectionTimeout.Min), from
	return true
}

// onAccept is rule 3 of an acceptor.
func (n *Node) onAccept(from protocols.NodeID, m *Accept, out *protocols.Effects) {
	if !n.hear(from, m.Ballot, out) || n.role == learner {
		return
	}
	switch {
	case m.Slot <= n.slots.base:
		// Chosen, executed and forgotten. The leader hears of it by the answer to its
		// next heartbeat, and catches up.
		return
	case m.Slot > n.execute.Applied+maxAhead:
		return // it catches up first
	case !m.Value.Members.Empty() && !n.isConfiguration(m.Value.Members):
		n.drop(out, "a configuration that cannot be")
		return
	}
	s := n.slots.reach(m.Slot)
	if s.ballot == m.Ballot && s.value != m.Value {
		n.drop(out, "two values at one ballot")
		return
	}
	if s.chosen && s.value != m.Value {
		// A value that is chosen stays so (Paxos Made Simple §2.2): this one is of a ballot
		// before, and is late. It must not stand where others ask what was chosen.
		return
	}
	if s.ballot != m.Ballot {
		*s = slot{ballot: m.Ballot, value: m.Value, chosen: s.chosen}
		protocols.Persist(out, AcceptedValue{Pvalue{Slot: m.Slot, Ballot: m.Ballot, Value: m.Value}, n.execute.Applied})
	}
	if n.bugs.earlyAccepted { // P-03
		protocols.SendEarly(out, from, Accepted{Ballot: m.Ballot, Slot: m.Slot})
	} else {
		protocols.Send(out, from, Accepted{Ballot: m.Ballot, Slot: m.Slot})
	}
	n.learn(m.Ballot, m.Commit, out)
}

// onAccepted is rule 4: a slot is chosen when a phase 2 quorum has accepted its
// value at one ballot.
func (n *Node) onAccepted(from protocols.NodeID, m *Accepted, out *protocols.Effects) {
	if n.role != leader || m.Ballot != n.promised && !n.bugs.oldAccepted { // P-28
		return // late, or of a ballot that is over: its votes count for nothing (rule 5)
	}
	if m.Slot >= n.next {
		n.drop(out, "an answer to an Accept that was not sent")
		return
	}
	n.heard = n.heard.With(from)
	s := n.slots.at(m.Slot)
	if s == nil || s.chosen || s.ballot != n.promised {
		return
	}
	s.votes = s.votes.With(from)
	if !n.governing(m.Slot).accept.Has(s.votes) {
		return
	}
	s.chosen = true
	if m.Slot == n.execute.Applied+1 {
		n.advance(out)
		n.afterProgress(out)
	}
}

// onDecide learns from an explicit message.
func (n *Node) onDecide(from protocols.NodeID, m *Decide, out *protocols.Effects) {
	if n.hear(from, m.Ballot, out) {
		n.learn(m.Ballot, m.Commit, out)
	}
}

// learn takes the word of ballot's leader that all up to commit is chosen. That is
// proof only for a slot that this node has accepted at that very ballot (rule 6):
// what it has accepted at another may be another value.
func (n *Node) learn(ballot Ballot, commit protocols.Index, out *protocols.Effects) {
	known := n.execute.Applied
	for known < commit {
		s := n.slots.at(known + 1)
		if s == nil || s.ballot != ballot && !(n.bugs.anyBallot && s.ballot != 0) { // P-RULE6
			break
		}
		s.chosen = true
		known++
	}
	if known > n.execute.Applied {
		n.advance(out)
	}
}

// advance executes all that is known to be chosen, in order of slots.
func (n *Node) advance(out *protocols.Effects) {
	known := n.execute.Applied
	for n.slots.isChosen(known + 1) {
		known++
	}
	if known == n.execute.Applied {
		return
	}
	out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: uint64(n.promised), Index: known})
	current, count := n.current, len(n.configurations)
	for n.execute.Applied < known {
		n.executeNext(out)
	}
	if len(n.configurations) > 1 {
		if n.govern(); n.current != current || len(n.configurations) != count {
			n.checkMembership(out)
		}
	}
	n.compact(out)
}

// executeNext executes the next slot, which is chosen. Whoever leads answers its
// client, also for what it inherited. At boot out is nil.
func (n *Node) executeNext(out *protocols.Effects) {
	i := n.execute.Applied + 1
	s := n.slots.at(i)
	result := n.execute.Apply(i, s.value.Command, n.wall)
	if out != nil {
		out.Note(protocols.Note{Kind: protocols.NoteApplied, Epoch: uint64(n.promised), Index: i, Hash: s.value.hash(), State: n.execute.Hash(), Command: s.value.Command})
		if n.role == leader && s.value.Command.Client < 0 {
			// Early: a quorum has it on disk; this node's own disk adds nothing.
			out.ReplyEarly(s.value.Command, result)
		}
	}
	if !s.value.Members.Empty() {
		n.adopt(i, s.value.Members, out)
	}
}

// afterProgress goes on where a leader or candidate waited for slots to be executed.
func (n *Node) afterProgress(out *protocols.Effects) {
	if n.role == leader {
		n.noteNormal(out)
		if n.parameters.Decide == DecideExplicit {
			for id := n.audience.Next(protocols.Nobody); id != protocols.Nobody; id = n.audience.Next(id) {
				// Early: a quorum has it on disk.
				protocols.SendEarly(out, id, Decide{Ballot: n.promised, Commit: n.execute.Applied})
			}
		}
	}
	if n.role == candidate || n.role == leader {
		n.proceed(out)
	}
}

// noteNormal notes when all that was inherited is executed.
func (n *Node) noteNormal(out *protocols.Effects) {
	if !n.normal && n.execute.Applied >= n.inherited {
		n.normal = true
		out.Note(protocols.Note{Kind: protocols.NoteNormal, Epoch: uint64(n.promised), Index: n.execute.Applied})
	}
}

// resend sends again what has been open for a heartbeat's time to those who have
// not answered: the messages or the answers are late or lost, or a disk is slow. Under
// serial writes what this disk does not have yet was not sent a first time.
func (n *Node) resend(out *protocols.Effects) {
	if n.bugs.sendOnce { // P-31
		return
	}
	for i := n.execute.Applied + 1; i < n.overdue; i++ {
		if s := n.slots.at(i); s != nil && !s.chosen && s.ballot == n.promised && (!n.serial || s.votes.Has(n.id)) {
			n.sendAccept(i, s, n.governing(i).Members.Minus(s.votes), out)
		}
	}
	n.overdue = n.next
}
