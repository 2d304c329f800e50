package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// compact takes a snapshot when enough was executed since the last one, and forgets
// the entries that it covers. They are committed, so every member has them; a replica
// outside the view that lacks some gets the whole state. A primary keeps what it has
// still to answer, and what it has still to show to readers.
func (n *Node) compact(out *protocols.Effects) {
	every := protocols.Index(n.parameters.SnapshotEvery)
	if every == 0 || n.commit-(n.log.First()-1) < every || n.role == starting || n.role == stopped {
		return
	}
	if n.role == primary && (n.answered < n.commit || n.visible.Applied < n.commit) {
		return
	}
	n.baseEpoch, n.base = n.epochAt(n.commit), n.execute.Snapshot()
	n.log.CompactTo(n.commit)
	n.saveCheckpoint(n.tail(), out)
}

// saveCheckpoint writes all that the disk must hold: what has been promised, the state
// before the log's first entry, and entries, which are those of the log.
func (n *Node) saveCheckpoint(entries []Entry, out *protocols.Effects) {
	out.SaveSnapshot(&Checkpoint{
		Epoch: n.view.Number, Holds: n.holds,
		Position: n.log.First() - 1, PositionEpoch: n.baseEpoch, Content: n.base, Entries: entries,
	})
}

// tail copies the entries of the log.
func (n *Node) tail() []Entry {
	var entries []Entry
	for i := n.log.First(); i <= n.log.Last(); i++ {
		entries = append(entries, *n.log.At(i))
	}
	return entries
}
