package vr

import "github.com/lockstep-sim/lockstep/protocols"

// takeCheckpoint keeps the state at the last executed operation (§5.1) and drops
// the log up to the checkpoint before. One interval stays, so that a replica that
// lags a little can be sent entries instead of a state.
func (n *Node) takeCheckpoint(out *protocols.Effects) {
	if n.base != nil {
		n.log.CompactTo(n.base.op)
		n.floor = n.base
	}
	n.base = &base{op: n.execute.Applied, state: n.state(), config: n.config}
	n.saveCheckpoint(out)
}

// state returns what a checkpoint keeps of the executed state.
func (n *Node) state() any {
	x := n.execute
	if n.bugs.bareCheckpoint { // V-22
		x.Sessions = protocols.Sessions{}
	}
	return x.Snapshot()
}

// saveCheckpoint writes the last checkpoint and all that belongs to it.
func (n *Node) saveCheckpoint(out *protocols.Effects) {
	if n.variant == durable {
		out.SaveSnapshot(&Checkpoint{View: n.view, LastNormal: n.lastNormal, Base: n.base, Entries: n.entriesAfter(n.base.op)})
	}
}

// restore makes the replicated state that of a checkpoint; the log goes on after it.
func (n *Node) restore(b *base) {
	table := n.execute.Sessions
	n.execute.Restore(b.state)
	if n.bugs.staleTable { // V-12
		n.execute.Sessions = table
	}
	n.commit = b.op
	n.configure(b.config)
	n.base, n.floor = b, b
	n.log.Reset(b.op)
}

// noteInstalled says that a checkpoint was taken over.
func (n *Node) noteInstalled(out *protocols.Effects) {
	out.Note(protocols.Note{Kind: protocols.NoteInstalled, Epoch: uint64(n.view), Index: n.base.op, State: n.execute.Hash()})
	out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: uint64(n.view), Index: n.base.op})
}
