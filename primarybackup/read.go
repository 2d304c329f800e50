package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// pendingRead is a read that waits until a round that began after its arrival is
// confirmed.
type pendingRead struct {
	command protocols.Command
	round   uint64
}

// read answers a Read once this replica is sure to be the primary at some moment
// after the read arrived.
func (n *Node) read(c protocols.Command, out *protocols.Effects) {
	switch {
	case n.role != primary:
		out.Refuse(c, n.view.Primary)
	case n.bugs.readAlone: // B-04
		n.answerRead(c, out)
	case n.parameters.Reads == ReadsLease && n.now < n.leaseUntil:
		n.answerRead(c, out)
	default:
		n.reads = append(n.reads, pendingRead{command: c, round: n.round + 1})
		n.startRound(out)
		n.serveReads(out)
	}
}

// startRound asks all backups. That all answer proves that nobody else had begun to
// serve when the round began: the primary of a later view would be one of them, or
// would have been brought up to date by one of them, and that one would have been in
// the later view by then. A view without backups needs no answer, since nobody but
// its primary holds its log.
func (n *Node) startRound(out *protocols.Effects) {
	n.round++
	n.roundAt = n.now
	for id := n.view.Backups.Next(protocols.Nobody); id != protocols.Nobody; id = n.view.Backups.Next(id) {
		// Early: a question.
		protocols.SendEarly(out, id, Confirm{Epoch: n.view.Number, Round: n.round})
	}
	n.confirmed[n.id] = protocols.Index(n.round)
}

func (n *Node) onConfirm(from protocols.NodeID, m *Confirm, out *protocols.Effects) {
	if !n.hear(from, m.Epoch, out) {
		n.refuse(from, m.Epoch, 0, out)
		return
	}
	// Early: it says only that this replica, now, knows no later view.
	protocols.SendEarly(out, from, ConfirmResponse{Epoch: n.view.Number, Round: m.Round})
}

func (n *Node) onConfirmResponse(from protocols.NodeID, m *ConfirmResponse, out *protocols.Effects) {
	if from == n.id || !n.isAnswer(from, m.Epoch, out) || n.role != primary {
		return
	}
	if m.Round > n.round {
		n.drop(out, "an answer to a round that was not sent")
		return
	}
	n.confirmed[from] = max(n.confirmed[from], protocols.Index(m.Round))
	n.serveReads(out)
}

// serveReads answers the reads whose round all backups have confirmed.
func (n *Node) serveReads(out *protocols.Effects) {
	if len(n.reads) == 0 {
		return
	}
	confirming := n.counted()
	if n.bugs.oneConfirms { // B-20
		confirming = protocols.Threshold{Of: n.view.Members(), Size: min(2, n.view.Members().Len())}
	}
	round := uint64(protocols.CommittedIndex(confirming, n.confirmed))
	served := 0
	for served < len(n.reads) && n.reads[served].round <= round {
		n.answerRead(n.reads[served].command, out)
		served++
	}
	n.reads = append(n.reads[:0], n.reads[served:]...)
}

// answerRead answers from the state that is visible.
func (n *Node) answerRead(c protocols.Command, out *protocols.Effects) {
	// Early: a read claims nothing about this disk.
	out.ReplyEarly(c, n.visible.Read(c))
}

// refuseReads gives up what waits. A read that was not answered has no effect, so
// this is a definite answer.
func (n *Node) refuseReads(out *protocols.Effects) {
	for _, r := range n.reads {
		out.Refuse(r.command, protocols.Nobody)
	}
	n.reads = n.reads[:0]
}

// extendLease: the view service answered a ping sent at sent. It received it later,
// and names no other primary until DeadAfter has passed on its clock.
func (n *Node) extendLease(sent protocols.Time, out *protocols.Effects) {
	if n.parameters.Reads != ReadsLease || sent > n.now {
		return
	}
	if n.bugs.leaseOnReceipt { // B-19
		sent = n.now
	}
	until := sent.Add(n.lease)
	if until > n.leaseUntil && until > n.now {
		n.leaseUntil = until
		out.Note(protocols.Note{Kind: protocols.NoteLease, Epoch: n.view.Number, Until: until})
	}
}
