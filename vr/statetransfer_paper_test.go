package vr

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The rules of state transfer and checkpoints; see vr_paper_test.go.

// §5.2: GetState is answered in status normal and in the view that is asked for.
func TestGetStateIsAnsweredInNormalStatusAndTheSameView(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Wire = nil
	s.Receive(3, 2, &GetState{View: 1})
	if len(s.Wire) != 0 {
		t.Error("answered for another view")
	}
	s.Receive(3, 2, &GetState{View: 0})
	if m := sent[*NewState](s, 2, 3); len(m) != 1 || m[0].Op != 1 || len(m[0].Log.Entries) != 1 {
		t.Errorf("got %+v, want one operation", m)
	}
	s.Wire = nil
	s.Fire(2, timerView)
	s.Wire = nil
	s.Receive(3, 2, &GetState{View: 1})
	if len(s.Wire) != 0 {
		t.Error("answered in a view change")
	}
	s.Clean()
}

// §5.2, with the correction of Vanlightly's analysis: into a later view a replica
// asks from its commit-number, and its log is cut only when the answer is there. If
// it is drawn into a view change before that, it offers the whole log of its old
// view.
func TestLogIsCutOnlyWhenTheNewStateIsThere(t *testing.T) {
	s := newStage(t, 5, nil)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Fire(1, timerCommit)
	s.Settle(everything)
	s.Request(1, put(-1, 2, 6))
	s.Deliver(ofKind(KindPrepare, 1, 5))
	s.Wire = nil // n5 alone has the second operation
	s.change(2, 3, 4)
	s.Fire(2, timerCommit)
	s.Deliver(ofKind(KindCommit, 2, 5))
	ask := sent[*GetState](s, 5, 2)
	n := s.Node(5)
	if len(ask) != 1 || ask[0].Op != 1 || n.log.Last() != 2 || n.lastNormal != 0 {
		t.Fatalf("n5 asks %+v with log %v of view %d, want it to ask from 1 and keep both", ask, logOf(n), n.lastNormal)
	}
	late := s.Take(ofKind(KindGetState, 5, 2))
	for _, id := range []protocols.NodeID{3, 4} {
		s.Fire(id, timerView)
		s.Deliver(ofKind(KindStartViewChange, id, 5))
	}
	if m := sent[*DoViewChange](s, 5, 3); len(m) != 1 || m[0].LastNormal != 0 || m[0].Op != 2 {
		t.Errorf("n5 offers %+v, want both operations of view 0", m)
	}
	s.Wire = nil
	s.Hand(late...) // n5 has promised view 2, and what comes of view 1 is too old
	s.Settle(everything)
	if n.view != 2 {
		t.Errorf("n5 is in view %d, want 2", n.view)
	}
	s.Clean()
}

// §5.2: the state of a later view replaces what is not committed.
func TestStateOfALaterViewReplacesTheTail(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Wire = nil
	s.change(2, 3)
	s.Request(2, put(-2, 1, 7))
	s.Settle(between(2, 3))
	s.Fire(2, timerCommit)
	s.Settle(everything)
	if n := s.Node(1); n.view != 1 || n.status != normal || !slices.Equal(logOf(n), []int64{7}) || n.commit != 1 {
		t.Errorf("n1 is %s of view %d with %v", roleNames()[n.role()], n.view, logOf(n))
	}
	s.Clean()
}

// §5.2: the question goes round, since one replica may be dead.
func TestStateTransferAsksTheNextReplica(t *testing.T) {
	s := newStage(t, 3, nil)
	s.change(2, 3)
	s.Fire(2, timerCommit)
	s.Deliver(ofKind(KindCommit, 2, 1))
	s.Crash(2)
	s.Wire = nil
	s.Fire(1, timerResend)
	s.Settle(everything)
	if n := s.Node(1); n.view != 1 || n.status != normal {
		t.Errorf("n1 is %s of view %d, want a backup of 1", roleNames()[n.role()], n.view)
	}
	s.Clean()
}

// §5.1: a checkpoint bounds the log; who lags behind it is sent the checkpoint.
func TestCheckpointBoundsTheLog(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.CheckpointInterval = 4 })
	for seq := range uint64(10) {
		s.Request(1, put(-1, seq+1, int64(seq)))
		s.Settle(between(1, 2))
	}
	n := s.Node(1)
	if n.base.op != 8 || n.log.First() != 5 || n.log.Last() != 10 {
		t.Fatalf("the log is %d..%d with a checkpoint at %d, want 5..10 and 8", n.log.First(), n.log.Last(), n.base.op)
	}
	s.Fire(1, timerCommit)
	s.Settle(everything)
	s.Fire(3, timerResend)
	if m := sent[*GetState](s, 3, 1); len(m) != 1 || m[0].Op != 0 {
		t.Fatalf("n3 asks %+v", m)
	}
	s.Settle(everything)
	if b := s.Node(3); b.base == nil || b.base.op != 8 || b.log.Last() != 10 || b.commit != 10 || b.execute.Hash() != n.execute.Hash() {
		t.Errorf("n3 has %d..%d, executed %d", b.log.First(), b.log.Last(), b.execute.Applied)
	}
	// The same over a view change: n3 has the checkpoint, and nothing is lost.
	s.change(2, 3)
	s.Request(2, get(-2, 1))
	s.Settle(between(2, 3))
	if got := s.Replies[len(s.Replies)-1].Result.Value; got != 9 {
		t.Errorf("the new primary reads %d, want 9", got)
	}
	s.Clean()
}

// §5.3: StartView carries only what the quorum may lack; another fetches the state.
func TestStartViewCarriesASuffix(t *testing.T) {
	s := newStage(t, 5, func(p *Parameters) { p.CheckpointInterval = 4 })
	for seq := range uint64(10) {
		s.Request(1, put(-1, seq+1, int64(seq)))
		s.Settle(between(1, 2, 3, 4))
	}
	s.Fire(1, timerCommit)
	s.Settle(between(1, 2, 3, 4))
	s.Now += 1e9
	for _, id := range []protocols.NodeID{2, 3, 4} {
		s.Fire(id, timerView)
	}
	s.Deliver(between(2, 3, 4))
	s.Deliver(between(2, 3, 4))
	m := sent[*StartView](s, 2, 5)
	if len(m) != 1 || m[0].Log.After != 10 || len(m[0].Log.Entries) != 0 {
		t.Fatalf("got %+v, want no operations", m)
	}
	s.Settle(everything)
	if n := s.Node(5); n.status != normal || n.view != 1 || n.commit != 10 {
		t.Errorf("n5 is %s of view %d, committed up to %d", roleNames()[n.role()], n.view, n.commit)
	}
	s.Clean()
}
