package paxos

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// role is what a node currently is; it indexes roleNames. Every node is an acceptor
// and a replica all the time, but for the last two.
type role uint8

const (
	follower  role = iota
	candidate      // in phase 1: PMMC's scout
	leader         // in phase 2: PMMC's active leader and its commanders
	learner        // its disk was lost once: it learns, and never promises or accepts again
	stopped        // its disk failed; silent until restarted
)

func roleNames() []string {
	return []string{"follower", "candidate", "leader", "learner", "stopped"}
}

// The timers.
const (
	// timerElection runs at every member but the leader.
	timerElection protocols.Timer = iota
	// timerHeartbeat and timerQuorum run at the leader.
	timerHeartbeat
	timerQuorum
)

// Node is one replica: acceptor, proposer and learner in one (PMMC §4.4).
type Node struct {
	// Fixed at boot.
	id         protocols.NodeID   `hash:"-"`
	replicas   protocols.NodeSet  `hash:"-"` // all that may ever be members
	parameters Parameters         `hash:"-"`
	alpha      protocols.Index    `hash:"-"` // Parameters.Window
	lease      protocols.Duration `hash:"-"` // how long a lease lasts from the sending of its round
	reads      readMode           `hash:"-"`
	serial     bool               `hash:"-"` // Parameters.LeaderWrite
	bugs       bugs               `hash:"-"`

	// Of the event being handled; set at the start of each step.
	now  protocols.Time `hash:"-"` // monotone
	wall protocols.Time `hash:"-"`

	// Durable. What is here may be ahead of the disk; what is said with Send is not.
	wiped      bool `hash:"-"` // fixed at boot
	promised   Ballot
	slots      slots
	checkpoint *Checkpoint `hash:"-"` // at slots.base; nil while that is 0

	// Follows from what was executed. execute.Applied is the commit index: all up to
	// it is chosen, and what is known to be chosen in order is executed in the same
	// step.
	execute        protocols.Executor
	configurations []configuration   // in order; the first governs the slot after slots.base
	current        int               // position of the one that governs the next slot to execute
	audience       protocols.NodeSet `hash:"-"` // the other members from there on

	// Volatile at everyone.
	role   role
	leader protocols.NodeID
	hinted protocols.NodeID // when no member: whom a client was told to ask last
	seen   uint64           // the highest round of any ballot seen since boot
	// quietUntil is the promise to quietFor, the leader last heard: no promise to
	// anybody else until then. It outlives a change of ballot, since that leader may
	// still count on it. After a restart it is for nobody.
	quietUntil protocols.Time
	quietFor   protocols.NodeID
	asked      protocols.Time // when catch-up was last asked for; 0 when answered

	proposer
	rounds
}

// New boots a node from its disk.
func New(cfg protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
	p, ok := cfg.Parameters.(*Parameters)
	if !ok {
		return nil, fmt.Errorf("paxos: got parameters of type %T, want *paxos.Parameters", cfg.Parameters)
	}
	switches, err := knownBugs().Parse(p.Bugs)
	if err != nil {
		return nil, fmt.Errorf("paxos: %w", err)
	}
	n := &Node{
		id:         cfg.ID,
		replicas:   protocols.NodesUpTo(cfg.Cluster.Replicas),
		parameters: *p,
		alpha:      protocols.Index(p.Window),
		lease:      p.lease(),
		reads:      parseReads(p.Reads),
		serial:     p.LeaderWrite == LeaderWriteSerial,
		bugs:       switches,
		execute:    protocols.Executor{Machine: cfg.Machine, NoSessions: switches.noSessions}, // P-27
		rounds:     rounds{acked: make([]protocols.Index, cfg.Cluster.Replicas+1)},
	}
	if switches.noDrift { // P-12c
		n.lease = p.ElectionTimeout.Min
	}
	if !cfg.Members.Empty() {
		n.configurations = []configuration{n.configure(Membership{From: 1, Members: cfg.Members})}
	}
	if err := n.recoverFrom(disk); err != nil {
		return nil, err
	}
	// Promises were lost that others may count on. A new identity may vote, which a
	// reconfiguration brings in; this one may only learn, for ever.
	n.wiped = n.wiped || disk.Wiped
	if n.wiped && !switches.wipedVotes { // P-13
		n.role = learner
	}
	return n, nil
}

// Step implements [protocols.Node].
func (n *Node) Step(ev *protocols.Event, out *protocols.Effects) {
	n.now, n.wall = ev.Now, ev.Wall
	if n.role == stopped {
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
		n.start(out)
	case protocols.AdminEvent:
		n.admin(&ev.Admin, out)
	case protocols.DiskFailed:
		n.becomeStopped(out)
	}
}

func (n *Node) receive(from protocols.NodeID, m protocols.Message, out *protocols.Effects) {
	if !n.replicas.Has(from) {
		n.drop(out, "sender is no replica")
		return
	}
	switch m := m.(type) {
	case *Accept:
		n.onAccept(from, m, out)
	case *Accepted:
		n.onAccepted(from, m, out)
	case *Decide:
		n.onDecide(from, m, out)
	case *Heartbeat:
		n.onHeartbeat(from, m, out)
	case *HeartbeatResponse:
		n.onHeartbeatResponse(from, m, out)
	case *Prepare:
		n.onPrepare(from, m, out)
	case *Promise:
		n.onPromise(from, m, out)
	case *Nack:
		n.onNack(m, out)
	case *CatchupRequest:
		n.onCatchupRequest(from, m, out)
	case *CatchupResponse:
		n.onCatchupResponse(from, m, out)
	}
}

func (n *Node) fire(t protocols.Timer, out *protocols.Effects) {
	switch t {
	case timerElection:
		n.onElectionTimeout(out)
	case timerHeartbeat:
		n.onHeartbeatTimer(out)
	case timerQuorum:
		n.onQuorumTimer(out)
	}
}

func (n *Node) start(out *protocols.Effects) {
	if n.wiped {
		protocols.Persist(out, Wiped{})
	}
	for i := n.current; i < len(n.configurations); i++ {
		n.noteMembers(i, out)
	}
	if n.reads == readLease && !n.bugs.forgetLease { // P-12b
		// A leader may hold a lease on a promise that this node gave before it
		// restarted and no longer remembers (PML §5.2).
		n.quietUntil, n.quietFor = n.now.Add(n.parameters.ElectionTimeout.Min), protocols.Nobody
	}
	n.armElection(out)
}

// becomeFollower takes over ballot, of lead or of nobody's yet. It is the only place
// where the ballot of another node is taken over.
func (n *Node) becomeFollower(ballot Ballot, lead protocols.NodeID, out *protocols.Effects) {
	if n.role == leader {
		n.resign(lead, out)
	}
	if n.role != learner {
		n.role = follower
	}
	n.leader = lead
	if ballot != n.promised {
		n.promise(ballot, out)
		// Every ballot draws its timeout afresh; re-arming within one does not.
		out.CancelTimer(timerElection)
	}
	n.armElection(out)
}

// becomeCandidate starts phase 1 of a ballot that this node has never used: its
// round is above that of a promise that will be durable before Prepare leaves.
func (n *Node) becomeCandidate(out *protocols.Effects) {
	ballot := newBallot(max(n.promised.Round(), n.seen)+1, n.id)
	switch {
	case n.bugs.reuseBallot && n.promised.Owner() == n.id: // P-06
		ballot = n.promised
	case n.bugs.roundOnly: // P-06b
		ballot = newBallot(ballot.Round(), protocols.Nobody)
	}
	before := n.promised
	n.role, n.leader = candidate, protocols.Nobody
	n.promise(ballot, out)
	n.proposer.reset(n.execute.Applied + 1)
	n.askPromises(n.replicas, before, out)
	out.CancelTimer(timerElection)
	n.armElection(out)
}

// becomeLeader begins phase 2.
func (n *Node) becomeLeader(out *protocols.Effects) {
	n.role, n.leader = leader, n.id
	out.CancelTimer(timerElection)
	out.Note(protocols.Note{Kind: protocols.NoteLeader, Epoch: uint64(n.promised), Index: n.inherited})
	n.heard = protocols.Nodes(n.id)
	n.rounds.reset()
	n.recallReconfiguration()
	out.SetTimer(timerHeartbeat, n.parameters.Heartbeat)
	out.SetTimer(timerQuorum, n.parameters.ElectionTimeout.Max)
	n.startRound(out)
	n.noteNormal(out)
}

// resign ends this node's leadership of its ballot; successor is who leads now, if
// that is known.
func (n *Node) resign(successor protocols.NodeID, out *protocols.Effects) {
	out.Note(protocols.Note{Kind: protocols.NoteSteppedDown, Epoch: uint64(n.promised)})
	out.CancelTimer(timerHeartbeat)
	out.CancelTimer(timerQuorum)
	n.refuseReads(successor, out)
	// What was not proposed never will be. What was may still be chosen, and its
	// client hears nothing.
	for _, c := range n.queue[n.queueHead:] {
		out.Refuse(c, successor)
	}
	n.queue, n.queueHead = n.queue[:0], 0
}

// becomeStopped falls silent: after a failed write nobody knows what the disk
// holds, and what was persisted since may never become durable.
func (n *Node) becomeStopped(out *protocols.Effects) {
	if n.role == leader {
		n.resign(protocols.Nobody, out)
	}
	out.CancelTimer(timerElection)
	n.role, n.leader = stopped, protocols.Nobody
}

// promise raises the ballot below which this node accepts nothing, durably before
// anything is said with Send.
func (n *Node) promise(ballot Ballot, out *protocols.Effects) {
	n.see(ballot)
	if ballot == n.promised || n.role == learner {
		return
	}
	n.promised = ballot
	if n.bugs.volatilePromise { // P-02
		return
	}
	protocols.Persist(out, Promised{Ballot: ballot})
}

// see remembers the highest round, so that the next ballot is above it.
func (n *Node) see(ballot Ballot) { n.seen = max(n.seen, ballot.Round()) }

// armElection (re-)arms the election timer with the draw of this ballot.
func (n *Node) armElection(out *protocols.Effects) {
	if n.role != learner && n.role != leader && (n.isMember() || n.isLeaving()) {
		r := n.parameters.ElectionTimeout
		out.SetTimerWithin(timerElection, r.Min, r.Max)
	}
}

// drop notes that a message was ignored which no correct node can send.
func (n *Node) drop(out *protocols.Effects, why string) {
	out.Note(protocols.Note{Kind: protocols.NoteDropped, Epoch: uint64(n.promised), Text: why})
}

// assert panics when this node's own state is broken; it is never about a message.
func assert(ok bool, what string) {
	if !ok {
		panic("paxos: " + what)
	}
}

// isBallotOf reports whether b can be a ballot of node from.
func (n *Node) isBallotOf(b Ballot, from protocols.NodeID) bool {
	if n.bugs.roundOnly { // P-06b
		from = protocols.Nobody
	}
	return b.Round() > 0 && b.Round() <= maxRound && b.Owner() == from
}

// View implements [protocols.Node].
func (n *Node) View(v *protocols.View) {
	*v = protocols.View{
		Role: uint8(n.role), Leading: n.role == leader,
		Epoch: uint64(n.promised), Leader: n.leader,
		Commit: n.execute.Applied, Applied: n.execute.Applied,
		First: n.slots.base + 1, Last: n.slots.last,
		StateHash: n.execute.Hash(),
	}
	if len(n.configurations) > 0 {
		v.Members = n.configurations[n.current].Members
	}
	if n.role == leader {
		v.LeaseUntil = n.leaseUntil
	}
}
