package scenariotest_test

import (
	"flag"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/scenariotest"
)

// passes runs a test as go test would, since an example has none, and says nothing else.
func passes(test func(t *testing.T)) bool {
	verbose := flag.Lookup("test.v").Value
	before := verbose.String()
	_ = verbose.Set("false")
	defer func() { _ = verbose.Set(before) }()
	every := func(string, string) (bool, error) { return true, nil }
	return testing.RunTests(every, []testing.InternalTest{{Name: "TestMine", F: test}})
}

// One line puts a protocol on trial.
func ExampleCheck() {
	fmt.Println(passes(func(t *testing.T) {
		scenariotest.Check(t, raft.Protocol())
	}))
	// Output: true
}

// A shape of one's own in place of drawn plans, for a counter, of which an observer that
// comes with each run sees every step.
func ExampleGenerate() {
	fmt.Println(passes(func(t *testing.T) {
		scenariotest.Check(t, raft.Protocol(),
			scenariotest.Machine("counter"),
			scenariotest.Generate(func(t *rapid.T) *scenarios.Scenario {
				sc := scenarios.New("mine")
				sc.Replicas = rapid.SampledFrom([]int{1, 3}).Draw(t, "replicas")
				sc.For = 500_000_000
				return sc
			}))
	}))
	// Output: true
}

// Keys of drawn plans can have a value of one's own.
func ExampleSet() {
	fmt.Println(passes(func(t *testing.T) {
		scenariotest.Check(t, raft.Protocol(), scenariotest.Machine("register"), scenariotest.Set("workload.mix={get: 90%, put: 10%}", "workload.clients=2"))
	}))
	// Output: true
}

// A scenario file, or a shipped scenario, with several seeds.
func ExampleCheckScenario() {
	fmt.Println(passes(func(t *testing.T) {
		scenariotest.CheckScenario(t, raft.Protocol(), "leader-crash", 2)
	}))
	// Output: true
}
