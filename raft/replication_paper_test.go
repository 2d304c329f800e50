package raft

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The rules of the log (§3.5, §3.6, §10.2); see raft_paper_test.go.

// Entries after an entry that the follower lacks are refused with a hint (§3.5).
func TestAppendEntriesMismatchIsRefusedWithHint(t *testing.T) {
	for _, c := range []struct {
		name     string
		index    protocols.Index
		term     uint64
		conflict protocols.Index
		of       uint64
	}{
		{"log too short", 9, 4, 6, 0},
		{"other term", 5, 4, 3, 3},
		{"other term in the middle", 2, 2, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := withDisks(t, nil, withLog(4, 1, 1, 3, 3, 3), nil)
			s.Receive(2, 1, &AppendEntries{Term: 4, PrevLogIndex: c.index, PrevLogTerm: c.term})
			want := AppendEntriesResponse{Term: 4, MatchIndex: c.index, ConflictIndex: c.conflict, ConflictTerm: c.of}
			if got := *sent[*AppendEntriesResponse](s, 1, 2)[0]; got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// Only from the first entry that conflicts is the log truncated: an older request
// that was overtaken erases nothing (§3.5, R-09).
func TestAppendEntriesTruncatesOnlyFromFirstConflict(t *testing.T) {
	for _, c := range []struct {
		name    string
		prev    protocols.Index
		entries []uint64
		want    []uint64
	}{
		{"a prefix again", 0, []uint64{1}, []uint64{1, 1, 2}},
		{"nothing new", 1, nil, []uint64{1, 1, 2}},
		{"all again", 0, []uint64{1, 1, 2}, []uint64{1, 1, 2}},
		{"more", 1, []uint64{1, 2, 4}, []uint64{1, 1, 2, 4}},
		{"conflict", 1, []uint64{1, 3}, []uint64{1, 1, 3}},
		{"conflict from the start", 1, []uint64{3, 3}, []uint64{1, 3, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := withDisks(t, nil, withLog(4, 1, 1, 2), nil)
			m := &AppendEntries{Term: 4, PrevLogIndex: c.prev}
			if c.prev > 0 {
				m.PrevLogTerm = 1
			}
			for _, term := range c.entries {
				m.Entries = append(m.Entries, Entry{Term: term})
			}
			s.Receive(2, 1, m)
			if got := logOf(s.Node(1)); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if got := logOf(s.Restart(1)); !slices.Equal(got, c.want) {
				t.Errorf("got %v after a restart, want %v", got, c.want)
			}
		})
	}
}

// The commit index follows the leader's, but no further than the last new entry:
// what is beyond may be another leader's (§3.5, R-08). It never goes down.
func TestAppendEntriesCommitsUpToLastNewEntry(t *testing.T) {
	s := withDisks(t, nil, withLog(4, 1, 1, 2), nil)
	n := s.Node(1)
	s.Receive(2, 1, &AppendEntries{Term: 4, PrevLogIndex: 1, PrevLogTerm: 1, LeaderCommit: 3})
	if n.commit != 1 {
		t.Errorf("got commit index %d, want 1", n.commit)
	}
	s.Receive(2, 1, &AppendEntries{Term: 4, PrevLogIndex: 1, PrevLogTerm: 1, Entries: []Entry{{Term: 1}}, LeaderCommit: 9})
	if n.commit != 2 {
		t.Errorf("got commit index %d, want 2", n.commit)
	}
	s.Receive(2, 1, &AppendEntries{Term: 4, PrevLogIndex: 1, PrevLogTerm: 1, LeaderCommit: 1})
	if n.commit != 2 {
		t.Errorf("got commit index %d, want 2", n.commit)
	}
}

// An acknowledgement names the last entry of its request, not of the log, and
// leaves once that is durable (§3.5, §3.8, R-11).
func TestAppendEntriesAcknowledgesItsOwnEntriesOnceDurable(t *testing.T) {
	s := withDisks(t, nil, withLog(4, 1, 1, 2), nil)
	s.Receive(2, 1, &AppendEntries{Term: 4, Entries: []Entry{{Term: 1}}})
	if got := *sent[*AppendEntriesResponse](s, 1, 2)[0]; got.MatchIndex != 1 || got.MatchTerm != 1 || !got.Success {
		t.Errorf("got %+v, want success up to 1", got)
	}
	s.Wire, s.ManualSync = nil, true
	s.Receive(2, 1, &AppendEntries{Term: 4, PrevLogIndex: 3, PrevLogTerm: 2, Entries: []Entry{{Term: 4}}})
	// A copy of the request must not be acknowledged sooner than the first.
	s.Receive(2, 1, &AppendEntries{Term: 4, PrevLogIndex: 3, PrevLogTerm: 2, Entries: []Entry{{Term: 4}}})
	if len(s.Wire) != 0 {
		t.Error("acknowledged before the disk had it")
	}
	s.Sync(1)
	if got := sent[*AppendEntriesResponse](s, 1, 2); len(got) != 2 || got[1].MatchIndex != 4 {
		t.Errorf("got %v, want two acknowledgements of 4", got)
	}
	s.Clean()
}

// An entry of an earlier term is not committed by counting replicas, only by an
// entry of the current term after it (§3.6.2, figure 3.7, R-01).
func TestCommitCountsOnlyEntriesOfCurrentTerm(t *testing.T) {
	s := withDisks(t, nil, withLog(3, 1, 2), withLog(3, 1), withLog(3, 1, 3))
	n := s.elect1WithVoteOf2(t)
	s.Receive(2, 1, &AppendEntriesResponse{Term: n.term, Success: true, MatchIndex: 2, MatchTerm: 2})
	if n.commit != 0 {
		t.Fatalf("got commit index %d, want 0: entry 2 is of term 2", n.commit)
	}
	s.Receive(2, 1, &AppendEntriesResponse{Term: n.term, Success: true, MatchIndex: 3, MatchTerm: n.term})
	if n.commit != 3 {
		t.Errorf("got commit index %d, want 3: with the no-op all before it is committed", n.commit)
	}
}

// elect1WithVoteOf2 lets n1 win and handle its own durable write, and keeps what
// it tells others off the wire.
func (s *stage) elect1WithVoteOf2(t *testing.T) *Node {
	t.Helper()
	s.Now += 1e9
	s.Fire(1, timerElection)
	s.Settle(func(l letter) bool { return between(1, 2)(l) && l.Message.Kind() != KindAppendEntries })
	if s.Node(1).role != leader {
		t.Fatal("n1 does not lead")
	}
	return s.Node(1)
}

// The leader writes to its disk while it sends, and counts itself only once its
// own write is durable (§10.2.1, R-12).
func TestCommitCountsLeaderOnlyOnceDurable(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.ManualSync = true
	s.Request(1, put(-1, 1, 5))
	if len(sent[*AppendEntries](s, 1, 2)) != 1 {
		t.Fatal("not sent in parallel to the write")
	}
	s.Deliver(everything)
	s.Sync(2)
	s.Deliver(everything)
	if n.commit != 1 {
		t.Fatalf("got commit index %d, want 1: one follower and an undurable leader are no majority", n.commit)
	}
	s.Sync(1)
	s.Deliver(everything)
	if n.commit != 2 || len(s.Replies) != 1 {
		t.Errorf("got commit index %d and %d replies, want 2 and 1", n.commit, len(s.Replies))
	}
	s.Clean()
}

// Answers of another term are ignored, a match only grows, and a refusal of what
// is known to match is stale (§3.5, R-48).
func TestResponsesStaleAreIgnored(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2)
	for seq := range uint64(3) {
		s.Request(1, put(-1, seq+1, 1))
	}
	s.Settle(between(1, 2))
	if n.match[2] != 4 || n.progress[2].next != 5 {
		t.Fatalf("match %d and next %d, want 4 and 5", n.match[2], n.progress[2].next)
	}
	for _, m := range []*AppendEntriesResponse{
		{Term: 0, Success: true, MatchIndex: 3, MatchTerm: 1},
		{Term: 0, MatchIndex: 4, ConflictIndex: 1},
		{Term: 1, Success: true, MatchIndex: 2, MatchTerm: 1},
		{Term: 1, MatchIndex: 3, ConflictIndex: 1},
		{Term: 1, MatchIndex: 900, ConflictIndex: 1},
	} {
		s.Receive(2, 1, m)
		if n.match[2] != 4 || n.progress[2].next != 5 || n.progress[2].probing || len(s.Wire) != 0 {
			t.Errorf("%+v: match %d, next %d, probing %v, %d messages; want 4, 5, false and none", m, n.match[2], n.progress[2].next, n.progress[2].probing, len(s.Wire))
		}
	}
	s.Receive(3, 1, &AppendEntriesResponse{Term: 0, Success: true, MatchIndex: 4, MatchTerm: 1})
	if n.match[3] != 0 {
		t.Error("an acknowledgement of another term was counted")
	}
	s.Receive(2, 1, &AppendEntriesResponse{Term: 1, Success: true, MatchIndex: 9, MatchTerm: 1})
	if notes := s.Actors[1].Notes; n.match[2] != 4 || notes[len(notes)-1].Kind != protocols.NoteDropped {
		t.Error("an impossible match was not dropped with a note")
	}
}

// A refusal moves the leader back by whole terms, to where the logs may agree
// (§3.5).
func TestResponsesRefusedMoveBackByTerms(t *testing.T) {
	s := withDisks(t, nil, withLog(6, 1, 1, 4, 4, 5, 5, 6, 6), nil, nil)
	n := s.elect1WithVoteOf2(t)
	for _, c := range []struct {
		refused  protocols.Index
		term     uint64
		conflict protocols.Index
		want     protocols.Index
	}{
		{8, 0, 6, 6}, // its log is shorter
		{5, 4, 3, 5}, // it has term 4 there: the last of term 4 here may match
		{4, 2, 2, 2}, // it has term 2 there, which this log lacks
		{1, 0, 1, 1},
	} {
		s.Wire = nil
		s.Receive(2, 1, &AppendEntriesResponse{Term: n.term, MatchIndex: c.refused, ConflictTerm: c.term, ConflictIndex: c.conflict})
		m := sent[*AppendEntries](s, 1, 2)
		if len(m) != 1 || m[0].PrevLogIndex != c.want-1 {
			t.Fatalf("after a refusal of %d: got %v, want one request from %d on", c.refused, m, c.want)
		}
	}
}

// A window of requests is in flight, each with at most a batch of entries; the
// next waits for an acknowledgement (§10.2).
func TestPipeliningKeepsToWindowAndBatch(t *testing.T) {
	s := newStage(t, 2, func(p *Parameters) { p.Window, p.MaxBatch = 2, 3 })
	n := s.elect(1, 2)
	for seq := range uint64(9) {
		s.Request(1, put(-1, seq+1, int64(seq)))
	}
	m := sent[*AppendEntries](s, 1, 2)
	if len(m) != 2 || m[1].PrevLogIndex != 2 {
		t.Fatalf("got %v, want two requests, the second optimistic", m)
	}
	s.Wire = nil
	s.Receive(2, 1, &AppendEntriesResponse{Term: 1, Success: true, MatchIndex: 3, MatchTerm: 1}) // covers both
	m = sent[*AppendEntries](s, 1, 2)
	if len(m) != 2 || len(m[0].Entries) != 3 || m[0].PrevLogIndex != 3 || m[1].PrevLogIndex != 6 {
		t.Errorf("got %v, want entries 4..6 and 7..9", m)
	}
	if n.progress[2].next != 10 {
		t.Errorf("next is %d, want 10", n.progress[2].next)
	}
}

// After a refusal one request at a time is in flight until the logs are known to
// agree (§10.2).
func TestPipeliningProbesAfterRefusal(t *testing.T) {
	s := newStage(t, 2, func(p *Parameters) { p.MaxBatch = 1 })
	n := s.elect(1, 2)
	for seq := range uint64(3) {
		s.Request(1, put(-1, seq+1, 1))
	}
	s.Wire = nil
	s.Receive(2, 1, &AppendEntriesResponse{Term: 1, MatchIndex: 2, ConflictIndex: 2})
	if m := sent[*AppendEntries](s, 1, 2); len(m) != 1 || m[0].PrevLogIndex != 1 || !n.progress[2].probing {
		t.Fatalf("got %v, want one request after 1", m)
	}
	s.Wire = nil
	s.Receive(2, 1, &AppendEntriesResponse{Term: 1, Success: true, MatchIndex: 2, MatchTerm: 1})
	if m := sent[*AppendEntries](s, 1, 2); len(m) != 2 || n.progress[2].probing {
		t.Errorf("got %v, want the two that are left", m)
	}
}

// What was lost is sent again to a follower that answers heartbeats but does not
// acknowledge (§3.5: retry until success).
func TestReplicationRetransmits(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5))
	s.Drop(ofKind(KindAppendEntries, 1, 2))
	s.Settle(between(1, 3))
	if n.commit != 2 {
		t.Fatalf("got commit index %d, want 2", n.commit)
	}
	s.Fire(1, timerHeartbeat)
	s.Settle(between(1, 2))
	if s.Node(2).log.Last() != 1 {
		t.Fatal("sent again at once")
	}
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(1, timerHeartbeat)
	s.Settle(between(1, 2))
	if n := s.Node(2); n.log.Last() != 2 {
		t.Errorf("the log ends at %d, want 2", n.log.Last())
	}
	s.Fire(1, timerHeartbeat)
	s.Settle(between(1, 2))
	if n := s.Node(2); n.commit != 2 {
		t.Errorf("commit index %d, want 2 by the heartbeat", n.commit)
	}
	s.Clean()
}

// A heartbeat commits no further than what the receiver is known to match: its log
// beyond may be another leader's (§3.5, R-08).
func TestHeartbeatCommitIsCutToMatch(t *testing.T) {
	s := newStage(t, 3, nil)
	s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5))
	s.Drop(ofKind(KindAppendEntries, 1, 3))
	s.Settle(between(1, 2))
	s.Fire(1, timerHeartbeat)
	if a, b := sent[*Heartbeat](s, 1, 2)[0].Commit, sent[*Heartbeat](s, 1, 3)[0].Commit; a != 2 || b != 1 {
		t.Errorf("got commit %d for n2 and %d for n3, want 2 and 1", a, b)
	}
}

// What no correct leader sends is dropped with a note, and changes nothing.
func TestAppendEntriesImpossibleIsDropped(t *testing.T) {
	for _, c := range []struct {
		why string
		m   AppendEntries
	}{
		{"entries that conflict with committed ones", AppendEntries{Entries: []Entry{{Term: 4}}}},
		{"a term before the first entry", AppendEntries{PrevLogTerm: 1, Entries: []Entry{{Term: 4}}}},
		{"terms that go down", AppendEntries{PrevLogIndex: 3, PrevLogTerm: 2, Entries: []Entry{{Term: 1}}}},
		{"terms that go down", AppendEntries{PrevLogIndex: 3, PrevLogTerm: 2, Entries: []Entry{{Term: 4}, {Term: 3}}}},
		{"a configuration that cannot be", AppendEntries{PrevLogIndex: 3, PrevLogTerm: 2, Entries: []Entry{{Term: 4, Configuration: &Configuration{Voters: protocols.Nodes(1, 9)}}}}},
		{"a configuration that cannot be", AppendEntries{PrevLogIndex: 3, PrevLogTerm: 2, Entries: []Entry{{Term: 4, Configuration: &Configuration{}}}}},
		{"entries of a later term", AppendEntries{PrevLogIndex: 3, PrevLogTerm: 2, Entries: []Entry{{Term: 5}}}},
	} {
		s := withDisks(t, nil, withLog(4, 1, 1, 2), nil)
		s.Receive(2, 1, &AppendEntries{Term: 4, PrevLogIndex: 1, PrevLogTerm: 1, LeaderCommit: 1})
		s.Wire = nil
		c.m.Term = 4
		s.Receive(2, 1, &c.m)
		notes := s.Actors[1].Notes
		if last := notes[len(notes)-1]; last.Kind != protocols.NoteDropped || last.Text != c.why || len(s.Wire) != 0 || s.Node(1).log.Last() != 3 {
			t.Errorf("%+v: got note %+v, %d answers and a log up to %d; want it dropped (%s)", c.m, last, len(s.Wire), s.Node(1).log.Last(), c.why)
		}
	}
}
