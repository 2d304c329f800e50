package scenarios_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// TestBugScripts: every known bug of every protocol has one shipped script. With the
// bug on, the check that the script names is the first to trip, and it is one that the
// bug's own line promises; with the bug off, the same script is played to its end and
// breaks nothing.
func TestBugScripts(t *testing.T) {
	shown := 0
	for _, p := range all.List() {
		for _, b := range p.Bugs {
			t.Run(b.ID, func(t *testing.T) {
				name, ok := scenarios.BugScript(b.ID)
				if !ok {
					t.Fatalf("no file of scenarios/bugs switches on %s of %s", b.ID, p.Name)
				}
				shown++
				sc := load(t, strings.ToLower(b.ID))
				if len(sc.Protocols) != 1 || sc.Protocols[0] != p.Name || sc.Name != name || !strings.HasPrefix(name, p.Name+"-") || !strings.Contains(sc.Why, b.ID) {
					t.Errorf("%s: want it for %s alone, the protocol in front of its name, and %s in its why", name, p.Name, b.ID)
				}
				trips(t, sc, &b)
				passes(t, sc, "parameters."+p.Name+".bugs", "[]")
			})
		}
	}
	if len(scenarios.BugScripts()) != shown {
		t.Errorf("%d scripts show %d bugs", len(scenarios.BugScripts()), shown)
	}
}

// trips runs a script with its bug.
func trips(t *testing.T, sc *scenarios.Scenario, b *protocols.Bug) {
	t.Helper()
	r, got := performed(t, sc)
	if len(r.Missed()) > 0 || r.Verdict != checker.Violation || r.Code() != scenarios.CodeOK {
		t.Errorf("%s; missed %v", r, r.Missed())
	}
	if !slices.Contains(strings.Split(b.Caught, ", "), r.Check) {
		t.Errorf("%s is caught by %s, which is not among %s", b.ID, r.Check, b.Caught)
	}
	golden(t, got, "bugs", sc.Name)
}

// passes runs a script with another value, that of a correct protocol.
func passes(t *testing.T, sc *scenarios.Scenario, key, value string) {
	t.Helper()
	if err := scenarios.Set(sc, key, value, all.List()); err != nil {
		t.Fatal(err)
	}
	r, text := performed(t, sc)
	if r.Verdict != checker.OK || len(r.Play) != len(sc.Script) {
		t.Errorf("%s: %s: got %s after %d of %d steps\n%s", key, value, r, len(r.Play), len(sc.Script), text)
	}
}

// TestForgottenPromiseInOtherVariants: the variants that do not rest on diskless
// recovery alone are safe under the script that breaks it.
func TestForgottenPromiseInOtherVariants(t *testing.T) {
	for _, variant := range []string{"durable", "crash-vectors"} {
		sc := load(t, "V-04")
		if err := scenarios.Set(sc, "parameters.vr.bugs", "[]", all.List()); err != nil {
			t.Fatal(err)
		}
		passes(t, sc, "parameters.vr.variant", variant)
	}
}

// withoutClass are the classes of which a protocol has no bug, and why.
var withoutClass = map[string]map[protocols.BugClass]string{}

// TestEveryClassOfBug: each protocol has known bugs of each class, or there is a
// reason why it cannot.
func TestEveryClassOfBug(t *testing.T) {
	for _, p := range all.List() {
		if len(p.Bugs) < 10 {
			t.Errorf("%s has %d known bugs", p.Name, len(p.Bugs))
		}
		for _, class := range protocols.BugClasses() {
			has := slices.ContainsFunc(p.Bugs, func(b protocols.Bug) bool { return b.Class == class })
			if why := withoutClass[p.Name][class]; has == (why != "") {
				t.Errorf("%s, class %s: has bugs: %t; reason for none: %q", p.Name, class, has, why)
			}
		}
		for _, b := range p.Bugs {
			if !slices.Contains(protocols.BugClasses(), b.Class) || b.Title == "" || b.Source == "" || b.Caught == "" {
				t.Errorf("%s: want a class, a title, a source and a check: %+v", p.Name, b)
			}
		}
	}
}
