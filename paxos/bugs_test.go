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
	s.request(1, put(-1, 1, 5))
	s.elect(3, 2)
	s.request(3, put(-2, 1, 6))
	s.settle(between(2, 3))
	s.fire(3, timerHeartbeat)
	s.deliver(ofKind(KindHeartbeat, 3, 1))
	s.wire = nil
}

// campaign is elect without the demand that it succeeds.
func (s *stage) campaign(id protocols.NodeID, among ...protocols.NodeID) {
	s.now += 1e9
	s.fire(id, timerElection)
	s.settle(between(append(among, id)...))
}

var plays = []play{
	{"P-01", []string{safeAt, oneChosen}, nodes(3, asIs), func(s *stage) bool {
		twoValues(s)
		s.elect(1, 2)
		return false
	}},
	{"P-02", []string{"durability", promiseKept}, nodes(3, asIs), func(s *stage) bool {
		s.receive(2, 1, &Prepare{Ballot: newBallot(2, 2), First: 1})
		s.restart(1)
		s.receive(3, 1, &Accept{Ballot: newBallot(1, 3), Slot: 1, Value: command(put(-1, 1, 5))})
		return false
	}},
	{"P-03", []string{"durability"}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.manualSync = true
		s.request(1, put(-1, 1, 5))
		s.deliver(ofKind(KindAccept, 1, 2))
		return false
	}},
	{"P-05", []string{safeAt, oneChosen}, nodes(3, asIs), func(s *stage) bool {
		twoValues(s)
		s.restart(3)
		s.now += 1e9
		s.fire(3, timerElection)
		s.deliver(ofKind(KindPrepare, 3, 1))
		s.crash(3)
		s.wire = nil
		s.elect(1, 2)
		return false
	}},
	{"P-06", []string{oneProposed}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.manualSync = true
		s.request(1, put(-1, 1, 5))
		s.restart(1)
		s.manualSync, s.wire = false, nil
		s.elect(1, 3)
		s.request(1, put(-2, 1, 6))
		return false
	}},
	{"P-07", []string{safeAt, oneChosen, executedIsChosen}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2)
		s.request(1, put(-1, 1, 5))
		s.settle(between(1, 2))
		s.fire(1, timerHeartbeat)
		s.settle(between(1, 2))
		s.crash(1)
		s.now += 1e9
		s.fire(3, timerElection)
		s.deliver(between(2, 3))
		s.deliver(ofKind(KindPromise, 2, 3))
		s.request(3, put(-2, 1, 6)) // before n2's heartbeat can say that it has executed more
		s.settle(between(2, 3))
		return false
	}},
	{"P-10", []string{safeAt}, nodes(3, asIs), func(s *stage) bool {
		s.campaign(1)
		s.request(1, put(-1, 1, 5))
		return false
	}},
	{"P-11", []string{oneChosen}, nodes(4, asIs), func(s *stage) bool {
		s.campaign(1, 2)
		s.request(1, put(-1, 1, 5))
		s.settle(between(1, 2))
		s.campaign(3, 4)
		s.request(3, put(-2, 1, 6))
		s.settle(between(3, 4))
		return false
	}},
	{"P-12", []string{leaseExclusion}, nodes(3, withLease), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.fire(1, timerHeartbeat)
		s.deliver(ofKind(KindHeartbeat, 1, protocols.Nobody))
		s.now += 100e6
		s.settle(everything)
		s.now += 60e6
		s.fire(3, timerElection)
		s.settle(between(2, 3))
		return false
	}},
	{"P-12b", []string{leaseExclusion}, nodes(3, withLease), func(s *stage) bool {
		s.elect(1, 2)
		s.restart(2)
		s.fire(3, timerElection)
		s.settle(between(2, 3))
		return false
	}},
	{"P-13", []string{safeAt, oneChosen}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2)
		s.request(1, put(-1, 1, 5))
		s.settle(between(1, 2))
		s.crash(2)
		s.wipe(2)
		s.boot(2, nil)
		s.campaign(3, 2)
		s.request(3, put(-2, 1, 6))
		s.settle(between(2, 3))
		return false
	}},
	{"P-14", []string{executedIsChosen}, nodes(5, func(p *Parameters) { p.Window = 4 }), func(s *stage) bool {
		s.elect(1, 2, 3, 4, 5)
		s.reconfigure(1, 1, 2, 3)
		s.deliver(func(l letter) bool {
			m, ok := l.message.(*Accept)
			return ok && m.Slot == 1 && between(1, 2, 3)(l)
		})
		s.deliver(ofKind(KindAccepted, protocols.Nobody, 1))
		s.settle(between(1, 2))
		return false
	}},
	{"P-06b", []string{oneProposed}, nodes(3, asIs), func(s *stage) bool {
		s.fire(1, timerElection)
		s.deliver(between(1, 2))
		s.deliver(ofKind(KindPromise, 2, 1))
		s.drop(ofKind(KindHeartbeat, 1, 2)) // it would keep n2 from promising to n3
		s.request(1, put(-1, 1, 5))
		s.wire = nil
		s.campaign(3, 2)
		s.request(3, put(-2, 1, 6))
		return false
	}},
	{"P-12c", []string{leaseExclusion}, nodes(3, func(p *Parameters) { p.Reads, p.MaxDrift = ReadsLease, 100_000_000 }), func(s *stage) bool {
		s.actors[1].rate, s.actors[2].rate = 900, 1100
		s.elect(1, 2)
		s.fire(1, timerHeartbeat)
		s.settle(between(1, 2))
		s.now += 140e6 // 126 ms at n1, 154 ms at n2
		s.fire(3, timerElection)
		s.settle(between(2, 3))
		s.request(1, get(-1, 1))
		return false
	}},
	{"P-16", nil, nodes(2, asIs), func(s *stage) bool {
		s.fire(1, timerElection)
		s.fire(2, timerElection)
		for range 20 {
			for id := range protocols.NodeID(2) {
				s.request(id+1, put(-1-id, 1, 5))
			}
			s.deliver(everything)
		}
		return len(s.replies) == 0
	}},
	{"P-24", nil, nodes(3, func(p *Parameters) { p.SnapshotEvery = 1 }), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.request(1, put(-1, 1, 5))
		s.settle(everything)
		s.restart(1)
		s.elect(1, 2)
		s.request(1, put(-1, 1, 5)) // a retry
		s.settle(everything)
		return s.replies[len(s.replies)-1].Result.Position != 1
	}},
	{"P-25", nil, nodes(3, func(p *Parameters) { p.SnapshotEvery = 1 }), func(s *stage) bool {
		s.elect(1, 2, 3)
		for seq := uint64(1); seq <= 2; seq++ {
			s.request(1, put(-1, seq, int64(4+seq)))
			s.settle(everything)
		}
		s.restart(1)
		s.elect(1, 2)
		s.request(1, get(-2, 1))
		s.settle(everything)
		return s.replies[len(s.replies)-1].Result.Value != 6
	}},
	{"P-26", nil, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.elect(3, 2)
		s.request(3, put(-1, 1, 5))
		s.settle(between(2, 3))
		s.request(1, get(-2, 1))
		s.settle(between(1))
		return len(s.replies) == 2
	}},
	{"P-27", nil, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.request(1, put(-1, 1, 5))
		s.settle(everything)
		s.fire(1, timerHeartbeat)
		s.settle(everything)
		s.elect(3, 2)
		s.request(3, put(-1, 1, 5)) // a retry
		s.settle(everything)
		return s.replies[len(s.replies)-1].Result.Position != 1
	}},
	{"P-28", []string{executedIsChosen}, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.manualSync = true
		s.request(1, put(-1, 1, 5))
		s.deliver(ofKind(KindAccept, 1, 2))
		s.sync(2)
		late := s.take(ofKind(KindAccepted, 2, 1))
		s.restart(1) // its own acceptance is lost
		s.manualSync, s.wire = false, nil
		s.elect(1, 3)
		s.request(1, put(-2, 1, 6))
		s.deliver(between(1)) // its own acceptance
		for _, l := range late {
			s.receive(l.from, l.to, l.message)
		}
		return false
	}},
	{"P-29", []string{leaseExclusion}, nodes(5, func(p *Parameters) { p.Reads, p.Window = ReadsLease, 1 }), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.fire(1, timerHeartbeat)
		s.settle(between(1, 2, 3)) // who promise the lease; n4 and n5 have not heard n1
		s.reconfigure(1, 1, 4, 5)
		s.settle(between(1, 2, 3))
		for _, id := range []protocols.NodeID{4, 5} {
			s.receive(id, 1, &CatchupRequest{First: 1}) // was long on its way
			s.settle(ofKind(KindCatchupResponse, 1, id))
		}
		s.fire(4, timerElection)
		s.settle(between(4, 5))
		s.request(1, get(-1, 1))
		return false
	}},
	{"P-30", []string{executedIsChosen}, nodes(5, func(p *Parameters) { p.Window, p.SnapshotEvery = 1, 2 }), func(s *stage) bool {
		s.elect(1, 2, 3, 4, 5)
		s.reconfigure(1, 1, 2, 3)
		s.settle(everything)
		s.request(1, put(-1, 1, 5))
		s.deliver(between(1, 4, 5))
		s.settle(between(1, 4, 5))
		return false
	}},
	{"P-31", nil, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.request(1, put(-1, 1, 5))
		s.deliver(between(1)) // the Accepts are lost
		s.wire = nil
		for range 3 {
			s.fire(1, timerHeartbeat)
			s.settle(everything)
		}
		return len(s.replies) == 0
	}},
	{"P-32", []string{safeAt}, nodes(5, func(p *Parameters) { p.Window, p.SnapshotEvery = 1, 2 }), func(s *stage) bool {
		s.elect(1, 2, 3, 4, 5)
		s.reconfigure(1, 1, 4, 5) // in force from slot 2 on
		s.request(1, put(-1, 1, 5))
		s.settle(between(1, 2, 4)) // n5 hears of nothing
		s.fire(1, timerHeartbeat)
		s.settle(between(1, 4)) // n4 has executed and compacted both slots
		s.crash(1)
		s.elect(5, 2, 3) // by the first configuration, where it finds the second
		s.fire(5, timerHeartbeat)
		s.settle(between(4, 5))
		return false
	}},
	{"P-RULE6", []string{executedIsChosen}, nodes(3, asIs), func(s *stage) bool {
		twoValues(s)
		return false
	}},
	{"P-RULE7", nil, nodes(3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.request(1, put(-1, 1, 5))
		s.settle(between(1, 2)) // answered; n2 does not know yet that it is chosen
		s.crash(1)
		s.now += 1e9
		noAccepts := func(l letter) bool { return between(2, 3)(l) && l.message.Kind() != KindAccept }
		s.fire(2, timerElection)
		s.settle(noAccepts)
		replies := len(s.replies)
		s.request(2, get(-2, 1))
		s.settle(noAccepts)
		return len(s.replies) > replies
	}},
}

// reconfigure asks a node for a membership.
func (s *stage) reconfigure(id protocols.NodeID, members ...protocols.NodeID) {
	s.step(id, &protocols.Event{Kind: protocols.AdminEvent, Admin: protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(members...)}})
}

func TestBugsAreCaughtAndTheirAbsencePasses(t *testing.T) {
	shown := map[string]bool{}
	for _, p := range plays {
		shown[p.bug] = true
		t.Run(p.bug, func(t *testing.T) {
			s := p.stage(t, func(ps *Parameters) { ps.Bugs = []string{p.bug} })
			wrong := p.run(s)
			for _, check := range p.checks {
				s.trips(check)
			}
			if len(p.checks) == 0 && !wrong {
				t.Error("with the bug: nothing is wrong")
			}
			s = p.stage(t, asIs)
			if p.run(s) {
				t.Error("without the bug: a wrong answer")
			}
			s.clean()
		})
	}
	for _, b := range Protocol().Bugs {
		if !shown[b.ID] {
			t.Errorf("no script shows %s", b.ID)
		}
	}
}
