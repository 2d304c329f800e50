package reports

import (
	"bytes"
	"cmp"
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
	m := sceneOf(sc, p, r)
	addFaults(doc.Section(prefix+"Faults"), r)
	s := doc.Section(prefix + "Logs of the replicas")
	at := m.to
	if len(r.Violations) > 0 && len(m.guilty) == 0 || int64(at) >= int64(r.Virtual)*1_000_000 {
		at = 0
	}
	if x, err := scenarios.Examine(sc, p, seed, at); err != nil {
		s.Note("There are no logs to show: " + Clean(err.Error()))
	} else if l := ladderOf(x); len(l.Rows) > 0 {
		s.Ladder(l)
	} else {
		s.Text("All logs are empty.")
	}
	addDiagram(doc.Section(prefix+"Messages"), p, r, m)
	addOperations(doc.Section(prefix+"Operations"), r, m)
	return nil
}

// scene is what counts in a run.
type scene struct {
	from, to protocols.Time
	atEnd    bool                  // what counts is at its end: of a narrower window the end is shown
	guilty   []protocols.Operation // those that cannot be put into one order
}

// sceneOf returns the window to look at: around the operations that contradict each
// other where the first check that broke is about them, before another violation, else
// around the first fault that hit somebody, else the start.
func sceneOf(sc *scenarios.Scenario, p *protocols.Protocol, r *scenarios.Result) scene {
	end := protocols.Time(int64(r.Virtual)*1_000_000 + 1_000_000)
	if len(r.Violations) > 0 {
		to := protocols.Time(r.Violations[0].AtNS) + 1_000_000
		m := scene{from: max(0, to-longestWindow), to: to, atEnd: true}
		if r.Violations[0].Check == scenarios.Linearizability {
			guilty, _ := contradiction(sc, p, r)
			m.around(guilty)
		}
		return m
	}
	for _, f := range r.Faults {
		if f.Resolved != "" {
			from := max(0, protocols.Time(f.StartNS)-20_000_000)
			return scene{from: from, to: min(end, from+longestWindow)}
		}
	}
	return scene{to: min(end, longestWindow)}
}

// around moves a scene to some operations, and to the last ones where they are far
// apart.
func (m *scene) around(ops []protocols.Operation) {
	const margin = 5_000_000
	if len(ops) == 0 {
		return
	}
	from, to := ops[0].Began, protocols.Time(0)
	for i := range ops {
		from = min(from, ops[i].Began)
		to = max(to, ops[i].Began, ops[i].Ended)
	}
	m.to = to + margin
	m.from, m.guilty = max(0, from-margin, m.to-longestWindow), ops
}

// narrower returns the half of a scene that counts.
func (m scene) narrower() scene {
	if half := (m.to - m.from) / 2; m.atEnd {
		m.from = m.to - half
	} else {
		m.to = m.from + half
	}
	return m
}

func (m scene) String() string {
	return "from " + Instant(int64(m.from)) + " to " + Instant(int64(m.to))
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
			row[3], row[4], row[5] = Clean(f.Resolved), Instant(f.StartNS), Instant(f.EndNS)
			lanes = append(lanes, page.Lane{Name: name, Bars: []page.Bar{{From: f.StartNS, To: f.EndNS, Label: Clean(f.Resolved), Bad: !f.Effective,
				Title: fmt.Sprintf("%s hits %s from %s to %s: %s", name, Clean(f.Resolved), row[4], row[5], what)}}})
		}
		rows = append(rows, row)
	}
	if len(lanes) > 0 {
		s.SVG("When each fault was active, and whom it hit; dashed: it changed nothing", page.Timeline(lanes, 0, int64(r.Virtual)*1_000_000, Instant))
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

// shownClients is how many clients a diagram has where none is at fault: each takes room
// beside the replicas.
const shownClients = 3

// drawnNodes returns who is drawn: the clients at fault, or the first few, and all nodes.
func drawnNodes(r *scenarios.Result, m scene) []protocols.NodeID {
	var lanes []protocols.NodeID
	for i := range m.guilty {
		if c := m.guilty[i].Client; !slices.Contains(lanes, c) {
			lanes = append(lanes, c)
		}
	}
	for i := range r.History {
		if c := r.History[i].Client; len(m.guilty) == 0 && int(-c) <= shownClients && !slices.Contains(lanes, c) {
			lanes = append(lanes, c)
		}
	}
	slices.SortFunc(lanes, func(a, b protocols.NodeID) int { return cmp.Compare(b, a) })
	for n := 1; n <= r.Cluster.Nodes(); n++ {
		lanes = append(lanes, protocols.NodeID(n))
	}
	return lanes
}

// addDiagram draws as much of the window as the diagram has room for.
func addDiagram(s *page.Section, p *protocols.Protocol, r *scenarios.Result, m scene) {
	run := diagram.Run{Protocol: p, Cluster: r.Cluster, Trace: r.Trace, Faults: r.FaultLog, End: m.to}
	lanes := drawnNodes(r, m)
	for {
		o := diagram.Options{Title: Clean(r.Scenario) + ", " + Clean(p.Name), Subtitle: m.String(), From: m.from, To: m.to, Lanes: lanes}
		svg, err := diagram.SVG(run, o)
		if err == nil {
			s.Image("Messages "+m.String()+", of the nodes and clients shown", "Space-time diagram: one vertical line per node, one arrow per message", svg)
			return
		}
		if m = m.narrower(); m.to-m.from < 1000 {
			s.Note("No window is small enough for a diagram: " + Clean(err.Error()))
			return
		}
	}
}

// within returns the operations that were under way in a window, client by client.
func within(r *scenarios.Result, m scene) []protocols.Operation {
	var ops []protocols.Operation
	for i := range r.History {
		op := r.History[i]
		if op.Began <= m.to && (op.Ended < op.Began || op.Ended >= m.from) {
			ops = append(ops, op)
		}
	}
	slices.SortStableFunc(ops, func(a, b protocols.Operation) int { return cmp.Compare(b.Client, a.Client) })
	return ops
}

// operationHead are the columns of a table of operations.
var operationHead = []string{"client", "operation", "called", "ended", "outcome", "answered by"}

// operationRow is an operation as a row of such a table, and when it ended at the latest.
func operationRow(op *protocols.Operation, latest protocols.Time) ([]string, protocols.Time) {
	ended, end := op.Ended, Instant(int64(op.Ended))
	if ended < op.Began {
		ended, end = latest, "still waiting"
	}
	came := Clean(op.Outcome.String())
	if op.Outcome == protocols.Done {
		came = fmt.Sprintf("%s, %d", came, op.Value)
	}
	return []string{op.Client.String(), Clean(op.Command.String()), Instant(int64(op.Began)), end, came, nodeText(op.Node)}, ended
}

func addOperations(s *page.Section, r *scenarios.Result, m scene) {
	if len(m.guilty) > 0 {
		var rows [][]string
		for i := range m.guilty {
			row, _ := operationRow(&m.guilty[i], m.to)
			rows = append(rows, row)
		}
		s.Table("The fewest operations that cannot be put into one order", operationHead, rows)
	}
	ops := within(r, m)
	for len(ops) > shownBars && m.to-m.from > 1_000_000 {
		m = m.narrower()
		ops = within(r, m)
	}
	if len(ops) == 0 {
		s.Text("No client had an operation in this window.")
		return
	}
	if len(ops) > shownBars {
		s.Note(fmt.Sprintf("Cut after %d of %d operations in this window.", shownBars, len(ops)))
		ops = ops[:shownBars]
	}
	var list []page.Lane
	var rows [][]string
	for i := range ops {
		op := &ops[i]
		if i == 0 || op.Client != ops[i-1].Client {
			list = append(list, page.Lane{Name: op.Client.String()})
		}
		row, ended := operationRow(op, m.to)
		lane := &list[len(list)-1]
		lane.Bars = append(lane.Bars, page.Bar{From: int64(op.Began), To: int64(ended), Label: row[1], Bad: op.Outcome != protocols.Done,
			Title: row[1] + ": " + row[4] + " after " + Duration(int64(ended.Sub(op.Began)))})
		rows = append(rows, row)
	}
	s.SVG("Operations of each client from call to result, "+m.String()+"; dashed: failed, or outcome unknown", page.Timeline(list, int64(m.from), int64(m.to), Instant))
	s.Table("The same operations", operationHead, rows)
}

func nodeText(id protocols.NodeID) string {
	if id == protocols.Nobody {
		return ""
	}
	return id.String()
}
