package vr

import "testing"

// A promise that is broken with no view begun and nothing read: V-19, and a promise that
// is forgotten.
func TestInvariantLeasePromiseTrips(t *testing.T) {
	answered := func(bugs ...string) *stage {
		s := newStage(t, 3, func(p *Parameters) { p.Reads, p.Bugs = ReadsLease, bugs })
		s.Fire(1, timerCommit)
		s.Deliver(ofKind(KindCommit, 1, 3))
		s.Wire = nil // nobody's answer comes
		return s
	}
	s := answered("V-19")
	s.Receive(2, 3, &StartViewChange{View: 1})
	s.Trips(leaseExclusion)

	s = answered()
	s.Receive(2, 3, &StartViewChange{View: 1})
	if s.Node(3).view != 0 {
		t.Error("n3 joins within its promise")
	}
	s.Clean()

	s = answered() // n1 has left its view itself
	s.Fire(1, timerQuorum)
	s.Settle(between(1, 3))
	if s.Node(3).view != 1 {
		t.Error("n3 does not follow the primary that it has promised")
	}
	s.Clean()

	s = answered() // after a restart it may say that it wants a view, but not give its log
	s.Restart(3)
	n := s.Node(3)
	s.Fire(3, timerView)
	s.Clean()
	n.quietUntil = 0
	s.Receive(2, 3, &StartViewChange{View: n.view})
	s.Trips(leaseExclusion)
}
