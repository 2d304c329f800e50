package primarybackup_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
)

// The costs of operations are those of the analytical model, exactly, in every mode.
func TestLaws(t *testing.T) {
	protocoltest.Laws(t, primarybackup.Protocol(), protocoltest.Replicas(1, 2, 3, 5, 7))
}
