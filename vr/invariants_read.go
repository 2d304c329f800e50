package vr

import "github.com/lockstep-sim/lockstep/protocols"

// VR-I11 is about what an answer to a read rests on: a primary that was replaced does
// not know it, and a history shows that only where another has written meanwhile what is
// read.

// watchReads takes in a read that a step was asked.
func (w *watcher) watchReads(m *protocols.Moment, n *Node) {
	if c := &m.Event.Command; m.Event.Kind == protocols.Request && c.Kind == protocols.Read {
		w.reads.Arrived(m.Node, c, uint64(n.view))
	}
}

// effects goes through what a step notes and answers, in order: what is answered rests
// on what was noted before.
func (w *watcher) effects(m *protocols.Moment, n *Node) {
	for i := range m.Effects.List {
		switch e := &m.Effects.List[i]; e.Kind {
		case protocols.EffectNote:
			w.noted(m, &m.Effects.Notes[e.Note])
		case protocols.EffectReply, protocols.EffectReplyEarly:
			w.answered(m, n, &m.Effects.Answers[e.Answer])
		}
	}
}

// answered judges an answer to a client.
func (w *watcher) answered(m *protocols.Moment, n *Node, a *protocols.Answer) {
	if len(m.Found) > 0 {
		return // what the answer rests on is wrong already
	}
	if a.Command.Kind == protocols.Follow {
		return // it gets what is committed, as far as the replica knows
	}
	if reached := w.committed.Last(); a.Result.Position > reached {
		m.Violate(commitEvidence, "%v answers %v of %v with operation %d, but a quorum has acknowledged only up to %d", m.Node, a.Command, a.Command.Client, a.Result.Position, reached)
		return
	}
	if w.judgesReads && a.Command.Kind == protocols.Read {
		if wrong := w.reads.Judge(m.Node, a, uint64(n.view), m.Event.Now, n.quorum); wrong != "" {
			m.Violate(readEvidence, "%v answers %v of %v in view %v: %s", m.Node, a.Command, a.Command.Client, n.view, wrong)
		}
	}
	w.reads.Shows(a.Result.Position)
}
