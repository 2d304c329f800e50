package paxos_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/paxos"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/sim"
)

const second = protocols.Time(1e9)

// replicasOf returns the size of a seed's cluster.
func replicasOf(seed uint64) int {
	return []int{3, 5, 5, 7}[rand.New(rand.NewPCG(seed, 1)).IntN(4)]
}

// config is a cluster under a plan of faults drawn from seed, watched by every
// check there is.
func config(t testing.TB, seed uint64, p *paxos.Parameters) sim.Config {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	replicas := []int{3, 5, 5, 7}[rng.IntN(4)]
	protocol := paxos.Protocol()
	cluster := protocols.Cluster{Replicas: replicas}
	cfg := sim.Config{
		Protocol: protocol, Parameters: p, Replicas: replicas, Seed: seed,
		Network: sim.Network{
			Between: sim.Link{Latency: sim.Between(500_000, 1_000_000), FIFO: rng.IntN(2) == 0},
			Client:  sim.Link{Latency: sim.Between(500_000, 1_000_000)},
		},
		Disk:  sim.Disk{Fsync: sim.Between(500_000, 3_000_000)},
		Clock: sim.Clock{Offset: sim.Between(0, 1e9), Drift: 100_000},
		Workload: sim.Workload{
			Clients: 4, Keys: 2, Think: sim.Between(0, 20_000_000), Timeout: 300e6, GiveUp: 3e9,
			Mix: []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 3}, {Op: protocols.CAS, Kind: protocols.Write, Weight: 1}, {Op: protocols.Get, Kind: protocols.Read, Weight: 3}},
		},
		Observers: append(checker.Generic(protocol, cluster, p), protocol.Invariants(cluster, p)...),
		MaxEvents: 2_000_000,
	}
	targets := []string{"leader", "follower", "minority", "random", "majority", "all"}
	for range 3 + rng.IntN(8) {
		target, err := sim.ParseTarget(targets[rng.IntN(len(targets))])
		if err != nil {
			t.Fatal(err)
		}
		f := sim.Fault{At: protocols.Time(rng.Int64N(int64(4 * second))), For: protocols.Duration(rng.Int64N(1_500_000_000)), Target: target, OneWay: sim.Direction(rng.IntN(3))}
		switch rng.IntN(8) {
		case 0, 1:
			f.Kind, f.Cut, f.OneWay = protocols.FaultCrash, rng.IntN(6), sim.Both
		case 2, 3:
			f.Kind = protocols.FaultPartition
		case 4:
			f.Kind, f.OneWay = protocols.FaultPause, sim.Both
		case 5:
			f.Kind, f.Prob = protocols.FaultLoss, sim.Prob(rng.Int64N(int64(sim.Always/2)))
		case 6:
			f.Kind, f.Prob = protocols.FaultDuplicate, sim.Prob(rng.Int64N(int64(sim.Always/2)))
		case 7:
			f.Kind, f.Factor, f.OneWay = protocols.FaultSlowDisk, 2+rng.Int64N(30), sim.Both
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	return cfg
}

// judge runs a plan, heals all, demands that every client gets an answer to a
// fresh write and read, and returns what is wrong, or "".
func judge(t testing.TB, cfg sim.Config) string {
	t.Helper()
	w, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop := w.Run(5 * second)
	if stop == sim.Reached {
		w.StopWorkload()
		w.HealAll()
		w.Probe()
		stop = w.RunUntil(25*second, func() bool { return w.PendingOperations() == 0 })
	}
	if v := w.Violations(); len(v) > 0 {
		return v[0].String()
	}
	if stop != sim.Satisfied {
		return fmt.Sprintf("liveness: %v with %d operations pending", stop, w.PendingOperations())
	}
	report := checker.Linearizable(w.History(), checker.Options{Positions: true})
	if report.Verdict != checker.OK {
		text := report.Reason
		if report.Counterexample != nil {
			text = report.Counterexample.Text
		}
		return fmt.Sprintf("linearizability: %v: %s", report.Verdict, text)
	}
	return ""
}

// swarm draws the parameters of a seed for a number of replicas.
func swarm(seed uint64, replicas int) *paxos.Parameters {
	p := paxos.DefaultParameters()
	p.Reads = []string{paxos.ReadsQuorum, paxos.ReadsLease, paxos.ReadsLog}[seed%3]
	p.Decide = []string{paxos.DecidePiggyback, paxos.DecideExplicit}[seed/2%2]
	p.Window = []int{64, 1, 3, 8}[seed/3%4]
	p.SnapshotEvery = []int{30, 40, 0, 7}[seed/5%4]
	p.LeaderWrite = []string{paxos.LeaderWriteParallel, paxos.LeaderWriteSerial}[seed/11%2]
	switch seed / 7 % 4 {
	case 0:
		p.Q2 = replicas/2 + 2
		p.Q1 = replicas - p.Q2 + 1
	case 1:
		p.Q1 = replicas/2 + 2
		p.Q2 = replicas - p.Q1 + 1
	}
	return p
}

// Under crashes with cut steps, partitions, pauses, loss, duplication and slow
// disks Paxos keeps every promise, with any way to read and any options.
func TestPaxosKeepsItsPromisesUnderFaults(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		if wrong := judge(t, config(t, seed, swarm(seed, replicasOf(seed)))); wrong != "" {
			t.Errorf("seed %d: %s", seed, wrong)
		}
	}
}

// operator asks the leader for a random membership now and then. It is no observer
// at heart: it adds to a step what the leader makes of the wish.
type operator struct {
	rng      *rand.Rand
	replicas int
	asked    int
	members  int // configurations that some node noted
}

func newOperator(seed uint64, replicas int) *operator {
	return &operator{rng: rand.New(rand.NewPCG(seed, 2)), replicas: replicas}
}

func (o *operator) Moments() protocols.MomentKind { return protocols.Stepped }
func (o *operator) Checks() []protocols.CheckInfo { return nil }
func (o *operator) Observe(m *protocols.Moment) {
	for i := range m.Effects.Notes {
		if n := &m.Effects.Notes[i]; n.Kind == protocols.NoteMembers && n.Index > 1 {
			o.members++
		}
	}
	var v protocols.View
	if m.Replica.View(&v); !v.Leading || m.Event.Kind != protocols.Fire || o.rng.IntN(4) > 0 {
		return
	}
	o.asked++
	members := protocols.NodesUpTo(o.replicas)
	for range o.rng.IntN(o.replicas/2 + 1) {
		members = members.Without(protocols.NodeID(1 + o.rng.IntN(o.replicas)))
	}
	m.Replica.Step(&protocols.Event{
		Kind: protocols.AdminEvent, Now: m.Event.Now, Wall: m.Event.Wall,
		Admin: protocols.Admin{Kind: protocols.Reconfigure, Members: members},
	}, m.Effects)
}

// All promises hold also while the membership changes all the time.
func TestPaxosReconfiguresUnderFaults(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 20
	}
	changed := 0
	for seed := range seeds {
		replicas := replicasOf(seed)
		p := swarm(seed, replicas)
		p.Q1, p.Q2 = 0, 0
		if wrong, o := reconfigured(t, seed, p); wrong != "" {
			t.Errorf("seed %d: %s", seed, wrong)
		} else {
			changed += o.members
		}
	}
	if changed < int(seeds) {
		t.Errorf("memberships were noted %d times in %d runs: the test tests little", changed, seeds)
	}
}

func reconfigured(t testing.TB, seed uint64, p *paxos.Parameters) (wrong string, o *operator) {
	cfg := config(t, seed, p)
	for i := range cfg.Faults {
		cfg.Faults[i].Cut = 0 // a cut step must not get more effects behind the cut
	}
	o = newOperator(seed, cfg.Replicas)
	cfg.Observers = append([]protocols.Observer{o}, cfg.Observers...)
	return judge(t, cfg), o
}

// A search through the same plans finds each bug, and names what it broke.
func TestPaxosBugsAreFoundBySearch(t *testing.T) {
	lease := func(p *paxos.Parameters) { p.Reads = paxos.ReadsLease }
	often := func(p *paxos.Parameters) { p.SnapshotEvery = 5 }
	narrow := func(p *paxos.Parameters) { p.Window, p.SnapshotEvery = 3, 7 }
	for _, c := range []struct {
		bug, check string
		change     func(*paxos.Parameters) // nil: none
	}{
		{"P-01", "PX-I3", nil},
		{"P-02", "DUR", nil},
		{"P-03", "DUR", nil},
		{"P-05", "PX-I3", nil},
		{"P-06", "PX-I2", nil},
		{"P-07", "PX-I3", nil},
		{"P-10", "PX-I3", nil},
		{"P-11", "PX-I1", nil},
		{"P-12", "PX-I6", lease},
		{"P-14", "PX-I", nil},
		{"P-24", "STATE", often},
		{"P-25", "STATE", often},
		{"P-30", "PX-I", narrow},
		{"P-31", "liveness", nil},
		{"P-32", "PX-I3", narrow},
		{"P-RULE6", "SAME", nil},
		{"P-RULE7", "linearizability", nil},
	} {
		t.Run(c.bug, func(t *testing.T) {
			p := paxos.DefaultParameters()
			p.Bugs = []string{c.bug}
			if c.change != nil {
				c.change(p)
			}
			for seed := range uint64(600) {
				cfg := config(t, seed, p)
				var wrong string
				switch c.bug {
				case "P-06": // who restarts must win again before anybody else campaigns
					cfg.Disk.Fsync = sim.Between(5_000_000, 40_000_000)
					for i := range cfg.Faults {
						if f := &cfg.Faults[i]; f.Kind == protocols.FaultCrash {
							f.For /= 20
						}
					}
					wrong = judge(t, cfg)
				case "P-14", "P-30", "P-32":
					wrong, _ = reconfigured(t, seed, p)
				default:
					wrong = judge(t, cfg)
				}
				if strings.HasPrefix(wrong, c.check) {
					t.Logf("seed %d: %s", seed, wrong)
					return
				}
			}
			t.Errorf("no seed of 600 shows a violation of %s", c.check)
		})
	}
}

// The costs of operations are those of the analytical model, exactly.
func TestLaws(t *testing.T) { protocoltest.Laws(t, paxos.Protocol()) }

// BenchmarkSteady runs five nodes with fsync, one closed-loop client and links of
// 0.5 to 1 ms, without observers. One operation is 100 ms of virtual time.
func BenchmarkSteady(b *testing.B) { benchmarkSteady(b, false) }

// BenchmarkSteadyWatched is BenchmarkSteady with all invariants on.
func BenchmarkSteadyWatched(b *testing.B) { benchmarkSteady(b, true) }

func benchmarkSteady(b *testing.B, watched bool) {
	cfg := sim.Config{
		Protocol: paxos.Protocol(), Replicas: 5, Seed: 1, MaxEvents: 1 << 60,
		Network: sim.Network{
			Between: sim.Link{Latency: sim.Between(500_000, 1_000_000)},
			Client:  sim.Link{Latency: sim.Between(500_000, 1_000_000)},
		},
		Disk:     sim.Disk{Fsync: sim.Exactly(1_000_000)},
		Workload: sim.Workload{Clients: 1, Keys: 1, Timeout: 1e9, GiveUp: 3e9, Mix: []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 1}}},
	}
	if watched {
		cfg.Observers = append(checker.Generic(cfg.Protocol, protocols.Cluster{Replicas: 5}, paxos.DefaultParameters()), cfg.Protocol.Invariants(protocols.Cluster{Replicas: 5}, paxos.DefaultParameters())...)
	}
	w, err := sim.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	w.Run(5 * second)
	steps, delivered := w.Stats().Steps, w.Stats().Delivered
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if stop := w.Run(w.Now() + second/10); stop != sim.Reached {
			b.Fatal(stop, w.Violations())
		}
	}
	runtime.ReadMemStats(&after)
	steps, delivered = w.Stats().Steps-steps, w.Stats().Delivered-delivered
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
	b.ReportMetric(float64(b.N)/10/b.Elapsed().Seconds(), "virtual-s/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(delivered), "allocs/message")
}
