package vr_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/vr"
)

// A node is a step function: an event goes in, effects come out. Here a backup of
// three hears no primary, and then that the third replica does not either.
func Example() {
	machine, err := protocols.NewMachine("kv")
	if err != nil {
		panic(err)
	}
	node, err := vr.New(protocols.Config{
		ID:         3,
		Cluster:    protocols.Cluster{Replicas: 3},
		Members:    protocols.NodesUpTo(3),
		Parameters: vr.DefaultParameters(),
		Machine:    machine,
	}, protocols.Recovered{First: true})
	if err != nil {
		panic(err)
	}
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	show := func(what string, ev *protocols.Event) {
		out.Reset()
		node.Step(ev, out)
		fmt.Println(what)
		for _, e := range out.List {
			switch {
			case e.Record != nil:
				fmt.Printf("  persist %T%+v\n", e.Record, e.Record)
			case e.Message != nil:
				fmt.Printf("  to %v: %T\n", e.To, e.Message)
			}
		}
	}
	show("it boots", &protocols.Event{Kind: protocols.Start})
	show("its view timer fires", &protocols.Event{Kind: protocols.Fire})
	show("n2 wants view 1, too", &protocols.Event{Kind: protocols.Receive, From: 2, Message: &vr.StartViewChange{View: 1}})
	show("view 1 begins", &protocols.Event{Kind: protocols.Receive, From: 2, Message: &vr.StartView{View: 1}})
	// Output:
	// it boots
	// its view timer fires
	//   persist *vr.ViewState&{View:1 LastNormal:0}
	//   to n1: *vr.StartViewChange
	//   to n2: *vr.StartViewChange
	// n2 wants view 1, too
	//   to n2: *vr.DoViewChange
	// view 1 begins
	//   persist *vr.Install&{View:1 After:0 Entries:[]}
}
