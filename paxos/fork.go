package paxos

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Fork implements [protocols.Forker].
func (n *Node) Fork() protocols.Node {
	f := *n
	f.execute = n.execute.Fork()
	f.slots.ring = slices.Clone(n.slots.ring)
	f.configurations = slices.Clone(n.configurations)
	f.inherit, f.queue, f.proposed = slices.Clone(n.inherit), slices.Clone(n.queue), slices.Clone(n.proposed)
	f.acked, f.waiting = slices.Clone(n.acked), slices.Clone(n.waiting)
	return &f
}

// Hash implements [protocols.Forker].
func (n *Node) Hash() uint64 {
	h := fold3(uint64(n.promised), uint64(n.role), uint64(n.leader))
	h = fold3(h, uint64(n.execute.Applied), n.execute.Hash())
	h = fold3(h, n.seen, uint64(n.asked))
	h = fold2(h, uint64(n.hinted))
	h = fold3(h, uint64(n.quietUntil), uint64(n.quietFor))
	h = fold3(h, uint64(n.current), uint64(len(n.configurations)))
	for i := range n.configurations {
		c := &n.configurations[i]
		h = foldSet(fold2(h, uint64(c.From)), c.Members)
	}
	return n.rounds.fold(n.proposer.fold(n.slots.fold(h)))
}

func (s *slots) fold(h uint64) uint64 {
	h = fold3(h, uint64(s.base), uint64(s.last))
	h = fold2(h, uint64(len(s.ring)))
	for i := s.base + 1; i <= s.last; i++ {
		at := s.at(i)
		h = foldSet(fold3(h, uint64(at.ballot), bit(at.chosen)), at.votes)
		h = fold2(h, at.value.hash())
	}
	return h
}

func (p *proposer) fold(h uint64) uint64 {
	h = foldSet(foldSet(h, p.promises), p.heard)
	h = fold3(h, uint64(p.first), uint64(p.next))
	h = fold3(foldPvalues(h, p.inherit), uint64(p.used), uint64(p.inherited))
	h = fold3(h, uint64(p.compacted), uint64(p.flushTo))
	h = fold3(h, uint64(p.overdue), bit(p.normal))
	h = fold3(h, uint64(len(p.queue)), uint64(p.queueHead))
	for i := range p.queue {
		h = fold2(h, p.queue[i].Hash())
	}
	for _, seq := range p.proposed {
		h = fold2(h, seq)
	}
	return fold2(h, uint64(len(p.proposed)))
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
		h = fold3(h, r.waiting[i].round, r.waiting[i].command.Hash())
	}
	return h
}
