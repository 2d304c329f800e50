package sim

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/paxos"
	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/vr"
)

// Metamorphic checks: two whole runs whose configurations differ in something that
// has a known effect. What they compare is what the clients saw, what the replicas
// hold, and how many messages of each kind it took.

// the four protocols, by name.
var shipped = map[string]func() *protocols.Protocol{
	"raft": raft.Protocol, "paxos": paxos.Protocol, "vr": vr.Protocol, "primarybackup": primarybackup.Protocol,
}

// outcome is what a run came to. Times are divided by scale, and nodes are called by
// their roles.
type outcome struct {
	Verdict string
	History []protocols.Operation
	States  []protocols.View
	Kinds   []KindCount
	Lost    []uint64
}

func outcomeOf(t *testing.T, cfg Config, until protocols.Time) outcome {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	scale := max(1, cfg.slower)
	stop := w.Run(until * protocols.Time(scale))
	o := outcome{Verdict: fmt.Sprint(stop, w.Violations()), Kinds: w.Stats().ByKind, Lost: []uint64{w.Stats().Lost, w.Stats().Cut, w.Stats().Copied, w.Stats().Fsyncs}}
	for _, op := range w.History() {
		op.Node = cfg.role(op.Node)
		op.Began, op.Ended = op.Began/protocols.Time(scale), op.Ended/protocols.Time(scale)
		op.Call, op.Return = 0, min(op.Return, 0) // event numbers: two worlds may wake their clocks at other times
		o.History = append(o.History, op)
	}
	for role := protocols.NodeID(1); int(role) <= cfg.Replicas; role++ {
		v, _ := w.View(cfg.played(role))
		v.Leader, v.Members, v.LeaseUntil = cfg.role(v.Leader), protocols.NodeSet{}, v.LeaseUntil/protocols.Time(scale)
		o.States = append(o.States, v)
	}
	return o
}

// compare reports the first difference.
func (o *outcome) compare(t *testing.T, other outcome) {
	t.Helper()
	for i := range min(len(o.History), len(other.History)) {
		if !reflect.DeepEqual(o.History[i], other.History[i]) {
			t.Fatalf("operation %d: %+v, then %+v", i+1, o.History[i], other.History[i])
		}
	}
	if !reflect.DeepEqual(*o, other) {
		t.Fatalf("\n%+v\n%+v", *o, other)
	}
}

// renamed is cfg with every node called by another name: node i plays roles[i-1].
func renamed(cfg Config, roles []protocols.NodeID) Config {
	cfg.roles = roles
	cfg.Network.Links = slices.Clone(cfg.Network.Links)
	for i := range cfg.Network.Links {
		l := &cfg.Network.Links[i]
		l.From, l.To = cfg.played(l.From), cfg.played(l.To)
	}
	cfg.Faults = slices.Clone(cfg.Faults)
	for i := range cfg.Faults {
		var id protocols.NodeID
		if _, err := fmt.Sscanf(cfg.Faults[i].Target.String(), "n%d", &id); err == nil {
			cfg.Faults[i].Target = target(cfg.played(id).String())
		}
	}
	return cfg
}

// unequal is a group with delays that have no ties, and a few faults.
func unequal(p *protocols.Protocol, n int, seed uint64) Config {
	cfg := Config{
		Protocol: p, Replicas: n, Seed: seed,
		Network: Network{
			Between: Link{Latency: Between(ms, 3*ms), Loss: 10_000_000, Duplicate: 10_000_000},
			Client:  Link{Latency: Between(ms, 2*ms)},
		},
		Disk:     Disk{Fsync: Between(ms/10, ms)},
		Clock:    Clock{Drift: 50_000},
		Workload: Workload{Clients: 3, Keys: 2, Timeout: 300 * ms, Think: Between(ms, 9*ms)},
	}
	draws := stream{base: streamBase(seed, 77)}
	for i, kind := range []protocols.FaultKind{protocols.FaultCrash, protocols.FaultPartition, protocols.FaultPause, protocols.FaultDelay} {
		f := Fault{ID: i + 1, Kind: kind, At: protocols.Time(second/2 + protocols.Time(below(draws.next(), uint64(2*second)))), For: protocols.Duration(below(draws.next(), uint64(second)))}
		f.Target = target("leader")
		if below(draws.next(), 2) == 0 {
			f.Target = target(fmt.Sprintf("n%d", 1+below(draws.next(), uint64(n))))
		}
		if kind == protocols.FaultDelay {
			f.Latency = Between(ms, 20*ms)
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	return cfg
}

// Names play no part where the protocol gives them none. In Raft they never do. The
// view service of primary-backup prefers the lowest number among equals: there n1
// stays n1 and stays the primary.
func TestRenumberingChangesNames(t *testing.T) {
	for _, c := range []struct {
		name  string
		roles []protocols.NodeID
	}{
		{"raft", []protocols.NodeID{3, 1, 2}},
		{"raft", []protocols.NodeID{5, 4, 1, 2, 3}},
		{"primarybackup", []protocols.NodeID{1, 3, 2}},
		{"primarybackup", []protocols.NodeID{1, 4, 2, 5, 3}},
	} {
		t.Run(fmt.Sprint(c.name, len(c.roles)), func(t *testing.T) {
			for seed := range uint64(30) {
				cfg := unequal(shipped[c.name](), len(c.roles), seed)
				for i := range cfg.Faults {
					if c.name == "primarybackup" {
						cfg.Faults[i].Target = target(fmt.Sprintf("n%d", 2+(seed+uint64(i))%uint64(len(c.roles)-1)))
					}
				}
				o := outcomeOf(t, cfg, 4*second)
				if len(o.History) < 100 {
					t.Fatalf("seed %d: only %d operations", seed, len(o.History))
				}
				o.compare(t, outcomeOf(t, renamed(cfg, c.roles), 4*second))
			}
		})
	}
}

// In Paxos a ballot, and in VR the order of the primaries, rest on numbers. There the
// verdict is the same.
func TestRenumberingChangesNoVerdict(t *testing.T) {
	for _, name := range []string{"paxos", "vr", "primarybackup"} {
		for seed := range uint64(30) {
			cfg := unequal(shipped[name](), 3, seed)
			cfg.Observers = cfg.Protocol.Invariants(protocols.Cluster{Replicas: 3}, cfg.Protocol.Parameters())
			o := outcomeOf(t, cfg, 4*second)
			cfg.Observers = cfg.Protocol.Invariants(protocols.Cluster{Replicas: 3}, cfg.Protocol.Parameters())
			if other := outcomeOf(t, renamed(cfg, []protocols.NodeID{2, 3, 1}), 4*second); o.Verdict != other.Verdict || len(other.History) < 100 {
				t.Fatalf("%s, seed %d: %s, then %s after %d operations", name, seed, o.Verdict, other.Verdict, len(other.History))
			}
		}
	}
}

// A world whose every time is three times as long does the same, three times as
// slowly: there is no time of its own in a protocol or in the engine. Delays and
// timeouts are constant, since a drawn one is no multiple of another's.
func TestScaledTimesChangeNothing(t *testing.T) {
	for name, protocol := range shipped {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{3, 5} {
				for seed := range uint64(20) {
					cfg := constant(protocol(), n, seed)
					o := outcomeOf(t, cfg, 4*second)
					if done := len(o.History); done < 100 {
						t.Fatalf("seed %d: only %d operations", seed, done)
					}
					o.compare(t, outcomeOf(t, scaled(cfg, 3), 4*second))
				}
			}
		})
	}
}

// constant is a group with constant delays, each link its own, and constant timeouts.
// Crashes at the start stagger the timers, since equal ones would collide for ever.
func constant(p *protocols.Protocol, n int, seed uint64) Config {
	p.Validate = nil // which wants unequal timeouts of Raft and Paxos
	cfg := unequal(p, n, seed)
	cfg.Parameters = constantTimeouts(p.Parameters())
	cfg.Clock = Clock{}
	cfg.Disk.Fsync = Exactly(ms / 3)
	cfg.Network.Between.Latency, cfg.Network.Client.Latency = Exactly(2*ms), Exactly(ms)
	cfg.Workload.Think = Exactly(4 * ms)
	for from := protocols.NodeID(1); int(from) <= n; from++ {
		for to := protocols.NodeID(1); int(to) <= n; to++ {
			if from != to {
				l := cfg.Network.Between
				l.Latency = Exactly(2*ms + protocols.Duration(from)*70_001 + protocols.Duration(to)*9_007)
				cfg.Network.Links = append(cfg.Network.Links, LinkRule{From: from, To: to, Link: l})
			}
		}
	}
	for i := range cfg.Faults {
		if cfg.Faults[i].Kind == protocols.FaultDelay {
			cfg.Faults[i].Latency = Exactly(7 * ms)
		}
	}
	for i := 2; i <= n; i++ {
		cfg.Faults = append(cfg.Faults, Fault{ID: 10 + i, Kind: protocols.FaultCrash, Target: target(fmt.Sprintf("n%d", i)), For: protocols.Duration(i) * 20 * ms})
	}
	return cfg
}

// constantTimeouts sets every range of the parameters to its lower end.
func constantTimeouts(parameters any) any {
	v := reflect.ValueOf(parameters).Elem()
	for i := range v.NumField() {
		if r, ok := v.Field(i).Addr().Interface().(*protocols.Range); ok {
			r.Max = r.Min
		}
	}
	return parameters
}

// scaled is cfg with every time k times as long.
func scaled(cfg Config, k int64) Config {
	d := protocols.Duration(k)
	cfg.slower = k
	cfg.Parameters = scaledFields(cfg.Parameters, d)
	cfg.Network.Between.Latency.A *= d
	cfg.Network.Client.Latency.A *= d
	cfg.Network.Links = slices.Clone(cfg.Network.Links)
	for i := range cfg.Network.Links {
		cfg.Network.Links[i].Link.Latency.A *= d
	}
	cfg.Disk.Fsync.A *= d
	cfg.Workload.Think.A *= d
	cfg.Workload.Timeout *= d
	cfg.Workload.GiveUp = d * DefaultGiveUp
	cfg.Faults = slices.Clone(cfg.Faults)
	for i := range cfg.Faults {
		f := &cfg.Faults[i]
		f.At, f.For, f.Latency.A = f.At*protocols.Time(k), f.For*d, f.Latency.A*d
	}
	return cfg
}

// scaledFields is a copy of the parameters with every duration k times as long.
func scaledFields(parameters any, k protocols.Duration) any {
	old := reflect.ValueOf(parameters).Elem()
	fresh := reflect.New(old.Type())
	fresh.Elem().Set(old)
	for i := range old.NumField() {
		switch f := fresh.Elem().Field(i).Addr().Interface().(type) {
		case *protocols.Range:
			f.Min, f.Max = f.Min*k, f.Max*k
		case *protocols.Duration:
			*f *= k
		}
	}
	return fresh.Interface()
}

// Who watches changes nothing: with every observer there is, and with none.
func TestObserversChangeNothing(t *testing.T) {
	for name, protocol := range shipped {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(10) {
				cfg := unequal(protocol(), 3, seed)
				o := outcomeOf(t, cfg, 3*second)
				cfg.Observers = append(cfg.Protocol.Invariants(protocols.Cluster{Replicas: 3}, cfg.Protocol.Parameters()), watch(everything))
				o.compare(t, outcomeOf(t, cfg, 3*second))
			}
		})
	}
}

// One client that waits for each answer sees the same, and leaves the same behind,
// whatever the network does twice and however much travels together.
func TestBatchesAndDuplicatesChangeNoResult(t *testing.T) {
	for name, protocol := range shipped {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(12) {
				var first []string
				for i, change := range []func(*Config){
					func(*Config) {},
					func(c *Config) { c.Network.Between.Duplicate, c.Network.Client.Duplicate = 0, 0 },
					func(c *Config) { c.Parameters = oneByOne(c.Parameters) },
				} {
					cfg := unequal(protocol(), 3, seed)
					cfg.Network.Between.Duplicate, cfg.Network.Client.Duplicate = 200_000_000, 200_000_000
					cfg.Parameters = cfg.Protocol.Parameters()
					cfg.Workload = Workload{Clients: 1, Keys: 2, Operations: 150, Timeout: 300 * ms, Think: Between(ms, 9*ms), Mix: []Share{
						{protocols.Put, protocols.Write, 2}, {protocols.Get, protocols.Read, 2}, {protocols.CAS, protocols.Write, 1},
					}}
					change(&cfg)
					got := results(t, cfg)
					if first == nil {
						first = got
					}
					if !slices.Equal(got, first) {
						t.Fatalf("seed %d, change %d:\n%v\n%v", seed, i, first, got)
					}
				}
			}
		})
	}
}

// results runs all operations and returns what was answered, without positions: a
// change of leader may cost one. Every operation was done, in the client's order, so
// equal answers leave equal tables behind; and all replicas end in one state.
func results(t *testing.T, cfg Config) []string {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.RunUntil(60*second, func() bool { return w.Stats().Done == uint64(cfg.Workload.Operations) })
	w.Run(w.Now() + 3*second)
	var list []string
	for _, op := range w.History() {
		op.Position = 0
		list = append(list, op.String())
	}
	if done := w.Stats().Done; done != uint64(cfg.Workload.Operations) {
		t.Fatalf("%d operations done, %v: %v", done, w.Violations(), list)
	}
	first, _ := w.View(1)
	for id := protocols.NodeID(2); int(id) <= cfg.Replicas; id++ {
		if v, _ := w.View(id); v.StateHash != first.StateHash {
			t.Fatalf("n1 ends with state %016x, %v with %016x", first.StateHash, id, v.StateHash)
		}
	}
	return list
}

// oneByOne lets one entry travel at a time.
func oneByOne(parameters any) any {
	v := reflect.ValueOf(parameters).Elem()
	for _, name := range []string{"MaxBatch", "Window"} {
		if f := v.FieldByName(name); f.IsValid() {
			f.SetInt(1)
		}
	}
	return parameters
}
