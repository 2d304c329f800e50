package scenarios_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

func countOf(t *testing.T, r *scenarios.Result, id string) uint64 {
	t.Helper()
	for _, c := range r.Reached {
		if c.ID == id {
			return c.Count
		}
	}
	t.Fatalf("%s does not count %s", r.Protocol, id)
	return 0
}

// probing runs scenarios once each, with seed 1 and probes counted.
type probing map[string]*scenarios.Result

func (runs probing) run(t *testing.T, name string, p *protocols.Protocol) *scenarios.Result {
	t.Helper()
	key := name + " " + p.Name
	if runs[key] == nil {
		sc := load(t, name)
		runs[key] = scenarios.Run(sc, p, 1, scenarios.Options{Probes: true})
		if bare := scenarios.Run(sc, p, 1, scenarios.Options{}); bare.Digest != runs[key].Digest || len(bare.Reached) > 0 {
			t.Errorf("%s: probes change the run, or are counted unasked", key)
		}
	}
	return runs[key]
}

// wrong says what is wrong with the probes of protocols: each is to be reached by the
// scenario that it names, and not by a calm run.
func (runs probing) wrong(t *testing.T, list []*protocols.Protocol) (problems []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, probe := range scenarios.Probes(list) {
		if seen[probe.ID] || !strings.Contains(probe.ID, "-") || probe.Text == "" {
			problems = append(problems, probe.ID+": want a text and an id of its own with a hyphen")
		}
		seen[probe.ID] = true
		i := slices.IndexFunc(list, func(p *protocols.Protocol) bool { return p.Name == probe.With })
		if i < 0 {
			if !slices.ContainsFunc(all.List(), func(p *protocols.Protocol) bool { return p.Name == probe.With }) {
				problems = append(problems, probe.ID+" names no protocol")
			}
			continue // a generic one, of a protocol that is not asked about
		}
		if countOf(t, runs.run(t, probe.By, list[i]), probe.ID) == 0 {
			problems = append(problems, probe.ID+" is not reached by "+probe.By)
		}
		if countOf(t, runs.run(t, "steady-state", list[i]), probe.ID) > 0 {
			problems = append(problems, probe.ID+" is reached in a calm run")
		}
	}
	return problems
}

// TestProbes: each probe is reached by the scenario that it names, and not by a calm
// run. Counting changes no run.
func TestProbes(t *testing.T) {
	list := all.List()
	if probes := scenarios.Probes(list); len(probes) < 85 {
		t.Errorf("want at least 85 probes, got %d", len(probes))
	}
	for _, problem := range (probing{}).wrong(t, list) {
		t.Error(problem)
	}
}

// planted counts what can never happen, what always does, and what another scenario
// would reach.
type planted struct{ protocols.Tally }

func (p *planted) Moments() protocols.MomentKind { return protocols.Stepped | protocols.Crashed }
func (p *planted) Observe(m *protocols.Moment) {
	p.When(0, m.Kind == protocols.Stepped && m.Node == protocols.Nobody)
	p.When(1, m.Kind == protocols.Stepped)
	p.When(2, m.Kind == protocols.Crashed)
	p.When(3, m.Kind == protocols.Crashed)
}

// TestProbesAreTested: a probe whose situation cannot occur, one that a calm run
// reaches and one whose scenario does not come to it are found out.
func TestProbesAreTested(t *testing.T) {
	infos := []protocols.ProbeInfo{
		{ID: "raft-impossible", Text: "nobody takes a step", By: "crash", With: "raft"},
		{ID: "raft-ordinary", Text: "a node takes a step", By: "crash", With: "raft"},
		{ID: "raft-elsewhere", Text: "a node crashes", By: "loss", With: "raft"},
		{ID: "raft-reached", Text: "a node crashes", By: "crash", With: "raft"},
	}
	broken := *named(t, "raft")
	broken.Probes = func(protocols.Cluster) protocols.Prober { return &planted{protocols.NewTally(infos)} }
	got := probing{}.wrong(t, []*protocols.Protocol{&broken})
	want := []string{"raft-impossible is not reached by crash", "raft-ordinary is reached in a calm run", "raft-elsewhere is not reached by loss"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDemandedProbe: a scenario can demand a probe; a calm run misses it, one of a
// protocol without it is not asked, and an unknown one is an error.
func TestDemandedProbe(t *testing.T) {
	const text = "name: calm\nfor: 1s\nsometimes: [raft-split-vote]\n"
	sc, _, err := scenarios.Parse("calm.yaml", []byte(text), all.List())
	if err != nil {
		t.Fatal(err)
	}
	if r := scenarios.Run(sc, named(t, "raft"), 1, scenarios.Options{}); r.Code() != scenarios.CodeMissed {
		t.Errorf("got %s", r)
	}
	if r := scenarios.Run(sc, named(t, "vr"), 1, scenarios.Options{}); r.Code() != scenarios.CodeOK {
		t.Errorf("got %s, %v", r, r.Missed())
	}
	_, _, err = scenarios.Parse("calm.yaml", []byte(strings.Replace(text, "split", "spilt", 1)), all.List())
	if err == nil || !strings.Contains(err.Error(), "raft-split-vote") {
		t.Errorf("got %v", err)
	}
}
