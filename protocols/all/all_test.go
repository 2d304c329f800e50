package all

import (
	"testing"

	"github.com/lockstep-sim/lockstep/paxos"
	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/vr"
)

func TestEveryProtocolConforms(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range List() {
		if seen[p.Name] {
			t.Errorf("two protocols are called %s", p.Name)
		}
		seen[p.Name] = true
		t.Run(p.Name, func(t *testing.T) { protocoltest.Run(t, p) })
	}
}

// The fuzzer shows the nodes of each protocol what the types of its messages, and of
// clients' and operators' commands, allow, and boots them from the records that this
// made them write.

func FuzzRaftMessages(f *testing.F) { protocoltest.Fuzz(f, raft.Protocol()) }

func FuzzPaxosMessages(f *testing.F) { protocoltest.Fuzz(f, paxos.Protocol()) }

func FuzzVRMessages(f *testing.F) { protocoltest.Fuzz(f, vr.Protocol()) }

func FuzzPrimaryBackupMessages(f *testing.F) { protocoltest.Fuzz(f, primarybackup.Protocol()) }

// TestScenariosKnowTheShippedProtocols: a scenario that names a shipped protocol
// can be read by a program that links none of them.
func TestScenariosKnowTheShippedProtocols(t *testing.T) {
	for _, p := range List() {
		text := "name: x\nprotocols: [" + p.Name + "]\nparameters: {" + p.Name + ": {}}\nfor: 1s\n"
		sc, _, err := scenarios.Parse("x.yaml", []byte(text), nil)
		if err != nil || sc.Runs("mine") {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}
