package raft

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// role is what a node currently is; it indexes roleNames.
type role uint8

const (
	follower role = iota
	preCandidate
	candidate
	leader
	learner // shown of a follower that may not campaign
	stopped // its disk failed; silent until restarted
)

func roleNames() []string {
	return []string{"follower", "pre-candidate", "candidate", "leader", "learner", "stopped"}
}

// The timers.
const (
	// timerElection runs at everyone but the leader.
	timerElection protocols.Timer = iota
	// timerHeartbeat and timerQuorum run at the leader.
	timerHeartbeat
	timerQuorum
	// timerTransfer runs at a leader that hands over.
	timerTransfer
)

// maxTerm bounds the terms that a node accepts, so that the next one always exists.
const maxTerm = 1 << 62

// Node is one replica. Its state is that of figure 3.1 of the dissertation, with
// the names of the paper where Go allows.
type Node struct {
	// Fixed at boot.
	id         protocols.NodeID   `hash:"-"`
	parameters Parameters         `hash:"-"`
	lease      protocols.Duration `hash:"-"` // how long a lease lasts from the sending of its round
	reads      readMode           `hash:"-"`
	bugs       bugs               `hash:"-"`
	replicas   protocols.NodeSet  `hash:"-"` // all that may ever be members
	first      protocols.NodeSet  `hash:"-"` // the first voters

	// Of the event being handled; set at the start of each step.
	now  protocols.Time `hash:"-"` // monotone
	wall protocols.Time `hash:"-"`

	// Durable. What is here may be ahead of the disk; what is said with Send is not.
	term uint64
	vote protocols.NodeID     // in term
	log  protocols.Log[Entry] // what it does not hold any more is in the checkpoint
	disk uint64               `hash:"-"` // as in Wiped; fixed at boot
	// checkpoint is the snapshot in force, at the position before the log's first
	// entry, whose term is baseTerm; nil while that is 0.
	checkpoint *Checkpoint `hash:"-"`
	baseTerm   uint64

	// configurations are that in force before the log's first entry and those in the
	// log, in order. The last is in force (§4.1), and quorum and peers follow from it.
	configurations []configured
	inForce        int                `hash:"-"`
	quorum         protocols.Quorum   `hash:"-"`
	voter          bool               `hash:"-"` // this node is one of its voters
	peers          []protocols.NodeID `hash:"-"` // its members but this node, in order

	// Volatile at everyone. execute.Applied <= commit <= log.Last(): execution
	// follows the commit index within the step, so they are equal between steps.
	role    role
	leader  protocols.NodeID
	commit  protocols.Index
	execute protocols.Executor
	noted   configured  `hash:"-"` // the last configuration known to be committed
	taken   *Checkpoint // a snapshot that is not in force yet; nil: none
	incoming
	asked  []askedRead // reads that wait for an index from the leader, or for its execution
	readID uint64      `hash:"-"` // of the last one; no two of any life are the same
	// quietUntil is the promise to the leader last heard: no vote until then. It
	// outlives a change of term, since that leader may still count on it.
	quietUntil protocols.Time
	lost       bool `hash:"-"` // its disk is gone, and nothing is written yet

	// votes are the grants of this node's current (pre-)election.
	votes protocols.NodeSet

	// Leader only; reset in becomeLeader. Positions are node ids.
	//
	// match[p] is up to where p's durable log is known to equal this one; it only
	// grows within a term, and match[id] counts only this node's own durable writes.
	match     []protocols.Index
	progress  []progress
	termStart protocols.Index // of this term's no-op
	proposed  []uint64        // per client: highest Seq in the log since its applied one
	heard     protocols.NodeSet
	wish      wish
	transfer  transfer
	leaseless bool // takes no lease any more in this term
	rounds
}

// New boots a node from its disk.
func New(cfg protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
	p, ok := cfg.Parameters.(*Parameters)
	if !ok {
		return nil, fmt.Errorf("raft: got parameters of type %T, want *raft.Parameters", cfg.Parameters)
	}
	switches, err := knownBugs().Parse(p.Bugs)
	if err != nil {
		return nil, fmt.Errorf("raft: %w", err)
	}
	size := cfg.Cluster.Replicas + 1
	n := &Node{
		id:         cfg.ID,
		parameters: *p,
		lease:      p.lease(),
		reads:      parseReads(p.Reads),
		bugs:       switches,
		replicas:   protocols.NodesUpTo(cfg.Cluster.Replicas),
		first:      cfg.Members,
		execute:    protocols.Executor{Machine: cfg.Machine, NoSessions: switches.noSessions},
		match:      make([]protocols.Index, size),
		progress:   make([]progress, size),
		rounds:     rounds{acked: make([]protocols.Index, size)},
	}
	n.execute.Sessions.Limit = p.Sessions
	if switches.leaseNoDrift {
		n.lease = p.ElectionTimeout.Min
	}
	n.configurations = []configured{{0, &Configuration{Voters: cfg.Members}}}
	n.configure()
	n.noted = n.configurations[0]
	if err := n.recoverFrom(disk); err != nil {
		return nil, err
	}
	n.lost = disk.Wiped && n.disk == 0
	if switches.forgetVote {
		n.vote = protocols.Nobody
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
		n.readID = ev.Nonce
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
	case *AppendEntries:
		n.onAppendEntries(from, m, out)
	case *AppendEntriesResponse:
		n.onAppendEntriesResponse(from, m, out)
	case *Heartbeat:
		n.onHeartbeat(from, m, out)
	case *HeartbeatResponse:
		n.onHeartbeatResponse(from, m, out)
	case *RequestVote:
		n.onRequestVote(from, m, out)
	case *RequestVoteResponse:
		n.onRequestVoteResponse(from, m, out)
	case *PreVote:
		n.onPreVote(from, m, out)
	case *PreVoteResponse:
		n.onPreVoteResponse(from, m, out)
	case *InstallSnapshot:
		n.onInstallSnapshot(from, m, out)
	case *InstallSnapshotResponse:
		n.onInstallSnapshotResponse(from, m, out)
	case *TimeoutNow:
		n.onTimeoutNow(from, m, out)
	case *ReadIndex:
		n.onReadIndex(from, m, out)
	case *ReadIndexResponse:
		n.onReadIndexResponse(m, out)
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
	case timerTransfer:
		n.onTransferTimer(out)
	}
}

func (n *Node) start(out *protocols.Effects) {
	if n.lost {
		// What it promised and held is gone. It counts again once the members have added
		// it with this disk. The monotone clock goes on across disks.
		n.lost, n.disk = false, max(1, uint64(n.now))
		protocols.Persist(out, Wiped{Disk: n.disk})
	}
	n.noteMembers(out)
	if n.reads == readLease && !n.bugs.forgetPromise {
		// A leader may hold a lease on a promise that this node gave before it
		// restarted and no longer remembers.
		n.quietUntil = n.now.Add(n.parameters.ElectionTimeout.Min)
	}
	n.armElection(out)
}

// becomeFollower enters term as a follower of lead, or of nobody yet. It is the
// only place where the term of another node is taken over.
func (n *Node) becomeFollower(term uint64, lead protocols.NodeID, out *protocols.Effects) {
	resigns := n.role == leader
	if resigns {
		n.resign(lead, out)
	}
	if term != n.term {
		n.term, n.vote = term, protocols.Nobody
		n.saveHardState(out)
		if !n.heardOnly() {
			// Every term draws its timeout afresh; re-arming within one does not.
			out.CancelTimer(timerElection)
		}
	}
	if n.bugs.clearVote && n.role != follower && term == n.term {
		n.vote = protocols.Nobody
		n.saveHardState(out)
	}
	if lead != n.leader {
		n.refuseAsked(lead, out)
	}
	n.role, n.leader = follower, lead
	// Figure 2: a candidate's higher term alone does not stop the timer, or one that
	// cannot win would hold up those that can. Deviation: by default it does.
	if !n.heardOnly() || resigns || lead != protocols.Nobody {
		n.armElection(out)
	}
}

// becomePreCandidate asks whether an election could be won (§9.6). The term stays.
func (n *Node) becomePreCandidate(out *protocols.Effects) {
	n.refuseAsked(protocols.Nobody, out)
	n.role, n.leader, n.votes = preCandidate, protocols.Nobody, protocols.NodeSet{}
	n.armElection(out)
	n.askPreVotes(out)
}

// becomeCandidate starts an election in the next term (§3.4); transfer says that the
// leader wants it.
func (n *Node) becomeCandidate(transfer bool, out *protocols.Effects) {
	n.refuseAsked(protocols.Nobody, out)
	n.role, n.leader, n.votes = candidate, protocols.Nobody, protocols.NodeSet{}
	n.term, n.vote = n.term+1, n.id
	n.saveHardState(out)
	out.CancelTimer(timerElection)
	n.armElection(out)
	n.askVotes(transfer, out)
}

// becomeLeader takes the lead of the current term.
func (n *Node) becomeLeader(out *protocols.Effects) {
	n.role, n.leader = leader, n.id
	out.CancelTimer(timerElection)
	out.Note(protocols.Note{Kind: protocols.NoteLeader, Epoch: n.term, Index: n.log.Last()})
	n.heard = protocols.Nodes(n.id)
	n.wish, n.transfer, n.leaseless = wish{}, transfer{}, false
	n.rounds.reset()
	n.resetProgress()
	n.rememberProposed()
	n.termStart = n.log.Last() + 1
	// §6.4: the no-op is what makes everything before it committed.
	n.append(Entry{Term: n.term}, out)
	out.SetTimer(timerHeartbeat, n.parameters.Heartbeat)
	if n.parameters.CheckQuorum {
		out.SetTimer(timerQuorum, n.parameters.ElectionTimeout.Max)
	}
}

// resign ends this node's leadership of its term; successor is who leads now, if
// that is known.
func (n *Node) resign(successor protocols.NodeID, out *protocols.Effects) {
	out.Note(protocols.Note{Kind: protocols.NoteSteppedDown, Epoch: n.term})
	out.CancelTimer(timerHeartbeat)
	out.CancelTimer(timerQuorum)
	out.CancelTimer(timerTransfer)
	n.refuseReads(successor, out)
	if n.bugs.failOnStepDown { // these may still commit
		for i := n.commit + 1; i <= n.log.Last(); i++ {
			if e := n.log.At(i); e.Command.Client < 0 {
				out.Refuse(e.Command, protocols.Nobody)
			}
		}
	}
}

// becomeStopped falls silent: after a failed write nobody knows what the disk
// holds, and what was persisted since may never become durable.
func (n *Node) becomeStopped(out *protocols.Effects) {
	if n.role == leader {
		n.resign(protocols.Nobody, out)
	}
	out.CancelTimer(timerElection)
	n.refuseAsked(protocols.Nobody, out)
	n.role, n.leader = stopped, protocols.Nobody
}

func (n *Node) saveHardState(out *protocols.Effects) {
	protocols.Persist(out, HardState{Term: n.term, Vote: n.vote})
}

// heardOnly reports whether the election timer starts anew only as in the paper.
func (n *Node) heardOnly() bool { return n.parameters.ElectionTimer == ElectionTimerHeard }

// armElection (re-)arms the election timer with the draw of this term, or with a new
// one where each start draws.
func (n *Node) armElection(out *protocols.Effects) {
	if n.mayCampaign() {
		if n.heardOnly() {
			out.CancelTimer(timerElection)
		}
		r := n.parameters.ElectionTimeout
		out.SetTimerWithin(timerElection, r.Min, r.Max)
	}
}

// drop notes that a message was ignored which no correct node can send.
func (n *Node) drop(out *protocols.Effects, why string) {
	out.Note(protocols.Note{Kind: protocols.NoteDropped, Epoch: n.term, Text: why})
}

// assert panics when this node's own state is broken; it is never about a message.
func assert(ok bool, what string) {
	if !ok {
		panic("raft: " + what)
	}
}

// termAt returns the term of the entry at i, which the log holds or its snapshot ends
// with, and 0 at the start.
func (n *Node) termAt(i protocols.Index) uint64 {
	if i == n.base() {
		return n.baseTerm
	}
	return n.log.At(i).Term
}

// View implements [protocols.Node].
func (n *Node) View(v *protocols.View) {
	v.Role, v.Leading = uint8(n.role), n.role == leader
	if n.role == follower && !n.mayCampaign() {
		v.Role = uint8(learner)
	}
	v.Epoch, v.Leader = n.term, n.leader
	v.Commit, v.Applied = n.commit, n.execute.Applied
	v.First, v.Last = n.log.First(), n.log.Last()
	c := n.configuration()
	v.Members, v.Outgoing = c.Voters, c.Outgoing
	v.LeaseUntil = 0
	if n.role == leader {
		v.LeaseUntil = n.leaseUntil
	}
	v.StateHash = n.execute.Hash()
}
