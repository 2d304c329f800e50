package register_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/scenarios/scenariotest"

	"example.com/yourprotocol/register"
)

// TestRegister puts the register under drawn faults.
func TestRegister(t *testing.T) {
	scenariotest.Check(t, register.Protocol(), scenariotest.Machine("register"), scenariotest.Command("go run ."))
}

// FuzzRegister is the same for go test -fuzz.
func FuzzRegister(f *testing.F) {
	scenariotest.Fuzz(f, register.Protocol(), scenariotest.Machine("register"), scenariotest.Command("go run ."))
}

// TestConformance: the contract, apart from what the protocol promises.
func TestConformance(t *testing.T) {
	protocoltest.Run(t, register.Protocol(), protocoltest.Machine("register"))
}

// TestOneAfterTheOther: what must hold, and what must have happened, in one plan.
func TestOneAfterTheOther(t *testing.T) {
	scenariotest.CheckScenario(t, register.Protocol(), "../scenarios/one-after-the-other.yaml", 20)
}

// TestForgetful: a test bed that finds nothing proves nothing. This plan breaks the
// register on purpose: its expectation is a violation.
func TestForgetful(t *testing.T) {
	scenariotest.CheckScenario(t, register.Protocol(), "../scenarios/forgetful.yaml", 20)
}
