package vr

import (
	"strconv"

	"github.com/lockstep-sim/lockstep/protocols"
)

// View is a view of an epoch (§7) as one number: the epoch in the upper bits and the
// view-number, which begins at 0 in each epoch, in the lower ones. So a message that
// names a view names its epoch, and views of all epochs are in order.
type View uint64

const (
	viewBits = 40
	viewMask = 1<<viewBits - 1
	// maxView bounds view numbers within an epoch, and maxEpoch epochs, so that the
	// next one always exists.
	maxView  = 1 << (viewBits - 1)
	maxEpoch = 1 << 22

	noView = View(1<<64 - 1) // no node can be in it
)

func epochOf(view View) uint64    { return uint64(view >> viewBits) }
func firstView(epoch uint64) View { return View(epoch) << viewBits }

// outOfRange reports whether no correct node can be in a view.
func outOfRange(view View) bool { return view&viewMask > maxView || epochOf(view) >= maxEpoch }

// String prints the number in the first epoch, and 2.5 for view 5 of epoch 2.
func (v View) String() string {
	number := strconv.FormatUint(uint64(v&viewMask), 10)
	if epochOf(v) == 0 {
		return number
	}
	return strconv.FormatUint(epochOf(v), 10) + "." + number
}

// configuration is who makes up the group in an epoch.
type configuration struct {
	epoch   uint64
	start   protocols.Index   // op-number of the reconfiguration that began it; 0 in the first
	members protocols.NodeSet // the paper's configuration
	old     protocols.NodeSet // the members of the epoch before
}

// next returns the configuration after c, which e, executed as operation op, begins.
func (c *configuration) next(e *Entry, op protocols.Index) configuration {
	return configuration{epoch: c.epoch + 1, start: op, members: e.Members, old: c.members}
}

// primaryOf returns the primary of a view, given the members of its epoch in order:
// they take turns (§4).
func primaryOf(order []protocols.NodeID, view View) protocols.NodeID {
	if len(order) == 0 {
		return protocols.Nobody
	}
	return order[int(uint64(view&viewMask)%uint64(len(order)))]
}

// configure makes c the configuration, which follows what is executed.
func (n *Node) configure(c configuration) {
	known := c.members.And(n.replicas) // an operator can name no others
	if known.Empty() {
		known = n.members
	}
	c.members, c.old = known, c.old.And(n.replicas)
	n.config, n.members = c, c.members
	n.order = c.members.Slice()
	n.quorum = protocols.Majority{Of: c.members}
	n.majority = protocols.MajoritySize(c.members.Len())
	n.peers = c.members.Without(n.id).Slice()
}

// reconfigured takes note of a reconfiguration that was executed as operation op.
func (n *Node) reconfigured(e *Entry, op protocols.Index, out *protocols.Effects) {
	n.configure(n.config.next(e, op))
	n.noteMembers(out)
}

func (n *Node) noteMembers(out *protocols.Effects) {
	out.Note(protocols.Note{Kind: protocols.NoteMembers, Epoch: uint64(firstView(n.config.epoch)), Index: n.config.start + 1, Members: n.members})
}

// isMember reports whether this node is of the group in its epoch.
func (n *Node) isMember() bool { return n.members.Has(n.id) }

// serving reports whether this node takes part in its epoch: it is a member and has
// the log with which the epoch began.
func (n *Node) serving() bool { return n.status == normal || n.status == viewChange }

// ofEpoch reports whether a message of a view is for this node: of its epoch, from a
// member, and itself taking part in it. Who speaks of a later epoch has the state of
// it, which this node lacks (§7.1).
func (n *Node) ofEpoch(from protocols.NodeID, view View, out *protocols.Effects) bool {
	switch {
	case epochOf(view) > n.config.epoch:
		n.fetchEpoch(view, from, protocols.NodeSet{}, out)
		return false
	case epochOf(view) < n.config.epoch || !n.serving():
		return false
	case !n.members.Has(from):
		n.drop(out, "sender is no member")
		return false
	}
	return true
}

// enterEpoch goes on to the epoch whose reconfiguration was executed (§7.1.1). This
// node has the log up to there, which is all that the epoch begins with.
func (n *Node) enterEpoch(out *protocols.Effects) {
	if n.log.Last() != n.config.start && !n.bugs.earlyEpoch && !n.bugs.openWhileClosing {
		n.stop(out) // nobody without a fault sends operations behind a reconfiguration: going on could only spread them
		return
	}
	led, view, first := n.leading, n.view, firstView(n.config.epoch)
	n.resign(n.primary(first), out)
	n.view, n.lastNormal = first, first
	n.quietUntil = 0 // only the primary that counts on it could commit the reconfiguration, and it has left as well
	n.ahead.clear()
	n.clearChange()
	n.transfer = transfer{}
	n.saveViewState(out)
	if led {
		n.announce(view, out)
	}
	n.takePlace(out)
}

// announce is the old primary's last word: it tells the backups of its view that the
// reconfiguration is committed, and new replicas that they are members.
func (n *Node) announce(view View, out *protocols.Effects) {
	old := n.config.old.Without(n.id)
	for id := old.Next(protocols.Nobody); id != protocols.Nobody; id = old.Next(id) {
		// Early: what is committed a quorum has on disk.
		protocols.SendEarly(out, id, Commit{View: view, Commit: n.config.start, Round: n.round})
	}
	if n.isMember() { // who leaves tells all of them
		n.sendStartEpoch(n.members.Minus(n.config.old), out)
	}
}

func (n *Node) sendStartEpoch(to protocols.NodeSet, out *protocols.Effects) {
	to = to.And(n.replicas).Without(n.id) // nobody else can be sent anything
	prepared := noView
	if n.log.First() <= n.config.start {
		prepared = n.log.At(n.config.start).View
	}
	for id := to.Next(protocols.Nobody); id != protocols.Nobody; id = to.Next(id) {
		// Early: that the reconfiguration is committed is on the disks of a quorum.
		protocols.SendEarly(out, id, StartEpoch{View: firstView(n.config.epoch), Op: n.config.start, Prepared: prepared, Old: n.config.old, Members: n.members})
	}
}

// takePlace begins the part of this node in its epoch: primary, backup, or one of
// those who leave. Log and views are set and written.
func (n *Node) takePlace(out *protocols.Effects) {
	switch {
	case !n.isMember():
		n.leave(out)
		return
	case n.primary(n.view) == n.id:
		// A primary leads only when it cannot forget that it began the epoch: otherwise it
		// would begin it again after a crash, and give other contents to the same
		// op-numbers of the same view.
		n.status = transitioning
		out.CancelTimer(timerView)
		out.CancelTimer(timerResend)
		n.sendEpochStarted(n.id, out)
	default:
		n.becomeNormal(out)
	}
	leaving := n.config.old.Minus(n.members)
	for id := leaving.Next(protocols.Nobody); id != protocols.Nobody; id = leaving.Next(id) {
		n.sendEpochStarted(id, out)
	}
}

// sendEpochStarted tells a replica that this one has what the epoch begins with.
func (n *Node) sendEpochStarted(to protocols.NodeID, out *protocols.Effects) {
	// Gated: those who leave rest on it.
	protocols.Send(out, to, EpochStarted{View: n.lastNormal, Op: n.config.start})
}

// leave stays at the disposal of the new group until enough of it have the state.
func (n *Node) leave(out *protocols.Effects) {
	n.status, n.started, n.hinted = transitioning, protocols.NodeSet{}, protocols.Nobody
	out.CancelTimer(timerView)
	n.sendStartEpoch(n.members, out)
	if n.bugs.earlyEpoch { // V-14
		n.retire(out)
		return
	}
	out.SetTimer(timerResend, n.parameters.Resend)
}

// retire ends the part of this node in the group: what it knows is needed no more.
func (n *Node) retire(out *protocols.Effects) {
	n.status = outside
	out.CancelTimer(timerResend)
}

// isLeaving reports whether this node waits for the new group to do without it.
func (n *Node) isLeaving() bool {
	return n.status == transitioning && !n.transfer.active && !n.isMember()
}

func (n *Node) onStartEpoch(from protocols.NodeID, m *StartEpoch, out *protocols.Effects) {
	switch {
	case outOfRange(m.View) || m.View != firstView(epochOf(m.View)) || m.Op > maxOp || m.Members.Empty():
		n.drop(out, "an epoch that cannot be")
	case epochOf(m.View) > n.config.epoch && n.bugs.earlyEpoch && m.Members.Has(n.id): // V-14
		n.configure(configuration{epochOf(m.View), m.Op, m.Members, m.Old})
		n.enterEpoch(out)
	case n.holds(m):
		n.advanceCommit(m.Op, out)
	case epochOf(m.View) > n.config.epoch:
		n.fetchEpoch(m.View, from, m.Old.Or(m.Members), out)
	case n.status != outside && !n.isLeaving():
		n.sendEpochStarted(from, out)
	}
}

// holds reports whether this node has the reconfiguration that m says is committed: the
// entry of that view. It then has all that the epoch begins with, and fetches nothing.
// Deviation: the paper's STARTEPOCH does not name the entry, and a replica that has it
// asks others for it (§7.1.1). If the old primary then loses what its disk had not
// written, nobody is left to answer: it has forgotten that it began the epoch, and those
// who could tell it wait for the epoch's state.
func (n *Node) holds(m *StartEpoch) bool {
	if !n.serving() || epochOf(m.View) != n.config.epoch+1 || m.Op <= n.commit || m.Op > n.log.Last() || m.Op < n.log.First() {
		return false
	}
	e := n.log.At(m.Op)
	return e.View == m.Prepared && e.Members == m.Members
}

func (n *Node) onEpochStarted(from protocols.NodeID, m *EpochStarted, out *protocols.Effects) {
	switch {
	case n.status != transitioning || n.transfer.active || epochOf(m.View) < n.config.epoch:
	case n.isMember():
		if from == n.id && m.View == n.view {
			n.becomeNormal(out)
		}
	default:
		// Any f'+1 of the new group outlive its f' failures (§7.1.1).
		if n.started = n.started.With(from); n.quorum.Has(n.started) {
			n.retire(out)
		}
	}
}

// fetchEpoch fetches the state of a later epoch, from replicas of that or of the one
// before. This node's own is over: its last operation is committed.
func (n *Node) fetchEpoch(view View, from protocols.NodeID, among protocols.NodeSet, out *protocols.Effects) {
	t := &n.transfer
	if outOfRange(view) {
		n.drop(out, "view out of range")
		return
	}
	if view = firstView(epochOf(view)); t.active && t.view >= view {
		t.among = t.among.Or(among)
		return
	}
	n.resign(protocols.Nobody, out)
	n.status = transitioning
	n.transfer = transfer{active: true, view: view, ask: from, among: n.members.Or(among).With(from)}
	out.CancelTimer(timerView)
	n.getState(out)
	out.SetTimer(timerResend, n.parameters.Resend)
}

// onNewEpoch takes over the state of a later epoch.
func (n *Node) onNewEpoch(m *NewState, out *protocols.Effects) {
	if m.View < n.transfer.view || !n.fits(&m.Log, n.commit) {
		return // an answer to an earlier question
	}
	last, ok := n.leadsTo(&m.Log, n.commit, m.Commit)
	if !ok || last.epoch != epochOf(m.View) {
		n.drop(out, "a log that does not lead to its epoch")
		return
	}
	leads := primaryOf(last.members.Slice(), m.View) == n.id
	if leads && m.View != firstView(last.epoch) || leads && m.Op != last.start {
		n.drop(out, "a view that this node would have begun")
		return
	}
	n.resign(protocols.Nobody, out)
	n.adopt(m.View, &m.Log, n.commit, out)
	n.clearChange()
	n.transfer = transfer{}
	n.advanceCommit(m.Commit, out)
	n.takePlace(out)
	if n.status != normal {
		return
	}
	n.promise(n.primary(n.view))
	if n.log.Last() > n.commit {
		protocols.Send(out, n.primary(n.view), PrepareOK{View: n.view, Op: n.log.Last()})
	}
}

// leadsTo returns the configuration of a node that keeps its log up to keep and goes
// on with t, which fits, up to commit. It returns false where the epochs of t are not
// in order.
func (n *Node) leadsTo(t *Tail, keep, commit protocols.Index) (configuration, bool) {
	c, after := n.config, keep
	if t.After > keep {
		c, after = t.base().config, t.base().op
	}
	for i := range t.Entries {
		op := t.After + 1 + protocols.Index(i)
		if e := &t.Entries[i]; op > after && op <= commit && !e.Members.Empty() {
			if epochOf(e.View) != c.epoch {
				return c, false
			}
			c = c.next(e, op)
		}
	}
	return c, true
}

// recallEpoch executes, after a restart, what must be committed since this node was
// in the epoch of its view.
func (n *Node) recallEpoch(out *protocols.Effects) {
	for op := n.log.Last(); op > n.commit; op-- {
		e := n.log.At(op)
		if !e.Members.Empty() && epochOf(e.View) < epochOf(n.view) {
			n.advanceCommit(op, out)
			return
		}
	}
}

func (c *configuration) fold(h uint64) uint64 {
	return foldSet(foldSet(fold3(h, c.epoch, uint64(c.start)), c.members), c.old)
}
