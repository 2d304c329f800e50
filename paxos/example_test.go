package paxos_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/paxos"
	"github.com/lockstep-sim/lockstep/protocols"
)

// A node is a step function: an event goes in, effects come out. Here the election
// timer of one of three nodes fires, and a quorum promises.
func Example() {
	machine, err := protocols.NewMachine("kv")
	if err != nil {
		panic(err)
	}
	node, err := paxos.New(protocols.Config{
		ID:         1,
		Cluster:    protocols.Cluster{Replicas: 3},
		Members:    protocols.NodesUpTo(3),
		Parameters: paxos.DefaultParameters(),
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
				fmt.Printf("  persist %+v\n", e.Record)
			case e.Message != nil:
				fmt.Printf("  to %v: %T\n", e.To, e.Message)
			}
		}
	}
	ballot := paxos.Ballot(1<<8 | 1) // round 1 of n1
	promise := &paxos.Promise{Ballot: ballot}
	write := protocols.Command{Client: -1, Kind: protocols.Write, Op: protocols.Put, Key: 1, Seq: 1, Arg: 7}
	show("its election timer fires", &protocols.Event{Kind: protocols.Fire})
	show("it has promised itself", &protocols.Event{Kind: protocols.Receive, From: 1, Message: promise})
	show("n2 has promised too", &protocols.Event{Kind: protocols.Receive, From: 2, Message: promise})
	show("a client writes", &protocols.Event{Kind: protocols.Request, From: -1, Command: write})
	// Output:
	// its election timer fires
	//   persist &{Ballot:1.n1}
	//   to n1: *paxos.Promise
	//   to n2: *paxos.Prepare
	//   to n3: *paxos.Prepare
	// it has promised itself
	// n2 has promised too
	//   to n2: *paxos.Heartbeat
	//   to n3: *paxos.Heartbeat
	// a client writes
	//   persist &{Pvalue:{Slot:1 Ballot:1.n1 Value:{Command:put k1 7 Members:{}}} Commit:0}
	//   to n2: *paxos.Accept
	//   to n3: *paxos.Accept
	//   to n1: *paxos.Accepted
}
