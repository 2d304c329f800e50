package vr

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// claims appends what m says about its sender's disk, in the durable variant. A
// message of a view change says that its sender has promised the view, and a log
// that is offered or acknowledged is there: up to Op, the log of that view. Nothing
// else claims anything.
func claims(_ protocols.NodeID, m protocols.Message, facts []protocols.DurableFact) []protocols.DurableFact {
	switch m := m.(type) {
	case *StartViewChange:
		return append(facts, protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: uint64(m.View)})
	case *StartView:
		return append(facts, protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: uint64(m.View)})
	case *DoViewChange:
		return claimLog(facts, m.View, m.LastNormal, m.Op)
	case *PrepareOK:
		return claimLog(facts, m.View, m.View, m.Op)
	case *EpochStarted:
		return claimLog(facts, m.View, m.View, m.Op)
	}
	return facts
}

func claimLog(facts []protocols.DurableFact, promise, view View, op protocols.Index) []protocols.DurableFact {
	facts = append(facts, protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: uint64(promise)})
	if op > 0 {
		facts = append(facts, protocols.DurableFact{Kind: protocols.FactLog, Epoch: uint64(view), Index: op})
	}
	return facts
}

// durableImage is what one node's disk holds, and what it ever held.
type durableImage struct {
	view, lastNormal View
	// held[v] is up to where this node has ever durably held the log of view v. Within
	// a view all logs are prefixes of one, so that stands for all below.
	held []heldView
	last protocols.Index // end of the log
}

type heldView struct {
	view View
	op   protocols.Index
}

func newDurableImage(protocols.NodeID) protocols.DurableImage { return new(durableImage) }

// Persisted implements [protocols.DurableImage].
func (d *durableImage) Persisted(r protocols.Record, _ bool) {
	switch r := r.(type) {
	case *ViewState:
		d.view, d.lastNormal = r.View, r.LastNormal
	case *Append:
		d.last = r.After + protocols.Index(len(r.Entries))
	case *Install:
		d.view, d.lastNormal = r.View, r.View
		d.last = r.After + protocols.Index(len(r.Entries))
	case *Checkpoint:
		d.view, d.lastNormal = r.View, r.LastNormal
		d.last = r.Base.(*base).op + protocols.Index(len(r.Entries))
	}
	d.hold(d.lastNormal, d.last)
}

func (d *durableImage) hold(view View, op protocols.Index) {
	i := d.search(view)
	if i == len(d.held) || d.held[i].view != view {
		d.held = append(d.held, heldView{})
		copy(d.held[i+1:], d.held[i:])
		d.held[i] = heldView{view: view}
	}
	d.held[i].op = max(d.held[i].op, op)
}

// search returns the position of the first view not below view. It looks from the
// end, where new operations are.
func (d *durableImage) search(view View) int {
	i := len(d.held)
	for i > 0 && d.held[i-1].view >= view {
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
		if uint64(d.view) >= f.Epoch {
			return true, ""
		}
		return false, fmt.Sprintf("durable view %d", d.view)
	case protocols.FactLog:
		var op protocols.Index
		if i := d.search(View(f.Epoch)); i < len(d.held) && uint64(d.held[i].view) == f.Epoch {
			op = d.held[i].op
		}
		if op >= f.Index {
			return true, ""
		}
		return false, fmt.Sprintf("durable log of view %d up to operation %d", f.Epoch, op)
	}
	return false, "no such fact in VR"
}
