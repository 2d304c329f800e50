package scenarios_test

import (
	"strings"
	"testing"

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

// TestProbes: each probe is reached by the scenario that it names, and not by a calm
// run. Counting changes no run.
func TestProbes(t *testing.T) {
	list := scenarios.Probes(all.List())
	if len(list) < 60 {
		t.Errorf("want at least 60 probes, got %d", len(list))
	}
	runs := map[string]*scenarios.Result{}
	run := func(name, protocol string) *scenarios.Result {
		key := name + " " + protocol
		if runs[key] == nil {
			sc, p := load(t, name), named(t, protocol)
			runs[key] = scenarios.Run(sc, p, 1, scenarios.Options{Probes: true})
			if bare := scenarios.Run(sc, p, 1, scenarios.Options{}); bare.Digest != runs[key].Digest || len(bare.Reached) > 0 {
				t.Errorf("%s: probes change the run, or are counted unasked", key)
			}
		}
		return runs[key]
	}
	seen := map[string]bool{}
	for _, p := range list {
		if seen[p.ID] || !strings.Contains(p.ID, "-") || p.Text == "" {
			t.Errorf("want a text and an id of its own with a hyphen, got %+v", p)
		}
		seen[p.ID] = true
		if countOf(t, run(p.By, p.With), p.ID) == 0 {
			t.Errorf("%s is not reached by %s with %s", p.ID, p.By, p.With)
		}
		if n := countOf(t, run("steady-state", p.With), p.ID); n > 0 {
			t.Errorf("%s is reached %d times in a calm run of %s", p.ID, n, p.With)
		}
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
