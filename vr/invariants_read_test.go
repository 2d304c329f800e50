package vr

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// A primary whose reads rest on something else than they should, in each way.
func TestInvariantReadEvidenceTrips(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Parameters)
		run    func(s *stage, n *Node)
	}{
		{"a read joins the round under way", nil, func(s *stage, n *Node) {
			s.Fire(1, timerCommit)
			s.Deliver(ofKind(KindCommit, 1, protocols.Nobody))
			s.Request(1, get(-2, 1))
			n.waiting[0].round--
			s.Deliver(ofKind(KindCommitOK, 2, 1))
		}},
		{"a primary trusts the rounds of an earlier view", nil, func(s *stage, n *Node) {
			n.confirmed = n.round + 1
			s.Request(1, get(-2, 1))
		}},
		{"a primary that shows less than it has shown", nil, func(s *stage, n *Node) {
			old := n.execute.Fork()
			s.Request(1, put(-1, 1, 5))
			s.Settle(everything)
			n.execute = old
			s.Request(1, get(-2, 1))
			n.waiting[0].index = 0
			s.Settle(everything)
		}},
		{"a primary that shows less than its view began with", nil, func(s *stage, n *Node) {
			s.Request(1, put(-1, 1, 5))
			s.Deliver(ofKind(KindPrepare, 1, protocols.Nobody)) // nobody has been told that it is committed
			next := s.change(2, 3)
			next.execute = n.execute.Fork()
			next.execute.Applied = 0
			s.Request(2, get(-2, 1))
			next.waiting[0].index = 0
			s.Settle(between(2, 3))
		}},
		{"a lease that is too long", withLease, func(s *stage, n *Node) {
			n.leaseTime += n.leaseTime / 100
			s.Fire(1, timerCommit)
			s.Settle(everything)
		}},
		{"a lease that nobody has given", withLease, func(s *stage, n *Node) {
			n.leaseUntil = 1 << 60
			s.Request(1, get(-2, 1))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, 3, c.change)
			s.Settle(everything)
			s.Clean()
			c.run(s, s.Node(1))
			s.Trips(readEvidence)
		})
	}
}

// VR-I6: what was acknowledged in an earlier view, or not at all, is counted.
func TestInvariantCommitEvidenceTripsOnWhatIsCounted(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindPrepare, 1, 2))
	s.Node(1).match[2] = 2
	s.Deliver(ofKind(KindPrepareOK, 2, 1))
	s.Trips(commitEvidence)
}

// VR-I12: who takes part in a view change answers nobody who recovers.
func TestInvariantChangeEvidenceTripsOnAnAnswer(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Variant = Diskless })
	n := s.Node(1)
	n.status = viewChange
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	protocols.Send(out, 2, RecoveryResponse{View: n.view})
	s.Show(&protocols.Moment{Kind: protocols.Stepped, Node: 1, Replica: n, Event: &protocols.Event{Kind: protocols.Receive, From: 2, Message: &Recovery{}}, Effects: out})
	s.Trips(changeEvidence)
}

// VR-I5: an old StartView makes a replica forget what it has acknowledged since.
func TestInvariantHonestPrepareOKTripsOnAShorterLog(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Clean()
	n := s.Node(2)
	n.commit = 0
	n.log.TruncateFrom(1)
	s.Show(&protocols.Moment{Kind: protocols.Stepped, Node: 2, Replica: n, Event: &protocols.Event{}, Effects: protocols.NewEffects(protocols.NewMemory(protocols.Keep))})
	s.Trips(honestPrepareOK)
}
