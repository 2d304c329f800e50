package scenarios_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// TestFaultScenarios runs every file of the folder faults that is about the network
// on every protocol. What it
// demands under sometimes shows that the faults bit; without a fault of its own the
// run must be another, and equal to any that has no faults.
func TestFaultScenarios(t *testing.T) {
	list := all.List()
	for _, name := range scenarios.FaultScenarios() {
		sc, warnings, err := scenarios.Load(name, list)
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %v", name, warnings, err)
			continue
		}
		if sc.Name != name || sc.Why == "" || !strings.HasPrefix(name, string(sc.Faults[0].Kind)) {
			t.Errorf("%s: called %q, why %q, first fault %s", name, sc.Name, sc.Why, sc.Faults[0].Kind)
		}
		if slices.Contains(nodeFaults, sc.Faults[0].Kind) {
			continue // TestExamplesOfNodeFaults runs it
		}
		for _, p := range list {
			if sc.Runs(p.Name) {
				faultScenario(t, sc, p)
			}
		}
	}
}

func faultScenario(t *testing.T, sc *scenarios.Scenario, p *protocols.Protocol) {
	t.Helper()
	last := uint64(3)
	if testing.Short() {
		last = 1
	}
	for seed := uint64(1); seed <= last; seed++ {
		r := scenarios.Run(sc, p, seed, scenarios.Options{})
		outside := sc.OutsideModel(p)
		if outside == "" && r.Code() != scenarios.CodeOK {
			t.Errorf("%s %s seed %d: %s; missed %v", sc.Name, p.Name, seed, r, r.Missed())
		}
		if outside != "" && r.Verdict != checker.OutsideModel {
			t.Errorf("%s %s seed %d: %s, want outside-model: %s", sc.Name, p.Name, seed, r, outside)
		}
		for i := range sc.Faults {
			without := *sc
			without.Faults = append(without.Faults[:i:i], sc.Faults[i+1:]...)
			without.Sometimes = nil
			if scenarios.Run(&without, p, seed, scenarios.Options{}).Digest == r.Digest {
				t.Errorf("%s %s seed %d: fault %d changed nothing", sc.Name, p.Name, seed, i+1)
			}
		}
	}
}

// TestNetworkFaultsHaveScenarios demands an example file for each kind of fault of
// the network.
func TestNetworkFaultsHaveScenarios(t *testing.T) {
	names := strings.Join(scenarios.FaultScenarios(), " ") + " "
	for _, kind := range []protocols.FaultKind{
		protocols.FaultPartition, protocols.FaultLoss, protocols.FaultDuplicate, protocols.FaultReorder, protocols.FaultDelay, protocols.FaultClog,
		protocols.FaultSwizzleClog, protocols.FaultBandwidth, protocols.FaultReplay, protocols.FaultCorruptMessage,
	} {
		if !strings.Contains(names, string(kind)+" ") {
			t.Errorf("no scenario %s.yaml in the folder faults", kind)
		}
	}
}
