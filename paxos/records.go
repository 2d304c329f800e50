package paxos

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The kinds of records.
const (
	KindPromised protocols.Kind = iota + 1
	KindAcceptedValue
	KindLearned
	KindSnapshot
	KindWiped
)

// Value is what one slot decides: a client's command, a new membership, or, when
// both are empty, a no-op.
type Value struct {
	Command protocols.Command
	Members protocols.NodeSet // a configuration, when not empty
}

// Pvalue is a value accepted in a slot at a ballot (PMMC §2).
type Pvalue struct {
	Slot   protocols.Index
	Ballot Ballot
	Value  Value
}

// Promised is an acceptor's promise: nothing below Ballot is accepted any more.
type Promised struct{ Ballot Ballot }

// AcceptedValue is an acceptance. It implies the promise of its ballot.
type AcceptedValue struct {
	Pvalue
	// Commit is up to where the node had executed: a restart executes as far at once,
	// from what was written before.
	Commit protocols.Index
}

// Learned stores values that this node learned to be chosen without having
// accepted them at the ballot that chose them.
type Learned struct {
	First  protocols.Index // slot of Values[0]
	Values []Value         // immutable
}

// Checkpoint is the replicated state at a slot. It is immutable.
type Checkpoint struct {
	Applied protocols.Index
	State   any // as [protocols.Executor] gives it, sessions included
	// Configurations are those that govern slots above Applied, in order.
	Configurations []Membership
}

// Membership is a configuration: who decides the slots from From on.
type Membership struct {
	From    protocols.Index
	Members protocols.NodeSet
}

// Snapshot is a full checkpoint of a node: it replaces all records before it.
type Snapshot struct {
	Wiped      bool // as the record Wiped
	Promised   Ballot
	Checkpoint *Checkpoint
	Accepted   []Pvalue // above Checkpoint.Applied, in order of slots; immutable
}

// Wiped is the first record of a disk that replaced a lost one. With that, promises
// were lost that others may count on.
type Wiped struct{}

// Kind implements [protocols.Record].
func (*Promised) Kind() protocols.Kind { return KindPromised }

// Kind implements [protocols.Record].
func (*AcceptedValue) Kind() protocols.Kind { return KindAcceptedValue }

// Kind implements [protocols.Record].
func (*Learned) Kind() protocols.Kind { return KindLearned }

// Kind implements [protocols.Record].
func (*Snapshot) Kind() protocols.Kind { return KindSnapshot }

// Kind implements [protocols.Record].
func (*Wiped) Kind() protocols.Kind { return KindWiped }

// Positions implements [protocols.Positioned].
func (r *AcceptedValue) Positions() (first, last protocols.Index) { return r.Slot, r.Slot }

// Positions implements [protocols.Positioned].
func (r *Learned) Positions() (first, last protocols.Index) {
	return r.First, r.First + protocols.Index(len(r.Values)) - 1
}

// recordKinds describes the records for traces and the conformance suite.
func recordKinds() []protocols.KindInfo {
	return []protocols.KindInfo{
		{Kind: KindPromised, Name: "Promised", New: func() any { return new(Promised) }},
		{Kind: KindAcceptedValue, Name: "AcceptedValue", New: func() any { return new(AcceptedValue) }},
		{Kind: KindLearned, Name: "Learned", New: func() any { return new(Learned) }},
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
			return fmt.Errorf("paxos: %v: unknown snapshot type %T", n.id, disk.Snapshot)
		}
		n.restore(s.Checkpoint)
		n.promised, n.wiped = s.Promised, s.Wiped
		for i := range s.Accepted {
			n.replayAccepted(&s.Accepted[i])
		}
	}
	for i, r := range disk.Records {
		switch r.State {
		case protocols.RecordOK:
			if err := n.replay(r.Record); err != nil {
				return fmt.Errorf("paxos: %v: record %d of %d: %w", n.id, i+1, len(disk.Records), err)
			}
		case protocols.RecordTorn:
			// It was never durable, so nothing that depends on it has been said. Only
			// the last record can be torn.
			if i+1 != len(disk.Records) {
				return fmt.Errorf("paxos: %v: record %d of %d is torn, want only the last to be: refusing to boot", n.id, i+1, len(disk.Records))
			}
		default:
			// Only an operator can decide to go on without it, and then by replacing
			// this node.
			return fmt.Errorf("paxos: %v: record %d of %d is corrupt or missing: refusing to boot, since it may hold a promise or an acceptance", n.id, i+1, len(disk.Records))
		}
	}
	n.govern()
	return nil
}

func (n *Node) replay(r protocols.Record) error {
	switch r := r.(type) {
	case *Wiped:
		n.wiped = true
	case *Promised:
		n.promised = r.Ballot
	case *AcceptedValue:
		n.promised = max(n.promised, r.Ballot)
		for i := n.execute.Applied + 1; i <= r.Commit && n.slots.isFilled(i); i++ {
			n.slots.at(i).chosen = true
		}
		n.executeChosen()
		n.replayAccepted(&r.Pvalue)
	case *Learned:
		for i := range r.Values {
			n.setLearned(r.First+protocols.Index(i), &r.Values[i])
		}
		// Of slots before these it may have to be told again that they are chosen, where
		// that was not written down.
		n.executeChosen()
	default:
		return fmt.Errorf("unknown record type %T", r)
	}
	return nil
}

// executeChosen executes at boot what the disk says is chosen.
func (n *Node) executeChosen() {
	for n.slots.isChosen(n.execute.Applied + 1) {
		n.executeNext(nil)
	}
}

func (n *Node) replayAccepted(p *Pvalue) {
	if p.Slot > n.slots.base {
		s := n.slots.reach(p.Slot)
		*s = slot{ballot: p.Ballot, value: p.Value, chosen: s.chosen}
	}
}
