package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// ghost is what is true of a run, gathered from outside the nodes.
type ghost struct {
	replicas int
	nodes    []ghostNode  // by node id
	views    []*ghostView // in order of number; few are looked up but the last
	// By position, from where somebody may go back to: what somebody took as committed,
	// what was first executed there and the state after it, and the write that was
	// answered with it.
	committed protocols.Log[ghostCommit]
	states    protocols.Log[ghostState]
	acked     protocols.Log[ghostAnswer]

	named      uint64 // the newest view that the view service remembers
	highestLed uint64 // the highest view that has begun to serve
}

// ghostNode is one replica's disk, and what it claims to be.
type ghostNode struct {
	base   protocols.Index // position of the last checkpoint
	before uint64          // digest of the log up to base, 0: not known
	log    []ghostEntry    // durable, from base+1 on
	// covered is the highest base ever: entries up to there were once durable here.
	covered protocols.Index

	life  Life
	holds uint64 // of this life: the newest view whose whole log it has

	commit     protocols.Index // of this life
	leaseView  uint64          // whose lease it holds, or 0
	leaseEnd   protocols.Time
	leaseAlive bool
}

// ghostEntry is one durable entry: its epoch, and a digest of it and all before.
type ghostEntry struct{ epoch, prefix uint64 }

type ghostState struct {
	hash, state   uint64
	node          protocols.NodeID
	hashed, known bool
}

// ghostCommit is the digest of the log up to a position, and the view in which it
// was first taken as committed.
type ghostCommit struct{ prefix, view uint64 }

// ghostAnswer is the first answer for a position.
type ghostAnswer struct {
	command uint64 // its hash; 0: none
	epoch   uint64 // of the entry
	view    uint64 // in which it was answered
	node    protocols.NodeID
}

// committedBefore returns the highest position that was committed before a view.
func (g *ghost) committedBefore(view uint64) protocols.Index {
	first := g.committed.First()
	i := g.committed.Last()
	for i >= first && g.committed.At(i).view >= view {
		i--
	}
	if i < first {
		return 0 // none, or past
	}
	return i
}

// answeredBefore is the same for answers.
func (g *ghost) answeredBefore(view uint64) protocols.Index {
	first := g.acked.First()
	i := g.acked.Last()
	for i >= first && (g.acked.At(i).command == 0 || g.acked.At(i).view >= view) {
		i--
	}
	if i < first {
		return 0 // none, or past
	}
	return i
}

// forgetPast drops what lies before every log.
func (g *ghost) forgetPast(past protocols.Index) {
	if past <= g.committed.First() {
		return
	}
	g.committed.CompactTo(min(past-1, g.committed.Last()))
	g.states.CompactTo(min(past-1, g.states.Last()))
	g.acked.CompactTo(min(past-1, g.acked.Last()))
	for _, v := range g.views {
		if gone := int(min(past, v.first+protocols.Index(len(v.prefixes)))) - int(v.first); gone > 0 {
			v.prefixes = append([]uint64(nil), v.prefixes[gone:]...)
			v.first += protocols.Index(gone)
		}
	}
}

// ghostView is what happened in one view, and to its entries.
type ghostView struct {
	number  uint64
	primary protocols.NodeID // who began to serve it

	first    protocols.Index   // index of prefixes[0]
	prefixes []uint64          // of the view's entries wherever they were stored; 0: not seen
	said     []protocols.Index // by node id: up to where it has acknowledged in this view
	stored   []protocols.Index
	// stored, by node id: the highest index of an entry of this view ever durable there
}

func newGhost(replicas int) ghost {
	return ghost{replicas: replicas, nodes: make([]ghostNode, replicas+1)}
}

// at returns the record of a view.
func (g *ghost) at(number uint64) *ghostView {
	i := len(g.views)
	for i > 0 && g.views[i-1].number > number {
		i--
	}
	if i > 0 && g.views[i-1].number == number {
		return g.views[i-1]
	}
	v := &ghostView{number: number, stored: make([]protocols.Index, g.replicas+1), said: make([]protocols.Index, g.replicas+1)}
	g.views = append(g.views, nil)
	copy(g.views[i+1:], g.views[i:])
	g.views[i] = v
	return v
}

func (n *ghostNode) last() protocols.Index { return n.base + protocols.Index(len(n.log)) }

// prefix returns the digest of the durable log up to i, and whether it is known.
func (n *ghostNode) prefix(i protocols.Index) (uint64, bool) {
	switch {
	case i == n.base:
		return n.before, n.before != 0 || i == 0
	case i < n.base || i > n.last():
		return 0, false
	}
	return n.log[i-n.base-1].prefix, true
}

func (n *ghostNode) push(e *Entry) uint64 {
	before, _ := n.prefix(n.last())
	prefix := protocols.Fold(before, e.hash())
	n.log = append(n.log, ghostEntry{epoch: e.Epoch, prefix: prefix})
	return prefix
}

// truncate leaves the log up to last. A hole, which only a lost record can leave, is
// filled with entries that match no other.
func (n *ghostNode) truncate(last protocols.Index) {
	for n.last() < last {
		n.log = append(n.log, ghostEntry{})
	}
	if last >= n.base {
		n.log = n.log[:last-n.base]
	}
}

// seen returns the digest of the log up to an entry of this view, or 0.
func (v *ghostView) seen(index protocols.Index) uint64 {
	if index < v.first || index >= v.first+protocols.Index(len(v.prefixes)) {
		return 0
	}
	return v.prefixes[index-v.first]
}

// matches reports whether prefix is what every log had so far that holds an entry of
// this view at index; the first to come decides.
func (v *ghostView) matches(index protocols.Index, prefix uint64) bool {
	if len(v.prefixes) == 0 {
		v.first = index
	}
	if index < v.first {
		v.prefixes = append(make([]uint64, v.first-index), v.prefixes...)
		v.first = index
	}
	i := int(index - v.first)
	for i >= len(v.prefixes) {
		v.prefixes = append(v.prefixes, 0)
	}
	if v.prefixes[i] == 0 {
		v.prefixes[i] = prefix
	}
	return v.prefixes[i] == prefix
}

// held reports whether the entry at index of a view is, or once was, durable at id,
// by itself or under a checkpoint.
func (g *ghost) held(id protocols.NodeID, index protocols.Index, epoch uint64) bool {
	return index <= g.nodes[id].covered || g.at(epoch).stored[id] >= index
}
