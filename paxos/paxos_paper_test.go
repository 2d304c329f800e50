package paxos

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// One test per rule: set up, one deed, check. PMS is Paxos Made Simple, PMMC Paxos
// Made Moderately Complex, PML Paxos Made Live.

// Ballots are ordered by round, then by node, and no two nodes share one (PMMC §2).
func TestBallotsAreOrderedAndUnique(t *testing.T) {
	if a, b, c := newBallot(1, 7), newBallot(2, 1), newBallot(2, 2); !(a < b && b < c) {
		t.Error("ballots are not in lexicographic order")
	}
	s := newStage(t, 3, nil)
	s.Fire(1, timerElection)
	s.Fire(2, timerElection)
	if a, b := s.Node(1).promised, s.Node(2).promised; a == b || a.Owner() != 1 || b.Owner() != 2 || a.String() != "1.n1" {
		t.Errorf("got ballots %v and %v", a, b)
	}
}

// Prepare leaves when the proposer's own promise is durable, so that a restart never
// uses the ballot again (PMS §2.5).
func TestPrepareWaitsForItsOwnPromiseAndIsNeverReused(t *testing.T) {
	s := newStage(t, 3, nil)
	s.ManualSync = true
	s.Fire(1, timerElection)
	if len(s.Wire) != 0 {
		t.Fatalf("sent %v before the disk had the promise", s.Wire)
	}
	first := s.Node(1).promised
	s.Sync(1)
	if got := sent[*Prepare](s, 1, 2); len(got) != 1 || got[0].Ballot != first || got[0].First != 1 {
		t.Fatalf("got %v, want one Prepare of %v", got, first)
	}
	n := s.Restart(1)
	s.Now += 1e9
	s.Fire(1, timerElection)
	if n.promised <= first {
		t.Errorf("ballot %v after a restart, want above %v", n.promised, first)
	}
	s.Clean()
}

// Rule 1: a higher ballot is promised durably, and then the answer holds everything
// that was accepted (PMS §2.2; PMMC p1b).
func TestPromiseIsDurableAndReportsAllAccepted(t *testing.T) {
	s := newStage(t, 3, nil)
	old := s.elect(1, 2, 3).promised
	for seq := range uint64(3) {
		s.Request(1, put(-1, seq+1, int64(seq)))
		s.Settle(between(1, 2))
	}
	n := s.Node(2)
	if n.execute.Applied != 2 {
		t.Fatalf("n2 has executed %d slots, want 2", n.execute.Applied)
	}
	s.ManualSync = true
	s.Now += 1e9
	ask := &Prepare{Ballot: newBallot(5, 3), First: 1}
	s.Receive(3, 2, ask)
	if len(s.Wire) != 0 || n.promised != ask.Ballot {
		t.Fatalf("promised %v and sent %v before the disk had it", n.promised, s.Wire)
	}
	s.Sync(2)
	got := sent[*Promise](s, 2, 3)
	if len(got) != 1 || got[0].Executed != 2 || got[0].Compacted != 0 || len(got[0].Accepted) != 3 {
		t.Fatalf("got %+v, want three pvalues, the two executed ones included (P-07)", got)
	}
	for i, p := range got[0].Accepted {
		if p.Slot != protocols.Index(i+1) || p.Ballot != old || p.Value.Command.Arg != int64(i) {
			t.Errorf("pvalue %d is %+v", i, p)
		}
	}
	s.Clean()
}

// Rule 1: the owner of the promised ballot gets its answer again, without a second
// record.
func TestPrepareAgainIsAnsweredAgain(t *testing.T) {
	s := newStage(t, 3, nil)
	ask := &Prepare{Ballot: newBallot(1, 3), First: 1}
	s.Receive(3, 2, ask)
	s.Receive(3, 2, ask)
	if got := sent[*Promise](s, 2, 3); len(got) != 2 || len(writtenBy[*Promised](s, 2)) != 1 {
		t.Errorf("got %d answers and %d records, want 2 and 1", len(got), len(writtenBy[*Promised](s, 2)))
	}
	s.Clean()
}

// Rule 1 and 3: below the promise everything is refused with it.
func TestLowerBallotIsRefused(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Receive(3, 2, &Prepare{Ballot: newBallot(5, 3), First: 1})
	s.Wire = nil
	low := newBallot(4, 1)
	for _, m := range []protocols.Message{&Prepare{Ballot: low, First: 1}, &Accept{Ballot: low, Slot: 1}, &Heartbeat{Ballot: low}, &Decide{Ballot: low}} {
		s.Receive(1, 2, m)
		if got := sent[*Nack](s, 2, 1); len(got) != 1 || *got[0] != (Nack{Ballot: low, Promised: newBallot(5, 3)}) {
			t.Errorf("%T: got %v", m, got)
		}
		s.Wire = nil
	}
	if len(writtenBy[*AcceptedValue](s, 2)) != 0 {
		t.Error("accepted below its promise")
	}
}

// Rule 1: what an acceptor has compacted it cannot report, so the candidate installs
// its snapshot before it proposes anything.
func TestCandidateInstallsWhatIsCompacted(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.SnapshotEvery = 3 })
	s.elect(1, 2)
	for seq := range uint64(4) {
		s.Request(1, put(-1, seq+1, int64(seq+5)))
		s.Settle(between(1, 2))
	}
	s.Fire(1, timerHeartbeat)
	s.Settle(between(1, 2))
	s.Crash(1)
	s.Now += 1e9
	s.Fire(3, timerElection)
	s.Deliver(between(2, 3))
	s.Deliver(between(2, 3))
	n := s.Node(3)
	if n.role != candidate || len(sent[*CatchupRequest](s, 3, 2)) != 1 {
		t.Fatalf("n3 is %s, want a candidate that asks for the snapshot", roleNames()[n.role])
	}
	s.Settle(between(2, 3))
	if n.role != leader || n.execute.Applied != 4 || n.slots.base != 3 || s.Noted(3, protocols.NoteInstalled) != 1 {
		t.Errorf("n3 is %s with %d slots executed, %d of them compacted; want a leader with 4 and 3", roleNames()[n.role], n.execute.Applied, n.slots.base)
	}
	s.Request(3, get(-2, 1))
	s.Settle(between(2, 3))
	if got := s.Replies[len(s.Replies)-1]; got.Result.Value != 8 {
		t.Errorf("read %d, want 8", got.Result.Value)
	}
	s.Clean()
}

// Rule 2: the value of the highest ballot reported wins, whoever reports it first
// (PMS §2.2, P2c; P-01).
func TestCandidateProposesValueOfHighestBallot(t *testing.T) {
	s := newStage(t, 5, nil)
	s.Fire(1, timerElection)
	s.Wire = nil
	n := s.Node(1)
	n.promised, n.promises = newBallot(9, 1), protocols.NodeSet{}
	report := func(from protocols.NodeID, list ...Pvalue) {
		s.Receive(from, 1, &Promise{Ballot: n.promised, Accepted: list})
	}
	at := func(slot protocols.Index, round uint64, value int64) Pvalue {
		return Pvalue{Slot: slot, Ballot: newBallot(round, 2), Value: command(put(-1, uint64(value), value))}
	}
	n.merge(nil)
	report(2, at(1, 3, 13), at(4, 2, 42))
	report(3, at(1, 2, 12), at(2, 1, 21), at(4, 3, 43))
	if n.role != candidate || len(sent[*Accept](s, 1, 2)) != 0 {
		t.Fatal("it proposes before a quorum has promised (P-10)")
	}
	report(4, at(1, 4, 14))
	var got []int64
	for _, m := range sent[*Accept](s, 1, 2) {
		got = append(got, m.Value.Command.Arg)
	}
	// Slot 3 is a hole: a no-op (PMMC §2.2).
	if want := []int64{14, 21, 0, 43}; n.role != leader || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// New commands come above the highest slot reported.
	s.Wire = nil
	s.Request(1, put(-9, 1, 99))
	if m := sent[*Accept](s, 1, 2); len(m) != 1 || m[0].Slot != 5 {
		t.Errorf("got %v, want slot 5", m)
	}
}

// Rule 3: an acceptance raises the promise, is durable before it is answered, and a
// repeated one is answered again (PMMC p2b).
func TestAcceptIsDurableRaisesPromiseAndIsAnsweredAgain(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Receive(3, 2, &Prepare{Ballot: newBallot(1, 3), First: 1})
	s.Wire = nil
	s.ManualSync = true
	m := &Accept{Ballot: newBallot(2, 1), Slot: 1, Value: command(put(-1, 1, 5))}
	s.durably(1, &Promised{m.Ballot})
	s.durably(3, &Promised{m.Ballot})
	s.Receive(1, 2, m)
	s.Receive(1, 2, m)
	if len(s.Wire) != 0 || s.Node(2).promised != m.Ballot {
		t.Fatalf("promised %v and sent %v before the disk had it", s.Node(2).promised, s.Wire)
	}
	s.Sync(2)
	if got := sent[*Accepted](s, 2, 1); len(got) != 2 || *got[0] != (Accepted{Ballot: m.Ballot, Slot: 1}) {
		t.Errorf("got %v, want two answers", got)
	}
	if got := len(writtenBy[*AcceptedValue](s, 2)); got != 1 {
		t.Errorf("got %d records, want 1", got)
	}
	if n := s.Restart(2); n.promised != m.Ballot || n.slots.at(1).value != m.Value {
		t.Error("a restart forgets an acceptance")
	}
	s.Clean()
}

// Rule 3: slots are accepted in any order, and executed in order (PMMC §2).
func TestSlotsAreAcceptedInAnyOrderAndExecutedInOrder(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	for seq := range uint64(3) {
		s.Request(1, put(protocols.NodeID(-1-int(seq)), 1, int64(seq)))
	}
	accepts := s.Take(ofKind(KindAccept, 1, 2))
	for _, i := range []int{2, 1} {
		s.Receive(1, 2, accepts[i].Message)
		s.Deliver(ofKind(KindAccepted, protocols.Nobody, 1))
	}
	if n.execute.Applied != 0 || !n.slots.isChosen(2) || !n.slots.isChosen(3) {
		t.Fatalf("executed %d, want slots 2 and 3 chosen and none executed", n.execute.Applied)
	}
	s.Receive(1, 2, accepts[0].Message)
	s.Deliver(ofKind(KindAccepted, protocols.Nobody, 1))
	if n.execute.Applied != 3 || len(s.Replies) != 3 || s.Replies[0].Result.Position != 1 {
		t.Errorf("executed %d with %d replies, want 3", n.execute.Applied, len(s.Replies))
	}
	s.Clean()
}

// Rule 4: a slot is chosen by different acceptors of one ballot; an answer counts
// once, and the leader's own when its disk has it.
func TestChosenByDifferentAcceptorsOnly(t *testing.T) {
	s := newStage(t, 5, nil)
	n := s.elect(1, 2, 3, 4, 5)
	s.ManualSync = true
	s.Request(1, put(-1, 1, 5))
	yes := &Accepted{Ballot: n.promised, Slot: 1}
	s.Deliver(ofKind(KindAccept, 1, 2))
	s.Deliver(ofKind(KindAccept, 1, 3))
	s.Sync(2)
	s.Sync(3)
	s.Wire = nil
	for range 3 {
		s.Receive(2, 1, yes)
	}
	s.Receive(3, 1, yes)
	if n.execute.Applied != 0 {
		t.Fatal("chosen by two of five")
	}
	s.Sync(1)
	s.Deliver(ofKind(KindAccepted, 1, 1))
	if n.execute.Applied != 1 {
		t.Error("not chosen by three of five")
	}
	s.Clean()
}

// Rule 5: a higher ballot ends phase 2, and votes of the old one count for nothing.
func TestHigherBallotDeactivates(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	old := n.promised
	s.Request(1, put(-1, 1, 5))
	s.Wire = nil
	s.Receive(2, 1, &Nack{Ballot: old, Promised: newBallot(7, 3)})
	if n.role != follower {
		t.Fatalf("it is %s, want a follower", roleNames()[n.role])
	}
	s.Receive(2, 1, &Accepted{Ballot: old, Slot: 1})
	s.Receive(3, 1, &Accepted{Ballot: old, Slot: 1})
	if n.execute.Applied != 0 {
		t.Error("votes of a ballot that is over were counted")
	}
	s.Fire(1, timerElection)
	if n.promised != newBallot(8, 1) {
		t.Errorf("next ballot %v, want above what it was refused for", n.promised)
	}
	s.Settle(between(1, 2))
	if at := n.slots.at(1); at.ballot != n.promised || !at.chosen {
		t.Error("the open slot was not proposed again at the new ballot")
	}
}

// Rule 6: a commit index proves a slot only to who has accepted it at that ballot;
// others fetch the value.
func TestCommitIndexProvesOnlyItsOwnBallot(t *testing.T) {
	s := newStage(t, 3, nil)
	twoValues(s)
	n := s.Node(1)
	if n.execute.Applied != 0 || n.promised.Owner() != 3 {
		t.Fatalf("n1 has executed %d slots, want 0: it holds another value", n.execute.Applied)
	}
	s.Now += 1e9
	s.Fire(3, timerHeartbeat)
	s.Settle(between(1, 3))
	if n.execute.Applied != 1 || n.slots.at(1).value.Command.Arg != 6 {
		t.Error("n1 did not fetch the chosen value")
	}
	if r := writtenBy[*Learned](s, 1); len(r) != 1 || r[0].First != 1 {
		t.Errorf("got %v, want the learned value on disk", r)
	}
	if n = s.Restart(1); n.execute.Applied != 1 || n.slots.at(1).ballot != learned {
		t.Error("a restart forgets what was learned")
	}
	s.Clean()
}

// Two candidates stop each other once, and back off for a random time (PMS §2.4).
func TestCandidateBacksOff(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Fire(1, timerElection)
	s.Receive(2, 1, &Nack{Ballot: s.Node(1).promised, Promised: newBallot(3, 2)})
	if n := s.Node(1); n.role != follower || s.Actors[1].Timers[timerElection] != s.parameters.ElectionTimeout.Min {
		t.Error("it does not wait before it tries again")
	}
	s.Wire = nil
	s.Fire(1, timerElection)
	if got := sent[*Prepare](s, 1, 2); len(got) != 1 || got[0].Ballot != newBallot(4, 1) {
		t.Errorf("got %v, want a ballot of round 4", got)
	}
}

// A candidate whose messages were lost asks again in the same ballot, and only who
// has not answered.
func TestCandidateAsksAgainInItsBallot(t *testing.T) {
	s := newStage(t, 5, nil)
	s.Fire(1, timerElection)
	s.Deliver(between(1, 2))
	s.Deliver(between(1, 2))
	s.Wire = nil
	ballot := s.Node(1).promised
	s.Fire(1, timerElection)
	if s.Node(1).promised != ballot || len(sent[*Prepare](s, 1, 2)) != 0 || len(sent[*Prepare](s, 1, 3)) != 1 {
		t.Errorf("ballot %v, sent %v", s.Node(1).promised, s.Wire)
	}
}

// The leader sends again what stays open for a heartbeat's time.
func TestLeaderSendsOpenSlotsAgain(t *testing.T) {
	s := newStage(t, 5, nil)
	s.elect(1, 2, 3, 4, 5)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(between(1, 2))
	s.Deliver(between(1, 2))
	s.Wire = nil
	s.Fire(1, timerHeartbeat)
	if len(sent[*Accept](s, 1, 3)) != 0 {
		t.Error("sent again before a heartbeat's time")
	}
	s.Fire(1, timerHeartbeat)
	if len(sent[*Accept](s, 1, 2)) != 0 || len(sent[*Accept](s, 1, 3)) != 1 {
		t.Errorf("sent %v, want the slot to those who have not answered", s.Wire)
	}
}

// The leader proposes in at most Window slots above what it has executed; what comes
// then waits, and is refused when leadership ends (PMMC §4.2).
func TestWindowBoundsOpenSlots(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Window = 2 })
	n := s.elect(1, 2, 3)
	for c := range 4 {
		s.Request(1, put(protocols.NodeID(-1-c), 1, 5))
	}
	if n.slots.last != 2 {
		t.Fatalf("proposed up to slot %d, want 2", n.slots.last)
	}
	s.Deliver(func(l letter) bool { m, ok := l.Message.(*Accept); return ok && m.Slot == 1 })
	s.Deliver(ofKind(KindAccepted, protocols.Nobody, 1))
	if n.slots.last != 3 {
		t.Errorf("proposed up to slot %d, want 3 after one was executed", n.slots.last)
	}
	s.Receive(2, 1, &Nack{Ballot: n.promised, Promised: newBallot(9, 2)})
	if len(s.Refused) != 1 || s.Refused[0].Client != -4 {
		t.Errorf("refused %v, want only what was never proposed", s.Refused)
	}
	s.Clean()
}

// Explicit decisions go out as soon as a slot is chosen, without its value.
func TestDecideIsSentWhenAsked(t *testing.T) {
	for _, decide := range []string{DecidePiggyback, DecideExplicit} {
		s := newStage(t, 3, func(p *Parameters) { p.Decide = decide })
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		want := protocols.Index(0)
		if decide == DecideExplicit {
			want = 1
		}
		if got := s.Node(3).execute.Applied; got != want {
			t.Errorf("%s: n3 has executed %d slots, want %d", decide, got, want)
		}
		s.Clean()
	}
}

// Any phase 1 quorum meets any phase 2 quorum, and no more is needed (Howard et al.).
func TestFlexibleQuorums(t *testing.T) {
	s := newStage(t, 5, func(p *Parameters) { p.Q1, p.Q2 = 4, 2 })
	s.campaign(1, 2, 3)
	if s.Node(1).role == leader {
		t.Fatal("elected by three, want four")
	}
	n := s.elect(2, 3, 4, 5)
	s.Request(2, put(-1, 1, 5))
	s.Settle(between(2, 3))
	if n.execute.Applied != 1 {
		t.Error("not chosen by two")
	}
	// Two of five meet every four of five.
	s.Request(2, get(-2, 1))
	s.Settle(between(2, 3))
	if len(s.Replies) != 2 || s.Replies[1].Result.Value != 5 {
		t.Errorf("got %v, want a read confirmed by two", s.Replies)
	}
	s.Clean()
}

// Under serial writes an Accept leaves when the leader's own disk has the acceptance,
// and is not sent again before; under parallel writes it leaves at once.
func TestAcceptWaitsForTheLeadersDiskUnderSerialWrites(t *testing.T) {
	for write, early := range map[string]int{LeaderWriteParallel: 1, LeaderWriteSerial: 0} {
		s := newStage(t, 3, func(p *Parameters) { p.LeaderWrite = write })
		s.elect(1, 2, 3)
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		if got := len(sent[*Accept](s, 1, 2)); got != early {
			t.Errorf("%s: %d Accepts before the disk has it, want %d", write, got, early)
		}
		s.Fire(1, timerHeartbeat)
		s.Fire(1, timerHeartbeat) // what is overdue is sent again
		if got := len(sent[*Accept](s, 1, 2)); got != 2*early {
			t.Errorf("%s: %d Accepts after two heartbeats, want %d", write, got, 2*early)
		}
		s.Sync(1)
		if got := len(sent[*Accept](s, 1, 2)); got != 1+early {
			t.Errorf("%s: %d Accepts once the disk has it, want %d", write, got, 1+early)
		}
		s.ManualSync = false
		s.Settle(everything)
		if len(s.Replies) != 1 {
			t.Errorf("%s: %d answers, want 1", write, len(s.Replies))
		}
		s.Clean()
	}
}

// What is chosen stays so (Paxos Made Simple §2.2): a node that has learned a value from
// others does not put the late value of a ballot before in its place.
func TestLearnedValueOutlivesALateAccept(t *testing.T) {
	s := newStage(t, 5, nil)
	s.elect(1, 2, 3, 4, 5)
	s.Request(1, put(-1, 1, 5))
	late := s.Take(ofKind(KindAccept, 1, 5))
	s.Drop(everything)
	leading := s.elect(2, 3, 4)
	s.Request(2, put(-2, 1, 6))
	s.Settle(between(2, 3, 4))
	s.Drop(everything)
	n := s.Node(5)
	chosen := leading.slots.at(leading.execute.Applied).value
	s.Receive(5, 2, &CatchupRequest{First: 1})
	s.Settle(between(2, 5))
	if n.promised.Owner() != 1 || n.execute.Applied != leading.execute.Applied {
		t.Fatalf("n5 has promised %v and executed %d slots, want the ballot of n1 and all that n2 has", n.promised, n.execute.Applied)
	}
	s.Hand(late...)
	s.Receive(3, 5, &CatchupRequest{First: 1})
	told := sent[*CatchupResponse](s, 5, 3)
	if len(told) != 1 || told[0].Values[len(told[0].Values)-1] != chosen {
		t.Errorf("n5 tells %v, want %v at the end", told, chosen)
	}
	s.Clean()
}
