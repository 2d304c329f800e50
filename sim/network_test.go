package sim

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// windy is stormy with all that links and processors have beyond that: regions,
// jitter, rates, damage, replays, CPU cost, and faults of the kinds that stormy lacks.
func windy(seed uint64) Config {
	cfg := stormy(seed)
	draws := stream{base: streamBase(seed, 98)}
	between := &cfg.Network.Between
	between.Jitter, between.Corrupt, between.Replay, between.ReplayAge = Between(0, 3*ms), 10_000_000, 20_000_000, 400*ms
	between.Bandwidth, between.Queue = 200_000, 4_000
	if draws.next()>>63 == 1 {
		between.Correlation = 100 * ms
	}
	cfg.Network.Client.Replay, cfg.Network.Client.ReplayAge = 50_000_000, 300*ms
	cfg.Network.Links = append(cfg.Network.Links, LinkRule{From: 2, To: 3, Both: true, Link: Link{Latency: Between(ms, 4*ms), FIFO: true}})
	cfg.Network.Matrix = Matrix{Regions: []string{"a", "b"}, RoundTrip: []protocols.Duration{0, 6 * ms, 8 * ms, ms}}
	cfg.Network.Regions = []Region{{Name: "a", Members: target("n1 c2")}, {Name: "b"}}
	if draws.next()>>63 == 1 {
		cfg.CPU = CPU{Receive: ms / 10, Send: ms / 50, Kilobyte: ms / 20, Apply: ms / 100, Broadcast: true}
	}
	for i, f := range windyFaults() {
		f.ID = 7 + i
		f.At = protocols.Time(below(draws.next(), 1_500_000_000))
		f.For = protocols.Duration(2 + below(draws.next(), 700_000_000))
		cfg.Faults = append(cfg.Faults, f)
	}
	return cfg
}

func windyFaults() []Fault {
	return []Fault{
		{Kind: protocols.FaultClog, Target: target("leader c1")},
		{Kind: protocols.FaultClog, Target: target("n2 n3"), OneWay: In},
		{Kind: protocols.FaultSwizzleClog, Target: target("majority")},
		{Kind: protocols.FaultBandwidth, Target: target("all"), Rate: 20_000, Queue: 1000},
		{Kind: protocols.FaultReplay, Target: target("all"), Prob: 200_000_000, Age: 500 * ms},
		{Kind: protocols.FaultCorruptMessage, Target: target("followers"), Prob: 300_000_000},
		{Kind: protocols.FaultPartition, Target: target("random"), Shape: Halves, Clients: SplitClients},
		{Kind: protocols.FaultPartition, Target: target("random"), Shape: RandomSplit, Clients: WithMajority},
		{Kind: protocols.FaultPartition, Target: target("random"), Shape: Ring},
		{Kind: protocols.FaultPartition, Target: target("follower"), Shape: Bridge, Flap: 90 * ms},
		{Kind: protocols.FaultPartition, Target: target("n4"), Shape: Star},
		{Kind: protocols.FaultPartition, Target: target("n1"), From: target("n2 c1")},
	}
}

// TestWindyDigests: the golden digests hold on any machine, onlookers and a world
// that is used again change nothing, and without a fault the trace is the same up to
// its first line.
func TestWindyDigests(t *testing.T) {
	var got bytes.Buffer
	var again World
	for seed := range uint64(10) {
		want := digestOf(t, windy(seed))
		fmt.Fprintf(&got, "%d %016x\n", seed, want)
		for name, change := range map[string]func(*Config){
			"poison":   func(c *Config) { c.Memory = protocols.Poison },
			"trace":    func(c *Config) { c.Trace = true },
			"observed": func(c *Config) { c.Observers = []protocols.Observer{watch(everything)} },
		} {
			cfg := windy(seed)
			change(&cfg)
			if err := again.Reset(cfg); err != nil {
				t.Fatal(err)
			}
			if got := whole(t, &again); got != want {
				t.Errorf("seed %d, %s: digest %016x, want %016x", seed, name, got, want)
			}
		}
	}
	const file = "testdata/windy.txt"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("digests differ from %s; if the model changed on purpose, run with -update:\n%s", file, got.String())
	}
}

func TestRemovingAWindyFaultKeepsTheTraceBeforeIt(t *testing.T) {
	for seed := range uint64(6) {
		cfg := windy(seed)
		cfg.Trace = true
		full := tracedRun(t, cfg)
		for i := 6; i < len(cfg.Faults); i++ {
			less := cfg
			less.Faults = append(append([]Fault{}, cfg.Faults[:i]...), cfg.Faults[i+1:]...)
			first := strings.Index(full, fmt.Sprintf("fault %d:", cfg.Faults[i].ID))
			if first < 0 {
				t.Fatalf("seed %d: fault %d has no line", seed, cfg.Faults[i].ID)
			}
			start := strings.LastIndexByte(full[:first], '\n') + 1
			if got := tracedRun(t, less); !strings.HasPrefix(got, full[:start]) {
				t.Errorf("seed %d: without fault %d the trace differs before its first line", seed, cfg.Faults[i].ID)
			}
		}
	}
}

// Every kind of fault of the network bites, ends, and changes the run.
func TestNetworkFaultsBite(t *testing.T) {
	quiet := run(t, steady(3), 2*second).Digest()
	for _, f := range windyFaults() {
		w, r := struck(t, f)
		if !r.Effective || r.Count == 0 || r.State != Over || r.Ended != second || r.Names == "" {
			t.Errorf("%s %s: %+v", f.Kind, f.Target, r)
		}
		if w.Digest() == quiet {
			t.Errorf("%s: the run is as without it", describe(&f))
		}
		if !strings.Contains(text(t, w), "fault 1: "+string(f.Kind)) {
			t.Errorf("%s has no line in the trace", f.Kind)
		}
		t.Logf("%-40s -> %-20s %s", describe(&f), r.Names, r.How())
	}
}

// A clogged link delivers nothing while it lasts, and then everything, in order.
func TestClogHoldsBackAndLosesNothing(t *testing.T) {
	w, r := struck(t, Fault{Kind: protocols.FaultClog, Target: target("n2")}, func(c *Config) { c.Network.Between.FIFO = true })
	if n := during(w, &r, TraceDelivered, func(e *TraceEvent) bool { return (e.Node == 2) != (e.Peer == 2) && e.Peer > 0 }); n != 0 {
		t.Errorf("%d messages went over clogged links", n)
	}
	burst, s := 0, w.Stats()
	for _, e := range w.Trace() {
		if e.Kind == TraceDelivered && e.Time == r.Ended && (e.Node == 2) != (e.Peer == 2) {
			burst++
		}
	}
	if burst == 0 || uint64(burst) != s.Clogged || s.Clogged != r.Count {
		t.Errorf("%d arrived at the end, %d were clogged, the fault counts %d", burst, s.Clogged, r.Count)
	}
	if flying := s.Messages - s.Delivered; s.Lost+s.Cut > 0 || flying > 20 {
		t.Errorf("something is lost: %+v", *s)
	}
	if line := fifoBroken(w); line != "" {
		t.Errorf("a message overtook another: %s", line)
	}
}

// fifoBroken returns the trace line of a message that left after one that arrived
// later on the same link.
func fifoBroken(w *World) string {
	last := map[[2]protocols.NodeID]uint64{}
	for i := range w.Trace() {
		e := &w.Trace()[i]
		if e.Kind != TraceDelivered || e.Node == e.Peer {
			continue
		}
		link := [2]protocols.NodeID{e.Peer, e.Node}
		if e.Cause < last[link] {
			return w.TraceText(e)
		}
		last[link] = e.Cause
	}
	return ""
}

// The nodes of a swizzle are clogged in the first half and freed in the second, in
// another order in some run.
func TestSwizzleClog(t *testing.T) {
	differs := false
	for seed := range uint64(10) {
		cfg := steady(seed)
		cfg.Trace = true
		cfg.Faults = []Fault{{Kind: protocols.FaultSwizzleClog, At: second / 2, For: 1000 * ms, Target: target("majority")}}
		w := run(t, cfg, 2*second)
		var clogged, freed []string
		for _, e := range w.Trace() {
			_, what, ok := strings.Cut(e.Detail, "swizzle-clog clogs ")
			if ok {
				clogged = append(clogged, what)
			} else if _, what, ok = strings.Cut(e.Detail, "swizzle-clog frees "); ok {
				freed = append(freed, what)
			}
			if half := e.Time < second; e.Kind == TraceFault && what != "" && half != (len(freed) == 0) {
				t.Errorf("seed %d: at %s: %s", seed, e.Time, e.Detail)
			}
		}
		if len(clogged) != 3 || len(freed) != 3 {
			t.Errorf("seed %d: clogged %v, freed %v", seed, clogged, freed)
		}
		differs = differs || strings.Join(clogged, " ") != strings.Join(freed, " ")
	}
	if !differs {
		t.Error("nodes are freed in the order in which they were clogged, always")
	}
}

// A heal frees what is clogged.
func TestHealFreesClogs(t *testing.T) {
	cfg := steady(4)
	cfg.Faults = []Fault{{Kind: protocols.FaultClog, At: second / 2, For: Forever, Target: target("all clients")}}
	w := run(t, cfg, 2*second)
	if f := w.Facts(); f.Hears[1].Len() != 1 {
		t.Errorf("n1 hears %s through clogged links", f.Hears[1])
	}
	w.StopWorkload()
	w.HealAll()
	w.Probe()
	if stop := w.RunUntil(w.Now()+5*second, func() bool { return w.PendingOperations() == 0 }); stop != Satisfied || len(w.clogged) > 0 {
		t.Errorf("%s, %d operations pending, %d messages clogged", stop, w.PendingOperations(), len(w.clogged))
	}
}

// Replays arrive after their message, within the age, and once the old link is cut
// and whole again, too.
func TestReplay(t *testing.T) {
	cfg := steady(5)
	cfg.Trace = true
	cfg.Network.Between.Replay, cfg.Network.Between.ReplayAge = 100_000_000, 300*ms
	cfg.Faults = []Fault{{Kind: protocols.FaultPartition, At: second / 2, For: 100 * ms, Target: target("n1")}}
	w := run(t, cfg, 3*second)
	sent := map[uint64]protocols.Time{}
	first := map[string]protocols.Time{}
	late, across := 0, 0
	for i := range w.Trace() {
		e := &w.Trace()[i]
		if _, seen := sent[e.Seq]; !seen {
			sent[e.Seq] = e.Time
		}
		if e.Kind != TraceDelivered || e.Node == e.Peer {
			continue
		}
		id := fmt.Sprintf("%d %d %d %T", e.Cause, e.Node, e.Peer, e.Message)
		if at, again := first[id]; !again {
			first[id] = e.Time
		} else {
			late++
			if e.Time <= at || e.Time > at+protocols.Time(300*ms) {
				t.Errorf("a replay %s after its message", e.Time.Sub(at))
			}
			if left := sent[e.Cause]; left < second/2 && e.Time > second/2+protocols.Time(100*ms) && (e.Node == 1 || e.Peer == 1) {
				across++
			}
		}
	}
	if late == 0 || across == 0 || uint64(late) > w.Stats().Replayed {
		t.Errorf("%d replays arrived, %d after a partition that their message was before; counted %d", late, across, w.Stats().Replayed)
	}
}

// What a checksum catches never arrives, and is counted apart from loss.
func TestCorruptMessages(t *testing.T) {
	cfg := steady(6)
	cfg.Trace = true
	cfg.Network.Between.Corrupt = Always
	w := run(t, cfg, second)
	s := w.Stats()
	if s.Corrupted == 0 || s.Corrupted != s.Messages || s.Delivered != 0 || s.Lost != 0 {
		t.Errorf("%+v", *s)
	}
	if !strings.Contains(text(t, w), "corrupted") {
		t.Error("the trace does not say so")
	}
}
