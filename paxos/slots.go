package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// slot is one position of the log.
type slot struct {
	ballot Ballot // at which value was accepted; 0: nothing was; or learned
	value  Value
	chosen bool // this node knows value to be chosen
	// votes is, at the leader, who has accepted value at ballot. It counts only while
	// the leader's ballot is that of the slot: no vote outlives its ballot.
	votes protocols.NodeSet
}

// slots are the positions above base, in a ring: they are filled in any order, and
// forgotten in order.
type slots struct {
	base protocols.Index // all up to here is compacted
	last protocols.Index // the highest that holds something, or base
	ring []slot          // slot i is at i modulo len, a power of two
}

// smallestRing is the first length of the ring.
const smallestRing = 64

// at returns slot i, or nil where it is not held.
func (s *slots) at(i protocols.Index) *slot {
	if i <= s.base || i > s.last {
		return nil
	}
	return &s.ring[i&protocols.Index(len(s.ring)-1)]
}

// isChosen reports whether slot i is held and known to be chosen.
func (s *slots) isChosen(i protocols.Index) bool {
	at := s.at(i)
	return at != nil && at.chosen
}

// isFilled reports whether slot i is held and something was accepted or learned there.
func (s *slots) isFilled(i protocols.Index) bool {
	at := s.at(i)
	return at != nil && at.ballot != 0
}

// reach returns slot i, which must be above base, and makes room for it.
func (s *slots) reach(i protocols.Index) *slot {
	assert(i > s.base, "a slot that is compacted")
	for i-s.base > protocols.Index(len(s.ring)) {
		s.grow()
	}
	s.last = max(s.last, i)
	return &s.ring[i&protocols.Index(len(s.ring)-1)]
}

func (s *slots) grow() {
	old := s.ring
	s.ring = make([]slot, max(smallestRing, 2*len(old)))
	for i := s.base + 1; i <= s.last; i++ {
		s.ring[i&protocols.Index(len(s.ring)-1)] = old[i&protocols.Index(len(old)-1)]
	}
}

// compactTo forgets the slots up to i.
func (s *slots) compactTo(i protocols.Index) {
	for k := s.base + 1; k <= min(i, s.last); k++ {
		s.ring[k&protocols.Index(len(s.ring)-1)] = slot{}
	}
	s.base, s.last = max(s.base, i), max(s.last, i)
}

// accepted returns what was accepted or learned from slot first on.
func (s *slots) accepted(first protocols.Index) []Pvalue {
	first = max(first, s.base+1)
	count := 0
	for i := first; i <= s.last; i++ {
		if s.at(i).ballot != 0 {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	list := make([]Pvalue, 0, count)
	for i := first; i <= s.last; i++ {
		if at := s.at(i); at.ballot != 0 {
			list = append(list, Pvalue{Slot: i, Ballot: at.ballot, Value: at.value})
		}
	}
	return list
}
