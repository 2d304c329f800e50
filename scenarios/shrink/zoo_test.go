package shrink_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
	"github.com/lockstep-sim/lockstep/scenarios/shrink"
)

var errFound = errors.New("found")

// zoo yields, for every known bug of every shipped protocol, the first drawn plans
// that fail with it, at most per of them within the given number of seeds.
func zoo(t *testing.T, seeds uint64, per int, each func(p *protocols.Protocol, bug string, job search.Job)) {
	for _, p := range all.List() {
		for _, bug := range p.Bugs {
			parameters := p.Parameters()
			reflect.ValueOf(parameters).Elem().FieldByName("Bugs").Set(reflect.ValueOf([]string{bug.ID}))
			var jobs []search.Job
			for seed := uint64(1); seed <= seeds; seed++ {
				jobs = append(jobs, search.Job{Scenario: scenarios.Draw(seed, p, parameters), Protocol: p, Seed: seed})
			}
			var found []search.Job
			err := search.Run(context.Background(), jobs, 2, func(i int, r *scenarios.Result) error {
				if r.Verdict == checker.Violation {
					if found = append(found, jobs[i]); len(found) == per {
						return errFound
					}
				}
				return nil
			})
			if err != nil && !errors.Is(err, errFound) {
				t.Fatal(err)
			}
			if len(found) == 0 {
				t.Logf("%-14s %-7s not found in %d drawn plans", p.Name, bug.ID, seeds)
			}
			for _, j := range found {
				each(p, bug.ID, j)
			}
		}
	}
}

// TestZoo measures the search on the failures that drawn plans find: 90 % of them
// must shrink to at most five faults and five client operations, within 200 runs in
// the median. LOCKSTEP_ZOO says how many seeds are drawn for each bug; without it a
// few bugs of one seed each are looked at.
func TestZoo(t *testing.T) {
	seeds, per := uint64(20), 1
	if s := os.Getenv("LOCKSTEP_ZOO"); s != "" {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			t.Fatalf("LOCKSTEP_ZOO=%s: want a number of seeds", s)
		}
		seeds, per = n, 2
	} else if testing.Short() {
		t.Skip("minutes of work")
	}
	var runs []int
	small := 0
	t.Logf("%-14s %-7s %8s  %-16s %6s %6s %6s %5s  %s", "protocol", "bug", "seed", "check", "faults", "calls", "nodes", "runs", "end")
	zoo(t, seeds, per, func(p *protocols.Protocol, bug string, j search.Job) {
		r, err := shrink.Minimise(context.Background(), j.Scenario, p, j.Seed, shrink.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		calls := uint64(len(r.Scenario.Workload.Calls)) // the liveness phase calls more
		if calls == 0 {
			calls = r.After.Operations.Total()
		}
		if len(r.Scenario.Faults) <= 5 && calls <= 5 {
			small++
		} else if os.Getenv("LOCKSTEP_ZOO") != "" {
			t.Logf("%s\n%s", r.After, scenarios.Brief(r.Scenario, all.List(), ""))
		}
		runs = append(runs, r.Runs)
		t.Logf("%-14s %-7s %8d  %-16s %6d %6d %6d %5d  %s", p.Name, bug, j.Seed, r.After.Check, len(r.Scenario.Faults), calls, r.Scenario.Replicas, r.Runs, r.End)
	})
	if len(runs) == 0 {
		t.Fatal("no failure was found")
	}
	slices.Sort(runs)
	median, share := runs[len(runs)/2], small*100/len(runs)
	t.Logf("%d failures, %d%% shrink to 5 faults and 5 operations, median %d runs, most %d", len(runs), share, median, runs[len(runs)-1])
	if share < 90 || median > 200 {
		t.Errorf("want 90%% and a median of at most 200 runs")
	}
}
