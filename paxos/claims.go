package paxos

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// claims appends what m says about its sender's disk: a Prepare, that its sender has
// promised the ballot to itself; a Promise and an Accepted, what they are named for.
// Nothing else claims anything.
func claims(_ protocols.NodeID, m protocols.Message, facts []protocols.DurableFact) []protocols.DurableFact {
	switch m := m.(type) {
	case *Prepare:
		return append(facts, protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: uint64(m.Ballot)})
	case *Promise:
		return append(facts, protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: uint64(m.Ballot)})
	case *Accepted:
		return append(facts,
			protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: uint64(m.Ballot)},
			protocols.DurableFact{Kind: protocols.FactEntry, Epoch: uint64(m.Ballot), Index: m.Slot})
	}
	return facts
}

// durableImage is what one node's disk holds, and what it ever held.
type durableImage struct {
	promised Ballot
	// accepted[i-1] is the highest ballot at which slot i was ever durably accepted
	// here. Acceptances of a slot are written in order of ballots, so whoever has one
	// of a higher ballot has had every one that it may speak of.
	accepted protocols.Log[Ballot]
	// What comes before it is under a checkpoint, and so chosen.
}

func newDurableImage(protocols.NodeID) protocols.DurableImage { return new(durableImage) }

// Persisted implements [protocols.DurableImage].
func (d *durableImage) Persisted(r protocols.Record, _ bool) {
	switch r := r.(type) {
	case *Promised:
		d.promised = r.Ballot
	case *AcceptedValue:
		d.accept(&r.Pvalue)
	case *Snapshot:
		d.promised = r.Promised
		if c := r.Checkpoint; c != nil && c.Applied > d.accepted.Last() {
			d.accepted.Reset(c.Applied)
		} else if c != nil {
			d.accepted.CompactTo(c.Applied)
		}
		for i := range r.Accepted {
			d.accept(&r.Accepted[i])
		}
	}
}

func (d *durableImage) accept(p *Pvalue) {
	if p.Ballot == learned || p.Slot < d.accepted.First() {
		return
	}
	for d.accepted.Last() < p.Slot {
		d.accepted.Append(0)
	}
	a := d.accepted.At(p.Slot)
	*a = max(*a, p.Ballot)
	d.promised = max(d.promised, p.Ballot)
}

// Lost implements [protocols.DurableImage].
func (d *durableImage) Lost() { *d = durableImage{} }

// Holds implements [protocols.DurableImage]. It words only what does not hold.
func (d *durableImage) Holds(f protocols.DurableFact) (bool, string) {
	switch f.Kind {
	case protocols.FactEpoch:
		if d.promised >= Ballot(f.Epoch) {
			return true, ""
		}
		return false, fmt.Sprintf("durable promise of ballot %v", d.promised)
	case protocols.FactEntry:
		if f.Index < d.accepted.First() {
			return true, ""
		}
		var held Ballot
		if f.Index <= d.accepted.Last() {
			held = *d.accepted.At(f.Index)
		}
		if held >= Ballot(f.Epoch) {
			return true, ""
		}
		return false, fmt.Sprintf("slot %d durably accepted at ballot %v", f.Index, held)
	}
	return false, "no such fact in Paxos"
}
