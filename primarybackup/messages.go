package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// The kinds of messages.
const (
	KindPing protocols.Kind = iota + 1
	KindAcknowledge
	KindAnnounce
	KindReplicate
	KindReplicateResponse
	KindState
	KindHeartbeat
	KindHeartbeatResponse
	KindProgress
	KindConfirm
	KindConfirmResponse
)

// Life names one life of a replica, from boot to crash. What a primary knows and
// has not yet written dies with it, so a view is given to a life, not to a replica.
type Life struct {
	Nonce uint64
	// Since is when it booted, on the replica's monotone clock, which goes on across
	// restarts: later lives have later ones.
	Since protocols.Time
}

// View says who serves. The service numbers views one by one; the number is the
// epoch by which everything is fenced.
type View struct {
	Number  uint64
	Primary protocols.NodeID
	Life    Life              // of the primary, that the view is meant for
	Backups protocols.NodeSet // who must acknowledge, without the primary
}

// Members returns the primary and the backups.
func (v *View) Members() protocols.NodeSet {
	if v.Primary == protocols.Nobody {
		return v.Backups
	}
	return v.Backups.With(v.Primary)
}

// Ping tells the view service that the sender lives, and how far it is.
type Ping struct {
	Life Life
	Sent protocols.Time // on the sender's monotone clock
	Echo protocols.Time // Announce.Sent of the last one heard, 0: none
	View uint64         // the highest that the sender knows
	// Holds is the newest view whose whole log the sender has: see Node.holds.
	Holds uint64
	// LastEpoch and LastIndex are of the sender's last log entry.
	LastEpoch uint64
	LastIndex protocols.Index
	// Suspects are backups of View that its primary has not heard for too long, and
	// Ready replicas outside that it has brought up to date.
	Suspects, Ready protocols.NodeSet
}

// Acknowledge says that View is in force: its primary, and every backup, durably
// has the log with which it starts.
type Acknowledge struct {
	View uint64
	Life Life
	// StartEpoch and Start are of the last entry of that log.
	StartEpoch uint64
	Start      protocols.Index
}

// Announce tells a replica the current view, and answers a Ping.
type Announce struct {
	View  View
	Acked bool              // the view has been acknowledged, durably
	Idle  protocols.NodeSet // live replicas outside the view
	Sent  protocols.Time    // on the service's monotone clock
	Life  Life              // of the Ping that is answered, or zero
	Ping  protocols.Time    // Sent of that Ping, or 0
	// Grant promises the view's primary that no other will be named until DeadAfter
	// has passed since the service received the Ping.
	Grant bool
}

// Replicate ships Entries, which follow PrevIndex, in the name of view Epoch.
type Replicate struct {
	Epoch     uint64
	Start     protocols.Index // the primary's last entry when the view began
	PrevIndex protocols.Index
	PrevEpoch uint64
	Commit    protocols.Index // every member of the view has the log up to here
	Member    bool            // the receiver is a backup of the view, not a joiner
	Ack       bool            // an acknowledgement is wanted now
	Entries   []Entry         // immutable
}

// ReplicateResponse answers a Replicate or a State.
type ReplicateResponse struct {
	Epoch   uint64 // the sender's; above the request's: the primary is deposed
	Success bool
	// Match is, on success, up to where the sender's durable log equals the
	// primary's, and otherwise the PrevIndex that was refused.
	Match protocols.Index
	// MatchEpoch is, on success, the epoch of the entry at Match.
	MatchEpoch uint64
	// ConflictEpoch is, on refusal, the epoch of the sender's entry at PrevIndex, 0
	// when its log is too short; ConflictIndex is the first index of that epoch, or
	// the one after its last.
	ConflictEpoch uint64
	ConflictIndex protocols.Index
}

// State is a full state transfer: machine, at-most-once table, and the log position
// that they stand for.
type State struct {
	Epoch    uint64
	Start    protocols.Index
	Member   bool
	Position protocols.Index
	// PositionEpoch is the epoch of the entry at Position.
	PositionEpoch uint64
	Content       any // of the executor, by [protocols.Executor.Snapshot]
}

// Heartbeat shows a receiver that its primary lives.
type Heartbeat struct {
	Epoch uint64
	// Commit is cut to what the receiver has acknowledged in this epoch.
	Commit protocols.Index
	// Match is up to where it has acknowledged, and Sent up to where it was sent the
	// log; Progress is wanted when they differ.
	Match, Sent protocols.Index
}

// HeartbeatResponse shows a primary that the sender lives, in the primary's view.
type HeartbeatResponse struct {
	Epoch uint64
}

// Progress says how far the sender's durable log is known to equal the primary's.
// It answers a Heartbeat, not a Replicate: so much of it is due to time alone.
type Progress struct {
	Epoch      uint64
	Match      protocols.Index
	MatchEpoch uint64
	Sent       protocols.Index // of the Heartbeat: what is lacking up to there is lost
}

// Confirm asks a backup whether the sender is still its primary.
type Confirm struct {
	Epoch uint64
	Round uint64 // numbers the rounds of an epoch one by one
}

// ConfirmResponse says that it is.
type ConfirmResponse struct {
	Epoch uint64
	Round uint64 // of the request
}

// Kind implements [protocols.Message].
func (*Ping) Kind() protocols.Kind { return KindPing }

// Kind implements [protocols.Message].
func (*Acknowledge) Kind() protocols.Kind { return KindAcknowledge }

// Kind implements [protocols.Message].
func (*Announce) Kind() protocols.Kind { return KindAnnounce }

// Kind implements [protocols.Message].
func (*Replicate) Kind() protocols.Kind { return KindReplicate }

// Kind implements [protocols.Message].
func (*ReplicateResponse) Kind() protocols.Kind { return KindReplicateResponse }

// Kind implements [protocols.Message].
func (*State) Kind() protocols.Kind { return KindState }

// Kind implements [protocols.Message].
func (*Heartbeat) Kind() protocols.Kind { return KindHeartbeat }

// Kind implements [protocols.Message].
func (*HeartbeatResponse) Kind() protocols.Kind { return KindHeartbeatResponse }

// Kind implements [protocols.Message].
func (*Progress) Kind() protocols.Kind { return KindProgress }

// Kind implements [protocols.Message].
func (*Confirm) Kind() protocols.Kind { return KindConfirm }

// Kind implements [protocols.Message].
func (*ConfirmResponse) Kind() protocols.Kind { return KindConfirmResponse }

// messageKinds describes the messages for traces and the conformance suite.
func messageKinds() []protocols.KindInfo {
	return []protocols.KindInfo{
		{Kind: KindPing, Name: "Ping", New: func() any { return new(Ping) }},
		{Kind: KindAcknowledge, Name: "Acknowledge", New: func() any { return new(Acknowledge) }},
		{Kind: KindAnnounce, Name: "Announce", New: func() any { return new(Announce) }},
		{Kind: KindReplicate, Name: "Replicate", New: func() any { return new(Replicate) }},
		{Kind: KindReplicateResponse, Name: "ReplicateResponse", New: func() any { return new(ReplicateResponse) }},
		{Kind: KindState, Name: "State", New: func() any { return new(State) }},
		{Kind: KindHeartbeat, Name: "Heartbeat", New: func() any { return new(Heartbeat) }},
		{Kind: KindHeartbeatResponse, Name: "HeartbeatResponse", New: func() any { return new(HeartbeatResponse) }},
		{Kind: KindProgress, Name: "Progress", New: func() any { return new(Progress) }},
		{Kind: KindConfirm, Name: "Confirm", New: func() any { return new(Confirm) }},
		{Kind: KindConfirmResponse, Name: "ConfirmResponse", New: func() any { return new(ConfirmResponse) }},
	}
}
