package raft

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Fork implements [protocols.Forker]. Entries are never changed in place, so the
// copies share them.
func (n *Node) Fork() protocols.Node {
	f := *n
	f.log, f.execute = n.log.Fork(), n.execute.Fork()
	f.configurations, f.peers = slices.Clone(n.configurations), slices.Clone(n.peers)
	f.incoming.parts, f.incoming.early = slices.Clone(n.incoming.parts), slices.Clone(n.incoming.early)
	f.match, f.acked = slices.Clone(n.match), slices.Clone(n.acked)
	f.asked = slices.Clone(n.asked)
	f.proposed, f.waiting = slices.Clone(n.proposed), slices.Clone(n.waiting)
	f.progress = slices.Clone(n.progress)
	for i := range f.progress {
		f.progress[i].inflight = slices.Clone(n.progress[i].inflight)
	}
	return &f
}

// Hash implements [protocols.Forker].
func (n *Node) Hash() uint64 {
	h := fold3(n.term, uint64(n.vote), uint64(n.role))
	h = fold3(h, uint64(n.leader), uint64(n.commit))
	h = fold3(h, uint64(n.execute.Applied), n.execute.Hash())
	h = fold3(h, uint64(n.quietUntil), uint64(n.termStart))
	h = foldSet(foldSet(h, n.votes), n.heard)
	h = fold3(h, uint64(n.log.First()), uint64(n.log.Last()))
	for i := n.log.First(); i <= n.log.Last(); i++ {
		h = fold2(h, n.log.At(i).hash())
	}
	h = fold3(h, n.baseTerm, bit(n.leaseless))
	if n.taken != nil {
		h = fold2(h, uint64(n.taken.LastIndex))
	}
	for _, c := range n.configurations {
		h = c.config.fold(fold2(h, uint64(c.index)))
	}
	h = fold2(h, uint64(len(n.configurations)))
	h = fold3(fold3(h, uint64(n.incoming.lastIndex), n.incoming.lastTerm), uint64(len(n.incoming.parts)), n.incoming.rows)
	h = fold2(h, uint64(len(n.incoming.early)))
	for i := range n.incoming.early {
		h = fold3(h, n.incoming.early[i].offset, bit(n.incoming.early[i].done))
	}
	h = foldSet(foldSet(fold2(h, bit(n.wish.active)), n.wish.voters), n.wish.learners)
	for i := range n.asked {
		r := &n.asked[i]
		e := Entry{Command: r.command}
		h = fold2(fold3(h, r.id, uint64(r.index)), e.hash())
	}
	h = fold2(h, uint64(len(n.asked)))
	h = fold3(h, uint64(n.transfer.target), bit(n.transfer.told))
	for i := range n.match {
		h = n.progress[i].fold(fold2(h, uint64(n.match[i])))
	}
	for _, seq := range n.proposed {
		h = fold2(h, seq)
	}
	return n.rounds.fold(fold2(h, uint64(len(n.proposed))))
}

// fold counts only the slots of the ring that are in use.
func (p *progress) fold(h uint64) uint64 {
	h = fold3(h, uint64(p.next), bit(p.probing))
	h = fold3(h, uint64(p.count), uint64(p.since))
	h = fold3(h, uint64(p.stored), p.disk)
	h = fold3(h, p.offset, bit(p.caughtUp))
	h = fold2(h, p.sent)
	h = fold3(h, uint64(p.roundEnd), uint64(p.roundBegan))
	if p.sending != nil {
		h = fold2(h, uint64(p.sending.LastIndex))
	}
	for i := range p.count {
		h = fold2(h, uint64(p.inflight[(p.head+i)%len(p.inflight)]))
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
		h = fold3(fold3(h, w.round, uint64(w.index)), uint64(w.from), w.id)
		h = fold2(h, e.hash())
	}
	return h
}

func foldSet(h uint64, s protocols.NodeSet) uint64 {
	low, high := s.Words()
	return fold3(h, low, high)
}
