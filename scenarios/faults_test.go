package scenarios_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// TestFaultExamples: every kind of fault has examples in the folder faults, one with
// its own name, that run with every protocol. Where the protocol claims to survive the
// plan a run is ok, and else labelled with the reason. The example demands that the
// fault was effective, and misses that where the fault never strikes. Without any one
// of its faults the run is another.
func TestFaultExamples(t *testing.T) {
	list := all.List()
	seen := map[string]bool{}
	for _, info := range sim.FaultKinds() {
		examples := examplesOf(info.Kind)
		if !slices.Contains(examples, string(info.Kind)) {
			t.Errorf("no scenario %s.yaml in the folder faults", info.Kind)
		}
		for _, name := range examples {
			seen[name] = true
			sc := load(t, name)
			if sc.Name != name || sc.Why == "" || len(sc.Protocols) > 0 || sc.Faults[0].Kind != info.Kind {
				t.Errorf("%s: called %q, why %q, for %v, first fault %s", name, sc.Name, sc.Why, sc.Protocols, sc.Faults[0].Kind)
			}
			for _, p := range list {
				t.Run(name+"/"+p.Name, func(t *testing.T) { faultExample(t, sc, p) })
			}
		}
	}
	for _, name := range scenarios.FaultScenarios() {
		if !seen[name] {
			t.Errorf("%s is no example of a kind of fault", name)
		}
	}
}

// examplesOf names the scenarios of the folder faults that show a kind: the longest
// kind that a name begins with is the one it shows.
func examplesOf(kind protocols.FaultKind) (names []string) {
	for _, name := range scenarios.FaultScenarios() {
		longest := protocols.FaultKind("")
		for _, info := range sim.FaultKinds() {
			fits := name == string(info.Kind) || strings.HasPrefix(name, string(info.Kind)+"-")
			if fits && len(info.Kind) > len(longest) {
				longest = info.Kind
			}
		}
		if longest == kind {
			names = append(names, name)
		}
	}
	return names
}

func faultExample(t *testing.T, sc *scenarios.Scenario, p *protocols.Protocol) {
	last := uint64(4)
	if testing.Short() {
		last = 1
	}
	outside := sc.OutsideModel(p)
	for seed := uint64(1); seed <= last; seed++ {
		r := scenarios.Run(sc, p, seed, scenarios.Options{})
		switch {
		case r.Code() != scenarios.CodeOK || !r.Met:
			t.Errorf("%s; missed %v", r, r.Missed())
		case outside == "" && r.Verdict != checker.OK:
			t.Errorf("%s, want ok", r)
		case outside != "" && (r.Verdict != checker.OutsideModel || !strings.Contains(outside, p.Name+" survives ") && !strings.Contains(outside, p.Name+" does not claim to survive ")):
			t.Errorf("%s, want outside-model and why: %q", r, outside)
		}
		for i := range sc.Faults {
			without := scenarios.WithoutFaults(sc, i+1)
			without.Sometimes = nil
			if scenarios.Run(without, p, seed, scenarios.Options{}).Digest == r.Digest {
				t.Errorf("%s: without fault %d the run is the same", r, i+1)
			}
		}
	}
	idle := *sc
	idle.Faults = slices.Clone(sc.Faults)
	never, err := sim.ParseTrigger("operation 1000000")
	if err != nil {
		t.Fatal(err)
	}
	idle.Faults[0].When = never
	if r := scenarios.Run(&idle, p, 1, scenarios.Options{}); r.Err != nil || r.Met || r.Faults[0].Effective {
		t.Errorf("the first fault never strikes, and no probe tells: %s, %+v", r, r.Faults[0])
	}
}
