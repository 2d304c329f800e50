package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// readMode is Parameters.Reads as a number.
type readMode uint8

const (
	readQuorum readMode = iota
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
	return readQuorum
}

// roundsKept is for how many rounds the time of sending is remembered. A lease
// from an older one would be over.
const roundsKept = 64

// rounds is the leader's record of heartbeat rounds and of what waits for them.
type rounds struct {
	round     uint64            // the last one sent in this ballot
	acked     []protocols.Index // per node id: the highest round it has answered; an Index, for [protocols.Quorum]
	confirmed uint64            // the highest round that a confirming quorum has answered
	sentAt    [roundsKept]protocols.Time
	waiting   []pendingRead // in order of round
	// leaseUntil: reads may be answered alone until then; only under reads: lease.
	leaseUntil protocols.Time
}

// pendingRead is a read that waits until a round sent after its arrival is
// confirmed.
type pendingRead struct {
	command protocols.Command
	round   uint64
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
	// The set must meet every phase 1 quorum by which somebody could come to decide a
	// slot that this node has not executed.
	confirmed := n.round
	for i := n.current; i < len(n.configurations); i++ {
		confirmed = min(confirmed, uint64(protocols.CommittedIndex(n.configurations[i].confirm, n.acked)))
	}
	if confirmed <= n.confirmed {
		return false
	}
	n.confirmed = confirmed
	// A leader that is not current knows too little of the configurations in force to
	// say who must have answered, and reads nothing anyway.
	if n.reads == readLease && confirmed+roundsKept > n.round && n.isCurrent() {
		n.extendLease(confirmed, out)
	}
	return true
}

// extendLease counts from when the round was sent: each acceptor that answered it
// received it later, and ignores other candidates from then on (PML §5.2).
func (n *Node) extendLease(round uint64, out *protocols.Effects) {
	begin := n.sentAt[round%roundsKept]
	if n.bugs.leaseFromReceipt { // P-12
		begin = n.now
	}
	until := begin.Add(n.lease)
	if until > n.leaseUntil && until > n.now {
		n.leaseUntil = until
		out.Note(protocols.Note{Kind: protocols.NoteLease, Epoch: uint64(n.promised), Until: until})
	}
}

// read answers a Read as Parameters.Reads says.
func (n *Node) read(c protocols.Command, out *protocols.Effects) {
	switch {
	case n.role != leader:
		out.Refuse(c, n.hint())
	case n.reads == readLog:
		n.enqueue(c, out)
	case n.reads == readLease && n.now < n.leaseUntil && n.isCurrent():
		n.answerRead(c, out)
	default:
		n.waiting = append(n.waiting, pendingRead{command: c, round: n.round + 1})
		n.startRound(out)
		n.serveReads(out)
	}
}

// isCurrent reports whether everything that was chosen before this node led is
// executed (rule 7), as far as its ballot reaches: where a new configuration has
// not promised it, the old one may have been left behind by another leader.
func (n *Node) isCurrent() bool {
	if n.bugs.readInherited { // P-RULE7
		return true
	}
	return n.execute.Applied >= n.inherited && n.isPrepared(n.execute.Applied+1)
}

// serveReads answers the reads whose round is confirmed.
func (n *Node) serveReads(out *protocols.Effects) {
	if len(n.waiting) == 0 || n.waiting[0].round > n.confirmed || !n.isCurrent() {
		return
	}
	served := 0
	for served < len(n.waiting) && n.waiting[served].round <= n.confirmed {
		n.answerRead(n.waiting[served].command, out)
		served++
	}
	n.waiting = append(n.waiting[:0], n.waiting[served:]...)
}

// answerRead answers from the executed state.
func (n *Node) answerRead(c protocols.Command, out *protocols.Effects) {
	// Early: it reads what a quorum has.
	out.ReplyEarly(c, n.execute.Read(c))
}

// refuseReads gives up what waits when leadership ends. A read that was not
// answered has no effect, so this is a definite answer.
func (n *Node) refuseReads(hint protocols.NodeID, out *protocols.Effects) {
	for _, r := range n.waiting {
		out.Refuse(r.command, hint)
	}
	n.waiting = n.waiting[:0]
}
