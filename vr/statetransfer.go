package vr

import "github.com/lockstep-sim/lockstep/protocols"

// transfer is a state transfer under way (§5.2).
type transfer struct {
	// active: a resend timer runs for it.
	active bool
	// view is the later view whose state is fetched, 0 while only a gap in the log of
	// the own view is to be filled.
	view View
	// upTo is, for a gap, the op-number known to exist.
	upTo protocols.Index
	// ask is whom to ask next, of those among whom the state is.
	ask   protocols.NodeID
	among protocols.NodeSet
}

// missing learns that operations up to op exist in this view that the log lacks.
// They may only have been overtaken, so it waits before it asks.
func (n *Node) missing(from protocols.NodeID, op protocols.Index, out *protocols.Effects) {
	t := &n.transfer
	if t.active {
		t.upTo = max(t.upTo, op)
		return
	}
	*t = transfer{active: true, upTo: op, ask: from, among: n.members}
	out.SetTimer(timerResend, n.parameters.Resend)
}

// closeGap ends the transfer of a gap once the log has what was missing.
func (n *Node) closeGap(out *protocols.Effects) {
	if t := &n.transfer; t.active && t.view == 0 && n.log.Last() >= t.upTo {
		*t = transfer{}
		out.CancelTimer(timerResend)
	}
}

// fetchView fetches the state of a view that works without this node. Until it has
// it, log and view stay as they are: operations behind the commit-number may be
// committed, and this node's log may be what a view change needs to know it. The
// paper's text, which cuts the log first, loses them.
func (n *Node) fetchView(view View, from protocols.NodeID, out *protocols.Effects) {
	n.armView(out)
	if n.transfer.active && n.transfer.view >= view {
		return
	}
	n.resign(from, out)
	n.transfer = transfer{active: true, view: view, ask: from, among: n.members}
	n.getState(out)
	out.SetTimer(timerResend, n.parameters.Resend)
}

// getState asks the next replica, if there is one.
func (n *Node) getState(out *protocols.Effects) {
	t := &n.transfer
	ask := GetState{View: max(t.view, n.view), Op: n.log.Last()}
	if t.view > 0 && !n.bugs.keepTail { // V-11
		// Operations behind the commit-number may have been reordered in the later view.
		ask.Op = n.commit
	}
	if t.ask != protocols.Nobody {
		// Early: a question.
		protocols.SendEarly(out, t.ask, ask)
	}
	if t.ask = t.among.Without(n.id).Next(t.ask); t.ask == protocols.Nobody {
		t.ask = t.among.Without(n.id).Next(protocols.Nobody)
	}
}

// onGetState answers with what follows m.Op, if this node is normal in the view
// that is asked for. Who lacks what the epoch began with is answered in any status,
// with the log of the latest view in which this node was normal: it has promised
// nothing in the epoch yet, and is then as if it had been a backup of that view.
func (n *Node) onGetState(from protocols.NodeID, m *GetState, out *protocols.Effects) {
	inView := n.status == normal && m.View == n.view && !n.behind()
	intoEpoch := m.Op < n.config.start && epochOf(m.View) <= n.config.epoch
	if from == n.id || !inView && !intoEpoch {
		return
	}
	// Early: the receiver writes it to its own disk, and speaks for that only.
	protocols.SendEarly(out, from, NewState{View: n.lastNormal, Op: n.log.Last(), Commit: n.commit, Log: n.tailAfter(m.Op)})
}

// tailAfter returns what follows op, with a checkpoint where the log no longer
// reaches back.
func (n *Node) tailAfter(op protocols.Index) Tail {
	op = min(op, n.log.Last())
	if op+1 >= n.log.First() {
		return Tail{After: op, Entries: n.entriesAfter(op)}
	}
	return Tail{After: n.base.op, Entries: n.entriesAfter(n.base.op), Base: n.base}
}

// wholeTail returns all that this node holds.
func (n *Node) wholeTail() Tail {
	after := n.log.First() - 1
	t := Tail{After: after, Entries: n.entriesAfter(after)}
	if n.base != nil {
		t.Base = n.base
	}
	return t
}

// entriesAfter returns the entries after op, which the log must hold, in one slice.
func (n *Node) entriesAfter(op protocols.Index) []Entry {
	last := n.log.Last()
	if op == last {
		return nil
	}
	entries := n.log.View(op+1, n.log.Len())
	if op+protocols.Index(len(entries)) == last {
		return entries
	}
	all := append(make([]Entry, 0, last-op), entries...)
	for next := op + protocols.Index(len(all)); next < last; next = op + protocols.Index(len(all)) {
		all = append(all, n.log.View(next+1, n.log.Len())...)
	}
	return all
}

func (n *Node) onNewState(from protocols.NodeID, m *NewState, out *protocols.Effects) {
	if why := impossibleLog(&m.Log, m.View, m.Op, m.Commit); why != "" {
		n.drop(out, why)
		return
	}
	if epochOf(m.View) > n.config.epoch {
		n.onNewEpoch(m, out)
		return
	}
	if !n.serving() || n.primary(m.View) == n.id || from == n.id {
		return // nobody but this node starts that view
	}
	switch {
	case m.View < n.view || m.View < n.transfer.view:
		return
	case m.View == n.view && n.status == normal:
		n.fillGap(m, out)
	default:
		keep := n.commit
		if n.bugs.keepTail { // V-11
			keep = min(n.log.Last(), m.Op)
		}
		if n.fits(&m.Log, keep) {
			n.enterView(m.View, &m.Log, keep, m.Commit, out)
		}
	}
}

// fillGap appends what follows this node's log in its own view.
func (n *Node) fillGap(m *NewState, out *protocols.Effects) {
	last := n.log.Last()
	if m.Op > last {
		switch {
		case m.Log.After <= last:
			n.appendAll(m.Log.Entries[last-m.Log.After:])
			n.takeAhead()
			n.saveAppended(last, out)
		case n.fits(&m.Log, n.commit):
			n.install(&m.Log, n.commit)
			n.noteInstalled(out)
			n.saveCheckpoint(out)
		default:
			return // an answer to an earlier question, or to none
		}
		n.closeGap(out)
	}
	primary := n.primary(m.View)
	n.advanceCommit(min(m.Commit, n.log.Last()), out)
	protocols.Send(out, primary, PrepareOK{View: m.View, Op: n.log.Last()})
}

// enterView makes this node a backup of a view that has begun, with the log of the
// view; its own is kept up to keep. Cutting the old log and taking over the new one
// is one step and one record.
func (n *Node) enterView(view View, t *Tail, keep, commit protocols.Index, out *protocols.Effects) {
	n.resign(n.primary(view), out)
	n.adopt(view, t, keep, out)
	n.becomeNormal(out)
	n.promise(n.primary(view))
	n.advanceCommit(min(commit, n.log.Last()), out)
	if n.log.Last() > commit {
		// The operations that are not known to be committed are acknowledged anew in this
		// view (§4.2).
		protocols.Send(out, n.primary(view), PrepareOK{View: view, Op: n.log.Last()})
	}
}

// adopt takes over the log of a view behind keep, and writes that down.
func (n *Node) adopt(view View, t *Tail, keep protocols.Index, out *protocols.Effects) {
	n.view, n.lastNormal = view, view
	n.ahead.clear()
	switch restored := n.install(t, keep); {
	case restored:
		n.noteInstalled(out)
		n.saveCheckpoint(out)
	case n.variant == durable:
		protocols.Persist(out, Install{View: view, After: keep, Entries: t.Entries[keep-t.After : len(t.Entries) : len(t.Entries)]})
	}
}

// fits reports whether t goes on from what this node keeps, and loses nothing of it.
func (n *Node) fits(t *Tail, keep protocols.Index) bool {
	if t.last() < keep {
		return false
	}
	return t.After <= keep || t.base() != nil
}

// install makes this node's log that of t, which must fit, behind keep, and says
// whether it took over the checkpoint. What is committed is the same in both, so
// nobody keeps more than that.
func (n *Node) install(t *Tail, keep protocols.Index) (restored bool) {
	if restored = t.After > keep; restored {
		n.restore(t.base())
		keep = n.base.op
	}
	n.log.TruncateFrom(keep + 1)
	n.appendAll(t.Entries[keep-t.After:])
	return restored
}

// impossibleLog returns why no correct node can have sent a log like this, or "".
func impossibleLog(t *Tail, view View, op, commit protocols.Index) string {
	if outOfRange(view) || op > maxOp || t.After > maxOp {
		return "a number out of range"
	}
	if t.last() != op || commit > op {
		return "numbers that do not belong together"
	}
	if b := t.base(); b != nil && (b.op < t.After || b.op > op || b.op > commit) {
		return "a checkpoint that is not in the log"
	}
	for i := range t.Entries {
		if t.Entries[i].View > view {
			return "an operation of a later view"
		}
	}
	return ""
}
