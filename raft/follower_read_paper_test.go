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
	s.fire(1, timerHeartbeat)
	s.settle(everything)
	s.request(1, put(-1, 1, 5))
	s.settle(everything)
	s.replies = nil
	s.request(2, get(-2, 1)) // n2 does not know that the write is committed
	s.settle(between(1, 2, 3))
	if len(s.replies) != 1 || s.replies[0].Result.Value != 5 {
		s.fire(1, timerHeartbeat)
		s.settle(everything)
	}
	if len(s.replies) != 1 || s.replies[0].Result.Value != 5 {
		t.Errorf("got %v, want 5", s.replies)
	}
	s.clean()
}

// A read at a follower waits for a round of heartbeats that began after it came: a
// leader that was replaced gives no index.
func TestFollowerReadOfADeposedLeaderIsNotAnswered(t *testing.T) {
	s := newStage(t, 5, followerReads)
	s.elect(1, 2, 3, 4, 5)
	s.fire(1, timerHeartbeat)
	s.settle(everything)
	s.elect(3, 4, 5)
	s.request(3, put(-1, 1, 5))
	s.settle(between(3, 4, 5))
	s.replies = nil
	s.request(2, get(-2, 1))
	s.settle(between(1, 2))
	if len(s.replies) != 0 {
		t.Errorf("answered %v by the word of a leader without a quorum", s.replies)
	}
	// When n2 hears of the new leader, its read is refused: it has no effect.
	s.fire(3, timerHeartbeat)
	s.settle(everything)
	if len(s.refused) != 1 || len(s.node(2).asked) != 0 {
		t.Errorf("refused %v, want the read", s.refused)
	}
	s.clean()
}

// A node that does not lead says so; a question of an earlier life finds nothing.
func TestReadIndexOfAFollower(t *testing.T) {
	s := newStage(t, 3, followerReads)
	s.elect(1, 2, 3)
	s.fire(1, timerHeartbeat)
	s.settle(everything)
	s.receive(2, 3, &ReadIndex{Term: 1, ID: 7})
	if m := sent[*ReadIndexResponse](s, 3, 2); len(m) != 1 || m[0].Index != 0 {
		t.Errorf("answered %v, want no index", m)
	}
	s.wire = nil
	s.request(2, get(-2, 1))
	s.request(2, get(-2, 2)) // the client has given the first one up
	if len(s.node(2).asked) != 1 {
		t.Errorf("%d reads wait, want 1", len(s.node(2).asked))
	}
	s.receive(1, 2, &ReadIndexResponse{Term: 1, ID: 99, Index: 1})
	s.receive(1, 2, &ReadIndexResponse{Term: 1, ID: s.node(2).readID})
	if len(s.replies) != 0 || len(s.refused) != 1 {
		t.Errorf("replied %v, refused %v; want the second refused", s.replies, s.refused)
	}
	s.receive(1, 1, &ReadIndex{Term: 1})
	s.request(2, get(-2, 3))
	s.step(2, &protocols.Event{Kind: protocols.DiskFailed})
	if len(s.refused) != 2 {
		t.Errorf("refused %v, want the third as well", s.refused)
	}
	s.clean()
}

// Under a lease the leader gives the index at once.
func TestFollowerReadUnderALease(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { followerReads(p); withLease(p) })
	s.elect(1, 2, 3)
	s.fire(1, timerHeartbeat)
	s.settle(everything)
	s.request(2, get(-2, 1))
	s.settle(between(1, 2))
	if len(s.replies) != 1 {
		t.Errorf("got %v, want an answer without a round", s.replies)
	}
	s.clean()
}
