package raft_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
)

// A node is a step function: an event goes in, effects come out. Here the election
// timer of one of three nodes fires, and its two peers would vote for it.
func Example() {
	machine, err := protocols.NewMachine("kv")
	if err != nil {
		panic(err)
	}
	node, err := raft.New(protocols.Config{
		ID:         1,
		Cluster:    protocols.Cluster{Replicas: 3},
		Members:    protocols.NodesUpTo(3),
		Parameters: raft.DefaultParameters(),
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
	granted := &raft.PreVoteResponse{Term: 1, VoteGranted: true}
	show("its election timer fires", &protocols.Event{Kind: protocols.Fire})
	show("it would vote for itself", &protocols.Event{Kind: protocols.Receive, From: 1, Message: granted})
	show("so would n2", &protocols.Event{Kind: protocols.Receive, From: 2, Message: granted})
	// Output:
	// its election timer fires
	//   to n2: *raft.PreVote
	//   to n3: *raft.PreVote
	//   to n1: *raft.PreVoteResponse
	// it would vote for itself
	// so would n2
	//   persist &{Term:1 Vote:n1}
	//   to n2: *raft.RequestVote
	//   to n3: *raft.RequestVote
	//   to n1: *raft.RequestVoteResponse
}
