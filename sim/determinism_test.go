package sim

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

var update = flag.Bool("update", false, "write the golden digests anew")

// stormy is a world with something of everything, drawn from the seed.
func stormy(seed uint64) Config {
	cfg := steady(seed)
	cfg.Parameters = &toyParameters{Snapshot: 20}
	draws := stream{base: streamBase(seed, 99)}
	cfg.Network.Between.Loss = Prob(below(draws.next(), 20_000_000))
	cfg.Network.Between.Duplicate = Prob(below(draws.next(), 20_000_000))
	cfg.Network.Between.FIFO = draws.next()>>63 == 1
	cfg.Network.Links = []LinkRule{{From: 1, To: 2, Link: Link{Latency: Between(2*ms, 9*ms)}}}
	if draws.next()>>63 == 1 {
		cfg.Workload.Every = Dist{Kind: Exponential, A: 10 * ms}
	}
	cfg.Workload.Mix = []Share{
		{protocols.Put, protocols.Write, 5}, {protocols.Get, protocols.Read, 3}, {protocols.CAS, protocols.Write, 2}, {protocols.Noop, protocols.Follow, 1},
	}
	kinds := FaultKinds()[:len(FaultKinds())-len(networkFaults())] // TestWindyDigests has the others
	targets := []string{"leader", "follower", "minority", "n1", "n2 n5", "others of leader", "random", "c1", "leader c2"}
	for i := range 6 {
		f := Fault{
			ID: i + 1, Kind: kinds[below(draws.next(), uint64(len(kinds)))].Kind,
			At:     protocols.Time(below(draws.next(), 1_500_000_000)),
			For:    protocols.Duration(below(draws.next(), 700_000_000)),
			Target: target(targets[below(draws.next(), uint64(len(targets)))]),
		}
		switch f.Kind {
		case protocols.FaultLoss, protocols.FaultDuplicate:
			f.Prob = 300_000_000
		case protocols.FaultDelay, protocols.FaultReorder:
			f.Latency = Dist{Kind: Exponential, A: 5 * ms}
		case protocols.FaultSlowDisk:
			f.Factor = 20
		case protocols.FaultClock:
			f.Step, f.Drift = -30*ms, 50_000
		case protocols.FaultSkew:
			f.Drift = 200_000_000
		case protocols.FaultCrash:
			f.Cut = int(below(draws.next(), 4))
		}
		strengthen(&f)
		if f.Kind == protocols.FaultPartition {
			f.OneWay = Direction(below(draws.next(), 3))
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	return cfg
}

// whole runs a configuration to the end, both phases, and returns its digest.
func whole(t testing.TB, w *World) uint64 {
	t.Helper()
	if stop := w.Run(2 * second); stop != Reached {
		t.Fatalf("safety phase: %s %v", stop, w.Violations())
	}
	w.StopWorkload()
	w.Heal(w.PickCore())
	w.Probe()
	w.RunUntil(w.Now()+10*second, func() bool { return w.PendingOperations() == 0 })
	w.HealAll()
	w.Run(w.Now() + second/2)
	return w.Digest()
}

func digestOf(t testing.TB, cfg Config) uint64 {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return whole(t, w)
}

// Every seed twice, the second time in a world that has run something else: the
// same digest, events and history. Another seed: another digest.
func TestEqualSeedsGiveEqualRuns(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 40
	}
	used, err := New(steady(77))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]uint64{}
	for seed := range seeds {
		fresh, err := New(stormy(seed))
		if err != nil {
			t.Fatal(err)
		}
		if err := used.Reset(stormy(seed)); err != nil {
			t.Fatal(err)
		}
		a, b := whole(t, fresh), whole(t, used)
		if a != b || fresh.Events() != used.Events() || fmt.Sprint(fresh.History()) != fmt.Sprint(used.History()) {
			t.Fatalf("seed %d: digests %016x and %016x, events %d and %d", seed, a, b, fresh.Events(), used.Events())
		}
		if other, ok := seen[a]; ok {
			t.Fatalf("seeds %d and %d have one digest", seed, other)
		}
		seen[a] = seed
	}
}

// watcher sees everything.
type watcher struct {
	wants protocols.MomentKind
	count map[protocols.MomentKind]int
}

func (o *watcher) Moments() protocols.MomentKind { return o.wants }
func (o *watcher) Checks() []protocols.CheckInfo { return nil }
func (o *watcher) Observe(m *protocols.Moment)   { o.count[m.Kind]++ }
func watch(wants protocols.MomentKind) *watcher {
	return &watcher{wants, map[protocols.MomentKind]int{}}
}

const everything = protocols.Stepped | protocols.Left | protocols.Durable | protocols.Crashed | protocols.Booted | protocols.Replied

// Memory mode, observers and the trace change nothing.
func TestOnlookersChangeNothing(t *testing.T) {
	kinds := map[protocols.MomentKind]int{}
	for seed := range uint64(25) {
		want := digestOf(t, stormy(seed))
		for name, change := range map[string]func(*Config){
			"keep":   func(c *Config) { c.Memory = protocols.Keep },
			"poison": func(c *Config) { c.Memory = protocols.Poison },
			"trace":  func(c *Config) { c.Trace = true },
			"observed": func(c *Config) {
				c.Observers = []protocols.Observer{watch(everything), watch(protocols.Left)}
			},
		} {
			cfg := stormy(seed)
			change(&cfg)
			if got := digestOf(t, cfg); got != want {
				t.Errorf("seed %d, %s: digest %016x, want %016x", seed, name, got, want)
			}
			for _, o := range cfg.Observers {
				for k, n := range o.(*watcher).count {
					kinds[k] += n
					if o.Moments()&k == 0 {
						t.Fatalf("an observer was shown %d, which it does not want", k)
					}
				}
			}
		}
	}
	for k := protocols.Stepped; k <= protocols.Replied; k <<= 1 {
		if kinds[k] == 0 {
			t.Errorf("moment %d was never shown", k)
		}
	}
}

// The golden digests hold on any machine, architecture and Go release.
func TestGoldenDigests(t *testing.T) {
	var got bytes.Buffer
	for seed := range uint64(10) {
		fmt.Fprintf(&got, "%d %016x\n", seed, digestOf(t, stormy(seed)))
	}
	const file = "testdata/digests.txt"
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

// Without fault i the trace is the same to the byte up to the line where fault i
// first shows.
func TestRemovingAFaultKeepsTheTraceBeforeIt(t *testing.T) {
	for seed := range uint64(30) {
		cfg := stormy(seed)
		cfg.Trace = true
		full := tracedRun(t, cfg)
		for i, f := range cfg.Faults {
			less := cfg
			less.Faults = append(append([]Fault{}, cfg.Faults[:i]...), cfg.Faults[i+1:]...)
			first := strings.Index(full, fmt.Sprintf("fault %d:", f.ID))
			if first < 0 {
				t.Fatalf("seed %d: fault %d has no line", seed, f.ID)
			}
			start := strings.LastIndexByte(full[:first], '\n') + 1
			if got := tracedRun(t, less); !strings.HasPrefix(got, full[:start]) {
				t.Errorf("seed %d: without fault %d the trace differs before its first line", seed, f.ID)
			}
		}
	}
}

func tracedRun(t *testing.T, cfg Config) string {
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Run(2 * second)
	return text(t, w)
}
