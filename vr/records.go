package vr

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The kinds of records. Only the durable variant writes any.
const (
	KindViewState protocols.Kind = iota + 1
	KindAppend
	KindInstall
	KindCheckpoint
)

// Entry is one position of the log: a request, and the view in which it was given
// its op-number. A Command of Client 0 is nobody's. With Members it is a
// reconfiguration: the last request of its epoch (§7.1).
type Entry struct {
	View    View
	Command protocols.Command
	Members protocols.NodeSet
}

// ViewState is the view and the latest view in which the replica was normal.
type ViewState struct {
	View, LastNormal View
}

// Append adds entries after After, where the log ends.
type Append struct {
	After   protocols.Index
	Entries []Entry // immutable
}

// Install makes the replica normal in View, with a log that goes on with Entries
// after After. It is one record: a log of one view under the number of another would
// be taken for what it is not.
type Install struct {
	View    View
	After   protocols.Index
	Entries []Entry // immutable
}

// Checkpoint is a full checkpoint: views, the application state and the log that
// follows it. It replaces everything before it.
type Checkpoint struct {
	View, LastNormal View
	Base             any     // *base, immutable
	Entries          []Entry // after the base; immutable
}

// base is the replicated state at a checkpoint, as [protocols.Executor.Snapshot]
// gives it.
type base struct {
	op     protocols.Index
	state  any
	config configuration // after op
}

// Kind implements [protocols.Record].
func (*ViewState) Kind() protocols.Kind { return KindViewState }

// Kind implements [protocols.Record].
func (*Append) Kind() protocols.Kind { return KindAppend }

// Kind implements [protocols.Record].
func (*Install) Kind() protocols.Kind { return KindInstall }

// Kind implements [protocols.Record].
func (*Checkpoint) Kind() protocols.Kind { return KindCheckpoint }

// recordKinds describes the records for traces and the conformance suite.
func recordKinds() []protocols.KindInfo {
	return []protocols.KindInfo{
		{Kind: KindViewState, Name: "ViewState", New: func() any { return new(ViewState) }},
		{Kind: KindAppend, Name: "Append", New: func() any { return new(Append) }},
		{Kind: KindInstall, Name: "Install", New: func() any { return new(Install) }},
		{Kind: KindCheckpoint, Name: "Checkpoint", New: func() any { return new(Checkpoint) }},
	}
}

// recoverFrom replays what the disk holds. Every prefix of the records is a state
// in which the replica once was, so a crash between any two is harmless.
func (n *Node) recoverFrom(disk protocols.Recovered) error {
	if disk.Snapshot != nil {
		if err := n.replay(disk.Snapshot); err != nil {
			return fmt.Errorf("vr: %v: checkpoint: %w", n.id, err)
		}
	}
	for i, r := range disk.Records {
		switch r.State {
		case protocols.RecordOK:
			if err := n.replay(r.Record); err != nil {
				return fmt.Errorf("vr: %v: record %d of %d: %w", n.id, i+1, len(disk.Records), err)
			}
		case protocols.RecordTorn:
			// It was never durable, so nothing that depends on it has been said. Only
			// the last record can be torn.
			if i+1 != len(disk.Records) {
				return fmt.Errorf("vr: %v: record %d of %d is torn, want only the last to be: refusing to boot", n.id, i+1, len(disk.Records))
			}
		default:
			if n.bugs.cutCorrupt { // V-17
				return nil
			}
			// Cutting the log here could drop operations that were acknowledged, and the
			// promise of a view (V-17). Only an operator can decide that.
			return fmt.Errorf("vr: %v: record %d of %d is corrupt or missing: refusing to boot, since it may hold a promised view or acknowledged operations", n.id, i+1, len(disk.Records))
		}
	}
	return nil
}

func (n *Node) replay(r protocols.Record) error {
	switch r := r.(type) {
	case *ViewState:
		n.view, n.lastNormal = r.View, r.LastNormal
	case *Append:
		if r.After != n.log.Last() {
			return fmt.Errorf("append after operation %d, but the log ends at %d", r.After, n.log.Last())
		}
		n.appendAll(r.Entries)
	case *Install:
		if r.After+1 < n.log.First() || r.After > n.log.Last() {
			return fmt.Errorf("a log from operation %d on, but the log holds %d..%d", r.After+1, n.log.First(), n.log.Last())
		}
		n.view, n.lastNormal = r.View, r.View
		n.log.TruncateFrom(r.After + 1)
		n.appendAll(r.Entries)
	case *Checkpoint:
		n.view, n.lastNormal = r.View, r.LastNormal
		n.restore(r.Base.(*base))
		n.appendAll(r.Entries)
	default:
		return fmt.Errorf("unknown record type %T", r)
	}
	return nil
}

func (n *Node) appendAll(entries []Entry) {
	for _, e := range entries {
		n.log.Append(e)
	}
}
