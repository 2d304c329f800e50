package vr

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// One test per rule of Viewstamped Replication Revisited (Liskov and Cowling, 2012),
// named after the rule. The section is in the comment.

// §4: replicas take turns as primary.
func TestPrimariesTakeTurns(t *testing.T) {
	s := newStage(t, 3, nil)
	for view, want := range []protocols.NodeID{1, 2, 3, 1, 2} {
		if got := s.Node(3).primary(View(view)); got != want {
			t.Errorf("primary of view %d: got %v, want %v", view, got, want)
		}
	}
}

// §4.1, step 2: a request older than the client's last is dropped; the last one is
// answered again if it was executed, and otherwise its execution answers it.
func TestRequestIsCheckedAgainstTheClientTable(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.Node(1)
	s.Request(1, put(-1, 2, 5))
	s.Request(1, put(-1, 2, 5)) // on its way
	s.Request(1, put(-1, 1, 4)) // older
	if n.log.Last() != 1 || len(s.Replies) != 0 {
		t.Fatalf("got a log up to %d and %v, want one operation and no answer", n.log.Last(), s.Replies)
	}
	s.Settle(everything)
	s.Request(1, put(-1, 2, 5))
	if n.log.Last() != 1 || len(s.Replies) != 2 || s.Replies[1].Result.Position != 1 {
		t.Errorf("got a log up to %d and %v, want the answer again", n.log.Last(), s.Replies)
	}
	s.Clean()
}

// §4.1, step 3: the primary gives the next op-number and sends Prepare to the
// backups with its commit-number.
func TestPrimarySendsPrepare(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Request(1, put(-1, 2, 6))
	for _, backup := range []protocols.NodeID{2, 3} {
		m := sent[*Prepare](s, 1, backup)
		if len(m) != 1 || m[0].View != 0 || m[0].Op != 2 || m[0].Commit != 1 || len(m[0].Entries) != 1 {
			t.Errorf("to %v: got %+v, want operation 2 with commit-number 1", backup, m)
		}
	}
}

// §4.1, step 4: a backup waits with a Prepare until it has all earlier operations,
// and then acknowledges them all at once.
func TestBackupProcessesPreparesInOrder(t *testing.T) {
	s := newStage(t, 3, nil)
	for seq := range uint64(3) {
		s.Request(1, put(-1, seq+1, int64(seq)))
	}
	prepares := s.Take(ofKind(KindPrepare, 1, 2))
	s.Wire = nil
	s.Hand(prepares[2], prepares[1])
	if n := s.Node(2); n.log.Last() != 0 || len(s.Wire) != 0 {
		t.Fatalf("it has a log up to %d and says %v", n.log.Last(), s.Wire)
	}
	s.Hand(prepares[0])
	oks := sent[*PrepareOK](s, 2, 1)
	if len(oks) != 1 || oks[0].Op != 3 || !slices.Equal(logOf(s.Node(2)), []int64{0, 1, 2}) {
		t.Errorf("got %+v and log %v, want one PrepareOK of all three", oks, logOf(s.Node(2)))
	}
	if s.Actors[2].Timers[timerResend] != 0 {
		t.Error("it still means to ask for what it has")
	}
	s.Clean()
}

// §4.1, step 4: a Prepare that does not come is fetched by state transfer.
func TestBackupFetchesAMissingOperation(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 1))
	s.Wire = nil
	s.Request(1, put(-1, 2, 2))
	s.Deliver(ofKind(KindPrepare, 1, 2))
	s.Fire(2, timerResend)
	s.Settle(between(1, 2))
	if n := s.Node(1); n.commit != 2 || s.Node(2).log.Last() != 2 {
		t.Errorf("commit-number %d, and n2 has %v", n.commit, logOf(s.Node(2)))
	}
	s.Clean()
}

// §4.1, step 5: an operation is committed once f different backups have acknowledged
// it, and with it all before.
func TestCommitNeedsFDifferentBackups(t *testing.T) {
	s := newStage(t, 5, nil)
	n := s.Node(1)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindPrepareOK, 1, 1))
	s.Deliver(ofKind(KindPrepare, 1, 2))
	ok := sent[*PrepareOK](s, 2, 1)[0]
	s.Wire = nil
	s.Receive(2, 1, ok)
	s.Receive(2, 1, ok)
	if n.commit != 0 {
		t.Fatal("committed by one backup that spoke twice")
	}
	s.Request(1, put(-2, 1, 6))
	s.Deliver(ofKind(KindPrepareOK, 1, 1))
	s.Fire(3, timerResend)
	s.Receive(1, 3, &NewState{Op: 2, Log: n.wholeTail()})
	s.Deliver(ofKind(KindPrepareOK, 3, 1))
	if n.commit != 1 {
		t.Errorf("commit-number %d, want 1: the second operation is on one backup", n.commit)
	}
	s.Clean()
}

// §4.1, steps 5 to 7: the primary executes in order and replies; backups learn of
// commits from the next Prepare or from Commit, execute, and do not reply.
func TestBackupsLearnOfCommits(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	if len(s.Replies) != 1 || s.Node(2).commit != 0 {
		t.Fatalf("got %v and commit-number %d at n2, want one reply and 0", s.Replies, s.Node(2).commit)
	}
	s.Request(1, put(-1, 2, 6))
	s.Settle(everything)
	if s.Node(2).execute.Applied != 1 {
		t.Errorf("n2 has executed %d after the next Prepare, want 1", s.Node(2).execute.Applied)
	}
	s.Fire(1, timerCommit)
	s.Settle(everything)
	if n := s.Node(2); n.execute.Applied != 2 || n.execute.Hash() != s.Node(1).execute.Hash() || len(s.Replies) != 2 {
		t.Errorf("n2 has executed %d, and there were %d replies; want 2 and 2", n.execute.Applied, len(s.Replies))
	}
	s.Clean()
}

// §4.1: a Prepare or PrepareOK that is lost is sent again.
func TestLostPrepareIsSentAgain(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindPrepare, 1, 3))
	s.Deliver(ofKind(KindPrepareOK, 1, 1))
	s.Wire = nil // n2 has nothing, and n3's PrepareOK is gone
	for range 2 {
		s.Now += protocols.Time(s.parameters.CommitInterval)
		s.Fire(1, timerCommit)
		s.Deliver(ofKind(KindCommit, 0, 0))
		s.Deliver(ofKind(KindCommitOK, 0, 0))
	}
	if m := sent[*Prepare](s, 1, 2); len(m) != 1 || len(m[0].Entries) != 1 {
		t.Errorf("to n2: %+v, want the operation", m)
	}
	if m := sent[*Prepare](s, 1, 3); len(m) != 1 || len(m[0].Entries) != 0 || m[0].Op != 1 {
		t.Errorf("to n3: %+v, want a question only", m)
	}
	s.Settle(everything)
	if n := s.Node(1); n.commit != 1 || n.match[2] != 1 || n.match[3] != 1 {
		t.Errorf("commit-number %d, acknowledged up to %v", n.commit, n.match)
	}
	s.Fire(1, timerCommit)
	s.Settle(everything)
	s.Fire(1, timerCommit)
	s.Deliver(everything)
	s.Deliver(everything)
	if len(s.Wire) != 0 {
		t.Errorf("it still sends %v", s.Wire)
	}
	s.Clean()
}

// §4.1: a Prepare that may still be on its way is not sent again, however many rounds
// the backup answers meanwhile: reads start them one after the other.
func TestPrepareOnItsWayIsNotSentAgain(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Fire(1, timerCommit)
	s.Settle(everything) // n1 knows where the logs end
	interval := protocols.Time(s.parameters.CommitInterval)
	s.Now += 10 * interval
	s.Request(1, put(-1, 1, 5))
	s.Take(ofKind(KindPrepare, 1, 2))
	round := func() {
		s.Request(1, get(-2, uint64(s.Node(1).round)))
		s.Deliver(ofKind(KindCommit, 0, 0))
		s.Deliver(ofKind(KindCommitOK, 0, 0))
	}
	for _, c := range []struct {
		after protocols.Time
		want  int
	}{{0, 0}, {0, 0}, {interval - 1, 0}, {1, 1}, {0, 1}, {interval - 1, 1}, {1, 2}} {
		s.Now += c.after
		round()
		if m := sent[*Prepare](s, 1, 2); len(m) != c.want {
			t.Fatalf("%v after the Prepare, it has been sent again %d times, want %d", protocols.Duration(s.Now-1e9-10*interval), len(m), c.want)
		}
	}
	s.Clean()
}

// §4.1: messages of normal operation are for replicas in status normal and of the
// same view. One of a lower view is dropped, one of a higher view leads to state
// transfer and to no view change.
func TestNormalMessagesAreForTheSameView(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	old := s.Take(ofKind(KindPrepare, 1, 3))
	s.change(2, 3)
	s.Hand(old...)
	if n := s.Node(3); n.log.Last() != 0 || len(s.Wire) != 0 {
		t.Errorf("n3 of view 1 has taken a Prepare of view 0: %v, %v", logOf(n), s.Wire)
	}
	s.Fire(2, timerCommit)
	s.Deliver(ofKind(KindCommit, 2, 1))
	n := s.Node(1)
	if m := sent[*GetState](s, 1, 2); len(m) != 1 || m[0].View != 1 || n.status != normal || n.view != 0 || n.leading {
		t.Errorf("n1 is %s of view %d and asks %+v; want it to fetch view 1", roleNames()[n.role()], n.view, m)
	}
	if len(sent[*StartViewChange](s, 1, 2)) != 0 {
		t.Error("n1 wants a view change")
	}
	s.Clean()
}

// §4.2, step 1: a backup that hears no primary starts a view change; who sees one of
// a higher view, by StartViewChange or DoViewChange, joins it.
func TestViewChangeStartsAndIsJoined(t *testing.T) {
	s := newStage(t, 5, nil)
	s.Settle(everything)
	s.Fire(3, timerView)
	if n := s.Node(3); n.view != 1 || n.status != viewChange || len(s.Wire) != 4 {
		t.Fatalf("n3 is %s of view %d and sends %d messages, want a view change to 1 and 4", roleNames()[n.role()], n.view, len(s.Wire))
	}
	s.Deliver(ofKind(KindStartViewChange, 3, 4))
	if n := s.Node(4); n.view != 1 || n.status != viewChange {
		t.Error("n4 has not joined on StartViewChange")
	}
	s.Receive(4, 2, &DoViewChange{View: 6})
	if n := s.Node(2); n.view != 6 || n.status != viewChange {
		t.Error("n2 has not joined on DoViewChange")
	}
	s.Receive(3, 2, &StartViewChange{View: 1})
	if n := s.Node(2); n.view != 6 {
		t.Error("n2 goes back to a lower view")
	}
	s.Clean()
}

// §4.2, step 2: a replica sends its log to the new primary once f others have sent
// StartViewChange for the view.
func TestDoViewChangeWaitsForFOthers(t *testing.T) {
	s := newStage(t, 5, nil)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindPrepare, 1, 3))
	s.Wire = nil
	for _, id := range []protocols.NodeID{3, 4, 5} {
		s.Fire(id, timerView)
	}
	first := s.Take(ofKind(KindStartViewChange, 4, 3))
	s.Hand(first...)
	s.Hand(first...)
	if got := sent[*DoViewChange](s, 3, 2); len(got) != 0 {
		t.Fatal("sent after one other")
	}
	s.Deliver(ofKind(KindStartViewChange, 5, 3))
	got := sent[*DoViewChange](s, 3, 2)
	if len(got) != 1 || got[0].View != 1 || got[0].LastNormal != 0 || got[0].Op != 1 || got[0].Commit != 0 || len(got[0].Log.Entries) != 1 {
		t.Errorf("got %+v, want its log", got)
	}
	s.Clean()
}

// §4.2, step 3: the new primary waits for f+1 logs, its own included, takes the
// longest of the latest normal view and the largest commit-number, and starts the
// view; it executes what is committed and answers its clients.
func TestNewPrimaryTakesTheBestLog(t *testing.T) {
	s := newStage(t, 5, nil)
	n := s.Node(2)
	entries := func(view View, values ...int64) Tail {
		var list []Entry
		for i, v := range values {
			list = append(list, Entry{View: view, Command: put(-1, uint64(i+1), v)})
		}
		return Tail{Entries: list}
	}
	s.Observers = nil // these logs come from nowhere
	s.Fire(2, timerView)
	for n.view < 6 {
		s.Fire(2, timerView)
	}
	s.Receive(3, 2, &DoViewChange{View: 6, LastNormal: 0, Op: 3, Log: entries(0, 1, 2, 3)})
	s.Receive(4, 2, &DoViewChange{View: 6, LastNormal: 5, Op: 1, Commit: 1, Log: entries(5, 7)})
	s.Receive(5, 2, &DoViewChange{View: 6, LastNormal: 5, Op: 2, Log: entries(5, 7, 8)})
	if n.leading {
		t.Fatal("the view has begun without this replica's own log")
	}
	s.Wire = nil
	s.Receive(3, 2, &StartViewChange{View: 6})
	s.Receive(4, 2, &StartViewChange{View: 6})
	s.Deliver(ofKind(KindDoViewChange, 2, 2))
	if !n.leading || n.lastNormal != 6 || n.commit != 1 || !slices.Equal(logOf(n), []int64{7, 8}) {
		t.Fatalf("n2 is %s with log %v, committed up to %d; want 7 and 8, the first committed", roleNames()[n.role()], logOf(n), n.commit)
	}
	if len(s.Replies) != 1 || s.Replies[0].Command.Arg != 7 {
		t.Errorf("got %v, want the committed operation answered", s.Replies)
	}
	m := sent[*StartView](s, 2, 1)
	if len(m) != 1 || m[0].View != 6 || m[0].Op != 2 || m[0].Commit != 1 {
		t.Errorf("got %+v, want StartView with both operations", m)
	}
}

// §4.2, step 5: a backup takes the log of StartView over, acknowledges what is not
// committed, is normal, and executes what is.
func TestBackupTakesOverStartView(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Request(1, put(-1, 1, 5))
	s.Settle(between(1, 2))
	s.Request(1, put(-1, 2, 6))
	s.Deliver(ofKind(KindPrepare, 1, 2))
	s.Wire = nil
	s.Fire(2, timerView)
	s.Fire(3, timerView)
	for range 2 {
		s.Deliver(between(2, 3))
	}
	s.Deliver(ofKind(KindStartView, 2, 3))
	n := s.Node(3)
	oks := sent[*PrepareOK](s, 3, 2)
	if n.status != normal || n.view != 1 || n.lastNormal != 1 || n.execute.Applied != 1 || len(oks) != 1 || oks[0].Op != 2 {
		t.Errorf("n3 is %s of view %d, executed %d, says %+v", roleNames()[n.role()], n.view, n.execute.Applied, oks)
	}
	s.Settle(between(2, 3))
	if s.Node(2).commit != 2 {
		t.Error("the rest is not committed in the new view")
	}
	s.Clean()
}

// §4.2: what is lost of a view change is sent again.
func TestViewChangeMessagesAreSentAgain(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Fire(3, timerView)
	s.Wire = nil
	s.Fire(3, timerResend)
	s.Deliver(ofKind(KindStartViewChange, 3, 2))
	s.Deliver(ofKind(KindStartViewChange, 2, 3))
	s.Wire = nil // both logs are lost
	s.Fire(3, timerResend)
	s.Fire(2, timerResend)
	s.Settle(between(2, 3))
	if !s.Node(2).leading || s.Node(3).status != normal {
		t.Error("the view has not begun")
	}
	s.Clean()
}

// §4.2: where the next primary is dead as well, the one after it takes over.
func TestViewChangePassesADeadPrimary(t *testing.T) {
	s := newStage(t, 5, nil)
	s.Crash(1)
	s.Crash(2)
	for _, id := range []protocols.NodeID{3, 4, 5} {
		s.Fire(id, timerView)
	}
	s.Settle(everything)
	for _, id := range []protocols.NodeID{3, 4, 5} {
		s.Fire(id, timerView)
	}
	s.Settle(everything)
	if n := s.Node(3); !n.leading || n.view != 2 {
		t.Errorf("n3 is %s of view %d, want primary of 2", roleNames()[n.role()], n.view)
	}
	s.Clean()
}

// Deviation: a primary that hears no quorum gives up its view.
func TestPrimaryWithoutAQuorumGivesUp(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.Node(1)
	s.Fire(1, timerCommit)
	s.Settle(between(1, 2))
	s.Fire(1, timerQuorum)
	if !n.leading {
		t.Fatal("it has heard one of two others")
	}
	s.Request(1, get(-1, 1))
	s.Fire(1, timerQuorum)
	if n.leading || n.view != 1 || len(s.Refused) != 1 {
		t.Errorf("it is %s of view %d, and refused %v", roleNames()[n.role()], n.view, s.Refused)
	}
	s.Clean()
}
