// Package trial puts a protocol on trial in whole worlds that a test sets up itself: a
// cluster under drawn faults, the judgement over a run, a twin beside every node, and a
// benchmark. It is for a protocol's own tests, which choose parameters and steps of the
// operator; package scenariotest draws all of it, shrinks what fails and tells its story.
package trial

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

const second = protocols.Time(1e9)

// Times of a trial since its start: the workload and the faults end at Healed, and what
// is still open must be done by Over.
const (
	Healed = 5 * second
	Over   = 25 * second
)

// Observers are every check there is for runs of p in the cluster.
func Observers(p *protocols.Protocol, cluster protocols.Cluster, parameters any) []protocols.Observer {
	return append(checker.Generic(p, cluster, parameters), p.Invariants(cluster, parameters)...)
}

// Size draws the size of a seed's cluster from sizes, as [Cluster] does.
func Size(seed uint64, sizes ...int) int { return size(source(seed), sizes) }

func source(seed uint64) *rand.Rand        { return rand.New(rand.NewPCG(seed, 1)) }
func size(rng *rand.Rand, sizes []int) int { return sizes[rng.IntN(len(sizes))] }

// Cluster is a cluster of one of the sizes, with four clients, that every check watches
// under 3 to 10 faults at the targets in its first 4 s: crashes with cut steps,
// partitions, pauses, loss, duplication and slow disks. All is drawn from the seed.
func Cluster(t testing.TB, p *protocols.Protocol, parameters any, seed uint64, sizes []int, targets ...string) sim.Config {
	t.Helper()
	rng := source(seed)
	cluster := protocols.Cluster{Replicas: size(rng, sizes)}
	if p.Services != nil {
		cluster.Services = p.Services(parameters)
	}
	if err := p.Validate(parameters, cluster.Replicas); err != nil {
		t.Fatal(err)
	}
	cfg := sim.Config{
		Protocol: p, Parameters: parameters, Replicas: cluster.Replicas, Seed: seed,
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
		Observers: Observers(p, cluster, parameters),
		MaxEvents: 2_000_000,
	}
	for range 3 + rng.IntN(8) {
		target, err := sim.ParseTarget(targets[rng.IntN(len(targets))])
		if err != nil {
			t.Fatal(err)
		}
		cfg.Faults = append(cfg.Faults, Fault(rng, target))
	}
	return cfg
}

// Fault draws one fault in the first 4 s, of less than 1.5 s.
func Fault(rng *rand.Rand, target sim.Target) sim.Fault {
	f := sim.Fault{At: protocols.Time(rng.Int64N(int64(4 * second))), For: protocols.Duration(rng.Int64N(1_500_000_000)), Target: target, OneWay: sim.Direction(rng.IntN(3))}
	switch rng.IntN(9) {
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
	case 8:
		f.Kind, f.Latency = protocols.FaultReorder, sim.Between(0, 100_000_000)
	}
	return f
}

// Outcome is how a trial ended.
type Outcome struct {
	// Wrong says what is wrong, or "": the first violation, open operations or replicas
	// that differ at the end, or a history that is not linearizable.
	Wrong string
	// Unavailable says why the protocol, by its own account, could not go on; Wrong is
	// "" then.
	Unavailable string
	World       *sim.World
}

// Run runs a plan, heals all, and demands that every client gets an answer to a fresh
// write and read and that the members reach one state.
func Run(t testing.TB, cfg sim.Config) Outcome {
	t.Helper()
	w, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop := w.Run(Healed)
	if stop == sim.Reached {
		w.StopWorkload()
		w.HealAll()
		w.Probe()
		stop = w.RunUntil(Over, func() bool { return w.PendingOperations() == 0 && Converged(w) })
	}
	guarantee := protocols.Guarantee{Linearizable: true}
	if g := cfg.Protocol.Guarantee; g != nil {
		guarantee = g(cfg.Parameters)
	}
	o := Outcome{World: w}
	o.Wrong, o.Unavailable = verdict(w, stop, guarantee)
	return o
}

// Failed says what is wrong where the protocol had to be able to go on, or "".
func (o Outcome) Failed() string {
	if o.Unavailable != "" {
		return "unavailable: " + o.Unavailable
	}
	return o.Wrong
}

// Judge runs a plan behind which the protocol must be able to go on, and says what is
// wrong, or "".
func Judge(t testing.TB, cfg sim.Config) string {
	t.Helper()
	return Run(t, cfg).Failed()
}

func verdict(w *sim.World, stop sim.Stop, guarantee protocols.Guarantee) (wrong, unavailable string) {
	for _, v := range w.Violations() {
		// A copy of an acknowledged request that was lost may take effect again.
		if v.Check != checker.CheckOnce || !guarantee.LosesAcknowledged {
			return v.String(), ""
		}
	}
	switch stop {
	case sim.Satisfied:
	case sim.Violated: // by what the guarantee allows
		return "", ""
	default:
		if can, why := w.CanProgress(w.Facts()); !can {
			return "", why
		}
		return fmt.Sprintf("liveness: %v with %d operations pending", stop, w.PendingOperations()), ""
	}
	if !guarantee.Linearizable {
		return "", ""
	}
	report := checker.Linearizable(w.History(), checker.Options{Positions: true})
	if report.Verdict == checker.OK {
		return "", ""
	}
	text := report.Reason
	if report.Counterexample != nil {
		text = report.Counterexample.Text
	}
	return fmt.Sprintf("linearizability: %v: %s", report.Verdict, text), ""
}

// Converged reports whether all members are up and have executed the same.
func Converged(w *sim.World) bool {
	var first protocols.View
	members := w.Voters()
	one := members.Next(protocols.Nobody)
	for id := one; id != protocols.Nobody; id = members.Next(id) {
		v, up := w.View(id)
		if id == one {
			first = v
		}
		if !up || v.Applied != first.Applied || v.StateHash != first.StateHash {
			return false
		}
	}
	return true
}
