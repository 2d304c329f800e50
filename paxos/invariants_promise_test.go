package paxos

import "testing"

// A promise that is broken across a restart, with no leader elected and nothing read.
func TestInvariantLeasePromiseTrips(t *testing.T) {
	for _, c := range []struct {
		after bool // the promise is over
		bugs  []string
	}{{false, []string{"P-12b"}}, {true, []string{"P-12b"}}, {false, nil}} {
		s := newStage(t, 3, func(p *Parameters) { p.Reads, p.Bugs = ReadsLease, c.bugs })
		s.elect(1, 2)
		s.Fire(1, timerHeartbeat)
		s.Deliver(ofKind(KindHeartbeat, 1, 2))
		s.Wire = nil // nobody's answer comes
		if c.after {
			s.Now = s.Now.Add(s.parameters.ElectionTimeout.Min)
		}
		s.Restart(2)
		s.Receive(3, 2, &Prepare{Ballot: newBallot(9, 3), First: 1})
		promised := s.Node(2).promised == newBallot(9, 3)
		if want := len(c.bugs) > 0; promised != want {
			t.Errorf("%+v: n2 promises: got %v, want %v", c, promised, want)
		}
		if promised && !c.after {
			s.Trips(leaseExclusion)
		} else {
			s.Clean()
		}
	}
}
