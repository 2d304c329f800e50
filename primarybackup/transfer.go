package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// sendState sends the state at the commit index, at-most-once table included.
func (n *Node) sendState(to protocols.NodeID, out *protocols.Effects) {
	x := n.execute
	if n.bugs.forgetSessions { // B-06
		x.Sessions = protocols.Sessions{}
	}
	if p := &n.progress[to]; p.transfer == 0 { // else the first that arrives is as good
		p.transfer = n.commit
	}
	// Early: what is committed is on the disks of all members, and the receiver writes
	// it to its own.
	protocols.SendEarly(out, to, State{
		Epoch: n.view.Number, Start: n.start, Member: n.view.Backups.Has(to),
		Position: n.commit, PositionEpoch: n.epochAt(n.commit), Content: x.Snapshot(),
	})
}

// onState takes the primary's state over, unless this log has what it stands for:
// then it may hold more, and some of that may have been committed in an earlier
// view. A replica that may be named primary has all that is committed, so it never
// takes a state over, and never lacks it for a moment.
func (n *Node) onState(from protocols.NodeID, m *State, out *protocols.Effects) {
	if !n.hear(from, m.Epoch, out) {
		n.refuse(from, m.Epoch, m.Position, out)
		return
	}
	if m.Content == nil || !n.execute.Accepts(m.Content) || m.Position == 0 || m.Position > maxEpoch || m.PositionEpoch > m.Epoch {
		n.drop(out, "a state that no primary has")
		return
	}
	if m.Position <= n.commit || n.has(m.Position, m.PositionEpoch) {
		n.acceptState(from, m, out)
		return
	}
	n.restore(m.Position, m.PositionEpoch, m.Content)
	if m.Member && n.verified >= m.Start {
		n.holds = n.view.Number
	}
	n.saveCheckpoint(nil, out)
	out.Note(protocols.Note{Kind: protocols.NoteInstalled, Epoch: n.view.Number, Index: m.Position, State: n.execute.Hash()})
	out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: n.view.Number, Index: m.Position})
	n.acceptState(from, m, out)
}

// acceptState acknowledges the position of a state that this replica has.
func (n *Node) acceptState(to protocols.NodeID, m *State, out *protocols.Effects) {
	if !n.has(m.Position, m.PositionEpoch) {
		n.drop(out, "a state that differs from a committed one")
		return
	}
	n.verify(m.Position, m.Start, m.Member, out)
	n.advanceCommit(min(m.Position, n.log.Last()), out)
	// Gated: this disk has it.
	protocols.Send(out, to, ReplicateResponse{Epoch: n.view.Number, Success: true, Match: m.Position, MatchEpoch: m.PositionEpoch})
	n.takeAside(to, out)
}

// restore makes the replicated state that at a position; the log goes on after it.
func (n *Node) restore(position protocols.Index, epoch uint64, state any) {
	n.execute.Restore(state)
	n.execute.Applied = position
	n.commit, n.verified = position, position
	n.log.Reset(position)
	n.baseEpoch, n.base = epoch, state
}
