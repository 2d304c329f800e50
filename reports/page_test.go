package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// TestPageOfAFailingRun: answers before the disk has it give a page with the violation, the logs, the
// messages and the operations before it, and the same bytes again.
func TestPageOfAFailingRun(t *testing.T) {
	list := []*protocols.Protocol{raft.Protocol()}
	text := "name: x\nreplicas: 3\nworkload: {clients: 4, keys: 1}\nearly: [AppendEntriesResponse]\n" +
		"faults: [{at: 1s, for: 300ms, crash: leader}, {at: 1600ms, for: 300ms, crash: all}]\nfor: 4s\n"
	sc, _, err := scenarios.Parse("<script>.yaml", []byte(text), list)
	if err != nil {
		t.Fatal(err)
	}
	var failing *scenarios.Result
	for seed := uint64(1); seed < 400 && failing == nil; seed++ {
		if r := scenarios.Run(sc, list[0], seed, scenarios.Options{}); r.Verdict == checker.Violation {
			failing = r
		}
	}
	if failing == nil {
		t.Fatal("no seed fails: make the plan harder")
	}
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := WritePage(b, sc, list[0], failing); err != nil {
			t.Fatal(err)
		}
	}
	page := first.String()
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two pages of one run differ")
	}
	for _, want := range []string{failing.Check, "class=\"ladder\"", "data:image/svg&#43;xml", "Operations of each client", "The fault plan as it struck", "verdict bad"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("the name of the file became markup")
	}
}

// TestPageOfAWrongHistory: a history is judged at the end of the run, and its page shows
// the time at which it went wrong, with the operations at fault.
func TestPageOfAWrongHistory(t *testing.T) {
	list := []*protocols.Protocol{raft.Protocol()}
	text := "name: x\nreplicas: 5\nparameters: {raft: {check_quorum: false, bugs: [R-READ]}}\nworkload: {clients: 12, keys: 1, mix: {get: 95%, put: 5%}, timeout: 150ms}\n" +
		"faults: [{at: 1s, for: 2s, partition: leader}]\nfor: 6s\nchecks: {R-I12: off}\n"
	sc, _, err := scenarios.Parse("x.yaml", []byte(text), list)
	if err != nil {
		t.Fatal(err)
	}
	r := scenarios.Run(sc, list[0], 1, scenarios.Options{History: true, Trace: true})
	if len(r.Violations) == 0 || r.Violations[0].Check != scenarios.Linearizability {
		t.Fatalf("the verdict is %v, want a history that is not linearizable", r.Verdict)
	}
	s := sceneOf(sc, list[0], r)
	if len(s.guilty) < 2 || s.from < 500_000_000 || s.to > 4_000_000_000 {
		t.Errorf("the window is %v with %d operations at fault", s, len(s.guilty))
	}
	var b bytes.Buffer
	if err := WritePage(&b, sc, list[0], r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "The fewest operations that cannot be put into one order") || strings.Contains(b.String(), "Cut after") {
		t.Error("the page does not show the operations at fault, or cuts them")
	}
}
