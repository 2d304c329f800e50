package vr_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/internal/trial"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
	"github.com/lockstep-sim/lockstep/vr"
)

const second = protocols.Time(1e9)

// config is a group under a plan of faults drawn from seed, watched by every check
// there is.
func config(t testing.TB, seed uint64, p *vr.Parameters) sim.Config {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	replicas := []int{3, 3, 5, 5, 7, 4}[rng.IntN(6)]
	protocol := vr.Protocol()
	cluster := protocols.Cluster{Replicas: replicas}
	cfg := sim.Config{
		Protocol: protocol, Parameters: p, Replicas: replicas, Seed: seed,
		Network: sim.Network{
			Between: sim.Link{Latency: sim.Between(500_000, 1_000_000), FIFO: rng.IntN(2) == 0},
			Client:  sim.Link{Latency: sim.Between(500_000, 1_000_000)},
		},
		Disk:  sim.Disk{Fsync: []sim.Dist{sim.Between(500_000, 3_000_000), sim.Between(100_000, 50_000_000)}[rng.IntN(2)]},
		Clock: sim.Clock{Offset: sim.Between(0, 1e9), Drift: 100_000},
		Workload: sim.Workload{
			Clients: 4, Keys: 2, Think: sim.Between(0, 20_000_000), Timeout: 300e6, GiveUp: 3e9,
			Mix: []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 3}, {Op: protocols.CAS, Kind: protocols.Write, Weight: 1}, {Op: protocols.Get, Kind: protocols.Read, Weight: 3}, {Kind: protocols.Follow, Weight: 1}},
		},
		Observers: observers(t, protocol, cluster, p),
		MaxEvents: 2_000_000,
	}
	// Without disks, at most f replicas may be down or recovering at once.
	limit := replicas
	if p.Variant != vr.Durable {
		limit = (replicas - 1) / 2
	}
	targets := []string{"leader", "follower", "minority", "random", "majority", "all"}
	for range 3 + rng.IntN(8) {
		f := trial.Fault(rng, target(t, targets[rng.IntN(len(targets))]))
		if limit < replicas && f.Kind == protocols.FaultCrash {
			f.Target, f.For = target(t, []string{"leader", "follower", "random"}[rng.IntN(3)]), min(f.For, 400e6)
			if crashes(cfg.Faults, f) >= limit {
				continue
			}
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	return cfg
}

func observers(t testing.TB, protocol *protocols.Protocol, c protocols.Cluster, p *vr.Parameters) []protocols.Observer {
	return append(trial.Observers(protocol, c, p), newProber(t, c.Replicas))
}

func target(t testing.TB, text string) sim.Target {
	t.Helper()
	parsed, err := sim.ParseTarget(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// crashes counts the crashes that may still be felt while f is: a replica needs time
// to recover.
func crashes(faults []sim.Fault, f sim.Fault) int {
	const margin = second
	count := 0
	for _, g := range faults {
		if g.Kind == protocols.FaultCrash && g.At < f.At.Add(f.For)+margin && f.At < g.At.Add(g.For)+margin {
			count++
		}
	}
	return count
}

// effective counts the operator's steps that were done.
func effective(w *sim.World) (steps int) {
	for _, r := range w.AdminLog() {
		if r.Effective {
			steps++
		}
	}
	return steps
}

// parameters are settings drawn from a seed.
func parameters(variant string, seed uint64) *vr.Parameters {
	p := vr.DefaultParameters()
	p.Variant = variant
	p.Reads = []string{vr.ReadsRound, vr.ReadsLease, vr.ReadsLog}[seed%3]
	p.CheckpointInterval = []int{24, 60, 0, 1000}[seed%4]
	if seed%2 == 1 {
		p.MaxBatch = 2
	}
	if seed%5 == 0 {
		p.ViewTimeout.Max = 300e6
	}
	if seed%7 < 3 {
		p.LeaderWrite = vr.LeaderWriteSerial
	}
	return p
}

// Under crashes with cut steps, partitions, pauses, loss, duplication, reordering
// and slow disks VR keeps every promise: on disk or with crash vectors, with any way
// to read and with checkpoints.
func TestVRKeepsItsPromisesUnderFaults(t *testing.T) {
	seeds := seedsOf(t, 100, 20)
	for _, variant := range []string{vr.Durable, vr.CrashVectors, vr.Diskless} {
		t.Run(variant, func(t *testing.T) {
			stuck := uint64(0)
			for seed := range seeds {
				o := trial.Run(t, config(t, seed, parameters(variant, seed)))
				switch {
				case o.Unavailable != "" && variant != vr.Durable:
					stuck++ // the plan went beyond f after all
				case o.Failed() != "":
					t.Errorf("seed %d: %s", seed, o.Failed())
				}
			}
			t.Logf("%d of %d seeds ended with more than f replicas without their state", stuck, seeds)
			if stuck*20 > seeds {
				t.Errorf("%d of %d seeds are unavailable", stuck, seeds)
			}
		})
	}
}

// Clients that ask again sooner than an overloaded primary can answer do not keep it
// overloaded: what they repeat costs it less than what it answers. When they stop asking
// for more, all is answered.
func TestVREndsAnOverload(t *testing.T) {
	for _, replicas := range []int{3, 9} {
		protocol, p := vr.Protocol(), vr.DefaultParameters()
		link := sim.Link{Latency: sim.Between(500_000, 1_000_000)}
		wrong := trial.Judge(t, sim.Config{
			Protocol: protocol, Parameters: p, Replicas: replicas, Seed: 1,
			Network: sim.Network{Between: link, Client: link},
			CPU:     sim.CPU{Receive: 200_000, Send: 50_000},
			Workload: sim.Workload{
				Clients: 200, Keys: 5, Timeout: 100e6, GiveUp: 1e9,
				Mix: []sim.Share{writes, {Op: protocols.Get, Kind: protocols.Read, Weight: 1}},
			},
			Observers: observers(t, protocol, protocols.Cluster{Replicas: replicas}, p),
		})
		if wrong != "" {
			t.Errorf("%d replicas: %s", replicas, wrong)
		}
	}
}

// A search through the same plans finds these bugs, and names what they broke. The
// others need a schedule, and have one in bugs_test.go.
func TestVRBugsAreFoundBySearch(t *testing.T) {
	for _, c := range []struct{ bug, check, variant string }{
		{"V-02", "VR-I1", vr.CrashVectors},
		{"V-07", "VR-I1", vr.CrashVectors},
		{"V-08", "VR-I12", vr.Durable},
		{"V-11", "VR-I2", vr.Durable},
		{"V-12", "VR-I8", vr.Durable},
		{"V-14", "VR-I1", vr.Durable},
		{"V-15", "VR-I1", vr.Durable},
		{"V-16", "DUR", vr.Durable},
		{"V-19", "VR-I9", vr.Durable},
	} {
		t.Run(c.bug, func(t *testing.T) {
			for seed := range uint64(300) {
				p := parameters(c.variant, seed)
				p.Bugs = []string{c.bug}
				plan := config
				switch c.bug {
				case "V-14", "V-15":
					plan = moving
				case "V-19": // a backup misses the primary, which others still hear
					p.Reads = vr.ReadsLease
					plan = func(t testing.TB, seed uint64, p *vr.Parameters) sim.Config {
						cfg := config(t, seed, p)
						cfg.Network.Between.Loss = sim.Always / 3
						return cfg
					}
				}
				if wrong := trial.Judge(t, plan(t, seed, p)); strings.HasPrefix(wrong, c.check+": ") {
					t.Logf("seed %d: %s", seed, wrong)
					return
				}
			}
			t.Errorf("no seed of 300 shows a violation of %s", c.check)
		})
	}
}

func BenchmarkSteady(b *testing.B)        { trial.Steady(b, vr.Protocol(), false) }
func BenchmarkSteadyWatched(b *testing.B) { trial.Steady(b, vr.Protocol(), true) }
