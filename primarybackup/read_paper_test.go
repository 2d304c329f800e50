package primarybackup

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Reads

func TestReadsWaitForAllBackups(t *testing.T) {
	s := formed(t, 3, asIs)
	s.request(1, get(-1, 1))
	s.deliver(ofKind(KindConfirm, 1, 0))
	s.deliver(ofKind(KindConfirmResponse, 2, 1))
	s.silent(get(-1, 1), "n3 has not confirmed")
	s.deliver(ofKind(KindConfirmResponse, 3, 1))
	s.answered(get(-1, 1))
	s.clean()
}

func TestReadsWaitForTheirOwnRound(t *testing.T) {
	s := formed(t, 2, asIs)
	s.request(1, get(-1, 1))
	s.deliver(ofKind(KindConfirm, 1, 2))
	s.request(1, get(-2, 1))
	s.deliver(ofKind(KindConfirmResponse, 2, 1))
	s.answered(get(-1, 1))
	s.silent(get(-2, 1), "it came after the round began")
	s.settle(everything)
	s.answered(get(-2, 1))
	s.clean()
}

func TestReadsAreRefusedAtDeposedPrimary(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, without(1))
	s.request(1, get(-1, 1))
	s.settle(between(1, 2, 3))
	if len(s.refused) != 1 {
		t.Errorf("got %d refusals, want 1", len(s.refused))
	}
	s.silent(get(-1, 1), "n2 serves")
	s.clean()
}

func TestReadsAreAskedAgain(t *testing.T) {
	s := formed(t, 2, asIs)
	s.request(1, get(-1, 1))
	s.wire = nil
	s.pass(100e6, everything)
	s.answered(get(-1, 1))
	s.clean()
}

func withLease(p *Parameters) { p.Reads = ReadsLease }

func TestLeaseStartsAtTheSendingOfThePingAndIsShortened(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { withLease(p); p.MaxDrift = 100_000_000 })
	s.now += 50e6
	at := s.now
	s.fire(1, timerTick)
	s.now += 20e6
	s.settle(everything)
	want := at.Add(163636363) // 200 ms · 0.9 / 1.1
	if got := s.replica(1).leaseUntil; got != want {
		t.Errorf("got a lease until %v, want %v", got, want)
	}
	s.now = want - 1
	s.request(1, get(-1, 1))
	s.answered(get(-1, 1))
	s.now = want
	s.request(1, get(-2, 1))
	s.silent(get(-2, 1), "the lease is over")
	s.clean()
}

func TestLeaseKeepsOthersFromBeingNamed(t *testing.T) {
	s := formed(t, 3, withLease)
	s.pass(50e6, everything)
	until := s.replica(1).leaseUntil
	for s.view().Number == 1 {
		s.pass(50e6, without(1))
	}
	if s.now < until {
		t.Errorf("n%d was named at %v, and the lease lasts until %v", s.view().Primary, s.now, until)
	}
	s.clean()
}

func TestLeaseIsHonouredByRestartedService(t *testing.T) {
	s := formed(t, 3, withLease)
	s.pass(50e6, everything)
	until := s.replica(1).leaseUntil
	s.restart(4)
	for s.view().Number == 1 {
		s.pass(10e6, without(1))
	}
	if s.now < until {
		t.Errorf("named at %v, and the lease lasts until %v", s.now, until)
	}
	s.clean()
}

// The last grant before it was found deaf may still be on its way.
func TestLeaseOfDeafPrimaryRunsOut(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { withLease(p); p.DeadAfter = 400e6 })
	var granted protocols.Time
	for s.view().Number == 1 {
		s.pass(50e6, func(l letter) bool {
			if a, ok := l.message.(*Announce); ok && a.Grant && l.to == 1 {
				granted = s.now
			}
			return l.from != 4 || l.to != 1 // its backups it hears
		})
	}
	if granted == 0 || s.now.Sub(granted) < s.parameters.DeadAfter {
		t.Errorf("n%d was named %v after a lease was granted, want %v", s.view().Primary, s.now.Sub(granted), s.parameters.DeadAfter)
	}
	s.clean()
}

func TestLeaseNeedsGrantOfThisLifeAndView(t *testing.T) {
	s := formed(t, 3, withLease)
	n := s.replica(1)
	s.now += 10e6
	before := n.leaseUntil
	for _, a := range []Announce{
		{View: n.view, Acked: true, Life: n.life, Ping: s.now},
		{View: n.view, Acked: true, Life: Life{Nonce: 99}, Ping: s.now, Grant: true},
		{View: n.view, Acked: true, Life: n.life, Ping: s.now + 1, Grant: true},
		{View: View{Number: 0}, Life: n.life, Ping: s.now, Grant: true},
	} {
		s.receive(4, 1, &a)
		if n.leaseUntil != before {
			t.Errorf("%+v extended the lease", a)
		}
	}
	s.receive(4, 1, &Announce{View: n.view, Acked: true, Life: n.life, Ping: s.now, Grant: true})
	if n.leaseUntil <= before {
		t.Error("a grant did not extend the lease")
	}
	s.clean()
}

func TestLeaseIsNotGrantedToDeafPrimary(t *testing.T) {
	s := formed(t, 3, withLease)
	deaf := func(l letter) bool { return l.to != 1 || l.from == 1 }
	s.pass(s.parameters.deafAfter(), deaf)
	s.fire(1, timerTick)
	s.deliver(ofKind(KindPing, 1, 4))
	for _, a := range sent[*Announce](s, 4, 1) {
		if a.Grant {
			t.Error("a lease for a primary that shows no sign of hearing")
		}
	}
	s.clean()
}

// Clients

func TestClientRequestIsExecutedOnce(t *testing.T) {
	s := formed(t, 2, asIs)
	s.request(1, add(-1, 1, 7))
	s.request(1, add(-1, 1, 7)) // while the first is under way
	s.settle(everything)
	s.request(1, add(-1, 1, 7)) // and after it
	s.pass(100e6, everything)
	s.crash(1)
	s.pass(silence, everything)
	s.request(2, add(-1, 1, 7)) // and at the next primary
	s.settle(everything)
	if n := s.replica(2); n.log.Last() != 1 {
		t.Errorf("the log ends at %d, want 1", n.log.Last())
	}
	if len(s.replies) != 3 { // to all but the one under way
		t.Errorf("got %d replies, want 3", len(s.replies))
	}
	s.request(2, add(-1, 2, 8))
	s.settle(everything)
	s.request(2, add(-1, 1, 7))
	s.settle(everything)
	if r := s.replies[len(s.replies)-1].Result; r.Status != protocols.Expired {
		t.Errorf("an older request got %v, want expired", r)
	}
	s.clean()
}

func TestClientIsRefusedWithHint(t *testing.T) {
	s := formed(t, 2, asIs)
	s.request(2, put(-1, 1, 5))
	s.request(2, get(-1, 2))
	s.request(3, put(-1, 1, 5)) // the view service
	if len(s.refused) != 3 {
		t.Errorf("got %d refusals, want 3", len(s.refused))
	}
	s.clean()
}

func TestFollowReadsTheCommittedLogAnywhere(t *testing.T) {
	s := joined(t, asIs)
	s.request(1, add(-2, 1, 99)) // not committed
	for _, c := range []struct {
		at                      protocols.NodeID
		from, max, start, count int64
		snapshot                bool
	}{
		{1, 0, 100, 1, 10, false}, {1, 1, 2, 1, 2, false}, {2, 4, 100, 4, 7, false}, {1, 11, 100, 11, 0, false},
		{1, 99, 1, 99, 0, false}, {2, 2, 0, 2, 0, false}, {1, -5, 1, 1, 1, false}, {3, 4, 100, 11, 0, true},
	} {
		s.replies = nil
		s.request(c.at, protocols.Command{Client: -3, Kind: protocols.Follow, Arg: c.from, Old: c.max, Seq: 1})
		f := s.replies[0].Result.Follow
		if int64(f.Start) != c.start || int64(len(f.Entries)) != c.count || (f.Snapshot != nil) != c.snapshot {
			t.Errorf("follow(%d, %d) at %v: got %d entries from %d and snapshot %v, want %d from %d", c.from, c.max, c.at, len(f.Entries), f.Start, f.Snapshot, c.count, c.start)
		}
	}
	s.clean()
}
