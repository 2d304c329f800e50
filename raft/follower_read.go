package raft

import "github.com/lockstep-sim/lockstep/protocols"

// askedRead is a read at a follower (§6.4): it waits until the leader has said how far
// the state must be, and until that is executed.
type askedRead struct {
	command protocols.Command
	id      uint64
	index   protocols.Index // 0: not known yet
}

// askIndex asks the leader for the read index. A client has one read under way: an
// earlier one has been given up.
func (n *Node) askIndex(c protocols.Command, out *protocols.Effects) {
	n.readID++
	r := askedRead{command: c, id: n.readID}
	for i := range n.asked {
		if n.asked[i].command.Client == c.Client {
			n.asked = append(n.asked[:i], n.asked[i+1:]...)
			break
		}
	}
	n.asked = append(n.asked, r)
	// Early: a question.
	protocols.SendEarly(out, n.leader, ReadIndex{Term: n.term, ID: r.id})
}

// onReadIndex treats the question like a read: by the lease, or by a round that begins
// after it has come.
func (n *Node) onReadIndex(from protocols.NodeID, m *ReadIndex, out *protocols.Effects) {
	switch {
	case from == n.id || !n.observeTerm(m.Term, out):
		n.drop(out, "a read index that cannot be asked for")
	case n.role != leader:
		n.answerIndex(from, m.ID, 0, out)
	case n.hasLease():
		n.answerIndex(from, m.ID, n.commit, out)
	default:
		n.waitForRound(pendingRead{from: from, id: m.ID}, out)
	}
}

func (n *Node) answerIndex(to protocols.NodeID, id uint64, index protocols.Index, out *protocols.Effects) {
	// Early: what is committed is on the disks of a majority.
	protocols.SendEarly(out, to, ReadIndexResponse{Term: n.term, ID: id, Index: index})
}

// onReadIndexResponse takes the index. It stays right however late it comes, since it
// was found after the read had arrived.
func (n *Node) onReadIndexResponse(m *ReadIndexResponse, out *protocols.Effects) {
	if !n.observeTerm(m.Term, out) {
		return
	}
	for i := range n.asked {
		if r := &n.asked[i]; r.id == m.ID && r.index == 0 {
			if r.index = m.Index; m.Index == 0 {
				out.Refuse(r.command, protocols.Nobody)
				n.asked = append(n.asked[:i], n.asked[i+1:]...)
			}
			break
		}
	}
	n.serveAsked(out)
}

// serveAsked answers the reads whose index is executed.
func (n *Node) serveAsked(out *protocols.Effects) {
	rest := n.asked[:0]
	for _, r := range n.asked {
		if r.index == 0 || r.index > n.execute.Applied {
			rest = append(rest, r)
			continue
		}
		n.answerRead(r.command, out)
	}
	n.asked = rest
}

// refuseAsked gives up what waits for a leader that is none any more.
func (n *Node) refuseAsked(hint protocols.NodeID, out *protocols.Effects) {
	for _, r := range n.asked {
		out.Refuse(r.command, hint)
	}
	n.asked = n.asked[:0]
}
