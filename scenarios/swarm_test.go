package scenarios_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// TestSwarmPlans: every drawn experiment is valid, within the model, a pure function of
// its seed, and unchanged by Format and Parse.
func TestSwarmPlans(t *testing.T) {
	equate := []cmp.Option{cmp.AllowUnexported(protocols.NodeSet{}, sim.Target{}, sim.Popularity{}, sim.Trigger{}), cmpopts.IgnoreUnexported(scenarios.Scenario{}), cmpopts.EquateEmpty()}
	for _, p := range all.List() {
		list := []*protocols.Protocol{p}
		for seed := range uint64(300) {
			sc := scenarios.Swarm(seed, p, scenarios.Space{})
			if err := scenarios.Validate(sc, list); err != nil {
				t.Fatalf("%s, seed %d: %v\n%s", p.Name, seed, err, scenarios.Format(sc))
			}
			if why := sc.OutsideModel(p); why != "" {
				t.Fatalf("%s, seed %d: %s", p.Name, seed, why)
			}
			if diff := cmp.Diff(sc, scenarios.Swarm(seed, p, scenarios.Space{}), equate...); diff != "" {
				t.Fatalf("%s, seed %d draws two plans:\n%s", p.Name, seed, diff)
			}
			again, warnings, err := scenarios.Parse("", scenarios.Format(sc), list)
			if err != nil || len(warnings) > 0 {
				t.Fatalf("%s, seed %d: %v %v\n%s", p.Name, seed, warnings, err, scenarios.Format(sc))
			}
			if diff := cmp.Diff(sc, again, equate...); diff != "" {
				t.Fatalf("%s, seed %d: Parse(Format(s)) differs:\n%s", p.Name, seed, diff)
			}
		}
	}
}

// TestSwarmHangsOneDiskForGood: a disk that hangs until the heal is at one replica of at
// least three, the one whose disk is damaged.
func TestSwarmHangsOneDiskForGood(t *testing.T) {
	for _, p := range all.List() {
		hung := 0
		for seed := range uint64(2000) {
			sc := scenarios.Swarm(seed, p, scenarios.Space{})
			at := ""
			for i := range sc.Faults {
				f := &sc.Faults[i]
				forGood := f.Kind == protocols.FaultStall && f.For == sim.Forever
				if !forGood && f.Kind != protocols.FaultCorrupt {
					continue
				}
				if target := f.Target.String(); sc.Replicas < 3 || at != "" && at != target {
					t.Errorf("%s, seed %d: disks of %s and %s, of %d replicas", p.Name, seed, at, target, sc.Replicas)
				} else {
					at = target
				}
				if forGood {
					hung++
				}
			}
		}
		if hung == 0 {
			t.Errorf("%s: no disk hangs for good in 2,000 plans", p.Name)
		}
	}
}

// TestSwarmReaches: drawn plans have what rare failures need: an operator's step that
// waits for an event, clocks that differ much, with parameters that allow for it, and a
// fault within two timeouts of another.
func TestSwarmReaches(t *testing.T) {
	p := all.List()[0]
	waiting, drifting, near := 0, 0, 0
	for seed := range uint64(300) {
		sc := scenarios.Swarm(seed, p, scenarios.Space{})
		for i := range sc.Admin {
			if sc.Admin[i].When.Set() {
				waiting++
			}
		}
		if sc.Clock.Drift >= 10_000_000 {
			drifting++
		}
		timeout := protocols.Time(p.MaxTimeout(sc.ParametersOf(p)))
		for i := 1; i < len(sc.Faults); i++ {
			if gap := sc.Faults[i].At - sc.Faults[i-1].At; gap > 0 && gap < 2*timeout {
				near++
				break
			}
		}
	}
	if waiting < 30 || drifting < 30 || near < 60 {
		t.Errorf("of 300 plans: %d steps wait for an event, %d have clocks that differ by a percent or more, %d a fault shortly behind the one before; want 30, 30 and 60", waiting, drifting, near)
	}
}
