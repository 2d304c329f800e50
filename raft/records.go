package raft

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The kinds of records.
const (
	KindHardState protocols.Kind = iota + 1
	KindAppend
)

// Entry is one position of the log. A Command of Client 0 is the no-op with which
// a leader starts its term.
type Entry struct {
	Term    uint64
	Command protocols.Command
}

// HardState is the term and the vote in it, in one record: as two, a crash between
// them could leave the vote of one term under the number of another.
type HardState struct {
	Term uint64
	Vote protocols.NodeID // Nobody: none yet in Term
}

// Append stores entries after PrevLogIndex. It replaces what was there and all
// beyond: truncation needs no record of its own.
type Append struct {
	PrevLogIndex protocols.Index
	Entries      []Entry // immutable
}

// Kind implements [protocols.Record].
func (*HardState) Kind() protocols.Kind { return KindHardState }

// Kind implements [protocols.Record].
func (*Append) Kind() protocols.Kind { return KindAppend }

// recordKinds describes the records for traces and the conformance suite.
func recordKinds() []protocols.KindInfo {
	return []protocols.KindInfo{
		{Kind: KindHardState, Name: "HardState", New: func() any { return new(HardState) }},
		{Kind: KindAppend, Name: "Append", New: func() any { return new(Append) }},
	}
}

// recoverFrom replays what the disk holds. Every prefix of the records is a state
// in which the node once was, so a crash between any two is harmless.
func (n *Node) recoverFrom(disk protocols.Recovered) error {
	for i, r := range disk.Records {
		switch r.State {
		case protocols.RecordOK:
			if err := n.replay(r.Record); err != nil {
				return fmt.Errorf("raft: %v: record %d of %d: %w", n.id, i+1, len(disk.Records), err)
			}
		case protocols.RecordTorn:
			// It was never durable, so nothing that depends on it has been said. Only
			// the last record can be torn.
			if i+1 != len(disk.Records) {
				return fmt.Errorf("raft: %v: record %d of %d is torn, want only the last to be: refusing to boot", n.id, i+1, len(disk.Records))
			}
		default:
			if n.bugs.cutCorrupt {
				return nil
			}
			// Cutting the log here could drop entries that were acknowledged, and the
			// vote of this term. Only an operator can decide that.
			return fmt.Errorf("raft: %v: record %d of %d is corrupt or missing: refusing to boot, since it may hold a vote or acknowledged entries", n.id, i+1, len(disk.Records))
		}
	}
	return nil
}

func (n *Node) replay(r protocols.Record) error {
	switch r := r.(type) {
	case *HardState:
		n.term, n.vote = r.Term, r.Vote
	case *Append:
		if r.PrevLogIndex > n.log.Last() {
			return fmt.Errorf("append after index %d, but the log ends at %d", r.PrevLogIndex, n.log.Last())
		}
		n.log.TruncateFrom(r.PrevLogIndex + 1)
		for _, e := range r.Entries {
			n.log.Append(e)
		}
	default:
		return fmt.Errorf("unknown record type %T", r)
	}
	return nil
}
