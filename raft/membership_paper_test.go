package raft

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// spares is a cluster of n replicas of which the first few are members.
func spares(t *testing.T, n, members int, change func(*Parameters)) *stage {
	return newStageOf(t, protocols.Cluster{Replicas: n, Members: protocols.NodesUpTo(members)}, change)
}

// inForce fails the test unless id follows the voters.
func (s *stage) inForce(id protocols.NodeID, voters, outgoing protocols.NodeSet) {
	s.t.Helper()
	if c := s.Node(id).configuration(); c.Voters != voters || c.Outgoing != outgoing {
		s.t.Errorf("%v follows voters %v and outgoing %v, want %v and %v", id, c.Voters, c.Outgoing, voters, outgoing)
	}
}

var none protocols.NodeSet

// §4.1: a configuration is in force as soon as it is in the log, and goes with its
// entry when that is truncated.
func TestConfigurationIsInForceWhenAppended(t *testing.T) {
	s := spares(t, 3, 3, single)
	s.elect(1, 2, 3)
	s.reconfigure(1, protocols.Nodes(1, 2), none)
	s.inForce(1, protocols.Nodes(1, 2), none)
	s.Deliver(ofKind(KindAppendEntries, 1, 2))
	s.inForce(2, protocols.Nodes(1, 2), none)
	s.inForce(3, protocols.NodesUpTo(3), none)
	if s.Node(2).commit > 1 {
		t.Error("n2 takes it as committed")
	}
	s.Crash(2)
	s.Boot(2)
	s.inForce(2, protocols.Nodes(1, 2), none) // also after a restart

	s = spares(t, 3, 3, single)
	s.elect(1, 2, 3)
	s.reconfigure(1, protocols.Nodes(1, 2), none) // on n1 alone
	s.elect(3, 2)
	s.Fire(3, timerHeartbeat)
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(3, timerHeartbeat)
	s.Settle(everything)
	s.inForce(1, protocols.NodesUpTo(3), none)
	s.Clean()
}

// One configuration at a time (§4.1), and none before an entry of the leader's own term
// is committed (Ongaro, raft-dev, 2015).
func TestConfigurationChangesOneAtATime(t *testing.T) {
	s := spares(t, 5, 5, single)
	s.Now += 1e9
	s.Fire(1, timerElection)
	s.Settle(func(l letter) bool { return l.Message.Kind() != KindAppendEntries })
	n := s.Node(1)
	s.reconfigure(1, protocols.NodesUpTo(3), none)
	if n.log.Last() != 1 {
		t.Errorf("the log ends at %d before an entry of the term is committed, want 1", n.log.Last())
	}
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(1, timerHeartbeat)
	s.Deliver(ofKind(KindHeartbeat, 1, protocols.Nobody))
	s.Deliver(ofKind(KindHeartbeatResponse, protocols.Nobody, 1))
	s.Deliver(ofKind(KindAppendEntries, 1, protocols.Nobody))
	s.Deliver(ofKind(KindAppendEntriesResponse, protocols.Nobody, 1))
	s.inForce(1, protocols.Nodes(1, 2, 3, 5), none)
	s.reconfigure(1, protocols.NodesUpTo(4), none) // another wish, while that is not committed
	s.inForce(1, protocols.Nodes(1, 2, 3, 5), none)
	s.Settle(everything)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	s.inForce(1, protocols.NodesUpTo(4), none)
	s.Clean()
}

// §4.2.1: who joins gets the log without a vote first, and votes once it has caught up.
func TestLearnersCatchUpFirst(t *testing.T) {
	for _, change := range []func(*Parameters){asIs, single} {
		s := spares(t, 4, 3, change)
		s.elect(1, 2, 3)
		n := s.Node(1)
		s.Crash(4)
		s.reconfigure(1, protocols.NodesUpTo(4), none)
		s.Settle(everything)
		s.inForce(1, protocols.NodesUpTo(3), none)
		if n.configuration().Learners != protocols.Nodes(4) {
			t.Fatalf("the learners are %v, want n4", n.configuration().Learners)
		}
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2))
		if n.commit != n.log.Last() {
			t.Error("the learner is waited for")
		}
		s.Boot(4)
		var v protocols.View
		if s.Node(4).View(&v); roleNames()[v.Role] != "learner" || s.Actors[4].Timers[timerElection] != 0 {
			t.Errorf("n4 is shown as %s with an election timer of %v", roleNames()[v.Role], s.Actors[4].Timers[timerElection])
		}
		s.Now = s.Now.Add(s.parameters.Heartbeat)
		s.Fire(1, timerHeartbeat)
		s.Settle(everything)
		s.Fire(1, timerHeartbeat)
		s.Settle(everything)
		s.inForce(1, protocols.NodesUpTo(4), none)
		s.inForce(4, protocols.NodesUpTo(4), none)
		s.Clean()
	}
}

// A learner whose rounds take longer than an election timeout is not caught up.
func TestSlowLearnersDoNotVote(t *testing.T) {
	s := spares(t, 4, 3, func(p *Parameters) { single(p); p.Window = 1 })
	s.elect(1, 2, 3)
	s.reconfigure(1, protocols.NodesUpTo(4), none)
	s.Settle(between(1, 2, 3))
	toFour := func(l letter) bool { return l.To == 4 }
	for i := range uint64(6) {
		s.Fire(1, timerHeartbeat)
		s.Request(1, put(-1, i+1, 5))
		for s.Deliver(between(1, 2, 3)) > 0 {
		}
		s.Now = s.Now.Add(s.parameters.ElectionTimeout.Min)
		s.Deliver(toFour)
		s.Deliver(between(1, 4))
		s.inForce(1, protocols.NodesUpTo(3), none)
	}
	if got := s.Node(4).log.Last(); got < 5 {
		t.Errorf("n4's log ends at %d, want nearly all of it", got)
	}
	s.Clean()
}

// §4.3: C_old,new needs both majorities, for elections and for commits; C_new follows
// by itself, whoever leads then.
func TestJointConsensusNeedsBothMajorities(t *testing.T) {
	old, next := protocols.NodesUpTo(3), protocols.Nodes(3, 4, 5)
	joint := func() *stage {
		s := spares(t, 5, 3, asIs)
		s.elect(1, 2, 3)
		s.reconfigure(1, old, protocols.Nodes(4, 5))
		s.Settle(everything)
		s.reconfigure(1, next, none)
		s.inForce(1, next, old)
		return s
	}
	s := joint()
	s.Settle(between(1, 4, 5))
	if n := s.Node(1); n.commit != 2 {
		t.Errorf("commit index %d with n1 n4 n5, want 2", n.commit)
	}
	s = joint()
	s.Settle(between(1, 2))
	if n := s.Node(1); n.commit != 2 {
		t.Errorf("commit index %d with n1 n2, want 2", n.commit)
	}
	s = joint()
	s.Settle(between(1, 2, 4, 5))
	s.inForce(4, next, none)
	if n := s.Node(1); n.commit != 4 || n.role != follower {
		t.Errorf("commit index %d as %s; want 4, and a leader that is not in C_new gone", n.commit, roleNames()[n.role])
	}
	s.Clean()

	s = joint()
	s.Deliver(ofKind(KindAppendEntries, 1, protocols.Nobody))
	s.Wire = nil
	s.Crash(1)
	s.Now += 1e9
	s.Fire(4, timerElection)
	s.Settle(between(4, 5))
	if n := s.Node(4); n.role == leader {
		t.Error("n4 is elected without a majority of C_old")
	}
	s.elect(4, 5, 2, 3)
	s.inForce(4, next, none)
	if got := s.Node(4).noted.config.Voters; got != next {
		t.Errorf("the last configuration committed has %v, want %v", got, next)
	}
	s.Clean()
}

// §4.2.2: a leader that removes itself leads until that is committed, and does not count
// itself meanwhile.
func TestLeaderRemovesItself(t *testing.T) {
	s := newStage(t, 3, single)
	n := s.elect(1, 2, 3)
	s.reconfigure(1, protocols.Nodes(2, 3), none)
	s.Settle(between(1, 2))
	if n.role != leader || n.commit != 1 {
		t.Fatalf("%s with commit index %d, want the leader with 1", roleNames()[n.role], n.commit)
	}
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	if n.role != follower || n.mayCampaign() || s.Node(3).commit != 2 {
		t.Errorf("%s, may campaign %v; n3 has commit index %d, want 2", roleNames()[n.role], n.mayCampaign(), s.Node(3).commit)
	}
	s.elect(3, 2)
	s.Clean()
}

// §4.2.2: a server that its own log removes campaigns until that is committed: it may be
// the only one with the entry.
func TestRemovedServerMayBeNeeded(t *testing.T) {
	s := newStage(t, 2, single)
	s.elect(1, 2)
	s.reconfigure(1, protocols.Nodes(2), none)
	s.Wire = nil
	s.Restart(1)
	s.Now += 1e9
	s.Fire(2, timerElection)
	s.Settle(everything)
	if s.Node(2).role == leader {
		t.Fatal("n2 is elected with the shorter log")
	}
	s.Fire(1, timerElection)
	s.Settle(everything)
	if n := s.Node(2); n.commit < 2 || n.configuration().Voters != protocols.Nodes(2) {
		t.Errorf("n2 has commit index %d and voters %v, want n2 alone", n.commit, n.configuration().Voters)
	}
	s.elect(2)
	s.Clean()
}

// §4.2.3: a removed server that hears nobody does not disturb those that hear a leader.
func TestRemovedServerDoesNotDisturb(t *testing.T) {
	s := newStage(t, 4, func(p *Parameters) { single(p); p.PreVote = false })
	n := s.elect(1, 2, 3, 4)
	s.reconfigure(1, protocols.NodesUpTo(3), none)
	s.Settle(between(1, 2, 3)) // n4 does not know
	s.Fire(1, timerHeartbeat)
	s.Settle(between(1, 2, 3))
	s.Fire(4, timerElection)
	s.Settle(everything)
	if n.role != leader || n.term != 1 || s.Node(4).term != 2 {
		t.Errorf("n1 is %s of term %d, want leader of 1", roleNames()[n.role], n.term)
	}
	// Its vote is asked for, and given, as the paper says.
	s.Now += 1e9
	s.Receive(2, 4, &RequestVote{Term: 3, LastLogIndex: 9, LastLogTerm: 1})
	if m := sent[*RequestVoteResponse](s, 4, 2); len(m) != 1 || !m[0].VoteGranted {
		t.Errorf("answered %v, want a vote", m)
	}
	s.Clean()
}

// What cannot be a configuration, or is asked of the wrong node, is refused.
func TestReconfigurationIsRefused(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.reconfigure(2, protocols.Nodes(1), none)
	s.reconfigure(1, none, none)
	s.reconfigure(1, protocols.Nodes(1, 9), none)
	s.reconfigure(1, protocols.Nodes(1, 2), protocols.Nodes(2))
	s.Step(1, &protocols.Event{Kind: protocols.AdminEvent})
	s.reconfigure(1, protocols.NodesUpTo(3), none) // as it is
	if n.log.Last() != 1 || n.wish.active {
		t.Errorf("the log ends at %d, want 1", n.log.Last())
	}
	s.Clean()
}

// Voters become learners and learners go, by either way.
func TestVotersBecomeLearners(t *testing.T) {
	for _, change := range []func(*Parameters){asIs, single} {
		s := newStage(t, 4, change)
		s.elect(1, 2, 3, 4)
		s.reconfigure(1, protocols.NodesUpTo(3), protocols.Nodes(4))
		s.Settle(everything)
		s.inForce(1, protocols.NodesUpTo(3), none)
		if got := s.Node(1).configuration().Learners; got != protocols.Nodes(4) {
			t.Errorf("the learners are %v, want n4", got)
		}
		s.reconfigure(1, protocols.NodesUpTo(3), none)
		s.Settle(everything)
		if got := s.Node(1).configuration().Learners; !got.Empty() {
			t.Errorf("the learners are %v, want none", got)
		}
		s.Clean()
	}
}

// A node whose disk was wiped neither votes nor counts nor campaigns until it was
// removed and added with its new disk; then it does.
func TestWipedServerRejoinsByReconfiguration(t *testing.T) {
	for _, change := range []func(*Parameters){asIs, single} {
		s := newStage(t, 3, change)
		n := s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		s.Wipe(3)
		s.Boot(3)
		s.Receive(2, 3, &RequestVote{Term: 1, LastLogIndex: 99, LastLogTerm: 1}) // it has voted in this term
		if m := sent[*RequestVoteResponse](s, 3, 2); len(m) != 1 || m[0].VoteGranted {
			t.Errorf("answered %v, want no vote", m)
		}
		s.Wire = nil
		beat := func() {
			for range 3 {
				s.Now = s.Now.Add(s.parameters.Heartbeat)
				s.Fire(1, timerHeartbeat)
				s.Settle(everything)
			}
		}
		beat()
		s.Request(1, put(-1, 2, 6))
		s.Settle(between(1, 3))
		if n.commit != 2 || s.Node(3).log.Last() < 2 {
			t.Errorf("commit index %d with a log up to %d at n3; want 2: it gets the log and does not count", n.commit, s.Node(3).log.Last())
		}
		beat()
		s.reconfigure(1, protocols.Nodes(1, 2), none)
		beat()
		s.reconfigure(1, protocols.NodesUpTo(3), none)
		beat()
		c := n.configuration()
		if c.Voters != protocols.NodesUpTo(3) || c.disk(3) != s.Node(3).disk || !s.Node(3).mayCampaign() {
			t.Fatalf("voters %v, disk %d of n3; want it back with disk %d", c.Voters, c.disk(3), s.Node(3).disk)
		}
		s.Request(1, put(-1, 3, 7))
		s.Settle(between(1, 3))
		if n.commit != n.log.Last() {
			t.Error("it does not count again")
		}
		s.Crash(1)
		s.Restart(3)
		s.elect(3, 2)
		s.Clean()
	}
}

// The configuration in force is part of a snapshot, the disks in it included, and a
// node that joins by the snapshot follows it.
func TestSnapshotBringsTheConfiguration(t *testing.T) {
	s := spares(t, 3, 2, snapshots)
	s.elect(1, 2)
	for seq := range uint64(4) {
		s.Request(1, put(-1, seq+1, 5))
		s.Settle(everything)
	}
	s.reconfigure(1, protocols.Nodes(1, 2), protocols.Nodes(3))
	for range 3 {
		s.Settle(everything)
		s.Now = s.Now.Add(s.parameters.Heartbeat)
		s.Fire(1, timerHeartbeat)
	}
	if c := s.Node(3).configuration(); c.Voters != protocols.Nodes(1, 2) || s.Node(3).base() == 0 {
		t.Errorf("n3 follows voters %v with a snapshot of %d, want n1 n2", c.Voters, s.Node(3).base())
	}
	s.Clean()
}
