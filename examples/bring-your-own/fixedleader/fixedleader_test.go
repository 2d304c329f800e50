package fixedleader_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/scenariotest"

	"example.com/bring-your-own/fixedleader"
)

// TestConformance: the contract. Equal events give equal effects, a node recovers
// from every prefix of its records, no message makes it panic.
func TestConformance(t *testing.T) {
	protocoltest.Run(t, fixedleader.Protocol())
}

// TestDrawnFaults puts it under random plans. More of them:
//
//	go test ./fixedleader -run DrawnFaults -rapid.checks 10000
func TestDrawnFaults(t *testing.T) {
	scenariotest.Check(t, fixedleader.Protocol(), scenariotest.Command("go run ."))
}

// TestLeaderCrash runs a plan of its own.
func TestLeaderCrash(t *testing.T) {
	scenariotest.CheckScenario(t, fixedleader.Protocol(), "../scenarios/leader-crash.yaml", 50)
}

// TestBrokenOnPurpose: a test bed that finds nothing proves nothing. Each plan
// must catch its bug in most of the seeds.
func TestBrokenOnPurpose(t *testing.T) {
	const seeds = 50
	p := fixedleader.Protocol()
	for file, check := range map[string]string{
		"../scenarios/stale-reads.yaml": scenarios.CheckLinearizability,
		"../scenarios/too-early.yaml":   "SAME", // equal positions hold equal commands
	} {
		scenario, _, err := scenarios.ReadFile(file, []*protocols.Protocol{p})
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for seed := uint64(1); seed <= seeds; seed++ {
			if scenarios.Run(scenario, p, seed, scenarios.Options{}).Check == check {
				found++
			}
		}
		if found < seeds/2 {
			t.Errorf("%s: %s broke in %d of %d runs, want at least half", file, check, found, seeds)
		}
	}
}
