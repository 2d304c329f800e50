package protocols

import (
	"fmt"
	"math/bits"
)

// MajoritySize returns the size of a majority of n nodes: more than half.
func MajoritySize(n int) int { return n/2 + 1 }

// Quorum says which sets of nodes may decide. Adding nodes to a quorum leaves it
// one.
type Quorum interface {
	// Has reports whether the set contains a quorum. Nodes that are no members do
	// not count.
	Has(NodeSet) bool
	// Members returns the nodes that count.
	Members() NodeSet
	// String says it in words.
	String() string
}

// Majority is more than half of its members. Nobody can decide for no members.
type Majority struct{ Of NodeSet }

// Has implements [Quorum].
func (q Majority) Has(s NodeSet) bool {
	return s.And(q.Of).Len() >= MajoritySize(q.Of.Len())
}

// Members implements [Quorum].
func (q Majority) Members() NodeSet { return q.Of }

// String prints "majority of {n1 n2 n3}".
func (q Majority) String() string { return "majority of " + q.Of.String() }

// Threshold is any Size of its members: a flexible quorum (Howard, Malkhi and
// Spiegelman, OPODIS 2016). A Size below 1 counts as 1.
type Threshold struct {
	Of   NodeSet
	Size int
}

// Has implements [Quorum].
func (q Threshold) Has(s NodeSet) bool { return s.And(q.Of).Len() >= max(1, q.Size) }

// Members implements [Quorum].
func (q Threshold) Members() NodeSet { return q.Of }

// String prints "2 of {n1 n2 n3}".
func (q Threshold) String() string { return fmt.Sprintf("%d of %s", max(1, q.Size), q.Of) }

// Meets reports whether every quorum of q shares a node with every quorum of r:
// what flexible Paxos asks of its phase 1 and phase 2 quorums. It is exact, also
// where the members differ; a quorum that cannot exist meets every other.
func (q Threshold) Meets(r Threshold) bool {
	common := q.Of.And(r.Of).Len()
	mine, others := max(1, q.Size), max(1, r.Size)
	if mine > q.Of.Len() || others > r.Of.Len() {
		return true
	}
	// How many common nodes a quorum needs if it avoids them where it can.
	need := max(0, mine-(q.Of.Len()-common)) + max(0, others-(r.Of.Len()-common))
	return need > common
}

// Joint is a majority of the old members together with a majority of the new
// ones (Raft thesis §4.3).
type Joint struct{ Old, New NodeSet }

// Has implements [Quorum].
func (q Joint) Has(s NodeSet) bool { return Majority{q.Old}.Has(s) && Majority{q.New}.Has(s) }

// Members implements [Quorum].
func (q Joint) Members() NodeSet { return q.Old.Or(q.New) }

// String prints "majority of {n1 n2 n3} and majority of {n3 n4 n5}".
func (q Joint) String() string { return Majority{q.Old}.String() + " and " + Majority{q.New}.String() }

// CommittedIndex returns the largest index that a quorum has reached. match is
// indexed by node id; ids outside it have reached 0. It does not allocate and is
// fastest when most members are level.
func CommittedIndex(q Quorum, match []Index) Index {
	switch q := q.(type) { // the usual ones are counted, without a call per index
	case Majority:
		return countedIndex(q.Of, MajoritySize(q.Of.Len()), match)
	case Threshold:
		return countedIndex(q.Of, max(1, q.Size), match)
	}
	members := q.Members()
	var best Index
	for id := members.Next(Nobody); id != Nobody && int(id) < len(match); id = members.Next(id) {
		if c := match[id]; c > best && q.Has(reached(members, match, c)) {
			best = c
		}
	}
	return best
}

// reached returns the members whose match is at least c.
func reached(members NodeSet, match []Index, c Index) NodeSet {
	var r NodeSet
	for id := members.Next(Nobody); id != Nobody && int(id) < len(match); id = members.Next(id) {
		if match[id] >= c {
			r = r.With(id)
		}
	}
	return r
}

// countedIndex is CommittedIndex for any need of the members: it climbs from one
// index that members have reached to the next while enough of them are above it.
func countedIndex(members NodeSet, need int, match []Index) (best Index) {
	for {
		above, lowest := 0, ^Index(0)
		for base, word := range [...]uint64{members.lo, members.hi} {
			for ; word != 0; word &= word - 1 {
				if id := base*64 + bits.TrailingZeros64(word); id < len(match) && match[id] > best {
					above++
					lowest = min(lowest, match[id])
				}
			}
		}
		if above < need {
			return best
		}
		best = lowest
	}
}
