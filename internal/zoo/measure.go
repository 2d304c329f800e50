package main

import (
	"context"
	"errors"
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
	runs    uint64 // for each bug
	further uint64 // until the first find, where those find nothing
	events  uint64 // for each run: what ends the runs of a bug
	shrink  int
	workers int
	only    []string // ids of bugs; empty: all
	data    string   // the file that keeps what was measured; "": none
}

// measureAll measures the bugs of all protocols in order, and keeps each result.
// Bugs that are no more are forgotten.
func measureAll(ctx context.Context, o *options, list []*protocols.Protocol, kept records) error {
	known := map[string]bool{}
	for _, p := range list {
		for _, b := range p.Bugs {
			known[b.ID] = true
			if len(o.only) > 0 && !slices.Contains(o.only, b.ID) {
				continue
			}
			m, err := measure(ctx, o, p, b, list)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", b.ID, p.Name, err)
			}
			fmt.Fprintf(os.Stderr, "%s: %d of %d runs, the first %d of %d\n", b.ID, m.Found, m.Runs, m.First, m.Searched)
			kept[b.ID] = m
			if o.data != "" {
				if err := kept.save(o.data); err != nil {
					return err
				}
			}
		}
	}
	for _, id := range o.only {
		if !known[id] && id != "none" {
			return fmt.Errorf("there is no bug %s", id)
		}
	}
	for id := range kept {
		if !known[id] {
			delete(kept, id)
		}
	}
	return nil
}

// mostEvents bounds a run: some bugs are duels that go on for ever, and a run that spends
// it after the heal breaks liveness. Runs of correct protocols take 400,000 at most.
const mostEvents = 500_000

// hunt is the search for one bug by drawn plans.
type hunt struct {
	*measured
	o        *options
	protocol *protocols.Protocol
	list     []*protocols.Protocol
	space    scenarios.Space
	events   uint64 // of all runs
	most     uint64 // events that end them
}

// measure runs drawn plans with the parameters of the bug's script, since some bugs are
// in what is off by default.
func measure(ctx context.Context, o *options, p *protocols.Protocol, b protocols.Bug, list []*protocols.Protocol) (*measured, error) {
	script, _, err := scenarios.Load(b.ID, list)
	if err != nil {
		return nil, err
	}
	h := &hunt{measured: &measured{}, o: o, protocol: p, list: list, space: scenarios.Space{Base: base(script, p)}}
	if err := h.search(ctx, o.runs); err != nil {
		return nil, err
	}
	h.Runs = h.Searched
	if h.First == 0 {
		if err := h.search(ctx, o.further); err != nil {
			return nil, err
		}
	}
	if h.First == 0 || o.shrink == 0 {
		return h.measured, nil
	}
	small, err := shrink.Minimise(ctx, h.plan(h.First), p, h.First, shrink.Options{MaxRuns: o.shrink, Workers: o.workers})
	if err != nil {
		return nil, err
	}
	h.Small = &size{o.shrink, len(small.After.Faults), small.After.Operations.Total()}
	return h.measured, nil
}

// plan is the drawn experiment of a seed.
func (h *hunt) plan(seed uint64) *scenarios.Scenario {
	plan := scenarios.Swarm(seed, h.protocol, h.space)
	plan.Events = mostEvents
	return plan
}

// errEnough ends a search before its last run.
var errEnough = errors.New("enough")

// search runs the seeds up to last that were not run yet, and counts. It ends once the
// events are spent and, behind the runs that are counted, with the first that finds.
func (h *hunt) search(ctx context.Context, last uint64) error {
	const chunk = 500 // plans that are in memory at a time
	h.most = last * h.o.events
	for h.Searched < last && h.events < h.most && (h.Runs == 0 || h.First == 0) {
		var jobs []search.Job
		for seed := h.Searched + 1; seed <= min(last, h.Searched+chunk); seed++ {
			jobs = append(jobs, search.Job{Scenario: h.plan(seed), Protocol: h.protocol, Seed: seed})
		}
		err := search.Run(ctx, jobs, h.o.workers, func(_ int, r *scenarios.Result) error { return h.count(r) })
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// count adds a run.
func (h *hunt) count(r *scenarios.Result) error {
	if r.Err != nil {
		return r.Err
	}
	h.Searched = r.Seed
	h.events += r.Events
	if r.Verdict != checker.Violation {
		return h.enough()
	}
	if own, err := h.isOwn(r.Seed); err != nil {
		return err
	} else if own {
		if h.First == 0 {
			h.First = r.Seed
		}
		if h.Runs == 0 {
			h.Found++
		}
		h.tally(r.Check)
		if h.Runs > 0 {
			return errEnough
		}
	}
	return h.enough()
}

// enough ends a search whose events are spent.
func (h *hunt) enough() error {
	if h.events >= h.most {
		return errEnough
	}
	return nil
}

// isOwn reports whether the plan of a seed breaks nothing with the bug off: else what
// broke is no work of the bug.
func (h *hunt) isOwn(seed uint64) (bool, error) {
	control := h.plan(seed)
	if err := scenarios.Set(control, "parameters."+h.protocol.Name+".bugs", "[]", h.list); err != nil {
		return false, err
	}
	r := scenarios.Run(control, h.protocol, seed, scenarios.Options{})
	h.events += r.Events
	return r.Verdict != checker.Violation, r.Err
}

// tally counts a check that was the first to break.
func (m *measured) tally(check string) {
	at := slices.IndexFunc(m.Checks, func(t tally) bool { return t.Check == check })
	if at < 0 {
		at = len(m.Checks)
		m.Checks = append(m.Checks, tally{Check: check})
	}
	m.Checks[at].Runs++
	slices.SortStableFunc(m.Checks, func(a, b tally) int { return b.Runs - a.Runs })
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
