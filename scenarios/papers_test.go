package scenarios_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// leaderAt returns who became leader last before a time.
func leaderAt(r *scenarios.Result, at protocols.Time) protocols.NodeID {
	leader := protocols.Nobody
	for i := range r.Trace {
		if e := &r.Trace[i]; e.Kind == sim.TraceNote && e.Note.Kind == protocols.NoteLeader && e.Time < at {
			leader = e.Node
		}
	}
	return leader
}

// TestPartialConnectivity holds which protocols make stable progress in the three
// scenarios of Omni-Paxos (EuroSys 2023, table 1), as observed here: answers come all
// through the ten seconds of the phase, never two seconds apart.
func TestPartialConnectivity(t *testing.T) {
	seeds := uint64(3)
	if testing.Short() {
		seeds = 1
	}
	for _, c := range []struct {
		scenario string
		leader   protocols.NodeID // when the phase begins
		progress map[string]bool
	}{
		{"partial-quorum-loss", 3, map[string]bool{"raft": true, "paxos": true, "vr": false, "primarybackup": true}},
		{"partial-constrained", 3, map[string]bool{"raft": false, "paxos": true, "vr": false, "primarybackup": true}},
		{"partial-chained", 2, map[string]bool{"raft": true, "paxos": true, "vr": true, "primarybackup": true}},
	} {
		sc := load(t, c.scenario)
		for _, p := range all.List() {
			for seed := range seeds {
				r := scenarios.Run(sc, p, seed+1, scenarios.Options{Trace: true})
				if r.Err != nil || len(r.Violations) > 0 || len(r.Phases) != 1 {
					t.Fatalf("%s with %s: %v", sc.Name, p.Name, r)
				}
				phase := r.Phases[0]
				if got := leaderAt(r, protocols.Time(phase.StartNS)); got != c.leader {
					t.Errorf("%s with %s, seed %d: %s leads when the phase begins, want %s", sc.Name, p.Name, seed+1, got, c.leader)
				}
				if got := phase.QuietNS < 2e9; got != c.progress[p.Name] {
					t.Errorf("%s with %s, seed %d: stable progress is %v, want %v: %d answers, none for %s",
						sc.Name, p.Name, seed+1, got, c.progress[p.Name], phase.Answers, sim.FormatDuration(protocols.Duration(phase.QuietNS)))
				}
			}
		}
	}
}

// TestSuccessor: 200 ms after the leader is isolated its successor crashes, as soon
// as there is one, and that is another replica.
func TestSuccessor(t *testing.T) {
	sc := load(t, "leader-then-successor")
	for _, p := range all.List() {
		for seed := range uint64(3) {
			r := scenarios.Run(sc, p, seed+1, scenarios.Options{})
			first, second := r.Faults[0], r.Faults[1]
			if !second.Effective || second.Resolved == first.Resolved || second.StartNS < first.StartNS+200_000_000 || len(r.Missed()) > 0 {
				t.Errorf("%s, seed %d: %+v then %+v", p.Name, seed+1, first, second)
			}
		}
	}
}

// TestFigure7: before n1 has won, the logs are as long as those of the figure, and
// their last entries are of its terms; in the end all are as long as n1's.
func TestFigure7(t *testing.T) {
	r, _ := performed(t, load(t, "raft-figure-7"))
	var shown [][]string
	for _, step := range r.Play {
		if step.Step == "show" {
			shown = append(shown, step.Lines)
		}
	}
	if len(shown) != 2 {
		t.Fatalf("%d looks at the logs", len(shown))
	}
	for i, last := range []int{10, 9, 4, 11, 12, 7, 11} {
		if want := fmt.Sprintf("log 1..%d,", last); !strings.Contains(shown[0][i], want) {
			t.Errorf("%s: want %s", shown[0][i], want)
		}
		if !strings.Contains(shown[1][i], "log 1..11,") {
			t.Errorf("in the end: %s", shown[1][i])
		}
	}
}

// TestShippedKeysAreDocumented: what ships uses only keys that explain, the schema
// and the reference know.
func TestShippedKeysAreDocumented(t *testing.T) {
	known := map[string]bool{}
	for _, k := range scenarios.Keys() {
		known[strings.ReplaceAll(k.Path, "[]", "")] = true
	}
	free := []string{"parameters", "workload.mix", "phases.workload.mix", "checks", "expect", "matrix", "network.regions", "network.matrix"} // keys inside are names of something else
	for _, name := range scenarios.Shipped() {
		text, err := scenarios.LibraryText(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, warnings, err := scenarios.Load(name, all.List()); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %v", name, err, warnings)
		}
		var root yaml.Node
		if err := yaml.Load(text, &root); err != nil {
			t.Fatal(err)
		}
		var walk func(n *yaml.Node, path string)
		walk = func(n *yaml.Node, path string) {
			if slices.Contains(free, path) {
				return
			}
			for i, c := range n.Content {
				switch {
				case n.Kind != yaml.MappingNode:
					walk(c, path)
				case i%2 == 1:
					at := strings.TrimPrefix(path+"."+n.Content[i-1].Value, ".")
					if !known[at] {
						t.Errorf("%s uses %s, which is not documented", name, at)
					}
					if topics, err := scenarios.Explain(at, all.List()); err != nil || len(topics) == 0 {
						t.Errorf("%s uses %s, which explain does not know: %v", name, at, err)
					}
					walk(c, at)
				}
			}
		}
		walk(root.Content[0], "")
	}
}
