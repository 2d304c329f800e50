package vr

import "github.com/lockstep-sim/lockstep/protocols"

// ghost is what is true of a run, gathered from outside the nodes.
type ghost struct {
	replicas  int
	epochs    []ghostEpoch               // by epoch, as far as their reconfiguration is committed
	nodes     []ghostNode                // by node id
	views     []*ghostView               // in order of view; few are looked up but the last
	committed protocols.Log[ghostCommit] // from where somebody may go back to
	requests  []ghostRequest             // by client (-id)
	executed  protocols.Index
	newest    View // the latest view that has had a primary
}

// ghostNode is one replica over all its lives.
type ghostNode struct {
	life     int  // counted from 1
	promised View // the highest view for which a promise has left, in any life

	// Of this life.
	view, lastNormal View
	recoveredIn      View // the first view in which it was normal
	wasNormal        bool

	durableView, durableNormal View

	// lease is the view of the lease that it holds, and leaseEnd until when it surely
	// does, in true time; 0: none.
	lease    View
	leaseEnd protocols.Time

	told ghostRecovery // of this life

	// counted is the highest view that began with a log that this replica had sent, and
	// countedLife the life that had sent it.
	counted     View
	countedLife int

	// Its log, as last seen: of which view, where it ends, and the digest of it all.
	logView View
	last    protocols.Index
	prefix  uint64
}

// ghostCommit is one committed operation: a digest of it, one of it and all before,
// and the view in which a quorum acknowledged it.
type ghostCommit struct {
	hash, prefix uint64
	view         View
}

// ghostEpoch is who makes up the group in an epoch.
type ghostEpoch struct {
	members protocols.NodeSet
	order   []protocols.NodeID
	quorum  protocols.Quorum
}

// ghostRequest is the last request of a client that was executed.
type ghostRequest struct {
	seq uint64
	op  protocols.Index
}

// ghostView is what happened in one view. Slices are by node id.
type ghostView struct {
	view    View
	started bool
	start   protocols.Index // the end of the log with which it began

	first protocols.Index // op-number of log[0]
	log   []ghostEntry    // of the view, wherever it was seen

	joined  protocols.NodeSet // whose StartViewChange has left
	held    []protocols.Index // up to where a replica has held it
	acked   []protocols.Index // up to where a PrepareOK has left
	reached protocols.Index   // up to where a quorum has acknowledged
	offers  []ghostOffer      // the logs that have left for its primary
}

// ghostOffer is a DoViewChange: who sent it in which life, and what tells its log
// from others.
type ghostOffer struct {
	node       protocols.NodeID
	life       int
	lastNormal View
	op         protocols.Index
}

// ghostEntry is one operation of a view's log: digests of it, and of it and all
// before. A prefix of 0 is not seen.
type ghostEntry struct {
	hash, prefix uint64
	members      protocols.NodeSet // of a reconfiguration
}

func newGhost(c protocols.Cluster) ghost {
	g := ghost{replicas: c.Replicas, nodes: make([]ghostNode, c.Replicas+1)}
	g.begin(c.First())
	return g
}

// begin takes in that the next epoch has these members.
func (g *ghost) begin(members protocols.NodeSet) {
	g.epochs = append(g.epochs, ghostEpoch{members, members.Slice(), protocols.Majority{Of: members}})
}

// epoch returns the epoch of a view, or nil where no reconfiguration to it is
// committed.
func (g *ghost) epoch(view View) *ghostEpoch {
	if e := epochOf(view); e < uint64(len(g.epochs)) {
		return &g.epochs[e]
	}
	return nil
}

// at returns the record of a view.
func (g *ghost) at(view View) *ghostView {
	i := len(g.views)
	for i > 0 && g.views[i-1].view > view {
		i--
	}
	if i > 0 && g.views[i-1].view == view {
		return g.views[i-1]
	}
	size := g.replicas + 1
	v := &ghostView{
		view:  view,
		held:  make([]protocols.Index, size),
		acked: make([]protocols.Index, size),
	}
	g.views = append(g.views, nil)
	copy(g.views[i+1:], g.views[i:])
	g.views[i] = v
	return v
}

// committedBefore returns up to where operations were committed in views below
// view.
func (g *ghost) committedBefore(view View) protocols.Index {
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

// commitAt returns the operation committed at op, or nil where there is none, or it is
// past.
func (g *ghost) commitAt(op protocols.Index) *ghostCommit {
	if op < g.committed.First() || op > g.committed.Last() {
		return nil
	}
	return g.committed.At(op)
}

// isPast reports whether op is forgotten.
func (g *ghost) isPast(op protocols.Index) bool { return op > 0 && op < g.committed.First() }

// forgetPast drops what lies before every log.
func (g *ghost) forgetPast(past protocols.Index) {
	if past <= g.committed.First() {
		return
	}
	g.committed.CompactTo(min(past-1, g.committed.Last())) // a checkpoint of past itself is looked up
	for _, v := range g.views {
		if gone := int(min(past, v.first+protocols.Index(len(v.log)))) - int(v.first); gone > 0 {
			v.log = append([]ghostEntry(nil), v.log[gone:]...)
			v.first += protocols.Index(gone)
		}
	}
}

// prefixAt returns the digest of the committed log up to op.
func (g *ghost) prefixAt(op protocols.Index) (uint64, bool) {
	switch {
	case op == 0:
		return 0, true
	case g.commitAt(op) == nil:
		return 0, false
	}
	return g.commitAt(op).prefix, true
}

// matches reports whether e is what every log had so far that holds operation op in
// this view; the first to come decides.
func (v *ghostView) matches(op protocols.Index, e ghostEntry) bool {
	if len(v.log) == 0 {
		v.first = op
	}
	if op < v.first {
		v.log = append(make([]ghostEntry, v.first-op), v.log...)
		v.first = op
	}
	i := int(op - v.first)
	for i >= len(v.log) {
		v.log = append(v.log, ghostEntry{})
	}
	if v.log[i].prefix == 0 {
		v.log[i] = e
	}
	return v.log[i].prefix == e.prefix
}

// offered returns the last life in which node sent a log like this.
func (v *ghostView) offered(node protocols.NodeID, lastNormal View, op protocols.Index) int {
	for i := len(v.offers) - 1; i >= 0; i-- {
		if o := &v.offers[i]; o.node == node && o.lastNormal == lastNormal && o.op == op {
			return o.life
		}
	}
	return 0
}

// entry returns operation op of the view's log, if it was seen.
func (v *ghostView) entry(op protocols.Index) (ghostEntry, bool) {
	if op < v.first || op >= v.first+protocols.Index(len(v.log)) {
		return ghostEntry{}, false
	}
	e := v.log[op-v.first]
	return e, e.prefix != 0
}
