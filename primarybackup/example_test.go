package primarybackup_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
)

// A node is a step function: an event goes in, effects come out. Here a replica of
// three boots and tells the view service, node 4, that it is there.
func Example() {
	machine, err := protocols.NewMachine("kv")
	if err != nil {
		panic(err)
	}
	node, err := primarybackup.New(protocols.Config{
		ID:         1,
		Cluster:    protocols.Cluster{Replicas: 3, Services: 1},
		Members:    protocols.NodesUpTo(3),
		Parameters: primarybackup.DefaultParameters(),
		Machine:    machine,
	}, protocols.Recovered{First: true})
	if err != nil {
		panic(err)
	}
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	node.Step(&protocols.Event{Kind: protocols.Start, Nonce: 1}, out)
	for _, e := range out.List {
		switch {
		case e.Record != nil:
			fmt.Printf("persist %T\n", e.Record)
		case e.Message != nil:
			fmt.Printf("to %v: %T\n", e.To, e.Message)
		}
	}
	var v protocols.View
	node.View(&v)
	fmt.Println("its role:", primarybackup.Protocol().Roles[v.Role])
	// Output:
	// to n4: *primarybackup.Ping
	// its role: idle
}
