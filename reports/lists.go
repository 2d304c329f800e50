package reports

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// List is one thing that can be listed.
type List struct {
	Name, Short string
	write       func(b *bufio.Writer, protocolList []*protocols.Protocol, paint Paint)
}

// Write writes the list.
func (l List) Write(w io.Writer, protocolList []*protocols.Protocol, paint Paint) error {
	b := bufio.NewWriter(w)
	l.write(b, protocolList, paint)
	return b.Flush()
}

// Lists holds everything that can be listed.
var Lists = []List{
	{"scenarios", "The shipped scenarios", listScenarios},
	{"protocols", "The protocols and their parameters", listProtocols},
	{"checks", "What every run is checked for", listChecks},
	{"faults", "The faults that a plan can hold", listFaults},
	{"bugs", "The known bugs that can be switched on", listBugs},
	{"targets", "The words that say whom a fault hits", listTargets},
	{"events", "The events that a fault can wait for", listEvents},
	{"metrics", "The metrics that expectations and probes can bound", listMetrics},
	{"probes", "The rare situations that runs count", listProbes},
	{"matrices", "The built-in matrices of round trips between regions", listMatrices},
	{"cpus", "The built-in CPU costs", listCPUs},
	{"keys", "The keys of a scenario file", listKeys},
}

// listWidth is where the last column of a list is wrapped.
const listWidth = 76

func writeList(b *bufio.Writer, indent string, header table.Row, rows []table.Row) {
	t := plainTable()
	if header != nil {
		t.AppendHeader(header)
	}
	t.Style().Format.Header = text.FormatDefault
	last := 0
	for _, r := range rows {
		last = max(last, len(r))
	}
	t.SetColumnConfigs([]table.ColumnConfig{{Number: last, WidthMax: listWidth, WidthMaxEnforcer: text.WrapSoft}})
	t.AppendRows(rows)
	writeBlock(b, indent, t.Render())
}

func listScenarios(b *bufio.Writer, list []*protocols.Protocol, paint Paint) {
	for i, g := range scenarios.Groups() {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "%s\n", paint.Strong(g.Text))
		var rows []table.Row
		for _, name := range g.Names {
			why := ""
			if sc, _, err := scenarios.Load(name, list); err != nil {
				why = "not for these protocols: " + CleanLines(err.Error())
			} else {
				why = Clean(sc.Why)
			}
			rows = append(rows, table.Row{Clean(name), why})
		}
		writeList(b, "  ", nil, rows)
	}
}

func listProtocols(b *bufio.Writer, list []*protocols.Protocol, paint Paint) {
	for i, p := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		writeProtocol(b, p, paint)
	}
}

// writeProtocol writes what a protocol is, its messages, records and parameters.
func writeProtocol(b *bufio.Writer, p *protocols.Protocol, paint Paint) {
	fmt.Fprintf(b, "%s  %s\n", paint.Strong(Clean(p.Name)), Clean(p.Title))
	for _, paragraph := range []string{p.Paper, p.Doc} {
		if paragraph != "" {
			writeBlock(b, "  ", text.WrapSoft(Clean(paragraph), 96))
		}
	}
	for _, kinds := range []struct {
		word string
		list []protocols.KindInfo
	}{{"messages", p.Messages}, {"records", p.Records}} {
		if len(kinds.list) > 0 {
			writeBlock(b, "  ", text.WrapSoft(Clean(kinds.word+": "+kindNames(kinds.list)), 96))
		}
	}
	var rows []table.Row
	for _, q := range scenarios.ParametersList(p) {
		rows = append(rows, table.Row{Clean(q.Name), Clean(q.Type), Clean(q.Default), Clean(q.Doc)})
	}
	if len(rows) > 0 {
		writeList(b, "  ", table.Row{"parameter", "type", "default", ""}, rows)
	}
}

func kindNames(list []protocols.KindInfo) string {
	names := make([]string, len(list))
	for i, k := range list {
		names[i] = k.Name
	}
	return strings.Join(names, ", ")
}

// listChecks lists each check with the protocols that have it.
func listChecks(b *bufio.Writer, list []*protocols.Protocol, _ Paint) {
	const replicas = 3 // the checks are the same in clusters of any size
	having := map[string][]string{}
	for _, p := range list {
		for _, c := range scenarios.Checks([]*protocols.Protocol{p}, replicas) {
			having[c.ID] = append(having[c.ID], p.Name)
		}
	}
	var rows []table.Row
	for _, c := range scenarios.Checks(list, replicas) {
		who := "all"
		if len(having[c.ID]) < len(list) {
			who = strings.Join(having[c.ID], ", ")
		}
		rows = append(rows, table.Row{Clean(c.ID), Clean(who), Clean(c.Text)})
	}
	writeList(b, "", table.Row{"check", "protocols", ""}, rows)
}

func listFaults(b *bufio.Writer, list []*protocols.Protocol, _ Paint) {
	var rows []table.Row
	for _, f := range sim.FaultKinds() {
		rows = append(rows, table.Row{string(f.Kind), Clean(f.Text)})
		if example := scenarios.FaultExample(f.Kind); example != "" {
			rows = append(rows, table.Row{"", example})
		}
	}
	writeList(b, "", nil, rows)
}

func listBugs(b *bufio.Writer, list []*protocols.Protocol, _ Paint) {
	var rows []table.Row
	for _, p := range list {
		for _, bug := range p.Bugs {
			what := bug.Title
			if bug.Source != "" {
				what += " (" + bug.Source + ")"
			}
			rows = append(rows, table.Row{Clean(p.Name), Clean(bug.ID), Clean(string(bug.Class)), Clean(bug.Caught), Clean(what)})
		}
	}
	writeList(b, "", table.Row{"protocol", "bug", "class", "caught by", ""}, rows)
	b.WriteString("\nSee one: lockstep run BUG\nSwitch one on in a scenario: parameters: {PROTOCOL: {bugs: [BUG]}}\n" +
		"For any protocol: early: [MESSAGE] sends before what it claims is durable, lose: [RECORD] never writes it.\n")
}

func listTargets(b *bufio.Writer, _ []*protocols.Protocol, _ Paint) {
	rows := []table.Row{{"n1 n2 …", "replicas"}, {"s1 …", "services of the protocol"}, {"c1 …", "clients"}}
	for _, t := range sim.TargetWords() {
		rows = append(rows, table.Row{t.Word, t.Text})
	}
	for _, a := range sim.TargetAliases() {
		rows = append(rows, table.Row{a[0], "the same as " + a[1]})
	}
	writeList(b, "", nil, rows)
}

func listEvents(b *bufio.Writer, _ []*protocols.Protocol, _ Paint) {
	var rows []table.Row
	for _, f := range sim.TriggerForms() {
		rows = append(rows, table.Row{f.Form, f.Text})
	}
	writeList(b, "", nil, rows)
}

func listMetrics(b *bufio.Writer, _ []*protocols.Protocol, _ Paint) {
	var rows []table.Row
	for _, m := range scenarios.Metrics() {
		rows = append(rows, table.Row{m.Name, m.Doc})
	}
	writeList(b, "", nil, rows)
}

func listProbes(b *bufio.Writer, list []*protocols.Protocol, _ Paint) {
	var rows []table.Row
	for _, p := range scenarios.Probes(list) {
		rows = append(rows, table.Row{Clean(p.ID), Clean(p.Text)})
	}
	writeList(b, "", nil, rows)
}

func listMatrices(b *bufio.Writer, _ []*protocols.Protocol, paint Paint) {
	for i, m := range sim.Matrices() {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "%s\n", paint.Strong(m.Name))
		writeList(b, "  ", nil, []table.Row{{sentence(m.Source)}})
		header := table.Row{""}
		var rows []table.Row
		for _, from := range m.Regions {
			header = append(header, from)
			row := table.Row{from}
			for _, to := range m.Regions {
				trip, _ := m.Between(from, to)
				row = append(row, sim.FormatDuration(trip))
			}
			rows = append(rows, row)
		}
		writeList(b, "  ", header, rows)
	}
	b.WriteString("\nNetwork of a scenario: {regions: [REGION, …], matrix: MATRIX}\n")
}

func listCPUs(b *bufio.Writer, _ []*protocols.Protocol, _ Paint) {
	var rows []table.Row
	for _, p := range sim.CPUPresets() {
		c := p.CPU
		costs := fmt.Sprintf("receive %s, send %s, kilobyte %s, apply %s", sim.FormatDuration(c.Receive), sim.FormatDuration(c.Send), sim.FormatDuration(c.Kilobyte), sim.FormatDuration(c.Apply))
		if c.Broadcast {
			costs += ", broadcast"
		}
		rows = append(rows, table.Row{p.Name, costs}, table.Row{"", sentence(p.Source)})
	}
	writeList(b, "", nil, rows)
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

func listKeys(b *bufio.Writer, _ []*protocols.Protocol, _ Paint) {
	var rows []table.Row
	for _, k := range scenarios.Keys() {
		doc := k.Doc
		if k.Default != "" {
			doc += " Default: " + k.Default
		}
		rows = append(rows, table.Row{k.Path, doc})
	}
	writeList(b, "", nil, rows)
	b.WriteString("\nThe parameters of the protocols: lockstep list protocols\n")
}
