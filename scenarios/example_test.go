package scenarios_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// A scenario is text; everything that is wrong with it is said at once.
func ExampleParse() {
	list := []*protocols.Protocol{raft.Protocol()}
	_, _, err := scenarios.Parse("bad.yaml", []byte(`name: bad
replicas: three
faults:
  - {at: 1s, crash: leadr, for: 800}
`), list)
	fmt.Println(err)
	// Output:
	// bad.yaml:2:11: replicas: want a whole number 1..101, got "three"
	//     2 | replicas: three
	//       |           ^^^^^
	// bad.yaml:4:21: faults[1].crash: target "leadr": unknown "leadr"; want names (n1 n3, s1, c1) or one of leader, leaders, former-leader, successor, subject, follower, followers, minority, minority-third, majority, learner, learners, random, all, services, clients, region(NAME), others of …; did you mean "leader"?
	//     4 |   - {at: 1s, crash: leadr, for: 800}
	//       |                     ^^^^^
	// bad.yaml:4:33: faults[1].for: "800" has no unit; write 800ms or 800s
	//     4 |   - {at: 1s, crash: leadr, for: 800}
	//       |                                 ^^^
	// 3 errors
}

// One run: a scenario, a protocol, a seed.
func ExampleRun() {
	p := raft.Protocol()
	sc, _, err := scenarios.Load("leader-cut-off", []*protocols.Protocol{p})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := scenarios.Run(sc, p, 7, scenarios.Options{})
	fmt.Println(r)
	for _, f := range r.Faults {
		fmt.Printf("fault %d: %s of the %s, effective: %t\n", f.ID, f.Kind, f.Target, f.Effective)
	}
	fmt.Println(r.Replay)
	// Output:
	// leader-cut-off raft seed 7: ok
	// fault 1: partition of the leader, effective: true
	// fault 2: partition of the leader, effective: true
	// lockstep run leader-cut-off --protocol raft --seed 7
}

// Set changes one value by its key, for sweeps.
func ExampleSet() {
	list := []*protocols.Protocol{raft.Protocol()}
	sc, _, err := scenarios.Load("steady-state", list)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, value := range []string{"5%", "150%"} {
		if err := scenarios.Set(sc, "network.loss", value, list); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(sc.Network.Between.Loss)
	}
	// Output:
	// 5%
	// network.loss: probability "150%" is outside 0%..100%
	// 1 error
}
