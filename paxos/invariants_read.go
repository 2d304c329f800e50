package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// PX-I7 is about what an answer to a read rests on: a leader that was replaced does not
// know it, and a history shows that only where another has written meanwhile what is
// read.

// rounded is by how much times of different clocks differ for being whole numbers.
const rounded protocols.Duration = 1_000

// forget drops what a node claims to be.
func (w *watcher) forget(id protocols.NodeID) {
	w.nodes[id].forget()
	w.reads.Resigns(id)
}

// watchReads takes in what a step says about reads.
func (w *watcher) watchReads(m *protocols.Moment, n *Node) {
	switch m.Event.Kind {
	case protocols.Request:
		if c := &m.Event.Command; c.Kind == protocols.Read {
			w.reads.Arrived(m.Node, c, uint64(n.promised))
		}
	case protocols.Receive:
		if v, ok := m.Event.Message.(*HeartbeatResponse); ok {
			w.reads.Heard(m.Node, m.Event.From, uint64(v.Ballot), v.Round)
		}
	}
}

// effects goes through what a step notes and answers, in order: what is answered rests
// on what was noted before.
func (w *watcher) effects(m *protocols.Moment, n *Node) {
	for i := range m.Effects.List {
		switch e := &m.Effects.List[i]; e.Kind {
		case protocols.EffectNote:
			w.noted(m, n, &m.Effects.Notes[e.Note])
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
		return // it gets what is chosen, as far as the replica knows
	}
	if a.Result.Position > w.chosen {
		m.Violate(executedIsChosen, "%v answers %v of %v with slot %d, but only those up to %d are chosen", m.Node, a.Command, a.Command.Client, a.Result.Position, w.chosen)
		return
	}
	if w.judgesReads && a.Command.Kind == protocols.Read {
		if wrong := w.reads.Judge(m.Node, a, uint64(n.promised), m.Event.Now, w.confirming(n)); wrong != "" {
			m.Violate(readEvidence, "%v answers %v of %v at ballot %v: %s", m.Node, a.Command, a.Command.Client, n.promised, wrong)
		}
	}
	w.reads.Shows(a.Result.Position)
}

// confirming returns who has to confirm the leader n: those who meet every phase 1
// quorum of the configuration that decides its next slot. While members change, those
// of the next one have to as well, once they have promised its ballot; that much is not
// judged.
func (w *watcher) confirming(n *Node) protocols.Quorum {
	members := n.governing(n.execute.Applied + 1).Members
	q1, _ := w.parameters.sizes(members.Len())
	return protocols.Threshold{Of: members, Size: members.Len() - q1 + 1}
}

// checkPromises: a lease ends before the first of those may promise another ballot who
// answered its round (PML §5.2). The holder's clock may be slow by the bound, and theirs
// fast.
func (w *watcher) checkPromises(m *protocols.Moment, n *Node, until protocols.Time) {
	left, ok := w.reads.Confirmed(m.Node, w.confirming(n), m.Now)
	w.reads.Leased(m.Node, until)
	if !ok {
		m.Violate(readEvidence, "%v takes a lease of ballot %v, but nobody has answered a round that left at it who meets every phase 1 quorum", m.Node, n.promised)
		return
	}
	drift, rest := w.parameters.MaxDrift, until.Sub(m.Event.Now)
	end := m.Now.Add(rest + scale(rest, drift, billion-drift))
	promised := left.Add(scale(w.parameters.ElectionTimeout.Min, billion, billion+drift))
	if end > promised.Add(rounded) {
		m.Violate(readEvidence, "%v takes a lease of ballot %v that may last until %v, but those who answered its round promise nothing after %v", m.Node, n.promised, end, promised)
	}
}
