package raft

import "github.com/lockstep-sim/lockstep/protocols"

// readMode is Parameters.Reads as a number.
type readMode uint8

const (
	readIndex readMode = iota
	readLease
	readLog
	readLocal
)

func parseReads(s string) readMode {
	switch s {
	case ReadsLease:
		return readLease
	case ReadsLog:
		return readLog
	case ReadsLocal:
		return readLocal
	}
	return readIndex
}

// roundsKept is for how many rounds the time of sending is remembered. A lease
// from an older one would be over.
const roundsKept = 64

// rounds is the leader's record of heartbeat rounds and of what waits for them.
type rounds struct {
	round     uint64            // the last one sent in this term
	acked     []protocols.Index // per node id: the highest round it has answered; an Index, for [protocols.Quorum]
	confirmed uint64            // the highest round that a majority has answered
	sentAt    [roundsKept]protocols.Time
	waiting   []pendingRead // in order of round and of index
	// leaseUntil: reads may be answered alone until then; only under reads: lease.
	leaseUntil protocols.Time
}

// pendingRead is a read that waits until a round sent after its arrival is
// confirmed, and index is executed.
type pendingRead struct {
	command protocols.Command
	round   uint64
	index   protocols.Index
	from    protocols.NodeID // a follower that wants the index; Nobody: a client's read
	id      uint64           // its number for that
}

func (r *rounds) reset() {
	clear(r.acked)
	r.round, r.confirmed, r.leaseUntil = 0, 0, 0
}

// acknowledgeRound counts node's answer to round, and to all rounds before. It
// reports whether that confirms a round.
func (n *Node) acknowledgeRound(node protocols.NodeID, round uint64, out *protocols.Effects) bool {
	if protocols.Index(round) <= n.acked[node] {
		return false
	}
	n.acked[node] = protocols.Index(round)
	confirmed := uint64(protocols.CommittedIndex(n.quorum, n.acked))
	if confirmed <= n.confirmed {
		return false
	}
	n.confirmed = confirmed
	if n.reads == readLease && !n.leaseless && confirmed+roundsKept > n.round {
		n.extendLease(confirmed, out)
	}
	return true
}

// extendLease counts from when the round was sent: each voter that answered it
// received it later, and keeps quiet for the minimum election timeout from then.
func (n *Node) extendLease(round uint64, out *protocols.Effects) {
	begin := n.sentAt[round%roundsKept]
	if n.bugs.leaseFromReceipt {
		begin = n.now
	}
	until := begin.Add(n.lease)
	if until > n.leaseUntil && until > n.now {
		n.leaseUntil = until
		out.Note(protocols.Note{Kind: protocols.NoteLease, Epoch: n.term, Until: until})
	}
}

// read answers a Read as Parameters.Reads says.
func (n *Node) read(c protocols.Command, out *protocols.Effects) {
	switch {
	case n.reads == readLocal:
		n.answerRead(c, out)
	case n.role == follower && n.parameters.FollowerReads && n.hint() != protocols.Nobody:
		n.askIndex(c, out)
	case n.role != leader:
		out.Refuse(c, n.hint())
	case n.reads == readLog:
		n.propose(c, out)
	case n.bugs.readNoRound: // R-READ
		n.answerRead(c, out)
	case n.hasLease():
		n.answerRead(c, out)
	default:
		n.waitForRound(pendingRead{command: c}, out)
	}
}

// hasLease reports whether this leader may answer reads alone.
func (n *Node) hasLease() bool {
	return n.reads == readLease && n.now < n.leaseUntil && n.execute.Applied >= n.termStart
}

// waitForRound starts a round of heartbeats for r (§6.4). Whatever was committed
// before r arrived is in this log, and at or below the later of the commit index
// and this term's no-op: without the no-op, an entry that an earlier leader
// committed might be above the commit index that this one knows.
func (n *Node) waitForRound(r pendingRead, out *protocols.Effects) {
	r.round, r.index = n.round+1, max(n.commit, n.termStart)
	if n.bugs.readOldTerm {
		r.index = n.commit
	}
	if n.bugs.readJoins {
		r.round = n.round
	}
	n.waiting = append(n.waiting, r)
	n.startRound(out)
	n.serveReads(out)
}

// serveReads answers the reads whose round is confirmed and whose index is
// executed.
func (n *Node) serveReads(out *protocols.Effects) {
	served := 0
	for served < len(n.waiting) && n.waiting[served].round <= n.confirmed && n.waiting[served].index <= n.execute.Applied {
		if r := &n.waiting[served]; r.from != protocols.Nobody {
			n.answerIndex(r.from, r.id, r.index, out)
		} else {
			n.answerRead(r.command, out)
		}
		served++
	}
	if served > 0 {
		n.waiting = append(n.waiting[:0], n.waiting[served:]...)
	}
}

// answerRead answers from the executed state.
func (n *Node) answerRead(c protocols.Command, out *protocols.Effects) {
	// Early: it reads what a majority has.
	out.ReplyEarly(c, n.execute.Read(c))
}

// refuseReads gives up what waits when leadership ends. A read that was not
// answered has no effect, so this is a definite answer.
func (n *Node) refuseReads(hint protocols.NodeID, out *protocols.Effects) {
	for _, r := range n.waiting {
		if r.from == protocols.Nobody {
			out.Refuse(r.command, hint)
		}
	}
	n.waiting = n.waiting[:0]
}
