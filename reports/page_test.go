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
