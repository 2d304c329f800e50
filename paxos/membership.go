package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// configuration is a Membership with its quorums.
type configuration struct {
	Membership
	prepare protocols.Threshold // of phase 1
	accept  protocols.Threshold // of phase 2
	// confirm meets every phase 1 quorum: while its nodes know no higher ballot, no
	// other node can have completed phase 1.
	confirm protocols.Quorum
}

func (n *Node) configure(m Membership) configuration {
	return configurationOf(&n.parameters, n.bugs, m)
}

func configurationOf(p *Parameters, b bugs, m Membership) configuration {
	size := m.Members.Len()
	q1, q2 := p.sizes(size)
	if b.halfQuorums { // P-11
		q1, q2 = max(1, size/2), max(1, size/2)
	}
	confirm := size - q1 + 1
	if b.fewConfirm { // P-26
		confirm = max(1, size-q1)
	}
	return configuration{
		Membership: m,
		prepare:    protocols.Threshold{Of: m.Members, Size: q1},
		accept:     protocols.Threshold{Of: m.Members, Size: q2},
		confirm:    protocols.Threshold{Of: m.Members, Size: confirm},
	}
}

// nobody governs the slots of a node that has not heard of any configuration.
var nobody = configuration{prepare: protocols.Threshold{Size: 1}, accept: protocols.Threshold{Size: 1}, confirm: protocols.Threshold{Size: 1}}

// governing returns the configuration that decides slot i. It is known for slots up
// to alpha above what is executed, and beyond that is the last one known.
func (n *Node) governing(i protocols.Index) *configuration {
	for k := len(n.configurations) - 1; k >= 0; k-- {
		if c := &n.configurations[k]; c.From <= i {
			return c
		}
	}
	return &nobody
}

// isMember reports whether this node is a member now, or will be.
func (n *Node) isMember() bool {
	for i := n.current; i < len(n.configurations); i++ {
		if n.configurations[i].Members.Has(n.id) {
			return true
		}
	}
	return false
}

// isStranger reports whether from is in no configuration that this node knows to be
// in force or to come.
func (n *Node) isStranger(from protocols.NodeID) bool {
	return len(n.configurations) > 0 && !n.audience.Has(from)
}

// govern follows what is executed with the current configuration.
func (n *Node) govern() {
	for n.current+1 < len(n.configurations) && n.configurations[n.current+1].From <= n.execute.Applied+1 {
		n.current++
	}
	n.audience = protocols.NodeSet{}
	for i := n.current; i < len(n.configurations); i++ {
		n.audience = n.audience.Or(n.configurations[i].Members)
	}
	n.audience = n.audience.And(n.replicas).Without(n.id) // nobody else can be sent anything
}

// admin handles an operator's wish. It has no answer: what came of it is noted.
func (n *Node) admin(a *protocols.Admin, out *protocols.Effects) {
	switch {
	case a.Kind != protocols.Reconfigure:
		n.drop(out, "an operator's wish that Paxos does not know")
	case n.role != leader:
		n.drop(out, "a reconfiguration asked of a node that does not lead")
	case !n.isConfiguration(a.Members) || !a.Learner.Empty():
		n.drop(out, "a configuration that cannot be")
	case n.flushTo > n.execute.Applied || len(n.configurations) > n.current+1 || n.next <= n.inherited:
		n.drop(out, "a reconfiguration while another is under way")
	case n.next > n.execute.Applied+n.alpha || !n.isPrepared(n.next):
		n.drop(out, "a reconfiguration while the window is full")
	case a.Members != n.governing(n.next).Members:
		n.propose(Value{Members: a.Members}, out)
		n.proposeOpen(out)
	}
}

// isConfiguration reports whether members can be a configuration.
func (n *Node) isConfiguration(members protocols.NodeSet) bool {
	return !members.Empty() && members.Minus(n.replicas).Empty() && n.parameters.checkQuorums(members.Len()) == nil
}

// adopt takes the configuration chosen in slot i, which is being executed: it
// governs the slots from i+alpha on (PMMC §4.2).
func (n *Node) adopt(i protocols.Index, members protocols.NodeSet, out *protocols.Effects) {
	from := i + n.alpha
	if n.bugs.noAlpha { // P-14
		from = i + 1
	}
	n.configurations = append(n.configurations, n.configure(Membership{From: from, Members: members}))
	n.govern()
	if out == nil {
		return // at boot
	}
	n.noteMembers(len(n.configurations)-1, out)
	if n.role == leader {
		// Acceptors of the new configuration have promised this leader nothing yet,
		// neither the ballot nor a lease, and a round that those before have confirmed
		// does not say that they follow no other.
		added := &n.configurations[len(n.configurations)-1]
		n.confirmed = min(n.confirmed, uint64(protocols.CommittedIndex(added.confirm, n.acked)))
		if !n.bugs.leaseAcross { // P-29
			n.leaseUntil = 0
		}
		n.flushTo = max(n.flushTo, from)
		n.askPromises(n.replicas.Minus(n.promises), n.promised, out)
	}
	n.armElection(out)
}

// checkMembership stops a node from leading and campaigning that is no member any
// more, and lets one campaign that has become one.
func (n *Node) checkMembership(out *protocols.Effects) {
	if !n.isMember() && (n.role == leader || n.role == candidate) {
		n.becomeFollower(n.promised, protocols.Nobody, out)
	}
	if n.isMember() || n.isLeaving() {
		n.armElection(out)
	} else {
		out.CancelTimer(timerElection)
	}
}

// isLeaving reports whether this node was removed, and no slot of the configuration
// without it is known to be chosen. Until then its successors may not know what this
// node knows: not even that they are members.
func (n *Node) isLeaving() bool {
	last := len(n.configurations) - 1
	return last >= 0 && !n.isMember() && n.execute.Applied < n.configurations[last].From
}

// handOver tells the members up to where this node has executed. Who has executed
// less asks for it, and who has executed more says so.
func (n *Node) handOver(out *protocols.Effects) {
	for id := n.audience.Next(protocols.Nobody); id != protocols.Nobody; id = n.audience.Next(id) {
		// Early: what is chosen is on the disks of a quorum.
		protocols.SendEarly(out, id, CatchupResponse{First: n.execute.Applied + 1, Executed: n.execute.Applied})
	}
}

// recallReconfiguration lets a new leader finish what another began: slots are
// filled until the last configuration has decided one.
func (n *Node) recallReconfiguration() {
	if from := n.configurations[len(n.configurations)-1].From; from > 1 && from > n.execute.Applied {
		n.flushTo = max(n.flushTo, from)
	}
}

func (n *Node) noteMembers(i int, out *protocols.Effects) {
	c := &n.configurations[i]
	out.Note(protocols.Note{Kind: protocols.NoteMembers, Epoch: uint64(n.promised), Index: c.From, Members: c.Members})
}
