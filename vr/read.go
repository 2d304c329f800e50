package vr

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// readMode is Parameters.Reads as a number.
type readMode uint8

const (
	readRound readMode = iota
	readLease
	readLog
)

func parseReads(s string) readMode {
	switch s {
	case ReadsLease:
		return readLease
	case ReadsLog:
		return readLog
	}
	return readRound
}

// roundsKept is for how many rounds the time of sending is remembered. A lease
// from an older one would be over.
const roundsKept = 64

// rounds is the primary's record of its Commit messages and of what waits for them.
type rounds struct {
	round     uint64            // the last one sent in this view
	acked     []protocols.Index // per node id: the highest round it has answered; an Index, for [protocols.Quorum]
	confirmed uint64            // the highest round that a quorum has answered
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
	// A primary that has not executed all that its view began with holds no lease, and
	// reads nothing alone anyway: the end of that may be a reconfiguration which an
	// earlier primary has committed (§7.1). The next epoch may then work, and who
	// answers here has no promise that keeps its members out.
	if n.reads == readLease && confirmed+roundsKept > n.round && n.hasViewStart() {
		n.extendLease(confirmed, out)
	}
	return true
}

// hasViewStart reports whether all that the view began with is executed.
func (n *Node) hasViewStart() bool { return n.execute.Applied >= n.viewStart }

// extendLease counts from when the round was sent: each backup that answered it
// received it later, and keeps out of view changes for the minimum view timeout
// from then. A later view needs one of them (§6.3).
func (n *Node) extendLease(round uint64, out *protocols.Effects) {
	until := n.sentAt[round%roundsKept].Add(n.leaseTime)
	if until > n.leaseUntil && until > n.now {
		n.leaseUntil = until
		out.Note(protocols.Note{Kind: protocols.NoteLease, Epoch: uint64(n.view), Until: until})
	}
}

// read answers a Read as Parameters.Reads says.
func (n *Node) read(c protocols.Command, out *protocols.Effects) {
	switch {
	case !n.leading:
		out.Refuse(c, n.hint())
	case n.reads == readLog:
		n.propose(c, out)
	case n.reads == readLease && n.now < n.leaseUntil && n.hasViewStart():
		n.answerRead(c, out)
	default:
		n.waitForRound(c, out)
	}
}

// waitForRound starts a round of Commit messages for c. Whatever was committed
// before c arrived is at or below the later of the commit-number and the end of the
// log with which the view began: operations that an earlier primary committed may be
// above the commit-number that this one knows.
//
// A retry of a read that waits is answered with it. Were it to start a round, clients
// that ask again sooner than they can be answered would keep the primary from ever
// answering.
func (n *Node) waitForRound(c protocols.Command, out *protocols.Effects) {
	if slices.ContainsFunc(n.waiting, func(r pendingRead) bool { return r.command.Client == c.Client && r.command.Seq == c.Seq }) {
		return
	}
	n.waiting = append(n.waiting, pendingRead{command: c, round: n.round + 1, index: max(n.commit, n.viewStart)})
	n.startRound(out)
	n.serveReads(out)
}

// serveReads answers the reads whose round is confirmed and whose index is
// executed.
func (n *Node) serveReads(out *protocols.Effects) {
	served := 0
	for served < len(n.waiting) && n.waiting[served].round <= n.confirmed && n.waiting[served].index <= n.execute.Applied {
		n.answerRead(n.waiting[served].command, out)
		served++
	}
	if served > 0 {
		n.waiting = append(n.waiting[:0], n.waiting[served:]...)
	}
}

// answerRead answers from the executed state.
func (n *Node) answerRead(c protocols.Command, out *protocols.Effects) {
	// Early: it reads what a quorum has.
	out.ReplyEarly(c, n.execute.Read(c))
}

// refuseReads gives up what waits when the view ends. A read that was not answered
// has no effect, so this is a definite answer.
func (n *Node) refuseReads(hint protocols.NodeID, out *protocols.Effects) {
	for _, r := range n.waiting {
		out.Refuse(r.command, hint)
	}
	n.waiting = n.waiting[:0]
}
