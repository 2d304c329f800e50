package scenariotest_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios/scenariotest"
)

// One line puts a protocol on trial.
func ExampleCheck() {
	_ = func(t *testing.T) { scenariotest.Check(t, raft.Protocol()) }
	// Output:
}
