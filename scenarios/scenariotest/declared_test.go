package scenariotest_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/scenariotest"
)

// Messages and a record of somebody's first protocol.
type (
	hello   struct{ Number int64 }
	bye     struct{ Number int64 }
	another struct{ Number int64 }
	written struct{ Number int64 }
)

func (*hello) Kind() protocols.Kind   { return 1 }
func (*bye) Kind() protocols.Kind     { return 2 }
func (*another) Kind() protocols.Kind { return 1 }
func (*written) Kind() protocols.Kind { return 1 }

// first is a node whose every step is the same.
type first struct {
	members protocols.NodeSet
	step    func(out *protocols.Effects)
}

func (f *first) Step(_ *protocols.Event, out *protocols.Effects) { f.step(out) }
func (f *first) View(v *protocols.View)                          { *v = protocols.View{Members: f.members, First: 1} }

// firstProtocol declares the message hello and one timer.
func firstProtocol(step func(out *protocols.Effects)) *protocols.Protocol {
	return &protocols.Protocol{
		Name: "mine", Roles: []string{"replica"}, Timers: []string{"again"}, Messages: protocols.Kinds(new(hello)),
		New: func(c protocols.Config, _ protocols.Recovered) (protocols.Node, error) {
			return &first{c.Members, step}, nil
		},
	}
}

func nothing(*protocols.Effects) {}

// TestIncompleteDeclarations: what is missing or impossible is said before anything
// runs, in the words of the declaration.
func TestIncompleteDeclarations(t *testing.T) {
	for want, spoil := range map[string]func(p *protocols.Protocol){
		`protocol "": needs a Name of a-z`:             func(p *protocols.Protocol) { p.Name = "" },
		`protocol "My Protocol": needs a Name of a-z`:  func(p *protocols.Protocol) { p.Name = "My Protocol" },
		`needs New, which boots a node`:                func(p *protocols.Protocol) { p.New = nil },
		`needs Messages, what nodes say to each other`: func(p *protocols.Protocol) { p.Messages = nil },
		`messages hello and another both have kind 1`:  func(p *protocols.Protocol) { p.Messages = protocols.Kinds(new(hello), new(another)) },
		`two messages are called "hello"`: func(p *protocols.Protocol) {
			p.Messages = append(protocols.Kinds(new(bye)), p.Messages...)
			p.Messages[0].Name = "hello"
		},
		`record no. 1, "", has no New: declare it as new(T)`:   func(p *protocols.Protocol) { p.Records = protocols.Kinds(nil) },
		`message hello has kind 64, want 1..63`:                func(p *protocols.Protocol) { p.Messages[0].Kind = protocols.MaxKinds },
		`declares 33 timers, want at most 32`:                  func(p *protocols.Protocol) { p.Timers = make([]string, 33) },
		`Parameters returns <nil>, want a pointer to a struct`: func(p *protocols.Protocol) { p.Parameters = func() any { return nil } },
		`Parameters returns int, want a pointer to a struct`:   func(p *protocols.Protocol) { p.Parameters = func() any { return 7 } },
	} {
		p := firstProtocol(nothing)
		spoil(p)
		r := scenarios.Run(scenarios.New("first"), p, 1, scenarios.Options{})
		if r.Err == nil || !strings.Contains(r.Err.Error(), want) {
			t.Errorf("got %v, want %q in it", r.Err, want)
		}
	}
	var none *protocols.Protocol
	if err := none.Check(); err == nil || err.Error() != "protocol: none given" {
		t.Errorf("no protocol: got %v", err)
	}
	if err := (&protocols.Protocol{Name: "mine"}).Check(); err == nil || strings.Count(err.Error(), "needs") != 2 {
		t.Errorf("want all that is wrong, got %v", err)
	}
	if err := firstProtocol(nothing).Check(); err != nil {
		t.Error(err)
	}
}

// TestBreachesAreNamed: what only shows in a run is a violation that says what was done
// and what was wanted, whatever it is; no mistake of a protocol ends the program.
func TestBreachesAreNamed(t *testing.T) {
	boots := func(n protocols.Node, err error) *protocols.Protocol {
		p := firstProtocol(nothing)
		p.New = func(protocols.Config, protocols.Recovered) (protocols.Node, error) { return n, err }
		return p
	}
	for want, p := range map[string]*protocols.Protocol{
		"boot: n1 does not boot: Protocol.New returned neither a node nor an error": boots(nil, nil),
		"boot: n1 does not boot: no disk":                                           boots(nil, errors.New("no disk")),
		"panic: n1: ouch; ":                                                         firstProtocol(func(*protocols.Effects) { panic("ouch") }),
		"contract: n1 sent a *scenariotest_test.bye of kind 2, which is not among the 1 that Protocol.Messages declares": firstProtocol(func(out *protocols.Effects) {
			protocols.Send(out, 1, bye{})
		}),
		"contract: n1 wrote a *scenariotest_test.written of kind 1, which is not among the 0 that Protocol.Records declares": firstProtocol(func(out *protocols.Effects) {
			protocols.Persist(out, written{})
		}),
		"contract: n1 saved nil as its snapshot":                    firstProtocol(func(out *protocols.Effects) { out.SaveSnapshot(nil) }),
		"contract: n1 used timer 200, and Protocol.Timers declares": firstProtocol(func(out *protocols.Effects) { out.SetTimer(200, 1) }),
		"contract: n1 armed timer 0 for -1ns..-1ns: want 0s or":     firstProtocol(func(out *protocols.Effects) { out.SetTimer(0, -1) }),
		"contract: n1 armed timer 0 for 3ns..1ns: want 0s or":       firstProtocol(func(out *protocols.Effects) { out.SetTimerWithin(0, 3, 1) }),
		"contract: n1 sent a message to nobody, who does not exist": firstProtocol(func(out *protocols.Effects) { protocols.Send(out, 0, hello{}) }),
		"panic: n1: protocols: *scenariotest_test.hello and *scenariotest_test.another share kind 1; ": firstProtocol(func(out *protocols.Effects) {
			protocols.Send(out, 1, hello{})
			protocols.Send(out, 1, another{})
		}),
	} {
		r := scenarios.Run(scenarios.New("first"), p, 1, scenarios.Options{})
		if got := r.Check + ": " + r.Reason; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestUnsteady is the subject of TestNotDeterministic: a protocol whose nodes share a
// variable, so that no run can be repeated.
func TestUnsteady(t *testing.T) {
	if os.Getenv(folderVariable) == "" {
		t.Skip("run by TestNotDeterministic")
	}
	var steps int64
	scenariotest.Check(t, firstProtocol(func(out *protocols.Effects) {
		steps++
		out.SetTimer(0, protocols.Duration(1_000_000+steps))
	}), scenariotest.Folder(t.TempDir()))
}

func TestNotDeterministic(t *testing.T) {
	command := exec.Command(os.Args[0], "-test.run=^TestUnsteady$", "-rapid.nofailfile")
	command.Env = append(os.Environ(), folderVariable+"=-")
	out, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "differ, so the protocol is not deterministic") || strings.Contains(string(out), "made small") {
		t.Errorf("want a word on determinism at once, got %v\n%s", err, out)
	}
}
