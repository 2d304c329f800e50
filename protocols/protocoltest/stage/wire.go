package stage

import "github.com/lockstep-sim/lockstep/protocols"

// Post puts a letter on the wire and holds what it claims against its sender's disk.
func (s *Stage[N]) Post(l Letter) {
	s.Show(&protocols.Moment{Kind: protocols.Left, Node: l.From, To: l.To, Message: l.Message})
	s.judge(l)
	s.Wire = append(s.Wire, l)
}

// Take removes the letters that match from the wire and returns them, in order.
func (s *Stage[N]) Take(match func(Letter) bool) []Letter {
	var taken, rest []Letter
	for _, l := range s.Wire {
		if match(l) {
			taken = append(taken, l)
		} else {
			rest = append(rest, l)
		}
	}
	s.Wire = rest
	return taken
}

// Drop loses the letters that match.
func (s *Stage[N]) Drop(match func(Letter) bool) { s.Take(match) }

// Hand delivers letters that were taken, in order. What they cause goes on the wire.
func (s *Stage[N]) Hand(letters ...Letter) {
	for _, l := range letters {
		s.Receive(l.From, l.To, l.Message)
	}
}

// Deliver hands over the letters now on the wire that match, in order, and returns how
// many there were. What they cause stays on the wire.
func (s *Stage[N]) Deliver(match func(Letter) bool) int {
	letters := s.Take(match)
	s.Hand(letters...)
	return len(letters)
}

// Settle delivers all that matches, and what it causes, and drops the rest. It fails
// the test when that has no end.
func (s *Stage[N]) Settle(match func(Letter) bool) {
	s.t.Helper()
	for i := 0; s.Deliver(match) > 0; i++ {
		if i > 1000 {
			s.t.Fatalf("the messages never end")
			return
		}
	}
	s.Wire = nil
}

// Everything matches every letter.
func Everything(Letter) bool { return true }

// Between matches what the given nodes say to each other.
func Between(ids ...protocols.NodeID) func(Letter) bool {
	set := protocols.Nodes(ids...)
	return func(l Letter) bool { return set.Has(l.From) && set.Has(l.To) }
}

// OfKind matches messages of one kind from one node to another; Nobody is anybody.
func OfKind(kind protocols.Kind, from, to protocols.NodeID) func(Letter) bool {
	return func(l Letter) bool {
		return l.Message.Kind() == kind && (from == protocols.Nobody || l.From == from) && (to == protocols.Nobody || l.To == to)
	}
}

// Sent returns the messages of type M on a wire from one node to another.
func Sent[M protocols.Message](wire []Letter, from, to protocols.NodeID) []M {
	var list []M
	for _, l := range wire {
		if m, ok := l.Message.(M); ok && l.From == from && l.To == to {
			list = append(list, m)
		}
	}
	return list
}
