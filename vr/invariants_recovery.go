package vr

import "github.com/lockstep-sim/lockstep/protocols"

// VR-I12 is about what a view change and a recovery rest on (§4.2, §4.3): what a replica
// without a disk has forgotten it learns from f+1 others, in answer to this life, and from the primary
// of the latest view that they know of.

// ghostRecovery is what a life that has lost its state was told.
type ghostRecovery struct {
	active  bool
	nonce   uint64
	answers []ghostAnswer // the last of each replica
}

type ghostAnswer struct {
	from    protocols.NodeID
	view    View
	primary bool
	members protocols.NodeSet
}

// heard takes in an answer. One to an earlier life says nothing of what was promised
// since.
func (r *ghostRecovery) heard(from protocols.NodeID, m *RecoveryResponse) {
	if !r.active || m.Nonce != r.nonce {
		return
	}
	a := ghostAnswer{from, m.View, m.Primary, m.Members}
	for i := range r.answers {
		if r.answers[i].from == from {
			r.answers[i] = a
			return
		}
	}
	r.answers = append(r.answers, a)
}

// checkRecovery follows a recovery, and judges its end.
func (w *watcher) checkRecovery(m *protocols.Moment, n *Node, g *ghostNode) {
	r := &g.told
	if m.Event.Kind == protocols.Start {
		*r = ghostRecovery{active: n.status == recovering, nonce: m.Event.Nonce, answers: r.answers[:0]}
	}
	if !r.active || n.status == recovering || n.status == stopped {
		return
	}
	r.active = false
	var latest ghostAnswer
	for _, a := range r.answers {
		if a.view > latest.view || latest.from == protocols.Nobody || a.view == latest.view && a.primary {
			latest = a
		}
	}
	count := 0
	for _, a := range r.answers {
		if epochOf(a.view) == epochOf(latest.view) && latest.members.Has(a.from) {
			count++
		}
	}
	switch {
	case count < protocols.MajoritySize(latest.members.Len()):
		m.Violate(changeEvidence, "%v comes back in view %v after %d answers to this life of those who make up the group", m.Node, n.view, count)
	case w.variant == crashVectors: // answers may have been discounted since
	case !latest.primary || n.view < latest.view:
		m.Violate(changeEvidence, "%v comes back in view %v, but %v has told it of view %v, and its primary nothing", m.Node, n.view, latest.from, latest.view)
	}
}

// checkAnswer: only who is normal, and knows of no later view, answers who recovers.
func (w *watcher) checkAnswer(m *protocols.Moment, n *Node) {
	if n.status == normal && !n.behind() {
		return
	}
	for i := range m.Effects.List {
		if _, ok := m.Effects.List[i].Message.(*RecoveryResponse); ok {
			m.Violate(changeEvidence, "%v answers %v, which recovers, while it takes part in a view change or lacks the state of its view", m.Node, m.Event.From)
		}
	}
}
