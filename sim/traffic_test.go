package sim

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// A link carries its bandwidth and no more: with appends of 16 bytes, throughput is
// what is left of it beside 20 claims of 8 bytes a second, over 16.
func TestBandwidthBoundsThroughput(t *testing.T) {
	for _, rate := range []int64{8_000, 32_000} {
		cfg := loaded(3)
		cfg.Network.Between.Bandwidth = rate
		near(t, "bandwidth", throughput(t, cfg), (rate-20*8)/16)
		cfg = loaded(3)
		cfg.Faults = []Fault{{Kind: protocols.FaultBandwidth, At: 0, For: Forever, Target: target("all"), Rate: rate}}
		near(t, "the fault", throughput(t, cfg), (rate-20*8)/16)
	}
}

// A message leaves when those before it have, and size over bandwidth later.
func TestTransmission(t *testing.T) {
	w, err := New(steady(1))
	if err != nil {
		t.Fatal(err)
	}
	l, b := w.links.between(1, 2), behaviourOf(Link{Bandwidth: 1_000_000, Queue: 3000})
	for i, c := range []struct {
		leaves protocols.Time
		size   uint64
		at     protocols.Time
		ok     bool
	}{
		{0, 1000, 1_000_000, true},            // a millisecond for a kilobyte
		{0, 2000, 3_000_000, true},            // after the one before
		{0, 1, 0, false},                      // 3000 bytes are in the queue
		{1_000_000, 1000, 4_000_000, true},    // one has left
		{10_000_000, 1, 10_001_000, true},     // the link was idle
		{20_000_000, 3001, 20_000_000, false}, // larger than the queue
		{20_000_000, 3000, 23_000_000, true},  // as large
		{22_999_999, 2998, 25_998_000, true},  // part of a byte counts as one
		{25_998_000, 3000, 28_998_000, true},  // the moment it is free
	} {
		at, ok := w.transmit(l, &b, 1, 2, c.leaves, c.size)
		if ok != c.ok || ok && at != c.at {
			t.Errorf("%d: leaves at %s, %v; want %s, %v", i, at, ok, c.at, c.ok)
		}
	}
	if got := proportion(1<<62, 1<<62, 1); got != uint64(MaxDist) {
		t.Errorf("an overflow gives %d", got)
	}
}

// What finds no room is dropped and counted.
func TestOverflow(t *testing.T) {
	cfg := loaded(3)
	cfg.Workload.Timeout = 100 * ms
	cfg.Network.Between.Bandwidth, cfg.Network.Between.Queue = 8_000, 64
	s := run(t, cfg, 2*second).Stats()
	if s.Overflowed == 0 || s.Queued == 0 || s.Lost != 0 || s.Done == 0 {
		t.Errorf("%+v", *s)
	}
	if arrived := s.Delivered + s.Overflowed; arrived > s.Messages || s.Messages-arrived > 50 {
		t.Errorf("%d of %d messages arrived or were dropped", arrived, s.Messages)
	}
}

// Messages that leave a link in one slice of time share its jitter; slices and links
// differ.
func TestCorrelatedJitter(t *testing.T) {
	cfg := steady(7)
	cfg.Trace = true
	cfg.Network.Between = Link{Latency: Exactly(ms), Jitter: Between(0, 50*ms), Correlation: 100 * ms}
	w := run(t, cfg, 2*second)
	sent := map[uint64]protocols.Time{}
	took := map[[2]protocols.NodeID]map[protocols.Duration]int{}
	messages := 0
	for i := range w.Trace() {
		e := &w.Trace()[i]
		sent[e.Seq] = e.Time
		if e.Kind == TraceDelivered && e.Peer > 0 && e.Node != e.Peer {
			link := [2]protocols.NodeID{e.Peer, e.Node}
			if took[link] == nil {
				took[link] = map[protocols.Duration]int{}
			}
			took[link][e.Time.Sub(sent[e.Cause])]++
			messages++
		}
	}
	all := map[protocols.Duration]bool{}
	values := 0
	for link, m := range took {
		values += len(m)
		if len(m) > 21 {
			t.Errorf("%v: %d values of jitter in 2 s", link, len(m))
		}
		for d := range m {
			all[d] = true
		}
	}
	if len(all) < values-2 || values < 100 || messages < 3*values {
		t.Errorf("%d messages, %d values on %d links, %d of them different", messages, values, len(took), len(all))
	}
}

// Without correlation every message draws its own.
func TestJitter(t *testing.T) {
	cfg := steady(7)
	cfg.Network.Between = Link{Latency: Exactly(ms), Jitter: Between(0, 50*ms)}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[protocols.Time]bool{}
	for range 100 {
		p := w.pass(w.links.between(1, 2), 1, 2, 0, 0)
		if p.at < protocols.Time(ms) || p.at > protocols.Time(51*ms) {
			t.Errorf("arrives at %s", p.at)
		}
		seen[p.at] = true
	}
	if len(seen) < 99 {
		t.Errorf("%d different times of 100", len(seen))
	}
}

// Links know how far their ends are: half of the round trip of the regions, by name
// or in turn.
func TestRegions(t *testing.T) {
	cfg := steady(1)
	cfg.Network.Matrix = Matrix{Regions: []string{"a", "b", "c"}, RoundTrip: []protocols.Duration{0, 10, 20, 14, 2, 30, 22, 34, 0}}
	cfg.Network.Regions = []Region{{Name: "c", Members: target("n2 c2")}, {Name: "a"}}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to protocols.NodeID
		far      protocols.Duration
	}{
		{1, 2, 0}, {1, 3, 0}, {1, 4, 11}, {4, 1, 10}, {2, 4, 11}, // n1 n2 n3 n5 in c, n4 in a
		{-1, 1, 0}, {-2, 4, 11}, {4, -2, 10},
	} {
		if got := w.links.of(c.from, c.to).far; got != c.far {
			t.Errorf("%s to %s: %d, want %d", c.from, c.to, got, c.far)
		}
	}
	for _, bad := range []func(*Network){
		func(n *Network) { n.Regions[1].Name = "d" },
		func(n *Network) { n.Regions[1].Name = "c" },
		func(n *Network) { n.Regions[1].Members = target("n2") },
		func(n *Network) { n.Regions[1].Members = target("leader") },
		func(n *Network) { n.Regions[1].Members = target("n9") },
		func(n *Network) { n.Matrix.RoundTrip = n.Matrix.RoundTrip[:8] },
		func(n *Network) { n.Matrix.RoundTrip[3] = -1 },
		func(n *Network) { n.Regions = nil },
		func(n *Network) { n.Between.Queue = 5 },
		func(n *Network) { n.Between.Bandwidth = -5 },
		func(n *Network) { n.Client.Corrupt = -1 },
		func(n *Network) { n.Client.Jitter.A = -1 },
	} {
		less := cfg
		less.Network.Regions = append([]Region{}, cfg.Network.Regions...)
		less.Network.Matrix.RoundTrip = append([]protocols.Duration{}, cfg.Network.Matrix.RoundTrip...)
		bad(&less.Network)
		if _, err := New(less); err == nil {
			t.Errorf("New accepts %+v", less.Network)
		}
	}
}
