package vr_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/vr"
)

// prober puts running replicas on trial from the side, with effects of its own, so
// that the run does not notice: copies behave as their originals, what no correct
// replica says commits nothing, a failed disk silences, and the log can be read as it is.
type prober struct {
	t     testing.TB
	steps uint64
	twins []protocols.Node // by node id; nil: none
}

func newProber(t testing.TB, replicas int) *prober {
	return &prober{t: t, twins: make([]protocols.Node, replicas+1)}
}

func (p *prober) Moments() protocols.MomentKind { return protocols.Stepped | protocols.Booted }
func (p *prober) Checks() []protocols.CheckInfo { return nil }

func (p *prober) Observe(m *protocols.Moment) {
	if m.Kind == protocols.Booted {
		p.twins[m.Node] = nil
		return
	}
	n := m.Replica.(*vr.Node)
	if twin := p.twins[m.Node]; twin != nil {
		twin.Step(m.Event, protocols.NewEffects(protocols.NewMemory(protocols.Keep)))
		if got, want := twin.(*vr.Node).Hash(), n.Hash(); got != want {
			p.t.Errorf("%v: a copy is in state %x after an event of kind %v, the original in %x", m.Node, got, m.Event.Kind, want)
		}
		p.twins[m.Node] = nil
	}
	switch p.steps++; p.steps % 128 {
	case 0:
		p.twins[m.Node] = n.Fork()
	case 32:
		p.lie(m, n)
	case 64:
		p.readLog(m, n)
	}
}

// lie says to a copy of a replica what no correct one would: it may think less of
// its view for it, but has committed and executed what it had.
func (p *prober) lie(m *protocols.Moment, n *vr.Node) {
	var before, after protocols.View
	n.View(&before)
	view := vr.View(before.Epoch)
	const huge = 1<<62 + 1
	liar := n.Fork()
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	for from := range protocols.NodeID(len(p.twins)) {
		for _, message := range []protocols.Message{
			&vr.Prepare{View: huge}, &vr.StartViewChange{View: huge}, &vr.StartEpoch{View: huge}, &vr.NewState{View: huge},
			&vr.Prepare{View: view, Op: 1, Entries: make([]vr.Entry, 2)},
			&vr.Prepare{View: view, Op: before.Last + 1, Entries: []vr.Entry{{View: huge}}},
			&vr.Commit{View: view, Commit: huge}, &vr.PrepareOK{View: view, Op: huge}, &vr.CommitOK{View: view, Round: huge},
			&vr.DoViewChange{View: view, LastNormal: view + 1}, &vr.DoViewChange{View: view, Op: 5},
			&vr.StartView{View: view, Op: 5}, &vr.StartView{View: view}, &vr.NewState{View: view, Op: 5},
			&vr.NewState{View: view, Log: vr.Tail{After: huge}, Op: huge}, &vr.NewState{View: view + 1<<40},
			&vr.NewState{View: view, Log: vr.Tail{Entries: []vr.Entry{{View: huge}}}, Op: 1},
			&vr.RecoveryResponse{View: view, Op: 5},
		} {
			liar.Step(&protocols.Event{Kind: protocols.Receive, From: from, Message: message, Now: m.Event.Now, Wall: m.Event.Wall}, out)
		}
	}
	liar.Step(&protocols.Event{Kind: protocols.AdminEvent, Now: m.Event.Now, Wall: m.Event.Wall}, out)
	liar.Step(&protocols.Event{Kind: protocols.Request, Now: m.Event.Now, Wall: m.Event.Wall}, out)
	liar.View(&after)
	if after.Commit != before.Commit || after.StateHash != before.StateHash {
		p.t.Errorf("%v believes a liar: %+v, before %+v", m.Node, after, before)
	}
	liar.Step(&protocols.Event{Kind: protocols.DiskFailed, Now: m.Event.Now, Wall: m.Event.Wall}, out)
	silent := len(out.List)
	liar.Step(&protocols.Event{Kind: protocols.Fire, Now: m.Event.Now, Wall: m.Event.Wall}, out)
	if liar.View(&after); after.Leading || len(out.List) != silent {
		p.t.Errorf("%v goes on after its disk has failed: %+v", m.Node, after)
	}
}

func (p *prober) readLog(m *protocols.Moment, n *vr.Node) {
	var v protocols.View
	n.View(&v)
	entries := n.ReadLog(1, 1<<20, nil)
	base, _ := n.LogBase()
	if base+1 != v.First || base+protocols.Index(len(entries)) != v.Last {
		p.t.Errorf("%v shows %d entries behind %d; its log is %d..%d", m.Node, len(entries), base, v.First, v.Last)
	}
}
