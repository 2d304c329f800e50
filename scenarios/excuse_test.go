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

// outcomes runs a scenario with seeds 1..20 and counts the liveness violations, the
// excused runs and the unavailable ones.
func outcomes(t *testing.T, protocol, text string) (violations, excused, unavailable int) {
	t.Helper()
	list := all.List()
	sc, _, err := scenarios.Parse("x.yaml", []byte(text), list)
	if err != nil {
		t.Fatal(err)
	}
	var p *protocols.Protocol
	for _, q := range list {
		if q.Name == protocol {
			p = q
		}
	}
	for seed := uint64(1); seed <= 20; seed++ {
		r := scenarios.Run(sc, p, seed, scenarios.Options{})
		switch {
		case r.Err != nil:
			t.Fatal(r.Err)
		case r.Check == scenarios.CheckLiveness || r.Check == scenarios.CheckConvergence:
			violations++
			if !r.LivenessJudged() {
				t.Errorf("seed %d: a violation of liveness is not judged: %+v", seed, r.Liveness)
			}
		case r.Verdict == checker.Unavailable:
			unavailable++
		case r.Verdict != checker.OK:
			t.Errorf("seed %d: %s", seed, r)
		case r.Liveness.Excuse != "":
			excused++
			if r.LivenessJudged() || !strings.Contains(r.Liveness.Excuse, "outside the core, leads") {
				t.Errorf("seed %d: %+v", seed, r.Liveness)
			}
		}
	}
	return violations, excused, unavailable
}

const ruled = "name: x\nreplicas: 5\nfor: 3s\nfaults:\n- {at: 1s, for: forever, partition: {target: leader, %s}}\n"

// A leader outside the core that goes on leading a majority is excused; one that
// nobody but itself can hear, and which keeps the core from electing another, is what
// CheckQuorum is there to end: without it the cluster is stuck, by a bug and by no
// excuse.
func TestOnlyALeaderThatCanLeadExcuses(t *testing.T) {
	deaf := strings.Replace(ruled, "%s", "direction: in", 1)
	stuck, excused, unavailable := outcomes(t, "raft", deaf+"parameters: {raft: {check_quorum: false}}\n")
	if stuck == 0 || excused > 0 || unavailable > 0 {
		t.Errorf("a deaf leader that never steps down: %d violations, %d excused, %d unavailable", stuck, excused, unavailable)
	}
	if stuck, _, unavailable = outcomes(t, "raft", deaf); stuck+unavailable > 0 {
		t.Errorf("with CheckQuorum: %d violations, %d unavailable", stuck, unavailable)
	}
	// Cut off from one follower and from the clients alone, the leader leads on.
	apart := "name: x\nreplicas: 5\nfor: 3s\nfaults:\n- {at: 1s, for: forever, partition: {target: leader, from: follower clients}}\n"
	if stuck, excused, unavailable = outcomes(t, "raft", apart); excused == 0 || stuck+unavailable > 0 {
		t.Errorf("a leader that clients cannot reach: %d violations, %d excused, %d unavailable", stuck, excused, unavailable)
	}
}

// A disk that is refused for good may leave too few replicas, which is a reason. It is
// none where enough are left: an Accept that is lost and never sent again is a bug.
func TestARefusedDiskExcusesNoOtherBug(t *testing.T) {
	text := "name: x\nreplicas: 5\nfor: 3s\nnetwork: {loss: 20%}\nfaults:\n- {at: 1500ms, for: 100ms, bit-rot: n3}\n- {at: 1550ms, for: 100ms, crash: n3}\n"
	stuck, _, unavailable := outcomes(t, "paxos", text+"parameters: {paxos: {bugs: [P-31]}}\n")
	if stuck == 0 || unavailable > 0 {
		t.Errorf("lost Accepts are not sent again: %d violations, %d unavailable", stuck, unavailable)
	}
	if stuck, _, unavailable = outcomes(t, "paxos", text); stuck+unavailable > 0 {
		t.Errorf("without the bug: %d violations, %d unavailable", stuck, unavailable)
	}
}

// A view service waits for a primary whose disk is stuck. The disk of a backup, or of a
// primary that the service does not hear, is no reason not to go on.
func TestOnlyThePrimarysStuckDiskIsAReason(t *testing.T) {
	list := all.List()
	p := list[slices.IndexFunc(list, func(p *protocols.Protocol) bool { return p.Name == "primarybackup" })]
	nodes := protocols.NodesUpTo(4)
	facts := &protocols.Facts{
		Cluster: protocols.Cluster{Replicas: 3, Services: 1}, Parameters: p.Parameters(), Live: nodes,
		Hears: []protocols.NodeSet{{}, nodes, nodes, nodes, nodes}, Views: make([]protocols.View, 5),
	}
	facts.Views[4] = protocols.View{Role: uint8(slices.Index(p.Roles, "view service")), Leader: 1, Epoch: 2, Members: protocols.NodesUpTo(3)}
	for _, c := range []struct {
		stalled protocols.NodeID
		deaf    bool // the primary does not hear the service
		can     bool
	}{{1, false, false}, {2, false, true}, {1, true, true}} {
		facts.Stalled, facts.Hears[1] = protocols.Nodes(c.stalled), nodes
		if c.deaf {
			facts.Hears[1] = nodes.Without(4)
		}
		if can, why := p.CanProgress(facts); can != c.can {
			t.Errorf("%v stalled, deaf %v: can progress is %v: %s", c.stalled, c.deaf, can, why)
		}
	}
}

// TestGaps: each reason is given to what was built to have it, and looking changes
// nothing.
func TestGaps(t *testing.T) {
	for _, c := range []struct {
		text string
		want scenarios.GapReason
	}{
		{"faults: [{at: 1s, for: 2s, crash: majority}]\n", scenarios.GapNoQuorum},
		{"faults: [{at: 1s, for: 2s, fsync-stall: all}]\n", scenarios.GapDiskStall},
		{"network: {latency: 80ms}\nfaults: [{at: 2s, for: 2s, crash: leader}]\nparameters: {raft: {election_timeout: 500ms..600ms}}\n", scenarios.GapElection},
		{"faults: [{at: 1s, for: 2s, delay: {target: all, latency: 2s..3s}}]\nparameters: {raft: {pre_vote: false, check_quorum: false}}\n", scenarios.GapSplitVote},
		{"network: {latency: 1ms}\nfaults: [{at: 1s, for: 2s, loss: {target: clients, probability: 100%}}]\n", scenarios.GapOverload},
	} {
		sc, _, err := scenarios.Parse("x.yaml", []byte("name: x\nfor: 4s\n"+c.text), all.List())
		if err != nil {
			t.Fatal(err)
		}
		found := map[scenarios.GapReason]int{}
		for seed := uint64(1); seed <= 10; seed++ {
			r := scenarios.Run(sc, all.List()[0], seed, scenarios.Options{})
			for i, g := range r.Gaps {
				found[g.Reason]++
				if g.FromNS >= g.ToNS || i > 0 && g.FromNS < r.Gaps[i-1].ToNS {
					t.Errorf("%s, seed %d: gaps out of order: %+v", c.want, seed, r.Gaps)
				}
			}
		}
		if found[c.want] < 5 {
			t.Errorf("want %s at least in half of the runs, got %v", c.want, found)
		}
	}
}

// TestHintsOutOfTheCore: a client that a stale replica sends outside the healed core, to
// one that does not answer, goes on to all of the core.
func TestHintsOutOfTheCore(t *testing.T) {
	violations, excused, unavailable := outcomes(t, "vr", `
name: hints-out-of-the-core
protocols: [vr]
members: n1
workload: {clients: 2, keys: 1, calls: [{at: 5s, client: c2, call: put k1}]}
faults:
  - {at: 10s, for: forever, partition: {target: n2, clients: split}}
admin:
  - {at: 7s, for: 8s, reconfigure: {add: n3, remove: n1}}
  - {at: 8s, for: 3s, reconfigure: {add: n2, remove: n3}}
for: 19s
`)
	if violations != 0 || excused+unavailable > 10 {
		t.Errorf("%d violations of liveness, %d excused, %d unavailable; want none in most of 20 runs", violations, excused, unavailable)
	}
}
