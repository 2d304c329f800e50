package raft

import "testing"

// A promise that is broken across a restart, with no election won and nothing read; and
// those who may vote.
func TestInvariantLeasePromiseTrips(t *testing.T) {
	answered := func(bugs ...string) *stage {
		s := newStage(t, 3, func(p *Parameters) { p.Reads, p.Bugs = ReadsLease, bugs })
		s.elect(1, 2, 3)
		s.Fire(1, timerHeartbeat)
		s.Deliver(ofKind(KindHeartbeat, 1, 2))
		s.Wire = nil // n1 has no lease: nobody's answer comes
		return s
	}
	ask := &RequestVote{Term: 8, LastLogIndex: 9, LastLogTerm: 7}
	s := answered("R-25")
	s.Restart(2)
	s.Receive(3, 2, ask)
	s.Trips(leaseExclusion)

	s = answered("R-25") // the promise is over
	s.Now = s.Now.Add(s.parameters.ElectionTimeout.Min)
	s.Restart(2)
	s.Receive(3, 2, ask)
	if s.Node(2).vote != 3 {
		t.Error("n2 does not vote after its promise")
	}
	s.Clean()

	s = answered() // n1 hands over
	s.Settle(everything)
	s.transfer(1, 3)
	s.Settle(everything)
	if s.Node(3).role != leader {
		t.Error("n3 was not elected, want it to lead by a transfer")
	}
	s.Clean()
}

// A late heartbeat of an older term is refused under no number: the sender may lead by
// now, and has a round of that number that was not heard (§6.4).
func TestRefusedHeartbeatConfirmsNoRound(t *testing.T) {
	s := newStage(t, 3, nil)
	s.elect(1, 2, 3)
	s.Fire(1, timerHeartbeat)
	late := s.Take(ofKind(KindHeartbeat, 1, 2))
	s.Wire = nil
	s.elect(3, 2)
	for range 3 { // n1 gets what it has missed
		s.Now = s.Now.Add(s.parameters.Heartbeat)
		s.Fire(3, timerHeartbeat)
		s.Settle(everything)
	}
	s.elect(1, 2)
	s.Fire(1, timerHeartbeat)
	s.Wire = nil
	s.Hand(late...)
	s.Settle(everything)
	if n := s.Node(1); n.role != leader || n.confirmed != 0 {
		t.Errorf("n1 takes round %d of term %d for confirmed, want none", n.confirmed, n.term)
	}
}
