package raft_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/internal/trial"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/sim"
)

const second = protocols.Time(1e9)

// config is a cluster under a plan of faults drawn from seed, watched by every
// check there is.
func config(t testing.TB, seed uint64, p *raft.Parameters) sim.Config {
	t.Helper()
	return trial.Cluster(t, raft.Protocol(), p, seed, []int{3, 5, 5, 7}, "leader", "follower", "minority", "random", "majority", "all")
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
		if wrong := trial.Judge(t, config(t, seed, swarm(seed))); wrong != "" {
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
		if wrong := trial.Judge(t, operated(t, seed, swarm(seed))); wrong != "" {
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
		switch o := trial.Run(t, cfg); {
		case o.Unavailable != "":
			stuck++
		case o.Wrong != "":
			t.Errorf("seed %d: %s", seed, o.Wrong)
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
			o := trial.Run(t, replacement(t, seed, membership))
			if o.Failed() != "" {
				t.Errorf("%s, seed %d: %s", membership, seed, o.Failed())
			}
			all := true
			for _, step := range o.World.AdminLog() {
				all = all && step.Effective
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
		{"R-18", "R-I12", nil},
		{"R-21", "R-I12", func(p *raft.Parameters) { p.Reads = raft.ReadsLease }},
		{"R-44", "ONCE", nil},
		{"R-46", "R-I7", nil},
		{"R-READ", "R-I12", nil},
	} {
		t.Run(c.bug, func(t *testing.T) {
			p := raft.DefaultParameters()
			p.Bugs = []string{c.bug}
			if c.change != nil {
				c.change(p)
			}
			for seed := range uint64(300) {
				if wrong := trial.Judge(t, config(t, seed, p)); strings.HasPrefix(wrong, c.check+": ") {
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

func BenchmarkSteady(b *testing.B)        { trial.Steady(b, raft.Protocol(), false) }
func BenchmarkSteadyWatched(b *testing.B) { trial.Steady(b, raft.Protocol(), true) }
