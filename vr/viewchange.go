package vr

import "github.com/lockstep-sim/lockstep/protocols"

// change is what this node knows of the view change that it takes part in, to
// Node.view. Positions are node ids.
type change struct {
	// joined are the others whose StartViewChange has come.
	joined protocols.NodeSet
	lives  []uint64 // crash-vectors: the incarnation in which each joined
	// sent: this node has sent its log to the new primary.
	sent bool
	// from are those whose logs have come, to the new primary only.
	from protocols.NodeSet
	logs []offer
}

// offer is what a DoViewChange brought.
type offer struct {
	lastNormal View
	op, commit protocols.Index
	log        Tail
	vector     []uint64
}

func (n *Node) onViewTimeout(out *protocols.Effects) {
	if n.leading || !n.serving() {
		return
	}
	// Also in a view change: its primary may be the next one that is dead.
	n.startViewChange(max(n.view, n.transfer.view)+1, out)
}

// startViewChange leaves the view for a later one, or, after a restart, goes on
// with it (§4.2). It is the only place where a node promises a view.
func (n *Node) startViewChange(view View, out *protocols.Effects) {
	n.resign(protocols.Nobody, out)
	n.view, n.status = view, viewChange
	n.transfer = transfer{}
	n.ahead.clear()
	n.clearChange()
	n.saveViewState(out)
	// Every view draws its timeout afresh; re-arming within one does not.
	out.CancelTimer(timerView)
	n.armView(out)
	out.SetTimer(timerResend, n.parameters.Resend)
	n.sendStartViewChange(out)
	n.doViewChange(out)       // the gate is open for who needs no others
	if n.bugs.ackAfterLeave { // V-08
		n.sendDoViewChange(out)
	}
}

func (n *Node) clearChange() {
	c := &n.change
	c.joined, c.from, c.sent = protocols.NodeSet{}, protocols.NodeSet{}, false
	clear(c.lives)
	clear(c.logs)
}

func (n *Node) sendStartViewChange(out *protocols.Effects) {
	for _, peer := range n.peers {
		m := StartViewChange{View: n.view, Vector: n.vector}
		if n.bugs.earlyPromise { // V-16
			protocols.SendEarly(out, peer, m)
			continue
		}
		// Gated: the promise to take part in no earlier view must outlive a crash.
		protocols.Send(out, peer, m)
	}
}

func (n *Node) onStartViewChange(from protocols.NodeID, m *StartViewChange, out *protocols.Effects) {
	if from == n.id || !n.join(from, m.View, m.Vector, out) {
		return
	}
	n.change.joined = n.change.joined.With(from)
	if n.vector != nil {
		n.change.lives[from] = m.Vector[from]
		n.dropStale()
	}
	n.doViewChange(out)
}

// join enters the view change to view, for which a message of from has come. It
// returns false when the message is not to be counted.
func (n *Node) join(from protocols.NodeID, view View, vector []uint64, out *protocols.Effects) bool {
	if outOfRange(view) {
		n.drop(out, "view out of range")
		return false
	}
	if epochOf(view) < n.config.epoch {
		n.sendStartEpoch(protocols.Nodes(from), out) // it does not know that its epoch is over
		return false
	}
	if !n.ofEpoch(from, view, out) {
		return false
	}
	if !n.learn(from, vector, out) {
		return false
	}
	if view > n.view && view >= n.transfer.view {
		if n.leading || from == n.promised {
			n.quietUntil = 0 // whoever could hold the lease gives it up, or has
		}
		if n.now >= n.quietUntil || n.bugs.breakLease { // V-19
			n.startViewChange(view, out)
		}
	}
	return view == n.view && n.status == viewChange
}

// doViewChange sends this node's log to the new primary once f others are known to
// have left the earlier views (§4.2). The gate is what recovery rests on: f+1
// replicas know of a view before any log is sent for it. No log is sent while this
// node may be counted for a lease.
func (n *Node) doViewChange(out *protocols.Effects) {
	if n.change.sent || n.now < n.quietUntil && !n.bugs.breakLease /* V-19 */ || n.change.joined.Len() < n.others()-int(bit(n.bugs.shortQuorum)) { // V-07
		return
	}
	n.change.sent = true
	n.armView(out)
	n.sendDoViewChange(out)
}

func (n *Node) sendDoViewChange(out *protocols.Effects) {
	m := DoViewChange{View: n.view, LastNormal: n.lastNormal, Op: n.log.Last(), Commit: n.commit, Log: n.wholeTail(), Vector: n.vector}
	if n.bugs.earlyPromise { // V-16
		protocols.SendEarly(out, n.primary(n.view), m)
		return
	}
	// Gated: log and promise must outlive a crash.
	protocols.Send(out, n.primary(n.view), m)
}

func (n *Node) onDoViewChange(from protocols.NodeID, m *DoViewChange, out *protocols.Effects) {
	if why := impossibleLog(&m.Log, m.View, m.Op, m.Commit); why != "" || m.LastNormal > m.View {
		n.drop(out, "a log that no replica has")
		return
	}
	if epochOf(m.View) == n.config.epoch && n.primary(m.View) != n.id {
		n.drop(out, "a log for another primary")
		return
	}
	if !n.join(from, m.View, m.Vector, out) {
		return
	}
	c := &n.change
	c.from = c.from.With(from)
	c.logs[from] = offer{lastNormal: m.LastNormal, op: m.Op, commit: m.Commit, log: m.Log, vector: m.Vector}
	n.dropStale()
	n.startView(out)
}

// better reports whether p's log is to be preferred to q's.
func (n *Node) better(p, q *offer) bool {
	if p.lastNormal != q.lastNormal && !n.bugs.longestLog { // V-05
		return p.lastNormal > q.lastNormal
	}
	return p.op > q.op
}

// startView begins the view with the best of f+1 logs, this node's own included
// (§4.2): the longest of those that were normal in the latest view.
func (n *Node) startView(out *protocols.Effects) {
	c := &n.change
	if need := n.others() + 1 - int(bit(n.bugs.shortQuorum)); !c.from.Has(n.id) || c.from.Len() < need { // V-07
		return
	}
	best := n.id
	commit, lowest := n.commit, n.commit
	for id := c.from.Next(protocols.Nobody); id != protocols.Nobody; id = c.from.Next(id) {
		if n.better(&c.logs[id], &c.logs[best]) {
			best = id
		}
		commit, lowest = max(commit, c.logs[id].commit), min(lowest, c.logs[id].commit)
	}
	log := &c.logs[best].log
	if best != n.id {
		if !n.fits(log, n.commit) {
			n.drop(out, "a log that lacks what is committed")
			c.from = c.from.Without(best)
			return
		}
		n.adopt(n.view, log, n.commit, out)
	} else {
		n.lastNormal = n.view
		n.saveViewState(out)
	}
	n.becomeNormal(out)
	n.sendStartView(max(lowest, n.log.First()-1), min(commit, n.log.Last()), out)
	n.advanceCommit(min(commit, n.log.Last()), out)
	for i := range c.logs {
		c.logs[i].log = Tail{}
	}
}

// sendStartView sends what follows after: those who gave their logs have committed
// at least that. Others that lack more fetch it.
func (n *Node) sendStartView(after, commit protocols.Index, out *protocols.Effects) {
	m := StartView{View: n.view, Op: n.log.Last(), Commit: commit, Log: Tail{After: after, Entries: n.entriesAfter(after)}}
	for _, peer := range n.peers {
		// Early: that this node leads the view was settled by durable promises, its own
		// included. Should it crash before its log is durable, it leaves the view.
		protocols.SendEarly(out, peer, m)
	}
}

func (n *Node) onStartView(from protocols.NodeID, m *StartView, out *protocols.Effects) {
	if why := impossibleLog(&m.Log, m.View, m.Op, m.Commit); why != "" {
		n.drop(out, why)
		return
	}
	switch {
	case !n.ofEpoch(from, m.View, out):
	case from != n.primary(m.View) || from == n.id:
		n.drop(out, "sender is not the primary of the view")
	case m.View < n.view || m.View < n.transfer.view || m.View == n.view && n.status == normal:
	case n.fits(&m.Log, n.commit):
		n.enterView(m.View, &m.Log, n.commit, m.Commit, out)
	default:
		n.fetchView(m.View, from, out)
	}
}

// onResend sends again what has not been answered.
func (n *Node) onResend(out *protocols.Effects) {
	switch {
	case n.status == recovering && n.bugs.askOnce: // V-21
		return
	case n.status == recovering:
		n.sendRecovery(out)
	case n.isLeaving():
		n.sendStartEpoch(n.members.Minus(n.started), out)
	case n.status == viewChange:
		n.sendStartViewChange(out)
		if n.change.sent {
			n.sendDoViewChange(out)
		} else {
			n.doViewChange(out)
		}
		if n.transfer.active {
			n.getState(out)
		}
	case n.transfer.active:
		n.getState(out)
	default:
		return
	}
	out.SetTimer(timerResend, n.parameters.Resend)
}
