package scenarios_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
)

// hunt is one known bug and where it is looked for.
type hunt struct {
	bug      string
	scenario string // a shipped one; "" for drawn plans
	batch    int    // max_batch; 0 leaves the default
	seeds    uint64
	check    string // what must name it
	text     string // what the report must show
}

// The five known bugs that the project promises to find, each by a shipped
// scenario or by a campaign of at most 1,000 drawn plans. R-01 needs a batch of
// one: with larger ones a new leader's no-op travels with the old entries.
var hunts = []hunt{
	{bug: "R-01", batch: 1, seeds: 1000, check: "R-I7", text: "as committed in term"},
	{bug: "R-02", scenario: "leader-crash", seeds: 10, check: "DUR", text: "claims its vote"},
	{bug: "R-11", scenario: "leader-crash", seeds: 10, check: "DUR", text: "claims a log that matches"},
	{bug: "R-44", scenario: "slow-lossy-network", seeds: 10, check: "ONCE", text: "took effect at position"},
	{bug: "R-READ", scenario: "leader-crash", seeds: 100, check: "linearizability", text: "had returned before"},
}

func (h *hunt) jobs(t *testing.T, on bool, seeds uint64) []search.Job {
	t.Helper()
	p := raft.Protocol()
	list := []*protocols.Protocol{p}
	parameters := raft.DefaultParameters()
	if h.batch > 0 {
		parameters.MaxBatch = h.batch
	}
	if on {
		parameters.Bugs = []string{h.bug}
	}
	if h.scenario == "" {
		var jobs []search.Job
		for seed := uint64(1); seed <= seeds; seed++ {
			jobs = append(jobs, search.Job{Scenario: scenarios.Draw(seed, p, parameters), Protocol: p, Seed: seed})
		}
		return jobs
	}
	sc, _, err := scenarios.Load(h.scenario, list)
	if err != nil {
		t.Fatal(err)
	}
	sc.Parameters = []scenarios.Parameters{{Protocol: p.Name, Values: parameters}}
	return search.Jobs([]*scenarios.Scenario{sc}, []*protocols.Protocol{p}, 1, seeds)
}

var errFound = errors.New("found")

// TestKnownBugs demands that each of the five is found, and that the same search
// with the bug off, up to the seed that found it and ten more, finds nothing.
func TestKnownBugs(t *testing.T) {
	for _, h := range hunts {
		t.Run(h.bug, func(t *testing.T) {
			var found *scenarios.Result
			err := search.Run(context.Background(), h.jobs(t, true, h.seeds), 2, func(_ int, r *scenarios.Result) error {
				if r.Verdict != checker.Violation {
					return nil
				}
				found = r
				return errFound
			})
			if found == nil {
				t.Fatalf("not found in %d seeds (%v)", h.seeds, err)
			}
			if found.Check != h.check || !strings.Contains(found.Reason, h.text) || found.Code() != scenarios.CodeViolation {
				t.Errorf("want check %s and %q, got %s", h.check, h.text, found)
			}
			t.Logf("%s", found)
			err = search.Run(context.Background(), h.jobs(t, false, min(h.seeds, found.Seed+10)), 2, func(_ int, r *scenarios.Result) error {
				if r.Verdict != checker.OK {
					t.Errorf("with the bug off: %s", r)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestBugsByBlackBox switches the white-box check that is first to see a bug off:
// the clients' history alone must give it away.
func TestBugsByBlackBox(t *testing.T) {
	h := hunts[3]
	jobs := h.jobs(t, true, 50)
	for i := range jobs {
		jobs[i].Scenario.Checks = []scenarios.Check{{Name: "ONCE", Off: true}}
	}
	seen := map[string]bool{}
	err := search.Run(context.Background(), jobs, 2, func(_ int, r *scenarios.Result) error {
		for _, v := range r.Violations {
			seen[v.Check] = true
		}
		return nil
	})
	if err != nil || !seen[scenarios.CheckLinearizability] || seen["ONCE"] {
		t.Errorf("%s with ONCE off: seen %v (%v)", h.bug, seen, err)
	}
}

// TestLibraryOnRaft runs every shipped scenario: all expectations and probes must
// hold for every seed. The full campaign has 200 seeds.
func TestLibraryOnRaft(t *testing.T) {
	p := raft.Protocol()
	list := []*protocols.Protocol{p}
	all, _, err := scenarios.Resolve(scenarios.Library(), list)
	if err != nil {
		t.Fatal(err)
	}
	seeds := uint64(10)
	if testing.Short() {
		seeds = 3
	}
	runs := 0
	err = search.Run(context.Background(), search.Jobs(all, list, 1, seeds), 2, func(_ int, r *scenarios.Result) error {
		runs++
		if r.Code() != scenarios.CodeOK {
			t.Errorf("%s; missed %v; %s", r, r.Missed(), r.Replay)
		}
		return nil
	})
	if err != nil || runs != len(all)*int(seeds) {
		t.Errorf("%d runs, %v", runs, err)
	}
}

// TestMachinesAndForever runs every deterministic state machine, followers of the
// log included, under faults that only the heal ends.
func TestMachinesAndForever(t *testing.T) {
	p := raft.Protocol()
	list := []*protocols.Protocol{p}
	for _, c := range []struct{ machine, mix string }{
		{"kv", "{get: 20%, put: 20%, append: 20%, cas: 20%, delete: 10%, follow: 10%}"},
		{"register", "{get: 40%, put: 40%, cas: 20%}"},
		{"counter", "{get: 40%, increment: 40%, double: 20%}"},
		{"log", "{append: 50%, read: 40%, follow: 10%}"},
	} {
		t.Run(c.machine, func(t *testing.T) {
			text := "name: x\nreplicas: 5\nmachine: " + c.machine + "\nworkload: {clients: 4, keys: 2, mix: " + c.mix + "}\nfor: 4s\n" + `
faults:
  - {at: 1s, for: forever, partition: {target: leader, direction: in}}
  - {at: 1500ms, for: forever, crash: random}
  - {at: 2s, for: forever, pause: follower}
  - {at: 2500ms, for: forever, delay: {target: n1, latency: 50ms..200ms}}
  - {at: 3s, for: forever, crash: majority}
sometimes: [fault 1 effective, fault 5 effective]
`
			sc, _, err := scenarios.Parse("x.yaml", []byte(text), list)
			if err != nil {
				t.Fatal(err)
			}
			for seed := uint64(1); seed <= 5; seed++ {
				if r := scenarios.Run(sc, p, seed, scenarios.Options{}); r.Code() != scenarios.CodeOK {
					t.Errorf("%s; missed %v", r, r.Missed())
				}
			}
		})
	}
}

// TestStampDiverges: the machine that reads the local wall clock is not
// deterministic, and replicas that execute it must be caught.
func TestStampDiverges(t *testing.T) {
	p := raft.Protocol()
	sc, _, err := scenarios.Parse("x.yaml", []byte("name: x\nmachine: stamp\nclock: {offset: 0s..50ms}\n"), []*protocols.Protocol{p})
	if err != nil {
		t.Fatal(err)
	}
	if r := scenarios.Run(sc, p, 1, scenarios.Options{}); r.Verdict != checker.Violation {
		t.Errorf("got %s", r)
	} else {
		t.Logf("%s", r)
	}
}

// TestLivelock: a leader that can send and not hear keeps its followers quiet for
// good unless it checks its quorum (Jensen, Howard and Mortier, HAOC 2021). Only a
// liveness phase that leaves the rest broken sees it.
func TestLivelock(t *testing.T) {
	p := raft.Protocol()
	sc, _, err := scenarios.Parse("x.yaml", []byte("name: x\nreplicas: 5\nfor: 3s\nfaults: [{at: 1s, for: forever, partition: {target: leader, direction: in}}]\n"), []*protocols.Protocol{p})
	if err != nil {
		t.Fatal(err)
	}
	for _, guarded := range []bool{true, false} {
		parameters := raft.DefaultParameters()
		parameters.PreVote, parameters.CheckQuorum = guarded, guarded
		sc.Parameters = []scenarios.Parameters{{Protocol: p.Name, Values: parameters}}
		stuck := 0
		for seed := uint64(1); seed <= 30; seed++ {
			switch r := scenarios.Run(sc, p, seed, scenarios.Options{}); {
			case r.Verdict == checker.Violation && r.Check == scenarios.CheckLiveness:
				stuck++
			case r.Verdict != checker.OK:
				t.Errorf("%s", r)
			}
		}
		if guarded != (stuck == 0) {
			t.Errorf("pre_vote and check_quorum %t: %d of 30 runs got stuck", guarded, stuck)
		}
	}
}
