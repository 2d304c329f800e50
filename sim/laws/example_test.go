package laws_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/sim/laws"
)

// What Raft says of its costs is true to the nanosecond.
func ExampleCheck() {
	for _, law := range raft.Protocol().Laws() {
		fmt.Printf("%s: %q\n", law.Name, laws.Check(raft.Protocol(), law, 5, laws.Fsync))
	}
	// Output:
	// write: ""
	// write, the leader's disk first: ""
	// read by ReadIndex: ""
	// read under a lease: ""
	// read through the log: ""
}
