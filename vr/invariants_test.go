package vr

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The plays trip VR-I1, I2, I4, I7 and I8; these the others.
func TestInvariantViewsMonotoneTrips(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.change(2, 3)
	s.Clean()
	n.view, n.lastNormal = 0, 0
	s.Fire(2, timerResend)
	s.Trips(viewsMonotone)
}

// Across a restart, as far as it is durable.
func TestInvariantViewsMonotoneTripsAtBoot(t *testing.T) {
	s := newStage(t, 3, nil)
	s.change(2, 3)
	s.Clean()
	s.Crash(3)
	a := s.Actors[3]
	a.Disk, a.Durable = a.Disk[:1], 1 // the disk goes back behind the view
	a.Disk[0].Record = &ViewState{}
	s.Boot(3)
	s.Trips(viewsMonotone)
}

func TestInvariantHonestPrepareOKTrips(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Post(letter{From: 2, To: 1, Message: &PrepareOK{Op: 1}})
	s.Trips(honestPrepareOK)
}

func TestInvariantCommitEvidenceTrips(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindPrepare, 1, 2))
	s.Receive(1, 2, &Commit{Commit: 1})
	if s.Node(2).commit != 1 {
		t.Fatal("n2 does not believe it")
	}
	s.Clean() // n2 has it, and so has n1
	s = newStage(t, 3, nil)
	s.ManualSync = true
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindPrepare, 1, 2))
	s.Receive(1, 2, &Commit{Commit: 1}) // no disk has it
	s.Trips(commitEvidence)
}

// A commit-number beyond the log, which no handler lets happen.
func TestInvariantCommitWithinTheLogTrips(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Node(3).commit = 7
	s.Fire(3, timerResend)
	s.Trips(commitEvidence)
}

// The half of VR-I7 that looks at crash vectors: the quorum of a view knows that one
// of its logs is of an incarnation that is over.
func TestInvariantPromiseKeptTripsOnVectors(t *testing.T) {
	s := newStage(t, 3, withCrashVectors)
	s.Fire(2, timerView)
	s.Fire(3, timerView)
	s.Deliver(ofKind(KindStartViewChange, 0, 0))
	s.Deliver(ofKind(KindDoViewChange, 3, 2))
	n := s.Node(2)
	known := slices.Clone(n.vector)
	known[3]++
	own := sent[*DoViewChange](s, 2, 2)[0]
	own.Vector = known
	n.change.logs[3].vector = slices.Clone(n.vector)
	n.bugs.shortQuorum = true // so that it does not wait for another log
	n.vector = nil            // and does not look
	s.Deliver(ofKind(KindDoViewChange, 2, 2))
	if !n.leading {
		t.Fatal("the view has not begun")
	}
	s.Trips(promiseKept)
}

// VR-I8 by itself: the same request at two positions.
func TestInvariantClientTableTrips(t *testing.T) {
	s := newStage(t, 1, nil)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Clean()
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	out.Note(protocols.Note{Kind: protocols.NoteApplied, Index: 2, Command: put(-1, 1, 5)})
	s.Show(&protocols.Moment{Kind: protocols.Stepped, Node: 1, Replica: s.Node(1), Event: &protocols.Event{}, Effects: out})
	s.Trips(clientTableExact)
}

// VR-I2 as to what is executed.
func TestInvariantOneLogTripsOnExecution(t *testing.T) {
	s := newStage(t, 1, nil)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Clean()
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	out.Note(protocols.Note{Kind: protocols.NoteApplied, Index: 1, Hash: 1})
	s.Show(&protocols.Moment{Kind: protocols.Stepped, Node: 1, Replica: s.Node(1), Event: &protocols.Event{}, Effects: out})
	s.Trips(oneLogPerView)
}

// VR-I4 as to who speaks.
func TestInvariantOnePrimaryTripsOnMessages(t *testing.T) {
	for _, m := range []protocols.Message{&Prepare{View: 1}, &StartView{View: 1}} {
		s := newStage(t, 3, nil)
		s.Post(letter{From: 3, To: 1, Message: m})
		s.Trips(onePrimary)
	}
}

// VR-I1 on the side of the commit: a quorum acknowledges in an old view what a later
// view has begun without.
func TestInvariantCommittedStaysTripsOnCommit(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Wire = nil
	s.change(2, 3)
	s.Clean()
	w := s.Observers[0].(*watcher)
	w.at(0).held[3] = 1
	s.Show(&protocols.Moment{Kind: protocols.Left, Node: 3, To: 1, Message: &PrepareOK{Op: 1}})
	s.Trips(committedStays)
}

// All of this is legal: an acknowledgement arrives after its sender has left the
// view, and counts; a replica with operations that nobody else has joins a later
// view and loses them; a replica comes back in an older view without having promised
// a later one.
func TestInvariantsAreNotTooStrict(t *testing.T) {
	s := newStage(t, 5, nil)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindPrepare, 1, 0))
	late := s.Take(ofKind(KindPrepareOK, 0, 1))
	s.change(2, 3, 4, 5)
	s.Hand(late...)
	if s.Node(1).commit != 1 || s.Node(2).commit != 1 {
		t.Fatal("the operation is not committed in both views")
	}
	s.Request(1, put(-1, 2, 6))
	s.Wire = nil
	s.Request(2, put(-2, 1, 7))
	s.Settle(between(2, 3, 4, 5))
	s.Fire(2, timerCommit)
	s.Settle(everything)
	if got := logOf(s.Node(1)); !slices.Equal(got, []int64{5, 7}) {
		t.Fatalf("n1 has %v, want its second operation replaced", got)
	}
	s.Clean()

	s = newStage(t, 3, withCrashVectors)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Restart(3)
	s.Settle(everything)
	if n := s.Node(3); n.status != normal || n.view != 0 {
		t.Fatalf("n3 is %s of view %d", roleNames()[n.role()], n.view)
	}
	s.Clean()
}

func TestChecksAreListed(t *testing.T) {
	for _, variant := range []string{Durable, Diskless, CrashVectors} {
		p := DefaultParameters()
		p.Variant = variant
		var ids []string
		for _, o := range invariants(protocols.Cluster{Replicas: 3}, p) {
			for _, c := range o.Checks() {
				ids = append(ids, c.ID)
			}
		}
		want := []string{"VR-I1", "VR-I2", "VR-I3", "VR-I4", "VR-I5", "VR-I6", "VR-I7", "VR-I8", "VR-I9", "VR-I10", "VR-I11", "VR-I12"}
		if !slices.Equal(ids, want) {
			t.Errorf("%s: got %v, want %v", variant, ids, want)
		}
	}
}
