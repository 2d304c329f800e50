package primarybackup

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Fork implements [protocols.Forker]. Entries and checkpoints are never changed in
// place, so the copies share them.
func (n *Node) Fork() protocols.Node {
	f := *n
	f.log, f.execute = n.log.Fork(), n.execute.Fork()
	f.aside = slices.Clone(n.aside)
	f.match, f.confirmed = slices.Clone(n.match), slices.Clone(n.confirmed)
	f.progress, f.proposed, f.reads = slices.Clone(n.progress), slices.Clone(n.proposed), slices.Clone(n.reads)
	switch {
	case n.visible == &n.execute:
		f.visible = &f.execute
	case n.visible != nil:
		x := n.visible.Fork()
		f.visible = &x
	}
	if n.ahead != nil {
		x := n.ahead.Fork()
		f.ahead = &x
	}
	return &f
}

// Hash implements [protocols.Forker].
func (n *Node) Hash() uint64 {
	d := newDigest().view(&n.view).word(n.holds).word(n.baseEpoch).index(n.log.First()).index(n.log.Last())
	for i := n.log.First(); i <= n.log.Last(); i++ {
		d = d.word(n.log.At(i).hash())
	}
	d = d.word(uint64(n.role)).life(n.life).word(uint64(n.echo)).index(n.commit).index(n.verified)
	d = d.word(uint64(len(n.aside)))
	for i := range n.aside {
		d = d.word(n.aside[i].Digest())
	}
	return uint64(n.primaryState.fold(d.executor(&n.execute)))
}

func (p *primaryState) fold(d digest) digest {
	d = d.index(p.start).set(p.holders).flag(p.synced).flag(p.resumes).set(p.led).set(p.targets)
	d = d.index(p.acked).index(p.answered).executor(p.visible).executor(p.ahead)
	d = d.flag(p.degraded).flag(p.refusing).flag(p.waiting)
	d = d.word(p.round).word(uint64(p.roundAt)).word(uint64(p.leaseUntil))
	for i := range p.match {
		g := &p.progress[i]
		d = d.index(p.match[i]).index(p.confirmed[i])
		d = d.index(g.next).flag(g.probing).index(g.transfer).word(uint64(g.since)).word(uint64(g.grew)).index(g.mended).word(uint64(g.heard)).word(uint64(g.steady)).word(uint64(g.drops))
	}
	d = d.word(uint64(len(p.proposed)))
	for _, seq := range p.proposed {
		d = d.word(seq)
	}
	d = d.word(uint64(len(p.reads)))
	for i := range p.reads {
		d = d.word(p.reads[i].command.Hash()).word(p.reads[i].round)
	}
	return d
}

// Fork implements [protocols.Forker].
func (s *Service) Fork() protocols.Node {
	f := *s
	f.heard = slices.Clone(s.heard)
	return &f
}

// Hash implements [protocols.Forker].
func (s *Service) Hash() uint64 {
	d := newDigest().view(&s.state.View).word(s.state.Acked).set(s.state.Holders)
	d = d.flag(s.stopped).word(uint64(s.boot)).word(uint64(s.granted))
	for i := range s.heard {
		d = d.word(uint64(s.heard[i].at)).word(s.heard[i].Digest())
	}
	return uint64(d)
}

func (d digest) view(v *View) digest {
	return d.word(v.Number).word(uint64(v.Primary)).life(v.Life).set(v.Backups)
}

// executor digests a state, or that there is none.
func (d digest) executor(x *protocols.Executor) digest {
	if x == nil {
		return d.flag(false)
	}
	return d.flag(true).index(x.Applied).word(x.Hash())
}
