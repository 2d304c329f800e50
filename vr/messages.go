package vr

import "github.com/lockstep-sim/lockstep/protocols"

// The kinds of messages.
const (
	KindPrepare protocols.Kind = iota + 1
	KindPrepareOK
	KindCommit
	KindCommitOK
	KindStartViewChange
	KindDoViewChange
	KindStartView
	KindRecovery
	KindRecoveryResponse
	KindGetState
	KindNewState
	KindStartEpoch
	KindEpochStarted
)

// Prepare asks a backup to add Entries to its log (§4.1). A new operation travels
// alone; what is sent again travels in batches.
type Prepare struct {
	View    View
	Op      protocols.Index // op-number of the last entry
	Commit  protocols.Index // the primary's commit-number
	Entries []Entry         // immutable; the last ones up to Op
}

// PrepareOK acknowledges every operation of View up to Op (§4.1).
type PrepareOK struct {
	View View
	Op   protocols.Index
}

// Commit tells the commit-number, and that the primary is there (§4.1).
type Commit struct {
	View   View
	Commit protocols.Index
	// Round numbers the Commit messages of the primary's view one by one. An answer
	// confirms the view at the time when its round was sent.
	Round uint64
}

// CommitOK answers a Commit. Deviation: the paper's Commit has no answer. This one
// confirms rounds for reads and leases (§6.3) and tells the primary which replica
// lacks something.
type CommitOK struct {
	View  View
	Round uint64          // of the Commit
	Op    protocols.Index // the end of the sender's log, durable or not
}

// StartViewChange says that its sender takes part in no view below View any more
// (§4.2).
type StartViewChange struct {
	View   View
	Vector []uint64 // crash vector of the sender, immutable; empty but in the variant crash-vectors
}

// DoViewChange hands its sender's log to the primary of View (§4.2).
type DoViewChange struct {
	View       View
	LastNormal View            // the latest view in which the sender was in status normal
	Op         protocols.Index // end of Log
	Commit     protocols.Index
	Log        Tail
	Vector     []uint64 // as in StartViewChange
}

// StartView says that View has begun, and with which log (§4.2).
type StartView struct {
	View   View
	Op     protocols.Index // end of Log
	Commit protocols.Index
	Log    Tail // what every member of the quorum may lack
}

// Recovery asks for the state that the sender has lost (§4.3).
type Recovery struct {
	Nonce  uint64
	Vector []uint64 // crash-vectors: with the sender's new incarnation once it is known
}

// RecoveryResponse answers a Recovery (§4.3).
type RecoveryResponse struct {
	View    View
	Members protocols.NodeSet // of the epoch of View
	Nonce   uint64            // of the Recovery
	Primary bool              // the sender is the primary of View; only then are the next three set
	Op      protocols.Index
	Commit  protocols.Index
	Log     Tail
	Vector  []uint64
}

// GetState asks a replica that is normal in View for what follows Op (§5.2).
type GetState struct {
	View View
	Op   protocols.Index
}

// NewState answers a GetState (§5.2).
type NewState struct {
	View   View
	Op     protocols.Index // end of Log
	Commit protocols.Index
	Log    Tail
}

// StartEpoch tells a replica that an epoch has begun in which it is a member, or that
// the one of which it speaks is over (§7.1).
type StartEpoch struct {
	View         View              // the first one of the epoch
	Op           protocols.Index   // op-number of the reconfiguration
	Prepared     View              // the view of the reconfiguration; noView: the sender has compacted it
	Old, Members protocols.NodeSet // the old and the new configuration
}

// EpochStarted says that its sender has everything with which the epoch of View began
// (§7.1).
type EpochStarted struct {
	View View            // the latest view in which the sender was in status normal
	Op   protocols.Index // op-number of the reconfiguration
}

// Tail is the end of a log: the entries after After, and, where its receiver may
// need it, a checkpoint at or behind After.
type Tail struct {
	After   protocols.Index
	Entries []Entry // immutable
	Base    any     // *base, immutable, or nil
}

// base returns the checkpoint of t, or nil.
func (t *Tail) base() *base {
	b, _ := t.Base.(*base)
	return b
}

// last returns the op-number of the last entry.
func (t *Tail) last() protocols.Index { return t.After + protocols.Index(len(t.Entries)) }

// Kind implements [protocols.Message].
func (*Prepare) Kind() protocols.Kind { return KindPrepare }

// Kind implements [protocols.Message].
func (*PrepareOK) Kind() protocols.Kind { return KindPrepareOK }

// Kind implements [protocols.Message].
func (*Commit) Kind() protocols.Kind { return KindCommit }

// Kind implements [protocols.Message].
func (*CommitOK) Kind() protocols.Kind { return KindCommitOK }

// Kind implements [protocols.Message].
func (*StartViewChange) Kind() protocols.Kind { return KindStartViewChange }

// Kind implements [protocols.Message].
func (*DoViewChange) Kind() protocols.Kind { return KindDoViewChange }

// Kind implements [protocols.Message].
func (*StartView) Kind() protocols.Kind { return KindStartView }

// Kind implements [protocols.Message].
func (*Recovery) Kind() protocols.Kind { return KindRecovery }

// Kind implements [protocols.Message].
func (*RecoveryResponse) Kind() protocols.Kind { return KindRecoveryResponse }

// Kind implements [protocols.Message].
func (*GetState) Kind() protocols.Kind { return KindGetState }

// Kind implements [protocols.Message].
func (*NewState) Kind() protocols.Kind { return KindNewState }

// Kind implements [protocols.Message].
func (*StartEpoch) Kind() protocols.Kind { return KindStartEpoch }

// Kind implements [protocols.Message].
func (*EpochStarted) Kind() protocols.Kind { return KindEpochStarted }

// messageKinds describes the messages for traces and the conformance suite.
func messageKinds() []protocols.KindInfo {
	return []protocols.KindInfo{
		{Kind: KindPrepare, Name: "Prepare", New: func() any { return new(Prepare) }},
		{Kind: KindPrepareOK, Name: "PrepareOK", New: func() any { return new(PrepareOK) }},
		{Kind: KindCommit, Name: "Commit", New: func() any { return new(Commit) }},
		{Kind: KindCommitOK, Name: "CommitOK", New: func() any { return new(CommitOK) }},
		{Kind: KindStartViewChange, Name: "StartViewChange", New: func() any { return new(StartViewChange) }},
		{Kind: KindDoViewChange, Name: "DoViewChange", New: func() any { return new(DoViewChange) }},
		{Kind: KindStartView, Name: "StartView", New: func() any { return new(StartView) }},
		{Kind: KindRecovery, Name: "Recovery", New: func() any { return new(Recovery) }},
		{Kind: KindRecoveryResponse, Name: "RecoveryResponse", New: func() any { return new(RecoveryResponse) }},
		{Kind: KindGetState, Name: "GetState", New: func() any { return new(GetState) }},
		{Kind: KindNewState, Name: "NewState", New: func() any { return new(NewState) }},
		{Kind: KindStartEpoch, Name: "StartEpoch", New: func() any { return new(StartEpoch) }},
		{Kind: KindEpochStarted, Name: "EpochStarted", New: func() any { return new(EpochStarted) }},
	}
}
