package protocoltest_test

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
)

// greeter greets everybody, and is not what it should be: what it says depends on how
// often any node of the process has said it.
type greeter struct{ members protocols.NodeSet }

type greeting struct{ Number uint64 }

func (*greeting) Kind() protocols.Kind { return 1 }

var greetings uint64

func (g *greeter) Step(ev *protocols.Event, out *protocols.Effects) {
	if ev.Kind == protocols.Start {
		greetings++
		protocols.SendAll(out, g.members, greeting{greetings})
	}
}

func (g *greeter) View(v *protocols.View) { *v = protocols.View{Members: g.members, First: 1} }

// printer is what a *testing.T is in a test.
type printer struct{}

func (printer) Helper() {}
func (printer) Errorf(format string, args ...any) {
	first, _, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	fmt.Println(first)
}
func (p printer) Fatalf(format string, args ...any) { p.Errorf(format, args...) }

// In a test of your own it is one line: protocoltest.Run(t, mine.Protocol()).
func ExampleRun() {
	p := &protocols.Protocol{
		Name: "greeter", Roles: []string{"greeter"}, Messages: protocols.Kinds(new(greeting)),
		New: func(cfg protocols.Config, _ protocols.Recovered) (protocols.Node, error) {
			return &greeter{cfg.Members}, nil
		},
	}
	protocoltest.Run(printer{}, p)
	// Output:
	// greeter: determinism: equal nodes were given equal events (View was called more often in one world), and they do different things
	// greeter: hand-over: the only difference is that released messages are kept in one world and in mode poison in the other: a message was kept beyond its Step, and they do different things
	// greeter: recovery: no progress: all nodes are up and connected since the faults ended, and for more than 50 timeouts c1 got no answer to cas k1 0->198
}
