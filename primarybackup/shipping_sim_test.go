package primarybackup_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// A full window asks for an acknowledgement under async too: a backup keeps up with a
// write every 20 ms though the window is one entry and a ping 50 ms.
func TestLogicalWindowMovesUnderAsync(t *testing.T) {
	p := primarybackup.DefaultParameters()
	p.Mode, p.Window, p.MaxBatch = primarybackup.ModeAsync, 1, 1
	w, err := sim.New(sim.Config{
		Protocol: primarybackup.Protocol(), Parameters: p, Replicas: 3, Seed: 1,
		Network:  sim.Network{Between: sim.Link{Latency: sim.Exactly(1e6)}, Client: sim.Link{Latency: sim.Exactly(1e6)}},
		Workload: sim.Workload{Clients: 1, Keys: 1, Begin: second, Think: sim.Exactly(18e6), Mix: []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Run(6 * second)
	first, _ := w.View(1)
	for id := protocols.NodeID(2); id <= 3; id++ {
		if v, _ := w.View(id); first.Last < 200 || v.Last+2 < first.Last {
			t.Errorf("%v has %d of %d entries", id, v.Last, first.Last)
		}
	}
}
