package vr

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// One test per rule of reads (§6.3).

// Round: a read waits for a round of Commit messages that was sent after it came.
func TestReadWaitsForARound(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Fire(1, timerCommit)
	s.Deliver(ofKind(KindCommit, 0, 0))
	late := s.Take(ofKind(KindCommitOK, 0, 1)) // to the round before
	s.Request(1, get(-2, 1))
	s.Hand(late...)
	if len(s.Replies) != 1 {
		t.Fatal("answered by an earlier round")
	}
	s.Settle(everything)
	if len(s.Replies) != 2 || s.Replies[1].Result.Value != 5 {
		t.Errorf("got %v, want the value 5", s.Replies)
	}
	s.Clean()
}

// Round: a retry of a read that waits starts no round of its own, and is answered with
// it. Once that is answered, a retry is a read like any other: the answer may be lost.
func TestRetryOfAWaitingReadStartsNoRound(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Settle(everything)
	n := s.Node(1)
	s.Request(1, get(-2, 1))
	s.Request(1, get(-3, 1))
	s.Request(1, get(-2, 1))
	if n.round != 2 {
		t.Errorf("%d rounds for two reads and a retry, want 2", n.round)
	}
	s.Settle(everything)
	if len(s.Replies) != 2 {
		t.Errorf("got %v, want one answer to each read", s.Replies)
	}
	s.Request(1, get(-2, 1))
	s.Settle(everything)
	if n.round != 3 || len(s.Replies) != 3 {
		t.Errorf("%d rounds and %v, want the read answered again after another round", n.round, s.Replies)
	}
	s.Clean()
}

// Round: a primary that was replaced answers no read, and refuses it when it learns.
func TestReplacedPrimaryAnswersNoRead(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Settle(everything)
	s.change(2, 3)
	s.Request(2, put(-1, 1, 5))
	s.Settle(between(2, 3))
	s.Request(1, get(-2, 1))
	s.Settle(everything)
	if len(s.Replies) != 1 {
		t.Fatalf("got %v", s.Replies)
	}
	s.Fire(2, timerCommit)
	s.Settle(everything)
	if len(s.Refused) != 1 || len(s.Replies) != 1 {
		t.Errorf("refused %v, replied %v; want the read refused", s.Refused, s.Replies)
	}
	s.Clean()
}

// A new primary answers no read until it has executed the log with which its view
// began: an earlier primary may have committed, and answered, all of it.
func TestNewPrimaryReadsOnlyWhatItHasExecuted(t *testing.T) {
	for _, reads := range []string{ReadsRound, ReadsLease} {
		s := newStage(t, 3, func(p *Parameters) { p.Reads = reads })
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2)) // committed; n2 does not know
		s.Now += 1e9
		s.Fire(2, timerView)
		s.Fire(3, timerView)
		for range 2 {
			s.Deliver(between(2, 3))
		}
		n := s.Node(2)
		if !n.leading || n.commit != 0 || n.viewStart != 1 {
			t.Fatalf("n2 is %s, committed up to %d", roleNames()[n.role()], n.commit)
		}
		s.Drop(ofKind(KindPrepareOK, 0, 0))
		s.Deliver(ofKind(KindStartView, 2, 3))
		acks := s.Take(ofKind(KindPrepareOK, 0, 0))
		s.Fire(2, timerCommit)
		s.Deliver(ofKind(KindCommit, 2, 3))
		s.Deliver(ofKind(KindCommitOK, 3, 2))
		s.Request(2, get(-2, 1))
		s.Deliver(ofKind(KindCommit, 2, 3))
		s.Deliver(ofKind(KindCommitOK, 3, 2))
		if len(s.Replies) != 1 {
			t.Fatalf("%s: it reads before it has executed: %v", reads, s.Replies)
		}
		s.Receive(2, 2, &PrepareOK{View: 1, Op: 1})
		s.Hand(acks...)
		s.Settle(between(2, 3))
		if last := s.Replies[len(s.Replies)-1]; last.Command.Kind != protocols.Read || last.Result.Value != 5 {
			t.Errorf("%s: got %v, want the value 5", reads, s.Replies)
		}
		s.Clean()
	}
}

// Lease (§6.3, §7.1): a primary whose view began with a reconfiguration that it has not
// executed holds no lease. An earlier primary may have committed it, and the next epoch
// may work without any of those who answer here.
func TestNoLeaseBeforeTheViewStartIsExecuted(t *testing.T) {
	s := grown(t, 4, withLease)
	s.reconfigure(1, 1, 2, 3, 4)
	s.Deliver(ofKind(KindPrepare, 1, 2))
	s.Deliver(ofKind(KindPrepareOK, 2, 1)) // committed; n2 does not know
	s.Settle(between(1))
	s.Wire = nil
	s.wants(1, rolePrimary, firstView(1))
	s.Now += 1e9
	s.Fire(2, timerView)
	s.Fire(3, timerView)
	for range 2 {
		s.Deliver(between(2, 3))
	}
	n := s.wants(2, roleClosing, 1)
	s.Drop(ofKind(KindPrepareOK, 0, 0))
	s.Deliver(ofKind(KindStartView, 2, 3))
	s.Drop(ofKind(KindPrepareOK, 0, 0))
	s.Fire(2, timerCommit)
	s.Deliver(ofKind(KindCommit, 2, 3))
	s.Deliver(ofKind(KindCommitOK, 3, 2))
	if !n.leading || n.confirmed == 0 {
		t.Fatalf("n2 has no round that a quorum has answered, want one")
	}
	if n.leaseUntil != 0 {
		t.Errorf("n2 holds a lease until %v while view %v has a primary, want none", n.leaseUntil, s.Node(1).view)
	}
}

// Lease: while it lasts, counted from the sending of the round, a read takes no
// messages.
func TestLeaseAnswersAlone(t *testing.T) {
	s := newStage(t, 3, withLease)
	n := s.Node(1)
	s.Fire(1, timerCommit)
	sentAt := s.Now
	s.Now += 30e6
	s.Settle(everything)
	if want := sentAt.Add(n.leaseTime); n.leaseUntil != want || n.leaseTime >= s.parameters.ViewTimeout.Min {
		t.Fatalf("lease until %v, want %v", n.leaseUntil, want)
	}
	s.Request(1, get(-1, 1))
	if len(s.Replies) != 1 || len(s.Wire) != 0 {
		t.Errorf("replied %v, sent %v; want an answer and no message", s.Replies, s.Wire)
	}
	s.Now = n.leaseUntil
	s.Request(1, get(-1, 2))
	if len(s.Replies) != 1 || len(sent[*Commit](s, 1, 2)) != 1 {
		t.Errorf("replied %v; want a round once the lease is over", s.Replies)
	}
	s.Clean()
}

// Lease: a backup keeps out of view changes for the minimum view timeout after it
// heard the primary; so does one that has restarted, for whatever it has forgotten.
func TestBackupKeepsOutWhileALeaseMayHold(t *testing.T) {
	s := newStage(t, 3, withLease)
	s.Settle(everything)
	s.Now += 1e9
	s.Fire(1, timerCommit)
	s.Settle(between(1, 2))
	s.Fire(3, timerView)
	s.Deliver(ofKind(KindStartViewChange, 3, 2))
	if n := s.Node(2); n.view != 0 {
		t.Fatal("n2 leaves the view of a primary that it has just heard")
	}
	s.Now += 200e6
	s.Fire(3, timerResend)
	s.Deliver(ofKind(KindStartViewChange, 3, 2))
	if n := s.Node(2); n.view != 1 {
		t.Error("n2 does not join once it has waited")
	}
	s.Settle(everything)
	n := s.Restart(3)
	s.Receive(1, 3, &StartViewChange{View: 6})
	if n.view == 6 {
		t.Error("n3 joins a view change as soon as it has restarted")
	}
	s.Clean()
}

// Lease: a replica that has restarted, and may have promised it knows not what, gives
// nobody its log for the minimum view timeout.
func TestRestartedReplicaKeepsItsLogWhileALeaseMayHold(t *testing.T) {
	s := newStage(t, 3, withLease)
	s.Settle(everything)
	s.Restart(1)
	s.Deliver(ofKind(KindStartViewChange, 1, 0))
	s.Fire(3, timerView)
	s.Deliver(ofKind(KindStartViewChange, 3, 1))
	if n := s.Node(1); n.view != 1 || len(sent[*DoViewChange](s, 1, 2)) != 0 {
		t.Fatalf("n1 is in view %d and gives its log away", n.view)
	}
	s.Now += 200e6
	s.Fire(1, timerResend)
	if len(sent[*DoViewChange](s, 1, 2)) != 1 {
		t.Error("n1 keeps its log")
	}
	s.Clean()
}

// Lease: the primary gives its lease up for a replica that has promised a later view
// and could otherwise never come back, and its backups follow it.
func TestPrimaryGivesItsLeaseUp(t *testing.T) {
	s := newStage(t, 3, withLease)
	s.Settle(everything)
	s.Now += 1e9
	for range 3 {
		s.Fire(3, timerView)
	}
	s.Wire = nil
	s.Fire(1, timerCommit)
	s.Settle(between(1, 2))
	n := s.Node(1)
	if n.now >= n.leaseUntil {
		t.Fatal("no lease")
	}
	s.Fire(3, timerResend)
	s.Settle(everything)
	if n.leading && n.view == 0 || s.Node(3).status != normal {
		t.Errorf("n1 is %s of view %d, n3 %s", roleNames()[n.role()], n.view, roleNames()[s.Node(3).role()])
	}
	s.Clean()
}

// Log: a read goes through the log like a write.
func TestReadThroughTheLog(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Reads = ReadsLog })
	s.Request(1, put(-1, 1, 5))
	s.Request(1, get(-1, 2))
	s.Settle(everything)
	if len(s.Replies) != 2 || s.Replies[1].Result.Value != 5 || s.Node(1).log.Last() != 2 {
		t.Errorf("got %v and a log up to %d, want the read at 2", s.Replies, s.Node(1).log.Last())
	}
	s.Clean()
}
