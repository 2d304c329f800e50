package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// notLinearizable returns a scenario and the result of a run whose clients saw something
// wrong: a leader answers when it has appended, and not when that is committed.
func notLinearizable(t *testing.T, p *protocols.Protocol) (*scenarios.Scenario, *scenarios.Result) {
	t.Helper()
	text := "name: cut-off\nreplicas: 3\nworkload: {clients: 4, keys: 1}\nparameters: {raft: {bugs: [R-46]}}\n" +
		"faults: [{at: 1s, for: 1s, partition: leader}, {at: 2500ms, for: 1s, crash: leader}]\nfor: 4s\nchecks: {R-I7: off, R-I12: off}\n"
	sc, _, err := scenarios.Parse("cut-off.yaml", []byte(text), []*protocols.Protocol{p})
	if err != nil {
		t.Fatal(err)
	}
	for seed := uint64(1); seed < 400; seed++ {
		r := scenarios.Run(sc, p, seed, scenarios.Options{})
		for _, v := range r.Violations {
			if v.Check == scenarios.CheckLinearizability {
				return sc, r
			}
		}
	}
	t.Fatal("no seed fails: make the plan harder")
	return nil, nil
}

// TestRunPicture: a run whose history is not linearizable gets picture.html, with the
// faults that struck and the leaders with their terms beside the operations; equal runs
// get equal bytes; and a run that is right gets none.
func TestRunPicture(t *testing.T) {
	p := raft.Protocol()
	sc, r := notLinearizable(t, p)
	dir := t.TempDir()
	folder, err := OpenRunFolder(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	name := filepath.Join(dir, filepath.FromSlash(RunPath(r)), "picture.html")
	var pages [2][]byte
	for i := range pages {
		if err := folder.Add(sc, p, r); err != nil {
			t.Fatal(err)
		}
		if pages[i], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(pages[0], pages[1]) {
		t.Error("two pictures of one run differ")
	}
	for _, want := range []string{" leads, term ", `"Tag":"faults"`, "put k1", "cut-off, raft, seed"} {
		if !strings.Contains(string(pages[0]), want) {
			t.Errorf("the picture does not hold %q", want)
		}
	}
	fine := *sc
	fine.Parameters = nil
	good := scenarios.Run(&fine, p, r.Seed, scenarios.Options{})
	if good.Verdict != checker.OK {
		t.Fatalf("%v: %s", good.Verdict, good.Reason)
	}
	if err := folder.Add(&fine, p, good); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("the picture of an earlier run is still there: %v", err)
	}
}
