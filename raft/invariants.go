package raft

import "github.com/lockstep-sim/lockstep/protocols"

// The invariants: figure 3.2 of the dissertation, and what follows from it for
// votes, commit indexes, matches and leases. Each speaks of all nodes over the
// whole run, across crashes. They are judged on ghost state (ghost.go), made of
// what became durable, what left, and what nodes noted, never on a node's word
// about another.
const (
	electionSafety     = "R-I1"
	leaderAppendOnly   = "R-I2"
	logMatching        = "R-I3"
	leaderCompleteness = "R-I4"
	stateMachineSafety = "R-I5"
	oneVote            = "R-I6"
	commitEvidence     = "R-I7"
	matchEvidence      = "R-I8"
	configurations     = "R-I9"
	leaseExclusion     = "R-I10"
	jointIsLeft        = "R-I11"
	readEvidence       = "R-I12"
)

func invariants(c protocols.Cluster, parameters any) []protocols.Observer {
	p, ok := parameters.(*Parameters)
	if !ok {
		p = DefaultParameters()
	}
	mode := parseReads(p.Reads)
	return []protocols.Observer{&watcher{
		ghost: newGhost(c), drift: p.MaxDrift, promise: p.ElectionTimeout.Min,
		reads: protocols.NewReadEvidence(c.Replicas), judgesReads: mode == readIndex || mode == readLease, followers: p.FollowerReads && mode <= readLease,
		promises: newPromises(c, mode),
	}}
}

// watcher judges all invariants. Cost: O(1) per event, O(log n) per durable
// record, O(n) per commit and read, O(terms in the log) per election.
type watcher struct {
	ghost
	drift   int64              // bound of a clock's rate error, parts per billion
	promise protocols.Duration // for how long a voter keeps quiet that has heard a leader

	reads       protocols.ReadEvidence
	judgesReads bool // they neither go through the log nor are local
	followers   bool // followers answer reads

	promises []ghostPromise // by node id; nil: no lease is ever taken
}

// Moments implements [protocols.Observer].
func (w *watcher) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Left | protocols.Durable | protocols.Crashed | protocols.Booted
}

// Checks implements [protocols.Observer].
func (w *watcher) Checks() []protocols.CheckInfo {
	return []protocols.CheckInfo{
		{ID: electionSafety, Text: "at most one leader is ever elected in a term"},
		{ID: leaderAppendOnly, Text: "a leader never overwrites or removes entries of its log"},
		{ID: logMatching, Text: "logs that agree on index and term of an entry agree on it and all before"},
		{ID: leaderCompleteness, Text: "a leader holds every entry committed in lower terms"},
		{ID: stateMachineSafety, Text: "no two replicas ever execute different entries at one index, and what a snapshot holds is the state there"},
		{ID: oneVote, Text: "a node votes at most once in a term, across restarts"},
		{ID: commitEvidence, Text: "a commit index is never above what a quorum has durably stored"},
		{ID: matchEvidence, Text: "a leader's match index is never above what the follower has durably stored, and has said so in the leader's term"},
		{ID: configurations, Text: "every quorum by which a node could be elected meets every quorum of a leader; the configuration in force at a node, and in a snapshot, is the latest of the log"},
		{ID: leaseExclusion, Text: "while a leader holds a lease, no later term has a leader; who has answered a leader's round votes in no later term until its promise is over, across restarts"},
		{ID: jointIsLeft, Text: "a leader that knows a joint configuration to be committed goes on to the new one"},
		{ID: readEvidence, Text: "a read that skips the log rests on a quorum's answers to a round that left after it arrived, or on a lease no longer than the promises of those who gave it; it shows all that was committed before its leader led, and all that was shown before it arrived"},
	}
}

// Observe implements [protocols.Observer].
func (w *watcher) Observe(m *protocols.Moment) {
	switch m.Kind {
	case protocols.Stepped:
		w.stepped(m)
	case protocols.Durable:
		w.durable(m, m.Record)
	case protocols.Left:
		w.left(m)
	case protocols.Crashed:
		w.forget(m.Node)
	case protocols.Booted:
		w.booted(m)
	}
}

func (w *watcher) stepped(m *protocols.Moment) {
	n, ok := m.Replica.(*Node)
	if !ok {
		return
	}
	if w.judgesReads {
		w.watchReads(m, n)
	}
	if len(m.Effects.Answers) > 0 || w.followers {
		w.effects(m, n)
	} else {
		for i := range m.Effects.Notes {
			w.noted(m, n, &m.Effects.Notes[i])
		}
	}
	g := &w.nodes[m.Node]
	if inForce := n.configuration(); g.inForce != inForce {
		g.inForce = inForce
		w.reads.Leased(m.Node, 0) // nobody of the new configuration has promised it
	}
	if n.role == leader {
		w.checkAppendOnly(m, n, g)
	} else {
		g.leading = 0
	}
	if w.changed {
		w.checkConfiguration(m, n)
	}
	if n.role != leader {
		return
	}
	if n.leaseUntil == 0 && g.leaseTerm != 0 {
		g.leaseTerm = 0 // given up
		w.reads.Leased(m.Node, 0)
	}
	if w.highestLed > n.term && m.Event.Now < n.leaseUntil {
		m.Violate(leaseExclusion, "%v believes in the lease of term %d, but term %d has a leader", m.Node, n.term, w.highestLed)
	}
	if m.Event.Kind != protocols.Receive {
		return
	}
	if _, ok := m.Event.Message.(*AppendEntriesResponse); ok {
		w.checkMatch(m, n, m.Event.From)
	}
}

func (w *watcher) noted(m *protocols.Moment, n *Node, note *protocols.Note) {
	switch note.Kind {
	case protocols.NoteLeader:
		w.elected(m, n, note.Index)
	case protocols.NoteSteppedDown:
		w.forget(m.Node)
	case protocols.NoteCommit:
		if n.role == leader && note.Epoch == n.term {
			w.led(m, n, note.Index)
		}
		if reached := w.committed.Last(); note.Index > reached {
			m.Violate(commitEvidence, "%v takes index %d as committed in term %d, but a quorum has durably stored only up to %d", m.Node, note.Index, note.Epoch, reached)
		}
	case protocols.NoteApplied:
		w.executed(m, note)
	case protocols.NoteInstalled:
		w.checkState(m, note.Index, note.State)
	case protocols.NoteLease:
		w.leased(m, n, note)
	}
}

// elected judges the new leader n, whose log ended at last when it was elected.
func (w *watcher) elected(m *protocols.Moment, n *Node, last protocols.Index) {
	t := w.at(n.term)
	if t.leader != protocols.Nobody {
		m.Violate(electionSafety, "%v is elected in term %d, which %v already leads", m.Node, n.term, t.leader)
		return
	}
	// A snapshot that is not executed is not there yet.
	t.leader, t.base, t.runs = m.Node, min(n.base(), n.execute.Applied), runsOf(n, last)
	w.reads.Leads(m.Node, n.term, last+1) // with its no-op all before it is committed (§6.4)
	w.highestLed = max(w.highestLed, n.term)
	for peer, index := range n.match {
		if index > 0 {
			m.Violate(matchEvidence, "%v begins to lead term %d and takes %v to match up to index %d", m.Node, n.term, protocols.NodeID(peer), index)
		}
	}
	// Only what was committed in lower terms: a vote that was long on its way may
	// still elect a leader of an old term after a newer one has committed.
	i := w.committed.Last()
	for i >= w.committed.First() && w.committed.At(i).commitTerm >= n.term {
		i--
	}
	if i >= w.committed.First() {
		w.checkComplete(m, t, i)
	}
	for id := range w.nodes {
		l := &w.nodes[id]
		if l.leaseTerm != 0 && l.leaseTerm < n.term && m.Now < l.leaseEnd {
			m.Violate(leaseExclusion, "%v is elected in term %d while %v holds the lease of term %d until %v", m.Node, n.term, protocols.NodeID(id), l.leaseTerm, l.leaseEnd)
		}
	}
}

// checkComplete: the leader of t held the committed entry at index when elected.
func (w *watcher) checkComplete(m *protocols.Moment, t *ghostTerm, index protocols.Index) {
	c := w.committed.At(index)
	if !t.held(index, c.term) {
		m.Violate(leaderCompleteness, "%v leads term %d without entry %d of term %d, which was committed in term %d", t.leader, t.term, index, c.term, c.commitTerm)
	}
}

// checkAppendOnly: the leader n holds what it held after its last step.
func (w *watcher) checkAppendOnly(m *protocols.Moment, n *Node, g *ghostNode) {
	last := n.log.Last()
	if g.leading == n.term && (last < g.last || g.last >= n.base() && n.termAt(g.last) != g.lastTerm) {
		m.Violate(leaderAppendOnly, "%v, leader of term %d, had entry %d of term %d and has replaced or removed it", m.Node, n.term, g.last, g.lastTerm)
	}
	if g.leading != n.term || last != g.last {
		g.leading, g.last, g.lastTerm = n.term, last, n.termAt(last)
	}
}

// checkMatch: what the leader n takes peer to match, peer has held durably. That
// peer may since have truncated it for a newer leader changes nothing.
func (w *watcher) checkMatch(m *protocols.Moment, n *Node, peer protocols.NodeID) {
	index := n.progress[peer].stored
	if said := w.at(n.term).said[peer]; index > said || n.match[peer] > said {
		m.Violate(matchEvidence, "%v, leader of term %d, takes %v to match up to index %d, which has said so in that term only up to %d", m.Node, n.term, peer, max(index, n.match[peer]), said)
		return
	}
	if index == 0 || index < n.base() {
		return
	}
	term := n.termAt(index)
	t := w.at(term)
	stored := t.stored[peer]
	if w.nodes[peer].lost || n.progress[peer].disk != w.nodes[peer].disk {
		stored = max(stored, t.lost[peer]) // the leader cannot know yet that the disk is gone
	}
	if stored < index {
		m.Violate(matchEvidence, "%v, leader of term %d, takes %v to match up to index %d of term %d, but of that term it has durably stored only up to %d", m.Node, n.term, peer, index, term, stored)
	}
}

func (w *watcher) executed(m *protocols.Moment, note *protocols.Note) {
	switch i, last := note.Index, w.executions.Last(); {
	case i == last+1:
		w.executions.Append(ghostExecution{note.Hash, note.State})
	case i == 0 || i > last:
		m.Violate(stateMachineSafety, "%v executes index %d, but nobody has executed %d yet", m.Node, note.Index, last+1)
	case i < w.executions.First(): // nobody's log reaches back that far
	case w.executions.At(i).entry != note.Hash:
		m.Violate(stateMachineSafety, "%v executes at index %d another entry (of term %d) than was executed there before", m.Node, note.Index, note.Epoch)
	}
}

// left looks at promises that were made: a vote that left is a vote.
func (w *watcher) left(m *protocols.Moment) {
	switch v := m.Message.(type) {
	case *Heartbeat:
		w.reads.Left(m.Node, v.Term, v.Round, m.Now)
	case *AppendEntriesResponse:
		if v.Success {
			t := w.at(v.Term)
			t.said[m.Node] = max(t.said[m.Node], v.MatchIndex)
		}
	case *RequestVote:
		w.voted(m, v.Term, m.Node)
	case *RequestVoteResponse:
		if v.VoteGranted {
			w.voted(m, v.Term, v.CandidateID)
			w.checkPromise(m, v.Term, v.CandidateID)
		}
	case *HeartbeatResponse:
		w.promised(m, v)
	case *TimeoutNow:
		w.handsOver(m, v)
	}
}

// voted judges a vote. A node whose disk was wiped is another voter once the members have
// taken the new disk in, and that is committed: whoever got an earlier vote lacks it, and is
// not elected.
func (w *watcher) voted(m *protocols.Moment, term uint64, vote protocols.NodeID) {
	t, g := w.at(term), &w.nodes[m.Node]
	v, disk := &t.votes[m.Node], &t.voters[m.Node]
	if c := g.configuration(); *disk != g.disk && c.index <= w.committed.Last() && g.counts(m.Node, c.config) {
		*v = protocols.Nobody
	}
	switch *v {
	case protocols.Nobody:
		*v, *disk = vote, g.disk
	case vote:
	default:
		m.Violate(oneVote, "%v votes for %v in term %d, after it voted for %v", m.Node, vote, term, *v)
	}
}

// booted takes in what survived the crash without having been reported durable,
// and forgets a disk that was wiped.
func (w *watcher) booted(m *protocols.Moment) {
	w.forget(m.Node)
	g := &w.nodes[m.Node]
	if n, ok := m.Replica.(*Node); ok && n.execute.Applied > 0 {
		w.checkState(m, n.execute.Applied, n.execute.Hash())
	}
	if m.Disk == nil {
		return
	}
	if len(m.Disk.Records) < g.records || m.Disk.Wiped && g.log.Last() > 0 && m.Disk.Snapshot == nil {
		w.wiped(m.Node)
	}
	for _, r := range m.Disk.Records[g.records:] {
		if r.State == protocols.RecordOK {
			w.durable(m, r.Record)
		}
	}
}

func (w *watcher) durable(m *protocols.Moment, r protocols.Record) {
	g := &w.nodes[m.Node]
	g.records++
	switch r := r.(type) {
	case *HardState:
		g.term = r.Term
		if r.Vote != protocols.Nobody {
			w.voted(m, r.Term, r.Vote)
		}
	case *Append:
		w.stored(m, r)
	case *Wiped:
		g.disk, g.lost = r.Disk, false
	case *Snapshot:
		w.snapshot(m, r)
	}
}

// wiped forgets what was on a disk that is lost.
func (w *watcher) wiped(id protocols.NodeID) {
	w.wipe(id)
	w.nodes[id].lost = true
	for _, t := range w.terms {
		t.lost[id] = max(t.lost[id], t.stored[id])
		t.stored[id], t.uncounted[id] = 0, 0
	}
}

// snapshot takes in a snapshot that has become durable, of what is committed.
func (w *watcher) snapshot(m *protocols.Moment, r *Snapshot) {
	g, c := &w.nodes[m.Node], r.Checkpoint
	if c.LastIndex > w.committed.Last() {
		m.Violate(commitEvidence, "%v saves a snapshot of index %d, but a quorum has durably stored only up to %d", m.Node, c.LastIndex, w.committed.Last())
		return
	}
	known := c.LastIndex >= w.committed.First()
	if known {
		if is := w.configurationAt(c.LastIndex).config; is.digest() != c.Configuration.digest() {
			m.Violate(configurations, "%v saves a snapshot of index %d with %v, but there the log has %v", m.Node, c.LastIndex, c.Configuration, is)
		}
	}
	g.term, g.disk, g.lost, g.records = r.Term, r.Disk, false, 0
	g.before = ghostEntry{term: c.LastTerm}
	if known {
		g.before.prefix = w.committed.At(c.LastIndex).prefix
	}
	g.tail = g.before
	g.log.Reset(c.LastIndex)
	g.configurations = append(g.configurations[:0], configuredBy(c.LastIndex, c.Configuration))
	t := w.at(c.LastTerm)
	t.stored[m.Node] = max(t.stored[m.Node], c.LastIndex)
	w.stored(m, &Append{PrevLogIndex: c.LastIndex, Entries: r.Entries})
	w.forgetPast()
}

// checkState: the state of a snapshot is what executing the log up to index made.
func (w *watcher) checkState(m *protocols.Moment, index protocols.Index, state uint64) {
	if index < w.executions.First() || index > w.executions.Last() {
		return
	}
	if w.executions.At(index).state != state {
		m.Violate(stateMachineSafety, "%v has in a snapshot of index %d another state than executing the log made", m.Node, index)
	}
}

// checkConfiguration: n follows the latest configuration of its log, and as a leader
// no other node could decide apart from it.
func (w *watcher) checkConfiguration(m *protocols.Moment, n *Node) {
	g := &w.nodes[m.Node]
	mine := n.configuration()
	if g.log.Last() == n.log.Last() && g.tail.term == n.termAt(n.log.Last()) && g.configuration().config.digest() != mine.digest() {
		m.Violate(configurations, "%v follows %v, but the latest of its log has %v", m.Node, mine, g.configuration().config)
	}
	if n.role != leader {
		g.configured = 0
		return
	}
	last := n.latest()
	if last.config.isJoint() && last.index <= n.commit && n.commit >= n.termStart && n.transfer.target == protocols.Nobody {
		m.Violate(jointIsLeft, "%v leads term %d with the joint configuration of index %d committed, and does not leave it", m.Node, n.term, last.index)
	}
	if g.configured == last.index+1 {
		return
	}
	g.configured = last.index + 1
	if !w.mayCommit(mine, n.term) {
		return // it leads an old term, and learns that later
	}
	for id := 1; id < len(w.nodes); id++ {
		other := w.nodes[id].configuration().config
		if protocols.NodeID(id) != m.Node && !mine.meets(other) && w.mayElect(protocols.NodeID(id)) {
			m.Violate(configurations, "%v leads term %d with %v, and %v could be elected with %v: they have disjoint quorums", m.Node, n.term, mine, protocols.NodeID(id), other)
		}
	}
}

// led judges a commit by the configuration that the leader had before this step, whose
// entry may not be durable anywhere.
func (w *watcher) led(m *protocols.Moment, n *Node, index protocols.Index) {
	if index <= w.committed.Last() {
		return
	}
	t, c := w.at(n.term), w.nodes[m.Node].inForce
	if c == nil {
		return
	}
	w.admit(t, c)
	reached := protocols.CommittedIndex(c.quorum(), t.acknowledged)
	for id := range w.nodes {
		if t.acknowledged[id] >= reached && reached > t.reached && w.nodes[id].log.Last() >= reached {
			w.commit(m, &w.nodes[id], t, reached)
		}
	}
}

// stored takes in entries that have become durable at m.Node.
func (w *watcher) stored(m *protocols.Moment, r *Append) {
	g := &w.nodes[m.Node]
	w.truncate(g, r.PrevLogIndex)
	var t *ghostTerm // of the entry before
	for i := range r.Entries {
		e := &r.Entries[i]
		index := w.push(g, e)
		if t == nil || t.term != e.Term {
			t = w.at(e.Term)
		}
		if !t.matches(index, g.tail.prefix) {
			m.Violate(logMatching, "%v stores entry %d of term %d, but it, or what is before it, differs from what another log has there", m.Node, index, e.Term)
		}
		t.stored[m.Node] = max(t.stored[m.Node], index)
	}
	if len(g.log.runs) > 0 && g.tail.term == g.term {
		w.acknowledged(m, w.at(g.term), g.log.Last())
	}
}

// acknowledged: m.Node holds, durably and in term t, the log of t's leader up to
// index, whose entry is of t. Once a quorum does, index and all before it are
// committed in t (§3.6.2).
func (w *watcher) acknowledged(m *protocols.Moment, t *ghostTerm, index protocols.Index) {
	g := &w.nodes[m.Node]
	c := g.configuration().config
	if !t.waits && g.counts(m.Node, c) {
		t.acknowledged[m.Node] = max(t.acknowledged[m.Node], index)
	} else {
		t.uncounted[m.Node], t.waits = max(t.uncounted[m.Node], index), true
		w.admit(t, c)
	}
	if index <= t.reached {
		return // a quorum has had it before
	}
	if reached := min(g.reach(t.acknowledged), index); reached > t.reached {
		w.commit(m, g, t, reached)
	}
}

// commit takes in that term t has committed up to reached, in the log of g.
func (w *watcher) commit(m *protocols.Moment, g *ghostNode, t *ghostTerm, reached protocols.Index) {
	t.reached = reached
	log := &g.log
	before := min(reached, w.committed.Last())
	if before >= w.committed.First() && before >= log.First() {
		if c, prefix := w.committed.At(before), w.entryAt(g, before).prefix; prefix != 0 && c.prefix != prefix {
			m.Violate(leaderCompleteness, "term %d commits up to index %d in a log that differs at or before %d from what was committed in term %d", t.term, reached, before, c.commitTerm)
			return
		}
	}
	if reached <= w.committed.Last() || w.committed.Last()+1 < log.First() {
		return
	}
	for i := w.committed.Last() + 1; i <= reached; i++ {
		e := w.entryAt(g, i)
		w.committed.Append(ghostCommit{term: e.term, prefix: e.prefix, commitTerm: t.term})
	}
	known := w.configurations[len(w.configurations)-1].index
	for _, c := range g.configurations {
		if c.index > known && c.index <= reached {
			w.configurations = append(w.configurations, c)
		}
	}
	for i := len(w.terms) - 1; i >= 0 && w.terms[i].term > t.term; i-- {
		if later := w.terms[i]; later.leader != protocols.Nobody {
			w.checkComplete(m, later, reached)
		}
	}
}
