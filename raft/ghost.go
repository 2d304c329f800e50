package raft

import "github.com/lockstep-sim/lockstep/protocols"

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
	log     protocols.Log[ghostEntry]
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
	runs   []run           // its log behind that

	first    protocols.Index // index of prefixes[0]
	prefixes []uint64        // of the term's entries wherever they were stored; 0: not seen

	votes        []protocols.NodeID
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
	g.nodes[id] = ghostNode{before: nothing, configurations: []ghostConfiguration{configuredBy(0, first)}}
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
		if gone := int(min(past, t.first+protocols.Index(len(t.prefixes)))) - int(t.first); gone > 0 {
			t.prefixes = append([]uint64(nil), t.prefixes[gone:]...)
			t.first += protocols.Index(gone)
		}
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

// tail returns the last entry.
func (g *ghostNode) tail() ghostEntry {
	if g.log.Len() == 0 {
		return g.before
	}
	return *g.log.At(g.log.Last())
}

// mayElect reports whether the votes of those whose logs are no more up to date than
// g's are a quorum of g's configuration: whether g could be elected.
func (g *ghost) mayElect(id protocols.NodeID) bool {
	var votes protocols.NodeSet
	n := &g.nodes[id]
	mine, last := n.tail().term, n.log.Last()
	for v := 1; v < len(g.nodes); v++ {
		o := &g.nodes[v]
		if !o.counts(protocols.NodeID(v), n.configuration().config) {
			continue
		}
		if term := o.tail().term; term < mine || term == mine && o.log.Last() <= last {
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

// truncate ends the log at last. A hole, which only a lost record can leave, is filled
// with entries that match no other.
func (g *ghostNode) truncate(last protocols.Index) {
	for g.log.Last() < last {
		g.log.Append(ghostEntry{})
	}
	if g.log.Last() == last {
		return
	}
	g.log.TruncateFrom(max(last+1, g.log.First()))
	k := len(g.configurations)
	for k > 1 && g.configurations[k-1].index > last {
		k--
	}
	g.configurations = g.configurations[:k]
}

// push appends e after last, the tail so far, and returns its index and what is kept of
// it. What is before it may be forgotten: then it is known again once an entry is the
// committed one.
func (g *ghost) push(n *ghostNode, last ghostEntry, e *Entry) (protocols.Index, ghostEntry) {
	entry := ghostEntry{term: e.Term}
	if last.prefix != 0 {
		entry.prefix = protocols.Fold(last.prefix, e.hash())
	} else if i := n.log.Last() + 1; i >= g.committed.First() && i <= g.committed.Last() && g.committed.At(i).term == e.Term {
		entry.prefix = g.committed.At(i).prefix
	}
	at := n.log.Append(entry)
	if e.Configuration != nil {
		g.changed = true
		n.configurations = append(n.configurations, configuredBy(at, e.Configuration))
	}
	return at, entry
}

// matches reports whether prefix is what every log had so far that holds an entry
// of this term at index; the first to come decides.
func (t *ghostTerm) matches(index protocols.Index, prefix uint64) bool {
	if prefix == 0 {
		return true
	}
	if len(t.prefixes) == 0 {
		t.first = index
	}
	if index < t.first {
		t.prefixes = append(make([]uint64, t.first-index), t.prefixes...)
		t.first = index
	}
	i := int(index - t.first)
	for i >= len(t.prefixes) {
		t.prefixes = append(t.prefixes, 0)
	}
	if t.prefixes[i] == 0 {
		t.prefixes[i] = prefix
	}
	return t.prefixes[i] == prefix
}

// held reports whether the leader, when it was elected, held an entry of term at
// index, or a snapshot that covers it.
func (t *ghostTerm) held(index protocols.Index, term uint64) bool {
	if index <= t.base {
		return true
	}
	for i := len(t.runs) - 1; i >= 0; i-- {
		if index > t.runs[i].end {
			return false
		}
		if i == 0 || index > t.runs[i-1].end {
			return t.runs[i].term == term
		}
	}
	return false
}

// runsOf describes n's log up to last.
func runsOf(n *Node, last protocols.Index) []run {
	var runs []run
	for end := last; end >= n.log.First(); {
		term := n.termAt(end)
		runs = append(runs, run{term: term, end: end})
		end = n.firstOfTerm(term) - 1
	}
	for i, j := 0, len(runs)-1; i < j; i, j = i+1, j-1 {
		runs[i], runs[j] = runs[j], runs[i]
	}
	return runs
}
