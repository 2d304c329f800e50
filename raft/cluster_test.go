package raft

import "testing"

// A cluster of three elects, commits, loses its leader, and goes on.
func TestClusterSurvivesItsLeader(t *testing.T) {
	s := newStage(t, 3, nil)
	l := s.elect(1, 2, 3)
	s.request(1, put(-1, 1, 11))
	s.settle(everything)
	if len(s.replies) != 1 || l.commit != 2 {
		t.Fatalf("got %d replies and commit index %d, want 1 and 2", len(s.replies), l.commit)
	}
	s.crash(1)
	l = s.elect(3, 2)
	s.request(3, put(-1, 2, 12))
	s.request(3, get(-2, 1))
	s.settle(between(2, 3))
	if len(s.replies) != 4 || s.replies[3].Result.Value != 12 {
		t.Fatalf("got %v, want four (the new leader answers the first put as well), the last with value 12", s.replies)
	}
	s.boot(1, nil)
	s.now += 1e9
	s.fire(3, timerHeartbeat)
	s.settle(everything)
	s.request(3, put(-1, 3, 13))
	s.settle(everything)
	s.fire(3, timerHeartbeat)
	s.settle(everything)
	for id := range s.actors[1:] {
		n := s.actors[id+1].node
		if n.commit != l.commit || n.execute.Hash() != l.execute.Hash() {
			t.Errorf("%v has commit index %d and state %x, want %d and %x", n.id, n.commit, n.execute.Hash(), l.commit, l.execute.Hash())
		}
	}
	s.clean()
}

// A cluster of one elects itself, and answers once its own disk has the entry.
func TestClusterOfOne(t *testing.T) {
	s := newStage(t, 1, nil)
	s.elect(1)
	s.manualSync = true
	s.request(1, put(-1, 1, 11))
	s.settle(everything)
	if len(s.replies) != 0 {
		t.Fatal("answered before the disk had it")
	}
	s.sync(1)
	s.settle(everything)
	s.request(1, get(-1, 2))
	if len(s.replies) != 2 || s.replies[1].Result.Value != 11 {
		t.Fatalf("got %v, want a put and then a get of 11", s.replies)
	}
	s.clean()
}
