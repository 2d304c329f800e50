package scenarios

import (
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Recording is a run with everything that can be told about it.
type Recording struct {
	Scenario *Scenario
	Protocol *protocols.Protocol
	Result   *Result    // with History, Trace and Report
	World    *sim.World // as the run left it
	Seen     []Seen     // in the order of events
}

// Seen is how a node showed itself from one event on.
type Seen struct {
	Seq  uint64
	Time protocols.Time
	Node protocols.NodeID
	Up   bool
	View protocols.View
}

// Record runs a scenario like [Run] and keeps trace, history and the states of all
// nodes. Result.Err says what only the engine can refuse.
func Record(sc *Scenario, p *protocols.Protocol, seed uint64) *Recording {
	var runner Runner
	watch := &stateWatch{}
	runner.watch = watch
	r := runner.Run(sc, p, seed, Options{History: true, Trace: true, Checkpoints: true})
	return &Recording{Scenario: sc, Protocol: p, Result: r, World: runner.world, Seen: watch.seen}
}

// At returns how a node showed itself after the event seq; up is false before its
// boot and while it is down.
func (r *Recording) At(id protocols.NodeID, seq uint64) (v protocols.View, up bool) {
	for i := range r.Seen {
		s := &r.Seen[i]
		if s.Seq > seq {
			break
		}
		if s.Node == id {
			v, up = s.View, s.Up
		}
	}
	return v, up
}

// SameRole reports whether line i of Seen shows its node with the role and epoch of
// the line before it.
func (r *Recording) SameRole(i int) bool {
	now := &r.Seen[i]
	for j := i - 1; j >= 0; j-- {
		if s := &r.Seen[j]; s.Node == now.Node {
			return s.Up == now.Up && s.View.Role == now.View.Role && s.View.Epoch == now.View.Epoch
		}
	}
	return false
}

// stateWatch keeps how nodes show themselves, whenever that changes.
type stateWatch struct {
	seen []Seen
	last []Seen // by node
}

// Moments implements [protocols.Observer].
func (s *stateWatch) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Crashed | protocols.Booted
}

// Checks implements [protocols.Observer].
func (s *stateWatch) Checks() []protocols.CheckInfo { return nil }

// Observe implements [protocols.Observer].
func (s *stateWatch) Observe(m *protocols.Moment) {
	now := Seen{Seq: m.Seq, Time: m.Now, Node: m.Node, Up: m.Kind != protocols.Crashed}
	if now.Up && m.Replica != nil {
		m.Replica.View(&now.View)
	}
	for int(m.Node) >= len(s.last) {
		s.last = append(s.last, Seen{})
	}
	last := &s.last[m.Node]
	if last.Up == now.Up && last.View == now.View && last.Node == now.Node {
		return
	}
	*last = now
	s.seen = append(s.seen, now)
}
