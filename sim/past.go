package sim

import "github.com/lockstep-sim/lockstep/protocols"

// leftBehind is how many positions a replica may lag behind what is committed and
// still hold back what is forgotten. One that lags more, because it has left the
// cluster or is down for good, comes back by a snapshot.
const leftBehind = 1 << 16

// leaveBehind moves [protocols.Moment.Past] on after a snapshot of n has become
// durable. When it was saved is not known here: n may have saved a later one since,
// which a crash would lose. So what counts is where the log began when the snapshot
// before it became durable.
func (w *World) leaveBehind(n *node) {
	n.disk.base, n.disk.nextBase = n.disk.nextBase, max(n.view.First, 1)-1
	past := n.disk.base
	for i := range w.nodes[:w.cfg.Replicas] {
		if d := &w.nodes[i].disk; d.durable > 0 && d.base+leftBehind >= w.stats.Committed {
			past = min(past, d.base)
		}
	}
	if past <= w.shown.Past {
		return
	}
	w.shown.Past = past
	for i := range w.subscribers { // it goes back to its checkpoint
		s := &w.subscribers[i]
		past = min(past, s.table.Applied-protocols.Index(s.unsaved))
	}
	w.delivered.CompactTo(min(past, w.delivered.Last()))
}
