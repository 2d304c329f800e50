package primarybackup_test

import (
	"reflect"
	"testing"

	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// twins keeps a fork of every live replica and gives it the same events. Nodes that
// were equal stay equal: by their digest, what they show and their logs. What becomes
// durable on the way has the size in bytes of the encoding.
type twins struct {
	t     *testing.T
	forks []protocols.Node // by node id; nil when down
	out   *protocols.Effects
	steps int
}

func newTwins(t *testing.T, nodes int) *twins {
	return &twins{t: t, forks: make([]protocols.Node, nodes+1), out: protocols.NewEffects(protocols.NewMemory(protocols.Keep))}
}

func (w *twins) Checks() []protocols.CheckInfo { return nil }
func (w *twins) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Durable | protocols.Crashed | protocols.Booted
}

func (w *twins) Observe(m *protocols.Moment) {
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
		w.steps++
		w.out.Reset()
		w.forks[m.Node].Step(m.Event, w.out)
		w.compare(m)
		if w.steps%7 == 0 { // a fork of any state will do
			w.forks[m.Node] = m.Replica.(protocols.Forker).Fork()
		}
	}
}

func (w *twins) compare(m *protocols.Moment) {
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
	if !ok || w.steps%50 > 0 {
		return
	}
	base, state := log.LogBase()
	twin := w.forks[m.Node].(protocols.LogReader)
	if at, same := twin.LogBase(); at != base || !reflect.DeepEqual(state, same) ||
		!reflect.DeepEqual(log.ReadLog(base+1, 1<<20, nil), twin.ReadLog(base+1, 1<<20, nil)) {
		w.t.Fatalf("%v and its fork have different logs", m.Node)
	}
}

// A fork of a replica or of the view service, taken in any state under any fault, goes
// on as the node does.
func TestForksGoOnAsTheirOriginsUnderFaults(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 1
	}
	for name, change := range variants() {
		t.Run(name, func(t *testing.T) {
			for seed := range seeds {
				p := primarybackup.DefaultParameters()
				change(p)
				cfg := config(t, seed, p)
				cfg.Workload.Mix = append(cfg.Workload.Mix, sim.Share{Kind: protocols.Follow, Weight: 1})
				w := newTwins(t, cfg.Replicas+1)
				cfg.Observers = []protocols.Observer{w}
				if wrong := judge(t, cfg); wrong != "" || w.steps == 0 {
					t.Errorf("seed %d: %d steps, %s", seed, w.steps, wrong)
				}
			}
		})
	}
}
