package paxos

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// play is a script that shows a known bug: with the switch on, the checks trip or
// the script sees a wrong answer; with the switch off, nothing does.
type play struct {
	bug    string
	checks []string
	stage  func(t *testing.T, change func(*Parameters)) *stage
	run    func(s *stage) (wrong bool)
}

// nodes makes a stage of n nodes.
func nodes(n int, change func(*Parameters)) func(*testing.T, func(*Parameters)) *stage {
	return func(t *testing.T, bugs func(*Parameters)) *stage {
		return newStage(t, n, func(p *Parameters) {
			change(p)
			bugs(p)
		})
	}
}

func asIs(*Parameters) {}

func withLease(p *Parameters) { p.Reads = ReadsLease }

// twoValues leaves X in slot 1 at n1 alone, accepted at ballot 1.n1, and Y at n2 and
// n3, which chose it at ballot 2.n3. n1 follows n3.
func twoValues(s *stage) {
	s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5))
	s.elect(3, 2)
	s.Request(3, put(-2, 1, 6))
	s.Settle(between(2, 3))
	s.Fire(3, timerHeartbeat)
	s.Deliver(ofKind(KindHeartbeat, 3, 1))
	s.Wire = nil
}

// campaign is elect without the demand that it succeeds.
func (s *stage) campaign(id protocols.NodeID, among ...protocols.NodeID) {
	s.Now += 1e9
	s.Fire(id, timerElection)
	s.Settle(between(append(among, id)...))
}

var plays = []play{
	{"P-01", []string{safeAt, oneChosen}, nodes(3, asIs), func(s *stage) bool {
		twoValues(s)
		s.elect(1, 2)
		return false
	}},
	{"P-02", []string{"durability", promiseKept}, nodes(3, asIs), func(s *stage) bool {
		s.Receive(2, 1, &Prepare{Ballot: newBallot(2, 2), First: 1})
		s.Restart(1)
		s.Receive(3, 1, &Accept{Ballot: newBallot(1, 3), Slot: 1, Value: command(put(-1, 1, 5))})
		return false
	}},
	{"P-03", []string{"durability"}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		s.Deliver(ofKind(KindAccept, 1, 2))
		return false
	}},
	{"P-05", []string{safeAt, oneChosen}, nodes(3, asIs), func(s *stage) bool {
		twoValues(s)
		s.Restart(3)
		s.Now += 1e9
		s.Fire(3, timerElection)
		s.Deliver(ofKind(KindPrepare, 3, 1))
		s.Crash(3)
		s.Wire = nil
		s.elect(1, 2)
		return false
	}},
	{"P-06", []string{oneProposed}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		s.Restart(1)
		s.ManualSync, s.Wire = false, nil
		s.elect(1, 3)
		s.Request(1, put(-2, 1, 6))
		return false
	}},
	{"P-07", []string{safeAt}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2)
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2))
		s.Fire(1, timerHeartbeat)
		s.Settle(between(1, 2))
		s.Crash(1)
		s.Now += 1e9
		s.Fire(3, timerElection)
		s.Deliver(between(2, 3))
		s.Deliver(ofKind(KindPromise, 2, 3))
		s.Request(3, put(-2, 1, 6)) // before n2's heartbeat can say that it has executed more
		s.Settle(between(2, 3))
		return false
	}},
	{"P-10", []string{safeAt}, nodes(3, asIs), func(s *stage) bool {
		s.campaign(1)
		s.Request(1, put(-1, 1, 5))
		return false
	}},
	{"P-11", []string{oneChosen}, nodes(4, asIs), func(s *stage) bool {
		s.campaign(1, 2)
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2))
		s.campaign(3, 4)
		s.Request(3, put(-2, 1, 6))
		s.Settle(between(3, 4))
		return false
	}},
	{"P-12", []string{readEvidence, leaseExclusion}, nodes(3, withLease), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Fire(1, timerHeartbeat)
		s.Deliver(ofKind(KindHeartbeat, 1, protocols.Nobody))
		s.Now += 100e6
		s.Settle(everything)
		s.Now += 60e6
		s.Fire(3, timerElection)
		s.Settle(between(2, 3))
		return false
	}},
	{"P-12b", []string{leaseExclusion}, nodes(3, withLease), func(s *stage) bool {
		s.elect(1, 2)
		s.Restart(2)
		s.Fire(3, timerElection)
		s.Settle(between(2, 3))
		return false
	}},
	{"P-13", []string{safeAt, oneChosen}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2)
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2))
		s.Crash(2)
		s.Wipe(2)
		s.Boot(2)
		s.campaign(3, 2)
		s.Request(3, put(-2, 1, 6))
		s.Settle(between(2, 3))
		return false
	}},
	{"P-14", []string{executedIsChosen}, nodes(5, func(p *Parameters) { p.Window = 4 }), func(s *stage) bool {
		s.elect(1, 2, 3, 4, 5)
		s.reconfigure(1, 1, 2, 3)
		s.Deliver(func(l letter) bool {
			m, ok := l.Message.(*Accept)
			return ok && m.Slot == 1 && between(1, 2, 3)(l)
		})
		s.Deliver(ofKind(KindAccepted, protocols.Nobody, 1))
		s.Settle(between(1, 2))
		return false
	}},
	{"P-06b", []string{oneProposed}, nodes(3, asIs), func(s *stage) bool {
		s.Fire(1, timerElection)
		s.Deliver(between(1, 2))
		s.Deliver(ofKind(KindPromise, 2, 1))
		s.Drop(ofKind(KindHeartbeat, 1, 2)) // it would keep n2 from promising to n3
		s.Request(1, put(-1, 1, 5))
		s.Wire = nil
		s.campaign(3, 2)
		s.Request(3, put(-2, 1, 6))
		return false
	}},
	{"P-12c", []string{readEvidence, leaseExclusion}, nodes(3, func(p *Parameters) { p.Reads, p.MaxDrift = ReadsLease, 100_000_000 }), func(s *stage) bool {
		s.Actors[1].Rate, s.Actors[2].Rate = 900, 1100
		s.elect(1, 2)
		s.Fire(1, timerHeartbeat)
		s.Settle(between(1, 2))
		s.Now += 140e6 // 126 ms at n1, 154 ms at n2
		s.Fire(3, timerElection)
		s.Settle(between(2, 3))
		s.Request(1, get(-1, 1))
		return false
	}},
	{"P-16", nil, nodes(2, asIs), func(s *stage) bool {
		s.Fire(1, timerElection)
		s.Fire(2, timerElection)
		for range 20 {
			for id := range protocols.NodeID(2) {
				s.Request(id+1, put(-1-id, 1, 5))
			}
			s.Deliver(everything)
		}
		return len(s.Replies) == 0
	}},
	{"P-24", nil, nodes(3, func(p *Parameters) { p.SnapshotEvery = 1 }), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		s.Restart(1)
		s.elect(1, 2)
		s.Request(1, put(-1, 1, 5)) // a retry
		s.Settle(everything)
		return s.Replies[len(s.Replies)-1].Result.Position != 1
	}},
	{"P-25", nil, nodes(3, func(p *Parameters) { p.SnapshotEvery = 1 }), func(s *stage) bool {
		s.elect(1, 2, 3)
		for seq := uint64(1); seq <= 2; seq++ {
			s.Request(1, put(-1, seq, int64(4+seq)))
			s.Settle(everything)
		}
		s.Restart(1)
		s.elect(1, 2)
		s.Request(1, get(-2, 1))
		s.Settle(everything)
		return s.Replies[len(s.Replies)-1].Result.Value != 6
	}},
	{"P-26", []string{readEvidence}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.elect(3, 2)
		s.Request(3, put(-1, 1, 5))
		s.Settle(between(2, 3))
		s.Request(1, get(-2, 1))
		s.Settle(between(1))
		return len(s.Replies) == 2
	}},
	{"P-27", nil, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		s.Fire(1, timerHeartbeat)
		s.Settle(everything)
		s.elect(3, 2)
		s.Request(3, put(-1, 1, 5)) // a retry
		s.Settle(everything)
		return s.Replies[len(s.Replies)-1].Result.Position != 1
	}},
	{"P-28", []string{executedIsChosen}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		s.Deliver(ofKind(KindAccept, 1, 2))
		s.Sync(2)
		late := s.Take(ofKind(KindAccepted, 2, 1))
		s.Restart(1) // its own acceptance is lost
		s.ManualSync, s.Wire = false, nil
		s.elect(1, 3)
		s.Request(1, put(-2, 1, 6))
		s.Deliver(between(1)) // its own acceptance
		for _, l := range late {
			s.Receive(l.From, l.To, l.Message)
		}
		return false
	}},
	{"P-29", []string{leaseExclusion}, nodes(5, func(p *Parameters) { p.Reads, p.Window = ReadsLease, 1 }), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Fire(1, timerHeartbeat)
		s.Settle(between(1, 2, 3)) // who promise the lease; n4 and n5 have not heard n1
		s.reconfigure(1, 1, 4, 5)
		s.Settle(between(1, 2, 3))
		for _, id := range []protocols.NodeID{4, 5} {
			s.Receive(id, 1, &CatchupRequest{First: 1}) // was long on its way
			s.Settle(ofKind(KindCatchupResponse, 1, id))
		}
		s.Fire(4, timerElection)
		s.Settle(between(4, 5))
		s.Request(1, get(-1, 1))
		return false
	}},
	{"P-30", []string{executedIsChosen}, nodes(5, func(p *Parameters) { p.Window, p.SnapshotEvery = 1, 2 }), func(s *stage) bool {
		s.elect(1, 2, 3, 4, 5)
		s.reconfigure(1, 1, 2, 3)
		s.Settle(everything)
		s.Request(1, put(-1, 1, 5))
		s.Deliver(between(1, 4, 5))
		s.Settle(between(1, 4, 5))
		return false
	}},
	{"P-31", nil, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Deliver(between(1)) // the Accepts are lost
		s.Wire = nil
		for range 3 {
			s.Fire(1, timerHeartbeat)
			s.Settle(everything)
		}
		return len(s.Replies) == 0
	}},
	{"P-32", []string{safeAt}, nodes(5, func(p *Parameters) { p.Window, p.SnapshotEvery = 1, 2 }), func(s *stage) bool {
		s.elect(1, 2, 3, 4, 5)
		s.reconfigure(1, 1, 4, 5) // in force from slot 2 on
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2, 4)) // n5 hears of nothing
		s.Fire(1, timerHeartbeat)
		s.Settle(between(1, 4)) // n4 has executed and compacted both slots
		s.Crash(1)
		s.elect(5, 2, 3) // by the first configuration, where it finds the second
		s.Fire(5, timerHeartbeat)
		s.Settle(between(4, 5))
		return false
	}},
	{"P-RULE6", []string{executedIsChosen}, nodes(3, asIs), func(s *stage) bool {
		twoValues(s)
		return false
	}},
	{"P-RULE7", []string{readEvidence}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2)) // answered; n2 does not know yet that it is chosen
		s.Crash(1)
		s.Now += 1e9
		noAccepts := func(l letter) bool { return between(2, 3)(l) && l.Message.Kind() != KindAccept }
		s.Fire(2, timerElection)
		s.Settle(noAccepts)
		replies := len(s.Replies)
		s.Request(2, get(-2, 1))
		s.Settle(noAccepts)
		return len(s.Replies) > replies
	}},
}

// reconfigure asks a node for a membership.
func (s *stage) reconfigure(id protocols.NodeID, members ...protocols.NodeID) {
	s.Step(id, &protocols.Event{Kind: protocols.AdminEvent, Admin: protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(members...)}})
}

func TestBugsAreCaughtAndTheirAbsencePasses(t *testing.T) {
	shown := map[string]bool{}
	for _, p := range plays {
		shown[p.bug] = true
		t.Run(p.bug, func(t *testing.T) {
			s := p.stage(t, func(ps *Parameters) { ps.Bugs = []string{p.bug} })
			wrong := p.run(s)
			for _, check := range p.checks {
				s.Trips(check)
			}
			if len(p.checks) == 0 && !wrong {
				t.Error("with the bug: nothing is wrong")
			}
			s = p.stage(t, asIs)
			if p.run(s) {
				t.Error("without the bug: a wrong answer")
			}
			s.Clean()
		})
	}
	for _, b := range Protocol().Bugs {
		if !shown[b.ID] {
			t.Errorf("no script shows %s", b.ID)
		}
	}
}
