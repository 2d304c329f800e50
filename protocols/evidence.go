package protocols

import "fmt"

// ReadEvidence judges, for the observers of protocols whose leader answers reads
// without the log, what an answer rests on. A leader that was replaced does not know
// it, so that it may answer only
//
//   - once a quorum has answered a round of messages that left after the read had
//     arrived (Raft thesis §6.4: the commit index of the arrival will do, an earlier
//     round will not), or within a lease;
//   - from a state that has all that the leader's epoch began with: what was committed
//     before may reach up to there;
//   - from a state that has all that anybody was shown before the read had arrived.
//
// A history shows the want of evidence only where another leader has written meanwhile,
// and what was read. Here it shows at the first answer. Cost: O(1) per message,
// O(n) per answer, O(questionsKept) per question; nothing is allocated but for a client's
// first read at a node. Its zero value knows no nodes: see [NewReadEvidence].
type ReadEvidence struct {
	nodes []readNode // by node id
	shown Index      // the highest position that an answer has shown to a client
}

// readNode is what one leader knows, as far as others have seen it.
type readNode struct {
	leads bool
	epoch uint64
	from  Index // the position with which the epoch began
	round uint64
	acked []Index // by node id: the highest round of the epoch that it has answered
	left  [roundsWatched]roundLeft
	lease Time // on the node's own clock; 0: none
	reads []readArrival
	asked []askedIndex
}

// readArrival is the first arrival of a client's last read at a node.
type readArrival struct {
	seq   uint64
	epoch uint64
	round uint64 // the last that had left
	shown Index
}

// askedIndex is another node's question how far its state must be for a read.
type askedIndex struct {
	from NodeID
	id   uint64
	readArrival
}

// roundLeft says when a round left.
type roundLeft struct {
	round uint64
	at    Time
}

// roundsWatched is for how many rounds the time of leaving is kept.
const roundsWatched = 64

// questionsKept is for how many questions a leader's evidence is kept.
const questionsKept = 64

// everyRound is what a leader has answered of its own rounds.
const everyRound Index = 1 << 62

// NewReadEvidence returns the evidence of a run with the given highest node id.
func NewReadEvidence(nodes int) ReadEvidence {
	e := ReadEvidence{nodes: make([]readNode, nodes+1)}
	for id := range e.nodes {
		e.nodes[id].acked = make([]Index, nodes+1)
	}
	return e
}

// Leads begins the leadership of an epoch whose log begins with what lies up to
// position from.
func (e *ReadEvidence) Leads(id NodeID, epoch uint64, from Index) {
	n := &e.nodes[id]
	n.leads, n.epoch, n.from, n.round, n.lease = true, epoch, from, 0, 0
	n.asked = n.asked[:0]
	clear(n.acked)
	clear(n.left[:])
	n.acked[id] = everyRound
}

// Resigns ends a leadership, if there is one.
func (e *ReadEvidence) Resigns(id NodeID) { e.nodes[id].leads = false }

// Leading reports whether a node leads, as far as it has noted.
func (e *ReadEvidence) Leading(id NodeID) bool { return e.nodes[id].leads }

// Left notes that a message of a round of an epoch has left.
func (e *ReadEvidence) Left(id NodeID, epoch, round uint64, at Time) {
	n := &e.nodes[id]
	if n.leads && n.epoch == epoch && round > n.round {
		n.round = round
		n.left[round%roundsWatched] = roundLeft{round, at}
	}
}

// Heard notes that a leader has received from's answer to a round, and with it to all
// rounds before.
func (e *ReadEvidence) Heard(id, from NodeID, epoch, round uint64) {
	n := &e.nodes[id]
	if n.leads && n.epoch == epoch && round <= n.round && from != id {
		n.acked[from] = max(n.acked[from], Index(round))
	}
}

// Leased notes until when, on its own clock, a leader holds a lease; 0: it has given it
// up.
func (e *ReadEvidence) Leased(id NodeID, until Time) { e.nodes[id].lease = until }

// Confirmed returns when the last round left that a quorum has answered; false: there is
// none, or it was too long ago. Who needs no others has answered at now.
func (e *ReadEvidence) Confirmed(id NodeID, q Quorum, now Time) (Time, bool) {
	n := &e.nodes[id]
	round := CommittedIndex(q, n.acked)
	if round == everyRound {
		return now, true
	}
	l := n.left[round%roundsWatched]
	return l.at, round > 0 && l.round == uint64(round)
}

// Answered reports whether a quorum has answered any round of the epoch, however long ago.
func (e *ReadEvidence) Answered(id NodeID, q Quorum) bool {
	return CommittedIndex(q, e.nodes[id].acked) > 0
}

// Arrived notes that a read has arrived at a node, which is in an epoch by then.
func (e *ReadEvidence) Arrived(id NodeID, c *Command, epoch uint64) {
	n, client := &e.nodes[id], -int(c.Client)
	if client <= 0 {
		return
	}
	for client >= len(n.reads) {
		n.reads = append(n.reads, readArrival{})
	}
	// An earlier request that comes late is given up; a copy of this one may be answered
	// as soon as the first.
	if r := &n.reads[client]; c.Seq > r.seq || c.Seq == r.seq && r.epoch != epoch {
		*r = e.arrival(n, c.Seq, epoch)
	}
}

func (e *ReadEvidence) arrival(n *readNode, seq, epoch uint64) readArrival {
	r := readArrival{seq: seq, epoch: epoch, shown: e.shown}
	if n.leads && n.epoch == epoch {
		r.round = n.round
	}
	return r
}

// Asked notes that from's question number question has arrived at a leader: how far its
// state must be for a read.
func (e *ReadEvidence) Asked(id, from NodeID, question, epoch uint64) {
	n := &e.nodes[id]
	if !n.leads || n.epoch != epoch {
		return
	}
	for i := range n.asked {
		if r := &n.asked[i]; r.from == from && r.id == question {
			return // a copy: what does for the first does for it
		}
	}
	if len(n.asked) == questionsKept {
		n.asked = append(n.asked[:0], n.asked[1:]...)
	}
	n.asked = append(n.asked, askedIndex{from, question, e.arrival(n, 0, epoch)})
}

// Judge returns what is wrong with a leader's answer to a read, or "". It is given in an
// epoch and at now on the leader's clock; q are those who have to confirm the leader. A
// read that is not the last of its client at the node is not judged.
func (e *ReadEvidence) Judge(id NodeID, a *Answer, epoch uint64, now Time, q Quorum) string {
	n, client := &e.nodes[id], -int(a.Command.Client)
	if client <= 0 || client >= len(n.reads) || n.reads[client].seq != a.Command.Seq {
		return ""
	}
	return n.judge(&n.reads[client], a.Result.Position, epoch, now, q)
}

// JudgeIndex is Judge for the answer to a question of another node: its state must have
// all up to position. A question that is not among the last of its leader is not judged.
func (e *ReadEvidence) JudgeIndex(id, from NodeID, question uint64, position Index, epoch uint64, now Time, q Quorum) string {
	n := &e.nodes[id]
	for i := range n.asked {
		if r := &n.asked[i]; r.from == from && r.id == question {
			return n.judge(&r.readArrival, position, epoch, now, q)
		}
	}
	return ""
}

func (n *readNode) judge(r *readArrival, position Index, epoch uint64, now Time, q Quorum) string {
	switch {
	case !n.leads || n.epoch != epoch:
		return "it leads nobody there"
	case position < n.from:
		return fmt.Sprintf("it shows position %d, but what was committed before it led may reach up to %d", position, n.from)
	case position < r.shown:
		return fmt.Sprintf("it shows position %d, but %d was shown before the read arrived", position, r.shown)
	case now < n.lease:
		return ""
	}
	after := r.round
	if r.epoch != epoch {
		after = 0
	}
	if round := CommittedIndex(q, n.acked); uint64(round) <= after {
		return fmt.Sprintf("when the read arrived, round %d had left, and of later rounds none is answered by %v", after, q)
	}
	return ""
}

// Shows notes that an answer to a client has shown a position.
func (e *ReadEvidence) Shows(position Index) { e.shown = max(e.shown, position) }
