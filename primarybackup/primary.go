package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// primaryState is what a replica knows as the primary of its view, from the moment
// it is named. reset starts it afresh for every view. Slices are by node id.
type primaryState struct {
	// start is the last entry of the log with which the view begins.
	start protocols.Index
	// holders are the replicas that have acknowledged that log, and with it that they
	// hold the view: a match alone, which may be of what was committed before, does
	// not say that. synced: all backups have.
	holders protocols.NodeSet
	synced  bool
	// resumes says that this replica was the primary of the view before.
	resumes bool
	// led are the backups of the last view that named this replica, while no other
	// primary is known to have come after it.
	led protocols.NodeSet
	// everyone is all members of the view, some is k of its backups.
	everyone protocols.Quorum `hash:"-"`
	some     protocols.Quorum `hash:"-"`
	// targets are sent the log: the backups, and joiners that are idle.
	targets protocols.NodeSet
	// match is up to where a replica has said in this view that its durable log equals
	// this one; it only grows. match[id] counts this replica's own durable writes.
	match    []protocols.Index
	progress []progress

	// The positions of a primary, besides Node.commit. Where they differ is where the
	// modes do.
	acked    protocols.Index // up to here writes may be answered
	answered protocols.Index // up to here they have been
	// visible is the state that reads see: &Node.execute where that is what is
	// committed, else a copy of its own. ahead has executed the whole log; only a
	// physical log needs it, to find out what to ship.
	visible, ahead *protocols.Executor
	proposed       []uint64 // per client: highest Seq in the log since its executed one

	degraded bool // semisync answers as async does
	refusing bool // semisync refuses writes
	waiting  bool // timerWait is armed

	round      uint64            // the last round of Confirm
	roundAt    protocols.Time    // when it began
	confirmed  []protocols.Index // the highest round a backup has confirmed; an Index, for [protocols.Quorum]
	reads      []pendingRead     // in order of round
	leaseUntil protocols.Time
}

func (p *primaryState) reset(v *View, k int, start protocols.Index, now protocols.Time) {
	backups, members := v.Backups, v.Members()
	p.everyone = protocols.Threshold{Of: members, Size: members.Len()}
	p.some = protocols.Threshold{Of: backups, Size: k}
	p.start, p.holders, p.synced, p.targets = start, protocols.NodeSet{}, false, backups
	clear(p.match)
	clear(p.confirmed)
	for i := range p.progress {
		p.progress[i].restart(now)
	}
	p.acked = 0
	p.degraded, p.refusing, p.waiting = false, false, false
	p.round, p.roundAt, p.leaseUntil = 0, 0, 0
	clear(p.proposed)
}

// forkExecutors sets up the states of a primary, which are equal at first.
func (n *Node) forkExecutors() {
	n.visible, n.ahead = &n.execute, nil
	if n.visibleEarly() || n.mode != modeSync || n.bugs.visibleCancel || n.bugs.answerAlone {
		x := n.execute.Fork()
		n.visible = &x
	}
	if n.physical {
		x := n.execute.Fork()
		n.ahead = &x
	}
}

// visibleEarly reports whether reads see what only this disk has.
func (n *Node) visibleEarly() bool {
	return n.mode == modeSemisync && n.parameters.Visible == AfterCommit || n.bugs.visibleEarly // B-08
}

// advance takes new matches into account: it moves the positions on, in order,
// and answers whoever can be answered.
func (n *Node) advance(out *protocols.Effects) {
	n.advanceCommit(protocols.CommittedIndex(n.counted(), n.match), out)
	n.acked = max(n.acked, n.answerable())
	if n.visible != &n.execute {
		n.catchUp(n.visible, n.visibleAt(), nil)
	}
	n.answerWrites(out)
	n.serveReads(out)
	if n.mode == modeSemisync {
		n.watchWaiting(out)
	}
}

// counted returns whose acknowledgement is needed: that of every member of the view.
// Only the view service may decide to go on without one.
func (n *Node) counted() protocols.Quorum {
	if n.bugs.noFencing { // B-01
		heard := n.view.Members().Minus(n.suspects())
		return protocols.Threshold{Of: heard, Size: heard.Len()}
	}
	return n.everyone
}

// answerable returns up to where writes may be answered.
func (n *Node) answerable() protocols.Index {
	own := n.match[n.id]
	switch {
	case n.bugs.answerAlone: // B-13
		return own
	case n.mode == modeSync:
		return n.commit
	case n.mode == modeAsync || n.degraded || n.k == 0:
		return own
	}
	return min(own, n.atBackups())
}

// atBackups returns up to where k backups have the log.
func (n *Node) atBackups() protocols.Index { return protocols.CommittedIndex(n.some, n.match) }

// visibleAt returns up to where reads see the log, when that is not the commit
// index.
func (n *Node) visibleAt() protocols.Index {
	if n.visibleEarly() {
		return n.match[n.id]
	}
	return n.acked
}

// watchWaiting keeps timerWait armed while writes wait for backups, and ends what
// a time-out began once there are none.
func (n *Node) watchWaiting(out *protocols.Effects) {
	last := n.log.Last()
	if n.degraded && n.atBackups() == last {
		n.degraded = false
	}
	if n.acked == last {
		n.refusing = false
	}
	switch pending := n.acked < last && !n.degraded; {
	case pending && !n.waiting:
		out.SetTimer(timerWait, n.parameters.Timeout)
	case !pending && n.waiting:
		out.CancelTimer(timerWait)
	default:
		return
	}
	n.waiting = !n.waiting
}

// onWaitTimer: k backups did not acknowledge in time.
func (n *Node) onWaitTimer(out *protocols.Effects) {
	if n.role != primary || !n.waiting {
		return
	}
	n.waiting = false
	switch {
	case n.parameters.OnTimeout == Degrade || n.bugs.degradeAnyway: // B-09
		n.degraded = true
		n.advance(out)
	case n.parameters.OnTimeout == Refuse:
		n.refusing = true
	}
}

// advanceCommit learns that every member has the log up to index, and executes it.
func (n *Node) advanceCommit(index protocols.Index, out *protocols.Effects) {
	if index <= n.commit {
		return
	}
	assert(index <= n.log.Last(), "commit index beyond the log")
	n.commit = index
	out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: n.view.Number, Index: index})
	n.catchUp(&n.execute, index, out)
}

// catchUp lets x execute the log up to index. With out it is noted.
func (n *Node) catchUp(x *protocols.Executor, index protocols.Index, out *protocols.Effects) {
	for x.Applied < index {
		at := x.Applied + 1
		e := n.log.At(at)
		if e.Effect != nil {
			x.Install(at, e.Command, e.Effect.Result, e.Effect.Changes)
		} else {
			x.Apply(at, e.Command, n.wall)
		}
		if out != nil {
			out.Note(protocols.Note{Kind: protocols.NoteApplied, Epoch: e.Epoch, Index: at, Hash: e.hash(), State: x.Hash(), Command: e.Command})
		}
	}
}
