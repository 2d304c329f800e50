package main

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// TestEveryCheckIsTripped: each check of every protocol is broken by the script of a
// known bug, or else by a test that plants a violation.
func TestEveryCheckIsTripped(t *testing.T) {
	list := all.List()
	broken := map[string]bool{}
	for _, p := range list {
		for _, b := range p.Bugs {
			sc, _, err := scenarios.Load(b.ID, list)
			if err != nil {
				t.Fatal(err)
			}
			for _, check := range tripped(sc, p) {
				broken[check] = true
			}
		}
	}
	for _, c := range scenarios.Checks(list, 3) {
		if sources[c.ID] == "" {
			t.Errorf("%s: want where its rule is from", c.ID)
		}
		if _, elsewhere := planted[c.ID]; broken[c.ID] == elsewhere {
			t.Errorf("%s: broken by a script: %t, by a test: %q", c.ID, broken[c.ID], planted[c.ID])
		}
	}
	for check, test := range planted {
		if folder, name, _ := strings.Cut(test, " "); !declares(t, "../../"+folder, name) {
			t.Errorf("%s: %s has no %s", check, folder, name)
		}
	}
	if known := len(scenarios.Checks(list, 3)); len(sources) != known {
		t.Errorf("%d sources for %d checks", len(sources), known)
	}
}

// declares reports whether a test file of a folder has a function of that name.
func declares(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(folder + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(") {
			return true
		}
	}
	return false
}

// TestMeasure: a bug that every other plan shows is found, counted and made small, the
// same again is the same, and what was measured is kept. Few events end the runs early.
func TestMeasure(t *testing.T) {
	o := &options{runs: 10, events: 1 << 40, shrink: 20, workers: 2, only: []string{"R-11"}, data: filepath.Join(t.TempDir(), "bugs.json")}
	kept := records{"R-00": {Runs: 1}}
	if err := measureAll(context.Background(), o, all.List(), kept); err != nil {
		t.Fatal(err)
	}
	first := kept["R-11"]
	if len(kept) != 1 || first.Runs != 10 || first.Found == 0 || first.First == 0 || first.Small == nil || first.Checks[0].Check != "DUR" {
		t.Fatalf("got %+v", first)
	}
	again, err := load(o.data)
	if err != nil {
		t.Fatal(err)
	}
	if err := measureAll(context.Background(), o, all.List(), again); err != nil || !reflect.DeepEqual(again, kept) {
		t.Errorf("got %+v and then %+v, %v", first, again["R-11"], err)
	}
	o.events = 1
	if err := measureAll(context.Background(), o, all.List(), kept); err != nil || kept["R-11"].Runs != 1 {
		t.Errorf("got %+v, %v; want one run", kept["R-11"], err)
	}
}

// TestFurther: where the runs that are counted find nothing, more are run until one does.
func TestFurther(t *testing.T) {
	o := &options{runs: 1, further: 200, events: 1 << 40, workers: 2, only: []string{"R-03"}}
	kept := records{}
	if err := measureAll(context.Background(), o, all.List(), kept); err != nil {
		t.Fatal(err)
	}
	if m := kept["R-03"]; m.Runs != 1 || m.Found != 0 || m.First <= 1 || m.First != m.Searched || len(m.Checks) != 1 {
		t.Errorf("got %+v; want a find behind the first run", m)
	}
}

// TestKept: the data that the repository has is of the bugs that there are, and the
// bugs that no run found have a reason.
func TestKept(t *testing.T) {
	kept, err := load("../../docs/bugs.json")
	if err != nil {
		t.Fatal(err)
	}
	bugs, err := bugsOf(all.List(), kept)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, b := range bugs {
		if b.First > 0 {
			found++
		}
		if (b.First == 0) != (reasons[b.ID] != "") {
			t.Errorf("%s: found: %t; reason why not: %q", b.ID, b.First > 0, reasons[b.ID])
		}
	}
	if len(kept) != len(bugs) || 100*found < 85*len(bugs) {
		t.Errorf("%d of %d bugs found, data of %d; want 85 %%", found, len(bugs), len(kept))
	}
}
