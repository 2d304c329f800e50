package scenarios_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
)

const moving = `name: moving
replicas: 5
members: n1 n2 n3
protocols: [paxos]
parameters: {paxos: {window: 4}}
workload: {clients: 3}
for: 4s
admin:
  - {at: 1s, reconfigure: {add: n4, remove: n2}}
  - {at: 2s, for: 1s, reconfigure: {replace: n1 -> n5}}
  - {at: 3s, reconfigure: {add: n1 n2}}
faults:
  - {at: 1500ms, for: 300ms, crash: leader}
  - {at: 1900ms, for: 500ms, partition: minority}
sometimes: [every admin effective, admin 2 effective]
`

// TestReconfigurations: members move under faults, every step is done and recorded
// with what it came to, and the replicas that are members in the end agree.
func TestReconfigurations(t *testing.T) {
	for _, c := range []struct{ protocol, parameters string }{
		{"paxos", "window: 4"},
		{"vr", "checkpoint_interval: 20"},
		{"vr", "variant: crash-vectors, reads: lease"},
	} {
		t.Run(c.protocol+" "+c.parameters, func(t *testing.T) {
			text := strings.Replace(moving, "[paxos]", "["+c.protocol+"]", 1)
			text = strings.Replace(text, "{paxos: {window: 4}}", "{"+c.protocol+": {"+c.parameters+"}}", 1)
			reconfigure(t, c.protocol, text)
		})
	}
}

func reconfigure(t *testing.T, protocol, text string) {
	sc, _, err := scenarios.Parse("moving.yaml", []byte(text), all.List())
	if err != nil {
		t.Fatal(err)
	}
	for seed := uint64(1); seed <= 20; seed++ {
		r := scenarios.Run(sc, named(t, protocol), seed, scenarios.Options{})
		if r.Verdict != checker.OK || !r.Met {
			t.Errorf("%s: %+v", r, r.Missed())
		}
		if len(r.Admin) != 3 {
			t.Fatalf("got %d steps, want 3", len(r.Admin))
		}
		last := r.Admin[2]
		if last.Kind != "reconfigure" || last.Target != "add n1 n2" || last.State != "over" || !last.Effective ||
			!strings.HasSuffix(last.Resolved, "for n1 n2 n3 n4 n5") || last.StartNS < 3e9 || last.EndNS < last.StartNS {
			t.Errorf("seed %d: %+v", seed, last)
		}
	}
}

// deaf is a node that does not hear its operator.
type deaf struct{ protocols.Node }

func (d deaf) Step(ev *protocols.Event, out *protocols.Effects) {
	if ev.Kind != protocols.AdminEvent {
		d.Node.Step(ev, out)
	}
}

// deafRaft declares leadership transfer and does not do it.
func deafRaft() *protocols.Protocol {
	p := raft.Protocol()
	boot := p.New
	p.New = func(c protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
		n, err := boot(c, disk)
		return deaf{n}, err
	}
	p.Invariants = nil
	return p
}

// TestAdminThatIsNotHeard: a wish is put to the leader again until its interval ends,
// waits while there is none, and says when there was nothing to do.
func TestAdminThatIsNotHeard(t *testing.T) {
	p := deafRaft()
	parse := func(admin, faults string) *scenarios.Scenario {
		text := "name: deaf\nfor: 4s\nadmin: [" + admin + "]\nfaults: [" + faults + "]\n"
		sc, _, err := scenarios.Parse("deaf.yaml", []byte(text), []*protocols.Protocol{p})
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	seen := map[string]bool{}
	for id := 1; id <= 3; id++ {
		sc := parse(fmt.Sprintf("{at: 1s, for: 1s, transfer-leadership: n%d}", id), "")
		a := scenarios.Run(sc, p, 1, scenarios.Options{}).Admin[0]
		if a.Effective || a.State != "over" {
			t.Errorf("%+v", a)
		}
		seen[a.How] = true
	}
	if !seen["asked 10 times, not seen done"] || !seen["nothing was left to do"] || len(seen) != 2 {
		t.Errorf("got %v", seen)
	}
	down := "{at: 900ms, for: forever, crash: all}"
	for admin, want := range map[string]string{
		"{at: 1s, for: 1s, transfer-leadership: n1}": "nobody was asked (missed)",
		"{at: 1s, transfer-leadership: n1}":          "nobody was asked (cancelled)",
	} {
		a := scenarios.Run(parse(admin, down), p, 1, scenarios.Options{}).Admin[0]
		if a.How != want || a.Resolved != "" {
			t.Errorf("%s: %+v", admin, a)
		}
	}
}

// TestMembersJoinLater: who is no member yet boots without members and does not vote.
func TestMembersJoinLater(t *testing.T) {
	text := strings.Replace(moving, "admin:", "x:", 1)
	text = text[:strings.Index(text, "x:")] + "script:\n  - fire n1 election\n  - deliver all\n" +
		"  - expect n1 leader members n1,n2,n3\n  - reconfigure n1 to n1 n2 n3 n4\n  - deliver all\n" +
		"  - request c1 n1 put k1 1\n  - deliver all\n  - expect c1 ok\nthen: heal\n"
	sc, _, err := scenarios.Parse("join.yaml", []byte(text), all.List())
	if err != nil {
		t.Fatal(err)
	}
	if r := scenarios.Run(sc, named(t, "paxos"), 1, scenarios.Options{}); r.Err != nil || r.Verdict != checker.OK {
		t.Errorf("%s %v", r, r.Err)
	}
}
