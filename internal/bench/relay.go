package main

import (
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// relay is a protocol that does nothing but keep messages under way: each node
// passes on what it receives. What a run of it costs is the engine.
type relay struct {
	id, next protocols.NodeID
	peers    int // number of replicas
	each     int // messages that this node starts with
}

// pass is its one message.
type pass struct{ hops uint64 }

// Kind implements protocols.Message.
func (*pass) Kind() protocols.Kind { return 1 }

// Size implements protocols.Sized.
func (*pass) Size() int { return 8 }

// Step implements protocols.Node.
func (r *relay) Step(ev *protocols.Event, out *protocols.Effects) {
	switch ev.Kind {
	case protocols.Start:
		for range r.each {
			r.send(0, out)
		}
	case protocols.Receive:
		r.send(ev.Message.(*pass).hops+1, out)
	}
}

// send goes to all other nodes in turn.
func (r *relay) send(hops uint64, out *protocols.Effects) {
	r.next++
	if r.next == r.id {
		r.next++
	}
	if int(r.next) > r.peers {
		r.next = 1
		if r.id == 1 {
			r.next = 2
		}
	}
	protocols.Send(out, r.next, pass{hops})
}

// View implements protocols.Node.
func (r *relay) View(v *protocols.View) { *v = protocols.View{First: 1} }

// relayWorld returns a world of five relays with the given number of messages
// under way, 1 to 2^20 ns each, as in the floor.
func relayWorld(pending int) (*sim.World, error) {
	const replicas = 5
	p := &protocols.Protocol{
		Name:     "relay",
		Roles:    []string{"relay"},
		Messages: []protocols.KindInfo{{Kind: 1, Name: "pass", New: func() any { return new(pass) }}},
		New: func(cfg protocols.Config, _ protocols.Recovered) (protocols.Node, error) {
			return &relay{id: cfg.ID, peers: replicas, each: pending / replicas}, nil
		},
	}
	return sim.New(sim.Config{
		Protocol: p, Replicas: replicas, Seed: 1, MaxEvents: 1 << 40,
		Network: sim.Network{Between: sim.Link{Latency: sim.Between(1, 1<<20)}},
		Workload: sim.Workload{
			Clients: 1, Keys: 1, Mix: []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 1}},
			Timeout: 1e9, GiveUp: 1e9, Begin: 1 << 60,
		},
	})
}
