package vr

import "github.com/lockstep-sim/lockstep/protocols"

// The invariants. Each speaks of all replicas over the whole run, across crashes.
// They are judged on ghost state (ghost.go), made of what left and of what was seen
// in logs, never on a replica's word about another.
const (
	committedStays   = "VR-I1"
	oneLogPerView    = "VR-I2"
	viewsMonotone    = "VR-I3"
	onePrimary       = "VR-I4"
	honestPrepareOK  = "VR-I5"
	commitEvidence   = "VR-I6"
	promiseKept      = "VR-I7"
	clientTableExact = "VR-I8"
	leaseExclusion   = "VR-I9"
	epochsInOrder    = "VR-I10"
	readEvidence     = "VR-I11"
	changeEvidence   = "VR-I12"
)

func invariants(c protocols.Cluster, parameters any) []protocols.Observer {
	p, ok := parameters.(*Parameters)
	if !ok {
		p = DefaultParameters()
	}
	return []protocols.Observer{&watcher{
		ghost: newGhost(c), variant: p.variant(), maxDrift: p.MaxDrift, promise: p.ViewTimeout.Min,
		reads: protocols.NewReadEvidence(c.Replicas), judgesReads: parseReads(p.Reads) != readLog,
		promises: newPromises(c, p),
	}}
}

// watcher judges all invariants. Cost: O(1) per event and new operation, O(n) per
// acknowledgement and read, O(log) when a replica becomes normal.
type watcher struct {
	ghost
	variant  variant
	maxDrift int64
	promise  protocols.Duration // for how long a replica keeps out of view changes

	reads       protocols.ReadEvidence
	judgesReads bool // they do not go through the log

	promises []ghostPromise // by node id; nil: no lease is ever taken
}

// Moments implements [protocols.Observer].
func (w *watcher) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Left | protocols.Durable | protocols.Booted
}

// Checks implements [protocols.Observer].
func (w *watcher) Checks() []protocols.CheckInfo {
	kept := protocols.CheckInfo{ID: promiseKept, Text: "no view begins with a log from a life of its sender after which that came back in a lower view"}
	if w.variant == durable {
		kept.Text = "a replica acknowledges nothing in, and offers its log to, no view below one it ever promised"
	}
	return []protocols.CheckInfo{
		{ID: committedStays, Text: "an operation committed in a view is in the log of every replica that is normal in a later one"},
		{ID: oneLogPerView, Text: "replicas have the same log in the same view, as far as both reach, and execute what was committed"},
		{ID: viewsMonotone, Text: "view and latest normal view of a replica never go down, over restarts as far as they are durable"},
		{ID: onePrimary, Text: "only the primary of a view sends Prepare or StartView in it, and starts it once"},
		{ID: honestPrepareOK, Text: "the sender of a PrepareOK is normal in the view and has all operations up to there, for as long as it is in that view"},
		{ID: commitEvidence, Text: "a commit-number is never above the log, nor above what a quorum has acknowledged in one view, and a primary counts only what was acknowledged in its own"},
		kept,
		{ID: clientTableExact, Text: "no request of a client is executed at two positions"},
		{ID: leaseExclusion, Text: "while a primary holds a lease, no later view has a primary; who has answered a primary's round takes no part in the change to a later view until its promise is over, across restarts"},
		{ID: epochsInOrder, Text: "a replica is normal only in an epoch whose reconfiguration is committed, and as a member of it"},
		{ID: readEvidence, Text: "a read that skips the log rests on a quorum's answers to a round that left after it arrived, or on a lease no longer than the promises of those who gave it; it shows all that the view began with, and all that was shown before it arrived"},
		{ID: changeEvidence, Text: "a log is offered to a view once f others have left the views before; who recovers comes back with what f+1 answered to this life, in the latest view that one of them knows, and with the state of its primary"},
	}
}

// Observe implements [protocols.Observer].
func (w *watcher) Observe(m *protocols.Moment) {
	switch m.Kind {
	case protocols.Stepped:
		w.stepped(m)
	case protocols.Left:
		w.left(m)
	case protocols.Durable:
		w.durable(m)
	case protocols.Booted:
		w.booted(m)
	}
}

// received takes in, and judges, what a replica has made of a message of another.
func (w *watcher) received(m *protocols.Moment, n *Node, g *ghostNode) {
	switch v := m.Event.Message.(type) {
	case *PrepareOK:
		if n.leading {
			w.checkMatch(m, n, m.Event.From)
		}
	case *CommitOK:
		if w.judgesReads {
			w.reads.Heard(m.Node, m.Event.From, uint64(v.View), v.Round)
		}
	case *RecoveryResponse:
		g.told.heard(m.Event.From, v)
	case *Recovery:
		w.checkAnswer(m, n)
	}
}

func (w *watcher) stepped(m *protocols.Moment) {
	n, ok := m.Replica.(*Node)
	if !ok {
		return
	}
	w.forgetPast(m.Past)
	g := &w.nodes[m.Node]
	if w.promises != nil {
		w.checkJoin(m, n, g)
	}
	w.checkViews(m, n, g)
	w.checkLease(m, n, g)
	if w.judgesReads {
		w.watchReads(m, n)
	}
	if m.Event.Kind == protocols.Receive && n.replicas.Has(m.Event.From) {
		w.received(m, n, g)
	}
	w.checkRecovery(m, n, g)
	if n.commit > n.log.Last() {
		m.Violate(commitEvidence, "%v has commit-number %d, but its log ends at %d", m.Node, n.commit, n.log.Last())
	}
	for i := range m.Effects.Notes {
		switch note := &m.Effects.Notes[i]; note.Kind {
		case protocols.NoteNormal:
			if note.Epoch == uint64(n.view) { // it may have gone on to another epoch in the same step
				w.becameNormal(m, n, g)
			}
		case protocols.NoteLeader:
			w.reads.Leads(m.Node, note.Epoch, note.Index)
		case protocols.NoteLease:
			w.leased(m, n, g, note)
		}
	}
	if n.log.Last() != g.last || n.lastNormal != g.logView {
		w.followLog(m, n, g)
	}
	if len(m.Effects.Answers) > 0 {
		w.effects(m, n)
		return
	}
	for i := range m.Effects.Notes {
		w.noted(m, &m.Effects.Notes[i])
	}
}

// checkMatch: the primary n counts peer up to where that has acknowledged its view.
func (w *watcher) checkMatch(m *protocols.Moment, n *Node, peer protocols.NodeID) {
	if said := w.at(n.view).acked[peer]; n.match[peer] > said {
		m.Violate(commitEvidence, "%v counts %v up to operation %d of view %v, which has acknowledged in that view only up to %d", m.Node, peer, n.match[peer], n.view, said)
	}
}

func (w *watcher) checkViews(m *protocols.Moment, n *Node, g *ghostNode) {
	if n.view < g.view || n.lastNormal < g.lastNormal || n.lastNormal > n.view {
		m.Violate(viewsMonotone, "%v is in view %v, normal last in %v, after it was in %v and %v", m.Node, n.view, n.lastNormal, g.view, g.lastNormal)
	}
	g.view, g.lastNormal = n.view, n.lastNormal
}

func (w *watcher) noted(m *protocols.Moment, note *protocols.Note) {
	switch note.Kind {
	case protocols.NoteCommit:
		if reached := w.committed.Last(); note.Index > reached {
			m.Violate(commitEvidence, "%v takes operation %d as committed in view %v, but a quorum has acknowledged only up to %d", m.Node, note.Index, View(note.Epoch), reached)
		}
	case protocols.NoteApplied:
		w.applied(m, note)
	case protocols.NoteSteppedDown:
		w.reads.Resigns(m.Node)
	}
}

// applied judges one executed operation.
func (w *watcher) applied(m *protocols.Moment, note *protocols.Note) {
	if c := w.commitAt(note.Index); c != nil && c.hash != note.Hash {
		m.Violate(oneLogPerView, "%v executes at %d another operation than was committed there in view %v", m.Node, note.Index, c.view)
	}
	if note.Index <= w.executed {
		return
	}
	w.executed = note.Index
	client := -int(note.Command.Client)
	if client <= 0 {
		return
	}
	for client >= len(w.requests) {
		w.requests = append(w.requests, ghostRequest{})
	}
	r := &w.requests[client]
	if note.Command.Seq <= r.seq {
		m.Violate(clientTableExact, "request %d of %v is executed at %d, after request %d of the same client at %d", note.Command.Seq, note.Command.Client, note.Index, r.seq, r.op)
	}
	*r = ghostRequest{note.Command.Seq, note.Index}
}

// becameNormal judges a replica that enters a view with the log that it has.
func (w *watcher) becameNormal(m *protocols.Moment, n *Node, g *ghostNode) {
	v := w.at(n.view)
	if e := w.epoch(n.view); e == nil || !e.members.Has(m.Node) {
		m.Violate(epochsInOrder, "%v is normal in view %v, but of epoch %d no reconfiguration with it as a member is committed", m.Node, n.view, epochOf(n.view))
	}
	if n.leading {
		w.started(m, n, v)
		w.elected(m, n.view)
	}
	if g.life > 1 && g.counted > n.view && g.countedLife < g.life && w.variant != durable {
		m.Violate(promiseKept, "%v comes back in view %v, but view %v began with the log of an earlier life of it", m.Node, n.view, g.counted)
	}
	if !g.wasNormal {
		g.wasNormal, g.recoveredIn = true, n.view
	}
	below := n.view
	if n.leading {
		below++ // a primary has all of its own view as well
	}
	index := w.committedBefore(below)
	prefix, known := w.walk(m, n, n.log.First()-1, index)
	switch {
	case n.log.Last() < index:
		m.Violate(committedStays, "%v is normal in view %v with a log up to %d, but operation %d was committed in view %v", m.Node, n.view, n.log.Last(), index, w.commitAt(index).view)
	case known && index >= n.log.First() && prefix != w.commitAt(index).prefix:
		m.Violate(committedStays, "%v is normal in view %v, and at or before operation %d its log differs from what was committed in view %v", m.Node, n.view, index, w.commitAt(index).view)
	}
}

// started judges the beginning of a view.
func (w *watcher) started(m *protocols.Moment, n *Node, v *ghostView) {
	if v.started {
		m.Violate(onePrimary, "%v starts view %v, which has been started before", m.Node, n.view)
	}
	v.started, v.start = true, n.log.Last()
	for id, op := range n.match {
		if op > 0 {
			m.Violate(commitEvidence, "%v begins view %v and counts %v up to operation %d", m.Node, n.view, protocols.NodeID(id), op)
		}
	}
	for id := n.change.from.Next(protocols.Nobody); id != protocols.Nobody; id = n.change.from.Next(id) {
		g := &w.nodes[id]
		life := v.offered(id, n.change.logs[id].lastNormal, n.change.logs[id].op)
		if n.view > g.counted {
			g.counted, g.countedLife = n.view, life
		}
		if life < g.life && g.wasNormal && g.recoveredIn < n.view && w.variant != durable {
			m.Violate(promiseKept, "%v starts view %v with a log that %v sent in life %d; it is in life %d, and came back in view %v", m.Node, n.view, id, life, g.life, g.recoveredIn)
		}
		for other := n.change.from.Next(protocols.Nobody); w.variant == crashVectors && other != protocols.Nobody; other = n.change.from.Next(other) {
			if n.change.logs[other].vector[id] > n.change.logs[id].vector[id] {
				m.Violate(promiseKept, "%v starts view %v with a log from an incarnation of %v that %v knows to be over", m.Node, n.view, id, other)
			}
		}
	}
}

// followLog takes in what has been appended since the log was last seen.
func (w *watcher) followLog(m *protocols.Moment, n *Node, g *ghostNode) {
	if n.lastNormal == g.logView && n.log.Last() < g.last {
		m.Violate(honestPrepareOK, "%v had operations up to %d of view %v, and has only those up to %d", m.Node, g.last, n.lastNormal, n.log.Last())
	}
	if n.lastNormal != g.logView || n.log.Last() < g.last || n.log.First() > g.last+1 {
		w.walk(m, n, n.log.First()-1, 0)
		return
	}
	w.walk(m, n, g.last, 0)
}

// walk compares the log behind after, of the view in which n was normal last, with
// that of others. It returns the digest of the log up to op, if it comes by.
func (w *watcher) walk(m *protocols.Moment, n *Node, after, op protocols.Index) (digest uint64, known bool) {
	g := &w.nodes[m.Node]
	if w.isPast(after) { // far behind: it has its operations, whatever they are
		v := w.at(n.lastNormal)
		v.held[m.Node] = max(v.held[m.Node], n.log.Last())
		return 0, false
	}
	prefix := g.prefix
	if after != g.last || n.lastNormal != g.logView {
		var ok bool
		if prefix, ok = w.prefixAt(after); !ok {
			m.Violate(commitEvidence, "%v has a checkpoint of operation %d, but a quorum has acknowledged only up to %d", m.Node, after, w.committed.Last())
			return 0, false
		}
	}
	v := w.at(n.lastNormal)
	last := n.log.Last()
	for i := after + 1; i <= last; i++ {
		h := n.log.At(i).hash()
		prefix = protocols.Fold(prefix, h)
		if !v.matches(i, ghostEntry{h, prefix, n.log.At(i).Members}) {
			m.Violate(oneLogPerView, "%v has at operation %d of view %v, or before, another log than others in that view", m.Node, i, v.view)
		}
		if i == op {
			digest, known = prefix, true
		}
	}
	g.logView, g.last, g.prefix = n.lastNormal, last, prefix
	v.held[m.Node] = max(v.held[m.Node], last)
	return digest, known
}

// left looks at what was said: what left is a promise.
func (w *watcher) left(m *protocols.Moment) {
	switch v := m.Message.(type) {
	case *Prepare:
		w.checkPrimary(m, v.View)
	case *Commit:
		w.reads.Left(m.Node, uint64(v.View), v.Round, m.Now)
	case *StartView:
		w.checkPrimary(m, v.View)
	case *CommitOK:
		w.quiets(m, v)
	case *StartViewChange:
		g, of := &w.nodes[m.Node], w.at(v.View)
		g.promised = max(g.promised, v.View)
		of.joined = of.joined.With(m.Node)
	case *DoViewChange:
		w.checkQuiet(m, v.View)
		w.checkPromise(m, v.View)
		of := w.at(v.View)
		if e := w.epoch(v.View); e != nil && !e.quorum.Has(of.joined.With(m.Node)) {
			m.Violate(changeEvidence, "%v offers its log to view %v, for which only %v have left the views before", m.Node, v.View, of.joined)
		}
		if life := w.nodes[m.Node].life; of.offered(m.Node, v.LastNormal, v.Op) != life {
			of.offers = append(of.offers, ghostOffer{m.Node, life, v.LastNormal, v.Op})
		}
	case *PrepareOK:
		w.checkPromise(m, v.View)
		w.acknowledged(m, w.at(v.View), v.Op)
	}
}

func (w *watcher) checkPrimary(m *protocols.Moment, view View) {
	primary := protocols.Nobody
	if e := w.epoch(view); e != nil {
		primary = primaryOf(e.order, view)
	}
	if m.Node != primary {
		m.Violate(onePrimary, "%v speaks for view %v, whose primary is %v", m.Node, view, primary)
	}
}

func (w *watcher) checkPromise(m *protocols.Moment, view View) {
	g := &w.nodes[m.Node]
	if view < g.promised && w.variant == durable {
		m.Violate(promiseKept, "%v works for view %v after it promised view %v", m.Node, view, g.promised)
	}
	g.promised = max(g.promised, view)
}

// acknowledged takes in a PrepareOK. Once a quorum has acknowledged an operation in
// one view, it and all before are committed (§4.1).
func (w *watcher) acknowledged(m *protocols.Moment, v *ghostView, op protocols.Index) {
	if v.held[m.Node] < op {
		m.Violate(honestPrepareOK, "%v acknowledges operation %d of view %v, of which it has held only up to %d", m.Node, op, v.view, v.held[m.Node])
		return
	}
	if op <= v.acked[m.Node] {
		return
	}
	v.acked[m.Node] = op
	if op <= v.reached {
		return
	}
	e := w.epoch(v.view)
	if e == nil {
		m.Violate(epochsInOrder, "%v acknowledges operation %d of view %v, but no reconfiguration to its epoch is committed", m.Node, op, v.view)
		return
	}
	reached := protocols.CommittedIndex(e.quorum, v.acked)
	if reached <= v.reached {
		return
	}
	v.reached = reached
	w.commit(m, v, reached)
}

// commit takes in that v commits up to op.
func (w *watcher) commit(m *protocols.Moment, v *ghostView, op protocols.Index) {
	before := min(op, w.committed.Last())
	if c := w.commitAt(before); c != nil {
		if e, seen := v.entry(before); seen && e.prefix != c.prefix {
			m.Violate(committedStays, "view %v commits up to %d in a log that differs at or before %d from what was committed in view %v", v.view, op, before, c.view)
			return
		}
	}
	for i := w.committed.Last() + 1; i <= op; i++ {
		e, _ := v.entry(i)
		w.committed.Append(ghostCommit{e.hash, e.prefix, v.view})
		if !e.members.Empty() {
			w.begin(e.members)
		}
	}
	c := w.commitAt(op)
	for i := len(w.views) - 1; c != nil && i >= 0 && w.views[i].view > v.view; i-- {
		later := w.views[i]
		if !later.started {
			continue
		}
		if e, seen := later.entry(op); later.start < op || seen && e.prefix != c.prefix {
			m.Violate(committedStays, "operation %d is committed in view %v, but view %v has begun without it", op, v.view, later.view)
		}
	}
}

// booted begins a life. What is durable is not forgotten.
func (w *watcher) booted(m *protocols.Moment) {
	g := &w.nodes[m.Node]
	g.life++
	g.view, g.lastNormal, g.wasNormal = 0, 0, false
	g.logView, g.last, g.prefix = 0, 0, 0
	g.leaseEnd = 0
	w.reads.Resigns(m.Node)
	n, ok := m.Replica.(*Node)
	if !ok {
		return
	}
	if m.Disk != nil && m.Disk.Snapshot == nil && len(m.Disk.Records) == 0 {
		g.durableView, g.durableNormal = 0, 0 // new, or wiped
	}
	if n.view < g.durableView || n.lastNormal < g.durableNormal {
		m.Violate(viewsMonotone, "%v boots in view %v, normal last in %v; it had %v and %v on disk", m.Node, n.view, n.lastNormal, g.durableView, g.durableNormal)
	}
	w.walk(m, n, n.log.First()-1, 0)
}

// durable follows what a disk holds of the views.
func (w *watcher) durable(m *protocols.Moment) {
	g := &w.nodes[m.Node]
	switch r := m.Record.(type) {
	case *ViewState:
		g.durableView, g.durableNormal = r.View, r.LastNormal
	case *Install:
		g.durableView, g.durableNormal = r.View, r.View
	case *Checkpoint:
		g.durableView, g.durableNormal = r.View, r.LastNormal
	}
}
