package scenarios_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/paxos"
	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
)

// hunt is one known bug and where it is looked for.
type hunt struct {
	protocol string // "" for raft
	bug      string
	scenario string // a shipped one; "" for drawn plans
	set      func(parameters any)
	seeds    uint64
	check    string // what must name it
	text     string // what the report must show
}

// The known bugs that the project promises to find, each by a shipped scenario or
// by a campaign of at most 1,000 drawn plans.
var hunts = []hunt{
	// With larger batches a new leader's no-op travels with the old entries.
	{bug: "R-01", set: func(p any) { p.(*raft.Parameters).MaxBatch = 1 }, seeds: 1000, check: "R-I7", text: "as committed in term"},
	{bug: "R-02", scenario: "leader-crash", seeds: 10, check: "DUR", text: "claims its vote"},
	{bug: "R-11", scenario: "leader-crash", seeds: 10, check: "DUR", text: "claims a log that matches"},
	{bug: "R-04", scenario: "crash-storm", set: func(p any) { p.(*raft.Parameters).PreVote, p.(*raft.Parameters).CheckQuorum = false, false }, seeds: 100, check: "R-I6", text: "after it voted for"},
	{bug: "R-07", scenario: "crash-storm", seeds: 30, check: "R-I4", text: "which was committed in term"},
	{bug: "R-32", scenario: "raft-new-members", set: compacting, seeds: 5, check: "R-I7", text: "as committed in term"},
	{bug: "R-33", scenario: "raft-new-members", set: compacting, seeds: 5, check: "R-I9", text: "but the latest of its log has"},
	{bug: "R-37", scenario: "raft-new-members", set: compacting, seeds: 10, check: "STATE"},
	{bug: "R-38", scenario: "raft-new-members", set: compacting, seeds: 5, check: "R-I9", text: "saves a snapshot"},
	{bug: "R-44", scenario: "slow-lossy-network", seeds: 10, check: "ONCE", text: "took effect at position"},
	{bug: "R-READ", scenario: "leader-crash", seeds: 3, check: "R-I12", text: "may reach up to"},

	{protocol: "paxos", bug: "P-01", scenario: "crash-storm", seeds: 20, check: "PX-I3"},
	{protocol: "paxos", bug: "P-02", scenario: "leader-crash", seeds: 3, check: "DUR"},
	{protocol: "paxos", bug: "P-03", scenario: "leader-crash", seeds: 3, check: "DUR"},
	{protocol: "paxos", bug: "P-05", scenario: "crash-storm", seeds: 30, check: "PX-I3"},
	{protocol: "paxos", bug: "P-07", scenario: "log-subscriber", seeds: 10, check: "PX-I3"},
	{protocol: "paxos", bug: "P-10", scenario: "leader-crash", seeds: 3, check: "PX-I3"},
	{protocol: "paxos", bug: "P-32", scenario: "paxos-replace-every-member", set: func(p any) { p.(*paxos.Parameters).Window, p.(*paxos.Parameters).SnapshotEvery = 8, 40 }, seeds: 40, check: "PX-I3"},
	{protocol: "paxos", bug: "P-11", scenario: "paused-leader-reads", seeds: 10, check: "PX-I1"},

	// V-01, V-02, V-04, V-05 and V-19 need a schedule, and have one in scenarios/bugs.
	{protocol: "vr", bug: "V-07", scenario: "crash-storm", seeds: 3, check: "VR-I12", text: "offers its log"},
	{protocol: "vr", bug: "V-08", scenario: "leader-cut-off", seeds: 3, check: "VR-I12", text: "offers its log"},
	{protocol: "vr", bug: "V-11", scenario: "crash-storm", seeds: 5, check: "SAME"},
	{protocol: "vr", bug: "V-12", scenario: "crash-storm", seeds: 10, check: "VR-I8", text: "after request"},
	{protocol: "vr", bug: "V-14", scenario: "vr-replace-all", seeds: 3, check: "VR-I1"},
	{protocol: "vr", bug: "V-15", scenario: "vr-replace-all", seeds: 20, check: "VR-I1"},
	{protocol: "vr", bug: "V-16", scenario: "leader-crash", seeds: 3, check: "DUR"},

	{protocol: "primarybackup", bug: "B-01", scenario: "leader-cut-off", seeds: 3, check: "PB-I5"},
	{protocol: "primarybackup", bug: "B-02", scenario: "crash-storm", seeds: 10, check: "PB-I3"},
	{protocol: "primarybackup", bug: "B-04", scenario: "leader-crash", seeds: 3, check: "PB-I8", text: "of later rounds none"},
	{protocol: "primarybackup", bug: "B-06", scenario: "leader-cut-off", seeds: 3, check: "STATE"},
	{protocol: "primarybackup", bug: "B-08", scenario: "leader-crash", seeds: 3, check: "PB-I2"},
	{protocol: "primarybackup", bug: "B-09", scenario: "semisync-failover", set: func(p any) { p.(*primarybackup.Parameters).Mode = "semisync" }, seeds: 40, check: "PB-I2"},
	{protocol: "primarybackup", bug: "B-12", scenario: "paused-leader-reads", seeds: 3, check: "SAME"},
}

// compacting makes Raft take snapshots all the time, and send them row by row.
func compacting(p any) {
	r := p.(*raft.Parameters)
	r.SnapshotEvery, r.LogKept, r.ChunkSize = 40, 10, 1
}

// subject returns the protocol and its parameters, with the bug on or off.
func (h *hunt) subject(t *testing.T, on bool) (*protocols.Protocol, any) {
	t.Helper()
	name := h.protocol
	if name == "" {
		name = "raft"
	}
	for _, p := range all.List() {
		if p.Name == name {
			parameters := p.Parameters()
			if h.set != nil {
				h.set(parameters)
			}
			if on {
				reflect.ValueOf(parameters).Elem().FieldByName("Bugs").Set(reflect.ValueOf([]string{h.bug}))
			}
			return p, parameters
		}
	}
	t.Fatalf("no protocol %s", name)
	return nil, nil
}

func (h *hunt) jobs(t *testing.T, on bool, seeds uint64) []search.Job {
	t.Helper()
	p, parameters := h.subject(t, on)
	if h.scenario == "" {
		var jobs []search.Job
		for seed := uint64(1); seed <= seeds; seed++ {
			jobs = append(jobs, search.Job{Scenario: scenarios.Draw(seed, p, parameters), Protocol: p, Seed: seed})
		}
		return jobs
	}
	sc, _, err := scenarios.Load(h.scenario, []*protocols.Protocol{p})
	if err != nil {
		t.Fatal(err)
	}
	sc.Parameters = []scenarios.Parameters{{Protocol: p.Name, Values: parameters}}
	return search.Jobs([]*scenarios.Scenario{sc}, []*protocols.Protocol{p}, 1, seeds)
}

var errFound = errors.New("found")

// TestKnownBugs demands that each is found, and that the same search
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
	h := hunts[slices.IndexFunc(hunts, func(h hunt) bool { return h.bug == "R-44" })]
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

// TestLibraryOnEveryProtocol runs every shipped scenario with every protocol that
// it is meant for: all expectations and probes must hold for every seed. The full
// campaign has 200 seeds.
func TestLibraryOnEveryProtocol(t *testing.T) {
	list := all.List()
	library, _, err := scenarios.Resolve(scenarios.Library(), list)
	if err != nil {
		t.Fatal(err)
	}
	seeds := uint64(5)
	if testing.Short() {
		seeds = 2
	}
	runs, jobs := 0, search.Jobs(library, list, 1, seeds)
	err = search.Run(context.Background(), jobs, 2, func(_ int, r *scenarios.Result) error {
		runs++
		if r.Code() != scenarios.CodeOK {
			t.Errorf("%s; missed %v; %s", r, r.Missed(), r.Replay)
		}
		return nil
	})
	if err != nil || runs != len(jobs) || runs < len(library)*int(seeds) {
		t.Errorf("%d of %d runs, %v", runs, len(jobs), err)
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
