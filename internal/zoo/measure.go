package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
	"github.com/lockstep-sim/lockstep/scenarios/shrink"
)

type options struct {
	runs    uint64
	shrink  int
	workers int
	only    []string // ids of bugs; empty: all
}

// measured is what the runs of one bug showed.
type measured struct {
	protocol *protocols.Protocol
	bug      protocols.Bug
	script   *scenarios.Scenario
	tripped  []string // checks that broke in the script, the first one first
	found    uint64   // runs that broke a check
	first    uint64   // the first of them, 1 for the first seed; 0: none
	checks   []tally  // which check was the first to break, the most frequent first
	small    string   // what the first failure shrank to
}

// tally counts runs by check.
type tally struct {
	check string
	runs  int
}

// measureAll measures the bugs of all protocols in order.
func measureAll(ctx context.Context, o *options, list []*protocols.Protocol) ([]*measured, error) {
	var found []*measured
	for _, p := range list {
		for _, b := range p.Bugs {
			if len(o.only) > 0 && !slices.Contains(o.only, b.ID) {
				continue
			}
			m, err := measure(ctx, o, p, b, list)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", b.ID, p.Name, err)
			}
			fmt.Fprintf(os.Stderr, "%s: %d of %d runs\n", b.ID, m.found, o.runs)
			found = append(found, m)
		}
	}
	return found, nil
}

// mostEvents bounds a run: some bugs are duels that go on for ever, and a run that spends
// it after the heal breaks liveness.
const mostEvents = 500_000

// measure runs the script of a bug, then drawn plans with the parameters of the script,
// since some bugs are in what is off by default.
func measure(ctx context.Context, o *options, p *protocols.Protocol, b protocols.Bug, list []*protocols.Protocol) (*measured, error) {
	sc, _, err := scenarios.Load(b.ID, list)
	if err != nil {
		return nil, err
	}
	m := &measured{protocol: p, bug: b, script: sc}
	m.tripped = tripped(sc, p)
	space := scenarios.Space{Base: base(sc, p)}
	jobs := make([]search.Job, o.runs)
	for i := range jobs {
		seed := uint64(i) + 1
		plan := scenarios.Swarm(seed, p, space)
		plan.Events = mostEvents
		jobs[i] = search.Job{Scenario: plan, Protocol: p, Seed: seed}
	}
	err = search.Run(ctx, jobs, o.workers, func(_ int, r *scenarios.Result) error {
		if r.Err != nil {
			return r.Err
		}
		if r.Verdict == checker.Violation {
			m.count(r)
		}
		return nil
	})
	if err != nil || m.first == 0 || o.shrink == 0 {
		return m, err
	}
	job := jobs[m.first-1]
	small, err := shrink.Minimise(ctx, job.Scenario, p, job.Seed, shrink.Options{MaxRuns: o.shrink, Workers: o.workers})
	if err != nil {
		return nil, err
	}
	m.small = fmt.Sprintf("%d / %d", len(small.After.Faults), small.After.Operations.Total())
	return m, nil
}

// count adds a run that broke a check.
func (m *measured) count(r *scenarios.Result) {
	m.found++
	if m.first == 0 {
		m.first = r.Seed
	}
	at := slices.IndexFunc(m.checks, func(t tally) bool { return t.check == r.Check })
	if at < 0 {
		at = len(m.checks)
		m.checks = append(m.checks, tally{check: r.Check})
	}
	m.checks[at].runs++
	slices.SortStableFunc(m.checks, func(a, b tally) int { return b.runs - a.runs })
}

// tripped runs a script and returns the checks that break, in order.
func tripped(sc *scenarios.Scenario, p *protocols.Protocol) []string {
	r := scenarios.Run(sc, p, 1, scenarios.Options{})
	list := []string{r.Check}
	for _, v := range r.Violations {
		if !slices.Contains(list, v.Check) {
			list = append(list, v.Check)
		}
	}
	return list
}

// base is what drawn plans keep of a script: parameters and the bound of clocks, since
// some bugs are in what is off by default.
func base(script *scenarios.Scenario, p *protocols.Protocol) *scenarios.Scenario {
	b := scenarios.New("base")
	b.Protocols, b.Clock = []string{p.Name}, script.Clock
	b.Parameters = []scenarios.Parameters{{Protocol: p.Name, Values: script.ParametersOf(p)}}
	return b
}
