package trial

import (
	"reflect"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Twins keeps a fork of every live replica and gives it the same events. Nodes that
// were equal stay equal: by their digest, what they show and their logs. What becomes
// durable on the way has the size in bytes of the encoding.
type Twins struct {
	Steps int // events that nodes and forks were given

	t     testing.TB
	forks []protocols.Node // by node id; nil when down
	out   *protocols.Effects
}

// NewTwins makes twins for nodes 1 to nodes, services included. All of them must be
// [protocols.Forker]s.
func NewTwins(t testing.TB, nodes int) *Twins {
	return &Twins{t: t, forks: make([]protocols.Node, nodes+1), out: protocols.NewEffects(protocols.NewMemory(protocols.Keep))}
}

// Checks implements [protocols.Observer].
func (w *Twins) Checks() []protocols.CheckInfo { return nil }

// Moments implements [protocols.Observer].
func (w *Twins) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Durable | protocols.Crashed | protocols.Booted
}

// Observe implements [protocols.Observer].
func (w *Twins) Observe(m *protocols.Moment) {
	switch m.Kind {
	case protocols.Durable:
		if got, want := protocols.WireSize(m.Record), protocols.ReflectedSize(m.Record); got != want {
			w.t.Errorf("%T says %d bytes, want %d", m.Record, got, want)
		}
	case protocols.Crashed:
		w.forks[m.Node] = nil
	case protocols.Booted:
		w.forks[m.Node] = m.Replica.(protocols.Forker).Fork()
	case protocols.Stepped:
		w.Steps++
		w.out.Reset()
		w.forks[m.Node].Step(m.Event, w.out)
		w.compare(m)
		if w.Steps%7 == 0 { // a fork of any state will do
			w.forks[m.Node] = m.Replica.(protocols.Forker).Fork()
		}
	}
}

func (w *Twins) compare(m *protocols.Moment) {
	w.t.Helper()
	one, other := m.Replica.(protocols.Forker), w.forks[m.Node].(protocols.Forker)
	if one.Hash() != other.Hash() {
		w.t.Fatalf("%v and its fork differ after %+v", m.Node, m.Event)
	}
	var shown, mirrored protocols.View
	m.Replica.View(&shown)
	w.forks[m.Node].View(&mirrored)
	if shown != mirrored {
		w.t.Fatalf("%v shows %+v and its fork %+v", m.Node, shown, mirrored)
	}
	log, ok := m.Replica.(protocols.LogReader)
	if !ok || w.Steps%50 > 0 {
		return
	}
	base, state := log.LogBase()
	twin := w.forks[m.Node].(protocols.LogReader)
	if at, same := twin.LogBase(); at != base || !reflect.DeepEqual(state, same) ||
		!reflect.DeepEqual(log.ReadLog(base+1, 1<<20, nil), twin.ReadLog(base+1, 1<<20, nil)) {
		w.t.Fatalf("%v and its fork have different logs", m.Node)
	}
}
