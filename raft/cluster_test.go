package raft

import "testing"

// A cluster of three elects, commits, loses its leader, and goes on.
func TestClusterSurvivesItsLeader(t *testing.T) {
	s := newStage(t, 3, nil)
	l := s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 11))
	s.Settle(everything)
	if len(s.Replies) != 1 || l.commit != 2 {
		t.Fatalf("got %d replies and commit index %d, want 1 and 2", len(s.Replies), l.commit)
	}
	s.Crash(1)
	l = s.elect(3, 2)
	s.Request(3, put(-1, 2, 12))
	s.Request(3, get(-2, 1))
	s.Settle(between(2, 3))
	if len(s.Replies) != 4 || s.Replies[3].Result.Value != 12 {
		t.Fatalf("got %v, want four (the new leader answers the first put as well), the last with value 12", s.Replies)
	}
	s.Boot(1)
	s.Now += 1e9
	s.Fire(3, timerHeartbeat)
	s.Settle(everything)
	s.Request(3, put(-1, 3, 13))
	s.Settle(everything)
	s.Fire(3, timerHeartbeat)
	s.Settle(everything)
	for _, a := range s.Actors[1:] {
		n := s.Node(a.ID)
		if n.commit != l.commit || n.execute.Hash() != l.execute.Hash() {
			t.Errorf("%v has commit index %d and state %x, want %d and %x", n.id, n.commit, n.execute.Hash(), l.commit, l.execute.Hash())
		}
	}
	s.Clean()
}

// A cluster of one elects itself, and answers once its own disk has the entry.
func TestClusterOfOne(t *testing.T) {
	s := newStage(t, 1, nil)
	s.elect(1)
	s.ManualSync = true
	s.Request(1, put(-1, 1, 11))
	s.Settle(everything)
	if len(s.Replies) != 0 {
		t.Fatal("answered before the disk had it")
	}
	s.Sync(1)
	s.Settle(everything)
	s.Request(1, get(-1, 2))
	if len(s.Replies) != 2 || s.Replies[1].Result.Value != 11 {
		t.Fatalf("got %v, want a put and then a get of 11", s.Replies)
	}
	s.Clean()
}
