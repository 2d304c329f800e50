package raft

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// §3.10: the leader takes no more requests, brings the target up to date, and then
// tells it to campaign.
func TestTransferBringsTheTargetUpToDate(t *testing.T) {
	s := newStage(t, 3, nil)
	s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5))
	s.Settle(between(1, 2))
	s.transfer(1, 3)
	if len(sent[*TimeoutNow](s, 1, 3)) != 0 {
		t.Fatal("TimeoutNow was sent to a node that lacks an entry")
	}
	s.Request(1, put(-2, 1, 6))
	if len(s.Refused) != 1 || s.Node(1).log.Last() != 2 {
		t.Errorf("refused %v with a log up to %d, want the request refused", s.Refused, s.Node(1).log.Last())
	}
	s.Wire = nil
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	if n := s.Node(3); n.role != leader || n.term != 2 || s.Node(1).role != follower {
		t.Errorf("n3 is %s of term %d, want leader of 2", roleNames()[n.role], n.term)
	}
	s.Clean()
}

// §4.2.3: a voter that has just heard the leader votes at once when the leader asked
// for the election, and not otherwise.
func TestTransferDisregardsThePromise(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		s := newStage(t, 3, nil)
		l := s.elect(1, 2, 3)
		s.Fire(1, timerHeartbeat)
		s.Settle(everything)
		s.Receive(2, 3, &RequestVote{Term: 2, LastLogIndex: l.log.Last(), LastLogTerm: 1, LeadershipTransfer: wanted})
		if m := sent[*RequestVoteResponse](s, 3, 2); (len(m) == 1 && m[0].VoteGranted) != wanted {
			t.Errorf("wanted by the leader %v: answered %v", wanted, m)
		}
	}
}

// §3.10: a transfer that takes an election timeout is given up, and the leader goes on.
func TestTransferIsGivenUp(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Crash(3)
	s.transfer(1, 3)
	if s.Actors[1].Timers[timerTransfer] != s.parameters.ElectionTimeout.Max {
		t.Errorf("the timer is %v, want %v", s.Actors[1].Timers[timerTransfer], s.parameters.ElectionTimeout.Max)
	}
	s.Fire(1, timerTransfer)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	if n.role != leader || len(s.Replies) != 1 {
		t.Errorf("%s with %d replies, want a leader that answers", roleNames()[n.role], len(s.Replies))
	}
	s.Clean()
}

// §6.4.1: a leader that has sent TimeoutNow takes no lease in its term any more, also
// when the transfer is given up: the message may still arrive.
func TestTransferEndsTheLease(t *testing.T) {
	s := newStage(t, 3, withLease)
	n := s.elect(1, 2, 3)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	if n.leaseUntil <= s.Now {
		t.Fatal("no lease to lose")
	}
	s.transfer(1, 2)
	s.Drop(everything)
	s.Fire(1, timerTransfer)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	if n.role != leader || n.leaseUntil != 0 {
		t.Errorf("%s with a lease until %v, want a leader without", roleNames()[n.role], n.leaseUntil)
	}
	s.Request(1, get(-1, 1))
	s.Settle(everything)
	if len(s.Replies) != 1 {
		t.Error("a read by ReadIndex is not answered")
	}
	s.Clean()
}

// Without a target the voter with most of the log is chosen; who cannot lead is not.
func TestTransferChoosesAVoter(t *testing.T) {
	s := newStageOf(t, protocols.Cluster{Replicas: 4, Members: protocols.NodesUpTo(3)}, nil)
	n := s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5))
	s.Settle(between(1, 3))
	for _, target := range []protocols.NodeID{1, 4, 99} {
		if s.transfer(1, target); n.transfer.target != protocols.Nobody {
			t.Errorf("a transfer to %v was begun", target)
		}
	}
	s.transfer(1, protocols.Nobody)
	if n.transfer.target != 3 || len(sent[*TimeoutNow](s, 1, 3)) != 1 {
		t.Errorf("the target is %v, want n3", n.transfer.target)
	}
	s.transfer(2, 3)
	s.Receive(1, 2, &TimeoutNow{Term: 9}) // of no term that it knows
	s.Receive(3, 2, &TimeoutNow{Term: 1}) // of no leader
	if s.Node(2).role != follower {
		t.Errorf("n2 is %s, want follower", roleNames()[s.Node(2).role])
	}
	s.Clean()
}
