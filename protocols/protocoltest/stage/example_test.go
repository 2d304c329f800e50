package stage_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest/stage"
)

// A write is answered once it is on the disks of a majority, and not before. In a test,
// t takes the place of the example's own TB.
func Example() {
	t := new(record)
	s := stage.New[*toy](t, toyProtocol(), &toyParameters{Claims: true}, protocols.Cluster{Replicas: 3})
	s.Request(1, stage.Put(-1, 1, 7))
	s.Deliver(stage.Between(1))
	fmt.Println("on one disk:", len(s.Replies), "answers")

	s.ManualSync = true
	s.Settle(stage.Between(1, 2))
	fmt.Println("received by a majority:", len(s.Replies), "answers")

	s.Sync(2)
	s.Settle(stage.Between(1, 2))
	fmt.Println("on the disks of a majority:", len(s.Replies), "answers")

	s.Clean()
	fmt.Println("broken checks:", len(t.failures))
	// Output:
	// on one disk: 0 answers
	// received by a majority: 0 answers
	// on the disks of a majority: 1 answers
	// broken checks: 0
}
