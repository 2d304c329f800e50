package vr

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The rules of reconfiguration (§7), in the order of epoch.go and reconfiguration.go.

// grown is a group of n1, n2 and n3 with spare replicas, in which one write is
// executed everywhere.
func grown(t *testing.T, replicas int, change func(*Parameters)) *stage {
	t.Helper()
	s := newStageOf(t, protocols.Cluster{Replicas: replicas, Members: protocols.NodesUpTo(3)}, change)
	s.Settle(everything)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Fire(1, timerCommit)
	s.Settle(everything)
	return s
}

func (s *stage) wants(id protocols.NodeID, role uint8, view View) *Node {
	s.t.Helper()
	n := s.Node(id)
	if n.role() != role || n.view != view {
		s.t.Fatalf("%v is %s of view %v, want %s of view %v", id, roleNames()[n.role()], n.view, roleNames()[role], view)
	}
	return n
}

// §7.1: a reconfiguration is the last request of its epoch. Requests behind it are
// refused, and reads answered until it is committed.
func TestNoRequestFollowsAReconfiguration(t *testing.T) {
	s := grown(t, 4, nil)
	s.reconfigure(1, 2, 3, 4)
	s.wants(1, roleClosing, 0)
	s.Request(1, put(-2, 1, 7))
	if len(s.Refused) != 1 || s.Node(1).log.Last() != 2 {
		t.Errorf("refused %v with a log up to %d, want the request refused", s.Refused, s.Node(1).log.Last())
	}
	replies := len(s.Replies)
	prepares := s.Take(ofKind(KindPrepare, 1, 0))
	s.Request(1, get(-3, 1))
	s.Settle(everything)
	if len(s.Replies) != replies+1 {
		t.Error("a read is not answered while the epoch ends")
	}
	s.Hand(prepares...)
	s.Settle(everything)
	s.wants(1, roleOutside, firstView(1))
	s.Clean()
}

// A view change carries the reconfiguration along, and the new primary accepts
// nothing behind it either (§7.1).
func TestNewPrimaryFinishesTheReconfiguration(t *testing.T) {
	s := grown(t, 4, nil)
	s.reconfigure(1, 1, 2, 4)
	s.Deliver(ofKind(KindPrepare, 1, 3))
	s.Wire = nil // n1 is cut off
	s.Fire(2, timerView)
	s.Fire(3, timerView)
	s.Deliver(ofKind(KindStartViewChange, 0, 0))
	s.Deliver(ofKind(KindDoViewChange, 0, 2))
	s.wants(2, roleClosing, 1)
	s.Request(2, put(-2, 1, 7))
	if len(s.Refused) != 1 {
		t.Error("the new primary accepts a request behind a reconfiguration")
	}
	s.Settle(between(2, 3, 4))
	s.wants(3, roleOutside, firstView(1))
	s.wants(4, roleBackup, firstView(1))
	// n1 wants view 1 of an epoch that is over, and is told.
	s.Fire(1, timerResend)
	s.Settle(everything)
	s.wants(1, rolePrimary, firstView(1))
	s.Clean()
}

// §7.1.1: a new replica is normal only with everything that the epoch began with, and
// says so only then. Views begin at 0, and the primary is the first of the members.
func TestNewReplicaFetchesTheState(t *testing.T) {
	s := grown(t, 5, nil)
	s.reconfigure(1, 2, 4, 5)
	s.Settle(between(1, 2, 3))
	s.wants(1, roleTransitioning, firstView(1))
	s.wants(2, rolePrimary, firstView(1))
	s.Fire(1, timerResend) // StartEpoch was lost
	s.Deliver(ofKind(KindStartEpoch, 1, 4))
	n := s.wants(4, roleTransitioning, 0)
	if asked := sent[*GetState](s, 4, 1); len(asked) != 1 || len(sent[*EpochStarted](s, 4, 1)) != 0 {
		t.Fatalf("n4 asks %v and says %v", asked, sent[*EpochStarted](s, 4, 1))
	}
	s.Wire = nil
	s.Fire(4, timerResend) // the question was lost; it goes to others too
	s.Settle(between(1, 2, 3, 4))
	s.wants(4, roleBackup, firstView(1))
	if n.execute.Applied != 2 || n.execute.Hash() != s.Node(2).execute.Hash() {
		t.Errorf("n4 has executed %d", n.execute.Applied)
	}
	s.Clean()
}

// §7.1.1: who leaves stays until f'+1 of the new group have the state, and answers
// state transfers meanwhile. Clients are told who leads now.
func TestOldReplicaStaysUntilAQuorumHasTheState(t *testing.T) {
	s := grown(t, 6, nil)
	s.reconfigure(1, 4, 5, 6)
	s.Settle(between(1, 2, 3))
	s.Fire(1, timerResend)
	s.Settle(between(1, 4))
	s.wants(1, roleTransitioning, firstView(1))
	s.Fire(1, timerResend)
	if again := sent[*StartEpoch](s, 1, 4); len(again) != 0 {
		t.Error("n4 is told again although it has answered")
	}
	s.Settle(between(1, 5))
	s.wants(1, roleOutside, firstView(1))
	s.wants(2, roleTransitioning, firstView(1))
	s.Request(1, put(-2, 1, 7))
	if len(s.Refused) != 1 || s.Node(1).hinted != 4 {
		t.Errorf("refused %v, hint %v", s.Refused, s.Node(1).hinted)
	}
	// Which of the members leads by now it does not know: clients are sent round.
	for _, want := range []protocols.NodeID{5, 6, 4} {
		s.Request(1, get(-2, 1))
		if hinted := s.Node(1).hinted; hinted != want {
			t.Errorf("hint %v, want %v", hinted, want)
		}
	}
	// What n1 knows is not lost: it still answers who lacks it.
	s.Receive(6, 1, &GetState{View: firstView(1)})
	if len(sent[*NewState](s, 1, 6)) != 1 {
		t.Error("n1 does not answer a replica without the state")
	}
	s.Clean()
}

// Deviation: the primary of a new epoch leads once that is on its disk. Otherwise a
// crash would let it begin the view again, with other contents.
func TestPrimaryOfAnEpochLeadsOnceItIsDurable(t *testing.T) {
	s := grown(t, 4, nil)
	s.reconfigure(1, 2, 3, 4)
	s.Deliver(ofKind(KindPrepare, 1, 2))
	s.Deliver(everything)
	s.ManualSync = true
	s.Deliver(everything) // n2 learns of the commit
	s.wants(2, roleTransitioning, firstView(1))
	s.Request(2, put(-2, 1, 7))
	if len(s.Refused) != 1 {
		t.Error("a request is accepted in status transitioning")
	}
	s.Restart(2)
	if n := s.Node(2); n.view != 0 {
		t.Fatalf("n2 remembers view %v", n.view)
	}
	s.ManualSync = false
	s.Settle(everything)
	s.Fire(2, timerView)
	s.Settle(everything)
	s.wants(2, rolePrimary, firstView(1))
	s.Restart(2) // now it remembers, and leaves the view
	if n := s.Node(2); n.view != firstView(1)+1 || n.leading {
		t.Errorf("n2 is in view %v", n.view)
	}
	s.Clean()
}

// A restart in the middle goes on where the disk is: with the reconfiguration in the
// log, in the last checkpoint, or behind it.
func TestRestartInANewEpoch(t *testing.T) {
	for _, interval := range []int{0, 1, 2, 3} {
		s := grown(t, 5, func(p *Parameters) { p.CheckpointInterval = interval })
		s.reconfigure(1, 2, 4, 5)
		s.Settle(everything)
		s.Request(2, put(-2, 1, 7))
		s.Settle(everything)
		for _, id := range []protocols.NodeID{3, 4, 5} {
			n := s.Restart(id)
			if n.config.epoch != 1 || n.config.start != 2 || n.config.members != protocols.Nodes(2, 4, 5) || n.config.old != protocols.NodesUpTo(3) {
				t.Errorf("interval %d: %v boots with %+v", interval, id, n.config)
			}
		}
		s.wants(3, roleTransitioning, firstView(1)) // it has forgotten who has the state
		s.Settle(everything)
		s.wants(3, roleOutside, firstView(1))
		s.wants(5, roleBackup, firstView(1))
		s.Clean()
	}
}

// A crash between the last operation of an epoch and the record of the next: the
// checkpoint says that it is over, the view does not.
func TestRestartAtTheEndOfAnEpoch(t *testing.T) {
	s := grown(t, 4, func(p *Parameters) { p.CheckpointInterval = 2 })
	s.reconfigure(1, 2, 3, 4)
	s.Settle(everything)
	a := s.Actors[3]
	snapshot := a.Recovered().Snapshot
	c := *snapshot.(*Checkpoint)
	if c.Base.(*base).config.epoch != 1 || c.View != 0 {
		t.Fatalf("the checkpoint is %+v", c)
	}
	s.Crash(3)
	a.Disk, a.Durable = []written{{Record: snapshot, Snapshot: true}}, 1
	if n := s.Boot(3); n.view != firstView(1) || n.status != normal {
		t.Errorf("n3 boots in view %v, status %d", n.view, n.status)
	}
}

// Who has been removed can be added again, in the same life or another.
func TestRemovedReplicaComesBack(t *testing.T) {
	for _, variant := range []string{Durable, CrashVectors} {
		for _, crashed := range []bool{false, true} {
			s := grown(t, 4, func(p *Parameters) { p.Variant = variant })
			s.reconfigure(1, 1, 2, 4)
			s.Settle(everything)
			s.Fire(1, timerCommit)
			s.Settle(everything)
			s.wants(3, roleOutside, firstView(1))
			if crashed {
				s.Restart(3)
				s.Settle(everything)
			}
			s.Request(1, put(-1, 2, 6))
			s.Settle(everything)
			s.reconfigure(1, 1, 3, 4)
			s.Settle(everything)
			s.Fire(1, timerCommit)
			s.Settle(everything)
			if s.Node(3).status == recovering {
				s.Fire(3, timerResend)
				s.Settle(everything)
			}
			n := s.wants(3, roleBackup, firstView(2))
			if n.execute.Hash() != s.Node(1).execute.Hash() {
				t.Errorf("%s, crashed %v: n3 has executed %d, n1 %d", variant, crashed, n.execute.Applied, s.Node(1).execute.Applied)
			}
			s.Clean()
		}
	}
}

// A member that is in a view change can give the state of the epoch all the same: who
// fetches it has promised nothing.
func TestStateOfAnEpochIsGivenInAViewChange(t *testing.T) {
	s := grown(t, 6, nil)
	s.reconfigure(1, 4, 5, 6)
	s.Settle(between(1, 2, 3))
	s.Fire(1, timerResend)
	s.Settle(between(1, 5))
	s.Fire(5, timerView)
	s.wants(5, roleViewChange, firstView(1)+1)
	s.Wire = nil
	s.Fire(5, timerResend)
	s.Settle(between(5, 6))
	s.Fire(5, timerResend)
	s.Settle(between(5, 6))
	s.wants(5, rolePrimary, firstView(1)+1)
	s.wants(6, roleBackup, firstView(1)+1)
	s.Clean()
}

// Without a disk nobody recovers at the end of an epoch: an earlier life may have
// taken part in the next, which only its members can tell.
func TestNobodyRecoversAtTheEndOfAnEpoch(t *testing.T) {
	s := grown(t, 4, func(p *Parameters) { p.Variant = Diskless })
	s.reconfigure(1, 1, 2, 4)
	prepares := s.Take(ofKind(KindPrepare, 1, 0))
	s.Settle(between(1))
	s.Restart(3)
	s.Settle(everything)
	if s.Node(3).status != recovering {
		t.Fatal("n3 recovers with a reconfiguration at the end of the log")
	}
	s.Hand(prepares...)
	s.Settle(everything)
	s.Fire(3, timerResend)
	s.Settle(everything)
	if s.Node(3).status != recovering {
		t.Error("n3, which is no member any more, recovers")
	}
	s.Clean()
}

// Incarnations of an epoch are above those of all before, of which its members may
// never have heard.
func TestIncarnationsGrowWithTheEpoch(t *testing.T) {
	s := grown(t, 4, withCrashVectors)
	s.Restart(3)
	s.Settle(everything)
	if life := s.Node(3).vector[3]; life != 1 {
		t.Fatalf("n3 has incarnation %d, want 1", life)
	}
	s.reconfigure(1, 1, 3, 4)
	s.Settle(everything)
	s.Fire(1, timerCommit)
	s.Settle(everything)
	s.Restart(3)
	s.Settle(everything)
	if life := s.wants(3, roleBackup, firstView(1)).vector[3]; life != uint64(firstView(1))+1 {
		t.Errorf("n3 has incarnation %d, want the first of epoch 1", life)
	}
	s.Clean()
}

// What cannot be a configuration is refused, and so is a second one at a time.
func TestReconfigurationIsRefused(t *testing.T) {
	s := grown(t, 4, nil)
	refused := func(id protocols.NodeID, a protocols.Admin) {
		t.Helper()
		last := s.Node(id).log.Last()
		notes := len(s.Actors[id].Notes)
		s.Step(id, &protocols.Event{Kind: protocols.AdminEvent, Admin: a})
		if n := s.Actors[id].Notes; len(n) != notes+1 || n[notes].Kind != protocols.NoteDropped || s.Node(id).log.Last() != last {
			t.Errorf("%+v at %v: got %v", a, id, n[notes:])
		}
	}
	wish := func(ids ...protocols.NodeID) protocols.Admin {
		return protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(ids...)}
	}
	refused(1, protocols.Admin{Kind: protocols.TransferLeadership})
	refused(1, wish())
	refused(1, wish(1, 7))
	refused(1, protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(1), Learner: protocols.Nodes(2)})
	refused(2, wish(1, 2, 4))
	s.reconfigure(1, 1, 2, 3) // nothing to do
	if s.Node(1).closing() {
		t.Error("the same members are a reconfiguration")
	}
	s.reconfigure(1, 1, 2, 4)
	refused(1, wish(1, 2, 3, 4))
}

// A log whose epochs do not follow one another, or do not lead to the one that it is
// said to be of, is dropped.
func TestLogThatDoesNotLeadToItsEpochIsDropped(t *testing.T) {
	s := grown(t, 4, nil)
	for _, entries := range [][]Entry{
		nil,
		{{View: firstView(1), Members: protocols.Nodes(1)}},
	} {
		m := &NewState{View: firstView(1), Op: 1 + protocols.Index(len(entries)), Commit: 1 + protocols.Index(len(entries)), Log: Tail{After: 1, Entries: entries}}
		before := s.Node(2).log.Last()
		s.Receive(1, 2, m)
		if n := s.Node(2); n.config.epoch != 0 || n.log.Last() != before {
			t.Errorf("n2 takes over %+v", m)
		}
	}
	s.Receive(1, 2, &StartEpoch{View: firstView(1) + 1, Members: protocols.Nodes(1)})
	s.Receive(1, 2, &StartEpoch{View: firstView(1)})
	s.wants(2, roleBackup, 0)
	s.Clean()
}

// A replica that has the reconfiguration begins the epoch with it: it asks nobody, since
// the one that told it may have forgotten (§7.1.1, and the deviation there). One that
// has another entry in its place asks.
func TestWhoHoldsTheReconfigurationBeginsTheEpoch(t *testing.T) {
	s := grown(t, 4, nil)
	s.reconfigure(1, 2, 3, 4)
	s.Deliver(ofKind(KindPrepare, 1, 3))
	s.Deliver(ofKind(KindPrepareOK, 0, 1))
	starts := s.Take(ofKind(KindStartEpoch, 1, 3))
	s.Take(everything) // all else is lost
	if len(starts) != 1 || starts[0].Message.(*StartEpoch).Prepared != 0 {
		t.Fatalf("the old primary sent %v", starts)
	}
	other := *starts[0].Message.(*StartEpoch)
	other.Prepared = 7
	if n := s.Node(3); n.holds(&other) {
		t.Error("n3 holds an entry of another view")
	}
	s.Hand(starts...)
	s.wants(3, roleBackup, firstView(1))
	if asks := s.Take(ofKind(KindGetState, 3, 0)); len(asks) > 0 {
		t.Errorf("n3 asks for what it has: %v", asks)
	}
	s.Clean()
}

// VR-I10: an epoch that nobody has decided on.
func TestInvariantEpochsInOrderTrips(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Bugs = []string{"V-14"} })
	s.Receive(1, 3, &StartEpoch{View: firstView(1), Old: protocols.Nodes(1), Members: protocols.Nodes(2, 3)})
	s.Trips(epochsInOrder)
	s = newStage(t, 3, nil)
	w := s.Observers[0].(*watcher)
	w.at(firstView(1)).held[2] = 1
	s.Post(letter{From: 2, To: 1, Message: &PrepareOK{View: firstView(1), Op: 1}})
	s.Trips(epochsInOrder)
}

// A configuration of one epoch, and what is needed to go on (the fault model).
func TestProgressOverEpochs(t *testing.T) {
	s := grown(t, 6, nil)
	can := func(want bool, live ...protocols.NodeID) {
		t.Helper()
		f := s.facts()
		f.Live = protocols.Nodes(live...)
		if got, why := canProgress(f); got != want {
			t.Errorf("with %v: got %v, %q", live, got, why)
		}
	}
	can(true, 1, 2)
	can(false, 1, 4, 5, 6)
	s.reconfigure(1, 4, 5, 6)
	can(true, 1, 2, 3, 4, 5, 6) // the epoch ends: everybody
	can(false, 1, 2, 3)
	s.Settle(between(1, 2, 3))
	can(true, 3, 4, 5)
	can(false, 4, 5, 6) // none of them has the state
	can(false, 1, 2, 3)
	s.Fire(1, timerResend)
	s.Settle(everything)
	can(true, 4, 6)
}
