package reports

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// Campaign sums up many runs. It keeps a few numbers of each run, and the first
// run of each distinct failure, so its size does not grow with the histories.
// The zero value is empty.
type Campaign struct {
	Planned  int // runs asked for, of which Add has seen some
	rows     []*row
	failures failures
	runs     int
	virtual  int64 // thousandths of a second
	probes   []scenarios.ProbeCount
}

// row is one line of the table: one scenario with one protocol.
type row struct {
	scenario, protocol   string
	runs, missed         int
	verdicts             map[checker.Verdict]int
	p50, p99, leaderless []int64
}

// failure is a way to fail, with the first run that failed so.
type failure struct {
	key   string
	first *scenarios.Result
	seeds []uint64 // of the other runs
}

// Add takes the results in the order of the jobs. Equal sequences give equal text.
func (c *Campaign) Add(r *scenarios.Result) {
	c.runs++
	c.virtual += int64(r.Virtual)
	c.probes = scenarios.AddProbes(c.probes, r.Reached)
	g := c.row(r.Scenario, r.Protocol)
	g.runs++
	g.verdicts[r.Verdict]++
	g.p50 = append(g.p50, r.Latency.P50)
	g.p99 = append(g.p99, r.Latency.P99)
	g.leaderless = append(g.leaderless, r.Leaderless)
	if r.Code() == scenarios.CodeOK {
		return
	}
	if r.Code() == scenarios.CodeMissed {
		g.missed++
	}
	c.failures.add(failureKey(r), r)
}

// failures are the distinct ways to fail, in the order of their first runs.
type failures []*failure

// add takes a run that is not as expected. Equal keys are one way to fail.
func (fs *failures) add(key string, r *scenarios.Result) {
	for _, f := range *fs {
		if f.key == key {
			f.seeds = append(f.seeds, r.Seed)
			return
		}
	}
	*fs = append(*fs, &failure{key: key, first: withoutRecord(r)})
}

// withoutRecord returns a copy of r without the large parts.
func withoutRecord(r *scenarios.Result) *scenarios.Result {
	kept := *r
	kept.History, kept.Trace, kept.Report = nil, nil, nil
	return &kept
}

// Runs returns how many runs were added.
func (c *Campaign) Runs() int { return c.runs }

func (c *Campaign) row(scenario, protocol string) *row {
	for i := len(c.rows) - 1; i >= 0; i-- { // results of one row come one after another
		if g := c.rows[i]; g.scenario == scenario && g.protocol == protocol {
			return g
		}
	}
	g := &row{scenario: scenario, protocol: protocol, verdicts: map[checker.Verdict]int{}}
	c.rows = append(c.rows, g)
	return g
}

// failureKey says which failures are the same: equal scenario, protocol, verdict,
// check and missed expectations. The text is left out, since it names nodes,
// terms and values that differ from seed to seed.
func failureKey(r *scenarios.Result) string {
	parts := []string{r.Scenario, r.Protocol, r.Verdict.String(), r.Check}
	for _, m := range r.Missed() {
		parts = append(parts, m.Text)
	}
	return strings.Join(parts, "\x00")
}

// Write writes the table, each distinct failure with the command that repeats it,
// and a last line with the sums.
func (c *Campaign) Write(w io.Writer, paint Paint) error {
	b := bufio.NewWriter(w)
	writeBlock(b, "", c.table(paint).Render())
	for _, f := range c.failures {
		f.write(b, paint)
	}
	fmt.Fprintf(b, "\n%s\n", c.sums())
	return b.Flush()
}

// table has one column per verdict that occurred; ok and violation always.
func (c *Campaign) table(paint Paint) table.Writer {
	t := plainTable()
	optional := []checker.Verdict{checker.Inconclusive, checker.Unavailable, checker.OutsideModel}
	header := table.Row{"scenario", "protocol", "runs", "ok", "violation"}
	var shown []checker.Verdict
	for _, v := range optional {
		if c.count(v) > 0 {
			shown = append(shown, v)
			header = append(header, v.String())
		}
	}
	missed := false
	for _, g := range c.rows {
		missed = missed || g.missed > 0
	}
	if missed {
		header = append(header, "missed")
	}
	t.AppendHeader(append(header, "p50", "p99", "leaderless"))
	columns := []table.ColumnConfig{}
	for i := 3; i <= len(header)+3; i++ {
		columns = append(columns, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	t.Style().Format.Header = text.FormatDefault
	for _, g := range c.rows {
		r := table.Row{Clean(g.scenario), Clean(g.protocol), g.runs, g.verdicts[checker.OK], paint.ifAny(paint.Bad, g.verdicts[checker.Violation])}
		for _, v := range shown {
			r = append(r, paint.ifAny(paint.Odd, g.verdicts[v]))
		}
		if missed {
			r = append(r, paint.ifAny(paint.Odd, g.missed))
		}
		t.AppendRow(append(r, Duration(Median(g.p50)), Duration(Median(g.p99)), Duration(Median(g.leaderless))))
	}
	return t
}

func (p Paint) ifAny(colour func(string) string, n int) string {
	if n == 0 {
		return "0"
	}
	return colour(strconv.Itoa(n))
}

func (c *Campaign) count(v checker.Verdict) int {
	n := 0
	for _, g := range c.rows {
		n += g.verdicts[v]
	}
	return n
}

// seedsShown bounds the seeds that are listed for one way to fail.
const seedsShown = 10

func (f *failure) write(b *bufio.Writer, paint Paint) {
	r := f.first
	fmt.Fprintf(b, "\n%s  %s  seed %d: %s\n", paint.Strong(Clean(r.Scenario)), Clean(r.Protocol), r.Seed, paint.verdict(r))
	writeFailure(b, r, paint)
	if r.Code() == scenarios.CodeMissed {
		for _, m := range r.Missed() {
			fmt.Fprintf(b, "  %s %s  got %s\n", paint.met(false), Clean(m.Text), Clean(m.Got))
		}
	}
	fmt.Fprintf(b, "  repeat: %s\n", Clean(r.Replay))
	if n := len(f.seeds); n > 0 {
		word := "seeds fail"
		if n == 1 {
			word = "seed fails"
		}
		fmt.Fprintf(b, "  %d more %s the same way:", n, word)
		for _, seed := range f.seeds[:min(n, seedsShown)] {
			fmt.Fprintf(b, " %d", seed)
		}
		if n > seedsShown {
			b.WriteString(" …")
		}
		b.WriteByte('\n')
	}
}

func (c *Campaign) sums() string {
	failed := 0
	for _, f := range c.failures {
		failed += 1 + len(f.seeds)
	}
	s := plural(c.runs, "run") + ", "
	if failed == 0 {
		s += "all as expected"
	} else {
		s += fmt.Sprintf("%d not as expected (%d distinct)", failed, len(c.failures))
	}
	if c.Planned > c.runs {
		s += fmt.Sprintf(", %d not run", c.Planned-c.runs)
	}
	return s + ", " + virtualTime(c.virtual)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// virtualTime prints thousandths of a second in the unit that suits.
func virtualTime(ms int64) string {
	switch {
	case ms >= 3_600_000:
		return fixed(ms/360_000, 1) + " simulated hours"
	case ms >= 60_000:
		return fixed(ms/6_000, 1) + " simulated minutes"
	}
	return fixed(ms/100, 1) + " simulated seconds"
}
