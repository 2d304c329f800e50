package raft

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// ahead is a cluster of three whose leader n1 has compacted a log that n3 has nothing
// of.
func ahead(t *testing.T) *stage {
	s := newStage(t, 3, snapshots)
	s.elect(1, 2)
	for c := range protocols.NodeID(5) {
		s.Request(1, put(-1-c, 1, int64(c)+5))
		s.Settle(between(1, 2))
	}
	if n := s.Node(1); n.base() != 6 || n.log.Last() != 6 {
		t.Fatalf("n1 has a snapshot of %d and a log up to %d, want 6 and 6", n.base(), n.log.Last())
	}
	return s
}

// probe lets leader find that n3 lacks what it has compacted; the first chunk is then
// on the wire.
func (s *stage) probe(leader protocols.NodeID) {
	s.Fire(leader, timerHeartbeat)
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(leader, timerHeartbeat)
	s.settleBut(KindInstallSnapshot, between(leader, 3))
}

// settleBut settles what matches but messages of kind, which stay on the wire.
func (s *stage) settleBut(kind protocols.Kind, match func(letter) bool) {
	s.Drop(func(l letter) bool { return !match(l) })
	for s.Deliver(func(l letter) bool { return match(l) && l.Message.Kind() != kind }) > 0 {
		s.Drop(func(l letter) bool { return !match(l) })
	}
}

// chunks returns the offsets of the chunks on the wire to n3.
func (s *stage) chunks(from protocols.NodeID) []uint64 {
	var offsets []uint64
	for _, m := range sent[*InstallSnapshot](s, from, 3) {
		offsets = append(offsets, m.Offset)
	}
	return offsets
}

// §5.1: a snapshot holds the state, the last index and term, the configuration and
// the sessions, and stands for the log before.
func TestSnapshotStandsForTheLog(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.SnapshotEvery, p.LogKept = 4, 2 })
	n := s.elect(1, 2, 3)
	s.reconfigure(1, protocols.Nodes(1, 2), protocols.NodeSet{})
	s.Settle(everything)
	for seq := range uint64(3) {
		s.Request(1, put(-1, seq+1, int64(seq)+5))
		s.Settle(everything)
	}
	if n.base() != 4 || n.log.First() != 5 || n.log.Last() != 6 || n.termAt(4) != 1 {
		t.Fatalf("snapshot of %d, log %d..%d; want 4, and the 2 entries behind it kept", n.base(), n.log.First(), n.log.Last())
	}
	hash := n.execute.Hash()
	n = s.Restart(1)
	if n.base() != 4 || n.log.Last() != 6 || n.commit != 4 || n.term != 1 || n.vote != 1 {
		t.Errorf("restarted with a snapshot of %d, a log up to %d, commit index %d, term %d, vote %v", n.base(), n.log.Last(), n.commit, n.term, n.vote)
	}
	if got := n.configuration().Voters; got != protocols.Nodes(1, 2) {
		t.Errorf("restarted with voters %v, want n1 n2", got)
	}
	s.elect(1, 2)
	if n.execute.Hash() != hash {
		t.Error("the state, or the sessions, differ after the restart")
	}
	s.Clean()
}

// §5.1, figure 5.3: a follower that lacks what is compacted gets the snapshot in chunks
// and then the entries behind it, and ends in the same state.
func TestInstallSnapshotInChunks(t *testing.T) {
	s := ahead(t)
	s.probe(1)
	rows := 0
	for len(s.chunks(1)) > 0 {
		if got := s.chunks(1); !slices.Equal(got, []uint64{uint64(rows)}) {
			t.Fatalf("chunks at %v, want one at %d", got, rows)
		}
		rows++
		s.Deliver(ofKind(KindInstallSnapshot, 1, 3))
		s.settleBut(KindInstallSnapshot, between(1, 3))
	}
	n, l := s.Node(3), s.Node(1)
	if rows != 1+6 || n.commit != 6 || n.execute.Hash() != l.execute.Hash() || l.match[3] != 6 {
		t.Errorf("after %d chunks n3 has commit index %d and n1 knows of %d; want 7 chunks, 6 and 6", rows, n.commit, l.match[3])
	}
	s.Request(1, put(-1, 2, 9))
	s.Settle(everything)
	if n.log.Last() != 7 {
		t.Errorf("n3's log ends at %d, want 7", n.log.Last())
	}
	s.Clean()
}

// A window of chunks is in flight, in whatever order they arrive, and one that is lost
// is sent again alone: what came after it is there.
func TestInstallSnapshotStreams(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { snapshots(p); p.Window = 4 })
	s.elect(1, 2)
	for c := range protocols.NodeID(8) {
		s.Request(1, put(-1-c, 1, int64(c)+5))
		s.Settle(between(1, 2))
	}
	s.probe(1)
	if got := s.chunks(1); !slices.Equal(got, []uint64{0}) {
		t.Fatalf("chunks at %v, want one until it is known what n3 has", got)
	}
	s.Deliver(ofKind(KindInstallSnapshot, 1, 3))
	s.settleBut(KindInstallSnapshot, between(1, 3))
	if got := s.chunks(1); !slices.Equal(got, []uint64{1, 2, 3, 4}) {
		t.Fatalf("chunks at %v, want a window of 4", got)
	}
	flight := s.Take(ofKind(KindInstallSnapshot, 1, 3))
	for _, i := range []int{3, 1, 2, 1} { // the first of them is lost
		s.Receive(1, 3, flight[i].Message)
	}
	s.settleBut(KindInstallSnapshot, between(1, 3))
	if got := s.chunks(1); len(got) != 0 {
		t.Errorf("chunks at %v, want none: the window is full", got)
	}
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(1, timerHeartbeat)
	s.settleBut(KindInstallSnapshot, between(1, 3))
	if got := s.chunks(1); !slices.Equal(got, []uint64{1}) {
		t.Errorf("chunks at %v, want the lost one again", got)
	}
	s.Deliver(ofKind(KindInstallSnapshot, 1, 3))
	s.settleBut(KindInstallSnapshot, between(1, 3))
	if got := s.chunks(1); !slices.Equal(got, []uint64{5, 6, 7, 8}) {
		t.Errorf("chunks at %v, want those behind the 5 that n3 has", got)
	}
	s.Settle(everything)
	if n, l := s.Node(3), s.Node(1); n.base() != l.base() || n.execute.Hash() != l.execute.Hash() || len(n.incoming.early) != 0 {
		t.Errorf("n3 has a snapshot of %d, want %d and its state", n.base(), l.base())
	}
	s.Clean()
}

// While a follower takes over a snapshot, its leader keeps what comes after it, so that
// the follower goes on with entries and not with the next snapshot; for a bounded time,
// and not for a follower that says nothing.
func TestLogIsKeptDuringATransfer(t *testing.T) {
	s := ahead(t)
	s.probe(1)
	s.Deliver(everything)
	s.Deliver(everything) // the first chunk, and its answer
	chunk := s.Take(ofKind(KindInstallSnapshot, 1, 3))
	l := s.Node(1)
	write := func(seqs ...uint64) {
		for _, seq := range seqs {
			s.Request(1, put(-1, seq, 9))
			s.Settle(between(1, 2))
		}
	}
	write(2, 3, 4, 5)
	if l.base() != 6 || l.log.Last() != 10 {
		t.Fatalf("n1 has a snapshot of %d and a log up to %d, want 6 and 10", l.base(), l.log.Last())
	}
	s.Wire = append(s.Wire, chunk...)
	s.Settle(everything)
	var installed []protocols.Index
	for _, note := range s.Actors[3].Notes {
		if note.Kind == protocols.NoteInstalled {
			installed = append(installed, note.Index)
		}
	}
	if n := s.Node(3); !slices.Equal(installed, []protocols.Index{6}) || n.log.Last() != 10 {
		t.Errorf("n3 has taken over snapshots of %v, and a log up to %d; want 6 and 10", installed, n.log.Last())
	}
	s = ahead(t)
	s.probe(1)
	s.Deliver(everything)
	s.Deliver(everything)
	l = s.Node(1)
	for seq := uint64(2); seq < 2+spared*3+4; seq++ {
		write(seq)
	}
	if l.base() <= 6 {
		t.Errorf("n1 keeps %d entries for ever", l.log.Len())
	}
	s.Clean()
}

// Chunks that are lost, doubled or late do no harm: the follower takes the rows in
// order and says how many it has.
func TestInstallSnapshotResumes(t *testing.T) {
	s := ahead(t)
	s.probe(1)
	first := *sent[*InstallSnapshot](s, 1, 3)[0]
	s.Deliver(everything)
	s.Deliver(everything)
	s.Drop(everything) // the second chunk
	s.Receive(1, 3, &first)
	if m := sent[*InstallSnapshotResponse](s, 3, 1); len(m) != 1 || m[0].Offset != 1 {
		t.Errorf("a chunk that came twice is answered with %v, want offset 1", m)
	}
	s.Wire = nil
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(1, timerHeartbeat)
	s.settleBut(KindInstallSnapshot, between(1, 3))
	if got := s.chunks(1); !slices.Equal(got, []uint64{1}) {
		t.Errorf("sent again: chunks at %v, want 1", got)
	}
	// Another leader with the same snapshot begins at 0 and is told where to go on.
	s.Fire(1, timerHeartbeat)
	s.Deliver(ofKind(KindHeartbeat, 1, 2))
	s.Wire = nil
	s.Crash(1)
	s.Now += 1e9
	s.Fire(2, timerElection)
	s.Settle(func(l letter) bool { return between(2, 3)(l) && l.Message.Kind() != KindInstallSnapshot })
	s.Fire(2, timerHeartbeat)
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(2, timerHeartbeat)
	s.settleBut(KindInstallSnapshot, between(2, 3))
	if got := s.chunks(2); !slices.Equal(got, []uint64{0}) {
		t.Fatalf("the next leader begins with chunks at %v, want 0", got)
	}
	s.Deliver(ofKind(KindInstallSnapshot, 2, 3))
	s.settleBut(KindInstallSnapshot, between(2, 3))
	if got := s.chunks(2); !slices.Equal(got, []uint64{1}) {
		t.Errorf("the next leader goes on at %v, want 1", got)
	}
	// A crash loses what was received, which an answer to the chunk that is sent again shows.
	s.Restart(3)
	s.Wire = nil
	s.Now = s.Now.Add(s.parameters.Heartbeat)
	s.Fire(2, timerHeartbeat)
	s.settleBut(KindInstallSnapshot, between(2, 3))
	s.Deliver(ofKind(KindInstallSnapshot, 2, 3))
	s.settleBut(KindInstallSnapshot, between(2, 3))
	if got := s.chunks(2); !slices.Equal(got, []uint64{0}) {
		t.Errorf("after a crash: chunks at %v, want 0", got)
	}
	s.Settle(everything)
	if s.Node(3).base() != 6 {
		t.Errorf("n3 has a snapshot of %d, want 6", s.Node(3).base())
	}
	s.Clean()
}

// installing shows n1 a snapshot of index 3, term 2, in one chunk.
func installing(s *stage) {
	x := protocols.Executor{Machine: machineOf(s.t, "kv"), Applied: 3}
	s.Receive(2, 1, &InstallSnapshot{
		Term: 3, LastIncludedIndex: 3, LastIncludedTerm: 2, LastConfig: &Configuration{Voters: protocols.NodesUpTo(3)},
		Data: protocols.Cut(x.Snapshot(), 0, 99), Done: true,
	})
}

// §5.1: a log that holds the last included entry keeps what follows it; any other is
// discarded.
func TestInstallSnapshotKeepsOnlyAMatchingSuffix(t *testing.T) {
	for _, c := range []struct {
		log  []uint64
		want []uint64
		base protocols.Index
	}{
		{[]uint64{1, 1, 2, 2, 2}, []uint64{1, 1, 2, 2, 2}, 0},
		{[]uint64{1, 1, 1, 1, 1}, nil, 3},
		{[]uint64{1, 2}, nil, 3},
		{nil, nil, 3},
	} {
		s := withDisks(t, asIs, withLog(2, c.log...), nil, nil)
		s.Observers = nil // they know of no commit
		installing(s)
		n := s.Node(1)
		if got := logOf(n); !slices.Equal(got, c.want) || n.base() != c.base || n.commit != 3 {
			t.Errorf("%v: got %v behind %d, commit index %d; want %v behind %d, 3", c.log, got, n.base(), n.commit, c.want, c.base)
		}
		if m := sent[*AppendEntriesResponse](s, 1, 2); len(m) != 1 || !m[0].Success || m[0].MatchIndex != 3 || m[0].MatchTerm != 2 {
			t.Errorf("%v: answered %v, want a match at 3", c.log, m)
		}
	}
}

// A snapshot that is older than the commit index changes nothing, and is acknowledged.
func TestInstallSnapshotOlderThanCommit(t *testing.T) {
	s := ahead(t)
	n, l := s.Node(2), s.Node(1)
	old := &InstallSnapshot{Term: 1, LastIncludedIndex: 3, LastIncludedTerm: 1, LastConfig: &Configuration{Voters: protocols.NodesUpTo(3)}}
	s.Fire(1, timerHeartbeat)
	s.Settle(between(1, 2))
	commit, last := n.commit, n.log.Last()
	s.Receive(1, 2, old)
	if n.commit != commit || n.log.Last() != last || l.role != leader {
		t.Errorf("commit index %d, log up to %d; want %d, %d", n.commit, n.log.Last(), commit, last)
	}
	if m := sent[*AppendEntriesResponse](s, 2, 1); len(m) != 1 || m[0].MatchIndex < 3 {
		t.Errorf("answered %v, want a match at 3 or above", m)
	}
	// A leader of an older term is told so.
	s.Wire = nil
	s.Receive(3, 1, &HeartbeatResponse{Term: 4})
	s.Receive(2, 1, old)
	if m := sent[*InstallSnapshotResponse](s, 1, 2); len(m) != 1 || m[0].Term != 4 {
		t.Errorf("a snapshot of an older term is answered with %v, want term 4", m)
	}
	s.Clean()
}

// The acknowledgement of a snapshot waits until that is on disk (§5.1, §3.8).
func TestInstallSnapshotIsDurableBeforeItIsAcknowledged(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Observers = nil
	s.ManualSync = true
	installing(s)
	if m := sent[*AppendEntriesResponse](s, 1, 2); len(m) != 0 {
		t.Fatalf("answered %v before the disk had it", m)
	}
	s.Sync(1)
	if m := sent[*AppendEntriesResponse](s, 1, 2); len(m) != 1 {
		t.Errorf("answered %v, want one acknowledgement", m)
	}
	s.Clean()
}

// What no leader sends is dropped.
func TestInstallSnapshotImpossibleIsDropped(t *testing.T) {
	voters := &Configuration{Voters: protocols.NodesUpTo(3)}
	for _, m := range []*InstallSnapshot{
		{Term: 3, LastIncludedTerm: 1, LastConfig: voters},
		{Term: 3, LastIncludedIndex: 5, LastConfig: voters},
		{Term: 3, LastIncludedIndex: 5, LastIncludedTerm: 4, LastConfig: voters},
		{Term: 3, LastIncludedIndex: 5, LastIncludedTerm: 1},
		{Term: 3, LastIncludedIndex: 5, LastIncludedTerm: 1, LastConfig: &Configuration{}},
		{Term: 3, LastIncludedIndex: 5, LastIncludedTerm: 1, LastConfig: &Configuration{Voters: protocols.Nodes(9)}},
		{Term: 3, LastIncludedIndex: 5, LastIncludedTerm: 1, LastConfig: voters, Done: true},
	} {
		s := newStage(t, 3, nil)
		s.Receive(2, 1, m)
		notes := s.Actors[1].Notes
		if n := s.Node(1); n.commit != 0 || n.base() != 0 || notes[len(notes)-1].Kind != protocols.NoteDropped {
			t.Errorf("%+v: commit index %d, notes %v", m, n.commit, notes)
		}
	}
}

// Entries that a snapshot covers are taken as matching: they are committed.
func TestAppendEntriesBehindTheSnapshot(t *testing.T) {
	s := ahead(t)
	n := s.Node(2)
	s.Fire(1, timerHeartbeat)
	s.Settle(between(1, 2))
	if n.base() == 0 {
		t.Fatal("n2 has no snapshot")
	}
	base := n.base()
	entries := make([]Entry, base)
	for i := range entries {
		entries[i] = Entry{Term: 1}
	}
	s.Receive(1, 2, &AppendEntries{Term: 1, Entries: entries[:2]})
	s.Receive(1, 2, &AppendEntries{Term: 1, Entries: append(entries, Entry{Term: 1})})
	for _, m := range sent[*AppendEntriesResponse](s, 2, 1) {
		if !m.Success || m.MatchIndex < base {
			t.Errorf("got %+v, want a match at %d or above", m, base)
		}
	}
}

// A subscriber that is behind the log gets the state, and the log is shown from its
// base on.
func TestFollowAndReadOfACompactedLog(t *testing.T) {
	s := ahead(t)
	n := s.Node(1)
	s.Request(1, put(-1, 2, 9))
	s.Settle(between(1, 2))
	s.Replies = nil
	s.Request(1, protocols.Command{Client: -9, Kind: protocols.Follow, Arg: 2, Old: 10, Seq: 1})
	if f := s.Replies[0].Result.Follow; f.Snapshot == nil || f.Start != 8 || !n.execute.Accepts(f.Snapshot) {
		t.Errorf("got %+v, want the state at 7", f)
	}
	s.Request(1, protocols.Command{Client: -9, Kind: protocols.Follow, Arg: 7, Old: 10, Seq: 2})
	if f := s.Replies[1].Result.Follow; f.Snapshot != nil || f.Start != 7 || len(f.Entries) != 1 {
		t.Errorf("got %+v, want entry 7", f)
	}
	if base, state := n.LogBase(); base != 6 || !n.execute.Accepts(state) || state == nil {
		t.Errorf("the log begins behind %d with %v, want 6", base, state)
	}
	if list := n.ReadLog(0, 10, nil); len(list) != 1 || list[0].Position != 7 {
		t.Errorf("the log shows %v, want entry 7", list)
	}
}
