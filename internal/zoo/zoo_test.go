package main

import (
	"context"
	"os"
	"path/filepath"
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

// TestReasonsAreForBugs: a reason is for a bug that there is.
func TestReasonsAreForBugs(t *testing.T) {
	known := map[string]bool{}
	for _, p := range all.List() {
		for _, b := range p.Bugs {
			known[b.ID] = true
		}
	}
	for id := range reasons {
		if !known[id] {
			t.Errorf("there is no bug %s", id)
		}
	}
}

// TestMeasure: a bug that every other plan shows is found, counted and made small, and
// the same again is the same.
func TestMeasure(t *testing.T) {
	o := &options{runs: 10, shrink: 20, workers: 2, only: []string{"R-11"}}
	var rows []string
	for range 2 {
		found, err := measureAll(context.Background(), o, all.List())
		if err != nil || len(found) != 1 || found[0].found == 0 || found[0].first == 0 || found[0].small == "" || found[0].checks[0].check != "DUR" {
			t.Fatalf("got %+v, %v", found, err)
		}
		rows = append(rows, found[0].row())
	}
	if rows[0] != rows[1] {
		t.Errorf("got\n%s\nand then\n%s", rows[0], rows[1])
	}
}
