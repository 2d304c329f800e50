package raft

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The plays trip all invariants but these two and the second half of R-I4.
func TestInvariantLeaderAppendOnlyTrips(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Fire(1, timerHeartbeat)
	s.Clean()
	n.log.TruncateFrom(1)
	n.log.Append(Entry{Term: 1, Command: put(-1, 1, 1)})
	n.log.TruncateFrom(1)
	s.Fire(1, timerQuorum)
	s.Trips(leaderAppendOnly)
}

func TestInvariantLogMatchingTrips(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2)
	s.Receive(1, 3, &AppendEntries{Term: n.term, Entries: []Entry{{Term: n.term, Command: put(-7, 1, 1)}}})
	s.Trips(logMatching)
}

// A commit in an old term after a newer leader without the entry was elected.
func TestInvariantLeaderCompletenessTripsOnCommit(t *testing.T) {
	s := newStage(t, 3, nil)
	l := s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5)) // on n1 alone
	s.elect(3, 2)
	s.Clean()
	lost := &Append{PrevLogIndex: 1, Entries: l.log.View(2, 1)}
	s.Show(&protocols.Moment{Kind: protocols.Durable, Node: 2, Record: &HardState{Term: l.term}})
	s.Show(&protocols.Moment{Kind: protocols.Durable, Node: 2, Record: lost})
	s.Trips(leaderCompleteness)
}

// Both are legal: an acknowledgement arrives of what its sender has since truncated
// for a newer leader (R-I8), and delayed votes elect a leader of an old term after
// a newer one has committed (R-I4).
func TestInvariantsAreNotTooStrict(t *testing.T) {
	s := newStage(t, 5, nil)
	l := s.elect(1, 2, 3, 4, 5)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindAppendEntries, 1, 2))
	late := *sent[*AppendEntriesResponse](s, 2, 1)[0]
	s.elect(3, 4, 5)
	s.Fire(3, timerHeartbeat)
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(3, timerHeartbeat)
	s.Settle(between(2, 3))
	if got := logOf(s.Node(2)); !slices.Equal(got, []uint64{1, 2}) {
		t.Fatalf("n2 has %v, want entry 2 replaced", got)
	}
	s.Receive(2, 1, &late)
	if l.role != leader || l.match[2] != 2 {
		t.Fatal("the late acknowledgement was not counted")
	}
	s.Clean()

	s = newStage(t, 5, func(p *Parameters) { p.PreVote = false })
	s.Fire(1, timerElection)
	s.Deliver(ofKind(KindRequestVote, 1, 2))
	s.Deliver(ofKind(KindRequestVote, 1, 3))
	votes := s.Take(ofKind(KindRequestVoteResponse, protocols.Nobody, 1))
	s.Wire = nil
	s.Fire(4, timerElection)
	s.Settle(everythingBut(1))
	if l := s.Node(4); l.role == leader {
		t.Fatal("n4 has won term 1 against three votes")
	}
	s.elect(4, 2, 5)
	if l := s.Node(4); l.commit != 1 || l.term != 2 {
		t.Fatalf("n4 has commit index %d in term %d, want 1 in 2", l.commit, l.term)
	}
	for _, l := range votes {
		s.Receive(l.From, l.To, l.Message)
	}
	if s.Node(1).role != leader {
		t.Fatal("n1 does not lead term 1")
	}
	s.Clean()
}

// everythingBut matches what neither comes from nor goes to id.
func everythingBut(id protocols.NodeID) func(letter) bool {
	return func(l letter) bool { return l.From != id && l.To != id }
}

func TestChecksAreListed(t *testing.T) {
	var ids []string
	for _, o := range invariants(protocols.Cluster{Replicas: 3}, DefaultParameters()) {
		for _, c := range o.Checks() {
			ids = append(ids, c.ID)
		}
	}
	want := []string{"R-I1", "R-I2", "R-I3", "R-I4", "R-I5", "R-I6", "R-I7", "R-I8", "R-I9", "R-I10", "R-I11", "R-I12"}
	if !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}

// R-I6: a disk that was wiped, and that the members have taken in anew, is another voter.
// Before they have, its vote is the node's second.
func TestInvariantOneVoteKnowsDisksTakenIn(t *testing.T) {
	for _, admitted := range []bool{true, false} {
		w := watcher{ghost: newGhost(protocols.Cluster{Replicas: 3})}
		m := protocols.Moment{Kind: protocols.Durable, Node: 2}
		w.voted(&m, 4, 2)
		g := &w.nodes[2]
		g.disk = 77
		if admitted {
			c := &Configuration{Voters: protocols.NodesUpTo(3), Disks: []Disk{{Node: 2, Number: 77}}}
			g.configurations = append(g.configurations, configuredBy(0, c))
		}
		w.voted(&m, 4, 3)
		if tripped := len(m.Found) > 0; tripped == admitted {
			t.Errorf("taken in: %v; found %v", admitted, m.Found)
		}
		if w.voted(&m, 4, 1); len(m.Found) == 0 {
			t.Error("it votes twice with the new disk")
		}
	}
}
