package paxos_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/internal/trial"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// A fork of a replica, taken in any state under any fault, goes on as the replica does.
func TestForksGoOnAsTheirOriginsUnderFaults(t *testing.T) {
	seeds := uint64(24)
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		cfg := config(t, seed, swarm(seed, replicasOf(seed)))
		cfg.Workload.Mix = append(cfg.Workload.Mix, sim.Share{Kind: protocols.Follow, Weight: 1})
		w := trial.NewTwins(t, cfg.Replicas)
		cfg.Observers = []protocols.Observer{w}
		if wrong := trial.Judge(t, cfg); wrong != "" || w.Steps == 0 {
			t.Errorf("seed %d: %d steps, %s", seed, w.Steps, wrong)
		}
	}
}
