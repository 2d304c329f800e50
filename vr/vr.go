package vr

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// status is the paper's word for what a replica is doing (§4).
type status uint8

const (
	normal status = iota
	viewChange
	recovering
	transitioning // the epoch changes: it lacks the state, or what it did is not durable, or it leaves (§7.1)
	outside       // no member, not yet or not any more
	stopped       // its disk failed; silent until restarted
)

// The roles that a replica shows; they index roleNames. A replica in status normal
// is a primary or a backup, or knows that its view is over and fetches the state of
// a later one.
const (
	rolePrimary uint8 = iota
	roleBackup
	roleViewChange
	roleRecovering
	roleStateTransfer
	roleStopped
	roleClosing
	roleTransitioning
	roleOutside
)

func roleNames() []string {
	return []string{"primary", "backup", "view-change", "recovering", "state-transfer", "stopped", "closing", "transitioning", "outside"}
}

// The timers.
const (
	// timerView runs at everyone but the primary.
	timerView protocols.Timer = iota
	// timerCommit runs at the primary.
	timerCommit
	// timerResend runs during view changes, recoveries and state transfers.
	timerResend
	// timerQuorum runs at the primary.
	timerQuorum
)

// maxOp bounds the op-numbers that a node accepts, so that the next one always
// exists.
const maxOp = 1 << 62

// Node is one replica. Its state is that of figure 2 of the paper, with the names
// of the paper where Go allows: op-number is log.Last().
type Node struct {
	// Fixed at boot.
	id         protocols.NodeID   `hash:"-"`
	parameters Parameters         `hash:"-"`
	variant    variant            `hash:"-"`
	leaseTime  protocols.Duration `hash:"-"` // how long a lease lasts from the sending of its round
	reads      readMode           `hash:"-"`
	bugs       bugs               `hash:"-"`
	serial     bool               `hash:"-"` // Parameters.LeaderWrite
	replicas   protocols.NodeSet  `hash:"-"` // all that may ever be members
	first      bool               `hash:"-"` // this is the first life

	// Of the configuration; set in configure.
	members  protocols.NodeSet  `hash:"-"`
	order    []protocols.NodeID `hash:"-"` // the members in order
	majority int                `hash:"-"` // f+1
	quorum   protocols.Quorum   `hash:"-"` // f+1 of 2f+1
	peers    []protocols.NodeID `hash:"-"` // members but this node, in order

	// Of the event being handled; set at the start of each step.
	now  protocols.Time `hash:"-"` // monotone
	wall protocols.Time `hash:"-"`

	// Durable, in the durable variant. What is here may be ahead of the disk; what is
	// said with Send is not.
	view       View
	lastNormal View // v': the latest view in which this replica was normal
	log        protocols.Log[Entry]
	base       *base // the last checkpoint, or nil
	floor      *base // the checkpoint at which the log begins, or nil where that is the start

	// Volatile. execute.Applied <= commit <= log.Last(): execution follows the
	// commit-number within the step, so they are equal between steps.
	status  status
	leading bool // primary of view, normal, and knows of no later view
	commit  protocols.Index
	execute protocols.Executor
	config  configuration     // follows what is executed
	started protocols.NodeSet // while leaving: who has the state of the epoch
	hinted  protocols.NodeID  // when no member: whom a client was told to ask last
	// quietUntil is the promise to a primary, under read leases: no part in a view
	// change until then. promised is that primary, Nobody if it is not known.
	quietUntil protocols.Time
	promised   protocols.NodeID
	// vector is the crash vector, by node id; nil but in the variant crash-vectors.
	// It is never changed in place.
	vector   []uint64
	ahead    window
	transfer transfer
	change   change
	recovery recovery

	// Primary only; reset in lead. Positions are node ids.
	//
	// match[p] is up to which operation p has acknowledged this view; match[id] counts
	// only this node's own durable writes.
	match []protocols.Index
	// reported[p] is 1 + the end of p's log in its last CommitOK; 0: none yet.
	reported []protocols.Index
	// since[p] is when that changed, or when what follows it was sent, if that is later.
	since     []protocols.Time
	viewStart protocols.Index   // the end of the log with which the view began
	heard     protocols.NodeSet // who has answered since timerQuorum was armed
	table     []uint64          // per client: highest request number in the log (§4.1)
	rounds
}

// New boots a node from its disk.
func New(cfg protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
	p, ok := cfg.Parameters.(*Parameters)
	if !ok {
		return nil, fmt.Errorf("vr: got parameters of type %T, want *vr.Parameters", cfg.Parameters)
	}
	switches, err := knownBugs().Parse(p.Bugs)
	if err != nil {
		return nil, fmt.Errorf("vr: %w", err)
	}
	slots := cfg.Cluster.Replicas + 1
	n := &Node{
		id:         cfg.ID,
		parameters: *p,
		variant:    p.variant(),
		leaseTime:  p.lease(),
		reads:      parseReads(p.Reads),
		bugs:       switches,
		serial:     p.LeaderWrite == LeaderWriteSerial,
		replicas:   protocols.NodesUpTo(cfg.Cluster.Replicas),
		first:      disk.First,
		execute:    protocols.Executor{Machine: cfg.Machine},
		match:      make([]protocols.Index, slots),
		reported:   make([]protocols.Index, slots),
		since:      make([]protocols.Time, slots),
		rounds:     rounds{acked: make([]protocols.Index, slots)},
		change:     change{logs: make([]offer, slots), lives: make([]uint64, slots)},
		recovery:   recovery{answers: make([]answer, slots)},
	}
	n.configure(configuration{members: cfg.Cluster.First()})
	if err := n.recoverFrom(disk); err != nil {
		return nil, err
	}
	if n.variant == crashVectors {
		n.vector = make([]uint64, slots)
	}
	switch {
	case n.variant != durable && !disk.First:
		n.status = recovering
	case !n.isMember():
		n.status = outside
	}
	return n, nil
}

// Step implements [protocols.Node].
func (n *Node) Step(ev *protocols.Event, out *protocols.Effects) {
	n.now, n.wall = ev.Now, ev.Wall
	if n.status == stopped {
		return
	}
	switch ev.Kind {
	case protocols.Receive:
		n.receive(ev.From, ev.Message, out)
	case protocols.Request:
		n.request(ev.Command, out)
	case protocols.Fire:
		n.fire(ev.Timer, out)
	case protocols.Start:
		n.start(ev.Nonce, out)
	case protocols.AdminEvent:
		n.admin(&ev.Admin, out)
	case protocols.DiskFailed:
		n.stop(out)
	}
}

func (n *Node) receive(from protocols.NodeID, m protocols.Message, out *protocols.Effects) {
	if !n.replicas.Has(from) {
		n.drop(out, "sender is no replica")
		return
	}
	if n.status == recovering {
		// It takes part in nothing until it has recovered (§4.3).
		if m, ok := m.(*RecoveryResponse); ok {
			n.onRecoveryResponse(from, m, out)
		}
		return
	}
	switch m := m.(type) {
	case *Prepare:
		n.onPrepare(from, m, out)
	case *PrepareOK:
		n.onPrepareOK(from, m, out)
	case *Commit:
		n.onCommit(from, m, out)
	case *CommitOK:
		n.onCommitOK(from, m, out)
	case *StartViewChange:
		n.onStartViewChange(from, m, out)
	case *DoViewChange:
		n.onDoViewChange(from, m, out)
	case *StartView:
		n.onStartView(from, m, out)
	case *Recovery:
		n.onRecovery(from, m, out)
	case *GetState:
		n.onGetState(from, m, out)
	case *NewState:
		n.onNewState(from, m, out)
	case *StartEpoch:
		n.onStartEpoch(from, m, out)
	case *EpochStarted:
		n.onEpochStarted(from, m, out)
	}
}

func (n *Node) fire(t protocols.Timer, out *protocols.Effects) {
	switch t {
	case timerView:
		n.onViewTimeout(out)
	case timerCommit:
		n.onCommitTimer(out)
	case timerResend:
		n.onResend(out)
	case timerQuorum:
		n.onQuorumTimer(out)
	}
}

func (n *Node) start(nonce uint64, out *protocols.Effects) {
	n.noteMembers(out)
	n.recallEpoch(out)
	// A primary may hold a lease on a promise that this node gave before it restarted
	// and no longer remembers.
	n.promise(protocols.Nobody)
	switch {
	case n.status == recovering:
		n.startRecovery(nonce, out)
	case n.config.epoch > epochOf(n.view):
		n.enterEpoch(out) // what it had executed was not followed by the view
	case !n.isMember() && n.config.epoch > 0:
		n.leave(out)
	case !n.isMember():
	case !n.first && n.primary(n.view) == n.id:
		// It may have sent what its disk does not hold, and would give other contents to
		// the same op-numbers of the same view: it leaves the view.
		n.startViewChange(n.view+1, out)
	case n.view > n.lastNormal:
		n.startViewChange(n.view, out)
	default:
		n.becomeNormal(out)
	}
}

// becomeNormal enters status normal in the current view, as its primary or as a
// backup. Log and views are set and written already.
func (n *Node) becomeNormal(out *protocols.Effects) {
	n.status = normal
	n.transfer, n.change.joined = transfer{}, protocols.NodeSet{}
	out.CancelTimer(timerResend)
	if n.primary(n.view) == n.id {
		n.lead(out)
		return
	}
	out.Note(protocols.Note{Kind: protocols.NoteNormal, Epoch: uint64(n.view), Index: n.log.Last()})
	out.CancelTimer(timerView)
	n.armView(out)
}

// lead makes this node the working primary of its view.
func (n *Node) lead(out *protocols.Effects) {
	n.leading = true
	out.Note(protocols.Note{Kind: protocols.NoteLeader, Epoch: uint64(n.view), Index: n.log.Last()})
	out.Note(protocols.Note{Kind: protocols.NoteNormal, Epoch: uint64(n.view), Index: n.log.Last()})
	out.CancelTimer(timerView)
	clear(n.match)
	clear(n.reported)
	clear(n.since)
	n.rounds.reset()
	n.viewStart = n.log.Last()
	n.updateTable()
	out.SetTimer(timerCommit, n.parameters.CommitInterval)
	n.heard = protocols.Nodes(n.id)
	out.SetTimer(timerQuorum, n.parameters.ViewTimeout.Max)
	// What is in the log is acknowledged anew in this view, by the primary like anyone
	// else: once its own write is durable.
	protocols.Send(out, n.id, PrepareOK{View: n.view, Op: n.log.Last()})
}

// resign ends this node's work as primary of its view; successor is who leads now,
// if that is known.
func (n *Node) resign(successor protocols.NodeID, out *protocols.Effects) {
	if !n.leading {
		return
	}
	n.leading = false
	out.Note(protocols.Note{Kind: protocols.NoteSteppedDown, Epoch: uint64(n.view)})
	out.CancelTimer(timerCommit)
	out.CancelTimer(timerQuorum)
	n.refuseReads(successor, out)
}

// stop falls silent: after a failed write nobody knows what the disk holds, and
// what was persisted since may never become durable.
func (n *Node) stop(out *protocols.Effects) {
	n.resign(protocols.Nobody, out)
	out.CancelTimer(timerView)
	out.CancelTimer(timerResend)
	n.status = stopped
}

// primary returns the primary of a view, or Nobody for one of another epoch.
func (n *Node) primary(view View) protocols.NodeID {
	if epochOf(view) != n.config.epoch {
		return protocols.Nobody
	}
	return primaryOf(n.order, view)
}

// others returns how many replicas besides this one make a quorum: the paper's f.
func (n *Node) others() int { return n.majority - 1 }

// behind reports whether this node knows of a later view that works.
func (n *Node) behind() bool { return n.transfer.view > n.view }

// armView (re-)arms the view timer with the draw of this view.
func (n *Node) armView(out *protocols.Effects) {
	r := n.parameters.ViewTimeout
	out.SetTimerWithin(timerView, r.Min, r.Max)
}

func (n *Node) saveViewState(out *protocols.Effects) {
	if n.variant == durable {
		protocols.Persist(out, ViewState{View: n.view, LastNormal: n.lastNormal})
	}
}

// drop notes that a message was ignored which no correct node can send.
func (n *Node) drop(out *protocols.Effects, why string) {
	out.Note(protocols.Note{Kind: protocols.NoteDropped, Epoch: uint64(n.view), Text: why})
}

// assert panics when this node's own state is broken; it is never about a message.
func assert(ok bool, what string) {
	if !ok {
		panic("vr: " + what)
	}
}

// role returns the role that the node shows.
func (n *Node) role() uint8 {
	switch {
	case n.status == stopped:
		return roleStopped
	case n.status == recovering:
		return roleRecovering
	case n.status == transitioning:
		return roleTransitioning
	case n.status == outside:
		return roleOutside
	case n.closing():
		return roleClosing
	case n.status == viewChange:
		return roleViewChange
	case n.behind():
		return roleStateTransfer
	case n.leading:
		return rolePrimary
	}
	return roleBackup
}

// leader returns whom this node believes to be the working primary, or Nobody.
func (n *Node) leader() protocols.NodeID {
	switch {
	case n.status != stopped && n.behind():
		return n.primary(n.transfer.view)
	case n.status == normal || n.status == transitioning || n.status == outside:
		return n.primary(n.view)
	}
	return protocols.Nobody
}

// View implements [protocols.Node].
func (n *Node) View(v *protocols.View) {
	*v = protocols.View{
		Role: n.role(), Leading: n.leading,
		Epoch: uint64(n.view), Leader: n.leader(),
		Commit: n.commit, Applied: n.execute.Applied,
		First: n.log.First(), Last: n.log.Last(),
		Members:   n.shownMembers(),
		StateHash: n.execute.Hash(),
	}
	if n.leading {
		v.LeaseUntil = n.leaseUntil
	}
}
