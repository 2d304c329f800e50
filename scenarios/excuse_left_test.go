package scenarios_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// actor is a node of a group in which n3 claims to lead until some time, and n1 and n2
// answer from some time on. n3 answers nobody.
type actor struct {
	id            protocols.NodeID
	now           protocols.Time
	until, answer protocols.Time
}

func (a *actor) Step(ev *protocols.Event, out *protocols.Effects) {
	a.now = ev.Now
	switch {
	case ev.Kind == protocols.Start || ev.Kind == protocols.Fire:
		out.SetTimer(0, 10e6)
	case ev.Kind == protocols.Request && a.id < 3 && a.now >= a.answer:
		out.ReplyEarly(ev.Command, protocols.Result{})
	}
}

func (a *actor) View(v *protocols.View) {
	*v = protocols.View{First: 1, Members: protocols.NodesUpTo(3)}
	v.Leading = a.id == 3 && a.now < a.until
}

// A leader outside the core that leaves before the bound is over excuses what was before,
// and nothing after: the core has its whole bound from then on, once.
func TestALeaderThatHasLeftExcusesNothingAfter(t *testing.T) {
	const begun, settle = 1 * time.Second, 10 * time.Second
	for _, c := range []struct {
		until, answer time.Duration // after the heal
		want          checker.Verdict
		excused       bool
	}{
		{0, 9 * time.Second, checker.OK, false},
		{0, 11 * time.Second, checker.Violation, false},
		{8 * time.Second, 14 * time.Second, checker.OK, false},
		{8 * time.Second, 30 * time.Second, checker.Violation, false},
		{12 * time.Second, 14 * time.Second, checker.OK, true},
		{99 * time.Second, 30 * time.Second, checker.Violation, true}, // excused for the core, not after the heal of all
	} {
		p := &protocols.Protocol{
			Name: "left", Title: "left", EpochWord: "term", Timers: []string{"tick"},
			Messages: []protocols.KindInfo{{Kind: 1, Name: "Never", New: func() any { return new(never) }}},
			New: func(cfg protocols.Config, _ protocols.Recovered) (protocols.Node, error) {
				at := protocols.Time(begun)
				return &actor{id: cfg.ID, until: at.Add(protocols.Duration(c.until)), answer: at.Add(protocols.Duration(c.answer))}, nil
			},
			CanProgress: func(f *protocols.Facts) (bool, string) {
				if f.Live.Has(1) && f.Live.Has(2) {
					return true, ""
				}
				return false, "n1 and n2 are not both there"
			},
		}
		text := fmt.Sprintf("name: x\nfor: %s\nsettle: %s\nworkload: {clients: 1, timeout: 100ms, give_up: 500s}\nchecks: {linearizability: off}\n", begun, settle)
		sc, _, err := scenarios.Parse("x.yaml", []byte(text), []*protocols.Protocol{p})
		if err != nil {
			t.Fatal(err)
		}
		judged := 0
		for seed := uint64(1); seed <= 20; seed++ {
			r := scenarios.Run(sc, p, seed, scenarios.Options{})
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if r.Liveness.Core != "{n1 n2}" {
				continue
			}
			judged++
			if excused := strings.HasPrefix(r.Liveness.Excuse, "n3, outside the core"); r.Verdict != c.want || excused != c.excused {
				t.Errorf("n3 leads for %v, others answer after %v, seed %d: excused %v, %s; want %v, excused %v", c.until, c.answer, seed, excused, r, c.want, c.excused)
			}
		}
		if judged == 0 {
			t.Error("no run had the core n1 n2")
		}
	}
}

// never is a message that nobody sends.
type never struct{}

func (*never) Kind() protocols.Kind { return 1 }

// voter is a node of a group of n1 and n2, whose members are others from some time on. It
// answers until then, and again from some time on.
type voter struct {
	id              protocols.NodeID
	now             protocols.Time
	changes, answer protocols.Time
	members         protocols.NodeSet // from changes on
}

func (v *voter) Step(ev *protocols.Event, out *protocols.Effects) {
	v.now = ev.Now
	switch {
	case ev.Kind == protocols.Start || ev.Kind == protocols.Fire:
		out.SetTimer(0, 10e6)
	case ev.Kind == protocols.Request && v.now >= v.answer:
		out.ReplyEarly(ev.Command, protocols.Result{})
	}
}

func (v *voter) View(view *protocols.View) {
	*view = protocols.View{First: 1, Members: protocols.Nodes(1, 2)}
	if v.now >= v.changes {
		view.Epoch, view.Members = 1, v.members
	}
}

// A change of the members that takes the vote from one of the core, or gives it to
// somebody else, excuses the core, and nothing once all are healed. A core that is enough
// as before is excused by no change.
func TestMembersThatHaveChangedExcuseTheCoreAlone(t *testing.T) {
	const begun, settle = 1 * time.Second, 10 * time.Second
	for _, c := range []struct {
		changes, answer time.Duration // after the heal
		members         protocols.NodeSet
		want            checker.Verdict
		excused         bool
	}{
		{99 * time.Second, 9 * time.Second, protocols.Nodes(1, 3), checker.OK, false},
		{99 * time.Second, 11 * time.Second, protocols.Nodes(1, 3), checker.Violation, false},
		{1 * time.Second, 11 * time.Second, protocols.Nodes(1, 3), checker.OK, true},
		{1 * time.Second, 30 * time.Second, protocols.Nodes(1, 3), checker.Violation, true},
		{1 * time.Second, 11 * time.Second, protocols.Nodes(1), checker.Violation, false},
	} {
		p := &protocols.Protocol{
			Name: "changed", Title: "changed", EpochWord: "term", Timers: []string{"tick"},
			Messages: []protocols.KindInfo{{Kind: 1, Name: "Never", New: func() any { return new(never) }}},
			New: func(cfg protocols.Config, _ protocols.Recovered) (protocols.Node, error) {
				at := protocols.Time(begun)
				return &voter{id: cfg.ID, changes: at.Add(protocols.Duration(c.changes)), answer: at.Add(protocols.Duration(c.answer)), members: c.members}, nil
			},
			CanProgress: func(f *protocols.Facts) (bool, string) {
				for _, v := range f.Views {
					if missing := v.Members.Minus(f.Live); !missing.Empty() {
						return false, missing.String() + " are not there"
					}
				}
				return true, ""
			},
		}
		text := fmt.Sprintf("name: x\nfor: %s\nsettle: %s\nworkload: {clients: 1, timeout: 100ms, give_up: 500s}\nchecks: {linearizability: off}\n", begun, settle)
		sc, _, err := scenarios.Parse("x.yaml", []byte(text), []*protocols.Protocol{p})
		if err != nil {
			t.Fatal(err)
		}
		judged := 0
		for seed := uint64(1); seed <= 20; seed++ {
			r := scenarios.Run(sc, p, seed, scenarios.Options{})
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if r.Liveness.Core != "{n1 n2}" {
				continue
			}
			judged++
			if excused := strings.HasPrefix(r.Liveness.Excuse, "the members have changed since the heal"); r.Verdict != c.want || excused != c.excused {
				t.Errorf("members %s after %v, answers after %v, seed %d: excused %v, %s; want %v, excused %v", c.members, c.changes, c.answer, seed, excused, r, c.want, c.excused)
			}
		}
		if judged == 0 {
			t.Error("no run had the core n1 n2")
		}
	}
}
