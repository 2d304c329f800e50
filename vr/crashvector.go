package vr

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Crash vectors (Michael, Ports, Sharma and Szekeres, DISC 2017) close the gap in
// diskless recovery: a node that recovers has forgotten which views it promised, so
// what it said before its crash must count no more. Entry i of a vector is the
// incarnation of node i as far as is known. Whoever recovers takes a new one, and is
// done only when f+1 others know it; any f+1 logs of a view change then include one
// whose sender knows it too.

// learn merges the crash vector of a message. It returns false for a message from
// an incarnation that is known to be over. Without crash vectors it does nothing.
func (n *Node) learn(from protocols.NodeID, vector []uint64, out *protocols.Effects) bool {
	if n.vector == nil {
		return true
	}
	if len(vector) != len(n.vector) {
		n.drop(out, "a crash vector of another length")
		return false
	}
	for id := range vector {
		if vector[id] > n.vector[id] {
			n.mergeVector(vector)
			break
		}
	}
	return vector[from] >= n.vector[from]
}

// mergeVector replaces the vector, which messages under way may share.
func (n *Node) mergeVector(vector []uint64) {
	merged := slices.Clone(n.vector)
	for id, life := range vector {
		merged[id] = max(merged[id], life)
	}
	n.vector = merged
}

// dropStale discounts what incarnations said that are now known to be over.
func (n *Node) dropStale() {
	if n.vector == nil {
		return
	}
	c, r := &n.change, &n.recovery
	for id := protocols.NodeID(1); int(id) < len(n.vector); id++ {
		life := n.vector[id]
		if c.joined.Has(id) && c.lives[id] < life {
			c.joined = c.joined.Without(id)
		}
		if c.from.Has(id) && c.logs[id].vector[id] < life {
			c.from, c.logs[id] = c.from.Without(id), offer{}
		}
		// An answer also counts no more if its sender did not know of this life yet.
		if r.from.Has(id) && (r.answers[id].vector[id] < life || r.life > 0 && r.answers[id].vector[n.id] < n.vector[n.id]) {
			r.from, r.answers[id] = r.from.Without(id), answer{}
		}
	}
}

// takeIncarnation takes the number after the highest that f+1 others know, and asks
// again under it. Every earlier life that took part in anything was known to f+1
// others, so the number is new. Each epoch has numbers of its own, above those of all
// epochs before: a new group may not have heard of the latter.
func (n *Node) takeIncarnation(epoch uint64, out *protocols.Effects) {
	own := slices.Clone(n.vector)
	own[n.id] = max(own[n.id], uint64(firstView(epoch))) + 1
	n.vector, n.recovery.life = own, own[n.id]
	n.dropStale()
	n.sendRecovery(out)
}
