package stage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest/stage"
)

// record is a test that notes how it fails.
type record struct{ failures []string }

func (*record) Helper() {}

func (r *record) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *record) Fatalf(format string, args ...any) { r.Errorf(format, args...) }

func newToys(t stage.TB, parameters toyParameters) *stage.Stage[*toy] {
	return stage.New[*toy](t, toyProtocol(), &parameters, protocols.Cluster{Replicas: 3})
}

func TestMessagesWaitForTheDisk(t *testing.T) {
	s := newToys(t, toyParameters{Claims: true})
	s.ManualSync = true
	s.Request(1, stage.Put(-1, 1, 7))
	if len(s.Wire) != 0 {
		t.Fatalf("got %v on the wire before the sync", s.Wire)
	}
	s.Sync(1)
	if len(stage.Sent[*keep](s.Wire, 1, 3)) != 1 || len(s.Wire) != 3 {
		t.Fatalf("got %v on the wire after the sync", s.Wire)
	}
	if s.Deliver(stage.OfKind(1, 1, 2)) != 1 {
		t.Error("nothing was delivered to n2")
	}
	s.Deliver(stage.Between(1)) // n1 to itself
	if len(s.Replies) != 0 {
		t.Error("answered with one copy")
	}
	s.Sync(2)
	s.Drop(stage.OfKind(1, protocols.Nobody, 3))
	s.Settle(stage.Everything)
	if len(s.Replies) != 1 || len(s.Node(3).log) != 0 || len(s.Wire) != 0 {
		t.Errorf("%d replies, %d entries on n3, %d letters left; want 1, 0, 0", len(s.Replies), len(s.Node(3).log), len(s.Wire))
	}
	s.Clean()
}

func TestCrashLosesWhatIsNotDurable(t *testing.T) {
	s := newToys(t, toyParameters{Claims: true})
	s.Request(1, stage.Put(-1, 1, 7))
	s.ManualSync = true
	s.Request(1, stage.Put(-1, 2, 8))
	first := s.Node(1)
	s.Crash(1)
	if s.Node(1) != nil {
		t.Error("n1 is still up")
	}
	s.Request(1, stage.Put(-1, 3, 9)) // nobody hears it
	if stage.Sent[*held](s.Wire, 1, 1) != nil {
		t.Error("what n1 told itself has survived it")
	}
	n := s.Boot(1)
	if len(n.log) != 1 || n.disk.First || !first.disk.First || n.nonce == first.nonce || n.nonce == s.Node(2).nonce {
		t.Errorf("n1 boots with %d entries, first life %v, nonces %x and %x", len(n.log), n.disk.First, first.nonce, n.nonce)
	}
	s.Wipe(1)
	if n = s.Restart(1); len(n.log) != 0 || !n.disk.Wiped || n.disk.First {
		t.Errorf("a wiped node boots with %+v", n.disk)
	}
	s.Post(stage.Letter{From: 1, To: 1, Message: &held{Last: 1}}) // the image has lost it too
	s.Trips("durability")
}

func TestSnapshotReplacesWhatIsBeforeIt(t *testing.T) {
	s := newToys(t, toyParameters{Claims: true})
	s.Request(1, stage.Put(-1, 1, 7))
	s.Fire(1, 0)
	s.Request(1, stage.Put(-1, 2, 8))
	if a := s.Actors[1]; a.Timers[0] != 5 || len(a.Disk) != 3 || len(stage.WrittenBy[*entry](a)) != 2 {
		t.Errorf("timer %v, %d records", a.Timers[0], len(a.Disk))
	}
	n := s.Restart(1)
	if n.disk.Snapshot == nil || len(n.disk.Records) != 1 || len(n.log) != 2 || s.Actors[1].Timers[0] != 0 {
		t.Errorf("n1 boots with %+v", n.disk)
	}
	s.Clean()
}

func TestClocksClientsAndOperators(t *testing.T) {
	s := newToys(t, toyParameters{})
	s.Actors[2].Rate = 900
	s.Now = 2e9
	s.Request(2, stage.Get(-4, 1))
	s.Admin(2, protocols.Admin{Kind: protocols.TransferLeadership, Target: 2})
	if s.Node(2).clock != 18e8 || len(s.Refused) != 1 || s.Refused[0].Client != -4 || s.Noted(2, protocols.NoteDropped) != 1 {
		t.Errorf("clock %d, refused %v, notes %v", s.Node(2).clock, s.Refused, s.Actors[2].Notes)
	}
	s = stage.New[*toy](t, toyProtocol(), &toyParameters{}, protocols.Cluster{Replicas: 3, Services: 1})
	if s.Node(4) != nil || s.Actors[4].Replica == nil {
		t.Error("the service is no replica and up")
	}
}

// The invariant and the oracle both see the flaw; the flawless toy trips neither.
func TestWatchersWatch(t *testing.T) {
	for _, flawed := range []bool{false, true} {
		r := new(record)
		s := newToys(r, toyParameters{Claims: true, Early: flawed})
		s.ManualSync = true
		s.Request(1, stage.Put(-1, 1, 7))
		s.Sync(1)
		s.Trips("T-I1")
		s.Trips("durability")
		missed := len(r.failures)
		s.Clean()
		if broken := len(r.failures) - missed; flawed && (missed != 0 || broken != 2) || !flawed && (missed != 2 || broken != 0) {
			t.Errorf("flawed %v: %s", flawed, strings.Join(r.failures, "; "))
		}
	}
	s := newToys(t, toyParameters{Early: true})
	s.Observers, s.ManualSync = nil, true
	s.Request(1, stage.Put(-1, 1, 7))
	s.Clean() // nobody watches and nobody claims
}

func TestWhatCannotGoOnFails(t *testing.T) {
	r := new(record)
	s := newToys(r, toyParameters{Echo: true})
	s.Hand(stage.Letter{From: 2, To: 3, Message: &held{}})
	s.Settle(stage.Everything)
	if len(r.failures) != 1 || r.failures[0] != "the messages never end" {
		t.Errorf("got %q", r.failures)
	}
	r = new(record)
	stage.New[*toy](r, toyProtocol(), &toyParameters{}, protocols.Cluster{Replicas: 1})
	if len(r.failures) != 1 || !strings.Contains(r.failures[0], "got 1 replicas") {
		t.Errorf("got %q", r.failures)
	}
}
