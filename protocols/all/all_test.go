package all

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/raft"
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

func FuzzRaftMessages(f *testing.F) { protocoltest.Fuzz(f, raft.Protocol()) }
