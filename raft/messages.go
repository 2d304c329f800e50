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
)

// RequestVote asks for a vote in Term (§3.4). The candidate is the sender.
type RequestVote struct {
	Term         uint64
	LastLogIndex protocols.Index // of the candidate's last entry
	LastLogTerm  uint64
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
}

// HeartbeatResponse answers a Heartbeat.
type HeartbeatResponse struct {
	Term  uint64
	Round uint64 // of the request
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
	}
}
