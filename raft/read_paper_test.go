package raft

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The rules of reads and clients (§6); see raft_paper_test.go.

// A leader starts its term with a no-op, and answers no read before that is
// committed: it may not know yet what an earlier leader committed (§6.4, R-18).
func TestElectionAppendsNoOpBeforeAnyRead(t *testing.T) {
	for _, reads := range []string{ReadsReadIndex, ReadsLease} {
		s := newStage(t, 3, func(p *Parameters) { p.Reads = reads })
		n := s.elect1WithVoteOf2(t)
		if last := n.log.At(n.log.Last()); last.Term != n.term || last.Command.Client != protocols.Nobody {
			t.Errorf("the log ends with %+v, want a no-op", last)
		}
		s.Fire(1, timerHeartbeat)
		s.Request(1, get(-1, 1))
		s.Deliver(everything)
		s.Deliver(everything)
		s.Request(1, get(-2, 1)) // by now there is a lease
		s.Deliver(everything)
		s.Deliver(everything)
		if len(s.Replies) != 0 {
			t.Errorf("%s: answered before the no-op was committed", reads)
		}
		s.Receive(2, 1, &AppendEntriesResponse{Term: n.term, Success: true, MatchIndex: 1, MatchTerm: n.term})
		if len(s.Replies) != 2 {
			t.Errorf("%s: got %d replies, want 2", reads, len(s.Replies))
		}
	}
}

// A read waits for a round of heartbeats sent after it came; answers to earlier
// rounds confirm nothing (§6.4, R-19).
func TestReadIndexWaitsForItsOwnRound(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Request(1, get(-1, 1))
	first := n.round
	s.Request(1, get(-2, 1))
	s.Request(1, get(-1, 1)) // a retry gets a round of its own
	if n.round != first+2 {
		t.Fatalf("got rounds up to %d, want %d", n.round, first+2)
	}
	s.Receive(2, 1, &HeartbeatResponse{Term: 1, Round: first - 1})
	if len(s.Replies) != 0 {
		t.Error("answered by an earlier round")
	}
	s.Receive(2, 1, &HeartbeatResponse{Term: 1, Round: first})
	if len(s.Replies) != 1 || s.Replies[0].Command.Client != -1 {
		t.Errorf("got %v, want only the first read", s.Replies)
	}
	s.Receive(3, 1, &HeartbeatResponse{Term: 1, Round: first + 2}) // later rounds confirm earlier reads
	if len(s.Replies) != 3 {
		t.Errorf("got %d replies, want 3", len(s.Replies))
	}
	s.Clean()
}

// A lease starts when its round was sent, and is shortened by the clock bound
// (§6.4.1, R-21, R-22).
func TestLeaseStartsAtSendAndIsShortened(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Reads, p.MaxDrift = ReadsLease, 100_000_000 })
	n := s.elect(1, 2, 3)
	sentAt := s.Now
	s.Fire(1, timerHeartbeat)
	s.Now += 20e6
	s.Deliver(everything)
	s.Deliver(ofKind(KindHeartbeatResponse, 2, 1))
	want := sentAt.Add(150 * 1000 * 1000 * 9 / 11)
	if n.leaseUntil != want {
		t.Fatalf("lease until %v, want %v", n.leaseUntil, want)
	}
	s.Wire = nil
	s.Now = want - 1
	s.Request(1, get(-1, 1))
	if len(s.Replies) != 1 || len(s.Wire) != 0 {
		t.Errorf("%d replies and %d messages within the lease, want 1 and 0", len(s.Replies), len(s.Wire))
	}
	s.Now = want
	s.Request(1, get(-1, 2))
	if len(s.Replies) != 1 || len(s.Wire) != 2 {
		t.Errorf("%d replies and %d messages after the lease, want 1 and a round", len(s.Replies), len(s.Wire))
	}
	s.Clean()
}

// A voter honours the lease also after a restart, when it has forgotten whom it
// heard (§6.4.1, R-25).
func TestLeaseIsHonouredAfterRestart(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Reads = ReadsLease })
	s.elect(1, 2, 3)
	s.Restart(2)
	ask := &RequestVote{Term: 8, LastLogIndex: 9, LastLogTerm: 7}
	s.Now = s.Now.Add(s.parameters.ElectionTimeout.Min - 1)
	s.Receive(3, 2, ask)
	if s.Node(2).term != 1 {
		t.Error("voted within the minimum election timeout of its restart")
	}
	s.Now++
	s.Receive(3, 2, ask)
	if s.Node(2).vote != 3 {
		t.Error("does not vote after it")
	}
}

// A command is executed once, however often it is sent; a retry gets the first
// result (§6.3, R-44).
func TestClientRequestIsExecutedOnce(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5))
	s.Request(1, put(-1, 1, 5)) // in the log already
	if n.log.Last() != 2 {
		t.Errorf("the log ends at %d, want 2", n.log.Last())
	}
	s.Settle(everything)
	s.Request(1, put(-2, 1, 6))
	s.Settle(everything)
	s.Request(1, put(-1, 1, 5)) // executed already
	if len(s.Replies) != 3 || s.Replies[2].Result.Position != 2 || n.log.Last() != 3 {
		t.Errorf("got %v and a log up to %d, want a third reply from the session, and 3", s.Replies, n.log.Last())
	}
	// A retry at a leader that did not know better is de-duplicated at execution.
	n.append(Entry{Term: n.term, Command: put(-1, 1, 5)}, protocols.NewEffects(protocols.NewMemory(protocols.Keep)))
	before := n.execute.Machine.Hash()
	n.advanceCommit(n.log.Last(), protocols.NewEffects(protocols.NewMemory(protocols.Keep)))
	if n.execute.Machine.Hash() != before {
		t.Error("executed twice")
	}
}

// Who does not lead refuses, and says who does; who loses the lead says nothing
// of what is in its log (§6.2, R-47).
func TestClientIsRefusedOnlyDefinitely(t *testing.T) {
	s := newStage(t, 3, nil)
	s.elect(1, 2, 3)
	s.Request(2, put(-1, 1, 5))
	s.Request(2, get(-2, 1))
	if len(s.Refused) != 2 {
		t.Fatalf("refused %v, want both", s.Refused)
	}
	s.Request(1, put(-1, 1, 5))
	s.Receive(3, 1, &HeartbeatResponse{Term: 5})
	if len(s.Refused) != 2 || s.Node(1).role != follower {
		t.Errorf("refused %v, want silence about what may still commit", s.Refused)
	}
}

// Rounds belong to a term: what was answered, and leased, in an earlier term of
// the same leader counts for nothing (§6.4).
func TestReadIndexRoundsBelongToTheirTerm(t *testing.T) {
	for _, reads := range []string{ReadsReadIndex, ReadsLease} {
		s := newStage(t, 3, func(p *Parameters) { p.Reads = reads })
		n := s.elect(1, 2, 3)
		for range 9 {
			s.Fire(1, timerHeartbeat)
		}
		s.Settle(everything)
		until := n.leaseUntil
		s.Receive(2, 1, &HeartbeatResponse{Term: 2})
		if s.elect(1, 2, 3); n.term != 3 {
			t.Fatalf("term %d, want 3", n.term)
		}
		if until > 0 {
			s.Now = until - 1 // as if the election had been that quick
		}
		s.Request(1, get(-1, 1))
		if len(s.Replies) != 0 {
			t.Errorf("%s: answered by rounds of an earlier term", reads)
		}
		s.Receive(2, 1, &HeartbeatResponse{Term: 1, Round: 1})
		if len(s.Replies) != 0 {
			t.Errorf("%s: answered by a message of an earlier term", reads)
		}
		s.Settle(everything)
		if len(s.Replies) != 1 {
			t.Errorf("%s: got %d replies, want 1", reads, len(s.Replies))
		}
	}
}

// An answer to an earlier round that comes late takes nothing back (§6.4).
func TestReadIndexLateAnswersTakeNothingBack(t *testing.T) {
	s := newStage(t, 5, nil)
	n := s.elect(1, 2, 3, 4, 5)
	s.Request(1, get(-1, 1))
	round := n.round
	s.Receive(2, 1, &HeartbeatResponse{Term: 1, Round: round})
	s.Receive(2, 1, &HeartbeatResponse{Term: 1, Round: round - 1})
	s.Receive(3, 1, &HeartbeatResponse{Term: 1, Round: round})
	if len(s.Replies) != 1 {
		t.Errorf("got %d replies, want 1", len(s.Replies))
	}
}
