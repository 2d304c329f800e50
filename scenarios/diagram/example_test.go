package diagram_test

import (
	"fmt"
	"os"

	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios/diagram"
	"github.com/lockstep-sim/lockstep/sim"
)

// The first millisecond of a cluster, as text for a Mermaid diagram.
func ExampleExport() {
	w, err := sim.New(sim.Config{Protocol: raft.Protocol(), Replicas: 3, Seed: 1, Trace: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.Run(1_000_000)
	if err := diagram.Export(os.Stdout, diagram.Of(w), "mermaid", "three nodes", diagram.Filter{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// sequenceDiagram
	//     %% three nodes
	//     participant n1
	//     participant n2
	//     participant n3
	//     Note over n1: 0s boots, life 0, 0 records
	//     Note over n2: 0s boots, life 0, 0 records
	//     Note over n3: 0s boots, life 0, 0 records
}
