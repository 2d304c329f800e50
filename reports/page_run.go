package reports

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/reports/page"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/diagram"
)

const (
	ladderRungs   = 24            // positions shown of the logs, the last ones
	longestWindow = 1_500_000_000 // of a space-time diagram, in nanoseconds
	shownBars     = 400           // operations in one timeline
)

// WritePage writes the report of one run as an HTML page: the verdict, the figures, the
// faults, the replicas' logs, and messages and operations around the moment that counts.
// The run is repeated for it.
func WritePage(w io.Writer, sc *scenarios.Scenario, p *protocols.Protocol, r *scenarios.Result) error {
	doc := &page.Page{Title: fmt.Sprintf("%s, %s, seed %d", Clean(r.Scenario), Clean(r.Protocol), r.Seed), Lead: Clean(sc.Why), Verdict: r.Verdict.String()}
	s := doc.Section("What happened")
	var text bytes.Buffer
	if err := WriteRun(&text, r, sc.Why, false); err != nil {
		return err
	}
	s.Pre("", text.String())
	if err := addRun(doc, sc, p, r.Seed, ""); err != nil {
		return err
	}
	return doc.Write(w)
}

// addRun repeats a run and adds what it looks like around the moment that counts.
// prefix goes before the titles of the sections.
func addRun(doc *page.Page, sc *scenarios.Scenario, p *protocols.Protocol, seed uint64, prefix string) error {
	r := scenarios.Run(sc, p, seed, scenarios.Options{History: true, Trace: true})
	if r.Err != nil {
		return r.Err
	}
	from, to := momentOf(r)
	addFaults(doc.Section(prefix+"Faults"), r)
	s := doc.Section(prefix + "Logs of the replicas")
	at := to
	if len(r.Violations) > 0 || int64(at) >= int64(r.Virtual)*1_000_000 {
		at = 0
	}
	if x, err := scenarios.Examine(sc, p, seed, at); err != nil {
		s.Note("There are no logs to show: " + Clean(err.Error()))
	} else if l := ladderOf(x); len(l.Rows) > 0 {
		s.Ladder(l)
	} else {
		s.Text("All logs are empty.")
	}
	addDiagram(doc.Section(prefix+"Messages"), p, r, from, to)
	addOperations(doc.Section(prefix+"Operations"), r, from, to)
	return nil
}

// momentOf returns the window to look at: before the first violation, else around the
// first fault that hit somebody, else the start.
func momentOf(r *scenarios.Result) (from, to protocols.Time) {
	end := protocols.Time(int64(r.Virtual)*1_000_000 + 1_000_000)
	if len(r.Violations) > 0 {
		at := protocols.Time(r.Violations[0].AtNS) + 1_000_000
		return max(0, at-longestWindow), at
	}
	for _, f := range r.Faults {
		if f.Resolved != "" {
			from = max(0, protocols.Time(f.StartNS)-20_000_000)
			return from, min(end, from+longestWindow)
		}
	}
	return 0, min(end, longestWindow)
}

func addFaults(s *page.Section, r *scenarios.Result) {
	if len(r.Faults) == 0 {
		s.Text("No fault was planned.")
		return
	}
	var lanes []page.Lane
	var rows [][]string
	for _, f := range r.Faults {
		name := Clean(strings.TrimSpace(f.Kind + " " + f.Target))
		what := "changed nothing"
		if f.Effective {
			what = Clean(f.How)
		}
		row := []string{fmt.Sprint(f.ID), name, Clean(f.State), "nobody", "", "", what}
		if f.Resolved != "" {
			row[3], row[4], row[5] = Clean(f.Resolved), Duration(f.StartNS), Duration(f.EndNS)
			lanes = append(lanes, page.Lane{Name: name, Bars: []page.Bar{{From: f.StartNS, To: f.EndNS, Label: Clean(f.Resolved), Bad: !f.Effective,
				Title: fmt.Sprintf("%s hits %s from %s to %s: %s", name, Clean(f.Resolved), row[4], row[5], what)}}})
		}
		rows = append(rows, row)
	}
	if len(lanes) > 0 {
		s.SVG("When each fault was active, and whom it hit; dashed: it changed nothing", page.Timeline(lanes, 0, int64(r.Virtual)*1_000_000, Duration))
	}
	s.Table("The fault plan as it struck", []string{"fault", "what", "state", "hit", "from", "to", "effect"}, rows)
}

// ladderOf shows the last positions of all logs.
func ladderOf(x *scenarios.Examination) *page.Ladder {
	l := &page.Ladder{}
	first, last := protocols.Index(0), protocols.Index(0)
	for i := range x.Nodes {
		n := &x.Nodes[i]
		name := n.ID.String()
		if !n.Up {
			name += " (down: its disk)"
		}
		l.Replicas = append(l.Replicas, name)
		last = max(last, n.Last)
		if i == 0 || n.First < first {
			first = n.First
		}
	}
	cut := ""
	if last >= first+ladderRungs {
		cut = fmt.Sprintf("; positions %d to %d are left out", first, last-ladderRungs)
		first = last - ladderRungs + 1
	}
	l.Caption = fmt.Sprintf("Position by replica %s: the %s in which each entry was made, which also gives the colour; ✓ and a thick border: committed there; ◌ and a dashed border: not durable there%s", moment(x), epochWord(x.Protocol), cut)
	for at := first; at <= last; at++ {
		rung := page.Rung{Position: uint64(at)}
		for i := range x.Nodes {
			n := &x.Nodes[i]
			cell := page.Cell{}
			if e, err := n.Entry(at); err == nil {
				cell = page.Cell{Held: true, Epoch: e.Epoch, Committed: n.Up && at <= n.View.Commit, Durable: n.Durable(at), Entry: entryText(e)}
			}
			rung.Cells = append(rung.Cells, cell)
		}
		l.Rows = append(l.Rows, rung)
	}
	return l
}

// addDiagram draws as much of the window as the diagram has room for: its end where a
// violation is, else its start.
func addDiagram(s *page.Section, p *protocols.Protocol, r *scenarios.Result, from, to protocols.Time) {
	run := diagram.Run{Protocol: p, Cluster: r.Cluster, Trace: r.Trace, Faults: r.FaultLog, End: to}
	for from < to {
		o := diagram.Options{Title: Clean(r.Scenario) + ", " + Clean(p.Name), Subtitle: "from " + Duration(int64(from)) + " to " + Duration(int64(to)), From: from, To: to}
		svg, err := diagram.SVG(run, o)
		if err == nil {
			s.Image("Messages from "+Duration(int64(from))+" to "+Duration(int64(to)), "Space-time diagram: one vertical line per node, one arrow per message", svg)
			return
		}
		half := (to - from) / 2
		if half < 1000 {
			s.Note("No window is small enough for a diagram: " + Clean(err.Error()))
			return
		}
		if len(r.Violations) > 0 {
			from = to - half
		} else {
			to = from + half
		}
	}
}

func addOperations(s *page.Section, r *scenarios.Result, from, to protocols.Time) {
	lanes := map[int]int{}
	var list []page.Lane
	var rows [][]string
	total := 0
	ops := slices.Clone(r.History)
	slices.SortStableFunc(ops, func(a, b protocols.Operation) int { return int(b.Client) - int(a.Client) })
	for i := range ops {
		op := &ops[i]
		ended, end := op.Ended, Duration(int64(op.Ended))
		if ended < op.Began {
			ended, end = to, "still waiting"
		}
		if ended < from || op.Began > to {
			continue
		}
		if total++; total > shownBars {
			continue
		}
		at, known := lanes[int(op.Client)]
		if !known {
			at = len(list)
			lanes[int(op.Client)] = at
			list = append(list, page.Lane{Name: op.Client.String()})
		}
		what, came := Clean(op.Command.String()), Clean(op.Outcome.String())
		if op.Outcome == protocols.Done {
			came = fmt.Sprintf("%s, %d", came, op.Value)
		}
		list[at].Bars = append(list[at].Bars, page.Bar{From: int64(op.Began), To: int64(ended), Label: what, Bad: op.Outcome != protocols.Done,
			Title: what + ": " + came + " after " + Duration(int64(ended.Sub(op.Began)))})
		rows = append(rows, []string{op.Client.String(), what, Duration(int64(op.Began)), end, came, nodeText(op.Node)})
	}
	if total == 0 {
		s.Text("No client had an operation in this window.")
		return
	}
	if total > shownBars {
		s.Note(fmt.Sprintf("Cut after %d of %d operations in this window.", shownBars, total))
	}
	s.SVG("Operations of each client from call to result; dashed: failed, or outcome unknown", page.Timeline(list, int64(from), int64(to), Duration))
	s.Table("The same operations", []string{"client", "operation", "called", "ended", "outcome", "answered by"}, rows)
}

func nodeText(id protocols.NodeID) string {
	if id == protocols.Nobody {
		return ""
	}
	return id.String()
}
