package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func popularity(s string) Popularity {
	p, err := ParsePopularity(s)
	if err != nil {
		panic(err)
	}
	return p
}

func TestPopularitiesReadBack(t *testing.T) {
	for _, s := range []string{"uniform", "zipf(0.99)", "zipf(10)", "hotspot(10%,90%)", "hotspot(0.5%,0%)"} {
		if got := popularity(s).String(); got != s {
			t.Errorf("%q prints as %q", s, got)
		}
	}
	for _, s := range []string{"", "zipf", "zipf()", "zipf(0)", "zipf(11)", "zipf(-1)", "zipf(1,2)", "hotspot(10%)", "hotspot(0%,50%)", "hotspot(100%,50%)", "hotspot(10%,101%)", "uniform(1)", "zipf(1"} {
		if p, err := ParsePopularity(s); err == nil {
			t.Errorf("%q is read as %s", s, p)
		}
	}
}

// drawKeys counts how often each key is drawn.
func drawKeys(p Popularity, keys, n int) []int {
	var pop popular
	pop.prepare(p, keys)
	draws := stream{base: streamBase(1, 2)}
	count := make([]int, keys+1)
	for range n {
		count[pop.key(&draws)]++
	}
	return count
}

// The shares of the keys are those of the distribution.
func TestPopularities(t *testing.T) {
	const n = 200_000
	near := func(what string, got, want int) {
		t.Helper()
		if got < want-want/20-50 || got > want+want/20+50 {
			t.Errorf("%s: drawn %d times, want about %d", what, got, want)
		}
	}
	for _, c := range drawKeys(Popularity{}, 10, n)[1:] {
		near("uniform", c, n/10)
	}
	harmonic := 0 // of 10, in millionths
	for k := 1; k <= 10; k++ {
		harmonic += 1_000_000 / k
	}
	for k, c := range drawKeys(popularity("zipf(1)"), 10, n)[1:] {
		near("zipf", c, int(int64(n)*1_000_000/int64(k+1)/int64(harmonic)))
	}
	hot := drawKeys(popularity("hotspot(20%,90%)"), 10, n)
	near("hot", hot[1]+hot[2], n*9/10)
	near("hot key 1", hot[1], n*9/20)
	near("cold key 10", hot[10], n/80)
	if c := drawKeys(popularity("zipf(10)"), 1_000_000, 1000); c[1] < 990 {
		t.Errorf("a steep distribution draws its first key %d times of 1000", c[1])
	}
	if c := drawKeys(popularity("hotspot(10%,50%)"), 1, 10); c[1] != 10 {
		t.Error("one key is always drawn")
	}
}

// phased is a calm world with three phases: no reads, a busy open loop with bursts
// on bad links, and the closed loop again.
func phased() Config {
	cfg := steady(5)
	cfg.Trace = true
	one, two, three := cfg.Workload, cfg.Workload, cfg.Workload
	one.Mix = []Share{{protocols.Put, protocols.Write, 1}}
	one.Popularity, one.Payload = popularity("hotspot(1%,100%)"), Sizes{100, 200}
	two.Every, two.Burst, two.Timeout, two.GiveUp = Exactly(20*ms), 3, 20*ms, 20*ms
	bad := cfg.Network
	bad.Between.Loss = Always
	bad.Links = []LinkRule{{From: 1, To: 2, Link: cfg.Network.Between}}
	cfg.Phases = []Phase{
		{Name: "writes", At: 500_000_000, Network: cfg.Network, Workload: one},
		{Name: "bursts", At: 1_000_000_000, Network: bad, Workload: two},
		{Name: "calm", At: 1_500_000_000, Network: cfg.Network, Workload: three},
	}
	return cfg
}

// Each phase has its network and its workload, and what is not said stays.
func TestPhases(t *testing.T) {
	w, err := New(phased())
	if err != nil {
		t.Fatal(err)
	}
	w.Run(2 * second)
	began := map[int][]protocols.Operation{}
	for _, op := range w.History() {
		began[int(op.Began/500_000_000)] = append(began[int(op.Began/500_000_000)], op)
	}
	reads := func(ops []protocols.Operation) (n int) {
		for _, op := range ops {
			if op.Kind != protocols.Write {
				n++
			}
		}
		return n
	}
	if reads(began[0]) == 0 || reads(began[1]) != 0 || reads(began[3]) == 0 {
		t.Errorf("reads by phase: %d %d %d", reads(began[0]), reads(began[1]), reads(began[3]))
	}
	for _, op := range began[1] {
		if op.Key != 1 || op.Payload < 100 || op.Payload > 200 {
			t.Fatalf("a write of the phase of hot keys: %+v", op.Command)
		}
	}
	times := map[protocols.Time]int{}
	for _, op := range began[2] {
		times[op.Began]++
		if op.Payload != 0 {
			t.Errorf("a payload outside its phase: %+v", op.Command)
		}
	}
	for at, n := range times {
		if n > 3 {
			t.Errorf("%d operations arrived at %s, want at most 3", n, at)
		}
	}
	if len(times) < 3 {
		t.Errorf("arrivals at %d times", len(times))
	}
	if len(began[3]) < 20 {
		t.Errorf("%d operations in the phase after the bursts", len(began[3]))
	}
	lines := text(t, w)
	for _, name := range []string{"writes", "bursts", "calm"} {
		if !strings.Contains(lines, "phase "+name+" begins") {
			t.Errorf("no line for the phase %s", name)
		}
	}
	crossed := 0
	for _, e := range w.Trace() {
		if e.Kind == TraceDelivered && e.Node != e.Peer && e.Time > 1_050_000_000 && e.Time < 1_500_000_000 {
			if crossed++; e.Peer != 1 || e.Node != 2 {
				t.Fatalf("a message from %s to %s crosses a link that loses all", e.Peer, e.Node)
			}
		}
	}
}

// Without the last phase the run is the same up to its beginning.
func TestRemovingAPhaseKeepsTheTraceBeforeIt(t *testing.T) {
	cfg := phased()
	full := tracedRun(t, cfg)
	cfg.Phases = cfg.Phases[:2]
	first := strings.Index(full, "phase calm begins")
	if start := strings.LastIndexByte(full[:first], '\n') + 1; !strings.HasPrefix(tracedRun(t, cfg), full[:start]) {
		t.Error("the traces differ before the phase")
	}
}

// Payloads count on the wire and change nothing else of a run without bandwidth.
func TestPayloadsChangeSizesOnly(t *testing.T) {
	plain := steady(2)
	large := plain
	large.Workload.Payload = Sizes{1000, 1000}
	if a, b := digestOf(t, plain), digestOf(t, large); a != b {
		t.Error("payloads change the run")
	}
}

func TestImpossiblePhasesAreRefused(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"one after the other":           func(c *Config) { c.Phases[1].At = c.Phases[0].At },
		"those of the whole run":        func(c *Config) { c.Phases[0].Workload.Clients++ },
		"phases[2]: network":            func(c *Config) { c.Phases[2].Network.Between.Loss = -1 },
		"burst: only an open loop":      func(c *Config) { c.Phases[0].Workload.Burst = 2 },
		"workload.payload: want 0":      func(c *Config) { c.Phases[0].Workload.Payload = Sizes{2, 1} },
		"phases: 101 are more than 100": func(c *Config) { c.Phases = make([]Phase, 101) },
	} {
		cfg := phased()
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
