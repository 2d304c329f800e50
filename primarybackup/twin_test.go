package primarybackup_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/internal/trial"
	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// A fork of a replica or of the view service, taken in any state under any fault, goes
// on as the node does.
func TestForksGoOnAsTheirOriginsUnderFaults(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 1
	}
	for name, change := range variants() {
		t.Run(name, func(t *testing.T) {
			for seed := range seeds {
				p := primarybackup.DefaultParameters()
				change(p)
				cfg := config(t, seed, p)
				cfg.Workload.Mix = append(cfg.Workload.Mix, sim.Share{Kind: protocols.Follow, Weight: 1})
				w := trial.NewTwins(t, cfg.Replicas+1)
				cfg.Observers = []protocols.Observer{w}
				if wrong := trial.Judge(t, cfg); wrong != "" || w.Steps == 0 {
					t.Errorf("seed %d: %d steps, %s", seed, w.Steps, wrong)
				}
			}
		})
	}
}
