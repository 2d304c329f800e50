package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// The kinds of messages.
const (
	KindPrepare protocols.Kind = iota + 1
	KindPromise
	KindAccept
	KindAccepted
	KindNack
	KindDecide
	KindHeartbeat
	KindHeartbeatResponse
	KindCatchupRequest
	KindCatchupResponse
)

// Prepare begins phase 1 of Ballot for all slots from First on (PMS §3; PMMC's p1a).
type Prepare struct {
	Ballot Ballot
	First  protocols.Index // the first slot that the sender does not know to be chosen
}

// Promise answers a Prepare: the sender accepts nothing below Ballot any more, and
// this is what it has accepted (PMMC's p1b).
type Promise struct {
	Ballot Ballot
	// Executed is up to where the sender has executed: all of that is chosen.
	Executed protocols.Index
	// Compacted is up to where the sender no longer holds its slots: a candidate that
	// lacks one of them must install a snapshot before it proposes.
	Compacted protocols.Index
	// Accepted is every accepted pvalue from the Prepare's First on that the sender
	// holds, chosen and executed ones included, in order of slots. Immutable.
	Accepted []Pvalue
}

// Accept asks to accept Value in Slot at Ballot (PMMC's p2a).
type Accept struct {
	Ballot Ballot
	Slot   protocols.Index
	Commit protocols.Index // the leader has executed up to here
	Value  Value
}

// Accepted answers an Accept: the sender has accepted its value (PMMC's p2b).
type Accepted struct {
	Ballot Ballot
	Slot   protocols.Index
}

// Nack refuses a message of Ballot, since the sender has promised a higher one.
type Nack struct {
	Ballot   Ballot // of the message that was refused
	Promised Ballot
}

// Decide says that all slots up to Commit are chosen. It carries no values: it
// proves a slot to a receiver that has accepted it at this very Ballot.
type Decide struct {
	Ballot Ballot
	Commit protocols.Index
}

// Heartbeat keeps leadership.
type Heartbeat struct {
	Ballot Ballot
	Commit protocols.Index // as in Accept
	// Round numbers the rounds of heartbeats of the leader's ballot one by one. An
	// answer confirms the leadership at the time when its round was sent.
	Round uint64
}

// HeartbeatResponse answers a Heartbeat: its sender knows no ballot above Ballot,
// and ignores other candidates for the minimum election timeout.
type HeartbeatResponse struct {
	Ballot   Ballot
	Round    uint64          // of the request
	Executed protocols.Index // up to where the sender has executed
}

// CatchupRequest asks for chosen values from slot First on.
type CatchupRequest struct {
	First protocols.Index
}

// CatchupResponse answers a CatchupRequest with chosen values. Without any, it only
// says up to where its sender has executed.
type CatchupResponse struct {
	// Checkpoint is set when the sender no longer holds the slots asked for.
	Checkpoint *Checkpoint     // immutable
	First      protocols.Index // slot of Values[0]
	Values     []Value         // chosen, without gaps; immutable
	Executed   protocols.Index // up to where the sender has executed
}

// Kind implements [protocols.Message].
func (*Prepare) Kind() protocols.Kind { return KindPrepare }

// Kind implements [protocols.Message].
func (*Promise) Kind() protocols.Kind { return KindPromise }

// Kind implements [protocols.Message].
func (*Accept) Kind() protocols.Kind { return KindAccept }

// Kind implements [protocols.Message].
func (*Accepted) Kind() protocols.Kind { return KindAccepted }

// Kind implements [protocols.Message].
func (*Nack) Kind() protocols.Kind { return KindNack }

// Kind implements [protocols.Message].
func (*Decide) Kind() protocols.Kind { return KindDecide }

// Kind implements [protocols.Message].
func (*Heartbeat) Kind() protocols.Kind { return KindHeartbeat }

// Kind implements [protocols.Message].
func (*HeartbeatResponse) Kind() protocols.Kind { return KindHeartbeatResponse }

// Kind implements [protocols.Message].
func (*CatchupRequest) Kind() protocols.Kind { return KindCatchupRequest }

// Kind implements [protocols.Message].
func (*CatchupResponse) Kind() protocols.Kind { return KindCatchupResponse }

// messageKinds describes the messages for traces and the conformance suite.
func messageKinds() []protocols.KindInfo {
	return []protocols.KindInfo{
		{Kind: KindPrepare, Name: "Prepare", New: func() any { return new(Prepare) }},
		{Kind: KindPromise, Name: "Promise", New: func() any { return new(Promise) }},
		{Kind: KindAccept, Name: "Accept", New: func() any { return new(Accept) }},
		{Kind: KindAccepted, Name: "Accepted", New: func() any { return new(Accepted) }},
		{Kind: KindNack, Name: "Nack", New: func() any { return new(Nack) }},
		{Kind: KindDecide, Name: "Decide", New: func() any { return new(Decide) }},
		{Kind: KindHeartbeat, Name: "Heartbeat", New: func() any { return new(Heartbeat) }},
		{Kind: KindHeartbeatResponse, Name: "HeartbeatResponse", New: func() any { return new(HeartbeatResponse) }},
		{Kind: KindCatchupRequest, Name: "CatchupRequest", New: func() any { return new(CatchupRequest) }},
		{Kind: KindCatchupResponse, Name: "CatchupResponse", New: func() any { return new(CatchupResponse) }},
	}
}
