package raft

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// ghost is what is true of a run, gathered from outside the nodes. What lies before
// every node's log is forgotten.
type ghost struct {
	cluster    protocols.Cluster
	nodes      []ghostNode  // by node id
	terms      []*ghostTerm // in order of term; few are looked up but the last
	committed  protocols.Log[ghostCommit]
	executions protocols.Log[ghostExecution]
	// configurations are those of committed; the first governs what is forgotten too.
	configurations []ghostConfiguration
	changed        bool   // some node has stored a configuration
	highestLed     uint64 // the highest term that has had a leader
}

// ghostNode is one node's disk, and what it claims to be.
type ghostNode struct {
	term    uint64 // durable
	disk    uint64 // as in Wiped
	lost    bool   // the disk is gone, and the new one has no number yet
	log     ghostLog
	tail    ghostEntry // the log's last entry, or what it begins after
	before  ghostEntry // what the log begins after
	records int        // how many are durable since the last snapshot
	// configurations are those of the log, and before them that which it begins with.
	configurations []ghostConfiguration

	leading    uint64 // the term it leads, or 0
	last       protocols.Index
	lastTerm   uint64
	configured protocols.Index // of the configuration that it led with last
	inForce    *Configuration  // before its last step

	asked []ghostAsked // by it as a follower, the last read of each client

	leaseTerm uint64 // the term whose lease it holds, or 0
	leaseEnd  protocols.Time
}

// ghostEntry is one durable entry: its term, and a digest of it and all before, 0
// where what was before is forgotten.
type ghostEntry struct{ term, prefix uint64 }

// ghostCommit is one committed entry. Its commit term is that of the leader under
// which a quorum had it.
type ghostCommit struct{ term, prefix, commitTerm uint64 }

// ghostExecution is the entry first executed at an index, and the state after it.
type ghostExecution struct{ entry, state uint64 }

// ghostConfiguration is a configuration of the log, with its quorum as it should be.
type ghostConfiguration struct {
	index  protocols.Index
	config *Configuration
	quorum protocols.Quorum
}

func configuredBy(index protocols.Index, c *Configuration) ghostConfiguration {
	return ghostConfiguration{index, c, c.quorum()}
}

// ghostTerm is what happened in one term. Slices are by node id.
type ghostTerm struct {
	term   uint64
	leader protocols.NodeID
	base   protocols.Index // the leader's snapshot ended there when it was elected
	runs   runs            // its log behind that

	prefixes protocols.Log[uint64] // of the term's entries wherever they were stored; 0: not seen

	votes        []protocols.NodeID
	voters       []uint64          // the number of the disk, as in Wiped, by which each voted
	stored       []protocols.Index // highest index of an entry of this term ever durable on the node's disk
	lost         []protocols.Index // the same of its earlier disks, which were wiped
	acknowledged []protocols.Index // the same of any disk, stored while the node was in this term and counted
	uncounted    []protocols.Index // the same of a new disk that was no member's then
	waits        bool              // some is uncounted
	said         []protocols.Index // up to where the node has said in this term that its log matches
	reached      protocols.Index   // the highest index that a quorum has acknowledged
}

// run says that a log's entries up to end, after the previous run, are of term.
type run struct {
	term uint64
	end  protocols.Index
}

// runs describes a log.
type runs []run

// termAt returns the term of the entry at index, which is in the log or behind it: then
// there is none.
func (r runs) termAt(index protocols.Index) (term uint64, ok bool) {
	k := len(r)
	for k > 0 && r[k-1].end >= index {
		k--
	}
	if k == len(r) {
		return 0, false
	}
	return r[k].term, true
}

// ghostLog is a durable log. Its entries are known by their terms: with the index, a
// term tells what the entry and all before it are, see [ghostTerm.matches].
type ghostLog struct {
	start protocols.Index // what it begins after
	runs  runs
}

// First returns the first index of the log.
func (l *ghostLog) First() protocols.Index { return l.start + 1 }

// Last returns the last index, or where an empty log begins.
func (l *ghostLog) Last() protocols.Index {
	if n := len(l.runs); n > 0 {
		return l.runs[n-1].end
	}
	return l.start
}

// Append adds entries of one term up to index end.
func (l *ghostLog) Append(term uint64, end protocols.Index) {
	if n := len(l.runs); n > 0 && l.runs[n-1].term == term {
		l.runs[n-1].end = end
		return
	}
	l.runs = append(l.runs, run{term, end})
}

// Truncate removes what is behind last.
func (l *ghostLog) Truncate(last protocols.Index) {
	k := len(l.runs)
	for k > 0 && l.runs[k-1].end > last {
		k--
	}
	if k < len(l.runs) && last > l.start && (k == 0 || l.runs[k-1].end < last) {
		l.runs[k].end = last
		k++
	}
	l.runs = l.runs[:k]
}

// Reset empties the log, and lets it begin after start.
func (l *ghostLog) Reset(start protocols.Index) { l.start, l.runs = start, l.runs[:0] }

// nothing is what an empty log begins after.
var nothing = ghostEntry{prefix: protocols.HashSeed}

func newGhost(c protocols.Cluster) ghost {
	first := configuredBy(0, &Configuration{Voters: c.First()})
	g := ghost{
		cluster:        c,
		nodes:          make([]ghostNode, c.Replicas+1),
		configurations: []ghostConfiguration{first},
	}
	for id := range g.nodes {
		g.wipe(protocols.NodeID(id))
	}
	return g
}

// wipe makes a node's disk empty. It is told the first membership when it boots, if
// it is a member.
func (g *ghost) wipe(id protocols.NodeID) {
	first := new(Configuration)
	if g.cluster.First().Has(id) {
		first = &Configuration{Voters: g.cluster.First()}
	}
	g.nodes[id] = ghostNode{tail: nothing, before: nothing, configurations: []ghostConfiguration{configuredBy(0, first)}}
}

// at returns the record of a term. It is nearly always the last one.
func (g *ghost) at(term uint64) *ghostTerm {
	if n := len(g.terms); n > 0 && g.terms[n-1].term == term {
		return g.terms[n-1]
	}
	return g.enter(term)
}

// enter returns the record of a term, and makes it where there is none.
func (g *ghost) enter(term uint64) *ghostTerm {
	i := len(g.terms)
	for i > 0 && g.terms[i-1].term > term {
		i--
	}
	if i > 0 && g.terms[i-1].term == term {
		return g.terms[i-1]
	}
	size := g.cluster.Replicas + 1
	t := &ghostTerm{
		term:         term,
		votes:        make([]protocols.NodeID, size),
		voters:       make([]uint64, size),
		stored:       make([]protocols.Index, size),
		lost:         make([]protocols.Index, size),
		acknowledged: make([]protocols.Index, size),
		uncounted:    make([]protocols.Index, size),
		said:         make([]protocols.Index, size),
	}
	g.terms = append(g.terms, nil)
	copy(g.terms[i+1:], g.terms[i:])
	g.terms[i] = t
	return t
}

// forgetPast drops what lies before every log that holds anything.
func (g *ghost) forgetPast() {
	past := g.committed.Last()
	for id := 1; id < len(g.nodes); id++ {
		if n := &g.nodes[id]; n.log.Last() > 0 {
			past = min(past, n.log.First()-1)
		}
	}
	if past <= 1 {
		return
	}
	g.committed.CompactTo(past - 1) // a snapshot of past itself is looked up
	g.executions.CompactTo(min(past-1, g.executions.Last()))
	k := 0
	for k+1 < len(g.configurations) && g.configurations[k+1].index < past {
		k++
	}
	g.configurations = append(g.configurations[:0], g.configurations[k:]...)
	for _, t := range g.terms {
		t.prefixes.CompactTo(min(past-1, t.prefixes.Last()))
	}
}

// configurationAt returns the committed configuration in force at index.
func (g *ghost) configurationAt(index protocols.Index) *ghostConfiguration {
	k := len(g.configurations) - 1
	for k > 0 && g.configurations[k].index > index {
		k--
	}
	return &g.configurations[k]
}

// reach returns the highest index that a quorum has acknowledged, by a configuration
// of the node's log: an entry is judged by the one in force at it, or by a later one,
// which its leader had then.
func (g *ghostNode) reach(acknowledged []protocols.Index) protocols.Index {
	var best protocols.Index
	end := ^protocols.Index(0)
	for k := len(g.configurations) - 1; k >= 0; k-- {
		c := &g.configurations[k]
		best = max(best, min(end, protocols.CommittedIndex(c.quorum, acknowledged)))
		end = c.index - 1
	}
	return best
}

// configuration returns the latest configuration of the node's log.
func (g *ghostNode) configuration() *ghostConfiguration {
	return &g.configurations[len(g.configurations)-1]
}

// entryAt returns the entry at an index that is in the node's log.
func (g *ghost) entryAt(n *ghostNode, index protocols.Index) ghostEntry {
	term, _ := n.log.runs.termAt(index)
	t := g.at(term)
	if index < t.prefixes.First() || index > t.prefixes.Last() {
		return ghostEntry{term: term}
	}
	return ghostEntry{term, *t.prefixes.At(index)}
}

// mayElect reports whether the votes of those whose logs are no more up to date than
// g's are a quorum of g's configuration: whether g could be elected.
func (g *ghost) mayElect(id protocols.NodeID) bool {
	var votes protocols.NodeSet
	n := &g.nodes[id]
	mine, last := n.tail.term, n.log.Last()
	for v := 1; v < len(g.nodes); v++ {
		o := &g.nodes[v]
		if !o.counts(protocols.NodeID(v), n.configuration().config) {
			continue
		}
		if term := o.tail.term; term < mine || term == mine && o.log.Last() <= last {
			votes = votes.With(protocols.NodeID(v))
		}
	}
	return n.configuration().quorum.Has(votes)
}

// mayCommit reports whether those that have not gone on to a later term are a quorum of
// c: whether a leader of term with that configuration could commit anything.
func (g *ghost) mayCommit(c *Configuration, term uint64) bool {
	var votes protocols.NodeSet
	for id := 1; id < len(g.nodes); id++ {
		if n := &g.nodes[id]; n.term <= term && n.counts(protocols.NodeID(id), c) {
			votes = votes.With(protocols.NodeID(id))
		}
	}
	return c.quorum().Has(votes)
}

// counts reports whether the disk of node id is the one with which it is in c: else it
// neither votes nor counts.
func (g *ghostNode) counts(id protocols.NodeID, c *Configuration) bool {
	return !g.lost && (g.disk == 0 || g.disk == c.disk(id))
}

// admit counts what disks have stored since they were lost, where c has taken them in.
func (g *ghost) admit(t *ghostTerm, c *Configuration) {
	if !t.waits {
		return
	}
	t.waits = false
	for id := 1; id < len(g.nodes); id++ {
		if t.uncounted[id] > 0 && g.nodes[id].counts(protocols.NodeID(id), c) {
			t.acknowledged[id] = max(t.acknowledged[id], t.uncounted[id])
			t.uncounted[id] = 0
		}
		t.waits = t.waits || t.uncounted[id] > 0
	}
}

// forget drops what a node claims to be.
func (g *ghostNode) forget() { g.leading, g.leaseTerm, g.asked = 0, 0, g.asked[:0] }

// truncate ends a node's log at last. A hole, which only a lost record can leave, is
// filled with entries that match no other.
func (g *ghost) truncate(n *ghostNode, last protocols.Index) {
	switch end := n.log.Last(); {
	case end == last:
		return
	case end < last:
		n.log.Append(0, last)
		n.tail = ghostEntry{}
		return
	}
	n.log.Truncate(last)
	if n.tail = n.before; len(n.log.runs) > 0 {
		n.tail = g.entryAt(n, n.log.Last())
	}
	k := len(n.configurations)
	for k > 1 && n.configurations[k-1].index > last {
		k--
	}
	n.configurations = n.configurations[:k]
}

// push appends e and returns its index. What is before it may be forgotten: then it is
// known again once an entry is the committed one.
func (g *ghost) push(n *ghostNode, e *Entry) protocols.Index {
	at, entry := n.log.Last()+1, ghostEntry{term: e.Term}
	if n.tail.prefix != 0 {
		entry.prefix = protocols.Fold(n.tail.prefix, e.hash())
	} else if at >= g.committed.First() && at <= g.committed.Last() && g.committed.At(at).term == e.Term {
		entry.prefix = g.committed.At(at).prefix
	}
	n.log.Append(e.Term, at)
	n.tail = entry
	if e.Configuration != nil {
		g.changed = true
		n.configurations = append(n.configurations, configuredBy(at, e.Configuration))
	}
	return at
}

// matches reports whether prefix is what every log had so far that holds an entry
// of this term at index; the first to come decides.
func (t *ghostTerm) matches(index protocols.Index, prefix uint64) bool {
	if prefix == 0 {
		return true
	}
	if t.prefixes.Len() == 0 {
		t.prefixes.Reset(index - 1)
	}
	if index < t.prefixes.First() {
		t.widen(index)
	}
	for t.prefixes.Last() < index {
		t.prefixes.Append(0)
	}
	first := t.prefixes.At(index)
	if *first == 0 {
		*first = prefix
	}
	return *first == prefix
}

// widen lets the prefixes begin at index.
func (t *ghostTerm) widen(index protocols.Index) {
	var wider protocols.Log[uint64]
	wider.Reset(index - 1)
	for wider.Last()+1 < t.prefixes.First() {
		wider.Append(0)
	}
	for i := t.prefixes.First(); i <= t.prefixes.Last(); i++ {
		wider.Append(*t.prefixes.At(i))
	}
	t.prefixes = wider
}

// held reports whether the leader, when it was elected, held an entry of term at
// index, or a snapshot that covers it.
func (t *ghostTerm) held(index protocols.Index, term uint64) bool {
	if index <= t.base {
		return true
	}
	is, ok := t.runs.termAt(index)
	return ok && is == term
}

// runsOf describes n's log up to last.
func runsOf(n *Node, last protocols.Index) runs {
	var r runs
	for end := last; end >= n.log.First(); {
		term := n.termAt(end)
		r = append(r, run{term: term, end: end})
		end = n.firstOfTerm(term) - 1
	}
	slices.Reverse(r)
	return r
}
