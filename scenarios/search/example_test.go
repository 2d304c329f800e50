package search_test

import (
	"context"
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
)

// Results come in the order of the jobs, on however many workers they ran.
func ExampleRun() {
	list := []*protocols.Protocol{raft.Protocol()}
	sc, _, err := scenarios.Load("leader-crash", list)
	if err != nil {
		fmt.Println(err)
		return
	}
	jobs := search.Jobs([]*scenarios.Scenario{sc}, list, 1, 3)
	err = search.Run(context.Background(), jobs, 2, func(_ int, r *scenarios.Result) error {
		fmt.Println("seed", r.Seed, r.Verdict)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// seed 1 ok
	// seed 2 ok
	// seed 3 ok
}
