package vr

import "github.com/lockstep-sim/lockstep/protocols"

// windowSize is how many operations ahead of its log a backup keeps.
const windowSize = 64

// window holds operations of the current view that have overtaken others on the
// network. A slot holds operation op of the log if its op says so.
type window struct {
	slots [windowSize]struct {
		op    protocols.Index
		entry Entry
	}
	used bool
}

// clear empties the window when the view ends to which it belongs.
func (w *window) clear() {
	if w.used {
		*w = window{}
	}
}

// append gives the next op-number to a request and sends it on (§4.1).
func (n *Node) append(e Entry, out *protocols.Effects) {
	n.log.Append(e)
	op := n.log.Last()
	entries := n.log.View(op, 1)
	if n.variant == durable {
		protocols.Persist(out, Append{After: op - 1, Entries: entries})
	}
	for _, peer := range n.peers {
		if n.reported[peer] == op {
			n.since[peer] = n.now // it had all, and lacks this from now on
		}
		n.sendPrepare(peer, op, entries, out)
	}
	// The primary counts itself like anyone else: once its own write is durable.
	protocols.Send(out, n.id, PrepareOK{View: n.view, Op: op})
}

// sendPrepare sends entries that end at op.
func (n *Node) sendPrepare(to protocols.NodeID, op protocols.Index, entries []Entry, out *protocols.Effects) {
	m := Prepare{View: n.view, Op: op, Commit: n.commit, Entries: entries}
	if n.serial {
		protocols.Send(out, to, m)
		return
	}
	// Early: that the primary sends an operation says nothing about its disk; should it
	// crash, it leaves the view before it leads again.
	protocols.SendEarly(out, to, m)
}

// hear handles the view of a message that only a primary sends. It returns false
// when the sender is not the primary of this node's view, or this node is not
// normal in it: messages of normal operation are for those (§4.1).
func (n *Node) hear(from protocols.NodeID, view View, out *protocols.Effects) bool {
	switch {
	case outOfRange(view):
		n.drop(out, "view out of range")
		return false
	case !n.ofEpoch(from, view, out):
		return false
	case from != n.primary(view) || from == n.id:
		n.drop(out, "sender is not the primary of the view")
		return false
	case n.bugs.ackAfterLeave && n.status == viewChange && view == n.lastNormal: // V-08
		return true
	case view < n.view || view < n.transfer.view:
		return false
	case view > n.view || n.status == viewChange:
		// The view works without this node. That is no reason for a view change, but
		// for catching up (§5.2).
		n.fetchView(view, from, out)
		return false
	}
	n.armView(out)
	n.promise(from)
	return true
}

// promise keeps this node out of view changes for the minimum view timeout: it may
// be counted for a lease of the primary to, Nobody if that is not known.
func (n *Node) promise(to protocols.NodeID) {
	if n.reads == readLease {
		n.quietUntil, n.promised = n.now.Add(n.parameters.ViewTimeout.Min), to
	}
}

func (n *Node) onPrepare(from protocols.NodeID, m *Prepare, out *protocols.Effects) {
	if !n.hear(from, m.View, out) {
		return
	}
	if why := m.impossible(); why != "" {
		n.drop(out, why)
		return
	}
	after := m.Op - protocols.Index(len(m.Entries))
	last := n.log.Last()
	switch {
	case after > last:
		n.keepAhead(after, m.Entries)
		n.missing(from, m.Op, out)
		n.advanceCommit(min(m.Commit, last), out)
		return
	case m.Op > last:
		n.appendAll(m.Entries[last-after:])
		n.takeAhead()
		n.saveAppended(last, out)
		n.closeGap(out)
	}
	n.advanceCommit(min(m.Commit, n.log.Last()), out)
	// Gated, and cumulative: this disk has all up to there (§4.1).
	protocols.Send(out, from, PrepareOK{View: m.View, Op: n.log.Last()})
}

// impossible returns why no correct primary can have sent m, or "".
func (m *Prepare) impossible() string {
	if m.Op > maxOp || protocols.Index(len(m.Entries)) > m.Op {
		return "an op-number out of range"
	}
	for i := range m.Entries {
		if m.Entries[i].View > m.View {
			return "an operation of a later view"
		}
	}
	return ""
}

// keepAhead keeps operations that cannot be appended yet: a backup waits until its
// log has all earlier ones (§4.1).
func (n *Node) keepAhead(after protocols.Index, entries []Entry) {
	last := n.log.Last()
	for i := range entries {
		op := after + 1 + protocols.Index(i)
		if op-last > windowSize {
			return
		}
		slot := &n.ahead.slots[op%windowSize]
		slot.op, slot.entry = op, entries[i]
		n.ahead.used = true
	}
}

// takeAhead appends what was kept and has become the next.
func (n *Node) takeAhead() {
	if !n.ahead.used {
		return
	}
	for {
		next := n.log.Last() + 1
		slot := &n.ahead.slots[next%windowSize]
		if slot.op != next {
			return
		}
		n.log.Append(slot.entry)
	}
}

// saveAppended writes what was appended after an operation.
func (n *Node) saveAppended(after protocols.Index, out *protocols.Effects) {
	if n.variant != durable {
		return
	}
	for last := n.log.Last(); after < last; {
		entries := n.log.View(after+1, n.log.Len())
		protocols.Persist(out, Append{After: after, Entries: entries})
		after += protocols.Index(len(entries))
	}
}

func (n *Node) onPrepareOK(from protocols.NodeID, m *PrepareOK, out *protocols.Effects) {
	if m.View != n.view || !n.leading {
		return
	}
	if m.Op > n.log.Last() {
		n.drop(out, "an acknowledgement of what was not prepared")
		return
	}
	n.heard = n.heard.With(from)
	if m.Op <= n.match[from] {
		return // late; a replica's log only grows within a view
	}
	n.match[from] = m.Op
	if m.Op <= n.commit {
		return
	}
	// Committed is what f others and this node have (§4.1), of whatever view: within a
	// view all logs are prefixes of one.
	if op := protocols.CommittedIndex(n.quorum, n.match); op > n.commit {
		n.advanceCommit(op, out)
		n.serveReads(out)
	}
}

// advanceCommit learns that everything up to op is committed, and executes it.
func (n *Node) advanceCommit(op protocols.Index, out *protocols.Effects) {
	if op <= n.commit {
		return
	}
	assert(op <= n.log.Last(), "commit-number beyond the log")
	n.commit = op
	out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: uint64(n.view), Index: op})
	for n.execute.Applied < n.commit {
		n.applyNext(out)
	}
	if n.config.epoch > epochOf(n.view) {
		n.enterEpoch(out)
	}
}
