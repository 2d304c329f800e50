package shrink_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/shrink"
	"github.com/lockstep-sim/lockstep/sim"
)

// bugs that most drawn plans show.
var common = []struct{ protocol, bug string }{
	{"raft", "R-02"}, {"raft", "R-11"}, {"raft", "R-44"}, {"raft", "R-46"},
	{"paxos", "P-02"}, {"paxos", "P-10"}, {"vr", "V-16"}, {"primarybackup", "B-08"},
}

// failing returns the first failing plan of a common bug from a seed on.
func failing(t *testing.T, which uint8, first uint16) (*scenarios.Scenario, *protocols.Protocol, uint64) {
	pick := common[int(which)%len(common)]
	for _, p := range all.List() {
		if p.Name != pick.protocol {
			continue
		}
		if sc, seed := firstFailing(p, pick.bug, uint64(first), 30); sc != nil {
			return sc, p, seed
		}
	}
	t.Skip("no failure near this seed")
	return nil, nil, 0
}

// firstFailing returns the first of so many plans from a seed on that shows the bug,
// without the checks that are off.
func firstFailing(p *protocols.Protocol, bug string, first, plans uint64, off ...string) (*scenarios.Scenario, uint64) {
	parameters := withBug(p, bug)
	for seed := first; seed < first+plans; seed++ {
		sc := scenarios.Draw(seed, p, parameters)
		for _, check := range off {
			sc.Checks = append(sc.Checks, scenarios.Check{Name: check, Off: true})
		}
		if r := scenarios.Run(sc, p, seed, scenarios.Options{}); r.Verdict == checker.Violation {
			return sc, seed
		}
	}
	return nil, 0
}

// readsAlone is a plan in which Raft answers a read out of date.
func readsAlone(t *testing.T) (*scenarios.Scenario, *protocols.Protocol, uint64) {
	p := all.List()[0]
	sc, seed := firstFailing(p, "R-READ", 1, 500, "R-I12")
	if sc == nil {
		t.Fatal("no plan of 500 shows R-READ")
	}
	return sc, p, seed
}

func withBug(p *protocols.Protocol, bug string) any {
	parameters := p.Parameters()
	reflect.ValueOf(parameters).Elem().FieldByName("Bugs").Set(reflect.ValueOf([]string{bug}))
	return parameters
}

// FuzzMinimise: what comes out fails like what went in, is part of it, is valid, says
// in a file all that it is, and cannot be made smaller by a second search; the number
// of workers changes nothing.
func FuzzMinimise(f *testing.F) {
	for i := range common {
		f.Add(uint8(i), uint16(100*i))
	}
	f.Fuzz(func(t *testing.T, which uint8, first uint16) {
		sc, p, seed := failing(t, which, first)
		before := scenarios.Format(sc)
		list := []*protocols.Protocol{p}
		r, err := shrink.Minimise(context.Background(), sc, p, seed, shrink.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, scenarios.Format(sc)) {
			t.Fatal("the scenario that was given has changed")
		}
		text := scenarios.Brief(r.Scenario, list, "")
		again, _, err := scenarios.Parse("", text, list)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if got := scenarios.Run(again, p, seed, scenarios.Options{}); got.Check != r.Before.Check || got.Verdict != r.Before.Verdict || got.Digest != r.After.Digest {
			t.Fatalf("the file gives %s (digest %s), want check %s, digest %s\n%s", got, got.Digest, r.Before.Check, r.After.Digest, text)
		}
		contained(t, sc, r)
		other, err := shrink.Minimise(context.Background(), sc, p, seed, shrink.Options{Workers: 3})
		if err != nil || other.Runs != r.Runs || !bytes.Equal(scenarios.Format(other.Scenario), scenarios.Format(r.Scenario)) {
			t.Fatalf("three workers find another answer (%v):\n%s\nthan one:\n%s", err, scenarios.Format(other.Scenario), text)
		}
		if r.End != shrink.Minimal {
			return
		}
		second, err := shrink.Minimise(context.Background(), r.Scenario, p, seed, shrink.Options{Workers: 2})
		if err != nil || !bytes.Equal(scenarios.Format(second.Scenario), scenarios.Format(r.Scenario)) {
			t.Fatalf("a second search (%v) finds\n%s\nfrom\n%s", err, scenarios.Brief(second.Scenario, list, ""), text)
		}
	})
}

// contained demands that a result is part of the plan it came from: every fault is one
// of the plan's, of its kind or a simpler one and no longer, every wish of the operator
// and every operation is of a kind that was there.
func contained(t *testing.T, sc *scenarios.Scenario, r *shrink.Result) {
	t.Helper()
	small := r.Scenario
	if len(small.Faults) > len(sc.Faults) || small.Replicas > sc.Replicas || small.For > sc.For || small.Workload.Clients > sc.Workload.Clients ||
		len(small.Admin) > len(sc.Admin) || uint64(len(small.Workload.Calls)) > r.Before.Operations.Total() {
		t.Fatalf("larger than before: %s", r.Sizes())
	}
	if !matched(small.Faults, sc.Faults, map[int]bool{}) {
		t.Fatalf("%v\nare not, each once, of\n%v", small.Faults, sc.Faults)
	}
	for _, s := range small.Admin {
		if !slices.ContainsFunc(sc.Admin, func(was sim.AdminStep) bool { return was.Kind == s.Kind }) {
			t.Fatalf("nobody had wished to %v", s.Kind)
		}
	}
	for _, c := range small.Workload.Calls {
		if !slices.ContainsFunc(sc.Workload.Mix, func(s sim.Share) bool { return s.Op == c.Op && s.Kind == c.Kind }) {
			t.Fatalf("%s was not among the operations", c.Op)
		}
	}
}

// matched reports whether each fault can be one of the plan's that is not taken, of its
// kind or a simpler one and no longer. A fault that draws by its position as well as by
// its number does not tell which it was.
func matched(small, plan []sim.Fault, taken map[int]bool) bool {
	if len(small) == 0 {
		return true
	}
	f := &small[0]
	for i := range plan {
		from := &plan[i]
		if taken[i] || f.Stream != 0 && f.Stream != i+1 || f.Kind != from.Kind && f.Kind != simpler[from.Kind] || f.For > from.For+time.Second { // times are put on a grid
			continue
		}
		taken[i] = true
		if matched(small[1:], plan, taken) {
			return true
		}
		delete(taken, i)
	}
	return false
}

// simpler is the kind that may take the place of a kind.
var simpler = map[protocols.FaultKind]protocols.FaultKind{
	protocols.FaultCrash:   protocols.FaultPause,
	protocols.FaultLoss:    protocols.FaultPartition,
	protocols.FaultReorder: protocols.FaultDelay,
}

// TestContained proves that contained tells a part from what is none.
func TestContained(t *testing.T) {
	const variable = "SHRINK_SPOIL"
	spoils := map[string]func(*scenarios.Scenario){
		"twice":   func(sc *scenarios.Scenario) { sc.Faults = append(sc.Faults, sc.Faults[0]) },
		"foreign": func(sc *scenarios.Scenario) { sc.Faults[0].Stream = 99 },
		"kind":    func(sc *scenarios.Scenario) { sc.Faults[0].Kind = protocols.FaultWipe },
		"longer":  func(sc *scenarios.Scenario) { sc.Faults[0].For *= 3 },
		"wish":    func(sc *scenarios.Scenario) { sc.Admin = []sim.AdminStep{{Kind: protocols.TransferLeadership}} },
		"calls":   func(sc *scenarios.Scenario) { sc.Workload.Calls[0].Op = protocols.Double },
	}
	plan := func() *scenarios.Scenario {
		sc := scenarios.New("plan")
		sc.Faults = []sim.Fault{{ID: 1, Kind: protocols.FaultCrash, For: 1e9}, {ID: 2, Kind: protocols.FaultPause, For: 1e9}}
		sc.Admin = []sim.AdminStep{{Kind: protocols.Reconfigure}}
		sc.Workload.Calls = []sim.Call{{Client: -1, Op: protocols.Get, Kind: protocols.Read}}
		return sc
	}
	result := func(sc *scenarios.Scenario) *shrink.Result {
		return &shrink.Result{Scenario: sc, Before: &scenarios.Result{Operations: scenarios.Operations{OK: 9}}, After: &scenarios.Result{}}
	}
	if spoil := spoils[os.Getenv(variable)]; spoil != nil {
		sc := plan()
		spoil(sc)
		contained(t, plan(), result(sc))
		return
	}
	contained(t, plan(), result(plan()))
	for name := range spoils {
		command := exec.Command(os.Args[0], "-test.run=^TestContained$")
		command.Env = append(os.Environ(), variable+"="+name)
		if out, err := command.CombinedOutput(); err == nil {
			t.Errorf("%s passes:\n%s", name, out)
		}
	}
}

// TestBudget: a spent budget is said, and the answer fails likewise.
func TestBudget(t *testing.T) {
	p := all.List()[0]
	sc, seed := firstFailing(p, "R-11", 1, 100)
	for _, runs := range []int{1, 2, 30} {
		r, err := shrink.Minimise(context.Background(), sc, p, seed, shrink.Options{MaxRuns: runs, Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		again := scenarios.Run(r.Scenario, p, seed, scenarios.Options{})
		if r.End != shrink.Spent || r.Runs != runs || again.Check != r.Before.Check {
			t.Errorf("budget %d: %d runs, %s, then %s", runs, r.Runs, r.End, again)
		}
	}
}

// TestInterrupt: when the context ends, the best so far is kept.
func TestInterrupt(t *testing.T) {
	p := all.List()[0]
	sc, seed := firstFailing(p, "R-11", 1, 100)
	ctx, cancel := context.WithCancel(context.Background())
	steps := 0
	r, err := shrink.Minimise(ctx, sc, p, seed, shrink.Options{Progress: func(shrink.Progress) {
		if steps++; steps == 5 {
			cancel()
		}
	}})
	if err != nil || r.End != shrink.Interrupted || len(r.Scenario.Faults) >= len(sc.Faults) {
		t.Fatalf("%v, %+v", err, r)
	}
	if again := scenarios.Run(r.Scenario, p, seed, scenarios.Options{}); again.Check != r.Before.Check {
		t.Errorf("the best so far: %s", again)
	}
}

// TestNotFailing: a run that is ok cannot be shrunk.
func TestNotFailing(t *testing.T) {
	p := all.List()[0]
	sc := scenarios.New("fine")
	_, err := shrink.Minimise(context.Background(), sc, p, 1, shrink.Options{})
	if no, ok := errors.AsType[*shrink.NotFailing](err); !ok || !strings.Contains(no.Error(), "the verdict is ok") {
		t.Errorf("got %v", err)
	}
	if _, err := shrink.Tell(sc, p, 1, ""); err == nil {
		t.Error("a story of nothing")
	}
	if _, err := shrink.Inevitable(context.Background(), sc, p, 1, 1); err == nil {
		t.Error("the inevitable end of nothing")
	}
}

// TestTell: the story of a small failure names the fault, the leader, the operations
// and the check, in the order of time, and its drawings are whole.
func TestTell(t *testing.T) {
	sc, p, seed := readsAlone(t)
	r, err := shrink.Minimise(context.Background(), sc, p, seed, shrink.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	s, err := shrink.Tell(r.Scenario, p, seed, "a note")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"linearizability is violated at", "what led to it", "believes that it leads", "calls ", "what the nodes believed then", "operations that contradict each other"} {
		if !strings.Contains(s.Text, want) {
			t.Errorf("the story does not say %q:\n%s", want, s.Text)
		}
	}
	if !strings.HasPrefix(string(s.Scenario), "# a note\nname: ") {
		t.Errorf("the scenario begins\n%s", s.Scenario)
	}
	if !strings.HasPrefix(string(s.Mermaid), "sequenceDiagram\n") {
		t.Errorf("the Mermaid diagram:\n%s", s.Mermaid)
	}
	for d := xml.NewDecoder(bytes.NewReader(s.SVG)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the diagram is no XML: %v", err)
		}
	}
	if len(s.SVG) == 0 {
		t.Error("no diagram")
	}
}

// TestInevitable: a bug that needs no luck is inevitable early; one that needs the
// right moment only after that moment, and never after the violation.
func TestInevitable(t *testing.T) {
	late, p, lateSeed := readsAlone(t)
	early, earlySeed := firstFailing(p, "R-02", 1, 100)
	for _, c := range []struct {
		bug  string
		plan *scenarios.Scenario
		seed uint64
	}{{"R-02", early, earlySeed}, {"R-READ", late, lateSeed}} {
		r, err := shrink.Minimise(context.Background(), c.plan, p, c.seed, shrink.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		fate, err := shrink.Inevitable(context.Background(), r.Scenario, p, c.seed, 2)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := shrink.Inevitable(context.Background(), r.Scenario, p, c.seed, 1)
		if err != nil || *alone != *fate {
			t.Errorf("%s: one worker says %+v (%v), two %+v", c.bug, alone, err, fate)
		}
		if fate.Event > r.After.Events || c.bug == "R-READ" && fate.Event == 0 {
			t.Errorf("%s: inevitable after event %d of %d", c.bug, fate.Event, r.After.Events)
		}
		t.Logf("%s: inevitable after event %d of %d: %s", c.bug, fate.Event, r.After.Events, fate.What)
	}
}
