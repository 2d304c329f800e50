package all_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols/all"
)

func ExampleList() {
	for _, p := range all.List() {
		fmt.Printf("%s: %s\n", p.Name, p.Title)
	}
	// Output:
	// raft: Raft
	// paxos: Multi-Paxos
	// vr: Viewstamped Replication
	// primarybackup: Primary-backup
}
