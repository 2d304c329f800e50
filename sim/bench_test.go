package sim

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// pendingEvents is how many events are pending in BenchmarkEngine.
const pendingEvents = 1000

// ringNode hands every message on to the next node.
type ringNode struct{ next, burst protocols.NodeID }

type ringMessage struct{ Number uint64 }

func (*ringMessage) Kind() protocols.Kind { return 1 }
func (*ringMessage) Size() int            { return 8 }

func (r *ringNode) Step(ev *protocols.Event, out *protocols.Effects) {
	if ev.Kind == protocols.Start {
		for i := range r.burst {
			protocols.SendEarly(out, r.next, ringMessage{uint64(i)})
		}
		return
	}
	protocols.SendEarly(out, r.next, ringMessage{ev.Message.(*ringMessage).Number})
}

func (r *ringNode) View(v *protocols.View) { *v = protocols.View{Epoch: 1} }

func ringConfig() Config {
	p := &protocols.Protocol{
		Name:     "ring",
		Messages: []protocols.KindInfo{{Kind: 1, Name: "Token", New: func() any { return new(ringMessage) }}},
		New: func(c protocols.Config, _ protocols.Recovered) (protocols.Node, error) {
			return &ringNode{next: c.ID%5 + 1, burst: pendingEvents / 5}, nil
		},
	}
	return Config{
		Protocol: p, Replicas: 5, Seed: 1, MaxEvents: 1 << 60,
		Network: Network{Between: Link{Latency: Between(1, 1<<20)}},
	}
}

// Engine is the whole engine with nodes that do nothing but hand a message on,
// at pendingEvents: pop, fault check, digest, step, latency draw, push. Against
// what floor, and what the goals are, is the business of internal/bench.
func BenchmarkEngine(b *testing.B) {
	w, err := New(ringConfig())
	if err != nil {
		b.Fatal(err)
	}
	w.Run(second / 100)
	before := w.Events()
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		if w.Events()-before < n {
			w.Run(w.Now() + 1<<20)
		}
	}
}

// TestAllocations is a hard bound on garbage in steady state.
func TestAllocations(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
	}{{"ring", ringConfig()}, {"toy", steady(1)}} {
		w, err := New(c.cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.Run(5 * second)
		before := w.Stats().Delivered
		const runs = 5
		perRun := testing.AllocsPerRun(runs, func() { w.Run(w.Now() + second) })
		delivered := (w.Stats().Delivered - before) / (runs + 1)
		t.Logf("%s: %.0f allocations for %d messages", c.name, perRun, delivered)
		if delivered == 0 || perRun > 0.01*float64(delivered) {
			t.Errorf("%s: %.0f allocations for %d delivered messages, more than 0.01 each", c.name, perRun, delivered)
		}
	}
}
