package shrink_test

import (
	"context"
	"fmt"
	"log"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/shrink"
)

// A known bug of Raft, in a plan with more in it than the bug needs.
func ExampleMinimise() {
	p := raft.Protocol()
	text := `
name: votes
parameters: {raft: {bugs: [R-02]}}
faults:
  - {at: 1s, for: 500ms, crash: leader}
  - {at: 3s, for: 500ms, partition: leader}
`
	sc, _, err := scenarios.Parse("votes.yaml", []byte(text), []*protocols.Protocol{p})
	if err != nil {
		log.Fatal(err)
	}
	r, err := shrink.Minimise(context.Background(), sc, p, 1, shrink.Options{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.After.Check, r.End)
	fmt.Println(len(sc.Faults), "faults,", len(r.Scenario.Faults), "needed")
	// Output:
	// DUR 1-minimal
	// 2 faults, 0 needed
}
