package primarybackup

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Links may reorder messages. Were everything refused that arrives before its turn, the
// primary would send a whole window again for every message that was overtaken, which
// arrives in another order again: hundreds of messages for one entry. So a replica sets
// aside what comes too early, and the primary fills the gap alone: as TCP with its queue
// of segments out of order and one fast retransmission for each of them (RFC 9293,
// section 3.10.7.4; RFC 6582, section 3.2). What a gap's filling does not cure, the
// answers to heartbeats do (onProgress), as the retransmission timeout does there.

// setAside keeps entries that do not follow on the log yet. Those of one view are of one
// log, so they are taken as soon as what is before them is there.
func (n *Node) setAside(m *Replicate) {
	at, found := slices.BinarySearchFunc(n.aside, m.PrevIndex, func(a Replicate, prev protocols.Index) int {
		switch {
		case a.PrevIndex < prev:
			return -1
		case a.PrevIndex > prev:
			return 1
		}
		return 0
	})
	// No more than a window is on its way to a replica.
	if !found && len(n.aside) < n.parameters.Window {
		n.aside = slices.Insert(n.aside, at, *m)
	}
}

// takeAside takes what was set aside and now follows.
func (n *Node) takeAside(from protocols.NodeID, out *protocols.Effects) {
	k := 0
	for k < len(n.aside) && n.follows(&n.aside[k]) {
		m := &n.aside[k]
		k++
		if m.PrevIndex+protocols.Index(len(m.Entries)) > n.verified {
			n.take(from, m, out)
		}
	}
	n.aside = slices.Delete(n.aside, 0, k)
}

// mend sends, once, what a replica lacks before the entries that it has refused: they
// are set aside there.
func (n *Node) mend(to protocols.NodeID, m *ReplicateResponse, out *protocols.Effects) {
	p := &n.progress[to]
	lacks := n.match[to] + 1
	if m.ConflictEpoch == 0 { // else there are entries of an older view
		lacks = max(lacks, m.ConflictIndex)
	}
	switch {
	case lacks <= p.mended || lacks > m.Match:
	case lacks < n.log.First():
		n.probe(to, lacks, out)
	default:
		most := min(m.Match+1-lacks, protocols.Index(n.parameters.MaxBatch))
		p.mended = lacks - 1 + protocols.Index(n.sendEntries(to, lacks, int(most), n.mode != modeAsync || n.role == starting, out))
	}
}
