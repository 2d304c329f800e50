package raft_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/raft"
)

// The costs of operations are those of the analytical model, exactly.
func TestLaws(t *testing.T) { protocoltest.Laws(t, raft.Protocol()) }
