package shrink

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
)

// DefaultRuns is the budget where Options name none.
const DefaultRuns = 2000

// Options bound a search.
type Options struct {
	MaxRuns  int // budget in runs, the first included; 0: DefaultRuns
	Workers  int // runs at a time; it does not change the result. 0: one
	Progress func(Progress)
	// Fixed are keys that keep the values given here, which the failure rests on.
	Fixed []scenarios.Assignment
}

// Progress is where a search is: after every step that made the scenario smaller.
type Progress struct {
	Runs     int
	Faults   int
	Calls    int // client operations; -1 while they are still drawn
	Pass     string
	Scenario *scenarios.Scenario // the smallest so far; not to be changed
}

// String says it in a line.
func (p Progress) String() string {
	calls := "a drawn workload"
	if p.Calls >= 0 {
		calls = fmt.Sprintf("%d operations", p.Calls)
	}
	return fmt.Sprintf("%4d runs, %d faults, %s: %s", p.Runs, p.Faults, calls, p.Pass)
}

// End says why a search ended.
type End uint8

const (
	Minimal     End = iota // nothing that is tried makes it smaller
	Spent                  // the budget is spent
	Interrupted            // the context was cancelled
)

var ends = [...]string{"1-minimal", "budget spent", "interrupted"}

// String says it in a word or two.
func (e End) String() string { return ends[e] }

// Result is what a search found.
type Result struct {
	Scenario *scenarios.Scenario // the smallest that still fails, explicit
	Protocol *protocols.Protocol
	Seed     uint64
	Before   *scenarios.Result // the run of the scenario that was given
	After    *scenarios.Result // the run of Scenario
	Runs     int               // that were counted
	End      End

	replicas int // before
}

// suffix is added to the name of what was made smaller.
const suffix = "-min"

// Sizes says what became of the scenario: faults 12 -> 1, operations 216 -> 2.
func (r *Result) Sizes() string {
	return fmt.Sprintf("faults %d -> %d, operations %d -> %d, replicas %d -> %d, virtual seconds %s -> %s",
		len(r.Before.Faults), len(r.After.Faults), r.Before.Operations.Total(), r.After.Operations.Total(),
		r.replicas, r.Scenario.Replicas, r.Before.Virtual, r.After.Virtual)
}

// class is what stays the same: the verdict and the first broken check.
type class struct {
	verdict checker.Verdict
	check   string
}

func classOf(r *scenarios.Result) class { return class{r.Verdict, r.Check} }

// NotFailing is the error for a run that violates no check.
type NotFailing struct{ Result *scenarios.Result }

// Error implements error.
func (e *NotFailing) Error() string {
	r := e.Result
	return fmt.Sprintf("%s with %s, seed %d: the verdict is %s; only a violation can be shrunk", r.Scenario, r.Protocol, r.Seed, r.Verdict)
}

// Minimise makes a failing scenario as small as it can while the same check is
// violated with the same seed. When ctx is cancelled it returns the best so far. The
// error is a [*NotFailing], or that of a scenario that cannot be run.
func Minimise(ctx context.Context, sc *scenarios.Scenario, p *protocols.Protocol, seed uint64, o Options) (*Result, error) {
	first := scenarios.Record(sc, p, seed)
	if first.Result.Err != nil {
		return nil, first.Result.Err
	}
	if len(first.Result.Violations) == 0 {
		return nil, &NotFailing{first.Result}
	}
	if o.MaxRuns <= 0 {
		o.MaxRuns = DefaultRuns
	}
	o.Workers = max(1, o.Workers)
	m := &minimiser{
		ctx: ctx, p: p, seed: seed, o: o, pool: search.NewPool(o.Workers), class: classOf(first.Result),
		best: sc, after: first.Result, runs: 1, tried: map[string]bool{},
	}
	m.tried[m.key(sc)] = true
	m.search(first)
	m.best = m.best.Clone()
	m.best.File = ""
	if len(m.best.Name)+len(suffix) <= 64 && !strings.HasSuffix(m.best.Name, suffix) {
		m.best.Name += suffix
	}
	r := &Result{Scenario: m.best, Protocol: p, Seed: seed, Before: first.Result, After: m.after, Runs: m.runs, replicas: sc.Replicas}
	switch {
	case ctx.Err() != nil:
		r.End = Interrupted
	case m.spent():
		r.End = Spent
	}
	return r, nil
}

// minimiser is one search.
type minimiser struct {
	ctx   context.Context
	p     *protocols.Protocol
	seed  uint64
	o     Options
	pool  *search.Pool
	class class
	best  *scenarios.Scenario
	after *scenarios.Result
	runs  int
	tried map[string]bool // texts of scenarios that were run, and of which best is none but the best
	pass  string
}

// pass is one way to make scenarios smaller: it returns whether it did.
type pass struct {
	name string
	run  func(*minimiser) bool
}

// coarse passes take much out of the plan at once, in the order of what they save.
var coarse = []pass{
	{"remove faults", (*minimiser).removeFaults},
	{"name whom faults hit", (*minimiser).resolve},
	{"switch chance off", (*minimiser).quieten},
	{"cut the run short", (*minimiser).cut},
	{"list operations", (*minimiser).listCalls},
	{"keep few operations", (*minimiser).keepFew},
}

// leaps look for the bug elsewhere, where many operations are left: they cost many
// runs, so they are made once early and again when nothing else helps.
var leaps = []pass{
	{"leap", (*minimiser).leap},
	{"aim", (*minimiser).aim},
}

// fine passes take out one thing after the other.
var fine = []pass{
	{"remove operations", (*minimiser).removeCalls},
	{"remove clients and keys", (*minimiser).removeClients},
	{"remove replicas", (*minimiser).removeReplicas},
	{"remove steps of the script", (*minimiser).removeScript},
}

// polish makes simpler what is left.
var polish = []pass{
	{"simpler kinds of faults", (*minimiser).simplerKinds},
	{"shorten faults", (*minimiser).shorten},
	{"round times", (*minimiser).round},
	{"simplify", (*minimiser).simplify},
}

// search removes as long as that helps, then polishes, and then leaps, until nothing
// that it tries makes the scenario smaller: then it is 1-minimal.
func (m *minimiser) search(first *scenarios.Recording) {
	m.pass = "make explicit"
	m.explicit(first)
	m.any(coarse)
	m.any(leaps)
	removals := slices.Concat(coarse, fine)
	for m.any(removals) || m.any(polish) || m.any(leaps) {
	}
}

// any runs passes one after the other, and says whether one changed something.
func (m *minimiser) any(passes []pass) (changed bool) {
	for _, p := range passes {
		if m.over() {
			return false
		}
		m.pass = p.name
		if p.run(m) {
			changed = true
		}
	}
	return changed
}

func (m *minimiser) spent() bool { return m.runs >= m.o.MaxRuns }

func (m *minimiser) over() bool { return m.spent() || m.ctx.Err() != nil }

// key identifies a scenario.
func (m *minimiser) key(sc *scenarios.Scenario) string { return string(scenarios.Format(sc)) }

// first tries candidates in order and takes the first that fails likewise. It
// returns its position, or -1. What is not valid, or was tried before, costs nothing.
func (m *minimiser) first(candidates []*scenarios.Scenario) int {
	for next := 0; next < len(candidates) && !m.over(); {
		var w wave
		for ; next < len(candidates) && len(w.jobs) < m.o.Workers && m.runs+len(w.jobs) < m.o.MaxRuns; next++ {
			m.add(&w, next, candidates[next])
		}
		won, result := m.pool.First(m.ctx, w.jobs, m.fails)
		if result == nil {
			m.count(w.keys[:won])
			continue
		}
		m.count(w.keys[:won+1])
		m.best, m.after = candidates[w.places[won]], result
		if m.o.Progress != nil {
			m.o.Progress(Progress{m.runs, len(m.best.Faults), calls(m.best), m.pass, m.best})
		}
		return w.places[won]
	}
	return -1
}

// wave is what runs at once.
type wave struct {
	jobs   []search.Job
	places []int    // among the candidates
	keys   []string // of the scenarios
}

// add puts a candidate into a wave, unless it is known or not valid. A run that takes
// far longer than the failing one does not fail like it, and is stopped.
func (m *minimiser) add(w *wave, place int, c *scenarios.Scenario) {
	if !m.fix(c) {
		return
	}
	key := m.key(c)
	if m.tried[key] || slices.Contains(w.keys, key) || scenarios.Validate(c, []*protocols.Protocol{m.p}) != nil {
		return
	}
	bounded := *c
	if most := 4*m.after.Events + 100_000; !slices.Contains(afterHeal, m.class.check) && (c.Events == 0 || c.Events > most) {
		bounded.Events = most
	}
	w.places, w.keys = append(w.places, place), append(w.keys, key)
	w.jobs = append(w.jobs, search.Job{Scenario: &bounded, Protocol: m.p, Seed: m.seed, Options: scenarios.Options{History: true}})
}

// fix gives a candidate the values that stay, and reports whether it can have them.
func (m *minimiser) fix(c *scenarios.Scenario) bool {
	given := c.Given
	err := scenarios.Assign(c, m.o.Fixed, []*protocols.Protocol{m.p})
	c.Given = given
	return err == nil
}

// count enters runs that were made.
func (m *minimiser) count(keys []string) {
	m.runs += len(keys)
	for _, k := range keys {
		m.tried[k] = true
	}
}

// fails reports whether a run fails in the same way as the first one did.
func (m *minimiser) fails(r *scenarios.Result) bool { return r.Err == nil && classOf(r) == m.class }

func calls(sc *scenarios.Scenario) int {
	if len(sc.Workload.Calls) == 0 {
		return -1
	}
	return len(sc.Workload.Calls)
}
