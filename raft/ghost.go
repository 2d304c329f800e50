package raft

import "github.com/lockstep-sim/lockstep/protocols"

// ghost is what is true of a run, gathered from outside the nodes.
type ghost struct {
	replicas   int
	quorum     protocols.Quorum
	nodes      []ghostNode  // by node id
	terms      []*ghostTerm // in order of term; few are looked up but the last
	committed  []ghostCommit
	executions []uint64 // position i-1: hash of the entry first executed at index i
	highestLed uint64   // the highest term that has had a leader
}

// ghostNode is one node's disk, and what it claims to be.
type ghostNode struct {
	term    uint64 // durable
	log     []ghostEntry
	records int // how many are durable

	leading  uint64 // the term it leads, or 0
	last     protocols.Index
	lastTerm uint64

	leaseTerm uint64 // the term whose lease it holds, or 0
	leaseEnd  protocols.Time
}

// ghostEntry is one durable entry: its term, and a digest of it and all before.
type ghostEntry struct{ term, prefix uint64 }

// ghostCommit is one committed entry. Its commit term is that of the leader under
// which a quorum had it.
type ghostCommit struct{ term, prefix, commitTerm uint64 }

// ghostTerm is what happened in one term. Slices are by node id.
type ghostTerm struct {
	term   uint64
	leader protocols.NodeID
	runs   []run // the leader's log when it was elected

	first    protocols.Index // index of prefixes[0]
	prefixes []uint64        // of the term's entries wherever they were stored; 0: not seen

	votes        []protocols.NodeID
	stored       []protocols.Index // highest index of an entry of this term ever durable there
	acknowledged []protocols.Index // the same, stored while the node was in this term
	reached      protocols.Index   // the highest index that a quorum has acknowledged
}

// run says that a log's entries up to end, after the previous run, are of term.
type run struct {
	term uint64
	end  protocols.Index
}

func newGhost(replicas int) ghost {
	return ghost{
		replicas: replicas,
		quorum:   protocols.Majority{Of: protocols.NodesUpTo(replicas)},
		nodes:    make([]ghostNode, replicas+1),
	}
}

// at returns the record of a term.
func (g *ghost) at(term uint64) *ghostTerm {
	i := len(g.terms)
	for i > 0 && g.terms[i-1].term > term {
		i--
	}
	if i > 0 && g.terms[i-1].term == term {
		return g.terms[i-1]
	}
	size := g.replicas + 1
	t := &ghostTerm{
		term:         term,
		votes:        make([]protocols.NodeID, size),
		stored:       make([]protocols.Index, size),
		acknowledged: make([]protocols.Index, size),
	}
	g.terms = append(g.terms, nil)
	copy(g.terms[i+1:], g.terms[i:])
	g.terms[i] = t
	return t
}

// forget drops what a node claims to be.
func (g *ghostNode) forget() { g.leading, g.leaseTerm = 0, 0 }

// truncate leaves size entries. A hole, which only a lost record can leave, is
// filled with entries that match no other.
func (g *ghostNode) truncate(size int) {
	for len(g.log) < size {
		g.log = append(g.log, ghostEntry{})
	}
	g.log = g.log[:size]
}

func (g *ghostNode) push(e *Entry) {
	var before uint64
	if len(g.log) > 0 {
		before = g.log[len(g.log)-1].prefix
	}
	g.log = append(g.log, ghostEntry{term: e.Term, prefix: protocols.Fold(before, e.hash())})
}

// matches reports whether prefix is what every log had so far that holds an entry
// of this term at index; the first to come decides.
func (t *ghostTerm) matches(index protocols.Index, prefix uint64) bool {
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

// held reports whether the leader's log, when it was elected, held an entry of
// term at index.
func (t *ghostTerm) held(index protocols.Index, term uint64) bool {
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
