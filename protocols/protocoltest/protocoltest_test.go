package protocoltest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// capture is a TB that keeps what it is told.
type capture struct{ errors []string }

func (c *capture) Helper() {}
func (c *capture) Errorf(format string, args ...any) {
	c.errors = append(c.errors, fmt.Sprintf(format, args...))
}
func (c *capture) Fatalf(format string, args ...any) { c.Errorf(format, args...) }

func TestTheToyConforms(t *testing.T) {
	for _, machine := range protocols.MachineNames() {
		seeds := 6
		if machine == "kv" {
			seeds = 24
		}
		Run(t, toyProtocol(none), Machine(machine), Seeds(seeds))
	}
}

// TestFlawsAreCaught proves that each check can fail: every flaw must be found by
// the check that is meant for it, with the text that names it.
func TestFlawsAreCaught(t *testing.T) {
	for f, want := range map[flaw]string{
		keepsMessage:         "hand-over: a message was kept beyond its Step",
		mapOrder:             "determinism: equal nodes were given equal events",
		panicsOnOddAck:       "arbitrary: panic: runtime error",
		panicsOnOddRequest:   "arbitrary: panic: no such operation",
		panicsOnOddRecord:    "arbitrary: New panics: no such operation",
		panicsOnUnknownTimer: "arbitrary: panic: unknown timer",
		answersStrangers:     "arbitrary: send: want a message from no node of the cluster to be dropped",
		changesSentSlice:     "hand-over: a message changed after it was sent",
		changesReceivedSlice: "hand-over: the receiver changed a slice in appendTo",
		changesRecord:        "hand-over: a record changed after it was persisted",
		changesAnswer:        "hand-over: an answer changed after it was given",
		sendsWrongSize:       "declared: message wrong-size: wrongSizeAck.Size is 9 bytes, but its content takes 8",
		sendsUndeclared:      "declared: send to n1 undeclared{}: the message is not declared",
		persistsUndeclared:   "declared: persist undeclaredRecord{}: the record is not declared",
		armsUndeclared:       "declared: set-timer 3 1s..1s: the timer is not declared",
		sendsToNobody:        "declared: send to nobody ack{Last:0}: there is no such node",
		answersReplica:       "declared: reply-early n2 noop: nothing, hint nobody: answers somebody who is no client",
		forgetsViewField:     "declared: View does not set LeaseUntil",
		viewChangesNode:      "determinism: equal nodes were given equal events (View was called more often",
		viewPanics:           "declared: View panics: no view",
		viewOutOfRange:       "declared: View: role 2",
		refusesSomePrefix:    "recovery: New refuses",
		refusesTorn:          "recovery: New refuses",
		panicsOnCorrupt:      "recovery: New panics",
		forgetsLog:           "agreement: position ",
		sleepsAfterRestart:   "recovery: no progress",
		sendsEarly:           "agreement: position ",
		hashMissesField:      "fork: two different states have one Hash: it misses matches",
		forkSharesMemory:     "fork: Fork shares memory",
		readsWithGap:         "log: ReadLog gives position 4 where 3 comes next",
		readsTooLittle:       "log: ReadLog ends at position 3",
		readsWithoutLimit:    "log: ReadLog of 2 from position",
		readOverwrites:       "log: ReadLog of 2 from position",
		readsAnotherCommand:  "log: a note says that position 3 held",
		readsAnotherEffect:   "log: replaying the log up to position",
		readingChangesNode:   "log: reading the log changes the node",
		baseElsewhere:        "log: LogBase is at position 1, but View.First is 1",
		baseOfMachine:        "log: LogBase gives a state of type",
		baseOfNow:            "log: LogBase is at position 0, its state at",
		notesNoCommand:       "log: a note says that position 1 held",
		followsFromElsewhere: "log: a follower gets ",

		followsWithSnapshotOfMachine: "log: a follower gets a snapshot of type",
	} {
		t.Run(want, func(t *testing.T) {
			name, text, _ := strings.Cut(want, ": ")
			s, err := newSettings(toyProtocol(f), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, check := range checks {
				if check.name != name {
					continue
				}
				if found := check.run(s); found == nil || !strings.Contains(found.text, text) {
					t.Errorf("the check reports %v, want %q", found, text)
				}
				return
			}
			t.Errorf("there is no check %q", name)
		})
	}
}

// TestRunReports shows what a user of the suite sees.
func TestRunReports(t *testing.T) {
	var c capture
	Run(&c, toyProtocol(sendsToNobody), Replicas(3), Seeds(2))
	if len(c.errors) != 1 { // all checks see it; it is said once
		t.Fatalf("got %d errors, want 1: %s", len(c.errors), strings.Join(c.errors, "\n"))
	}
	for _, want := range []string{"toy: declared: ", "seed 0, 3 replicas, step ", "n1 at fire timer 0"} {
		if !strings.Contains(c.errors[0], want) {
			t.Errorf("the report is %q, want %q in it", c.errors[0], want)
		}
	}
}

// TestPanicsOutsideOfSteps: a panic in the protocol never ends the test program.
func TestPanicsOutsideOfSteps(t *testing.T) {
	var c capture
	Run(&c, toyProtocol(hashPanics), Seeds(1), Steps(20))
	if want := "toy: fork: panic outside of a Step: no hash"; len(c.errors) != 1 || c.errors[0] != want {
		t.Errorf("got %q, want %q", c.errors, want)
	}
}

func TestRunRefusesWhatItCannotRun(t *testing.T) {
	small := toyProtocol(none)
	small.Validate = func(_ any, n int) error {
		if n != 2 {
			return fmt.Errorf("want 2 replicas")
		}
		return nil
	}
	for want, run := range map[string]func(*capture){
		"needs New, which boots a node":     func(c *capture) { Run(c, &protocols.Protocol{Name: "empty"}) },
		"unknown state machine":             func(c *capture) { Run(c, toyProtocol(none), Machine("kvs")) },
		"choose with protocoltest.Replicas": func(c *capture) { Run(c, small) },
		"with 3 replicas: want 2 replicas":  func(c *capture) { Run(c, small, Replicas(2, 3)) },
	} {
		var c capture
		if run(&c); len(c.errors) != 1 || !strings.Contains(c.errors[0], want) {
			t.Errorf("got %q, want %q", c.errors, want)
		}
	}
	var c capture
	if Run(&c, small, Replicas(2), Seeds(2)); c.errors != nil {
		t.Errorf("two replicas: %q", c.errors)
	}
}

func FuzzToy(f *testing.F) { Fuzz(f, toyProtocol(none)) }

// The kinds below are declared wrongly, each in its own way.

type panicsOnNil struct{ K protocols.Kind }

func (m *panicsOnNil) Kind() protocols.Kind { return m.K }

type changing struct{ K protocols.Kind }

func (m *changing) Kind() protocols.Kind {
	if m == nil || m.K == 0 {
		return 7
	}
	return m.K
}

type noKind struct{}

type holdsMap struct{ M map[int]int }

func (*holdsMap) Kind() protocols.Kind { return 7 }
func (m *holdsMap) Size() int          { return 4 }

type restless struct{}

var looks uint64

func (*restless) Kind() protocols.Kind { return 7 }
func (*restless) Digest() uint64       { looks++; return looks }

func TestDeclarationsAreChecked(t *testing.T) {
	kind := func(k protocols.Kind, name string, v func() any) func(*protocols.Protocol) {
		return func(p *protocols.Protocol) {
			p.Messages = append(p.Messages, protocols.KindInfo{Kind: k, Name: name, New: v})
		}
	}
	same := &toyParameters{}
	calls := 0
	for want, change := range map[string]func(*protocols.Protocol){
		"has kind 0, want 1..63":                  kind(0, "zero", func() any { return new(ack) }),
		"has kind 64, want 1..63":                 kind(64, "large", func() any { return new(ack) }),
		"messages ack and twice both have kind 2": kind(2, "twice", func() any { return new(ack) }),
		`two messages are called "ack"`:           kind(3, "ack", func() any { return new(second) }),
		"has no New":                              kind(7, "none", nil),
		"want a pointer to a struct":              kind(7, "value", func() any { return ack{} }),
		"has no Kind":                             kind(7, "noKind", func() any { return new(noKind) }),
		"Kind panics on panicsOnNil":              kind(7, "panics", func() any { return &panicsOnNil{} }),
		"want always 7":                           kind(7, "changing", func() any { return new(changing) }),
		"Kind is 2 for mislabelled":               kind(7, "mislabelled", func() any { return new(mislabelled) }),
		"cannot be taken: protocols: WireSize":    kind(7, "map", func() any { return new(holdsMap) }),
		"Digest differs for equal contents":       kind(7, "restless", func() any { return new(restless) }),
		"two timers are called resend":            func(p *protocols.Protocol) { p.Timers = append(p.Timers, "resend") },
		"33 timers, want at most 32":              func(p *protocols.Protocol) { p.Timers = make([]string, 33) },
		"role 2 has no name":                      func(p *protocols.Protocol) { p.Roles = append(p.Roles, "") },
		"returns the same pointer twice":          func(p *protocols.Protocol) { p.Parameters = func() any { return same } },
		"want a pointer to a struct, got none":    func(p *protocols.Protocol) { p.Parameters = func() any { return toyParameters{} } },
		"returns different defaults": func(p *protocols.Protocol) {
			p.Parameters = func() any { calls++; return &toyParameters{flaw: flaw(1000 + calls)} }
		},
	} {
		want, _, _ = strings.Cut(want, ", got none")
		p := toyProtocol(none)
		change(p)
		var c capture
		if Run(&c, p, Seeds(1), Steps(10)); len(c.errors) == 0 || !strings.Contains(c.errors[0], want) {
			t.Errorf("the suite reports %q, want %q", c.errors, want)
		}
	}
}

type second struct{}

func (*second) Kind() protocols.Kind { return 3 }

type mislabelled struct{ Last int }

func (m *mislabelled) Kind() protocols.Kind { return 2 }
