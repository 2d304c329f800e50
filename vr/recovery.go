package vr

import "github.com/lockstep-sim/lockstep/protocols"

// recovery is what a node that has lost its state knows so far (§4.3).
type recovery struct {
	nonce uint64
	// life is, with crash vectors, the incarnation that this life has taken; 0: none yet.
	life    uint64
	from    protocols.NodeSet
	answers []answer // by node id
}

// answer is what a RecoveryResponse brought.
type answer struct {
	view    View
	members protocols.NodeSet // of the epoch of view
	primary bool
	commit  protocols.Index
	log     Tail
	vector  []uint64
}

func (n *Node) startRecovery(nonce uint64, out *protocols.Effects) {
	n.recovery.nonce = nonce
	n.sendRecovery(out)
	out.SetTimer(timerResend, n.parameters.Resend)
}

func (n *Node) sendRecovery(out *protocols.Effects) {
	// It does not know who makes up the group now.
	others := n.replicas.Without(n.id)
	for peer := others.Next(protocols.Nobody); peer != protocols.Nobody; peer = others.Next(peer) {
		// Early: a question of a node without a disk.
		protocols.SendEarly(out, peer, Recovery{Nonce: n.recovery.nonce, Vector: n.vector})
	}
}

// onRecovery answers in status normal only: a node in a view change does not know
// which view will be in force.
func (n *Node) onRecovery(from protocols.NodeID, m *Recovery, out *protocols.Effects) {
	if n.variant == durable || from == n.id || n.status != normal || n.behind() || !n.members.Has(from) {
		return
	}
	// Nothing in it can be stale: an answer to an earlier life has that life's nonce.
	n.learn(from, m.Vector, out)
	answer := RecoveryResponse{View: n.view, Members: n.members, Nonce: m.Nonce, Vector: n.vector}
	if n.leading {
		answer.Primary, answer.Op, answer.Commit, answer.Log = true, n.log.Last(), n.commit, n.wholeTail()
	}
	protocols.Send(out, from, answer)
}

func (n *Node) onRecoveryResponse(from protocols.NodeID, m *RecoveryResponse, out *protocols.Effects) {
	r := &n.recovery
	if m.Nonce != r.nonce && !n.bugs.anyNonce { // V-01
		return // to an earlier life
	}
	why := impossibleLog(&m.Log, m.View, m.Op, m.Commit)
	if why != "" || from == n.id || !m.Members.Has(n.id) || m.Primary && (from != primaryOf(m.Members.Slice(), m.View) || !n.fits(&m.Log, 0)) {
		n.drop(out, "a state that no replica has")
		return
	}
	if !n.learn(from, m.Vector, out) {
		return
	}
	r.from = r.from.With(from)
	r.answers[from] = answer{view: m.View, members: m.Members, primary: m.Primary, commit: m.Commit, log: m.Log, vector: m.Vector}
	n.dropStale()
	latest := r.latest()
	if !latest.enough {
		return
	}
	if n.vector != nil && (r.life == 0 || r.life != n.vector[n.id]) {
		n.takeIncarnation(epochOf(latest.view), out)
		return
	}
	n.finishRecovery(latest, out)
}

// latest is the latest view among the answers, who of them is its primary or Nobody,
// and whether f+1 members of its epoch have answered in it.
type latest struct {
	view   View
	source protocols.NodeID
	enough bool
}

func (r *recovery) latest() latest {
	var l latest
	var members protocols.NodeSet
	for id := r.from.Next(protocols.Nobody); id != protocols.Nobody; id = r.from.Next(id) {
		if a := &r.answers[id]; a.view >= l.view {
			l.view, members = a.view, a.members
		}
	}
	count := 0
	for id := r.from.Next(protocols.Nobody); id != protocols.Nobody; id = r.from.Next(id) {
		a := &r.answers[id]
		if epochOf(a.view) == epochOf(l.view) && members.Has(id) {
			count++
		}
		if a.primary && (l.source == protocols.Nobody || a.view > r.answers[l.source].view) {
			l.source = id
		}
	}
	l.enough = count >= protocols.MajoritySize(members.Len())
	return l
}

// unsettled returns why nobody may recover with a state, or "". Where the log ends
// with a reconfiguration that may be committed, an earlier life of this node may have
// taken part in the next epoch, which only members of that can tell.
func (n *Node) unsettled(a *answer) string {
	last := len(a.log.Entries) - 1
	if last >= 0 && !a.log.Entries[last].Members.Empty() && a.log.last() > a.commit {
		return "a state at the end of its epoch"
	}
	if c, ok := n.leadsTo(&a.log, 0, a.commit); !n.bugs.withoutPrimary && (!ok || c.epoch != epochOf(a.view)) {
		return "a log that does not lead to its epoch"
	}
	return ""
}

// finishRecovery takes over the state of the primary of the latest view among f+1 answers
// (§4.3).
func (n *Node) finishRecovery(l latest, out *protocols.Effects) {
	r := &n.recovery
	state := &answer{view: l.view}
	if l.source != protocols.Nobody {
		state = &r.answers[l.source]
	}
	if !state.primary || state.view != l.view {
		if !n.bugs.withoutPrimary { // V-02
			return
		}
	}
	if why := n.unsettled(state); why != "" {
		n.drop(out, why)
		return
	}
	n.adopt(l.view, &state.log, 0, out)
	n.advanceCommit(min(state.commit, n.log.Last()), out)
	n.becomeNormal(out)
	n.promise(protocols.Nobody)
	r.from = protocols.NodeSet{}
	clear(r.answers)
}
