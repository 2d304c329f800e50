package reports

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/scenarios"
)

// WriteRun writes everything that a reader wants to know about one run as plain
// text: verdict, figures, the fault timeline, probes, expectations, violations and
// the command that repeats it.
func WriteRun(w io.Writer, r *scenarios.Result, why string, paint Paint) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s  %s  seed %d: %s\n", paint.Strong(Clean(r.Scenario)), Clean(r.Protocol), r.Seed, paint.verdict(r))
	if why != "" {
		writeBlock(b, "  ", text.WrapSoft(Clean(why), 96))
	}
	writeFailure(b, r, paint)
	writePlay(b, r, paint)
	b.WriteByte('\n')
	writeFigures(b, r)
	if len(r.Play) == 0 {
		writePhases(b, r, paint)
		writeFaults(b, r, paint)
	}
	writeAdmin(b, r, paint)
	writeGaps(b, r)
	writeChecked(b, "probes", r.Probes, paint)
	writeChecked(b, "expectations", r.Expected, paint)
	fmt.Fprintf(b, "\nrepeat: %s\n", Clean(r.Replay))
	return b.Flush()
}

// gapsShown bounds the intervals without progress that a report lists.
const gapsShown = 10

// writeGaps lists the intervals in which clients waited and nothing returned.
func writeGaps(b *bufio.Writer, r *scenarios.Result) {
	if len(r.Gaps) == 0 {
		return
	}
	b.WriteString("\nno progress\n")
	t := plainTable()
	for _, g := range r.Gaps[:min(len(r.Gaps), gapsShown)] {
		t.AppendRow(table.Row{Duration(g.FromNS), "to " + Duration(g.ToNS), string(g.Reason)})
	}
	writeTable(b, t, "  ")
	if more := len(r.Gaps) - gapsShown; more > 0 {
		fmt.Fprintf(b, "  and %d more\n", more)
	}
}

// writeFailure says what is wrong: nothing for a run that is as expected.
func writeFailure(b *bufio.Writer, r *scenarios.Result, paint Paint) {
	if len(r.Violations) == 0 && r.Reason != "" {
		writeBlock(b, "  ", text.WrapSoft(CleanLines(label(r.Check)+r.Reason), 96))
	}
	for _, v := range r.Violations {
		where := "at " + Duration(v.AtNS)
		if v.Node != "" {
			where = Clean(v.Node) + " " + where
		}
		fmt.Fprintf(b, "  %s  %s, event %d\n", paint.Bad(Clean(v.Check)), where, v.Event)
		writeBlock(b, "    ", text.WrapSoft(CleanLines(v.Text), 96))
	}
}

func label(check string) string {
	if check == "" {
		return ""
	}
	return check + ": "
}

// writeFigures writes the run's numbers as aligned lines.
func writeFigures(b *bufio.Writer, r *scenarios.Result) {
	t := plainTable()
	row := func(name, value string) { t.AppendRow(table.Row{name, value}) }
	row("operations", fmt.Sprintf("%d ok, %d failed, %d unknown", r.Operations.OK, r.Operations.Failed, r.Operations.Unknown))
	if len(r.Play) > 0 { // its times are the script's own
		row("judged by", judged(r.Judged))
		row("run", fmt.Sprintf("%d events, digest %s", r.Events, Clean(r.Digest)))
		writeTable(b, t, "  ")
		return
	}
	if r.Latency.Max == 0 {
		row("latency", "no operation returned in the safety phase")
	} else {
		row("latency", fmt.Sprintf("p50 %s  p90 %s  p99 %s  max %s",
			Duration(r.Latency.P50), Duration(r.Latency.P90), Duration(r.Latency.P99), Duration(r.Latency.Max)))
	}
	row("throughput", fmt.Sprintf("%s operations per second", decimal(r.Throughput)))
	row("leaderless", Duration(r.Leaderless)+" without a leader that has a quorum, the first election included")
	if r.Recovery == 0 {
		row("recovery", "not seen: the run ended before all had answered and agreed")
	} else {
		row("recovery", Duration(r.Recovery)+" from the heal until all had answered and agreed")
	}
	row("per commit", fmt.Sprintf("%s messages, %s bytes, %s fsyncs",
		decimal(r.PerCommit.Messages), decimal(r.PerCommit.Bytes), decimal(r.PerCommit.Fsyncs)))
	if r.Lost != nil {
		row("lost", lostWrites(r.Lost))
	}
	row("judged by", judged(r.Judged))
	if holds := whatHolds(r.Judged); holds != "" {
		row("what holds", holds)
	}
	row("run", fmt.Sprintf("%s virtual seconds, %d events, digest %s", r.Virtual, r.Events, Clean(r.Digest)))
	writeTable(b, t, "  ")
}

// lostWrites says what became of acknowledged writes under a guarantee that allows
// to lose them.
func lostWrites(l *scenarios.Lost) string {
	if l.Count == 0 {
		return "no acknowledged write, though the guarantee allows it"
	}
	s := fmt.Sprintf("%s, acknowledged from %s to %s; the guarantee allows it",
		plural(l.Count, "acknowledged write"), Duration(l.FromNS), Duration(l.ToNS))
	return s + "\n" + Clean(strings.Join(l.Writes[:min(3, len(l.Writes))], "; "))
}

// whatHolds names the strongest model that held and, where that is not linearizability,
// how far answers lagged and what became of writes.
func whatHolds(j scenarios.Judged) string {
	if j.Strongest == "" || j.Strongest == scenarios.Linearizability {
		return j.Strongest
	}
	s := j.Strongest
	if j.Stale > 0 {
		s += fmt.Sprintf("; %s, by at most %s", plural(j.Stale, "stale read"), Duration(j.StaleNS))
	}
	if e := j.Effects; e != nil && e.Any() {
		s += "; by the last answers " + j.Effects.String()
	}
	return s
}

func judged(j scenarios.Judged) string {
	if len(j.Deciders) == 0 {
		return "invariants only"
	}
	s := strings.Join(j.Deciders, ", ")
	if j.Partitions != 1 {
		s += fmt.Sprintf(", key by key (%d)", j.Partitions)
	}
	if j.OutOfBudget > 0 {
		s += "; " + plural(j.OutOfBudget, "cross-check") + " out of budget"
	}
	return s
}

// writePhases writes what clients saw in each phase.
func writePhases(b *bufio.Writer, r *scenarios.Result, paint Paint) {
	if len(r.Phases) == 0 {
		return
	}
	b.WriteString("\n" + paint.Strong("phases") + "\n")
	t := plainTable()
	for _, p := range r.Phases {
		latency := ""
		if p.Answers > 0 {
			latency = "p50 " + Duration(p.Latency.P50) + "  p99 " + Duration(p.Latency.P99)
		}
		t.AppendRow(table.Row{Duration(p.StartNS), "to " + Duration(p.EndNS), Clean(p.Name), plural(int(p.Answers), "answer"), latency, "longest without an answer " + Duration(p.QuietNS)})
	}
	writeTable(b, t, "  ")
}

// aimed says at whom a fault is aimed, and which event it waited for.
func aimed(f scenarios.Fault) string {
	if f.When == "" {
		return Clean(f.Target)
	}
	return Clean(f.Target + ", " + f.When)
}

// writeFaults writes the fault timeline: when, what, whom it was to hit, whom it
// hit, and whether it changed anything.
func writeFaults(b *bufio.Writer, r *scenarios.Result, paint Paint) {
	if len(r.Faults) == 0 {
		b.WriteString("\nfaults: none\n")
		return
	}
	b.WriteString("\n" + paint.Strong("faults") + "\n")
	t := plainTable()
	for _, f := range r.Faults {
		if f.Resolved == "" {
			t.AppendRow(table.Row{Clean(f.State), "", Clean(f.Kind), aimed(f), "→ nobody", paint.Odd("changed nothing")})
			continue
		}
		bit := paint.Odd("changed nothing")
		if f.Effective {
			bit = paint.Good("bit") + ": " + Clean(f.How)
		}
		t.AppendRow(table.Row{Duration(f.StartNS), "to " + Duration(f.EndNS), Clean(f.Kind), aimed(f), "→ " + Clean(f.Resolved), bit})
	}
	writeTable(b, t, "  ")
}

func writeChecked(b *bufio.Writer, title string, list []scenarios.Checked, paint Paint) {
	if len(list) == 0 {
		return
	}
	b.WriteString("\n" + paint.Strong(title) + "\n")
	t := plainTable()
	for _, c := range list {
		t.AppendRow(table.Row{paint.met(c.Met), Clean(c.Text), "got " + Clean(c.Got)})
	}
	writeTable(b, t, "  ")
}

// plainTable is a table without borders, its columns two spaces apart.
func plainTable() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleDefault)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
	t.SuppressTrailingSpaces()
	return t
}

func writeTable(b *bufio.Writer, t table.Writer, indent string) { writeBlock(b, indent, t.Render()) }

// writeBlock writes a block line by line behind indent, without trailing spaces.
func writeBlock(b *bufio.Writer, indent, block string) {
	for l := range strings.SplitSeq(strings.TrimRight(block, "\n"), "\n") {
		b.WriteString(strings.TrimRight(indent+l, " "))
		b.WriteByte('\n')
	}
}

// decimal prints a figure of three decimals with as many digits as a reader
// wants: one decimal from 100 up, two from 10 up.
func decimal(d scenarios.Decimal) string {
	s := d.String()
	dot := strings.IndexByte(s, '.')
	switch {
	case dot >= 3:
		return s[:dot+2]
	case dot == 2:
		return s[:dot+3]
	}
	return s
}
