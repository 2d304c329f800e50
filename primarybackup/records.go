package primarybackup

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The kinds of records.
const (
	KindViewState protocols.Kind = iota + 1
	KindPromise
	KindAppend
	KindRewind
	KindCheckpoint
)

// Entry is one position of the log.
type Entry struct {
	Epoch   uint64 // the view in which a primary made it
	Command protocols.Command
	// Effect is what executing it did at the primary; nil in a logical log. Immutable.
	Effect *protocols.LogEffect
}

// ViewState is all that the view service must not forget.
type ViewState struct {
	View View
	// Acked is the number of the last view that was acknowledged, and Holders are its
	// members.
	Acked   uint64
	Holders protocols.NodeSet
}

// Promise is the highest view that a replica knows, below which it takes part in
// nothing any more, and the newest view whose whole log it holds.
type Promise struct {
	Epoch, Holds uint64
}

// Append stores entries after PrevIndex, where the log ends.
type Append struct {
	PrevIndex protocols.Index
	Entries   []Entry // immutable
}

// Rewind removes the entries after Last: those of an old primary that were never
// committed.
type Rewind struct {
	Last protocols.Index
}

// Checkpoint is a state that was transferred, or a snapshot of the replica's own. It
// replaces everything before it.
type Checkpoint struct {
	Epoch, Holds  uint64
	Position      protocols.Index
	PositionEpoch uint64
	Content       any     // of the executor, by [protocols.Executor.Snapshot]
	Entries       []Entry // of the log after Position; immutable
}

// Kind implements [protocols.Record].
func (*ViewState) Kind() protocols.Kind { return KindViewState }

// Kind implements [protocols.Record].
func (*Promise) Kind() protocols.Kind { return KindPromise }

// Kind implements [protocols.Record].
func (*Append) Kind() protocols.Kind { return KindAppend }

// Kind implements [protocols.Record].
func (*Rewind) Kind() protocols.Kind { return KindRewind }

// Kind implements [protocols.Record].
func (*Checkpoint) Kind() protocols.Kind { return KindCheckpoint }

// recordKinds describes the records for traces and the conformance suite.
func recordKinds() []protocols.KindInfo {
	return []protocols.KindInfo{
		{Kind: KindViewState, Name: "ViewState", New: func() any { return new(ViewState) }},
		{Kind: KindPromise, Name: "Promise", New: func() any { return new(Promise) }},
		{Kind: KindAppend, Name: "Append", New: func() any { return new(Append) }},
		{Kind: KindRewind, Name: "Rewind", New: func() any { return new(Rewind) }},
		{Kind: KindCheckpoint, Name: "Checkpoint", New: func() any { return new(Checkpoint) }},
	}
}

// recoverRecords calls replay with every whole record of a disk. A torn last one
// was never durable, so nothing that depends on it has been said. A corrupt or
// missing one may hold what was acknowledged, or the current view: only an
// operator can decide to go on without it.
func recoverRecords(id protocols.NodeID, disk protocols.Recovered, replay func(protocols.Record) error) error {
	if disk.Snapshot != nil {
		if err := replay(disk.Snapshot); err != nil {
			return fmt.Errorf("primarybackup: %v: checkpoint: %w", id, err)
		}
	}
	for i, r := range disk.Records {
		switch r.State {
		case protocols.RecordOK:
			if err := replay(r.Record); err != nil {
				return fmt.Errorf("primarybackup: %v: record %d of %d: %w", id, i+1, len(disk.Records), err)
			}
		case protocols.RecordTorn:
			if i+1 != len(disk.Records) {
				return fmt.Errorf("primarybackup: %v: record %d of %d is torn, want only the last to be: refusing to boot", id, i+1, len(disk.Records))
			}
		default:
			return fmt.Errorf("primarybackup: %v: record %d of %d is corrupt or missing: refusing to boot, since it may hold acknowledged entries", id, i+1, len(disk.Records))
		}
	}
	return nil
}

// replay takes over one record of the disk. Every prefix of the records is a state
// in which the replica once was, so a crash between any two is harmless.
func (n *Node) replay(r protocols.Record) error {
	switch r := r.(type) {
	case *Promise:
		n.view.Number, n.holds = r.Epoch, r.Holds
	case *Append:
		if r.PrevIndex != n.log.Last() {
			return fmt.Errorf("append after index %d, but the log ends at %d", r.PrevIndex, n.log.Last())
		}
		for _, e := range r.Entries {
			n.log.Append(e)
		}
	case *Rewind:
		if r.Last < n.log.First()-1 || r.Last > n.log.Last() {
			return fmt.Errorf("rewind to index %d, but the log holds %d..%d", r.Last, n.log.First(), n.log.Last())
		}
		n.log.TruncateFrom(r.Last + 1)
	case *Checkpoint:
		if r.Content == nil {
			return fmt.Errorf("it has no content")
		}
		n.view.Number, n.holds = r.Epoch, r.Holds
		n.restore(r.Position, r.PositionEpoch, r.Content)
		for _, e := range r.Entries {
			n.log.Append(e)
		}
	default:
		return fmt.Errorf("unknown record type %T", r)
	}
	return nil
}
