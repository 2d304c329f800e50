package protocols

import "fmt"

// MajoritySize returns the smallest number of n members any two groups of which
// share a member: floor(n/2)+1.
func MajoritySize(n int) int { return n/2 + 1 }

// Quorum is a family of sets of nodes, closed under adding nodes.
type Quorum interface {
	// Has reports whether votes contain one of the sets.
	Has(votes NodeSet) bool
	// Members returns the nodes that count.
	Members() NodeSet
	// Committed returns the highest position that one of the sets has reached,
	// where match[id] is the position that node id has reached.
	Committed(match []Index) Index
	// String says what is needed, for example "2 of {n1 n2 n3}".
	String() string
}

// Threshold needs Need of Of: flexible quorums.
type Threshold struct {
	Of   NodeSet
	Need int // 1..Of.Len()
}

// Majority needs more than half of members.
func Majority(members NodeSet) Threshold {
	return Threshold{Of: members, Need: MajoritySize(members.Len())}
}

// Has reports whether at least Need of the members voted.
func (q Threshold) Has(votes NodeSet) bool { return votes.And(q.Of).Len() >= q.Need }

// Members returns Of.
func (q Threshold) Members() NodeSet { return q.Of }

// Committed returns the Need-th largest of the members' positions. It finds it
// by counting, which beats sorting for the sizes that clusters have and needs no
// memory. No members means no position.
func (q Threshold) Committed(match []Index) Index {
	var best Index
	for id := q.Of.Next(Nobody); id != Nobody; id = q.Of.Next(id) {
		if match[id] <= best {
			continue
		}
		reached := 0
		for other := q.Of.Next(Nobody); other != Nobody; other = q.Of.Next(other) {
			if match[other] >= match[id] {
				reached++
			}
		}
		if reached >= q.Need {
			best = match[id]
		}
	}
	return best
}

func (q Threshold) String() string { return fmt.Sprintf("%d of %v", q.Need, q.Of) }

// Joint needs both: the old and the new quorum of a membership change.
type Joint struct{ Old, New Threshold }

// Has reports whether votes satisfy both.
func (q Joint) Has(votes NodeSet) bool { return q.Old.Has(votes) && q.New.Has(votes) }

// Members returns everybody who counts in either.
func (q Joint) Members() NodeSet { return q.Old.Of.Or(q.New.Of) }

// Committed returns the lower of both.
func (q Joint) Committed(match []Index) Index {
	return min(q.Old.Committed(match), q.New.Committed(match))
}

func (q Joint) String() string { return fmt.Sprintf("%v and %v", q.Old, q.New) }

// Intersect reports whether every set of a shares a node with every set of b.
func Intersect(a, b Threshold) bool {
	common := a.Of.And(b.Of).Len()
	// The sets that avoid each other best take what is not common first.
	inA := max(0, a.Need-(a.Of.Len()-common))
	inB := max(0, b.Need-(b.Of.Len()-common))
	return inA+inB > common
}
