package raft

import "github.com/lockstep-sim/lockstep/protocols"

// The kinds of messages.
const (
	KindRequestVote protocols.Kind = iota + 1
	KindRequestVoteResponse
	KindPreVote
	KindPreVoteResponse
	KindAppendEntries
	KindAppendEntriesResponse
	KindHeartbeat
	KindHeartbeatResponse
	KindInstallSnapshot
	KindInstallSnapshotResponse
	KindTimeoutNow
	KindReadIndex
	KindReadIndexResponse
)

// RequestVote asks for a vote in Term (§3.4). The candidate is the sender.
type RequestVote struct {
	Term         uint64
	LastLogIndex protocols.Index // of the candidate's last entry
	LastLogTerm  uint64
	// LeadershipTransfer says that the leader asked for this election: a voter is not
	// to wait until the leader falls silent (§4.2.3).
	LeadershipTransfer bool
}

// RequestVoteResponse answers a RequestVote.
type RequestVoteResponse struct {
	Term        uint64 // the voter's
	VoteGranted bool
	CandidateID protocols.NodeID // whom the answer is for
}

// PreVote asks whether the receiver would vote for the sender in Term, the one
// after the sender's own (§9.6). It raises nobody's term.
type PreVote struct {
	Term         uint64
	LastLogIndex protocols.Index
	LastLogTerm  uint64
}

// PreVoteResponse answers a PreVote.
type PreVoteResponse struct {
	Term        uint64 // of the request when granted, else the voter's own
	VoteGranted bool
}

// AppendEntries asks the receiver to store Entries after PrevLogIndex (§3.5).
type AppendEntries struct {
	Term         uint64
	PrevLogIndex protocols.Index
	PrevLogTerm  uint64
	LeaderCommit protocols.Index
	Entries      []Entry // immutable
}

// AppendEntriesResponse answers an AppendEntries.
type AppendEntriesResponse struct {
	Term    uint64
	Success bool
	// MatchIndex is, on success, up to where the sender's durable log equals the
	// leader's: PrevLogIndex and the entries of the request. Otherwise it is the
	// PrevLogIndex that was refused.
	MatchIndex protocols.Index
	// MatchTerm is, on success, the term of the entry at MatchIndex.
	// Deviation: not in the paper; it makes the claim checkable.
	MatchTerm uint64
	// ConflictTerm is, on refusal, the term of the sender's entry at PrevLogIndex,
	// 0 when its log is too short; ConflictIndex is the first index of that term,
	// or the one after its last (§3.5).
	ConflictTerm  uint64
	ConflictIndex protocols.Index
	// Disk is the sender's, as in [Wiped]: what is said of a lost disk counts no more.
	// Deviation: not in the paper, where a disk is never lost.
	Disk uint64
}

// Heartbeat keeps leadership. Deviation: the paper uses an empty AppendEntries;
// this message claims and checks nothing about the log, so that its answer need
// not wait for a disk.
type Heartbeat struct {
	Term uint64
	// Commit is the leader's commit index, cut to what the receiver is known to
	// match, so that the receiver needs no check of its log.
	Commit protocols.Index
	// Round numbers the rounds of heartbeats of the leader's term one by one. An
	// answer confirms the leadership at the time when its round was sent (§6.4).
	Round uint64
	Disk  uint64 // the receiver's, as far as the leader knows: Commit is about that
}

// HeartbeatResponse answers a Heartbeat.
type HeartbeatResponse struct {
	Term  uint64
	Round uint64 // of the request
	Disk  uint64 // as in AppendEntriesResponse
}

// InstallSnapshot sends rows of a snapshot (§5.1, figure 5.3). Deviation: offset and
// size count rows of the state, of its table and its client sessions, not bytes: a
// state machine has no encoding.
type InstallSnapshot struct {
	Term              uint64
	LastIncludedIndex protocols.Index
	LastIncludedTerm  uint64
	LastConfig        *Configuration // in force at LastIncludedIndex; immutable
	Offset            uint64         // rows before Data
	Data              protocols.Part // immutable
	Done              bool           // Data ends the snapshot
}

// InstallSnapshotResponse answers an InstallSnapshot that did not complete the
// snapshot. A node that has it whole and on disk answers as to AppendEntries.
// Deviation: the paper's answer has a term only. With the offset a transfer goes on
// where it stopped, also under another leader.
type InstallSnapshotResponse struct {
	Term              uint64
	LastIncludedIndex protocols.Index
	Offset            uint64 // rows that the sender has received
	Disk              uint64 // as in AppendEntriesResponse
}

// TimeoutNow tells its receiver to start an election at once (§3.10).
type TimeoutNow struct{ Term uint64 }

// ReadIndex is a follower's question how far the state must be for a read that it has
// got (§6.4).
type ReadIndex struct {
	Term uint64
	ID   uint64 // of the question: never used twice
}

// ReadIndexResponse answers a ReadIndex.
type ReadIndexResponse struct {
	Term  uint64
	ID    uint64          // of the question
	Index protocols.Index // 0: the sender does not lead
}

// Kind implements [protocols.Message].
func (*RequestVote) Kind() protocols.Kind { return KindRequestVote }

// Kind implements [protocols.Message].
func (*RequestVoteResponse) Kind() protocols.Kind { return KindRequestVoteResponse }

// Kind implements [protocols.Message].
func (*PreVote) Kind() protocols.Kind { return KindPreVote }

// Kind implements [protocols.Message].
func (*PreVoteResponse) Kind() protocols.Kind { return KindPreVoteResponse }

// Kind implements [protocols.Message].
func (*AppendEntries) Kind() protocols.Kind { return KindAppendEntries }

// Kind implements [protocols.Message].
func (*AppendEntriesResponse) Kind() protocols.Kind { return KindAppendEntriesResponse }

// Kind implements [protocols.Message].
func (*Heartbeat) Kind() protocols.Kind { return KindHeartbeat }

// Kind implements [protocols.Message].
func (*HeartbeatResponse) Kind() protocols.Kind { return KindHeartbeatResponse }

// Kind implements [protocols.Message].
func (*InstallSnapshot) Kind() protocols.Kind { return KindInstallSnapshot }

// Kind implements [protocols.Message].
func (*InstallSnapshotResponse) Kind() protocols.Kind { return KindInstallSnapshotResponse }

// Kind implements [protocols.Message].
func (*TimeoutNow) Kind() protocols.Kind { return KindTimeoutNow }

// Kind implements [protocols.Message].
func (*ReadIndex) Kind() protocols.Kind { return KindReadIndex }

// Kind implements [protocols.Message].
func (*ReadIndexResponse) Kind() protocols.Kind { return KindReadIndexResponse }

// messageKinds describes the messages for traces and the conformance suite.
func messageKinds() []protocols.KindInfo {
	return []protocols.KindInfo{
		{Kind: KindRequestVote, Name: "RequestVote", New: func() any { return new(RequestVote) }},
		{Kind: KindRequestVoteResponse, Name: "RequestVoteResponse", New: func() any { return new(RequestVoteResponse) }},
		{Kind: KindPreVote, Name: "PreVote", New: func() any { return new(PreVote) }},
		{Kind: KindPreVoteResponse, Name: "PreVoteResponse", New: func() any { return new(PreVoteResponse) }},
		{Kind: KindAppendEntries, Name: "AppendEntries", New: func() any { return new(AppendEntries) }},
		{Kind: KindAppendEntriesResponse, Name: "AppendEntriesResponse", New: func() any { return new(AppendEntriesResponse) }},
		{Kind: KindHeartbeat, Name: "Heartbeat", New: func() any { return new(Heartbeat) }},
		{Kind: KindHeartbeatResponse, Name: "HeartbeatResponse", New: func() any { return new(HeartbeatResponse) }},
		{Kind: KindInstallSnapshot, Name: "InstallSnapshot", New: func() any { return new(InstallSnapshot) }},
		{Kind: KindInstallSnapshotResponse, Name: "InstallSnapshotResponse", New: func() any { return new(InstallSnapshotResponse) }},
		{Kind: KindTimeoutNow, Name: "TimeoutNow", New: func() any { return new(TimeoutNow) }},
		{Kind: KindReadIndex, Name: "ReadIndex", New: func() any { return new(ReadIndex) }},
		{Kind: KindReadIndexResponse, Name: "ReadIndexResponse", New: func() any { return new(ReadIndexResponse) }},
	}
}
