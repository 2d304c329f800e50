package raft_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/internal/bench/floor"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/scenariotest"
	"github.com/lockstep-sim/lockstep/sim"
)

// smallCluster draws an experiment with three nodes, 50 operations and up to four
// faults. After the safety phase it ends when the cluster, healed, has converged.
func smallCluster(t *rapid.T) *scenarios.Scenario {
	sc := scenarios.New("property")
	sc.Replicas, sc.For, sc.Workload.Operations = 3, 1e9, 50
	for range rapid.IntRange(0, 4).Draw(t, "faults") {
		target, err := sim.ParseTarget(rapid.SampledFrom([]string{"leader", "follower", "random", "n1"}).Draw(t, "target"))
		if err != nil {
			t.Fatal(err)
		}
		sc.Faults = append(sc.Faults, sim.Fault{
			Kind:   rapid.SampledFrom([]protocols.FaultKind{protocols.FaultCrash, protocols.FaultPartition, protocols.FaultPause}).Draw(t, "kind"),
			Target: target,
			At:     protocols.Time(rapid.Int64Range(0, 900).Draw(t, "at") * 1e6),
			For:    protocols.Duration(rapid.Int64Range(1, 99).Draw(t, "for") * 1e6),
		})
	}
	scenarios.Number(sc.Faults)
	return sc
}

// tally is an observer that counts runs, their steps and operations.
type tally struct{ runs, steps, answers uint64 }

func (c *tally) Moments() protocols.MomentKind { return protocols.Stepped | protocols.Replied }
func (c *tally) Checks() []protocols.CheckInfo { return nil }
func (c *tally) Observe(m *protocols.Moment) {
	if m.Kind == protocols.Stepped {
		c.steps++
	} else {
		c.answers++
	}
}

// observers is asked once for each run.
func (c *tally) observers(protocols.Cluster, any) []protocols.Observer {
	c.runs++
	return []protocols.Observer{c}
}

// TestPropertyRunsPerSecond puts small clusters on trial and says how many runs a
// CPU second holds, with drawing, invariants and judgement, beside how many it would
// hold if a step cost no more than an event of a bare queue. The two are measured one
// after the other, because machines differ.
//
//	go test ./raft -run Property -rapid.checks=1000 -v
func TestPropertyRunsPerSecond(t *testing.T) {
	const goal, pending = 200, 16 // timers, clients and messages under way
	var c tally
	began := floor.Clock()
	scenariotest.Check(t, raft.Protocol(), scenariotest.Invariants(c.observers), scenariotest.Generate(smallCluster))
	spent := floor.Clock() - began
	if c.answers < 40*c.runs {
		t.Errorf("%d answers in %d runs: want nearly 50 in each", c.answers, c.runs)
	}
	queue := floor.New(pending)
	began = floor.Clock()
	if queue.Hold(int(c.steps)) == 0 {
		t.Fatal("the floor did no work")
	}
	bare := floor.Clock() - began
	verdict := "met"
	perSecond := float64(c.runs) / spent.Seconds()
	if perSecond < goal {
		verdict = "MISSED"
	}
	t.Logf("%d runs of three nodes and 50 operations, %d steps each: %.0f per second of %s, goal ≥ %d %s; the floor loop would do %.0f",
		c.runs, c.steps/c.runs, perSecond, floor.ClockName, goal, verdict, float64(c.runs)/bare.Seconds())
}
