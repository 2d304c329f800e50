package raft

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func followerReads(p *Parameters) { p.FollowerReads = true }

// §6.4: a follower asks the leader for the read index, and answers once it has executed
// that far.
func TestFollowerAnswersAfterTheReadIndex(t *testing.T) {
	s := newStage(t, 3, followerReads)
	s.elect(1, 2, 3)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Replies = nil
	s.Request(2, get(-2, 1)) // n2 does not know that the write is committed
	s.Settle(between(1, 2, 3))
	if len(s.Replies) != 1 || s.Replies[0].Result.Value != 5 {
		s.Fire(1, timerHeartbeat)
		s.Settle(everything)
	}
	if len(s.Replies) != 1 || s.Replies[0].Result.Value != 5 {
		t.Errorf("got %v, want 5", s.Replies)
	}
	s.Clean()
}

// A read at a follower waits for a round of heartbeats that began after it came: a
// leader that was replaced gives no index.
func TestFollowerReadOfADeposedLeaderIsNotAnswered(t *testing.T) {
	s := newStage(t, 5, followerReads)
	s.elect(1, 2, 3, 4, 5)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	s.elect(3, 4, 5)
	s.Request(3, put(-1, 1, 5))
	s.Settle(between(3, 4, 5))
	s.Replies = nil
	s.Request(2, get(-2, 1))
	s.Settle(between(1, 2))
	if len(s.Replies) != 0 {
		t.Errorf("answered %v by the word of a leader without a quorum", s.Replies)
	}
	// When n2 hears of the new leader, its read is refused: it has no effect.
	s.Fire(3, timerHeartbeat)
	s.Settle(everything)
	if len(s.Refused) != 1 || len(s.Node(2).asked) != 0 {
		t.Errorf("refused %v, want the read", s.Refused)
	}
	s.Clean()
}

// A node that does not lead says so; a question of an earlier life finds nothing.
func TestReadIndexOfAFollower(t *testing.T) {
	s := newStage(t, 3, followerReads)
	s.elect(1, 2, 3)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	s.Receive(2, 3, &ReadIndex{Term: 1, ID: 7})
	if m := sent[*ReadIndexResponse](s, 3, 2); len(m) != 1 || m[0].Index != 0 {
		t.Errorf("answered %v, want no index", m)
	}
	s.Wire = nil
	s.Request(2, get(-2, 1))
	s.Request(2, get(-2, 2)) // the client has given the first one up
	if len(s.Node(2).asked) != 1 {
		t.Errorf("%d reads wait, want 1", len(s.Node(2).asked))
	}
	s.Receive(1, 2, &ReadIndexResponse{Term: 1, ID: 99, Index: 1})
	s.Receive(1, 2, &ReadIndexResponse{Term: 1, ID: s.Node(2).readID})
	if len(s.Replies) != 0 || len(s.Refused) != 1 {
		t.Errorf("replied %v, refused %v; want the second refused", s.Replies, s.Refused)
	}
	s.Receive(1, 1, &ReadIndex{Term: 1})
	s.Request(2, get(-2, 3))
	s.Step(2, &protocols.Event{Kind: protocols.DiskFailed})
	if len(s.Refused) != 2 {
		t.Errorf("refused %v, want the third as well", s.Refused)
	}
	s.Clean()
}

// Under a lease the leader gives the index at once.
func TestFollowerReadUnderALease(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { followerReads(p); withLease(p) })
	s.elect(1, 2, 3)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	s.Request(2, get(-2, 1))
	s.Settle(between(1, 2))
	if len(s.Replies) != 1 {
		t.Errorf("got %v, want an answer without a round", s.Replies)
	}
	s.Clean()
}
