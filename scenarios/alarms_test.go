package scenarios_test

import (
	"context"
	"flag"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
)

var alarms = flag.Uint64("scenarios.alarms", 10, "how many drawn plans each protocol must survive without an alarm")

// TestNoFalseAlarms: no correct protocol raises an alarm, whatever plan is drawn for
// it within its model, and every run is decided.
func TestNoFalseAlarms(t *testing.T) {
	for _, p := range all.List() {
		t.Run(p.Name, func(t *testing.T) {
			var jobs []search.Job
			for seed := uint64(1); seed <= *alarms; seed++ {
				jobs = append(jobs, search.Job{Scenario: scenarios.Draw(seed, p, nil), Protocol: p, Seed: seed})
			}
			var verdicts [checker.OutsideModel + 1]int
			err := search.Run(context.Background(), jobs, 2, func(_ int, r *scenarios.Result) error {
				verdicts[r.Verdict]++
				if r.Err != nil {
					return r.Err
				}
				if r.Verdict == checker.Violation || r.Verdict == checker.Inconclusive {
					t.Errorf("%s", r)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for v, n := range verdicts {
				if n > 0 {
					t.Logf("%s: %d of %d drawn plans are %s", p.Name, n, len(jobs), checker.Verdict(v))
				}
			}
		})
	}
}
