package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// BareHeap is the floor that the engine is measured against: the hold model on a
// 4-ary heap of 16-byte keys over a slab of 16-byte payloads, and nothing else.
// One operation is pop, draw and push at the given number of pending events.
func BenchmarkBareHeap(b *testing.B) {
	h := newBareHeap(pendingEvents)
	b.ReportAllocs()
	for b.Loop() {
		h.hold()
	}
}

const pendingEvents = 1000

type bareHeap struct {
	keys []key
	slab [][2]uint64
	free []uint32
	seq  uint64
	x    uint64
}

func newBareHeap(pending int) *bareHeap {
	h := &bareHeap{x: 88172645463325252}
	for range pending {
		h.push(h.draw())
	}
	return h
}

// draw is xorshift64, uniform on 1..2^20.
func (h *bareHeap) draw() int64 {
	h.x ^= h.x << 13
	h.x ^= h.x >> 7
	h.x ^= h.x << 17
	return int64(h.x>>44) + 1
}

func (h *bareHeap) hold() {
	k := h.pop()
	h.push(k.time + h.draw())
}

func (h *bareHeap) push(t int64) {
	var slot uint32
	if n := len(h.free); n > 0 {
		slot = h.free[n-1]
		h.free = h.free[:n-1]
	} else {
		slot = uint32(len(h.slab))
		h.slab = append(h.slab, [2]uint64{})
	}
	h.seq++
	h.slab[slot] = [2]uint64{h.seq, uint64(t)}
	k := key{t, h.seq<<slotBits | uint64(slot)}
	h.keys = append(h.keys, k)
	a, i := h.keys, len(h.keys)-1
	for i > 0 {
		p := (i - 1) >> 2
		if !k.before(a[p]) {
			break
		}
		a[i] = a[p]
		i = p
	}
	a[i] = k
}

func (h *bareHeap) pop() key {
	top := h.keys[0]
	n := len(h.keys) - 1
	k := h.keys[n]
	h.keys = h.keys[:n]
	a, i := h.keys, 0
	for {
		c := 4*i + 1
		if c+4 > n {
			break
		}
		g := a[c : c+4 : c+4]
		m, j := g[0], 0
		if g[1].before(m) {
			m, j = g[1], 1
		}
		if g[2].before(m) {
			m, j = g[2], 2
		}
		if g[3].before(m) {
			m, j = g[3], 3
		}
		if !m.before(k) {
			break
		}
		a[i] = m
		i = c + j
	}
	for c := 4*i + 1; c < n; c = 4*i + 1 {
		least := c
		for j := c + 1; j < min(c+4, n); j++ {
			if a[j].before(a[least]) {
				least = j
			}
		}
		if !a[least].before(k) {
			break
		}
		a[i] = a[least]
		i = least
	}
	a[i] = k
	h.free = append(h.free, uint32(top.order&slotMask))
	return top
}

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
// at the pending events of BareHeap: pop, fault check, digest, step, latency
// draw, push.
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

// EngineOverFloor runs floor and engine in turns, about a thousand operations
// each, so that the machine's noise hits both alike, and reports the ratio of
// their medians. The goal is at most 2.0 at 1,000 pending events.
func BenchmarkEngineOverFloor(b *testing.B) {
	w, err := New(ringConfig())
	if err != nil {
		b.Fatal(err)
	}
	h := newBareHeap(pendingEvents)
	w.Run(second / 100)
	var floor, engine []int64
	for b.Loop() {
		began := time.Now()
		for range 1000 {
			h.hold()
		}
		floor = append(floor, int64(time.Since(began))/10)
		before := w.Events()
		began = time.Now()
		w.Run(w.Now() + 1<<19)
		engine = append(engine, int64(time.Since(began))*100/int64(w.Events()-before))
	}
	slices.Sort(floor)
	slices.Sort(engine)
	f, e := floor[len(floor)/2], engine[len(engine)/2]
	b.ReportMetric(float64(f)/100, "floor-ns")
	b.ReportMetric(float64(e)/100, "engine-ns")
	b.ReportMetric(float64(e)/float64(f), "x-floor")
	b.ReportMetric(0, "ns/op")
}
