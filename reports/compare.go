package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// Comparison holds the runs of one scenario under several values of one key, and
// with several protocols, all on the same seeds. Make it with [NewComparison].
type Comparison struct {
	scenario  string
	why       string
	keys      []string // what is varied; none when only protocols are compared
	key       string   // the same as one text
	protocols []string // in the order of the cells
	cells     []*cell
	windows   []Window
	failures  failures // by cell
}

// Compared is one protocol under one variant of a scenario: one column.
type Compared struct {
	Scenario *scenarios.Scenario
	Protocol *protocols.Protocol
	Values   []string // of the keys that are varied; none where they do not concern the protocol
	Profile  scenarios.Profile
}

// cell is one column with its runs.
type cell struct {
	protocol, value string
	values          []string
	profile         scenarios.Profile
	from            Compared
	until           protocols.Time // the end of the safety phase
	first           int            // position of the first cell of the same protocol
	runs            []run          // by seed
	samples         []Sample
	gaps            []Gap // of the first run
	vacancies       []sim.Span
}

// run is one result, without its history, and what the history says beyond it.
type run struct {
	*scenarios.Result
	writes, reads []protocols.Duration // latencies of those answered in the safety phase, sorted
	outage        protocols.Duration
}

// NewComparison prepares for runs: for at least one column, those of one protocol
// next to each other. keys are what is varied, at most two. Plots show the safety
// phase, and the fault plan of the first column.
func NewComparison(keys []string, columns []Compared) *Comparison {
	c := &Comparison{scenario: columns[0].Scenario.Name, why: columns[0].Scenario.Why, keys: keys, key: strings.Join(keys, ", "), windows: plannedWindows(columns[0].Scenario)}
	for i := range columns {
		of := &columns[i]
		made := &cell{protocol: of.Profile.Protocol, value: strings.Join(of.Values, ", "), values: of.Values, profile: of.Profile, from: *of,
			until: protocols.Time(of.Scenario.For), first: i}
		if i > 0 && c.cells[i-1].protocol == made.protocol {
			made.first = c.cells[i-1].first
		} else {
			c.protocols = append(c.protocols, made.protocol)
		}
		c.cells = append(c.cells, made)
	}
	return c
}

// plannedWindows returns when the faults of a plan are active. One that waits for a
// leader may strike later, and one that waits for an event strikes at another time in
// each run.
func plannedWindows(sc *scenarios.Scenario) []Window {
	var windows []Window
	for i := range sc.Faults {
		f := &sc.Faults[i]
		if f.When.Set() {
			continue
		}
		end := protocols.Time(sc.For)
		if f.For != sim.Forever {
			end = min(end, f.At.Add(f.For))
		}
		windows = append(windows, Window{strings.TrimSpace(string(f.Kind) + " " + f.Target.String()), f.At, end})
	}
	return windows
}

// places returns the regions of the first column in which clients are, with the
// latencies of their writes in each of the shown cells. It is empty without regions.
func (c *Comparison) places(shown []int) []Place {
	var list []Place
	for _, region := range c.cells[0].from.Scenario.Network.Regions {
		p, members := Place{Name: Clean(region.Name)}, strings.Fields(region.Members.String())
		some := false
		for _, i := range shown {
			writes := sortedLatencies(c.cells[i].samples, func(op *Sample) bool {
				return op.Write && slices.Contains(members, protocols.NodeID(op.Client).String())
			})
			some = some || len(writes) > 0
			p.Writes = append(p.Writes, writes)
		}
		if some {
			list = append(list, p)
		}
	}
	return list
}

// Add takes one run, which must have kept its history. column is a position in the
// list given to NewComparison. Each column takes its seeds in the same order, since
// runs are paired by it.
func (c *Comparison) Add(column int, r *scenarios.Result) {
	cell := c.cells[column]
	made := run{Result: withoutRecord(r)}
	var answers []protocols.Time
	for i := range r.History {
		op := &r.History[i]
		if op.Outcome != protocols.Done || op.Kind == protocols.Follow || op.Ended > cell.until {
			continue
		}
		answers = append(answers, op.Ended)
		sample := Sample{Run: len(cell.runs), Began: op.Began, Latency: op.Ended.Sub(op.Began), Write: op.Kind == protocols.Write, Client: int(op.Client)}
		cell.samples = append(cell.samples, sample)
		if sample.Write {
			made.writes = append(made.writes, sample.Latency)
		} else {
			made.reads = append(made.reads, sample.Latency)
		}
	}
	slices.Sort(made.writes)
	slices.Sort(made.reads)
	slices.Sort(answers)
	end := min(cell.until, protocols.Time(r.Virtual)*1_000_000)
	made.outage = longestOutage(answers, end)
	spans := r.Stats().LeaderlessSpans
	cell.vacancies = append(cell.vacancies, spans...)
	if len(cell.runs) == 0 {
		cell.gaps = gapsOf(answers, end, cell.until, spans, r.Faults)
	}
	if r.Code() != scenarios.CodeOK {
		c.failures.add(fmt.Sprintf("%d %s", column, failureKey(r)), r)
	}
	cell.runs = append(cell.runs, made)
}

// gapsOf returns the intervals without an answer to any client that are ten times as
// long as is usual, and at least as long as a step of the time axis, with the reason of
// each. answers are sorted.
func gapsOf(answers []protocols.Time, end, until protocols.Time, leaderless []sim.Span, faults []scenarios.Fault) []Gap {
	times := append(append([]protocols.Time{0}, answers...), max(end, 0))
	var usual []protocols.Duration
	for i := 1; i < len(times); i++ {
		usual = append(usual, times[i].Sub(times[i-1]))
	}
	sorted := slices.Clone(usual)
	slices.Sort(sorted)
	least := max(10*sorted[len(sorted)/2], protocols.Duration(timeStep(until)*1e9))
	if len(answers) == 0 {
		least = 0
	}
	var gaps []Gap
	for i, d := range usual {
		if d >= least && d > 0 {
			span := sim.Span{From: times[i], To: times[i+1]}
			gaps = append(gaps, Gap{span, reasonOf(span, leaderless, faults)})
		}
	}
	return gaps
}

// reasonOf says what a gap without answers goes with: how long nobody led a quorum,
// and which faults were active.
func reasonOf(gap sim.Span, leaderless []sim.Span, faults []scenarios.Fault) string {
	var without protocols.Duration
	for _, s := range leaderless {
		without += max(0, min(s.To, gap.To).Sub(max(s.From, gap.From)))
	}
	var parts []string
	switch {
	case without > 0 && gap.From == 0:
		parts = append(parts, "first election")
	case without > 0:
		parts = append(parts, "no leader for "+Duration(int64(without)))
	default:
		parts = append(parts, "a leader, but no answer")
	}
	const shown = 2
	more := 0
	for _, f := range faults {
		if f.Resolved == "" || protocols.Time(f.StartNS) > gap.To || protocols.Time(f.EndNS) < gap.From {
			continue
		}
		if len(parts) > shown {
			more++
			continue
		}
		parts = append(parts, Clean(f.Kind+" "+f.Resolved))
	}
	if more > 0 {
		parts = append(parts, plural(more, "more fault"))
	}
	return strings.Join(parts, "; ")
}

// longestOutage returns the longest time without an answer to any client, from the
// first answer to the end. answers are sorted.
func longestOutage(answers []protocols.Time, end protocols.Time) protocols.Duration {
	longest := protocols.Duration(0)
	for i, at := range answers {
		next := max(end, at)
		if i+1 < len(answers) {
			next = answers[i+1]
		}
		longest = max(longest, next.Sub(at))
	}
	return longest
}

// baseline returns the cell that cell i is compared with: the first of the same
// protocol, for which it is the first of all; -1 for that.
func (c *Comparison) baseline(i int) int {
	switch first := c.cells[i].first; {
	case i == 0:
		return -1
	case i == first:
		return 0
	default:
		return first
	}
}

// mixed reports whether the cells give different guarantees, so that their figures
// are not of the same thing.
func (c *Comparison) mixed() bool {
	return slices.ContainsFunc(c.cells, func(other *cell) bool {
		return !other.profile.Guarantee.Same(c.cells[0].profile.Guarantee)
	})
}

// name is what the cell is called in legends.
func (c *Comparison) name(cell *cell) string {
	switch {
	case cell.value == "":
		return Clean(cell.protocol)
	case len(c.protocols) == 1:
		return Clean(c.shortKey() + " = " + cell.value)
	}
	return Clean(cell.protocol + ", " + c.shortKey() + " = " + cell.value)
}

// shortKey is mode for parameters.primarybackup.mode.
func (c *Comparison) shortKey() string {
	short := make([]string, len(c.keys))
	for i, key := range c.keys {
		short[i] = shortKey(key)
	}
	return strings.Join(short, ", ")
}

func shortKey(key string) string {
	if strings.HasPrefix(key, "parameters.") {
		return key[strings.LastIndexByte(key, '.')+1:]
	}
	return key
}

// title is what the cell is called above its column, beside the key.
func (c *Comparison) title(cell *cell) string {
	switch {
	case cell.value == "":
		return Clean(cell.protocol)
	case len(c.protocols) == 1:
		return Clean(cell.value)
	}
	return Clean(cell.protocol + " " + cell.value)
}

func (c *cell) okRuns() int {
	n := 0
	for i := range c.runs {
		if c.runs[i].Verdict == checker.OK {
			n++
		}
	}
	return n
}

// of returns the metric in the runs in which it means something.
func (c *cell) of(m *metric) []int64 {
	var values []int64
	for i := range c.runs {
		if v, usable := m.of(&c.runs[i]); usable {
			values = append(values, v)
		}
	}
	return values
}

// strongest names the strongest model that held in every run; none where no run put
// anything on trial.
func (c *cell) strongest() string {
	name, weaker := "none", false
	var held []checker.Guarantee // in every run that is weaker than linearizable
	for i := range c.runs {
		switch j := &c.runs[i].Judged; j.Strongest {
		case "":
		case scenarios.Linearizability:
			if !weaker {
				name = scenarios.Linearizability
			}
		default:
			if !weaker {
				name, held, weaker = j.Strongest, slices.Clone(j.Held), true
				continue
			}
			held = slices.DeleteFunc(held, func(g checker.Guarantee) bool { return !slices.Contains(j.Held, g) })
			if name != j.Strongest {
				name = checker.StrongestOf(held)
			}
		}
	}
	return name
}

// lost returns how many acknowledged writes all runs lost, as their guarantee allows.
func (c *cell) lost() int {
	n := 0
	for i := range c.runs {
		if l := c.runs[i].Lost; l != nil {
			n += l.Count
		}
	}
	return n
}
