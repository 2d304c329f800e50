package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// ghost is what is true of a run, gathered from outside the nodes: what was ever
// durably promised and accepted, and so what was ever chosen.
type ghost struct {
	parameters     Parameters
	bugs           bugs
	nodes          []ghostNode              // by node id
	slots          protocols.Log[ghostSlot] // by slot, from where somebody may go back to
	chosen         protocols.Index          // every slot up to here has been chosen
	configurations []configuration          // in order, as the chosen slots say
	newest         ghostLeader              // of the latest configuration, and there of the highest ballot
}

// ghostLeader is a leader that was elected.
type ghostLeader struct {
	ballot Ballot
	from   protocols.Index // of the configuration that decides its next slot
}

// excludes reports whether a leader of ballot b whose next slot is of the
// configuration from some slot on can hold no lease beside l. It can beside one that
// follows an older configuration: that decides nothing any more that is not chosen.
func (l ghostLeader) excludes(b Ballot, from protocols.Index) bool {
	return l.ballot > b && l.from >= from
}

// ghostNode is what one node has promised, and what it claims to be.
type ghostNode struct {
	promised Ballot // durable, or told to somebody
	wiped    Ballot // promised before it lost its disk

	lease    ghostLeader // what it was when it took its lease; ballot 0: it holds none
	leaseEnd protocols.Time
}

// ghostSlot is what happened in one slot.
type ghostSlot struct {
	chosen   uint64 // hash of the value chosen first; 0: none was
	chosenAt Ballot
	first    ghostBallot   // the ballot seen first, which mostly is the only one
	more     []ghostBallot // the others
}

// ghostBallot is one ballot in one slot.
type ghostBallot struct {
	ballot   Ballot
	value    uint64            // hash of what was proposed
	accepted protocols.NodeSet // who ever accepted it durably
}

func newGhost(c protocols.Cluster, p Parameters) ghost {
	g := ghost{parameters: p, nodes: make([]ghostNode, c.Replicas+1)}
	g.bugs, _ = knownBugs().Parse(p.Bugs) // Validate has parsed them before
	g.configurations = []configuration{configurationOf(&g.parameters, g.bugs, Membership{From: 1, Members: c.First()})}
	return g
}

// at returns the record of slot i, or nil where that is past.
func (g *ghost) at(i protocols.Index) *ghostSlot {
	if i < g.slots.First() {
		return nil
	}
	for g.slots.Last() < i {
		g.slots.Append(ghostSlot{})
	}
	return g.slots.At(i)
}

// forgetPast drops what lies before every log.
func (g *ghost) forgetPast(past protocols.Index) {
	if past > g.slots.First() {
		g.slots.CompactTo(min(past-1, g.chosen))
	}
}

// find returns the record of a ballot, or nil.
func (s *ghostSlot) find(b Ballot) *ghostBallot {
	if s.first.ballot == b {
		return &s.first
	}
	for i := range s.more {
		if s.more[i].ballot == b {
			return &s.more[i]
		}
	}
	return nil
}

func (s *ghostSlot) add(b Ballot, value uint64) *ghostBallot {
	if s.first.ballot == 0 {
		s.first = ghostBallot{ballot: b, value: value}
		return &s.first
	}
	s.more = append(s.more, ghostBallot{ballot: b, value: value})
	return &s.more[len(s.more)-1]
}

// highestBelow returns the highest ballot below b at which node has accepted, and the
// value; 0 when it has accepted nothing.
func (s *ghostSlot) highestBelow(b Ballot, node protocols.NodeID) (at Ballot, value uint64) {
	look := func(x *ghostBallot) {
		if x.ballot < b && x.ballot > at && x.accepted.Has(node) {
			at, value = x.ballot, x.value
		}
	}
	look(&s.first)
	for i := range s.more {
		look(&s.more[i])
	}
	return at, value
}

// governing returns the configuration that decides slot i.
func (g *ghost) governing(i protocols.Index) *configuration {
	k := len(g.configurations) - 1
	for k > 0 && g.configurations[k].From > i {
		k--
	}
	return &g.configurations[k]
}

// forget drops what a node claims to be.
func (g *ghostNode) forget() { g.lease = ghostLeader{} }

// isSafe reports whether value may be proposed in slot i at ballot b: there is a
// phase 1 quorum of those who have promised b in which the highest value accepted
// below b is value, or nothing is.
func (g *ghost) isSafe(i protocols.Index, b Ballot, value uint64) bool {
	s, quorum := g.at(i), g.governing(i).prepare
	if quorum.Has(g.promisers(s, quorum.Of, b, 0)) {
		return true
	}
	if s.first.ballot < b && s.first.value == value && quorum.Has(g.promisers(s, quorum.Of, b, s.first.ballot)) {
		return true
	}
	for k := range s.more {
		if x := &s.more[k]; x.ballot < b && x.value == value && quorum.Has(g.promisers(s, quorum.Of, b, x.ballot)) {
			return true
		}
	}
	return false
}

// promisers returns the members that have promised b and have accepted nothing in s
// above limit and below b.
func (g *ghost) promisers(s *ghostSlot, members protocols.NodeSet, b, limit Ballot) protocols.NodeSet {
	var set protocols.NodeSet
	for id := members.Next(protocols.Nobody); id != protocols.Nobody; id = members.Next(id) {
		if max(g.nodes[id].promised, g.nodes[id].wiped) < b {
			continue
		}
		if s.first.ballot == 0 || s.first.ballot >= b && len(s.more) == 0 {
			set = set.With(id) // nothing below b was ever proposed here
			continue
		}
		if at, _ := s.highestBelow(b, id); at <= limit {
			set = set.With(id)
		}
	}
	return set
}
