package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// heartbeat shows backups and joiners that their primary lives.
func (n *Node) heartbeat(out *protocols.Effects) {
	for id := n.targets.Next(protocols.Nobody); id != protocols.Nobody; id = n.targets.Next(id) {
		p, sent := &n.progress[id], n.shipped(id)
		if sent == n.match[id] && !p.probing {
			p.grew = n.now
		}
		commit := min(n.commit, n.match[id])
		if n.bugs.uncutCommit { // B-18
			commit = n.commit
		}
		// Early: it claims nothing about this disk.
		protocols.SendEarly(out, id, Heartbeat{Epoch: n.view.Number, Commit: commit, Match: n.match[id], Sent: sent})
	}
	if n.role == primary {
		if len(n.reads) > 0 && n.now.Sub(n.roundAt) >= n.parameters.Ping {
			n.startRound(out) // the answers to the last one are late or lost
		}
		if n.bugs.noFencing { // B-01
			n.advance(out)
		}
	}
}

// shipped returns up to where a replica was streamed the log.
func (n *Node) shipped(to protocols.NodeID) protocols.Index {
	sent := n.match[to]
	if p := &n.progress[to]; !p.probing {
		sent = max(sent, p.next-1)
	}
	if n.serial { // what this disk does not have yet is not on its way
		sent = min(sent, max(n.match[to], n.match[n.id]))
	}
	return sent
}

func (n *Node) onHeartbeat(from protocols.NodeID, m *Heartbeat, out *protocols.Effects) {
	if !n.hear(from, m.Epoch, out) {
		n.refuse(from, m.Epoch, m.Match, out)
		return
	}
	if m.Commit > n.log.Last() {
		n.drop(out, "a commit index beyond what this replica acknowledged")
		return
	}
	n.advanceCommit(m.Commit, out)
	// Early: it says only that this replica, now, knows no later view.
	protocols.SendEarly(out, from, HeartbeatResponse{Epoch: n.view.Number})
	if m.Sent > m.Match {
		// Gated: this disk has it.
		protocols.Send(out, from, Progress{Epoch: n.view.Number, Match: n.verified, MatchEpoch: n.epochAt(n.verified), Sent: m.Sent})
	}
}

func (n *Node) onHeartbeatResponse(from protocols.NodeID, m *HeartbeatResponse, out *protocols.Effects) {
	if from != n.id && n.isAnswer(from, m.Epoch, out) {
		n.retry(from, out)
	}
}

func (n *Node) onProgress(from protocols.NodeID, m *Progress, out *protocols.Effects) {
	if from == n.id || !n.isAnswer(from, m.Epoch, out) {
		return
	}
	before := n.match[from]
	n.matched(from, m.Match, m.MatchEpoch, out)
	if n.match[from] > before {
		return // what was sent arrives: to send it again would only add to a queue
	}
	p := &n.progress[from]
	if !p.probing && m.Sent > n.match[from] && p.next > n.match[from]+1 {
		p.next, p.mended = n.match[from]+1, 0 // what was sent is lost
		n.replicate(from, out)
	}
}
