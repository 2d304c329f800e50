package shrink

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// TestExplicitIsTheSameRun: a drawn workload, and faults that were aimed at roles,
// written out call by call and name by name, give the equal run.
func TestExplicitIsTheSameRun(t *testing.T) {
	for _, p := range all.List() {
		for seed := uint64(1); seed <= 6; seed++ {
			sc := scenarios.Draw(seed, p, nil)
			sc.Checks = append(sc.Checks, scenarios.Check{Name: scenarios.CheckLiveness, Off: true})
			sc.Workload.Operations = 100
			rec := scenarios.Record(sc, p, seed)
			c := sc.Clone()
			explicitCalls(c, rec)
			again := scenarios.Run(c, p, seed, scenarios.Options{})
			if len(c.Workload.Calls) == 0 || again.Err != nil || again.Digest != rec.Result.Digest {
				t.Errorf("%s seed %d: %d calls, digest %s, want %s (%v)", p.Name, seed, len(c.Workload.Calls), again.Digest, rec.Result.Digest, again.Err)
			}
			scenarios.Pin(c.Faults) // fewer faults are fewer events, but nothing that clients see
			c.Faults = struck(c.Faults, rec.Result.Faults)
			scenarios.Number(c.Faults)
			fewer := scenarios.Run(c, p, seed, scenarios.Options{})
			if fewer.Operations != rec.Result.Operations || fewer.Latency != rec.Result.Latency || fewer.Leaderless != rec.Result.Leaderless {
				t.Errorf("%s seed %d: with %d of %d faults, %v in %v, want %v in %v", p.Name, seed, len(c.Faults), len(sc.Faults), fewer.Operations, fewer.Latency, rec.Result.Operations, rec.Result.Latency)
			}
		}
	}
}
