package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// The invariants. Each speaks of all nodes over the whole run, across crashes. They
// are judged on ghost state (ghost.go), made of what became durable, what was
// answered, and what nodes noted, never on a node's word about another.
const (
	onePrimary       = "PB-I1"
	logBeforeAnswer  = "PB-I2"
	promotedComplete = "PB-I3"
	backupIsPrefix   = "PB-I4"
	commitIsForEver  = "PB-I5"
	logMatching      = "PB-I6"
	leaseExclusion   = "PB-I7"
	readEvidence     = "PB-I8"
)

func invariants(c protocols.Cluster, parameters any) []protocols.Observer {
	p, ok := parameters.(*Parameters)
	if !ok {
		p = DefaultParameters()
	}
	return []protocols.Observer{&watcher{
		ghost: newGhost(c.Replicas), drift: p.MaxDrift, lease: p.lease(), lossy: p.guarantee().LosesAcknowledged,
		reads: protocols.NewReadEvidence(c.Replicas),
	}}
}

// watcher judges all invariants. Cost: O(1) per event and durable entry, O(n) per
// commit and answer, O(n) per view.
type watcher struct {
	ghost
	drift int64              // bound of a clock's rate error, parts per billion
	lossy bool               // what was acknowledged may be lost: that is measured, not judged
	lease protocols.Duration // how long a lease lasts from the sending of its ping
	reads protocols.ReadEvidence
}

// Moments implements [protocols.Observer].
func (w *watcher) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Left | protocols.Durable | protocols.Crashed | protocols.Booted
}

// Checks implements [protocols.Observer].
func (w *watcher) Checks() []protocols.CheckInfo {
	return []protocols.CheckInfo{
		{ID: onePrimary, Text: "one primary answers in a view, and no two answer for different writes at one position"},
		{ID: logBeforeAnswer, Text: "what an answer shows is durable at as many hosts as the parameters say"},
		{ID: promotedComplete, Text: "a new primary has every write that was answered (sync), and the view service names who holds the last acknowledged view"},
		{ID: backupIsPrefix, Text: "every replica executes the same entries into the same states"},
		{ID: commitIsForEver, Text: "what is committed is durable at every member of the view and acknowledged in it, and every later primary has it"},
		{ID: logMatching, Text: "logs that agree on view and index of an entry agree on it and all before"},
		{ID: leaseExclusion, Text: "while a primary holds a lease, no later view is served"},
		{ID: readEvidence, Text: "a read rests on all members' answers to a round that left after it arrived, or on a lease that the view service has granted; it shows all that the view began with and, where no answered write may be lost, all that was shown before it arrived"},
	}
}

// Observe implements [protocols.Observer].
func (w *watcher) Observe(m *protocols.Moment) {
	if int(m.Node) > w.replicas || m.Node < 1 {
		if r, ok := m.Record.(*ViewState); ok {
			w.names(m, r)
		}
		return // the view service has no log
	}
	switch m.Kind {
	case protocols.Stepped:
		w.stepped(m)
	case protocols.Left:
		w.left(m)
	case protocols.Durable:
		w.durable(m, m.Record)
	case protocols.Crashed:
		w.forget(m.Node)
	case protocols.Booted:
		w.booted(m)
	}
}

// forget drops what a node claims to be.
func (w *watcher) forget(id protocols.NodeID) {
	g := &w.nodes[id]
	g.commit, g.leaseAlive = 0, false
	w.reads.Resigns(id)
}

func (w *watcher) stepped(m *protocols.Moment) {
	n, ok := m.Replica.(*Node)
	if !ok {
		return
	}
	w.forgetPast(m.Past)
	w.nodes[m.Node].life, w.nodes[m.Node].holds = n.life, n.holds
	w.watchReads(m, n)
	for i := range m.Effects.List {
		switch e := &m.Effects.List[i]; e.Kind {
		case protocols.EffectNote:
			w.noted(m, n, &m.Effects.Notes[e.Note])
		case protocols.EffectReply, protocols.EffectReplyEarly:
			w.replied(m, n, &m.Effects.Answers[e.Answer])
			w.checkRead(m, n, &m.Effects.Answers[e.Answer])
		}
	}
	if n.role == primary && w.highestLed > n.view.Number && m.Event.Now < n.leaseUntil {
		m.Violate(leaseExclusion, "%v believes in its lease of view %d, but view %d is served", m.Node, n.view.Number, w.highestLed)
	}
}

func (w *watcher) noted(m *protocols.Moment, n *Node, note *protocols.Note) {
	switch note.Kind {
	case protocols.NoteLeader:
		w.began(m, n)
		w.reads.Leads(m.Node, note.Epoch, note.Index)
	case protocols.NoteSteppedDown:
		w.nodes[m.Node].leaseAlive = false
		w.reads.Resigns(m.Node)
	case protocols.NoteCommit:
		w.commits(m, n, note)
	case protocols.NoteApplied:
		w.executed(m, note, note.Hash, true)
	case protocols.NoteInstalled:
		w.executed(m, note, 0, false)
	case protocols.NoteLease:
		w.leased(m, note)
		w.checkGrant(m, n, note)
	}
}

// left looks at what was said.
func (w *watcher) left(m *protocols.Moment) {
	switch v := m.Message.(type) {
	case *Confirm:
		w.reads.Left(m.Node, v.Epoch, v.Round, m.Now)
	case *ReplicateResponse:
		if v.Success {
			w.says(m.Node, v.Epoch, v.Match)
		}
	case *Progress:
		w.says(m.Node, v.Epoch, v.Match)
	}
}

func (w *watcher) says(id protocols.NodeID, epoch uint64, match protocols.Index) {
	v := w.at(epoch)
	v.said[id] = max(v.said[id], match)
}

// names judges whom the view service names: who holds the last view that is acknowledged
// on its disk, in this life or in a later one, which takes no view over that names this.
func (w *watcher) names(m *protocols.Moment, r *ViewState) {
	if r.View.Number <= w.named || r.View.Primary < 1 || int(r.View.Primary) > w.replicas {
		return
	}
	w.named = r.View.Number
	if g := &w.nodes[r.View.Primary]; g.life == r.View.Life && g.holds < r.Acked {
		m.Violate(promotedComplete, "%v names %v as primary of view %d, which holds the log of view %d; view %d is acknowledged", m.Node, r.View.Primary, r.View.Number, g.holds, r.Acked)
	}
}

// began judges the primary of a view that begins to serve.
func (w *watcher) began(m *protocols.Moment, n *Node) {
	number := n.view.Number
	v := w.at(number)
	if v.primary != protocols.Nobody {
		m.Violate(onePrimary, "%v serves view %d, which %v serves already", m.Node, number, v.primary)
		return
	}
	v.primary = m.Node
	w.highestLed = max(w.highestLed, number)
	// Only what was committed or answered in lower views: a primary that was paused may
	// begin to serve an old view after a newer one has committed.
	if high := w.committedBefore(number); high > 0 {
		g := &w.nodes[m.Node]
		prefix, known := g.prefix(high)
		if high > g.last() || known && prefix != w.committed.At(high).prefix {
			m.Violate(commitIsForEver, "%v serves view %d, and its durable log up to %d is not what was committed up to %d", m.Node, number, g.last(), high)
		}
	}
	if top := w.answeredBefore(number); !w.lossy && top > 0 {
		if a := w.acked.At(top); !n.has(top, a.epoch) {
			m.Violate(promotedComplete, "%v serves view %d without entry %d of view %d, which %v has answered", m.Node, number, top, a.epoch, a.node)
		}
	}
	for id := range w.nodes {
		if l := &w.nodes[id]; l.leaseAlive && l.leaseView < number && protocols.NodeID(id) != m.Node && m.Now < l.leaseEnd {
			m.Violate(leaseExclusion, "%v serves view %d while %v holds the lease of view %d until %v", m.Node, number, protocols.NodeID(id), l.leaseView, l.leaseEnd)
		}
	}
}

// commits judges a commit index: a primary's by the disks of its members, anybody
// else's by what a primary took as committed before.
func (w *watcher) commits(m *protocols.Moment, n *Node, note *protocols.Note) {
	g := &w.nodes[m.Node]
	if note.Index < g.commit {
		m.Violate(commitIsForEver, "%v takes %d as committed, and took %d before", m.Node, note.Index, g.commit)
	}
	g.commit = max(g.commit, note.Index)
	if n.role != primary {
		if high := w.committed.Last(); note.Index > high {
			m.Violate(commitIsForEver, "%v takes %d as committed, but no primary has committed more than %d", m.Node, note.Index, high)
		}
		return
	}
	members := n.view.Members()
	for id := members.Next(protocols.Nobody); id != protocols.Nobody; id = members.Next(id) {
		if !w.held(id, note.Index, n.epochAt(note.Index)) {
			m.Violate(commitIsForEver, "%v takes %d as committed in view %d, but %v never had it durably", m.Node, note.Index, n.view.Number, id)
		} else if said := w.at(n.view.Number).said[id]; id != m.Node && said < note.Index {
			m.Violate(commitIsForEver, "%v takes %d as committed in view %d, but %v has acknowledged only up to %d in that view", m.Node, note.Index, n.view.Number, id, said)
		}
	}
	w.extend(m, g, note.Index, n.view.Number)
}

// extend takes the log of g up to index as committed in a view.
func (w *watcher) extend(m *protocols.Moment, g *ghostNode, index protocols.Index, view uint64) {
	high := w.committed.Last()
	if common := min(high, index); common >= w.committed.First() {
		if prefix, known := g.prefix(common); known && prefix != w.committed.At(common).prefix {
			m.Violate(commitIsForEver, "%v commits up to %d in a log that differs at or before %d from what was committed", m.Node, index, common)
			return
		}
	}
	for i := high + 1; i <= index; i++ {
		prefix, _ := g.prefix(i)
		w.committed.Append(ghostCommit{prefix, view})
	}
}

// executed compares what is executed at a position, and the state after it, with
// what was first seen there.
func (w *watcher) executed(m *protocols.Moment, note *protocols.Note, hash uint64, hashed bool) {
	last := w.states.Last()
	if note.Index < 1 || note.Index > last+1 {
		m.Violate(backupIsPrefix, "%v has executed up to %d, and nobody has executed %d yet", m.Node, note.Index, last+1)
		return
	}
	if note.Index < w.states.First() {
		return // past
	}
	if note.Index > last {
		w.states.Append(ghostState{})
	}
	s := w.states.At(note.Index)
	switch {
	case hashed && s.hashed && s.hash != hash:
		m.Violate(backupIsPrefix, "%v executes at %d another entry than %v did", m.Node, note.Index, s.node)
	case s.known && s.state != note.State:
		m.Violate(backupIsPrefix, "%v has another state at %d than %v had", m.Node, note.Index, s.node)
	}
	if !s.known {
		s.state, s.known, s.node = note.State, true, m.Node
	}
	if hashed && !s.hashed {
		s.hash, s.hashed = hash, true
	}
}

// replied judges an answer to a client.
func (w *watcher) replied(m *protocols.Moment, n *Node, a *protocols.Answer) {
	at := a.Result.Position
	if a.Result.Status != protocols.OK || a.Command.Kind == protocols.Follow || at == 0 {
		return
	}
	if at > n.log.Last() {
		m.Violate(logBeforeAnswer, "%v answers %v with position %d, but its log ends at %d", m.Node, a.Command, at, n.log.Last())
		return
	}
	w.checkHosts(m, n, a)
	if a.Command.Kind != protocols.Write {
		return
	}
	if v := w.at(n.view.Number); v.primary != m.Node {
		m.Violate(onePrimary, "%v answers in view %d, which %v serves", m.Node, n.view.Number, v.primary)
	}
	if later := w.at(w.highestLed); !w.lossy && later.number > n.view.Number && !w.held(later.primary, at, n.epochAt(at)) {
		m.Violate(onePrimary, "%v answers for position %d in view %d, but %v serves view %d and never had it", m.Node, at, n.view.Number, later.primary, later.number)
	}
	for w.acked.Last() < at {
		w.acked.Append(ghostAnswer{})
	}
	if at < w.acked.First() {
		return // past
	}
	before, now := w.acked.At(at), ghostAnswer{command: a.Command.Hash(), epoch: n.epochAt(at), view: n.view.Number, node: m.Node}
	if !w.lossy && before.command != 0 && before.command != now.command {
		m.Violate(onePrimary, "%v answers for position %d another write than %v did", m.Node, at, before.node)
	}
	if at >= n.log.First() && before.command != now.command {
		*before = now
	}
}

// checkHosts: the position that an answer shows is durable where it has to be. That a
// later primary may since have rewound it changes nothing.
func (w *watcher) checkHosts(m *protocols.Moment, n *Node, a *protocols.Answer) {
	at := a.Result.Position
	if at < n.log.First() {
		return // under a checkpoint, so committed
	}
	hosts := 0
	members := n.view.Members()
	for id := protocols.NodeID(1); int(id) <= w.replicas; id++ {
		if w.held(id, at, n.epochAt(at)) {
			hosts++
			members = members.Without(id)
		}
	}
	if members.Empty() && (a.Command.Kind != protocols.Write || n.mode == modeSync) {
		return // committed: every mode may show it, and in sync mode that is what is asked
	}
	want := 1
	switch {
	case n.mode == modeSync:
		want = n.view.Members().Len()
	case n.mode == modeSemisync && n.parameters.OnTimeout != Degrade && (a.Command.Kind == protocols.Write || n.parameters.Visible == AfterSync):
		want = n.k + 1
	}
	if n.mode == modeSync || hosts < want {
		m.Violate(logBeforeAnswer, "%v answers %v of %v with position %d, which is durable at %d hosts; want %d, and %s", m.Node, a.Command, a.Command.Client, at, hosts, want, n.parameters.Mode)
	}
}

// leased judges a lease. How the node's clock will run is not known here; it may be
// fast by the bound, so the lease is taken to last as long as it surely does.
func (w *watcher) leased(m *protocols.Moment, note *protocols.Note) {
	rest := note.Until.Sub(m.Event.Now)
	if rest <= 0 {
		return
	}
	end := m.Now.Add(scale(rest, billion, billion+w.drift))
	g := &w.nodes[m.Node]
	g.leaseView, g.leaseEnd, g.leaseAlive = note.Epoch, end, true
	if w.highestLed > note.Epoch && m.Now < end {
		m.Violate(leaseExclusion, "%v takes the lease of view %d until %v, but view %d is served", m.Node, note.Epoch, end, w.highestLed)
	}
}

// booted takes the disk for what it is: also what survived a crash without having
// been reported durable, and not what was wiped.
func (w *watcher) booted(m *protocols.Moment) {
	w.forget(m.Node)
	if m.Disk == nil {
		return
	}
	g := &w.nodes[m.Node]
	g.base, g.before, g.log = 0, 0, g.log[:0]
	if m.Disk.Snapshot == nil && len(m.Disk.Records) == 0 {
		g.covered = 0
		for _, v := range w.views {
			v.stored[m.Node] = 0
		}
		return
	}
	if m.Disk.Snapshot != nil {
		w.durable(m, m.Disk.Snapshot)
	}
	for _, r := range m.Disk.Records {
		if r.State == protocols.RecordOK {
			w.durable(m, r.Record)
		}
	}
}

func (w *watcher) durable(m *protocols.Moment, r protocols.Record) {
	g := &w.nodes[m.Node]
	switch r := r.(type) {
	case *Append:
		g.truncate(r.PrevIndex)
		for i := range r.Entries {
			w.stored(m, g, &r.Entries[i])
		}
	case *Rewind:
		g.truncate(r.Last)
	case *Checkpoint:
		v := w.at(r.PositionEpoch)
		g.base, g.before, g.log = r.Position, v.seen(r.Position), g.log[:0]
		g.covered = max(g.covered, g.base)
		v.stored[m.Node] = max(v.stored[m.Node], g.base)
		for i := range r.Entries {
			w.stored(m, g, &r.Entries[i])
		}
	}
}

// stored takes in an entry that has become durable at m.Node.
func (w *watcher) stored(m *protocols.Moment, g *ghostNode, e *Entry) {
	_, known := g.prefix(g.last())
	prefix := g.push(e)
	index := g.last()
	v := w.at(e.Epoch)
	v.stored[m.Node] = max(v.stored[m.Node], index)
	if known && !v.matches(index, prefix) {
		m.Violate(logMatching, "%v stores entry %d of view %d, but it, or what is before it, differs from what another log has there", m.Node, index, e.Epoch)
	}
}
