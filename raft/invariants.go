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
	leaseExclusion     = "R-I10"
)

func invariants(c protocols.Cluster, parameters any) []protocols.Observer {
	drift := int64(0)
	if p, ok := parameters.(*Parameters); ok {
		drift = p.MaxDrift
	}
	return []protocols.Observer{&watcher{ghost: newGhost(c.Replicas), drift: drift}}
}

// watcher judges all invariants. Cost: O(1) per event, O(log n) per durable
// record, O(n) per commit, O(terms in the log) per election.
type watcher struct {
	ghost
	drift int64 // bound of a clock's rate error, parts per billion
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
		{ID: stateMachineSafety, Text: "no two replicas ever execute different entries at one index"},
		{ID: oneVote, Text: "a node votes at most once in a term, across restarts"},
		{ID: commitEvidence, Text: "a commit index is never above what a quorum has durably stored"},
		{ID: matchEvidence, Text: "a leader's match index is never above what the follower has durably stored"},
		{ID: leaseExclusion, Text: "while a leader holds a lease, no later term has a leader"},
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
		w.nodes[m.Node].forget()
	case protocols.Booted:
		w.booted(m)
	}
}

func (w *watcher) stepped(m *protocols.Moment) {
	n, ok := m.Replica.(*Node)
	if !ok {
		return
	}
	for i := range m.Effects.Notes {
		w.noted(m, n, &m.Effects.Notes[i])
	}
	w.checkAppendOnly(m, n)
	if n.role != leader {
		return
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
		w.nodes[m.Node].forget()
	case protocols.NoteCommit:
		if reached := protocols.Index(len(w.committed)); note.Index > reached {
			m.Violate(commitEvidence, "%v takes index %d as committed in term %d, but a quorum has durably stored only up to %d", m.Node, note.Index, note.Epoch, reached)
		}
	case protocols.NoteApplied:
		w.executed(m, note)
	case protocols.NoteLease:
		w.leased(m, note)
	}
}

// elected judges the new leader n, whose log ended at last when it was elected.
func (w *watcher) elected(m *protocols.Moment, n *Node, last protocols.Index) {
	t := w.at(n.term)
	if t.leader != protocols.Nobody {
		m.Violate(electionSafety, "%v is elected in term %d, which %v already leads", m.Node, n.term, t.leader)
		return
	}
	t.leader, t.runs = m.Node, runsOf(n, last)
	w.highestLed = max(w.highestLed, n.term)
	// Only what was committed in lower terms: a vote that was long on its way may
	// still elect a leader of an old term after a newer one has committed.
	i := len(w.committed)
	for i > 0 && w.committed[i-1].commitTerm >= n.term {
		i--
	}
	if i > 0 {
		w.checkComplete(m, t, protocols.Index(i))
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
	c := w.committed[index-1]
	if !t.held(index, c.term) {
		m.Violate(leaderCompleteness, "%v leads term %d without entry %d of term %d, which was committed in term %d", t.leader, t.term, index, c.term, c.commitTerm)
	}
}

func (w *watcher) checkAppendOnly(m *protocols.Moment, n *Node) {
	g := &w.nodes[m.Node]
	if n.role != leader {
		g.leading = 0
		return
	}
	last := n.log.Last()
	if g.leading == n.term && (last < g.last || n.termAt(g.last) != g.lastTerm) {
		m.Violate(leaderAppendOnly, "%v, leader of term %d, had entry %d of term %d and has replaced or removed it", m.Node, n.term, g.last, g.lastTerm)
	}
	if g.leading != n.term || last != g.last {
		g.leading, g.last, g.lastTerm = n.term, last, n.termAt(last)
	}
}

// checkMatch: what the leader n takes peer to match, peer has held durably. That
// peer may since have truncated it for a newer leader changes nothing.
func (w *watcher) checkMatch(m *protocols.Moment, n *Node, peer protocols.NodeID) {
	index := n.match[peer]
	if index == 0 {
		return
	}
	term := n.termAt(index)
	if stored := w.at(term).stored[peer]; stored < index {
		m.Violate(matchEvidence, "%v, leader of term %d, takes %v to match up to index %d of term %d, but of that term it has durably stored only up to %d", m.Node, n.term, peer, index, term, stored)
	}
}

func (w *watcher) executed(m *protocols.Moment, note *protocols.Note) {
	switch i := int(note.Index) - 1; {
	case i == len(w.executions):
		w.executions = append(w.executions, note.Hash)
	case i < 0 || i > len(w.executions):
		m.Violate(stateMachineSafety, "%v executes index %d, but nobody has executed %d yet", m.Node, note.Index, len(w.executions)+1)
	case w.executions[i] != note.Hash:
		m.Violate(stateMachineSafety, "%v executes at index %d another entry (of term %d) than was executed there before", m.Node, note.Index, note.Epoch)
	}
}

// leased judges a lease. How the node's clock will run is not known here; it may
// be fast by the bound, so the lease is taken to last as long as it surely does.
func (w *watcher) leased(m *protocols.Moment, note *protocols.Note) {
	rest := note.Until.Sub(m.Event.Now)
	if rest <= 0 {
		return
	}
	end := m.Now.Add(scale(rest, billion, billion+w.drift))
	g := &w.nodes[m.Node]
	g.leaseTerm, g.leaseEnd = note.Epoch, end
	if w.highestLed > note.Epoch && m.Now < end {
		m.Violate(leaseExclusion, "%v takes the lease of term %d until %v, but term %d has a leader", m.Node, note.Epoch, end, w.highestLed)
	}
}

// left looks at promises that were made: a vote that left is a vote.
func (w *watcher) left(m *protocols.Moment) {
	switch v := m.Message.(type) {
	case *RequestVote:
		w.voted(m, v.Term, m.Node)
	case *RequestVoteResponse:
		if v.VoteGranted {
			w.voted(m, v.Term, v.CandidateID)
		}
	}
}

func (w *watcher) voted(m *protocols.Moment, term uint64, vote protocols.NodeID) {
	v := &w.at(term).votes[m.Node]
	switch *v {
	case protocols.Nobody:
		*v = vote
	case vote:
	default:
		m.Violate(oneVote, "%v votes for %v in term %d, after it voted for %v", m.Node, vote, term, *v)
	}
}

// booted takes in what survived the crash without having been reported durable,
// and forgets a disk that was wiped.
func (w *watcher) booted(m *protocols.Moment) {
	if n, ok := m.Replica.(*Node); ok {
		w.quorum = n.quorum
	}
	g := &w.nodes[m.Node]
	g.forget()
	if m.Disk == nil {
		return
	}
	if len(m.Disk.Records) < g.records {
		*g = ghostNode{}
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
	}
}

// stored takes in entries that have become durable at m.Node.
func (w *watcher) stored(m *protocols.Moment, r *Append) {
	g := &w.nodes[m.Node]
	g.truncate(int(r.PrevLogIndex))
	for i := range r.Entries {
		e := &r.Entries[i]
		g.push(e)
		index := protocols.Index(len(g.log))
		t := w.at(e.Term)
		if !t.matches(index, g.log[index-1].prefix) {
			m.Violate(logMatching, "%v stores entry %d of term %d, but it, or what is before it, differs from what another log has there", m.Node, index, e.Term)
		}
		t.stored[m.Node] = max(t.stored[m.Node], index)
	}
	if last := len(g.log); last > 0 && g.log[last-1].term == g.term {
		w.acknowledged(m, w.at(g.term), protocols.Index(last))
	}
}

// acknowledged: m.Node holds, durably and in term t, the log of t's leader up to
// index, whose entry is of t. Once a quorum does, index and all before it are
// committed in t (§3.6.2).
func (w *watcher) acknowledged(m *protocols.Moment, t *ghostTerm, index protocols.Index) {
	t.acknowledged[m.Node] = max(t.acknowledged[m.Node], index)
	reached := protocols.CommittedIndex(w.quorum, t.acknowledged)
	if reached <= t.reached {
		return
	}
	t.reached = reached
	log := w.nodes[m.Node].log
	before := min(int(reached), len(w.committed))
	if before > 0 && w.committed[before-1].prefix != log[before-1].prefix {
		m.Violate(leaderCompleteness, "term %d commits up to index %d in a log that differs at or before %d from what was committed in term %d", t.term, reached, before, w.committed[before-1].commitTerm)
		return
	}
	if int(reached) <= len(w.committed) {
		return
	}
	for i := len(w.committed); i < int(reached); i++ {
		w.committed = append(w.committed, ghostCommit{term: log[i].term, prefix: log[i].prefix, commitTerm: t.term})
	}
	for i := len(w.terms) - 1; i >= 0 && w.terms[i].term > t.term; i-- {
		if later := w.terms[i]; later.leader != protocols.Nobody {
			w.checkComplete(m, later, reached)
		}
	}
}
