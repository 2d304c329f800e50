package reports

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// Fuzz sums up a swarm campaign: how many runs of each protocol got which verdict, how
// many were judged, and why the others were not. It keeps no runs. The zero value is
// empty.
type Fuzz struct {
	Planned int // runs asked for; 0: as many as there was time for
	rows    []*fuzzRow
	classes []*fuzzClass
}

// fuzzRow is one protocol.
type fuzzRow struct {
	protocol         string
	runs             int
	verdicts         map[checker.Verdict]int
	safety, liveness int
	virtual          int64 // thousandths of a second
}

// fuzzClass is a verdict with its cause: runs that are not ok, and excuses.
type fuzzClass struct {
	protocol, what, cause string
	first                 *scenarios.Result
	seeds                 []uint64 // of the other runs
}

// MostUnavailable is the share of runs, in percent, that may have been unable to make
// progress or were excused, before a campaign counts as missed.
const MostUnavailable = 1

// Add takes the results in the order of the jobs. Equal sequences give equal text.
func (f *Fuzz) Add(r *scenarios.Result) {
	row := f.row(r.Protocol)
	row.runs++
	row.verdicts[r.Verdict]++
	row.virtual += int64(r.Virtual)
	if r.SafetyJudged() {
		row.safety++
	}
	if r.LivenessJudged() {
		row.liveness++
	}
	switch {
	case r.Verdict == checker.OutsideModel && len(r.Violations) > 0:
		f.class(r, r.Verdict.String(), r.Violations[0].Check)
	case r.Verdict == checker.OutsideModel:
	case r.Verdict == checker.Violation:
		f.class(r, r.Verdict.String(), r.Check)
	case r.Verdict != checker.OK:
		f.class(r, r.Verdict.String(), cause(r.Reason))
	case r.Liveness != nil && r.Liveness.Excuse != "":
		f.class(r, "excused", cause(r.Liveness.Excuse))
	}
}

func (f *Fuzz) row(protocol string) *fuzzRow {
	for _, row := range f.rows {
		if row.protocol == protocol {
			return row
		}
	}
	row := &fuzzRow{protocol: protocol, verdicts: map[checker.Verdict]int{}}
	f.rows = append(f.rows, row)
	return row
}

func (f *Fuzz) class(r *scenarios.Result, what, cause string) {
	for _, c := range f.classes {
		if c.protocol == r.Protocol && c.what == what && c.cause == cause {
			c.seeds = append(c.seeds, r.Seed)
			return
		}
	}
	f.classes = append(f.classes, &fuzzClass{protocol: r.Protocol, what: what, cause: cause, first: withoutRecord(r)})
}

var (
	nodeSets = regexp.MustCompile(`\{[^}]*\}`)
	numbers  = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)
)

// cause is a reason without the names and numbers of one run.
func cause(reason string) string {
	if _, after, ok := strings.Cut(reason, "no progress is possible: "); ok {
		reason = after
	}
	return numbers.ReplaceAllString(nodeSets.ReplaceAllString(reason, "{…}"), "N")
}

// Runs returns how many runs were added.
func (f *Fuzz) Runs() (n int) {
	for _, row := range f.rows {
		n += row.runs
	}
	return n
}

// Code returns the exit code of the campaign: the worst of what its runs ask for, where
// a run that is unavailable or outside the model asks for nothing, but more than
// [MostUnavailable] percent of a protocol's runs do.
func (f *Fuzz) Code() int {
	code := scenarios.CodeOK
	for _, row := range f.rows {
		if row.verdicts[checker.Violation] > 0 {
			code = scenarios.Worst(code, scenarios.CodeViolation)
		}
		if row.verdicts[checker.Inconclusive] > 0 {
			code = scenarios.Worst(code, scenarios.CodeInconclusive)
		}
		if (row.verdicts[checker.Unavailable]+f.excused(row.protocol))*100 > MostUnavailable*row.runs {
			code = scenarios.Worst(code, scenarios.CodeMissed)
		}
	}
	return code
}

func (f *Fuzz) excused(protocol string) (n int) {
	for _, c := range f.classes {
		if c.protocol == protocol && c.what == "excused" {
			n += 1 + len(c.seeds)
		}
	}
	return n
}

// Write writes the table, each class of what was not ok, and the sums.
func (f *Fuzz) Write(w io.Writer, paint Paint) error {
	b := bufio.NewWriter(w)
	writeBlock(b, "", f.table(paint).Render())
	for _, what := range []string{checker.Violation.String(), checker.Inconclusive.String(), checker.Unavailable.String(), "excused", checker.OutsideModel.String()} {
		for _, c := range f.classes {
			if c.what == what {
				c.write(b, paint)
			}
		}
	}
	virtual := int64(0)
	for _, row := range f.rows {
		virtual += row.virtual
	}
	fmt.Fprintf(b, "\n%s, %s", plural(f.Runs(), "run"), virtualTime(virtual))
	if f.Planned > f.Runs() {
		fmt.Fprintf(b, ", %d not run", f.Planned-f.Runs())
	}
	b.WriteByte('\n')
	return b.Flush()
}

func (f *Fuzz) table(paint Paint) table.Writer {
	t := plainTable()
	t.AppendHeader(table.Row{"protocol", "runs", "ok", "violation", "inconclusive", "unavailable", "excused", "outside-model", "safety judged", "liveness judged"})
	var columns []table.ColumnConfig
	for i := 2; i <= 10; i++ {
		columns = append(columns, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	t.Style().Format.Header = text.FormatDefault
	for _, row := range f.rows {
		t.AppendRow(table.Row{Clean(row.protocol), row.runs, row.verdicts[checker.OK], paint.ifAny(paint.Bad, row.verdicts[checker.Violation]),
			paint.ifAny(paint.Odd, row.verdicts[checker.Inconclusive]), paint.ifAny(paint.Odd, row.verdicts[checker.Unavailable]),
			paint.ifAny(paint.Odd, f.excused(row.protocol)), row.verdicts[checker.OutsideModel], percent(row.safety, row.runs), percent(row.liveness, row.runs)})
	}
	return t
}

// percent prints a share with two decimals, rounded down.
func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	share := part * 10_000 / whole
	return fmt.Sprintf("%d.%02d%%", share/100, share%100)
}

func (c *fuzzClass) write(b *bufio.Writer, paint Paint) {
	fmt.Fprintf(b, "\n%s  %s: %s, %s\n", paint.Strong(Clean(c.protocol)), c.what, Clean(c.cause), plural(1+len(c.seeds), "run"))
	reason := c.first.Reason
	if reason == "" && c.first.Liveness != nil {
		reason = c.first.Liveness.Excuse
	}
	fmt.Fprintf(b, "  seed %d: %s\n", c.first.Seed, Clean(reason))
	if len(c.seeds) > 0 {
		shown := slices.Clone(c.seeds[:min(len(c.seeds), seedsShown)])
		words := make([]string, len(shown))
		for i, seed := range shown {
			words[i] = strconv.FormatUint(seed, 10)
		}
		if len(c.seeds) > seedsShown {
			words = append(words, "…")
		}
		fmt.Fprintf(b, "  and seeds %s\n", strings.Join(words, " "))
	}
}
