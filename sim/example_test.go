package sim_test

import (
	"fmt"
	"os"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// ping is a protocol of two nodes: n1 says hello, n2 says it back.
type ping struct{ id protocols.NodeID }

type hello struct{ Count uint64 }

func (*hello) Kind() protocols.Kind { return 1 }

func (p *ping) Step(ev *protocols.Event, out *protocols.Effects) {
	switch {
	case ev.Kind == protocols.Start && p.id == 1:
		protocols.SendEarly(out, 2, hello{1}) // claims nothing about the disk
	case ev.Kind == protocols.Receive:
		protocols.SendEarly(out, ev.From, hello{ev.Message.(*hello).Count + 1})
	}
}

func (p *ping) View(v *protocols.View) { *v = protocols.View{} }

func Example() {
	protocol := &protocols.Protocol{
		Name:     "ping",
		Messages: []protocols.KindInfo{{Kind: 1, Name: "Hello", New: func() any { return new(hello) }}},
		New: func(c protocols.Config, _ protocols.Recovered) (protocols.Node, error) {
			return &ping{c.ID}, nil
		},
	}
	latency, err := sim.ParseDist("1ms..2ms")
	if err != nil {
		fmt.Println(err)
		return
	}
	victim, err := sim.ParseTarget("n2")
	if err != nil {
		fmt.Println(err)
		return
	}
	w, err := sim.New(sim.Config{
		Protocol: protocol, Replicas: 2, Seed: 1, Trace: true,
		Network: sim.Network{Between: sim.Link{Latency: latency}},
		Faults:  []sim.Fault{{Kind: protocols.FaultPartition, At: 4_000_000, For: sim.Forever, Target: victim}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	stop := w.Run(10_000_000)
	fmt.Println(stop, "after", w.Events(), "events:", w.FaultLog()[0].How())
	if err := w.WriteTrace(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// reached after 7 events: 1 messages cut
	//           time    event    cause  who   what
	//    0.000000000        1        0  n1    boots, life 0, 0 records
	//    0.000000000        2        0  n2    boots, life 0, 0 records
	//    0.001004233        3        1  n2    <- n1 Hello{Count:1}
	//    0.002873750        4        3  n1    <- n2 Hello{Count:2}
	//    0.003995913        5        4  n2    <- n1 Hello{Count:3}
	//    0.004000000        6        0  world fault 1: partition strikes n2
	//    0.005488319        7        5  n1    x- n2 Hello{Count:4} (cut)
}

func ExampleParseDist() {
	d, err := sim.ParseDist("lognormal(1ms, 5ms)")
	fmt.Println(d, err)
	_, err = sim.ParseDist("5ms..1ms")
	fmt.Println(err)
	// Output:
	// lognormal(1ms,5ms) <nil>
	// distribution "5ms..1ms": the minimum 5ms is above the maximum 1ms
}
