package raft_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/sim"
)

const second = protocols.Time(1e9)

// config is a cluster under a plan of faults drawn from seed, watched by every
// check there is.
func config(t testing.TB, seed uint64, p *raft.Parameters) sim.Config {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	replicas := []int{3, 5, 5, 7}[rng.IntN(4)]
	protocol := raft.Protocol()
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
	wrong, _ := judged(t, cfg)
	return wrong
}

// judged is judge, and returns what became of the operator's plan.
func judged(t testing.TB, cfg sim.Config) (wrong string, log []sim.AdminRecord) {
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
		return v[0].String(), w.AdminLog()
	}
	if stop != sim.Satisfied {
		return fmt.Sprintf("liveness: %v with %d operations pending", stop, w.PendingOperations()), w.AdminLog()
	}
	report := checker.Linearizable(w.History(), checker.Options{Positions: true})
	if report.Verdict != checker.OK {
		text := report.Reason
		if report.Counterexample != nil {
			text = report.Counterexample.Text
		}
		return fmt.Sprintf("linearizability: %v: %s", report.Verdict, text), w.AdminLog()
	}
	return "", w.AdminLog()
}

// swarm draws the parameters of a seed.
func swarm(seed uint64) *raft.Parameters {
	p := raft.DefaultParameters()
	p.Reads = []string{raft.ReadsReadIndex, raft.ReadsLease, raft.ReadsLog}[seed%3]
	p.PreVote = seed%4 != 1
	p.CheckQuorum = p.Reads == raft.ReadsLease || seed%5 != 2
	p.SnapshotEvery, p.LogKept = []int{30, 7, 0, 40}[seed/5%4], []int{0, 5, 100}[seed/7%3]
	p.ChunkSize = []int{1, 2, 64}[seed/2%3]
	p.Membership = []string{raft.MembershipJoint, raft.MembershipSingle}[seed/3%2]
	p.LeaderWrite = []string{raft.LeaderWriteParallel, raft.LeaderWriteSerial}[seed/11%2]
	p.ElectionTimer = []string{raft.ElectionTimerEachTerm, raft.ElectionTimerHeard}[seed/13%2]
	p.FollowerReads = seed/4%2 == 1 && p.Reads != raft.ReadsLog
	p.Sessions = []int{0, 2, 3}[seed/13%3]
	if seed%2 == 1 {
		p.MaxBatch, p.Window = 2, 3
	}
	return p
}

// Under crashes with cut steps, partitions, pauses, loss, duplication and slow
// disks Raft keeps every promise, with any way to read and any options.
func TestRaftKeepsItsPromisesUnderFaults(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		if wrong := judge(t, config(t, seed, swarm(seed))); wrong != "" {
			t.Errorf("seed %d: %s", seed, wrong)
		}
	}
}

// operated adds an operator's plan to that of the faults: members come and go, as
// voters or learners, and leaders hand over.
func operated(t testing.TB, seed uint64, p *raft.Parameters) sim.Config {
	cfg := config(t, seed, p)
	rng := rand.New(rand.NewPCG(seed, 2))
	cfg.Members = protocols.NodesUpTo(max(2, cfg.Replicas-rng.IntN(3)))
	cluster := protocols.Cluster{Replicas: cfg.Replicas, Members: cfg.Members}
	cfg.Observers = append(checker.Generic(cfg.Protocol, cluster, p), cfg.Protocol.Invariants(cluster, p)...)
	for range 3 + rng.IntN(6) {
		s := sim.AdminStep{Kind: protocols.Reconfigure, At: protocols.Time(rng.Int64N(int64(4 * second))), For: protocols.Duration(2 * second)}
		id := func() protocols.NodeID { return protocols.NodeID(1 + rng.IntN(cfg.Replicas)) }
		switch rng.IntN(5) {
		case 0:
			s.Kind, s.To = protocols.TransferLeadership, id()
		case 1:
			s.Add = protocols.Nodes(id())
		case 2:
			s.Remove = protocols.Nodes(id())
		case 3:
			s.Add = protocols.Nodes(id(), id())
			s.Remove = protocols.Nodes(id(), id()).Minus(s.Add)
		case 4:
			s.Learners = protocols.Nodes(id())
		}
		cfg.Admin = append(cfg.Admin, s)
	}
	return cfg
}

// All promises hold also while the membership changes and leaders hand over.
func TestRaftReconfiguresUnderFaults(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		if wrong := judge(t, operated(t, seed, swarm(seed))); wrong != "" {
			t.Errorf("seed %d: %s", seed, wrong)
		}
	}
}

// A disk that is lost breaks no promise, whoever it belongs to. The cluster may stop:
// nobody removes the nodes that lost theirs.
func TestRaftStaysSafeWhenDisksAreLost(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	stuck := 0
	for seed := range seeds {
		cfg := operated(t, seed, swarm(seed))
		rng := rand.New(rand.NewPCG(seed, 9))
		for range 1 + rng.IntN(2) {
			target, err := sim.ParseTarget([]string{"leader", "random", "n1", "n2"}[rng.IntN(4)])
			if err != nil {
				t.Fatal(err)
			}
			cfg.Faults = append(cfg.Faults, sim.Fault{Kind: protocols.FaultWipe, At: protocols.Time(rng.Int64N(int64(4 * second))), For: protocols.Duration(1 + rng.Int64N(500_000_000)), Target: target})
		}
		if wrong := judge(t, cfg); strings.HasPrefix(wrong, "liveness") {
			stuck++
		} else if wrong != "" {
			t.Errorf("seed %d: %s", seed, wrong)
		}
	}
	if stuck == 0 || stuck > int(seeds)*2/3 {
		t.Errorf("%d of %d clusters stopped: want some, and not nearly all", stuck, seeds)
	}
}

// replacement is a plan that replaces every member of five, one by one, under load
// and faults.
func replacement(t testing.TB, seed uint64, membership string) sim.Config {
	p := swarm(seed)
	p.Membership = membership
	cfg := config(t, seed, p)
	cfg.Replicas, cfg.Members = 10, protocols.NodesUpTo(5)
	cluster := protocols.Cluster{Replicas: cfg.Replicas, Members: cfg.Members}
	cfg.Observers = append(checker.Generic(cfg.Protocol, cluster, p), cfg.Protocol.Invariants(cluster, p)...)
	cfg.Faults = cfg.Faults[:0]
	rng := rand.New(rand.NewPCG(seed, 3))
	for at := second / 2; at < 5*second; at += protocols.Time(300e6 + rng.Int64N(500e6)) {
		target, err := sim.ParseTarget([]string{"leader", "follower", "random", "minority"}[rng.IntN(4)])
		if err != nil {
			t.Fatal(err)
		}
		f := sim.Fault{At: at, For: protocols.Duration(100e6 + rng.Int64N(300e6)), Target: target, Kind: protocols.FaultCrash}
		if rng.IntN(2) == 0 {
			f.Kind, f.OneWay = protocols.FaultPartition, sim.Direction(rng.IntN(3))
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	for i := range protocols.NodeID(5) {
		cfg.Admin = append(cfg.Admin, sim.AdminStep{
			Kind: protocols.Reconfigure, At: protocols.Time(i)*700e6 + 300e6, For: sim.Forever,
			Add: protocols.Nodes(6 + i), Remove: protocols.Nodes(1 + i),
		})
	}
	return cfg
}

// Replacing every member of a cluster of five, one by one under load with partitions
// and crashes, loses no acknowledged write. LOCKSTEP_SEEDS says how many seeds to run.
func TestRaftReplacesEveryMember(t *testing.T) {
	seeds := uint64(20)
	if n, err := strconv.ParseUint(os.Getenv("LOCKSTEP_SEEDS"), 10, 64); err == nil {
		seeds = n
	} else if testing.Short() {
		seeds = 5
	}
	for _, membership := range []string{raft.MembershipJoint, raft.MembershipSingle} {
		replaced := 0
		for seed := range seeds {
			wrong, log := judged(t, replacement(t, seed, membership))
			if wrong != "" {
				t.Errorf("%s, seed %d: %s", membership, seed, wrong)
			}
			all := true
			for i := range log {
				all = all && log[i].Effective
			}
			if all {
				replaced++
			}
		}
		t.Logf("%s: all members replaced in %d of %d runs", membership, replaced, seeds)
		if replaced < int(seeds)*9/10 {
			t.Errorf("%s: all members replaced in %d of %d runs only", membership, replaced, seeds)
		}
	}
}

// A search through the same plans finds each bug, and names what it broke.
func TestRaftBugsAreFoundBySearch(t *testing.T) {
	for _, c := range []struct {
		bug, check string
		change     func(*raft.Parameters)
	}{
		{"R-01", "R-I7", func(p *raft.Parameters) { p.MaxBatch = 1 }}, // the no-op must not ride with the old entry
		{"R-02", "DUR", nil},
		{"R-03", "R-I6", func(p *raft.Parameters) { p.PreVote, p.CheckQuorum = false, false }},
		{"R-11", "DUR", nil},
		{"R-12", "DUR", nil},
		{"R-18", "linearizability", nil},
		{"R-21", "R-I10", func(p *raft.Parameters) { p.Reads = raft.ReadsLease }},
		{"R-44", "ONCE", nil},
		{"R-46", "linearizability", nil},
		{"R-READ", "linearizability", nil},
	} {
		t.Run(c.bug, func(t *testing.T) {
			p := raft.DefaultParameters()
			p.Bugs = []string{c.bug}
			if c.change != nil {
				c.change(p)
			}
			for seed := range uint64(300) {
				if wrong := judge(t, config(t, seed, p)); strings.HasPrefix(wrong, c.check+": ") {
					t.Logf("seed %d: %s", seed, wrong)
					return
				}
			}
			t.Errorf("no seed of 300 shows a violation of %s", c.check)
		})
	}
}

// latency returns how long a write takes in a cluster of n whose disks take fsync,
// without faults, with a delay of 1 ms.
func latency(t *testing.T, n int, fsync protocols.Duration, write string) protocols.Duration {
	t.Helper()
	p := raft.DefaultParameters()
	p.LeaderWrite = write
	w, err := sim.New(sim.Config{
		Protocol: raft.Protocol(), Parameters: p, Replicas: n, Seed: 1, Disk: sim.Disk{Fsync: sim.Exactly(fsync)},
		Network:  sim.Network{Between: sim.Link{Latency: sim.Exactly(1e6)}, Client: sim.Link{Latency: sim.Exactly(1e6)}},
		Workload: sim.Workload{Clients: 1, Keys: 1, Begin: second, Timeout: 1e9, GiveUp: 3e9, Operations: 20, Think: sim.Exactly(7e6), Mix: []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if stop := w.RunUntil(10*second, func() bool { return w.Stats().Done == 20 }); stop != sim.Satisfied {
		t.Fatal(stop)
	}
	h := w.History()
	for _, o := range h[1:] {
		if o.Ended.Sub(o.Began) != h[len(h)-1].Ended.Sub(h[len(h)-1].Began) {
			t.Errorf("operations take %v and %v", o.Ended.Sub(o.Began), h[1].Ended.Sub(h[1].Began))
		}
	}
	return h[1].Ended.Sub(h[1].Began)
}

// §10.2.1: a leader that writes while it sends takes four delays and one write, one that
// sends after its write exactly one write more; alone, both take one.
func TestRaftLeaderWrite(t *testing.T) {
	const delay, write = 1e6, 3e6
	for _, n := range []int{1, 3, 5, 7} {
		parallel, serial := latency(t, n, write, raft.LeaderWriteParallel), latency(t, n, write, raft.LeaderWriteSerial)
		wantParallel, wantSerial := protocols.Duration(4*delay+write), protocols.Duration(4*delay+2*write)
		if n == 1 {
			wantParallel, wantSerial = 2*delay+write, 2*delay+write
		}
		if parallel != wantParallel || serial != wantSerial {
			t.Errorf("n = %d: parallel %v, serial %v; want %v, %v", n, parallel, serial, wantParallel, wantSerial)
		}
	}
}

// BenchmarkSteady runs five nodes with fsync, one closed-loop client and links of
// 0.5 to 1 ms, without observers. One operation is 100 ms of virtual time.
func BenchmarkSteady(b *testing.B) { benchmarkSteady(b, false) }

// BenchmarkSteadyWatched is BenchmarkSteady with all invariants on.
func BenchmarkSteadyWatched(b *testing.B) { benchmarkSteady(b, true) }

func benchmarkSteady(b *testing.B, watched bool) {
	cfg := sim.Config{
		Protocol: raft.Protocol(), Replicas: 5, Seed: 1, MaxEvents: 1 << 60,
		Network: sim.Network{
			Between: sim.Link{Latency: sim.Between(500_000, 1_000_000)},
			Client:  sim.Link{Latency: sim.Between(500_000, 1_000_000)},
		},
		Disk:     sim.Disk{Fsync: sim.Exactly(1_000_000)},
		Workload: sim.Workload{Clients: 1, Keys: 1, Timeout: 1e9, GiveUp: 3e9, Mix: []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 1}}},
	}
	if watched {
		cfg.Observers = append(checker.Generic(cfg.Protocol, protocols.Cluster{Replicas: 5}, raft.DefaultParameters()), cfg.Protocol.Invariants(protocols.Cluster{Replicas: 5}, raft.DefaultParameters())...)
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
