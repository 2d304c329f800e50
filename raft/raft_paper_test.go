package raft

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// One test per rule of the paper: set up, one deed, check. The section is that of
// the dissertation.

// A higher term is persisted with no vote, and makes a follower of anyone (§3.3).
func TestTermHigherIsTakenOverAndPersisted(t *testing.T) {
	for _, m := range []protocols.Message{
		&RequestVote{Term: 9}, &RequestVoteResponse{Term: 9}, &PreVoteResponse{Term: 9},
		&AppendEntries{Term: 9}, &AppendEntriesResponse{Term: 9}, &Heartbeat{Term: 9}, &HeartbeatResponse{Term: 9},
	} {
		s := newStage(t, 3, func(p *Parameters) { p.CheckQuorum = false })
		n := s.elect(1, 2, 3)
		s.Receive(2, 1, m)
		records := s.Actors[1].Disk
		taken := func(r written) bool {
			h, ok := r.Record.(*HardState)
			return ok && *h == HardState{Term: 9}
		}
		if n.term != 9 || n.role != follower || !slices.ContainsFunc(records, taken) {
			t.Errorf("%T: term %d as %s, want a persisted term 9 as follower", m, n.term, roleNames()[n.role])
		}
		s.Clean()
	}
}

// PreVote requests and grants carry a future term and raise nobody's (§9.6, R-15).
func TestTermOfPreVoteRaisesNobody(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Receive(2, 1, &PreVote{Term: 7})
	s.Receive(2, 1, &PreVoteResponse{Term: 7, VoteGranted: true})
	if n := s.Node(1); n.term != 0 || len(s.Actors[1].Disk) != 0 {
		t.Errorf("term %d with %d records, want 0 and none", n.term, len(s.Actors[1].Disk))
	}
}

// A request of a lower term is refused with the receiver's own (§3.3), also a
// PreVote: or one node with a high term and one with a long log wait for each
// other for ever.
func TestTermLowerIsRefusedWithOwnTerm(t *testing.T) {
	s := withDisks(t, nil, []protocols.Record{&HardState{Term: 5}}, nil)
	n := s.Node(1)
	s.Receive(2, 1, &RequestVote{Term: 3})
	s.Receive(2, 1, &PreVote{Term: 3})
	s.Receive(2, 1, &AppendEntries{Term: 3})
	s.Receive(2, 1, &Heartbeat{Term: 3})
	if len(s.Wire) != 4 {
		t.Fatalf("got %d answers, want 4", len(s.Wire))
	}
	if m := sent[*RequestVoteResponse](s, 1, 2)[0]; m.Term != 5 || m.VoteGranted {
		t.Errorf("got %+v", m)
	}
	if m := sent[*PreVoteResponse](s, 1, 2)[0]; m.Term != 5 || m.VoteGranted {
		t.Errorf("got %+v", m)
	}
	if m := sent[*AppendEntriesResponse](s, 1, 2)[0]; m.Term != 5 || m.Success {
		t.Errorf("got %+v", m)
	}
	if m := sent[*HeartbeatResponse](s, 1, 2)[0]; m.Term != 5 {
		t.Errorf("got %+v", m)
	}
	if n.term != 5 || n.leader != protocols.Nobody {
		t.Errorf("term %d led by %v, want 5 and nobody", n.term, n.leader)
	}
}

// With PreVote and CheckQuorum a high term with a short log and a low term with a
// long log still elect a leader (§9.6, R-16).
func TestPreVoteAndCheckQuorumDoNotDeadlock(t *testing.T) {
	s := withDisks(t, nil, withLog(2, 1, 2), withLog(9, 1), nil)
	s.Crash(3)
	for range 3 {
		s.Now += 1e9
		s.Fire(2, timerElection)
		s.Fire(1, timerElection)
		s.Settle(everything)
	}
	if s.Node(1).role != leader {
		t.Error("the longer log does not lead")
	}
	s.Clean()
}

// A vote is granted iff the term is current, none was given to another, and the
// candidate's log is at least as up-to-date (§3.4, §3.6.1).
func TestVoteIsGrantedByTermVoteAndLog(t *testing.T) {
	for _, c := range []struct {
		name string
		vote protocols.NodeID
		ask  RequestVote
		want bool
	}{
		{"equal log", 0, RequestVote{Term: 5, LastLogIndex: 2, LastLogTerm: 3}, true},
		{"longer log", 0, RequestVote{Term: 5, LastLogIndex: 9, LastLogTerm: 3}, true},
		{"later term, shorter log", 0, RequestVote{Term: 5, LastLogIndex: 1, LastLogTerm: 4}, true},
		{"shorter log", 0, RequestVote{Term: 5, LastLogIndex: 1, LastLogTerm: 3}, false},
		{"earlier term, longer log", 0, RequestVote{Term: 5, LastLogIndex: 9, LastLogTerm: 2}, false},
		{"same candidate again", 2, RequestVote{Term: 5, LastLogIndex: 2, LastLogTerm: 3}, true},
		{"same candidate again, shorter log", 2, RequestVote{Term: 5, LastLogIndex: 1, LastLogTerm: 3}, false},
		{"another candidate", 3, RequestVote{Term: 5, LastLogIndex: 2, LastLogTerm: 3}, false},
		{"next term after another vote", 3, RequestVote{Term: 6, LastLogIndex: 2, LastLogTerm: 3}, true},
		{"last term", 0, RequestVote{Term: 4, LastLogIndex: 2, LastLogTerm: 3}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := append(withLog(5, 1, 3), &HardState{Term: 5, Vote: c.vote})
			s := withDisks(t, nil, disk, nil, nil)
			s.Receive(2, 1, &c.ask)
			if m := sent[*RequestVoteResponse](s, 1, 2)[0]; m.VoteGranted != c.want {
				t.Errorf("granted %v, want %v", m.VoteGranted, c.want)
			}
			s.Clean()
		})
	}
}

// A vote is persisted before it is answered, and a restarted node remembers it
// (§3.8, R-02, R-03).
func TestVoteIsDurableBeforeItIsAnswered(t *testing.T) {
	s := newStage(t, 3, nil)
	s.ManualSync = true
	s.Receive(2, 1, &RequestVote{Term: 1})
	if len(s.Wire) != 0 {
		t.Fatal("answered before the disk had it")
	}
	s.Sync(1)
	if m := sent[*RequestVoteResponse](s, 1, 2); len(m) != 1 || !m[0].VoteGranted {
		t.Fatalf("got %v, want one grant", m)
	}
	s.Restart(1)
	s.Receive(3, 1, &RequestVote{Term: 1})
	if m := sent[*RequestVoteResponse](s, 1, 3)[0]; m.VoteGranted {
		t.Error("voted for two candidates")
	}
	s.Clean()
}

// A candidate asks for votes only once its own is durable (§3.8).
func TestVoteOfCandidateIsDurableBeforeItAsks(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.PreVote = false })
	s.ManualSync = true
	s.Fire(1, timerElection)
	if len(s.Wire) != 0 {
		t.Fatal("asked before the disk had its own vote")
	}
	s.Sync(1)
	if len(sent[*RequestVote](s, 1, 2)) != 1 || len(sent[*RequestVoteResponse](s, 1, 1)) != 1 {
		t.Error("want a request to n2 and its own vote to itself")
	}
	s.Clean()
}

// The election timer starts anew when a vote is granted, not when it is refused
// (§3.4, R-52).
func TestVoteGrantedResetsElectionTimer(t *testing.T) {
	s := withDisks(t, nil, withLog(5, 1, 3), nil, nil)
	a := s.Actors[1]
	a.Timers[timerElection] = 0
	s.Receive(2, 1, &RequestVote{Term: 5, LastLogIndex: 1, LastLogTerm: 1})
	if a.Timers[timerElection] != 0 {
		t.Error("reset by a refusal")
	}
	s.Receive(2, 1, &RequestVote{Term: 5, LastLogIndex: 2, LastLogTerm: 3})
	if a.Timers[timerElection] == 0 {
		t.Error("not reset by a grant")
	}
}

// A PreVote is granted iff the vote would be, and no leader was heard within the
// minimum election timeout; it changes nothing (§9.6).
func TestPreVoteIsGrantedOnlyWithoutLeader(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Receive(2, 1, &Heartbeat{Term: 1, Round: 1})
	s.Wire = nil
	timeout := s.parameters.ElectionTimeout.Min
	for _, c := range []struct {
		wait protocols.Duration
		want bool
	}{{timeout - 1, false}, {1, true}} {
		s.Now = s.Now.Add(c.wait)
		records := len(s.Actors[1].Disk)
		s.Receive(3, 1, &PreVote{Term: 2})
		m := sent[*PreVoteResponse](s, 1, 3)
		if got := m[len(m)-1]; got.VoteGranted != c.want || s.Node(1).term != 1 || len(s.Actors[1].Disk) != records {
			t.Errorf("got %+v, want granted %v and nothing changed", got, c.want)
		}
	}
	s.Receive(3, 1, &Heartbeat{Term: 1, Round: 1}) // two leaders in one term: dropped
	if s.Node(1).leader != 2 {
		t.Error("a second leader of the term was believed")
	}
}

// A node becomes a candidate only after a majority of PreVotes, and PreVotes do
// not count as votes (§9.6, R-14).
func TestPreVoteMajorityStartsElection(t *testing.T) {
	s := newStage(t, 5, nil)
	n := s.Node(1)
	s.Fire(1, timerElection)
	s.Deliver(between(1))
	s.Receive(2, 1, &PreVoteResponse{Term: 1, VoteGranted: true})
	s.Receive(2, 1, &PreVoteResponse{Term: 1, VoteGranted: true})
	s.Receive(5, 1, &PreVoteResponse{Term: 2, VoteGranted: true}) // for another election
	if n.role != preCandidate || n.term != 0 {
		t.Fatalf("%s of term %d, want pre-candidate of 0", roleNames()[n.role], n.term)
	}
	s.Receive(3, 1, &PreVoteResponse{Term: 1, VoteGranted: true})
	if n.role != candidate || n.term != 1 {
		t.Fatalf("%s of term %d, want candidate of 1", roleNames()[n.role], n.term)
	}
	s.Receive(4, 1, &PreVoteResponse{Term: 1, VoteGranted: true})
	s.Receive(5, 1, &PreVoteResponse{Term: 2, VoteGranted: true})
	s.Deliver(between(1))
	if n.role != candidate || n.votes.Len() != 1 {
		t.Errorf("%s with votes of %v, want candidate with its own", roleNames()[n.role], n.votes)
	}
}

// A leader that hears no quorum within an election timeout steps down (§6.2).
func TestCheckQuorumStepsDown(t *testing.T) {
	s := newStage(t, 5, nil)
	n := s.elect(1, 2, 3, 4, 5)
	s.Receive(2, 1, &HeartbeatResponse{Term: 1})
	s.Receive(3, 1, &HeartbeatResponse{Term: 1})
	s.Fire(1, timerQuorum)
	if n.role != leader {
		t.Fatal("stepped down with a quorum")
	}
	s.Request(1, get(-3, 1))
	s.Receive(2, 1, &HeartbeatResponse{Term: 1})
	s.Fire(1, timerQuorum)
	if n.role != follower || n.term != 1 || len(s.Refused) != 1 {
		t.Errorf("%s of term %d, refused %v; want follower of 1 that gives the read up", roleNames()[n.role], n.term, s.Refused)
	}
	s.Clean()
}

// A voter that hears a leader ignores candidates, and their term (§4.2.3).
func TestCheckQuorumLeaseIgnoresCandidates(t *testing.T) {
	for _, on := range []bool{true, false} {
		s := newStage(t, 3, func(p *Parameters) { p.CheckQuorum = on })
		s.elect(1, 2, 3)
		s.Now += 10
		s.Receive(3, 2, &RequestVote{Term: 8, LastLogIndex: 9, LastLogTerm: 7})
		s.Receive(3, 1, &RequestVote{Term: 8, LastLogIndex: 9, LastLogTerm: 7})
		if ignored := s.Node(1).term == 1 && s.Node(2).term == 1 && len(s.Wire) == 0; ignored != on {
			t.Errorf("check_quorum %v: ignored %v", on, ignored)
		}
	}
}

// The promise to a leader outlives a change of term that this node learns of by
// other means: the leader may still hold its lease (§6.4.1).
func TestCheckQuorumLeaseOutlivesTerm(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Reads = ReadsLease })
	s.elect(1, 2, 3)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	s.Receive(3, 2, &PreVoteResponse{Term: 8})
	s.Receive(3, 2, &RequestVote{Term: 8, LastLogIndex: 9, LastLogTerm: 7})
	if n := s.Node(2); n.term != 8 || n.vote != protocols.Nobody {
		t.Errorf("term %d with a vote for %v, want 8 and no vote yet", n.term, n.vote)
	}
}

// Every change of term draws the election timeout afresh (§3.4).
func TestElectionTimeoutIsDrawnPerTerm(t *testing.T) {
	n := newNode(t, DefaultParameters(), 1, 3, protocols.Recovered{})
	cancels := func(m protocols.Message) bool {
		out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
		n.Step(&protocols.Event{Kind: protocols.Receive, From: 2, Message: m}, out)
		return slices.ContainsFunc(out.List, func(e protocols.Effect) bool {
			return e.Kind == protocols.EffectCancelTimer && e.Timer == timerElection
		})
	}
	if !cancels(&Heartbeat{Term: 1}) {
		t.Error("the timer of the old term is kept")
	}
	if cancels(&Heartbeat{Term: 1}) {
		t.Error("a heartbeat within a term throws new dice")
	}
}
