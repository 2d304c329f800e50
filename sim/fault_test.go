package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// struck runs the steady world for two seconds with one fault from 0.5 s to 1 s.
func struck(t *testing.T, f Fault, change ...func(*Config)) (*World, FaultRecord) {
	t.Helper()
	cfg := steady(3)
	cfg.Trace = true
	f.At = second / 2
	if f.For == 0 && !(f.Kind == protocols.FaultClock) {
		f.For = 500 * ms
	}
	cfg.Faults = []Fault{f}
	for _, c := range change {
		c(&cfg)
	}
	w := run(t, cfg, 2*second)
	return w, w.FaultLog()[0]
}

// during returns the trace lines of a kind while the fault was active.
func during(w *World, r *FaultRecord, kind TraceKind, match func(*TraceEvent) bool) (n int) {
	for i := range w.Trace() {
		if e := &w.Trace()[i]; e.Kind == kind && e.Time >= r.Struck && e.Time < r.Ended && match(e) {
			n++
		}
	}
	return n
}

func TestEveryFaultBites(t *testing.T) {
	for _, f := range []Fault{
		{Kind: protocols.FaultCrash, Target: target("leader")},
		{Kind: protocols.FaultCrash, Target: target("leader"), Cut: 2},
		{Kind: protocols.FaultPause, Target: target("follower")},
		{Kind: protocols.FaultPartition, Target: target("minority")},
		{Kind: protocols.FaultPartition, Target: target("leader"), OneWay: In},
		{Kind: protocols.FaultLoss, Target: target("all"), Prob: 200_000_000},
		{Kind: protocols.FaultDuplicate, Target: target("n1 n2"), Prob: 200_000_000},
		{Kind: protocols.FaultReorder, Target: target("all"), Latency: Between(0, 5*ms)},
		{Kind: protocols.FaultDelay, Target: target("leader"), Latency: Exactly(3 * ms), OneWay: Out},
		{Kind: protocols.FaultSlowDisk, Target: target("followers"), Factor: 10},
		{Kind: protocols.FaultClock, Target: target("n2"), Step: -20 * ms},
		{Kind: protocols.FaultSkew, Target: target("n3"), Drift: 300_000_000},
	} {
		w, r := struck(t, f)
		if !r.Effective || r.State == Planned || r.Names == "" {
			t.Errorf("%s %s: %+v", f.Kind, f.Target, r)
		}
		if f.Kind != protocols.FaultClock && (r.State != Over || r.Ended != second) {
			t.Errorf("%s %s: ended at %s, want 1s: %s", f.Kind, f.Target, r.Ended, r.State)
		}
		if !strings.Contains(text(t, w), "fault 1: "+string(f.Kind)) {
			t.Errorf("%s has no line in the trace", f.Kind)
		}
		t.Logf("%-10s %-10s -> %-9s %s", f.Kind, f.Target, r.Names, r.How())
	}
}

func TestCrashLosesWhatIsNotSynced(t *testing.T) {
	slow := func(c *Config) {
		c.Disk.Fsync = Exactly(20 * ms)
		c.Network.Between.Latency = Exactly(20 * ms)
	}
	w, r := struck(t, Fault{Kind: protocols.FaultCrash, Target: target("leader")}, slow)
	if r.Killed != 1 || r.Count == 0 {
		t.Fatalf("no record was lost: %+v", r)
	}
	id := r.Resolved.Nodes.Next(0)
	boots, stale := 0, 0
	for _, e := range w.Trace() {
		if e.Node == id && e.Time > r.Struck && e.Time < r.Ended && (e.Kind == TraceDelivered || e.Kind == TraceTimer || e.Kind == TraceSynced) {
			t.Fatalf("%s did something while down: %s", id, w.TraceText(&e))
		}
		if e.Node == id && e.Kind == TraceBoot {
			boots++
			if boots == 2 && (e.Life != 1 || e.Time != r.Ended) {
				t.Errorf("second boot: life %d at %s", e.Life, e.Time)
			}
		}
		if e.Kind == TraceDelivered && e.Peer == id && e.Life == 0 && e.Time > r.Struck {
			stale++
		}
		if e.Kind == TraceDelivered && e.Node == id && e.Peer == id && e.Time >= r.Ended && e.Life == 0 {
			t.Error("a message to itself survived the crash")
		}
	}
	if boots != 2 || stale == 0 {
		t.Errorf("%d boots; %d messages of the old life arrived after the crash, want some", boots, stale)
	}
}

// What a node finds at boot is what had become durable, snapshot and all.
func TestRecovery(t *testing.T) {
	for _, snapshot := range []uint64{0, 7} {
		shadow := &shadow{}
		cfg := steady(5)
		cfg.Parameters = &toyParameters{Snapshot: snapshot}
		cfg.Observers = []protocols.Observer{shadow}
		for i := range 8 {
			cfg.Faults = append(cfg.Faults, Fault{Kind: protocols.FaultCrash, At: protocols.Time(int64(400+i*117) * 1_000_000), For: 60 * ms, Target: target([]string{"leader", "follower"}[i%2]), Cut: i % 4})
		}
		run(t, cfg, 2*second)
		if shadow.boots < 8 || shadow.records == 0 || (snapshot > 0) != (shadow.snapshots > 0) {
			t.Errorf("snapshot %d: %+v", snapshot, *shadow)
		}
	}
}

// shadow rebuilds every disk from Durable moments and compares it at each boot.
type shadow struct {
	disks                     [10][]uint64
	snapshot                  [10]uint64
	boots, records, snapshots int
}

func (s *shadow) Moments() protocols.MomentKind {
	return protocols.Durable | protocols.Booted | protocols.Crashed
}
func (s *shadow) Checks() []protocols.CheckInfo { return nil }

func content(r protocols.Record) uint64 {
	switch r := r.(type) {
	case *toyEpoch:
		return 1<<32 | r.Epoch
	case *toyEntry:
		return 2<<32 | r.Number
	case *toySnapshot:
		return 3<<32 | r.Count
	}
	return 0
}

func (s *shadow) Observe(m *protocols.Moment) {
	if m.Kind == protocols.Durable {
		if m.Snapshot {
			s.disks[m.Node], s.snapshot[m.Node] = nil, content(m.Record)
			s.snapshots++
		} else {
			s.disks[m.Node] = append(s.disks[m.Node], content(m.Record))
		}
		return
	}
	if m.Kind == protocols.Booted {
		s.boots++
	}
	same := len(m.Disk.Records) == len(s.disks[m.Node]) && (m.Disk.Snapshot == nil) == (s.snapshot[m.Node] == 0)
	if m.Disk.Snapshot != nil {
		same = same && content(m.Disk.Snapshot) == s.snapshot[m.Node]
	}
	for i, r := range m.Disk.Records {
		s.records++
		same = same && i < len(s.disks[m.Node]) && content(r.Record) == s.disks[m.Node][i]
	}
	if !same {
		m.Violate("disk", "n%d finds %d records, want %d", m.Node, len(m.Disk.Records), len(s.disks[m.Node]))
	}
}

// A crash point: of the last step exactly the effects before the cut take place,
// records durable and gated messages gone.
func TestCutCrashesInsideAStep(t *testing.T) {
	for cut := 1; cut <= 4; cut++ {
		o := &cutWatcher{}
		_, r := struck(t, Fault{Kind: protocols.FaultCrash, Target: target("leader"), Cut: cut}, func(c *Config) {
			c.Observers = []protocols.Observer{o}
			c.Workload.Clients = 10
		})
		if r.Killed != 1 || r.Count != 0 || o.crashes != 1 {
			t.Fatalf("cut %d: %+v, %d crashes", cut, r, o.crashes)
		}
		if o.step.effects == 0 || o.step.effects > cut {
			t.Errorf("cut %d: %d effects of the last step took place", cut, o.step.effects)
		}
		if o.step.left < o.step.sent || o.durable != o.persisted {
			t.Errorf("cut %d: %d of %d messages left, %d of %d records became durable", cut, o.step.left, o.step.sent, o.durable, o.persisted)
		}
	}
}

// cutWatcher follows the one node that crashes, and its last step.
type cutWatcher struct {
	node [10]struct {
		step               cutStep
		persisted, durable int
	}
	step               cutStep
	persisted, durable int
	crashes            int
}

type cutStep struct{ effects, sent, left int }

func (o *cutWatcher) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Crashed | protocols.Left | protocols.Durable
}
func (o *cutWatcher) Checks() []protocols.CheckInfo { return nil }
func (o *cutWatcher) Observe(m *protocols.Moment) {
	n := &o.node[m.Node]
	switch m.Kind {
	case protocols.Stepped:
		n.step = cutStep{effects: len(m.Effects.List)}
		for _, e := range m.Effects.List {
			switch e.Kind {
			case protocols.EffectSend, protocols.EffectSendEarly:
				n.step.sent++
			case protocols.EffectPersist:
				n.persisted++
			}
		}
	case protocols.Left:
		n.step.left++
	case protocols.Durable:
		n.durable++
	case protocols.Crashed:
		o.crashes++
		o.step, o.persisted, o.durable = n.step, n.persisted, n.durable
	}
}

func TestPauseKeepsEverything(t *testing.T) {
	w, r := struck(t, Fault{Kind: protocols.FaultPause, Target: target("leader")}, func(c *Config) { c.Network.Between.FIFO = true })
	id := r.Resolved.Nodes.Next(0)
	acts := func(e *TraceEvent) bool { return e.Node == id }
	if n := during(w, &r, TraceDelivered, acts) + during(w, &r, TraceTimer, acts) + during(w, &r, TraceRequest, acts); n != 0 {
		t.Errorf("a paused node took %d steps", n)
	}
	if r.Count == 0 {
		t.Error("nothing was held back")
	}
	// afterwards: old messages in order, then an old timer
	timers, delivered, last := 0, 0, map[protocols.NodeID]uint64{}
	for _, e := range w.Trace() {
		if e.Node == id && e.Time == r.Ended {
			switch e.Kind {
			case TraceTimer:
				timers++
			case TraceDelivered:
				delivered++
				if e.Cause < last[e.Peer] {
					t.Error("held-back messages came out of order")
				}
				last[e.Peer] = e.Cause
			case TraceBoot:
				t.Error("a pause rebooted the node")
			}
		}
	}
	if timers == 0 || delivered == 0 {
		t.Errorf("on resuming %d old timers and %d old messages came", timers, delivered)
	}
	if v, ok := w.View(id); !ok || v.Leading && w.leader() != id {
		t.Errorf("the old leader never heard of the new one: %+v", v)
	}
}

// seedLedBy returns a seed of the steady world whose leader is the given node.
func seedLedBy(t *testing.T, id protocols.NodeID) uint64 {
	for seed := range uint64(100) {
		if w := run(t, steady(seed), second/2); w.leader() == id {
			return seed
		}
	}
	t.Fatalf("n%d never leads", id)
	return 0
}

func TestPartition(t *testing.T) {
	for _, way := range []Direction{Both, In, Out} {
		w, r := struck(t, Fault{Kind: protocols.FaultPartition, Target: target("n1 n2"), OneWay: way}, func(c *Config) { c.Seed = seedLedBy(t, 3) })
		crosses := func(from, to protocols.NodeID) func(*TraceEvent) bool {
			return func(e *TraceEvent) bool {
				return e.Peer > 0 && (e.Peer <= 2) == (from <= 2) && (e.Node <= 2) == (to <= 2)
			}
		}
		in := during(w, &r, TraceDelivered, crosses(3, 1))
		out := during(w, &r, TraceDelivered, crosses(1, 3))
		inside := during(w, &r, TraceDelivered, crosses(3, 4))
		if (in == 0) != (way != Out) || (out == 0) != (way != In) || inside == 0 {
			t.Errorf("%s: %d messages came in, %d out, %d inside the rest", way, in, out, inside)
		}
		if during(w, &r, TraceRequest, func(e *TraceEvent) bool { return e.Node <= 2 })+during(w, &r, TraceRefused, func(e *TraceEvent) bool { return e.Peer <= 2 }) == 0 && way != Out {
			t.Logf("%s: no client talked to the minority", way)
		}
	}
}

// A message in flight when its link is cut does not arrive, even if the link is
// whole again by then.
func TestPartitionHitsMessagesInFlight(t *testing.T) {
	w, r := struck(t, Fault{Kind: protocols.FaultPartition, Target: target("n1"), For: ms}, func(c *Config) {
		c.Network.Between.Latency = Exactly(20 * ms)
	})
	cut, late := 0, 0
	for _, e := range w.Trace() {
		if e.Kind == TraceDropped && e.Reason == "cut" {
			cut++
			if e.Time > r.Ended {
				late++
			}
		}
	}
	if late == 0 || uint64(cut) != r.Count || w.Stats().Cut != r.Count {
		t.Errorf("%d messages were cut, %d of them in flight; the record says %d", cut, late, r.Count)
	}
}

func TestPartitionOfAClient(t *testing.T) {
	w, r := struck(t, Fault{Kind: protocols.FaultPartition, Target: target("c1")})
	if n := during(w, &r, TraceRequest, func(e *TraceEvent) bool { return e.Peer == -1 }); n != 0 {
		t.Errorf("%d requests of the cut client arrived", n)
	}
	if n := during(w, &r, TraceRequest, func(e *TraceEvent) bool { return e.Peer == -2 }); n == 0 {
		t.Error("the other client was cut, too")
	}
	if n := during(w, &r, TraceDropped, func(e *TraceEvent) bool { return e.Message != nil }); n != 0 {
		t.Errorf("%d messages between nodes were cut", n)
	}
	_, r = struck(t, Fault{Kind: protocols.FaultPartition, Target: target("all")})
	if r.Effective {
		t.Error("cutting everybody off from nobody changed something")
	}
}

func TestLeaderTargetWaits(t *testing.T) {
	cfg := steady(3)
	cfg.Faults = []Fault{
		{Kind: protocols.FaultCrash, At: 1, For: 400 * ms, Target: target("leader")},
		{Kind: protocols.FaultPause, At: 1, For: 10 * ms, Target: target("leader")},
	}
	w := run(t, cfg, second)
	log := w.FaultLog()
	if log[0].State != Over || log[0].Struck < protocols.Time(100*ms) || log[0].Ended != 1+protocols.Time(400*ms) {
		t.Errorf("waited for the first leader: %+v", log[0])
	}
	if log[1].State != Missed || log[1].Effective || !strings.Contains(log[1].How(), "did not strike") {
		t.Errorf("never found a leader: %+v", log[1])
	}
}

func TestLinkOrder(t *testing.T) {
	for _, fifo := range []bool{true, false} {
		cfg := ringConfig()
		cfg.Network.Between.FIFO = fifo
		cfg.Trace = true
		w := run(t, cfg, second/1000)
		last, overtaken := [6]uint64{}, 0
		for _, e := range w.Trace() {
			if e.Kind == TraceDelivered {
				if e.Cause < last[e.Node] {
					overtaken++
				}
				last[e.Node] = e.Cause
			}
		}
		if (overtaken == 0) != fifo {
			t.Errorf("FIFO %v: %d messages overtook", fifo, overtaken)
		}
	}
}

func TestLossAndDuplicationRates(t *testing.T) {
	cfg := steady(9)
	cfg.Network.Between.Loss, cfg.Network.Between.Duplicate = 100_000_000, 50_000_000
	s := run(t, cfg, 6*second).Stats()
	if share := s.Lost * 1000 / s.Messages; share < 85 || share > 115 {
		t.Errorf("lost %d of 1000 messages, want 100", share)
	}
	if share := s.Copied * 1000 / s.Messages; share < 33 || share > 57 {
		t.Errorf("copied %d of 1000 messages, want 45", share)
	}
	var sum uint64
	for _, k := range s.ByKind {
		sum += k.Messages
	}
	if sum != s.Messages || s.Delivered+s.Lost+s.Missed > s.Messages+s.Copied {
		t.Errorf("figures do not add up: %+v", *s)
	}
}

func TestSlowDisk(t *testing.T) {
	w, r := struck(t, Fault{Kind: protocols.FaultSlowDisk, Target: target("all"), Factor: 50})
	slow := during(w, &r, TraceSynced, func(*TraceEvent) bool { return true })
	all := 0
	for _, e := range w.Trace() {
		if e.Kind == TraceSynced {
			all++
		}
	}
	if slow == 0 || slow*6 > all {
		t.Errorf("%d of %d flushes in the slow quarter of the time", slow, all)
	}
}

func TestGroupCommit(t *testing.T) {
	cfg := steady(3)
	cfg.Workload.Clients = 20
	s := run(t, cfg, 2*second).Stats()
	if s.Records < 3*s.Fsyncs {
		t.Errorf("%d records took %d fsyncs", s.Records, s.Fsyncs)
	}
	cfg.Disk = Disk{}
	w := run(t, cfg, 2*second)
	if s := w.Stats(); s.Fsyncs == 0 || s.Done == 0 {
		t.Errorf("a disk without latency: %+v", *s)
	}
	for i := range w.nodes {
		if d := &w.nodes[i].disk; d.durable != d.appended || d.flushing {
			t.Error("a disk without latency lags behind")
		}
	}
}

func TestClockFaults(t *testing.T) {
	cfg := steady(3)
	cfg.Faults = []Fault{{Kind: protocols.FaultClock, At: second, For: 500 * ms, Target: target("n1"), Step: -100 * ms, Drift: 90_000}}
	o := &wallWatcher{}
	cfg.Observers = []protocols.Observer{o}
	run(t, cfg, 2*second)
	if !o.back || o.monotoneBack {
		t.Errorf("wall clock went back: %v; monotone clock went back: %v", o.back, o.monotoneBack)
	}
	cfg.Faults[0].Drift = 200_000
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "skew") {
		t.Errorf("drift beyond the bound: %v", err)
	}
}

type wallWatcher struct {
	wall, now          protocols.Time
	back, monotoneBack bool
}

func (o *wallWatcher) Moments() protocols.MomentKind { return protocols.Stepped }
func (o *wallWatcher) Checks() []protocols.CheckInfo { return nil }
func (o *wallWatcher) Observe(m *protocols.Moment) {
	if m.Node == 1 {
		o.back = o.back || m.Event.Wall < o.wall
		o.monotoneBack = o.monotoneBack || m.Event.Now < o.now
		o.wall, o.now = m.Event.Wall, m.Event.Now
	}
}

func TestEarlyAndLose(t *testing.T) {
	cfg := steady(3)
	cfg.Disk.Fsync = Exactly(30 * ms)
	slow := run(t, cfg, 3*second).Stats().Done
	cfg.Early = []string{"Ack"}
	early := run(t, cfg, 3*second).Stats().Done
	if early < 3*slow {
		t.Errorf("early acknowledgements: %d operations, %d without", early, slow)
	}
	cfg.Lose = []string{"Entry"}
	if s := run(t, cfg, 3*second).Stats(); s.Records > 20 {
		t.Errorf("%d records were written although entries are lost", s.Records)
	}
	cfg.Lose = []string{"Nonsense"}
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "Nonsense") {
		t.Errorf("an unknown record: %v", err)
	}
}

func TestPanicsAreViolations(t *testing.T) {
	for _, c := range []struct {
		parameters toyParameters
		check      string
		want       []string
	}{
		{toyParameters{PanicAt: 5}, "panic", []string{"n1: runtime error: index out of range [5] with length 0", "(*toy).Step toy_test.go:"}},
		{toyParameters{Boot: "no disk"}, "boot", []string{"does not boot: no disk"}},
		{toyParameters{Stray: true}, "contract", []string{"n1 sent a message to", "who does not exist"}},
	} {
		cfg := steady(3)
		cfg.Parameters = &c.parameters
		cfg.Faults = []Fault{{Kind: protocols.FaultCrash, At: second, For: ms, Target: target("n2")}}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if stop := w.Run(2 * second); stop != Violated || w.Run(3*second) != Violated {
			t.Fatalf("%s: %s", c.check, stop)
		}
		v := w.Violations()[0]
		for _, want := range c.want {
			if v.Check != c.check || !strings.Contains(v.Text, want) {
				t.Errorf("%s: %s, want %q", c.check, v, want)
			}
		}
		if strings.Contains(v.Text, "0x") || strings.Contains(v.Text, "sim.(*World)") || strings.Contains(v.Text, "/toy_test.go") {
			t.Errorf("not canonical: %s", v)
		}
	}
	if got := scrub("bad pointer 0xc000123456 and 0x10"); got != "bad pointer 0x… and 0x10" {
		t.Errorf("scrubbed to %q", got)
	}
}

func TestABugOfTheEngineIsNotAViolation(t *testing.T) {
	w, err := New(steady(1))
	if err != nil {
		t.Fatal(err)
	}
	w.queue.add(0, 0).kind = evMessage // to nobody
	defer func() {
		if recover() == nil {
			t.Error("a broken engine went on")
		}
	}()
	w.Run(second)
}

func TestConfigErrors(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"replicas: 0":           func(c *Config) { c.Replicas = 0 },
		"replicas: 10000":       func(c *Config) { c.Replicas = 10000 },
		"protocol":              func(c *Config) { c.Protocol = nil },
		"machine":               func(c *Config) { c.Machine = "abacus" },
		"network.between":       func(c *Config) { c.Network.Between.Loss = 2 * Always },
		"network.links[0]":      func(c *Config) { c.Network.Links = []LinkRule{{From: 1, To: 9}} },
		"no link from n1 to n1": func(c *Config) { c.Network.Links = []LinkRule{{From: 1, To: 1}} },
		"no link from c1 to c2": func(c *Config) { c.Network.Links = []LinkRule{{From: -1, To: -2}} },
		"disk.fsync":            func(c *Config) { c.Disk.Fsync.A = -1 },
		"workload.clients":      func(c *Config) { c.Workload.Clients = 5000 },
		"workload.mix":          func(c *Config) { c.Workload.Mix = []Share{{protocols.Put, protocols.Write, 0}} },
		"faults[0]: target":     func(c *Config) { c.Faults = []Fault{{Kind: protocols.FaultPause, Target: target("n9")}} },
		"names nobody":          func(c *Config) { c.Faults = []Fault{{Kind: protocols.FaultPause}} },
		"cannot be injected":    func(c *Config) { c.Faults = []Fault{{Kind: "gremlins", Target: target("n1")}} },
		"factor":                func(c *Config) { c.Faults = []Fault{{Kind: protocols.FaultSlowDisk, Target: target("n1"), Factor: 1}} },
		"probability":           func(c *Config) { c.Faults = []Fault{{Kind: protocols.FaultLoss, Target: target("n1")}} },
		"early":                 func(c *Config) { c.Early = []string{"Nothing"} },
		"taken": func(c *Config) {
			c.Faults = []Fault{{ID: 2, Kind: protocols.FaultPause, Target: target("n1")}, {Kind: protocols.FaultPause, Target: target("n1")}}
		},
	} {
		cfg := steady(1)
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
	w, _ := New(steady(1))
	bad := steady(2)
	bad.Replicas = -1
	if err := w.Reset(bad); err == nil {
		t.Error("Reset takes a bad configuration")
	}
	if a, b := whole(t, w), digestOf(t, steady(1)); a != b {
		t.Error("a failed Reset changed the world")
	}
}

func TestEventBudget(t *testing.T) {
	cfg := steady(1)
	cfg.MaxEvents = 500
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if stop := w.Run(10 * second); stop != Exhausted || w.Events() != 500 {
		t.Errorf("%s after %d events", stop, w.Events())
	}
	w.Grant(100)
	if stop := w.Run(10 * second); stop != Exhausted || w.Events() != 600 {
		t.Errorf("%s after %d events", stop, w.Events())
	}
}
