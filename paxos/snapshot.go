package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// catchupBatch is the largest number of values in one CatchupResponse.
const catchupBatch = 256

// compact takes a snapshot when enough was executed since the last one, and forgets
// what it covers.
func (n *Node) compact(out *protocols.Effects) {
	every := n.parameters.SnapshotEvery
	if every == 0 || n.execute.Applied-n.slots.base < protocols.Index(every) {
		return
	}
	c := &Checkpoint{Applied: n.execute.Applied, State: n.state()}
	for i := n.current; i < len(n.configurations); i++ {
		c.Configurations = append(c.Configurations, n.configurations[i].Membership)
	}
	if n.bugs.forgetMembers { // P-30
		c.Configurations = []Membership{{From: 1, Members: n.replicas}}
	}
	n.putInForce(c)
	n.saveSnapshot(out)
}

// state returns what a checkpoint keeps of the executed state.
func (n *Node) state() any {
	x := n.execute
	switch {
	case n.bugs.forgetSessions: // P-24
		x.Sessions = protocols.Sessions{}
	case n.bugs.staleSnapshot && n.checkpoint != nil: // P-25
		return n.checkpoint.State
	}
	return x.Snapshot()
}

// putInForce makes c the start of the log.
func (n *Node) putInForce(c *Checkpoint) {
	n.checkpoint = c
	n.slots.compactTo(c.Applied)
	n.configurations = n.configurations[:0]
	for _, m := range c.Configurations {
		n.configurations = append(n.configurations, n.configure(m))
	}
	n.current = 0
	n.govern()
}

// restore makes the state that of c.
func (n *Node) restore(c *Checkpoint) {
	n.execute.Restore(c.State)
	if n.bugs.staleSnapshot { // P-25
		n.execute.Applied = c.Applied
	}
	n.putInForce(c)
}

// saveSnapshot writes all that the disk must hold. In the order of writes it stands
// behind every promise and acceptance that this node has made.
func (n *Node) saveSnapshot(out *protocols.Effects) {
	out.SaveSnapshot(&Snapshot{Wiped: n.wiped, Promised: n.promised, Checkpoint: n.checkpoint, Accepted: n.slots.accepted(n.slots.base + 1)})
}

// askCatchup asks a node that has executed more, at most once per heartbeat.
func (n *Node) askCatchup(of protocols.NodeID, out *protocols.Effects) {
	if n.asked != 0 && n.now.Sub(n.asked) < n.parameters.Heartbeat {
		return
	}
	n.asked = n.now
	// Early: a question.
	protocols.SendEarly(out, of, CatchupRequest{First: n.execute.Applied + 1})
}

func (n *Node) onCatchupRequest(from protocols.NodeID, m *CatchupRequest, out *protocols.Effects) {
	if from != n.id {
		n.sendCatchup(from, m.First, out)
	}
}

// sendCatchup sends chosen values from slot first on, with the state before them
// where they are forgotten.
func (n *Node) sendCatchup(to protocols.NodeID, first protocols.Index, out *protocols.Effects) {
	m := CatchupResponse{First: max(1, first), Executed: n.execute.Applied}
	if m.First <= n.slots.base {
		m.Checkpoint, m.First = n.checkpoint, n.slots.base+1
	}
	if m.First > m.Executed && m.Checkpoint == nil {
		return
	}
	if count := min(m.Executed+1-m.First, catchupBatch); count > 0 {
		m.Values = make([]Value, count)
		for i := range m.Values {
			m.Values[i] = n.slots.at(m.First + protocols.Index(i)).value
		}
	}
	// Early: what is chosen is on the disks of a quorum.
	protocols.SendEarly(out, to, m)
}

func (n *Node) onCatchupResponse(from protocols.NodeID, m *CatchupResponse, out *protocols.Effects) {
	if from == n.id || !n.isPossible(m) {
		n.drop(out, "chosen values that cannot be")
		return
	}
	n.asked = 0
	if m.Checkpoint == nil && len(m.Values) == 0 { // only to say up to where the sender has executed
		if m.Executed > n.execute.Applied {
			n.askCatchup(from, out)
		} else {
			n.sendCatchup(from, m.Executed+1, out)
		}
		return
	}
	before := n.execute.Applied
	if m.Checkpoint != nil && m.Checkpoint.Applied > n.execute.Applied {
		n.install(m.Checkpoint, out)
	}
	if skip := n.execute.Applied + 1 - m.First; m.First <= n.execute.Applied+1 && skip < protocols.Index(len(m.Values)) {
		n.learnValues(m.Values[skip:], out)
	}
	if n.execute.Applied == before {
		return
	}
	if n.execute.Applied < m.Executed {
		n.askCatchup(from, out)
	}
	n.afterProgress(out)
}

// isPossible reports whether a correct node can have sent m.
func (n *Node) isPossible(m *CatchupResponse) bool {
	if c := m.Checkpoint; c != nil {
		if c.State == nil || c.Applied == 0 || !n.execute.Accepts(c.State) || len(c.Configurations) == 0 {
			return false
		}
		for _, config := range c.Configurations {
			if !n.isConfiguration(config.Members) {
				return false
			}
		}
	}
	for i := range m.Values {
		if v := &m.Values[i]; !v.Members.Empty() && !n.isConfiguration(v.Members) {
			return false
		}
	}
	return m.First > 0
}

// install replaces the state by that of another node.
func (n *Node) install(c *Checkpoint, out *protocols.Effects) {
	n.restore(c)
	out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: uint64(n.promised), Index: c.Applied})
	out.Note(protocols.Note{Kind: protocols.NoteInstalled, Epoch: uint64(n.promised), Index: c.Applied, State: n.execute.Hash()})
	for i := range n.configurations {
		n.noteMembers(i, out)
	}
	n.saveSnapshot(out)
	n.checkMembership(out)
	n.advance(out)
}

// learnValues takes the chosen values of the slots after what is executed.
func (n *Node) learnValues(values []Value, out *protocols.Effects) {
	first := n.execute.Applied + 1
	protocols.Persist(out, Learned{First: first, Values: values[:len(values):len(values)]})
	for i := range values {
		n.setLearned(first+protocols.Index(i), &values[i])
	}
	n.advance(out)
}

// setLearned marks slot i as chosen. Where this node has accepted the value, the
// ballot at which it did stays; another value that it has accepted can no longer
// be chosen.
func (n *Node) setLearned(i protocols.Index, v *Value) {
	if i <= n.slots.base || i <= n.execute.Applied {
		return
	}
	s := n.slots.reach(i)
	if s.ballot == 0 || s.value != *v {
		s.ballot, s.value = learned, *v
	}
	s.chosen = true
}
