package reports

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/lockstep-sim/lockstep/scenarios"
)

// comparisonJSON is what --json prints and comparison.json holds.
type comparisonJSON struct {
	Scenario     string       `json:"scenario"`
	Key          string       `json:"key,omitempty"`
	Seeds        int          `json:"seeds"`
	Mixed        bool         `json:"different_guarantees"`
	Significance float64      `json:"significance"`
	Columns      []columnJSON `json:"columns"`
}

type columnJSON struct {
	Protocol string                `json:"protocol"`
	Value    string                `json:"value,omitempty"`
	OK       int                   `json:"runs_ok"`
	Lost     int                   `json:"lost_writes"` // acknowledged, summed over the runs
	Holds    string                `json:"strongest"`   // the strongest model that held in every run
	Gives    *scenarios.Profile    `json:"gives"`
	Baseline *int                  `json:"baseline"` // position in columns, from 0; null for the first
	Metrics  map[string]metricJSON `json:"metrics"`
}

type metricJSON struct {
	Median      *json.Number `json:"median"`               // null where no run has it
	Low         *json.Number `json:"median_low,omitempty"` // 95 % confidence interval, from 6 runs on
	High        *json.Number `json:"median_high,omitempty"`
	P           *json.Number `json:"p,omitempty"`
	Significant *bool        `json:"significant,omitempty"`
	Pairs       *int         `json:"pairs,omitempty"`
}

// WriteJSON writes the table and what the protocols give as one JSON object.
func (c *Comparison) WriteJSON(w io.Writer) error {
	out := comparisonJSON{Scenario: c.scenario, Key: c.key, Seeds: len(c.cells[0].runs), Mixed: c.mixed(), Significance: significance}
	for i, made := range c.cells {
		column := columnJSON{Protocol: made.protocol, Value: made.value, OK: made.okRuns(), Lost: made.lost(), Holds: made.strongest(), Gives: &made.profile, Metrics: map[string]metricJSON{}}
		var base *cell
		if at := c.baseline(i); at >= 0 {
			column.Baseline, base = &at, c.cells[at]
		}
		for m := range metrics {
			column.Metrics[metrics[m].key] = made.json(&metrics[m], base)
		}
		out.Columns = append(out.Columns, column)
	}
	return encode(w, out, "  ")
}

func (c *cell) json(m *metric, base *cell) metricJSON {
	var j metricJSON
	if values := c.of(m); len(values) > 0 {
		median := json.Number(m.unit.number(Median(values)))
		j.Median = &median
		if low, high, known := MedianInterval(values); known {
			from, to := json.Number(m.unit.number(low)), json.Number(m.unit.number(high))
			j.Low, j.High = &from, &to
		}
	}
	if base != nil {
		d := differenceOf(base, c, m)
		p, significant := json.Number(strconv.FormatFloat(d.p, 'f', 6, 64)), d.significant()
		j.P, j.Significant, j.Pairs = &p, &significant, &d.pairs
	}
	return j
}

// WriteCSV writes one row per run.
func (c *Comparison) WriteCSV(w io.Writer) error {
	header := []string{"scenario", "protocol", "key", "value", "seed", "verdict", "operations_ok", "operations_failed", "operations_unknown", "lost_writes",
		"p50_ns", "p90_ns", "p99_ns", "max_ns"}
	for _, m := range metrics {
		header = append(header, m.key)
	}
	records := [][]string{append(header, "digest", "strongest")}
	for _, cell := range c.cells {
		for i := range cell.runs {
			r := &cell.runs[i]
			row := []string{plainCell(r.Scenario), plainCell(r.Protocol), plainCell(c.key), plainCell(cell.value),
				strconv.FormatUint(r.Seed, 10), r.Verdict.String(),
				strconv.FormatUint(r.Operations.OK, 10), strconv.FormatUint(r.Operations.Failed, 10), strconv.FormatUint(r.Operations.Unknown, 10),
				lostIn(r.Result), nanoseconds(r.Latency.P50), nanoseconds(r.Latency.P90), nanoseconds(r.Latency.P99), nanoseconds(r.Latency.Max)}
			for _, m := range metrics {
				v, usable := m.of(r)
				if !usable {
					row = append(row, "")
					continue
				}
				row = append(row, m.unit.number(v))
			}
			records = append(records, append(row, r.Digest, plainCell(r.Judged.Strongest)))
		}
	}
	return writeRecords(w, records)
}

// WriteAvailability writes what the figure of that name shows: one row per protocol,
// value and step of time.
func (c *Comparison) WriteAvailability(w io.Writer) error {
	records := [][]string{{"scenario", "protocol", "key", "value", "begin_s", "end_s", "answers_per_second", "runs_served"}}
	width := timeStep(c.cells[0].until)
	for i, s := range c.series(c.every()) {
		for _, b := range servedOver(s, c.cells[i].until, width) {
			records = append(records, []string{plainCell(c.scenario), plainCell(c.cells[i].protocol), plainCell(c.key), plainCell(c.cells[i].value),
				shortFloat(b.from), shortFloat(b.from + width), shortFloat(b.rate), shortFloat(b.served)})
		}
	}
	return writeRecords(w, records)
}

// every returns the positions of all cells.
func (c *Comparison) every() []int {
	all := make([]int, len(c.cells))
	for i := range all {
		all[i] = i
	}
	return all
}

func writeRecords(w io.Writer, records [][]string) error {
	out := csv.NewWriter(w)
	if err := out.WriteAll(records); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func lostIn(r *scenarios.Result) string {
	if r.Lost == nil {
		return "0"
	}
	return strconv.Itoa(r.Lost.Count)
}

func nanoseconds(ns int64) string { return strconv.FormatInt(ns, 10) }

// plainCell keeps a spreadsheet from taking a name for a formula.
func plainCell(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}

// WriteAll writes the page, the plots as SVG and PNG and the data as CSV, JSON, Markdown
// and benchmark results into out, and returns the names of the files.
func (c *Comparison) WriteAll(out *Folder) ([]string, error) {
	var names []string
	put := func(name string, write func(io.Writer) error) error {
		if err := out.Write(name, write); err != nil {
			return err
		}
		names = append(names, name)
		return nil
	}
	figures := c.Figures()
	for _, f := range figures {
		for _, format := range []struct {
			extension string
			render    func() ([]byte, error)
		}{{".svg", f.Figure.SVG}, {".png", f.Figure.PNG}} {
			data, err := format.render()
			if err != nil {
				return names, err
			}
			if err := put(f.Name+format.extension, bytesTo(data)); err != nil {
				return names, err
			}
		}
	}
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{{"runs.csv", c.WriteCSV}, {"availability.csv", c.WriteAvailability}, {"comparison.json", c.WriteJSON},
		{"table.md", c.WriteMarkdown}, {"bench.txt", c.WriteBenchmark}, {"report.html", func(w io.Writer) error { return c.WritePage(w, figures) }}} {
		if err := put(f.name, f.write); err != nil {
			return names, err
		}
	}
	return names, nil
}
