package vr_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/lockstep-sim/lockstep/internal/trial"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
	"github.com/lockstep-sim/lockstep/vr"
)

// moving is a plan like config's, in a cluster with spare replicas, in which an
// operator changes the members every few hundred milliseconds.
func moving(t testing.TB, seed uint64, p *vr.Parameters) sim.Config {
	t.Helper()
	cfg := config(t, seed, p)
	rng := rand.New(rand.NewPCG(seed, 3))
	members := cfg.Replicas
	if members < 7 {
		cfg.Replicas += 1 + rng.IntN(3)
		cfg.Members = protocols.NodesUpTo(members)
	}
	protocol, cluster := cfg.Protocol, protocols.Cluster{Replicas: cfg.Replicas, Members: cfg.Members}
	cfg.Observers = observers(t, protocol, cluster, p)
	for at := protocols.Time(200e6); at < 4*second; at += protocols.Time(100e6 + rng.Int64N(600e6)) {
		step := sim.AdminStep{Kind: protocols.Reconfigure, At: at, For: protocols.Duration(100e6 + rng.Int64N(2e9))}
		for step.Add.Empty() && step.Remove.Empty() {
			step.Add, step.Remove = wish(rng, cfg.Replicas, p.Variant == vr.Durable)
		}
		cfg.Admin = append(cfg.Admin, step)
	}
	return cfg
}

// wish draws who is to join and who is to leave. Without disks a group must not
// become too small to outlive a crash.
func wish(rng *rand.Rand, replicas int, free bool) (add, remove protocols.NodeSet) {
	for id := protocols.NodeID(1); int(id) <= replicas; id++ {
		switch rng.IntN(5) {
		case 0:
			add = add.With(id)
		case 1:
			if free && remove.Len() < replicas-3 || remove.Len() < add.Len() {
				remove = remove.With(id)
			}
		}
	}
	return add, remove
}

func seedsOf(t testing.TB, long, short uint64) uint64 {
	if s, err := strconv.ParseUint(os.Getenv("N"), 10, 64); err == nil {
		return s
	}
	if testing.Short() {
		return short
	}
	return long
}

// All promises hold also while the membership changes all the time, in every variant.
func TestVRReconfiguresUnderFaults(t *testing.T) {
	seeds := seedsOf(t, 100, 15)
	for _, variant := range []string{vr.Durable, vr.CrashVectors, vr.Diskless} {
		t.Run(variant, func(t *testing.T) {
			stuck, done := uint64(0), 0
			for seed := range seeds {
				cfg := moving(t, seed, parameters(variant, seed))
				o := trial.Run(t, cfg)
				done += effective(o.World)
				switch {
				case o.Unavailable != "" && variant != vr.Durable:
					stuck++
				case o.Failed() != "":
					t.Errorf("seed %d: %s", seed, o.Failed())
				}
			}
			t.Logf("%d reconfigurations in %d runs, of which %d end unavailable", done, seeds, stuck)
			if done < int(2*seeds) || stuck*10 > seeds {
				t.Errorf("%d reconfigurations in %d runs, of which %d end unavailable", done, seeds, stuck)
			}
		})
	}
}

// Every member of a group of five is replaced, one by one, under load and under
// partitions and crashes. No acknowledged write is lost.
func TestVRReplacesEveryMember(t *testing.T) {
	seeds := seedsOf(t, 300, 20)
	finished := uint64(0)
	for seed := range seeds {
		p := parameters(vr.Durable, seed)
		cfg := config(t, seed, p)
		cfg.Replicas, cfg.Members, cfg.Admin = 10, protocols.NodesUpTo(5), nil
		cfg.Observers = observers(t, cfg.Protocol, protocols.Cluster{Replicas: 10, Members: cfg.Members}, p)
		for i := range protocols.NodeID(5) {
			cfg.Admin = append(cfg.Admin, sim.AdminStep{
				Kind: protocols.Reconfigure, At: second/2 + protocols.Time(i)*second*7/10, For: 690e6,
				Add: protocols.Nodes(6 + i), Remove: protocols.Nodes(1 + i),
			})
		}
		o := trial.Run(t, cfg)
		if o.Failed() != "" {
			t.Errorf("seed %d: %s", seed, o.Failed())
		}
		if effective(o.World) == 5 {
			finished++
		}
	}
	t.Logf("all five were replaced in %d of %d runs", finished, seeds)
	if finished*3 < seeds {
		t.Errorf("all five were replaced in %d of %d runs: the test tests little", finished, seeds)
	}
}
