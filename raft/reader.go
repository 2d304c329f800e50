package raft

import "github.com/lockstep-sim/lockstep/protocols"

// ReadLog implements [protocols.LogReader].
func (n *Node) ReadLog(from protocols.Index, limit int, entries []protocols.LogEntry) []protocols.LogEntry {
	for at := max(from, n.log.First()); at <= n.log.Last() && limit > 0; at++ {
		e := n.log.At(at)
		entry := protocols.LogEntry{Position: at, Epoch: e.Term, Command: e.Command}
		switch {
		case e.Configuration != nil:
			entry.Text = "configuration"
		case e.Command.Client >= 0:
			entry.Text = "no-op"
		}
		entries = append(entries, entry)
		limit--
	}
	return entries
}

// LogBase implements [protocols.LogReader].
func (n *Node) LogBase() (protocols.Index, any) {
	if n.checkpoint == nil {
		return 0, nil
	}
	return n.base(), n.checkpoint.State
}

// Positions implements [protocols.Positioned].
func (r *Append) Positions() (first, last protocols.Index) {
	return r.PrevLogIndex + 1, r.PrevLogIndex + protocols.Index(len(r.Entries))
}
