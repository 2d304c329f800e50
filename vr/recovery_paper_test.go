package vr

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// One test per rule of recovery: §4.3 of the paper, the crash vectors of Michael et
// al. (DISC 2017), and the disk of the durable variant.

func withoutDisk(p *Parameters) { p.Variant = Diskless }

// §4.3, step 1: a replica that has lost its state asks all others, and takes part in
// nothing until it has recovered.
func TestRecoveringReplicaTakesPartInNothing(t *testing.T) {
	s := newStage(t, 3, withoutDisk)
	s.Settle(everything)
	n := s.Restart(3)
	for _, id := range []protocols.NodeID{1, 2} {
		if m := sent[*Recovery](s, 3, id); len(m) != 1 || m[0].Nonce == 0 {
			t.Errorf("to %v: %+v, want a question with a nonce", id, m)
		}
	}
	s.Wire = nil
	for _, m := range []protocols.Message{
		&Prepare{Op: 1, Entries: []Entry{{Command: put(-1, 1, 5)}}}, &Commit{}, &StartViewChange{View: 1},
		&DoViewChange{View: 2}, &StartView{}, &GetState{}, &NewState{}, &Recovery{Nonce: 9},
	} {
		s.Receive(1, 3, m)
	}
	s.Request(3, put(-1, 1, 5))
	if n.status != recovering || n.view != 0 || n.log.Last() != 0 || len(s.Wire) != 0 || len(s.Refused) != 1 {
		t.Errorf("it is %s of view %d, says %v, refused %v", roleNames()[n.role()], n.view, s.Wire, s.Refused)
	}
	s.Clean()
}

// §4.3, step 2: Recovery is answered in status normal only; log and numbers come
// from the primary alone.
func TestRecoveryIsAnsweredInNormalStatusOnly(t *testing.T) {
	s := newStage(t, 5, withoutDisk)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Restart(3)
	s.Fire(4, timerView)
	s.Drop(ofKind(KindStartViewChange, 0, 0))
	s.Deliver(ofKind(KindRecovery, 3, 0))
	if len(sent[*RecoveryResponse](s, 4, 3)) != 0 {
		t.Error("answered in a view change")
	}
	primary, backup := sent[*RecoveryResponse](s, 1, 3), sent[*RecoveryResponse](s, 2, 3)
	if len(primary) != 1 || !primary[0].Primary || primary[0].Op != 1 || len(primary[0].Log.Entries) != 1 || primary[0].Commit != 1 {
		t.Errorf("from the primary: %+v", primary)
	}
	if len(backup) != 1 || backup[0].Primary || backup[0].Op != 0 || len(backup[0].Log.Entries) != 0 {
		t.Errorf("from a backup: %+v", backup)
	}
	s.Clean()
}

// §4.3, step 3: it waits for f+1 answers with its nonce, one of them of the primary
// of the latest view in any.
func TestRecoveryWaitsForThePrimaryOfTheLatestView(t *testing.T) {
	s := newStage(t, 5, withoutDisk)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.change(2, 3, 4)
	s.Request(2, put(-1, 2, 6))
	s.Settle(between(2, 3, 4))
	n := s.Restart(5)
	s.Deliver(ofKind(KindRecovery, 5, 0))
	s.Deliver(ofKind(KindRecoveryResponse, 1, 5)) // the primary of view 0
	s.Deliver(ofKind(KindRecoveryResponse, 3, 5))
	s.Deliver(ofKind(KindRecoveryResponse, 4, 5))
	if n.status != recovering {
		t.Fatal("recovered without the primary of view 1")
	}
	s.Deliver(ofKind(KindRecoveryResponse, 2, 5))
	if n.status != normal || n.view != 1 || n.lastNormal != 1 || n.commit != 2 || !slices.Equal(logOf(n), []int64{5, 6}) {
		t.Errorf("it is %s of view %d with %v, committed up to %d", roleNames()[n.role()], n.view, logOf(n), n.commit)
	}
	s.Clean()
}

// §4.3: an answer to an earlier life of the replica does not count.
func TestRecoveryIgnoresAnOldNonce(t *testing.T) {
	s := newStage(t, 3, withoutDisk)
	s.Restart(3)
	s.Deliver(ofKind(KindRecovery, 3, 0))
	late := s.Take(ofKind(KindRecoveryResponse, 0, 3))
	n := s.Restart(3)
	s.Hand(late...)
	if n.status != recovering {
		t.Error("recovered by answers to its former life")
	}
	s.Settle(everything)
	if n.status != normal {
		t.Error("not recovered by its own")
	}
	s.Clean()
}

// §4.3: the questions are sent again, and the primary of the latest view may be the
// replica that recovers: then it waits for the others to go on without it.
func TestRecoveringPrimaryWaitsForTheNextView(t *testing.T) {
	s := newStage(t, 3, withoutDisk)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	n := s.Restart(1)
	s.Settle(everything)
	if n.status != recovering {
		t.Fatal("recovered without a primary")
	}
	s.change(2, 3)
	s.Fire(1, timerResend)
	s.Settle(everything)
	if n.status != normal || n.view != 1 || n.leading || n.log.Last() != 1 {
		t.Errorf("it is %s of view %d with %v", roleNames()[n.role()], n.view, logOf(n))
	}
	s.Clean()
}

// §5.1: a replica without a disk recovers from the primary's checkpoint and what
// follows it.
func TestRecoveryBringsTheCheckpoint(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Variant, p.CheckpointInterval = CrashVectors, 4 })
	for seq := range uint64(10) {
		s.Request(1, put(-1, seq+1, int64(seq)))
		s.Settle(everything)
	}
	n := s.Restart(2)
	s.Settle(everything)
	if n.base == nil || n.base.op != 8 || n.commit != 10 || n.execute.Hash() != s.Node(1).execute.Hash() {
		t.Errorf("it has %d..%d, executed %d", n.log.First(), n.log.Last(), n.execute.Applied)
	}
	s.Clean()
}

// DISC 2017: a replica that recovers takes an incarnation above all that f+1 others
// know, and is done only once f+1 others know it.
func TestRecoveryTakesANewIncarnation(t *testing.T) {
	s := newStage(t, 3, withCrashVectors)
	n := s.Restart(3)
	s.Deliver(ofKind(KindRecovery, 3, 0))
	s.Deliver(ofKind(KindRecoveryResponse, 0, 3))
	if n.status != recovering || n.vector[3] != 1 {
		t.Fatalf("it is %s with incarnation %d, want recovering with 1", roleNames()[n.role()], n.vector[3])
	}
	s.Deliver(ofKind(KindRecovery, 3, 1))
	s.Deliver(ofKind(KindRecoveryResponse, 1, 3))
	if n.status != recovering {
		t.Error("recovered although one other knows of it")
	}
	s.Settle(everything)
	for id := protocols.NodeID(1); id <= 3; id++ {
		if got := s.Node(id).vector[3]; got != 1 {
			t.Errorf("%v knows incarnation %d, want 1", id, got)
		}
	}
	if n = s.Restart(3); n.status != recovering {
		t.Fatal("recovered at once")
	}
	s.Settle(everything)
	if n.status != normal || n.vector[3] != 2 {
		t.Errorf("it is %s with incarnation %d, want normal with 2", roleNames()[n.role()], n.vector[3])
	}
	s.Clean()
}

// DISC 2017: what an incarnation said that is known to be over counts no more, also
// when it had been counted before that was known.
func TestStaleIncarnationsDoNotCount(t *testing.T) {
	s := newStage(t, 5, withCrashVectors)
	for range 6 {
		s.Fire(2, timerView)
	}
	n := s.Node(2)
	s.Wire = nil
	s.Receive(3, 2, &StartViewChange{View: 6, Vector: make([]uint64, 6)})
	s.Receive(3, 2, &DoViewChange{View: 6, Vector: make([]uint64, 6)})
	if !n.change.joined.Has(3) || !n.change.from.Has(3) {
		t.Fatal("not counted")
	}
	known := []uint64{0, 0, 0, 1, 0, 0}
	s.Receive(4, 2, &StartViewChange{View: 6, Vector: known})
	if n.change.joined.Has(3) || n.change.from.Has(3) || !n.change.joined.Has(4) {
		t.Errorf("joined %v, logs of %v; want n3 discounted", n.change.joined, n.change.from)
	}
	s.Receive(3, 2, &StartViewChange{View: 7, Vector: make([]uint64, 6)})
	if n.view != 6 {
		t.Error("it joins a view on the word of a stale incarnation")
	}
	s.Receive(3, 2, &StartViewChange{View: 6, Vector: known})
	if !n.change.joined.Has(3) {
		t.Error("the new incarnation is not counted")
	}
}

// Durable: views and log outlive a crash; a backup goes on where it was.
func TestDurableBackupGoesOn(t *testing.T) {
	s := newStage(t, 3, nil)
	s.change(2, 3)
	s.Request(2, put(-1, 1, 5))
	s.Settle(everything)
	n := s.Restart(3)
	if n.status != normal || n.view != 1 || n.lastNormal != 1 || n.log.Last() != 1 {
		t.Errorf("it is %s of view %d with %v", roleNames()[n.role()], n.view, logOf(n))
	}
	s.Request(2, put(-1, 2, 6))
	s.Settle(between(2, 3))
	if s.Node(2).commit != 2 {
		t.Error("it does not acknowledge")
	}
	s.Clean()
}

// Durable: a primary that restarts leaves its view: it may have sent what its disk
// does not hold.
func TestDurablePrimaryLeavesItsView(t *testing.T) {
	s := newStage(t, 3, nil)
	s.ManualSync = true
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindPrepare, 1, 2))
	n := s.Restart(1)
	if n.status != viewChange || n.view != 1 || n.leading {
		t.Fatalf("it is %s of view %d, want a view change to 1", roleNames()[n.role()], n.view)
	}
	s.ManualSync = false
	for id := protocols.NodeID(1); id <= 3; id++ {
		s.Sync(id)
	}
	s.Settle(everything)
	if n := s.Node(2); !n.leading || n.view != 1 || n.commit != 1 {
		t.Errorf("n2 is %s of view %d, committed up to %d", roleNames()[n.role()], n.view, n.commit)
	}
	s.Clean()
}

// Durable: so does one that had promised a view in which it is the primary: it may
// have begun it.
func TestDurablePrimaryToBeLeavesTheView(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Fire(2, timerView)
	if n := s.Restart(2); n.status != viewChange || n.view != 2 {
		t.Errorf("it is %s of view %d, want a view change to 2", roleNames()[n.role()], n.view)
	}
	s.Clean()
}

// Durable: a promised view is kept, and the view change goes on.
func TestDurableReplicaKeepsItsPromise(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Settle(everything)
	s.Fire(3, timerView)
	s.Wire = nil
	n := s.Restart(3)
	if n.status != viewChange || n.view != 1 || n.lastNormal != 0 || len(sent[*StartViewChange](s, 3, 2)) != 1 {
		t.Fatalf("it is %s of view %d, says %v", roleNames()[n.role()], n.view, s.Wire)
	}
	s.Receive(1, 3, &Prepare{Op: 1, Entries: []Entry{{Command: put(-1, 1, 5)}}})
	if n.log.Last() != 0 {
		t.Error("it works in the view that it left")
	}
	s.Settle(everything)
	if !s.Node(2).leading || n.status != normal {
		t.Error("the view change has not gone on")
	}
	s.Clean()
}

// Durable: nothing of a view change leaves before the view is on disk, and no
// PrepareOK before the operation is.
func TestDurableReplicaWritesBeforeItPromises(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Settle(everything)
	s.ManualSync = true
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindPrepare, 1, 2))
	s.Fire(3, timerView)
	s.Drop(ofKind(KindPrepare, 0, 0))
	if len(s.Wire) != 0 {
		t.Fatalf("%v have left", s.Wire)
	}
	s.Sync(2)
	s.Sync(3)
	if len(sent[*PrepareOK](s, 2, 1)) != 1 || len(sent[*StartViewChange](s, 3, 1)) != 1 {
		t.Errorf("got %v", s.Wire)
	}
	s.Clean()
}

// Durable: after a checkpoint the disk holds it and what follows.
func TestDurableReplicaRecoversFromItsCheckpoint(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.CheckpointInterval = 4 })
	for seq := range uint64(10) {
		s.Request(1, put(-1, seq+1, int64(seq)))
		s.Settle(everything)
	}
	s.Fire(1, timerCommit)
	s.Settle(everything)
	if records := s.Actors[2].Recovered().Records; len(records) > 3 {
		t.Errorf("the disk of n2 still holds %d records behind its checkpoint", len(records))
	}
	n := s.Restart(2)
	if n.commit != 8 || n.log.First() != 9 || n.log.Last() != 10 {
		t.Errorf("it has %d..%d, committed up to %d; want 9..10 and 8", n.log.First(), n.log.Last(), n.commit)
	}
	s.Fire(1, timerCommit)
	s.Settle(everything)
	if n.commit != 10 || n.execute.Hash() != s.Node(1).execute.Hash() {
		t.Errorf("committed up to %d", n.commit)
	}
	s.Clean()
}
