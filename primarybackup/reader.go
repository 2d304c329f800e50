package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// ReadLog implements [protocols.LogReader].
func (n *Node) ReadLog(from protocols.Index, limit int, entries []protocols.LogEntry) []protocols.LogEntry {
	for at := max(from, n.log.First()); at <= n.log.Last() && limit > 0; at++ {
		e := n.log.At(at)
		entries = append(entries, protocols.LogEntry{Position: at, Epoch: e.Epoch, Command: e.Command, Effect: e.Effect})
		limit--
	}
	return entries
}

// LogBase implements [protocols.LogReader].
func (n *Node) LogBase() (protocols.Index, any) { return n.log.First() - 1, n.base }

// Positions implements [protocols.Positioned].
func (r *Append) Positions() (first, last protocols.Index) {
	return r.PrevIndex + 1, r.PrevIndex + protocols.Index(len(r.Entries))
}

// Positions implements [protocols.Positioned]: it only cuts the log.
func (r *Rewind) Positions() (first, last protocols.Index) { return r.Last + 1, r.Last }
