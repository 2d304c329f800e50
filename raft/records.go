package raft

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The kinds of records.
const (
	KindHardState protocols.Kind = iota + 1
	KindAppend
	KindSnapshot
	KindWiped
)

// Entry is one position of the log: a client's command, a configuration, or, when it
// has neither, the no-op with which a leader starts its term.
type Entry struct {
	Term          uint64
	Command       protocols.Command
	Configuration *Configuration // immutable; nil: none
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

// Checkpoint is the replicated state at an index of the log (§5.1): what the log up
// to there comes to. It is immutable.
type Checkpoint struct {
	LastIndex     protocols.Index
	LastTerm      uint64
	Configuration *Configuration // in force at LastIndex
	State         any            // as [protocols.Executor] gives it, sessions included
}

// Snapshot is a full checkpoint of a node: it replaces all records before it.
type Snapshot struct {
	HardState
	Disk       uint64 // as in Wiped
	Checkpoint *Checkpoint
	Entries    []Entry // behind the checkpoint; immutable
}

// Wiped is the first record of a disk that replaced a lost one. With that, votes and
// entries were lost that others may count on.
type Wiped struct {
	Disk uint64 // goes up with every disk of the node
}

// Kind implements [protocols.Record].
func (*HardState) Kind() protocols.Kind { return KindHardState }

// Kind implements [protocols.Record].
func (*Append) Kind() protocols.Kind { return KindAppend }

// Kind implements [protocols.Record].
func (*Snapshot) Kind() protocols.Kind { return KindSnapshot }

// Kind implements [protocols.Record].
func (*Wiped) Kind() protocols.Kind { return KindWiped }

// recordKinds describes the records for traces and the conformance suite.
func recordKinds() []protocols.KindInfo {
	return []protocols.KindInfo{
		{Kind: KindHardState, Name: "HardState", New: func() any { return new(HardState) }},
		{Kind: KindAppend, Name: "Append", New: func() any { return new(Append) }},
		{Kind: KindSnapshot, Name: "Snapshot", New: func() any { return new(Snapshot) }},
		{Kind: KindWiped, Name: "Wiped", New: func() any { return new(Wiped) }},
	}
}

// recoverFrom replays what the disk holds. Every prefix of the records is a state
// in which the node once was, so a crash between any two is harmless.
func (n *Node) recoverFrom(disk protocols.Recovered) error {
	if disk.Snapshot != nil {
		s, ok := disk.Snapshot.(*Snapshot)
		if !ok {
			return fmt.Errorf("raft: %v: unknown snapshot type %T", n.id, disk.Snapshot)
		}
		n.restore(s.Checkpoint)
		n.term, n.vote, n.disk = s.Term, s.Vote, s.Disk
		n.appendRecovered(s.Entries)
	}
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
	if n.bugs.offByOne && disk.Snapshot != nil && n.log.Last() > n.base() {
		n.execute.Applied++
		n.commit++
	}
	return nil
}

func (n *Node) appendRecovered(entries []Entry) {
	prev := n.log.Last()
	for _, e := range entries {
		n.log.Append(e)
	}
	n.learnConfigurations(prev, entries)
}

func (n *Node) replay(r protocols.Record) error {
	switch r := r.(type) {
	case *HardState:
		n.term, n.vote = r.Term, r.Vote
	case *Append:
		if r.PrevLogIndex > n.log.Last() || r.PrevLogIndex < n.base() {
			return fmt.Errorf("append after index %d, but the log holds %d..%d", r.PrevLogIndex, n.log.First(), n.log.Last())
		}
		n.log.TruncateFrom(r.PrevLogIndex + 1)
		n.forgetConfigurations(r.PrevLogIndex + 1)
		n.appendRecovered(r.Entries)
	case *Wiped:
		n.disk = r.Disk
	default:
		return fmt.Errorf("unknown record type %T", r)
	}
	return nil
}
