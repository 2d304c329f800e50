package vr

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// One test per rule of reads (§6.3).

// Round: a read waits for a round of Commit messages that was sent after it came.
func TestReadWaitsForARound(t *testing.T) {
	s := newStage(t, 3, nil)
	s.request(1, put(-1, 1, 5))
	s.settle(everything)
	s.fire(1, timerCommit)
	s.deliver(ofKind(KindCommit, 0, 0))
	late := s.take(ofKind(KindCommitOK, 0, 1)) // to the round before
	s.request(1, get(-2, 1))
	s.hand(late...)
	if len(s.replies) != 1 {
		t.Fatal("answered by an earlier round")
	}
	s.settle(everything)
	if len(s.replies) != 2 || s.replies[1].Result.Value != 5 {
		t.Errorf("got %v, want the value 5", s.replies)
	}
	s.clean()
}

// Round: a primary that was replaced answers no read, and refuses it when it learns.
func TestReplacedPrimaryAnswersNoRead(t *testing.T) {
	s := newStage(t, 3, nil)
	s.settle(everything)
	s.change(2, 3)
	s.request(2, put(-1, 1, 5))
	s.settle(between(2, 3))
	s.request(1, get(-2, 1))
	s.settle(everything)
	if len(s.replies) != 1 {
		t.Fatalf("got %v", s.replies)
	}
	s.fire(2, timerCommit)
	s.settle(everything)
	if len(s.refused) != 1 || len(s.replies) != 1 {
		t.Errorf("refused %v, replied %v; want the read refused", s.refused, s.replies)
	}
	s.clean()
}

// A new primary answers no read until it has executed the log with which its view
// began: an earlier primary may have committed, and answered, all of it.
func TestNewPrimaryReadsOnlyWhatItHasExecuted(t *testing.T) {
	for _, reads := range []string{ReadsRound, ReadsLease} {
		s := newStage(t, 3, func(p *Parameters) { p.Reads = reads })
		s.request(1, put(-1, 1, 5))
		s.settle(between(1, 2)) // committed; n2 does not know
		s.now += 1e9
		s.fire(2, timerView)
		s.fire(3, timerView)
		for range 2 {
			s.deliver(between(2, 3))
		}
		n := s.node(2)
		if !n.leading || n.commit != 0 || n.viewStart != 1 {
			t.Fatalf("n2 is %s, committed up to %d", roleNames()[n.role()], n.commit)
		}
		s.drop(ofKind(KindPrepareOK, 0, 0))
		s.deliver(ofKind(KindStartView, 2, 3))
		acks := s.take(ofKind(KindPrepareOK, 0, 0))
		s.fire(2, timerCommit)
		s.deliver(ofKind(KindCommit, 2, 3))
		s.deliver(ofKind(KindCommitOK, 3, 2))
		s.request(2, get(-2, 1))
		s.deliver(ofKind(KindCommit, 2, 3))
		s.deliver(ofKind(KindCommitOK, 3, 2))
		if len(s.replies) != 1 {
			t.Fatalf("%s: it reads before it has executed: %v", reads, s.replies)
		}
		s.receive(2, 2, &PrepareOK{View: 1, Op: 1})
		s.hand(acks...)
		s.settle(between(2, 3))
		if last := s.replies[len(s.replies)-1]; last.Command.Kind != protocols.Read || last.Result.Value != 5 {
			t.Errorf("%s: got %v, want the value 5", reads, s.replies)
		}
		s.clean()
	}
}

// Lease: while it lasts, counted from the sending of the round, a read takes no
// messages.
func TestLeaseAnswersAlone(t *testing.T) {
	s := newStage(t, 3, withLease)
	n := s.node(1)
	s.fire(1, timerCommit)
	sentAt := s.now
	s.now += 30e6
	s.settle(everything)
	if want := sentAt.Add(n.leaseTime); n.leaseUntil != want || n.leaseTime >= s.parameters.ViewTimeout.Min {
		t.Fatalf("lease until %v, want %v", n.leaseUntil, want)
	}
	s.request(1, get(-1, 1))
	if len(s.replies) != 1 || len(s.wire) != 0 {
		t.Errorf("replied %v, sent %v; want an answer and no message", s.replies, s.wire)
	}
	s.now = n.leaseUntil
	s.request(1, get(-1, 2))
	if len(s.replies) != 1 || len(sent[*Commit](s, 1, 2)) != 1 {
		t.Errorf("replied %v; want a round once the lease is over", s.replies)
	}
	s.clean()
}

// Lease: a backup keeps out of view changes for the minimum view timeout after it
// heard the primary; so does one that has restarted, for whatever it has forgotten.
func TestBackupKeepsOutWhileALeaseMayHold(t *testing.T) {
	s := newStage(t, 3, withLease)
	s.settle(everything)
	s.now += 1e9
	s.fire(1, timerCommit)
	s.settle(between(1, 2))
	s.fire(3, timerView)
	s.deliver(ofKind(KindStartViewChange, 3, 2))
	if n := s.node(2); n.view != 0 {
		t.Fatal("n2 leaves the view of a primary that it has just heard")
	}
	s.now += 200e6
	s.fire(3, timerResend)
	s.deliver(ofKind(KindStartViewChange, 3, 2))
	if n := s.node(2); n.view != 1 {
		t.Error("n2 does not join once it has waited")
	}
	s.settle(everything)
	n := s.restart(3)
	s.receive(1, 3, &StartViewChange{View: 6})
	if n.view == 6 {
		t.Error("n3 joins a view change as soon as it has restarted")
	}
	s.clean()
}

// Lease: a replica that has restarted, and may have promised it knows not what, gives
// nobody its log for the minimum view timeout.
func TestRestartedReplicaKeepsItsLogWhileALeaseMayHold(t *testing.T) {
	s := newStage(t, 3, withLease)
	s.settle(everything)
	s.restart(1)
	s.deliver(ofKind(KindStartViewChange, 1, 0))
	s.receive(3, 1, &StartViewChange{View: 1})
	if n := s.node(1); n.view != 1 || len(sent[*DoViewChange](s, 1, 2)) != 0 {
		t.Fatalf("n1 is in view %d and gives its log away", n.view)
	}
	s.now += 200e6
	s.fire(1, timerResend)
	if len(sent[*DoViewChange](s, 1, 2)) != 1 {
		t.Error("n1 keeps its log")
	}
	s.clean()
}

// Lease: the primary gives its lease up for a replica that has promised a later view
// and could otherwise never come back, and its backups follow it.
func TestPrimaryGivesItsLeaseUp(t *testing.T) {
	s := newStage(t, 3, withLease)
	s.settle(everything)
	s.now += 1e9
	for range 3 {
		s.fire(3, timerView)
	}
	s.wire = nil
	s.fire(1, timerCommit)
	s.settle(between(1, 2))
	n := s.node(1)
	if n.now >= n.leaseUntil {
		t.Fatal("no lease")
	}
	s.fire(3, timerResend)
	s.settle(everything)
	if n.leading && n.view == 0 || s.node(3).status != normal {
		t.Errorf("n1 is %s of view %d, n3 %s", roleNames()[n.role()], n.view, roleNames()[s.node(3).role()])
	}
	s.clean()
}

// Log: a read goes through the log like a write.
func TestReadThroughTheLog(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Reads = ReadsLog })
	s.request(1, put(-1, 1, 5))
	s.request(1, get(-1, 2))
	s.settle(everything)
	if len(s.replies) != 2 || s.replies[1].Result.Value != 5 || s.node(1).log.Last() != 2 {
		t.Errorf("got %v and a log up to %d, want the read at 2", s.replies, s.node(1).log.Last())
	}
	s.clean()
}
