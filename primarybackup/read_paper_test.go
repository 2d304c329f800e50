package primarybackup

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Reads

func TestReadsWaitForAllBackups(t *testing.T) {
	s := formed(t, 3, asIs)
	s.Request(1, get(-1, 1))
	s.Deliver(ofKind(KindConfirm, 1, 0))
	s.Deliver(ofKind(KindConfirmResponse, 2, 1))
	s.silent(get(-1, 1), "n3 has not confirmed")
	s.Deliver(ofKind(KindConfirmResponse, 3, 1))
	s.answered(get(-1, 1))
	s.Clean()
}

func TestReadsWaitForTheirOwnRound(t *testing.T) {
	s := formed(t, 2, asIs)
	s.Request(1, get(-1, 1))
	s.Deliver(ofKind(KindConfirm, 1, 2))
	s.Request(1, get(-2, 1))
	s.Deliver(ofKind(KindConfirmResponse, 2, 1))
	s.answered(get(-1, 1))
	s.silent(get(-2, 1), "it came after the round began")
	s.Settle(everything)
	s.answered(get(-2, 1))
	s.Clean()
}

func TestReadsAreRefusedAtDeposedPrimary(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, without(1))
	s.Request(1, get(-1, 1))
	s.Settle(between(1, 2, 3))
	if len(s.Refused) != 1 {
		t.Errorf("got %d refusals, want 1", len(s.Refused))
	}
	s.silent(get(-1, 1), "n2 serves")
	s.Clean()
}

func TestReadsAreAskedAgain(t *testing.T) {
	s := formed(t, 2, asIs)
	s.Request(1, get(-1, 1))
	s.Wire = nil
	s.pass(100e6, everything)
	s.answered(get(-1, 1))
	s.Clean()
}

func withLease(p *Parameters) { p.Reads = ReadsLease }

func TestLeaseStartsAtTheSendingOfThePingAndIsShortened(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { withLease(p); p.MaxDrift = 100_000_000 })
	s.Now += 50e6
	at := s.Now
	s.Fire(1, timerTick)
	s.Now += 20e6
	s.Settle(everything)
	want := at.Add(163636363) // 200 ms · 0.9 / 1.1
	if got := s.Node(1).leaseUntil; got != want {
		t.Errorf("got a lease until %v, want %v", got, want)
	}
	s.Now = want - 1
	s.Request(1, get(-1, 1))
	s.answered(get(-1, 1))
	s.Now = want
	s.Request(1, get(-2, 1))
	s.silent(get(-2, 1), "the lease is over")
	s.Clean()
}

func TestLeaseKeepsOthersFromBeingNamed(t *testing.T) {
	s := formed(t, 3, withLease)
	s.pass(50e6, everything)
	until := s.Node(1).leaseUntil
	for s.view().Number == 1 {
		s.pass(50e6, without(1))
	}
	if s.Now < until {
		t.Errorf("n%d was named at %v, and the lease lasts until %v", s.view().Primary, s.Now, until)
	}
	s.Clean()
}

func TestLeaseIsHonouredByRestartedService(t *testing.T) {
	s := formed(t, 3, withLease)
	s.pass(50e6, everything)
	until := s.Node(1).leaseUntil
	s.restart(4)
	for s.view().Number == 1 {
		s.pass(10e6, without(1))
	}
	if s.Now < until {
		t.Errorf("named at %v, and the lease lasts until %v", s.Now, until)
	}
	s.Clean()
}

// The last grant before it was found deaf may still be on its way.
func TestLeaseOfDeafPrimaryRunsOut(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { withLease(p); p.DeadAfter = 400e6 })
	var granted protocols.Time
	for s.view().Number == 1 {
		s.pass(50e6, func(l letter) bool {
			if a, ok := l.Message.(*Announce); ok && a.Grant && l.To == 1 {
				granted = s.Now
			}
			return l.From != 4 || l.To != 1 // its backups it hears
		})
	}
	if granted == 0 || s.Now.Sub(granted) < s.parameters.DeadAfter {
		t.Errorf("n%d was named %v after a lease was granted, want %v", s.view().Primary, s.Now.Sub(granted), s.parameters.DeadAfter)
	}
	s.Clean()
}

func TestLeaseNeedsGrantOfThisLifeAndView(t *testing.T) {
	s := formed(t, 3, withLease)
	n := s.Node(1)
	s.Now += 10e6
	before := n.leaseUntil
	for _, a := range []Announce{
		{View: n.view, Acked: true, Life: n.life, Ping: s.Now},
		{View: n.view, Acked: true, Life: Life{Nonce: 99}, Ping: s.Now, Grant: true},
		{View: n.view, Acked: true, Life: n.life, Ping: s.Now + 1, Grant: true},
		{View: View{Number: 0}, Life: n.life, Ping: s.Now, Grant: true},
	} {
		s.Receive(4, 1, &a)
		if n.leaseUntil != before {
			t.Errorf("%+v extended the lease", a)
		}
	}
	s.Receive(4, 1, &Announce{View: n.view, Acked: true, Life: n.life, Ping: s.Now, Grant: true})
	if n.leaseUntil <= before {
		t.Error("a grant did not extend the lease")
	}
	s.Clean()
}

func TestLeaseIsNotGrantedToDeafPrimary(t *testing.T) {
	s := formed(t, 3, withLease)
	deaf := func(l letter) bool { return l.To != 1 || l.From == 1 }
	s.pass(s.parameters.deafAfter(), deaf)
	s.Fire(1, timerTick)
	s.Deliver(ofKind(KindPing, 1, 4))
	for _, a := range sent[*Announce](s, 4, 1) {
		if a.Grant {
			t.Error("a lease for a primary that shows no sign of hearing")
		}
	}
	s.Clean()
}

// Clients

func TestClientRequestIsExecutedOnce(t *testing.T) {
	s := formed(t, 2, asIs)
	s.Request(1, add(-1, 1, 7))
	s.Request(1, add(-1, 1, 7)) // while the first is under way
	s.Settle(everything)
	s.Request(1, add(-1, 1, 7)) // and after it
	s.pass(100e6, everything)
	s.Crash(1)
	s.pass(silence, everything)
	s.Request(2, add(-1, 1, 7)) // and at the next primary
	s.Settle(everything)
	if n := s.Node(2); n.log.Last() != 1 {
		t.Errorf("the log ends at %d, want 1", n.log.Last())
	}
	if len(s.Replies) != 3 { // to all but the one under way
		t.Errorf("got %d replies, want 3", len(s.Replies))
	}
	s.Request(2, add(-1, 2, 8))
	s.Settle(everything)
	s.Request(2, add(-1, 1, 7))
	s.Settle(everything)
	if r := s.Replies[len(s.Replies)-1].Result; r.Status != protocols.Expired {
		t.Errorf("an older request got %v, want expired", r)
	}
	s.Clean()
}

func TestClientIsRefusedWithHint(t *testing.T) {
	s := formed(t, 2, asIs)
	s.Request(2, put(-1, 1, 5))
	s.Request(2, get(-1, 2))
	s.Request(3, put(-1, 1, 5)) // the view service
	if len(s.Refused) != 3 {
		t.Errorf("got %d refusals, want 3", len(s.Refused))
	}
	s.Clean()
}

func TestFollowReadsTheCommittedLogAnywhere(t *testing.T) {
	s := joined(t, asIs)
	s.Request(1, add(-2, 1, 99)) // not committed
	for _, c := range []struct {
		at                      protocols.NodeID
		from, max, start, count int64
		snapshot                bool
	}{
		{1, 0, 100, 1, 10, false}, {1, 1, 2, 1, 2, false}, {2, 4, 100, 4, 7, false}, {1, 11, 100, 11, 0, false},
		{1, 99, 1, 99, 0, false}, {2, 2, 0, 2, 0, false}, {1, -5, 1, 1, 1, false}, {3, 4, 100, 11, 0, true},
	} {
		s.Replies = nil
		s.Request(c.at, protocols.Command{Client: -3, Kind: protocols.Follow, Arg: c.from, Old: c.max, Seq: 1})
		f := s.Replies[0].Result.Follow
		if int64(f.Start) != c.start || int64(len(f.Entries)) != c.count || (f.Snapshot != nil) != c.snapshot {
			t.Errorf("follow(%d, %d) at %v: got %d entries from %d and snapshot %v, want %d from %d", c.from, c.max, c.at, len(f.Entries), f.Start, f.Snapshot, c.count, c.start)
		}
	}
	s.Clean()
}
