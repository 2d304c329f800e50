package vr

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Fork implements [protocols.Forker]. Entries, checkpoints and crash vectors are
// never changed in place, so the copies share them.
func (n *Node) Fork() protocols.Node {
	f := *n
	f.log, f.execute = n.log.Fork(), n.execute.Fork()
	f.change.lives, f.change.logs = slices.Clone(n.change.lives), slices.Clone(n.change.logs)
	f.recovery.answers = slices.Clone(n.recovery.answers)
	f.match, f.reported, f.since = slices.Clone(n.match), slices.Clone(n.reported), slices.Clone(n.since)
	f.table = slices.Clone(n.table)
	f.acked, f.waiting = slices.Clone(n.acked), slices.Clone(n.waiting)
	return &f
}

// Hash implements [protocols.Forker].
func (n *Node) Hash() uint64 {
	h := fold3(uint64(n.view), uint64(n.lastNormal), uint64(n.status))
	h = fold3(h, bit(n.leading), uint64(n.commit))
	h = fold3(h, uint64(n.execute.Applied), n.execute.Hash())
	h = fold3(h, uint64(n.quietUntil), uint64(n.promised))
	h = fold2(foldSet(n.config.fold(foldVector(h, n.vector)), n.started), uint64(n.hinted))
	for _, b := range []*base{n.base, n.floor} {
		if b != nil {
			h = fold2(h, uint64(b.op))
		}
	}
	h = fold3(h, uint64(n.log.First()), uint64(n.log.Last()))
	for i := n.log.First(); i <= n.log.Last(); i++ {
		h = fold2(h, n.log.At(i).hash())
	}
	h = n.recovery.fold(n.change.fold(n.transfer.fold(n.ahead.fold(h))))
	for i := range n.match {
		h = fold2(fold3(h, uint64(n.match[i]), uint64(n.reported[i])), uint64(n.since[i]))
	}
	h = foldSet(fold2(h, uint64(n.viewStart)), n.heard)
	for _, seq := range n.table {
		h = fold2(h, seq)
	}
	return n.rounds.fold(fold2(h, uint64(len(n.table))))
}

func (w *window) fold(h uint64) uint64 {
	h = fold2(h, bit(w.used))
	if !w.used {
		return h
	}
	for i := range w.slots {
		h = fold3(h, uint64(w.slots[i].op), w.slots[i].entry.hash())
	}
	return h
}

func (t *transfer) fold(h uint64) uint64 {
	return foldSet(fold3(fold3(h, bit(t.active), uint64(t.view)), uint64(t.upTo), uint64(t.ask)), t.among)
}

func (c *change) fold(h uint64) uint64 {
	h = foldSet(foldSet(fold2(h, bit(c.sent)), c.joined), c.from)
	h = foldVector(h, c.lives)
	for i := range c.logs {
		o := &c.logs[i]
		h = fold3(fold2(h, uint64(o.lastNormal)), uint64(o.op), uint64(o.commit))
		h = foldVector(o.log.fold(h), o.vector)
	}
	return h
}

func (r *recovery) fold(h uint64) uint64 {
	h = foldSet(fold3(h, r.nonce, r.life), r.from)
	for i := range r.answers {
		a := &r.answers[i]
		h = fold3(foldSet(fold2(h, uint64(a.view)), a.members), bit(a.primary), uint64(a.commit))
		h = foldVector(a.log.fold(h), a.vector)
	}
	return h
}

func (r *rounds) fold(h uint64) uint64 {
	h = fold3(h, r.round, r.confirmed)
	h = fold3(h, uint64(r.leaseUntil), uint64(len(r.waiting)))
	for _, round := range r.acked {
		h = fold2(h, uint64(round))
	}
	for _, at := range r.sentAt {
		h = fold2(h, uint64(at))
	}
	for i := range r.waiting {
		w := &r.waiting[i]
		e := Entry{Command: w.command}
		h = fold2(fold3(h, w.round, uint64(w.index)), e.hash())
	}
	return h
}

func foldSet(h uint64, s protocols.NodeSet) uint64 {
	low, high := s.Words()
	return fold3(h, low, high)
}
