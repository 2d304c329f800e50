package vr

import "github.com/lockstep-sim/lockstep/protocols"

// ReadLog implements [protocols.LogReader].
func (n *Node) ReadLog(from protocols.Index, limit int, entries []protocols.LogEntry) []protocols.LogEntry {
	for at := max(from, n.log.First()); at <= n.log.Last() && limit > 0; at++ {
		e := n.log.At(at)
		entries = append(entries, protocols.LogEntry{Position: at, Epoch: uint64(e.View), Command: e.Command})
		limit--
	}
	return entries
}

// LogBase implements [protocols.LogReader].
func (n *Node) LogBase() (protocols.Index, any) {
	if n.floor == nil {
		return 0, nil
	}
	return n.floor.op, n.floor.state
}

// Positions implements [protocols.Positioned].
func (r *Append) Positions() (first, last protocols.Index) {
	return r.After + 1, r.After + protocols.Index(len(r.Entries))
}

// Positions implements [protocols.Positioned].
func (r *Install) Positions() (first, last protocols.Index) {
	return r.After + 1, r.After + protocols.Index(len(r.Entries))
}

// Positions implements [protocols.Positioned]. What the state stands for counts not.
func (r *Checkpoint) Positions() (first, last protocols.Index) {
	op := protocols.Index(0)
	if b, ok := r.Base.(*base); ok {
		op = b.op
	}
	return op + 1, op + protocols.Index(len(r.Entries))
}
