package raft

import "github.com/lockstep-sim/lockstep/protocols"

// R-I12 is about what an answer to a read rests on (§6.4, §6.4.1): a leader that was
// replaced does not know it, and a history shows that only where another has written
// meanwhile what is read.

// ghostAsked is a read at a follower: it has asked the leader for an index.
type ghostAsked struct {
	client protocols.NodeID
	seq    uint64
	id     uint64          // of the question
	index  protocols.Index // of the answer; 0: none yet
}

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
			w.reads.Arrived(m.Node, c, n.term)
		}
	case protocols.Receive:
		switch v := m.Event.Message.(type) {
		case *HeartbeatResponse:
			w.reads.Heard(m.Node, m.Event.From, v.Term, v.Round)
		case *ReadIndex:
			w.reads.Asked(m.Node, m.Event.From, v.ID, n.term)
		case *ReadIndexResponse:
			w.told(m.Node, v)
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
		case protocols.EffectSendEarly:
			switch v := e.Message.(type) {
			case *ReadIndex:
				w.asks(m, v.ID)
			case *ReadIndexResponse:
				w.answeredIndex(m, n, e.To, v)
			}
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
		m.Violate(commitEvidence, "%v answers %v of %v with index %d, but a quorum has durably stored only up to %d", m.Node, a.Command, a.Command.Client, a.Result.Position, reached)
		return
	}
	if !w.judgesReads {
		return
	}
	if a.Command.Kind == protocols.Read {
		wrong := ""
		if w.reads.Leading(m.Node) {
			wrong = w.reads.Judge(m.Node, a, n.term, m.Event.Now, w.confirming(m.Node, n))
		} else {
			wrong = w.followed(m.Node, a)
		}
		if wrong != "" {
			m.Violate(readEvidence, "%v answers %v of %v in term %d: %s", m.Node, a.Command, a.Command.Client, n.term, wrong)
		}
	}
	w.reads.Shows(a.Result.Position)
}

// answeredIndex judges a leader's answer to a follower.
func (w *watcher) answeredIndex(m *protocols.Moment, n *Node, to protocols.NodeID, v *ReadIndexResponse) {
	if v.Index == 0 {
		return
	}
	if wrong := w.reads.JudgeIndex(m.Node, to, v.ID, v.Index, n.term, m.Event.Now, w.confirming(m.Node, n)); wrong != "" {
		m.Violate(readEvidence, "%v tells %v in term %d that a read may be answered at index %d: %s", m.Node, to, n.term, v.Index, wrong)
	}
}

// confirming returns who had to confirm the leader n before this step, in which it may
// have changed the configuration after it had answered.
func (w *watcher) confirming(id protocols.NodeID, n *Node) protocols.Quorum {
	if before := w.nodes[id].inForce; before != nil && before != n.configuration() {
		return before.quorum()
	}
	return n.quorum
}

// asks takes in that a follower asks for the index of a read that has arrived.
func (w *watcher) asks(m *protocols.Moment, id uint64) {
	if m.Event.Kind != protocols.Request {
		return
	}
	c, g := &m.Event.Command, &w.nodes[m.Node]
	for i := range g.asked {
		if g.asked[i].client == c.Client {
			g.asked[i] = ghostAsked{client: c.Client, seq: c.Seq, id: id}
			return
		}
	}
	g.asked = append(g.asked, ghostAsked{client: c.Client, seq: c.Seq, id: id})
}

// told takes in an index that a follower was told. Of the answers to copies of a question
// each will do, so that the lowest has to be executed.
func (w *watcher) told(id protocols.NodeID, v *ReadIndexResponse) {
	g := &w.nodes[id]
	for i := range g.asked {
		if r := &g.asked[i]; r.id == v.ID && v.Index != 0 && (r.index == 0 || v.Index < r.index) {
			r.index = v.Index
		}
	}
}

// followed returns what is wrong with a follower's answer, or "".
func (w *watcher) followed(id protocols.NodeID, a *protocols.Answer) string {
	g := &w.nodes[id]
	for i := range g.asked {
		r := g.asked[i]
		switch {
		case r.client != a.Command.Client || r.seq != a.Command.Seq:
			continue
		case r.index == 0:
			return "the leader has not told it the index for this read"
		case a.Result.Position < r.index:
			return "it has not executed the index that the leader has told it"
		}
		return ""
	}
	return "it does not lead, and has not asked who does"
}

// leased judges a lease. How the node's clock will run is not known here; it may be
// fast by the bound, so the lease is taken to last as long as it surely does.
func (w *watcher) leased(m *protocols.Moment, n *Node, note *protocols.Note) {
	rest := note.Until.Sub(m.Event.Now)
	if rest <= 0 {
		return
	}
	w.checkPromises(m, n, note.Epoch, rest)
	w.reads.Leased(m.Node, note.Until)
	end := m.Now.Add(scale(rest, billion, billion+w.drift))
	g := &w.nodes[m.Node]
	g.leaseTerm, g.leaseEnd = note.Epoch, end
	if w.highestLed > note.Epoch && m.Now < end {
		m.Violate(leaseExclusion, "%v takes the lease of term %d until %v, but term %d has a leader", m.Node, note.Epoch, end, w.highestLed)
	}
}

// checkPromises: a lease ends before the first of those may vote who answered its round
// (§6.4.1). The holder's clock may be slow by the bound, and theirs fast.
func (w *watcher) checkPromises(m *protocols.Moment, n *Node, term uint64, rest protocols.Duration) {
	left, ok := w.reads.Confirmed(m.Node, n.quorum, m.Now)
	if !ok {
		m.Violate(readEvidence, "%v takes a lease of term %d, but no quorum has answered a round that left in it", m.Node, term)
		return
	}
	end := m.Now.Add(rest + scale(rest, w.drift, billion-w.drift))
	promised := left.Add(scale(w.promise, billion, billion+w.drift))
	if end > promised.Add(rounded) {
		m.Violate(readEvidence, "%v takes a lease of term %d that may last until %v, but those who answered its round promise nothing after %v", m.Node, term, end, promised)
	}
}
