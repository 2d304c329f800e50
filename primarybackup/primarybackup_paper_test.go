package primarybackup

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

const silence = protocols.Duration(2e9) // longer than any timeout here

// Views

func TestViewFirstTakesInEverybody(t *testing.T) {
	s := formed(t, 3, asIs)
	s.serves(1, 2, 3)
	s.Clean()
}

func TestViewIsDurableBeforeItIsAnnounced(t *testing.T) {
	s := newStage(t, 3, asIs)
	s.ManualSync = true
	s.Settle(everything)
	if s.view().Number != 1 {
		t.Fatalf("got view %d in memory, want 1", s.view().Number)
	}
	for id := protocols.NodeID(1); id <= 3; id++ {
		if s.Node(id).view.Number != 0 {
			t.Errorf("%v has heard of a view that is not durable", id)
		}
	}
	s.Sync(4)
	s.Settle(everything)
	if s.Node(1).view.Number != 1 {
		t.Error("the durable view was not announced")
	}
	s.Clean()
}

func TestViewIsAcknowledgedBeforeAnythingIsServed(t *testing.T) {
	s := newStage(t, 3, asIs)
	s.Settle(func(l letter) bool { return l.Message.Kind() != KindAcknowledge })
	s.Request(1, put(-1, 1, 5))
	if len(s.Refused) != 1 || s.Node(1).role != starting {
		t.Errorf("got %d refusals by a %s, want one by a starting primary", len(s.Refused), roleNames()[s.Node(1).role])
	}
	s.pass(100e6, everything) // acknowledges again
	s.serves(1, 2, 3)
	s.Clean()
}

func TestViewIsAcknowledgedOnlyOnceAllBackupsHaveItsLog(t *testing.T) {
	s := newStage(t, 3, asIs)
	s.Settle(func(l letter) bool { return !(l.From == 3 && l.To == 1) })
	if s.service().state.Acked != 0 {
		t.Error("acknowledged without n3")
	}
	s.pass(silence, func(l letter) bool { return !(l.From == 3 && l.To == 1) })
	s.serves(1, 2) // the primary suspects n3, and the service drops it, acknowledged or not
	s.Clean()
}

// A backup whose last acknowledgement was lost is asked again: that its log is known
// to match does not say that it holds the view.
func TestViewIsAcknowledgedThoughAnAcknowledgementWasLost(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { p.MaxBatch = 1 })
	for i := range int64(3) {
		s.Request(1, put(protocols.NodeID(-1-i), 1, i+1))
	}
	s.Settle(without(3)) // n2 has them, n3 does not
	s.pass(50e6, without(3))
	s.Crash(1)
	var lost *ReplicateResponse
	s.pass(silence, func(l letter) bool {
		r, ok := l.Message.(*ReplicateResponse)
		if ok && lost == nil && l.From == 3 && r.Success && r.Match == 3 {
			lost = r
		}
		return !ok || r != lost
	})
	if s.serves(2, 3); lost == nil || s.Node(3).holds != s.view().Number {
		t.Errorf("lost an acknowledgement: %v; n3 holds view %d of %d", lost, s.Node(3).holds, s.view().Number)
	}
	s.Clean()
}

func TestViewDropsDeadBackup(t *testing.T) {
	s := formed(t, 3, asIs)
	s.Request(1, put(-1, 1, 5))
	s.Settle(without(3))
	s.silent(put(-1, 1, 5), "n3 is still of the view")
	s.pass(150e6, without(3))
	s.serves(1, 2, 3)
	s.pass(silence, without(3))
	s.serves(1, 2)
	if r := s.answered(put(-1, 1, 5)); r.Position != 1 {
		t.Errorf("got %v, want position 1", r)
	}
	s.Clean()
}

func TestViewDropsBackupThatItsPrimaryDoesNotHear(t *testing.T) {
	s := formed(t, 3, asIs)
	cut := func(l letter) bool { return !(l.From == 3 && l.To == 1) } // one way, and not to the service
	s.pass(silence, cut)
	s.serves(1, 2)
	s.pass(silence, cut)
	s.serves(1, 2) // it is never ready, so it is not taken in again and again
	s.pass(silence, everything)
	s.serves(1, 2, 3)
	s.Clean()
}

// A link that fails now and then must not change the view each time; also where the
// primary hears of the next view from a backup that refuses the last, before the service
// says that it is the primary of that too.
func TestViewTakesDroppedBackupInLaterEachTime(t *testing.T) {
	for _, refused := range []bool{false, true} {
		s := formed(t, 3, asIs)
		heard := func(l letter) bool {
			m, ok := l.Message.(*Announce)
			return !refused || !ok || l.To != 1 || m.View.Number <= s.Node(1).view.Number
		}
		var before protocols.Duration
		for range 4 {
			s.pass(silence, func(l letter) bool { return !(l.From == 3 && l.To == 1) && heard(l) })
			s.serves(1, 2)
			healed := s.Now
			for s.view().Backups.Len() < 2 {
				s.pass(50e6, heard)
			}
			took := s.Now.Sub(healed)
			if took <= before {
				t.Errorf("refused %v: it was taken in after %v, and after %v the time before", refused, took, before)
			}
			before = took
		}
		s.Clean()
	}
}

func TestViewPromotesWhenPrimaryIsDead(t *testing.T) {
	s := formed(t, 3, asIs)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Crash(1)
	s.pass(silence, everything)
	s.serves(2, 3)
	s.Request(2, get(-1, 2))
	s.Settle(everything)
	if r := s.answered(get(-1, 2)); r.Value != 5 {
		t.Errorf("got %v, want 5", r)
	}
	s.Clean()
}

func TestViewNamesNobodyWhoHasNotHeardTheService(t *testing.T) {
	s := newStage(t, 3, asIs)
	s.pass(silence, func(l letter) bool { return l.From != 4 || l.To != 1 })
	if s.serves(2, 3); s.view().Number != 1 {
		t.Errorf("got view %d, want n2 and n3 to form the first", s.view().Number)
	}
	s.Clean()
}

func TestViewPromotesAmongItsMembers(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, without(3))
	s.serves(1, 2)
	lonely := func(l letter) bool { return l.From == 4 || l.To == 4 || without(3)(l) } // n3 reaches the service alone
	s.pass(silence, lonely)
	s.Crash(1)
	for v := s.view().Number; s.view().Number == v; {
		s.pass(50e6, lonely)
	}
	if v := s.view(); v.Primary != 2 || !v.Backups.Empty() {
		t.Errorf("got view %+v, want n2 alone: n3 lacks the log", v)
	}
	s.Clean()
}

func TestViewReplacesDeafPrimary(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, func(l letter) bool { return l.To != 1 || l.From == 1 })
	s.serves(2, 3)
	s.Clean()
}

func TestViewPromotesTheMostAdvanced(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { p.Mode = ModeSemisync })
	s.Request(1, put(-1, 1, 5))
	s.Settle(without(2)) // only n3 has it
	s.answered(put(-1, 1, 5))
	s.pass(50e6, without(2))
	s.Crash(1)
	s.pass(silence, everything)
	s.serves(3, 2)
	s.Request(3, get(-2, 1))
	s.Settle(everything)
	if r := s.answered(get(-2, 1)); r.Value != 5 {
		t.Errorf("got %v, want 5", r)
	}
	s.Clean()
}

func TestViewIsLostByRestartedPrimary(t *testing.T) {
	s := formed(t, 3, asIs)
	s.restart(1)
	s.Request(1, put(-1, 1, 5))
	if len(s.Refused) != 1 {
		t.Error("a restarted primary takes a write")
	}
	s.Settle(everything)
	if v := s.view(); v.Number != 2 {
		t.Errorf("got view %d, want the next one at once", v.Number)
	}
	s.pass(silence, everything)
	s.Request(s.view().Primary, put(-1, 1, 5))
	s.Settle(everything)
	s.answered(put(-1, 1, 5))
	s.Clean()
}

// An announcement of the view that an earlier life was named for starts nobody.
func TestViewIsOfOneLife(t *testing.T) {
	s := newStage(t, 3, asIs)
	s.Settle(func(l letter) bool { return l.Message.Kind() != KindAcknowledge })
	old := s.view()
	s.restart(1)
	s.Wire = nil
	s.Receive(4, 1, &Announce{View: old, Acked: true, Sent: s.Now})
	if r := s.Node(1).role; r != idle {
		t.Errorf("got %s, want idle", roleNames()[r])
	}
	s.Clean()
}

// Restarts of everybody, in any state of a view, block only until one holder is back.
func TestViewGoesOnAfterRestartOfEverybody(t *testing.T) {
	for _, c := range []struct {
		name    string
		service bool                   // restarts too
		before  func(s *stage)         // what happens first
		back    []protocols.NodeID     // who comes back
		serves  bool                   // somebody serves
		after   func(s *stage, to int) // more checks
	}{
		{"view acknowledged", false, func(*stage) {}, []protocols.NodeID{1, 2, 3}, true, nil},
		{"view acknowledged, service too", true, func(*stage) {}, []protocols.NodeID{1, 2, 3}, true, nil},
		{"only a backup comes back", true, func(*stage) {}, []protocols.NodeID{3}, true, nil},
		{"view never acknowledged", true, func(s *stage) {
			s.Crash(1)
			s.pass(silence, func(l letter) bool { return without(1)(l) && l.Message.Kind() != KindAcknowledge })
		}, []protocols.NodeID{2, 3}, true, nil},
		{"view never acknowledged, only its primary comes back", true, func(s *stage) {
			s.Crash(1)
			s.pass(silence, func(l letter) bool { return without(1)(l) && l.Message.Kind() != KindAcknowledge })
		}, []protocols.NodeID{2}, true, nil},
		{"view never acknowledged, only the old primary comes back", true, func(s *stage) {
			s.Crash(1)
			s.pass(silence, func(l letter) bool { return without(1)(l) && l.Message.Kind() != KindAcknowledge })
		}, []protocols.NodeID{1}, true, nil},
		{"only who was dropped comes back", true, func(s *stage) {
			s.Crash(3)
			s.pass(silence, without(3))
		}, []protocols.NodeID{3}, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := formed(t, 3, asIs)
			s.Request(1, put(-1, 1, 5))
			s.Settle(everything)
			c.before(s)
			s.Crash(1, 2, 3)
			if c.service {
				s.restart(4)
			}
			for _, id := range c.back {
				s.Now += 1e6
				s.Boot(id)
			}
			s.pass(2*silence, everything)
			v := s.view()
			n := s.Node(v.Primary)
			if serves := n != nil && n.role == primary; serves != c.serves {
				t.Fatalf("view %+v is served: %v, want %v", v, serves, c.serves)
			}
			if c.serves {
				s.Request(v.Primary, get(-2, 1))
				s.Settle(everything)
				if r := s.answered(get(-2, 1)); r.Value != 5 {
					t.Errorf("got %v, want 5", r)
				}
			}
			s.Clean()
		})
	}
}

// Who is to be named holds the log of the last acknowledged view, not only of any.
func TestViewNamesOnlyHoldersOfTheLastAcknowledgedOne(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, without(3)) // view 2 is n1, n2
	s.Request(1, put(-1, 1, 5))
	s.Settle(without(3))
	s.answered(put(-1, 1, 5))
	s.Crash(1, 2)
	s.pass(silence, everything)
	if v := s.view(); v.Number != 2 || s.Node(3).role == primary {
		t.Errorf("got view %+v, want the last one to stay", v)
	}
	s.Boot(2)
	s.pass(silence, everything)
	if v := s.view(); v.Primary != 2 {
		t.Errorf("got view %+v, want n2 to lead", v)
	}
	s.Clean()
}

func TestServiceTakesNobodyForDeadAfterRestart(t *testing.T) {
	s := formed(t, 3, asIs)
	s.Now += 10e9
	s.restart(4)
	s.Fire(4, timerTick)
	s.Now += 150e6
	s.Fire(4, timerTick)
	if v := s.view(); v.Number != 1 {
		t.Errorf("got view %d, want 1: the service was away, not the replicas", v.Number)
	}
	s.Clean()
}

func TestServiceIgnoresPingsOfEarlierLives(t *testing.T) {
	s := formed(t, 3, asIs)
	s.Fire(1, timerTick)
	old := sent[*Ping](s, 1, 4)[0]
	s.Settle(everything)
	s.restart(1)
	s.pass(silence, everything)
	v := s.view()
	s.restart(4)
	s.Receive(1, 4, old)
	s.pass(100e6, without(1)) // the others are heard again
	if s.view() != v {
		t.Errorf("an old ping changed view %+v to %+v", v, s.view())
	}
	s.Clean()
}

func TestServiceIgnoresPingsThatWereOvertaken(t *testing.T) {
	s := formed(t, 3, asIs)
	s.Fire(2, timerTick)
	old := sent[*Ping](s, 2, 4)[0]
	s.pass(50e6, everything)
	latest := s.service().heard[2].Ping
	s.Receive(2, 4, old)
	if got := s.service().heard[2].Ping; got != latest {
		t.Errorf("got %+v, want the later %+v to stay", got, latest)
	}
	s.Fire(2, timerTick)
	old = sent[*Ping](s, 2, 4)[0]
	s.restart(2)
	s.pass(50e6, everything)
	life := s.service().heard[2].Life
	s.Receive(2, 4, old)
	old.Sent = s.Now + 1 // as an earlier life cannot have
	s.Receive(2, 4, old)
	if got := s.service().heard[2].Life; got != life {
		t.Errorf("got life %+v, want the later %+v to stay", got, life)
	}
	s.Clean()
}

// Fencing

func TestFencingRefusesEveryMessageOfEarlierViews(t *testing.T) {
	for _, m := range []protocols.Message{
		&Replicate{Epoch: 1, Ack: true}, &Heartbeat{Epoch: 1}, &Confirm{Epoch: 1, Round: 1}, &State{Epoch: 1, Position: 1, PositionEpoch: 1, Content: emptyState(t)},
	} {
		s := formed(t, 3, asIs)
		s.restart(1)
		s.pass(silence, everything)
		to := protocols.NodeID(3)
		if s.view().Primary == to {
			to = 2
		}
		log := s.Node(to).log.Last()
		s.Receive(1, to, m)
		answers := sent[*ReplicateResponse](s, to, 1)
		if len(answers) != 1 || answers[0].Success || answers[0].Epoch <= 1 || s.Node(to).log.Last() != log {
			t.Errorf("%T: got %v, want one refusal", m, answers)
		}
		s.Clean()
	}
}

func TestFencingStopsPrimaryThatIsRefused(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, without(1))
	s.serves(2, 3)
	s.Request(1, put(-1, 1, 5)) // n1 does not know yet
	s.Settle(between(1, 2, 3))
	if n := s.Node(1); n.role == primary || n.view.Number < 2 {
		t.Errorf("got %s of view %d, want a deposed one", roleNames()[n.role], n.view.Number)
	}
	s.silent(put(-1, 1, 5), "it was refused")
	s.Clean()
}

func TestFencingIgnoresAcknowledgementsOfEarlierViews(t *testing.T) {
	s := formed(t, 2, asIs)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(everything)
	acks := s.Take(ofKind(KindReplicateResponse, 2, 1))
	s.Wire = nil
	s.Crash(2)
	s.pass(silence, everything) // view 2: n1 alone
	s.serves(1)
	s.Boot(2)
	s.pass(silence, everything)
	s.serves(1, 2)
	s.Request(1, put(-2, 1, 6))
	for _, l := range acks {
		s.Receive(l.From, l.To, l.Message)
		s.Receive(l.From, l.To, &ReplicateResponse{Epoch: l.Message.(*ReplicateResponse).Epoch, Success: true, Match: 2, MatchEpoch: 3})
	}
	s.silent(put(-2, 1, 6), "the acknowledgements are of view 1")
	s.Clean()
}

func TestFencingBindsBackupAcrossRestart(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, without(1))
	s.restart(3)
	s.Wire = nil
	s.Receive(1, 3, &Replicate{Epoch: 1, Ack: true})
	if a := sent[*ReplicateResponse](s, 3, 1); len(a) != 1 || a[0].Success {
		t.Errorf("got %v, want a refusal", a)
	}
	s.Clean()
}
