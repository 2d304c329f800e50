package reports

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// significance is the p-value below which a difference is shown.
const significance = 0.05

// fewestPairs is the number of seeds from which the signed-rank test can call a
// difference significant at all: with 5 the smallest p-value is 0.0625.
const fewestPairs = 6

// Comparison holds the runs of one scenario under several values of one key, and
// with several protocols, all on the same seeds. Make it with [NewComparison].
type Comparison struct {
	scenario  string
	key       string // what is varied; "" when only protocols are compared
	values    []string
	protocols []string
	until     protocols.Time // operations called later are left out of the plots
	cells     []*cell        // protocol by protocol, value by value
	windows   []Window
	failures  failures // by value
}

// cell is one protocol under one value.
type cell struct {
	protocol, value string
	runs            []*scenarios.Result // by seed, without history
	samples         []Sample
}

// NewComparison prepares for runs of sc. key is what is varied and values how;
// without a key give one empty value. The plots show the safety phase.
func NewComparison(sc *scenarios.Scenario, key string, values, protocolNames []string) *Comparison {
	c := &Comparison{scenario: sc.Name, key: key, values: values, protocols: protocolNames, until: protocols.Time(sc.For)}
	for _, p := range protocolNames {
		for _, v := range values {
			c.cells = append(c.cells, &cell{protocol: p, value: v})
		}
	}
	return c
}

// Add takes one run, which must have kept its history. protocol and value are
// positions in the lists given to NewComparison. Each cell takes its seeds in the
// same order, since runs are paired by it.
func (c *Comparison) Add(protocol, value int, r *scenarios.Result) {
	cell := c.cells[protocol*len(c.values)+value]
	for i := range r.History {
		op := &r.History[i]
		if op.Outcome == protocols.Done && op.Kind != protocols.Follow && op.Began < c.until {
			cell.samples = append(cell.samples, Sample{op.Began, op.Ended.Sub(op.Began)})
		}
	}
	if c.windows == nil {
		for _, f := range r.Faults {
			if f.Resolved == "" {
				continue // never struck
			}
			c.windows = append(c.windows, Window{strings.TrimSpace(f.Kind + " " + f.Target), protocols.Time(f.StartNS), protocols.Time(f.EndNS)})
		}
	}
	if r.Code() != scenarios.CodeOK {
		c.failures.add(fmt.Sprintf("%d %s", value, failureKey(r)), r)
	}
	cell.runs = append(cell.runs, withoutRecord(r))
}

// metric is one column of the table.
type metric struct {
	name  string
	of    func(*scenarios.Result) int64
	print func(int64) string
	// answered: the metric means nothing in a run in which nothing was answered.
	answered bool
}

var metrics = []metric{
	{"p50", func(r *scenarios.Result) int64 { return r.Latency.P50 }, Duration, true},
	{"p99", func(r *scenarios.Result) int64 { return r.Latency.P99 }, Duration, true},
	{"operations/s", func(r *scenarios.Result) int64 { return int64(r.Throughput) }, printDecimal, false},
	{"messages/commit", func(r *scenarios.Result) int64 { return int64(r.PerCommit.Messages) }, printDecimal, true},
	{"leaderless", func(r *scenarios.Result) int64 { return r.Leaderless }, Duration, false},
}

func printDecimal(v int64) string { return decimal(scenarios.Decimal(v)) }

// Write writes the table of medians. Beside each stands the difference from its
// baseline, with the p-value of the paired test, or ~ where the test sees none.
// Below it stand the runs that were not as expected.
func (c *Comparison) Write(w io.Writer, paint Paint) error {
	b := bufio.NewWriter(w)
	t := plainTable()
	t.Style().Format.Header = text.FormatDefault
	header := table.Row{"protocol"}
	if c.key != "" {
		header = append(header, Clean(c.key))
	}
	header = append(header, "ok")
	columns := []table.ColumnConfig{{Number: len(header), Align: text.AlignRight, AlignHeader: text.AlignRight}}
	for _, m := range metrics {
		header = append(header, m.name, "")
		columns = append(columns, table.ColumnConfig{Number: len(header) - 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	t.AppendHeader(header)
	for i, cell := range c.cells {
		r := table.Row{Clean(cell.protocol)}
		if c.key != "" {
			r = append(r, Clean(cell.value))
		}
		ok := fmt.Sprintf("%d/%d", cell.okRuns(), len(cell.runs))
		if cell.okRuns() < len(cell.runs) {
			ok = paint.Odd(ok)
		}
		r = append(r, ok)
		for _, m := range metrics {
			r = append(r, cell.median(m), difference(c.baseline(i), cell, m))
		}
		t.AppendRow(r)
	}
	writeBlock(b, "", t.Render())
	b.WriteString(c.caption())
	for _, f := range c.failures {
		f.write(b, paint)
	}
	return b.Flush()
}

// baseline returns what cell i is compared with: the first value of the same
// protocol, for which it is the first protocol; nil for the very first.
func (c *Comparison) baseline(i int) *cell {
	first := i - i%len(c.values)
	switch {
	case i == 0:
		return nil
	case i == first:
		return c.cells[0]
	}
	return c.cells[first]
}

func (c *Comparison) caption() string {
	n := len(c.cells[0].runs)
	s := fmt.Sprintf("\nmedians over %s; differences are against the first row", plural(n, "seed"))
	if len(c.values) > 1 && len(c.protocols) > 1 {
		s += " of the same protocol, and for the first rows against the first protocol"
	}
	s += fmt.Sprintf(";\npaired by seed, Wilcoxon signed-rank test; ~ means none at p < %s\n", shortFloat(significance))
	if n < fewestPairs {
		s += fmt.Sprintf("with fewer than %d seeds no difference can be significant: raise -n\n", fewestPairs)
	}
	return s
}

func (c *cell) okRuns() int {
	n := 0
	for _, r := range c.runs {
		if r.Verdict == checker.OK {
			n++
		}
	}
	return n
}

// usable reports whether m means something in r.
func (m metric) usable(r *scenarios.Result) bool { return !m.answered || r.Operations.OK > 0 }

func (c *cell) median(m metric) string {
	var values []int64
	for _, r := range c.runs {
		if m.usable(r) {
			values = append(values, m.of(r))
		}
	}
	if len(values) == 0 {
		return "none"
	}
	return m.print(Median(values))
}

// difference compares the pairs of runs in which both have the metric.
func difference(base, c *cell, m metric) string {
	if base == nil {
		return ""
	}
	var a, b []int64
	for i := range min(len(base.runs), len(c.runs)) {
		if m.usable(base.runs[i]) && m.usable(c.runs[i]) {
			a, b = append(a, m.of(base.runs[i])), append(b, m.of(c.runs[i]))
		}
	}
	p := SignedRank(a, b)
	if p >= significance {
		return "~"
	}
	was, is := Median(a), Median(b)
	if was == 0 {
		return fmt.Sprintf("from 0 (p=%s)", probability(p))
	}
	return fmt.Sprintf("%s (p=%s)", change(was, is), probability(p))
}

// change prints the relative difference in percent, with one decimal below 100.
// Medians of nanoseconds stay far below the overflow.
func change(was, is int64) string {
	sign, tenths := "+", (is-was)*1000/was
	if tenths < 0 {
		sign, tenths = "-", -tenths
	}
	if tenths < 1000 {
		return sign + fixed(tenths, 1) + "%"
	}
	return sign + strconv.FormatInt(tenths/10, 10) + "%"
}

func probability(p float64) string {
	if p < 0.001 {
		return "0.000"
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// Figures draws the latency distribution and the latency over time.
func (c *Comparison) Figures() (distribution, overTime *Figure) {
	strokes := Strokes(c.protocols, len(c.values))
	var series []Series
	for i, cell := range c.cells {
		series = append(series, Series{Name: c.seriesName(cell), Stroke: strokes[i], Runs: len(cell.runs), Samples: cell.samples})
	}
	subtitle := "safety phase; " + plural(len(c.cells[0].runs), "seed") + " each"
	return LatencyCDF(Clean(c.scenario)+": latency distribution", subtitle, series),
		LatencyOverTime(Clean(c.scenario)+": latency over time", series, c.windows)
}

func (c *Comparison) seriesName(cell *cell) string {
	switch {
	case c.key == "":
		return Clean(cell.protocol)
	case len(c.protocols) == 1:
		return Clean(c.key + " = " + cell.value)
	}
	return Clean(cell.protocol + ", " + c.key + " = " + cell.value)
}

// WriteCSV writes one row per run.
func (c *Comparison) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	records := [][]string{{"scenario", "protocol", "key", "value", "seed", "verdict", "operations_ok", "p50_ns", "p90_ns", "p99_ns", "max_ns",
		"operations_per_second", "messages_per_commit", "bytes_per_commit", "fsyncs_per_commit", "leaderless_ns", "digest"}}
	for _, cell := range c.cells {
		for _, r := range cell.runs {
			records = append(records, []string{plainCell(r.Scenario), plainCell(r.Protocol), plainCell(c.key), plainCell(cell.value),
				strconv.FormatUint(r.Seed, 10), r.Verdict.String(), strconv.FormatUint(r.Operations.OK, 10),
				nanoseconds(r.Latency.P50), nanoseconds(r.Latency.P90), nanoseconds(r.Latency.P99), nanoseconds(r.Latency.Max),
				r.Throughput.String(), r.PerCommit.Messages.String(), r.PerCommit.Bytes.String(), r.PerCommit.Fsyncs.String(),
				nanoseconds(r.Leaderless), r.Digest})
		}
	}
	if err := out.WriteAll(records); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func nanoseconds(ns int64) string { return strconv.FormatInt(ns, 10) }

// plainCell keeps a spreadsheet from taking a name for a formula.
func plainCell(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}

// WriteAll writes the plots as SVG and PNG and the runs as CSV into out, and
// returns the names of the files.
func (c *Comparison) WriteAll(out *Folder) ([]string, error) {
	distribution, overTime := c.Figures()
	var names []string
	for _, f := range []struct {
		name   string
		figure *Figure
	}{{"latency-cdf", distribution}, {"latency-over-time", overTime}} {
		for _, format := range []struct {
			extension string
			render    func() ([]byte, error)
		}{{".svg", f.figure.SVG}, {".png", f.figure.PNG}} {
			data, err := format.render()
			if err != nil {
				return names, err
			}
			if err := out.WriteBytes(f.name+format.extension, data); err != nil {
				return names, err
			}
			names = append(names, f.name+format.extension)
		}
	}
	if err := out.Write("runs.csv", c.WriteCSV); err != nil {
		return names, err
	}
	return append(names, "runs.csv"), nil
}
