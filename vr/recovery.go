package vr

import "github.com/lockstep-sim/lockstep/protocols"

// recovery is what a node that has lost its state knows so far (§4.3).
type recovery struct {
	nonce uint64
	// named: crash-vectors: this life has its incarnation.
	named   bool
	from    protocols.NodeSet
	answers []answer // by node id
}

// answer is what a RecoveryResponse brought.
type answer struct {
	view    uint64
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
	for _, peer := range n.peers {
		// Early: a question of a node without a disk.
		protocols.SendEarly(out, peer, Recovery{Nonce: n.recovery.nonce, Vector: n.vector})
	}
}

// onRecovery answers in status normal only: a node in a view change does not know
// which view will be in force.
func (n *Node) onRecovery(from protocols.NodeID, m *Recovery, out *protocols.Effects) {
	if n.variant == durable || from == n.id || n.status != normal || n.behind() {
		return
	}
	// Nothing in it can be stale: an answer to an earlier life has that life's nonce.
	n.learn(from, m.Vector, out)
	answer := RecoveryResponse{View: n.view, Nonce: m.Nonce, Vector: n.vector}
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
	if why != "" || from == n.id || m.Primary && (from != n.primary(m.View) || !n.fits(&m.Log, 0)) {
		n.drop(out, "a state that no replica has")
		return
	}
	if !n.learn(from, m.Vector, out) {
		return
	}
	r.from = r.from.With(from)
	r.answers[from] = answer{view: m.View, primary: m.Primary, commit: m.Commit, log: m.Log, vector: m.Vector}
	n.dropStale()
	if r.from.Len() <= n.others() {
		return
	}
	if n.vector != nil && !r.named {
		n.takeIncarnation(out)
		return
	}
	n.finishRecovery(out)
}

// finishRecovery takes over the state of the primary of the latest view among f+1 answers
// (§4.3).
func (n *Node) finishRecovery(out *protocols.Effects) {
	r := &n.recovery
	latest, source := uint64(0), protocols.Nobody
	for id := r.from.Next(protocols.Nobody); id != protocols.Nobody; id = r.from.Next(id) {
		if a := &r.answers[id]; a.view > latest {
			latest = a.view
		}
		if a := &r.answers[id]; a.primary && (source == protocols.Nobody || a.view > r.answers[source].view) {
			source = id
		}
	}
	state := &answer{view: latest}
	if source != protocols.Nobody {
		state = &r.answers[source]
	}
	if !state.primary || state.view != latest {
		if !n.bugs.withoutPrimary { // V-02
			return
		}
	}
	n.adopt(latest, &state.log, 0, out)
	n.becomeNormal(out)
	n.promise(protocols.Nobody)
	n.advanceCommit(min(state.commit, n.log.Last()), out)
	r.from = protocols.NodeSet{}
	clear(r.answers)
}
