package primarybackup

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// claims appends what m says about its sender's disk: an announcement that the
// service remembers the view, an acknowledgement, of whatever kind, that a replica
// has promised the view and holds a log. Nothing else claims anything.
func claims(_ protocols.NodeID, m protocols.Message, facts []protocols.DurableFact) []protocols.DurableFact {
	switch m := m.(type) {
	case *Announce:
		if m.View.Number > 0 {
			return append(facts, protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: m.View.Number})
		}
	case *Acknowledge:
		return claimLog(facts, m.View, m.Start, m.StartEpoch)
	case *ReplicateResponse:
		if m.Success {
			return claimLog(facts, m.Epoch, m.Match, m.MatchEpoch)
		}
	case *Progress:
		return claimLog(facts, m.Epoch, m.Match, m.MatchEpoch)
	}
	return facts
}

func claimLog(facts []protocols.DurableFact, promise uint64, index protocols.Index, epoch uint64) []protocols.DurableFact {
	facts = append(facts, protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: promise})
	if index > 0 {
		facts = append(facts, protocols.DurableFact{Kind: protocols.FactLog, Epoch: epoch, Index: index})
	}
	return facts
}

// durableImage is what one node's disk holds, and what it ever held.
type durableImage struct {
	promise uint64
	// held[e] is the highest index at which an entry of that epoch has ever been
	// durable here. Since equal epoch and index mean equal logs, that stands for all
	// below.
	held []heldEpoch
	// covered is the highest position of a checkpoint: it stands for all below.
	covered protocols.Index
}

type heldEpoch struct {
	epoch uint64
	index protocols.Index
}

func newDurableImage(protocols.NodeID) protocols.DurableImage { return new(durableImage) }

// Persisted implements [protocols.DurableImage].
func (d *durableImage) Persisted(r protocols.Record, _ bool) {
	switch r := r.(type) {
	case *ViewState:
		d.promise = r.View.Number
	case *Promise:
		d.promise = r.Epoch
	case *Append:
		for i := range r.Entries {
			d.hold(r.Entries[i].Epoch, r.PrevIndex+1+protocols.Index(i))
		}
	case *Checkpoint:
		d.promise = r.Epoch
		d.hold(r.PositionEpoch, r.Position)
		d.covered = max(d.covered, r.Position)
		for i := range r.Entries {
			d.hold(r.Entries[i].Epoch, r.Position+1+protocols.Index(i))
		}
	}
}

func (d *durableImage) hold(epoch uint64, index protocols.Index) {
	i := d.search(epoch)
	if i == len(d.held) || d.held[i].epoch != epoch {
		d.held = append(d.held, heldEpoch{})
		copy(d.held[i+1:], d.held[i:])
		d.held[i] = heldEpoch{epoch: epoch}
	}
	d.held[i].index = max(d.held[i].index, index)
}

// search returns the position of the first epoch not below epoch. It looks from the
// end, where new entries are.
func (d *durableImage) search(epoch uint64) int {
	i := len(d.held)
	for i > 0 && d.held[i-1].epoch >= epoch {
		i--
	}
	return i
}

// Lost implements [protocols.DurableImage].
func (d *durableImage) Lost() { *d = durableImage{} }

// Holds implements [protocols.DurableImage]. It words only what does not hold.
func (d *durableImage) Holds(f protocols.DurableFact) (bool, string) {
	switch f.Kind {
	case protocols.FactEpoch:
		if d.promise >= f.Epoch {
			return true, ""
		}
		return false, fmt.Sprintf("durable view %d", d.promise)
	case protocols.FactLog:
		index := d.covered
		if i := d.search(f.Epoch); i < len(d.held) && d.held[i].epoch == f.Epoch {
			index = max(index, d.held[i].index)
		}
		if index >= f.Index {
			return true, ""
		}
		return false, fmt.Sprintf("durable entries of view %d up to index %d", f.Epoch, index)
	}
	return false, "no such fact in primary-backup"
}
