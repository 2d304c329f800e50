package reports

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// LogView is what `lockstep log` shows of an examination: the summary of all
// replicas, and what else is set.
type LogView struct {
	Of   *scenarios.Examination
	Node *scenarios.NodeLog // whose log, table and changelog
	// Rows asks for the log's positions First..Last, and for what crashes lost and
	// boots found at the node.
	Rows        bool
	First, Last protocols.Index
	Table       *scenarios.Rebuilt
	Changelog   *Changelog
	Parting     *Parting
}

// Changelog is what changed after position From and up to position To.
type Changelog struct {
	From, To protocols.Index
	Steps    []scenarios.Step
}

// Parting is where the logs of A and B part.
type Parting struct {
	A, B *scenarios.NodeLog
	scenarios.Parting
}

// WriteLog writes the view as plain text.
func WriteLog(w io.Writer, v *LogView, paint Paint) error {
	b := bufio.NewWriter(w)
	x := v.Of
	fmt.Fprintf(b, "%s  %s  seed %d, %s\n", paint.Strong(Clean(x.Scenario)), Clean(x.Protocol.Name), x.Seed, moment(x))
	if x.Violation != "" {
		writeBlock(b, "  ", paint.Bad("violation")+" of "+CleanLines(x.Violation))
	}
	b.WriteByte('\n')
	writeSummary(b, x, paint)
	if v.Rows {
		writeRows(b, v, paint)
		writeRecoveries(b, v, paint)
	}
	if v.Table != nil {
		writeRebuilt(b, v, paint)
	}
	if v.Changelog != nil {
		writeChangelog(b, v, paint)
	}
	if v.Parting != nil {
		writeParting(b, v, paint)
	}
	return b.Flush()
}

func moment(x *scenarios.Examination) string {
	if x.Ended {
		return "at its end, " + Duration(int64(x.At))
	}
	return "at " + scenarios.FormatTime(x.At)
}

// epochWord is the protocol's own word for an epoch.
func epochWord(p *protocols.Protocol) string {
	if p.EpochWord == "" {
		return "epoch"
	}
	return Clean(p.EpochWord)
}

// writeSummary writes one line per replica.
func writeSummary(b *bufio.Writer, x *scenarios.Examination, paint Paint) {
	t := plainTable()
	t.AppendRow(table.Row{"node", "role", epochWord(x.Protocol), "log", "durable", "committed", "applied", "replay"})
	for i := range x.Nodes {
		n := &x.Nodes[i]
		view := &n.View
		if !n.Up {
			view = &n.DiskView
		}
		row := table.Row{n.ID.String(), role(x, n), view.Epoch, span(n.First, n.Last), n.DurableTo()}
		if n.Up {
			row = append(row, view.Commit, view.Applied, replays(n, paint))
		} else {
			row = append(row, "-", "-", "")
		}
		t.AppendRow(row)
	}
	writeTable(b, t, "  ")
}

func role(x *scenarios.Examination, n *scenarios.NodeLog) string {
	switch roles := x.Protocol.Roles; {
	case n.DiskError != "" && !n.Up:
		return "down: " + Clean(n.DiskError)
	case !n.Up:
		return "down"
	case int(n.View.Role) < len(roles):
		return Clean(roles[n.View.Role])
	}
	return ""
}

// span prints the positions of a log.
func span(first, last protocols.Index) string {
	if last < first {
		return "empty"
	}
	return fmt.Sprintf("%d..%d", first, last)
}

// replays says whether replaying the log gives the state that the replica has.
func replays(n *scenarios.NodeLog, paint Paint) string {
	switch same, known := n.Replays(); {
	case !known:
		return ""
	case same:
		return "equal"
	}
	return paint.Odd("differs")
}

// writeRows writes positions of a log.
func writeRows(b *bufio.Writer, v *LogView, paint Paint) {
	n := v.Node
	fmt.Fprintf(b, "\n%s\n", paint.Strong("log of "+n.ID.String()))
	if v.Last < v.First {
		b.WriteString("  empty\n")
		return
	}
	t := plainTable()
	ships := false
	for at := v.First; at <= v.Last; at++ {
		e, err := n.Entry(at)
		if err != nil {
			panic("reports: " + err.Error()) // the view was made of this log
		}
		ships = ships || e.Effect != nil
	}
	head := table.Row{"position", epochWord(v.Of.Protocol), "command", "durable", "committed", "applied"}
	if ships {
		head = append(head, "ships")
	}
	t.AppendRow(head)
	for at := v.First; at <= v.Last; at++ {
		e, _ := n.Entry(at)
		row := table.Row{e.Position, e.Epoch, entryText(e), yes(n.Durable(at)), yes(n.Up && at <= n.View.Commit), yes(n.Up && at <= n.View.Applied)}
		if ships {
			row = append(row, shipped(e))
		}
		t.AppendRow(row)
	}
	writeTable(b, t, "  ")
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "-"
}

// entryText prints who asked for what, or what a position without a command holds.
func entryText(e *protocols.LogEntry) string {
	if e.Command.Client >= 0 {
		if e.Text == "" {
			return "no command"
		}
		return Clean(e.Text)
	}
	return e.Command.Client.String() + " " + e.Command.String()
}

func shipped(e *protocols.LogEntry) string {
	if e.Effect == nil {
		return "the command"
	}
	return changesText(e.Effect.Changes)
}

func changesText(changes []protocols.Change) string {
	if len(changes) == 0 {
		return "no change"
	}
	var parts []string
	for _, c := range changes {
		parts = append(parts, changeText(c))
	}
	return strings.Join(parts, ", ")
}

// changeText prints a change; key 0 is that of the machines without keys.
func changeText(c protocols.Change) string {
	if c.Key == 0 {
		switch c.Kind {
		case protocols.ChangeSet:
			return fmt.Sprintf("= %d", c.Value)
		case protocols.ChangeAppend:
			return fmt.Sprintf("+= %d", c.Value)
		}
		return "deleted"
	}
	return c.String()
}

// writeRecoveries writes what crashes of the node lost, and what its boots found.
func writeRecoveries(b *bufio.Writer, v *LogView, paint Paint) {
	t := plainTable()
	for i := range v.Of.History {
		r := &v.Of.History[i]
		if r.Node != v.Node.ID || r.Boot && r.Life == 0 {
			continue // a first boot finds an empty disk
		}
		what := r.Text()
		if what == "" {
			what = "nothing"
		}
		if r.Boot {
			made := fmt.Sprintf("→ %s %d, log to %d", epochWord(v.Of.Protocol), r.Epoch, r.Last)
			t.AppendRow(table.Row{Duration(int64(r.At)), "boots, finds", what, made})
			continue
		}
		t.AppendRow(table.Row{Duration(int64(r.At)), "crashes, loses", what})
	}
	if t.Length() > 0 {
		fmt.Fprintf(b, "\n%s\n", paint.Strong("crashes and recoveries of "+v.Node.ID.String()))
		writeTable(b, t, "  ")
	}
}

// writeRebuilt writes the table as of a position.
func writeRebuilt(b *bufio.Writer, v *LogView, paint Paint) {
	r := v.Table
	fmt.Fprintf(b, "\n%s\n", paint.Strong(fmt.Sprintf("table of %s at position %d", v.Node.ID, r.Position)))
	rows := r.Table.Rows()
	if len(rows) == 0 {
		b.WriteString("  empty\n")
	}
	for _, row := range rows {
		fmt.Fprintf(b, "  %s\n", row)
	}
	fmt.Fprintf(b, "  state %s, client sessions included\n", hex(r.Hash))
}

// writeChangelog writes the changes between two positions.
func writeChangelog(b *bufio.Writer, v *LogView, paint Paint) {
	c := v.Changelog
	fmt.Fprintf(b, "\n%s\n", paint.Strong(fmt.Sprintf("changelog of %s, after position %d up to %d", v.Node.ID, c.From, c.To)))
	if len(c.Steps) == 0 {
		b.WriteString("  no change\n")
		return
	}
	t := plainTable()
	for _, s := range c.Steps {
		t.AppendRow(table.Row{s.Entry.Position, changesText(s.Changes), "by " + entryText(s.Entry)})
	}
	writeTable(b, t, "  ")
}

// writeParting writes where two logs part.
func writeParting(b *bufio.Writer, v *LogView, paint Paint) {
	p := v.Parting
	fmt.Fprintf(b, "\n%s\n", paint.Strong(fmt.Sprintf("logs of %s and %s", p.A.ID, p.B.ID)))
	switch {
	case p.Same >= p.From:
		fmt.Fprintf(b, "  equal at %s\n", span(p.From, p.Same))
	case p.Parting.A != nil || p.Parting.B != nil:
		b.WriteString("  no position in common\n")
	}
	at := p.Same + 1
	switch {
	case p.Parting.A == nil && p.Parting.B == nil:
		b.WriteString("  they end there, both\n")
	case p.Parting.B == nil:
		fmt.Fprintf(b, "  %s ends there, %s goes on to %d\n", p.B.ID, p.A.ID, p.A.Last)
	case p.Parting.A == nil:
		fmt.Fprintf(b, "  %s ends there, %s goes on to %d\n", p.A.ID, p.B.ID, p.B.Last)
	default:
		fmt.Fprintf(b, "  they part at %d\n", at)
		t := plainTable()
		for _, side := range []struct {
			n *scenarios.NodeLog
			e *protocols.LogEntry
		}{{p.A, p.Parting.A}, {p.B, p.Parting.B}} {
			committed := "not committed there"
			if side.n.Up && at <= side.n.View.Commit {
				committed = "committed there"
			}
			t.AppendRow(table.Row{side.n.ID.String(), fmt.Sprintf("%s %d", epochWord(v.Of.Protocol), side.e.Epoch), entryText(side.e), committed})
		}
		writeTable(b, t, "    ")
	}
}
