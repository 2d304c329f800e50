package raft

import "github.com/lockstep-sim/lockstep/protocols"

// transfer is a transfer of leadership under way (§3.10).
type transfer struct {
	target protocols.NodeID // Nobody: none
	told   bool             // TimeoutNow was sent
}

// transferTo begins to hand leadership over: to target, or to the voter that has most
// of the log.
func (n *Node) transferTo(target protocols.NodeID, out *protocols.Effects) {
	c := n.configuration()
	voters := c.Voters.Or(c.Outgoing).Without(n.id)
	if target == protocols.Nobody {
		for id := voters.Next(protocols.Nobody); id != protocols.Nobody; id = voters.Next(id) {
			if target == protocols.Nobody || n.match[id] > n.match[target] {
				target = id
			}
		}
	}
	switch {
	case target == n.id:
		n.drop(out, "a transfer of leadership to the leader")
	case !voters.Has(target):
		n.drop(out, "a transfer of leadership to a node that does not vote")
	case n.transfer.target == target:
	default:
		n.transfer = transfer{target: target}
		out.SetTimer(timerTransfer, n.parameters.ElectionTimeout.Max)
		n.replicate(target, out)
		n.handOver(out)
	}
}

// handOver tells the target to campaign once it has all of the log.
func (n *Node) handOver(out *protocols.Effects) {
	t := &n.transfer
	if t.target == protocols.Nobody || t.told || n.match[t.target] < n.log.Last() {
		return
	}
	t.told = true
	if !n.bugs.keepLease {
		// §6.4.1: the target's election disregards what voters have promised. The message
		// may arrive at any time later in this term, also after an abort, so this leader
		// takes no lease any more.
		n.leaseUntil, n.leaseless = 0, true
	}
	// Early: it asks for an election in a later term, and claims nothing.
	protocols.SendEarly(out, t.target, TimeoutNow{Term: n.term})
}

// onTransferTimer gives a transfer up that took an election timeout: this node goes
// on leading (§3.10).
func (n *Node) onTransferTimer(out *protocols.Effects) {
	n.transfer = transfer{}
	n.pursue(out)
}

// onTimeoutNow campaigns at once, without PreVote: the leader wants it.
func (n *Node) onTimeoutNow(from protocols.NodeID, m *TimeoutNow, out *protocols.Effects) {
	if m.Term != n.term || n.role != follower || n.leader != from || !n.mayCampaign() {
		return
	}
	n.becomeCandidate(true, out)
}
