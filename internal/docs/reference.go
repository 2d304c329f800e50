package docs

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// Reference returns text with everything between lines
//
//	<!-- generated: NAME -->
//	<!-- end -->
//
// replaced by the table of that name: keys, faults, targets, events, metrics, or the name of
// a protocol of the list and one of its tables: raft parameters, raft survives, raft
// invariants, raft bugs.
func Reference(text string, list []*protocols.Protocol) (string, error) {
	var out strings.Builder
	rest := text
	for {
		before, after, found := strings.Cut(rest, "<!-- generated: ")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, ok := strings.Cut(after, " -->\n")
		_, after, closed := strings.Cut(after, "<!-- end -->")
		if !ok || !closed {
			return "", fmt.Errorf("a generated part does not end: want <!-- generated: NAME --> … <!-- end -->")
		}
		table := tableOf(name, list)
		if table == nil {
			return "", fmt.Errorf("no table %q", name)
		}
		fmt.Fprintf(&out, "<!-- generated: %s -->\n%s<!-- end -->", name, table())
		rest = after
	}
}

// tableOf returns what writes the table of a name, or nil.
func tableOf(name string, list []*protocols.Protocol) func() string {
	if table := tables[name]; table != nil {
		return table
	}
	owner, what, _ := strings.Cut(name, " ")
	for _, p := range list {
		if table := protocolTables[what]; table != nil && p.Name == owner {
			return func() string { return table(p) }
		}
	}
	return nil
}

var tables = map[string]func() string{"keys": keyTable, "faults": faultTable, "targets": targetTable, "events": eventTable, "metrics": metricTable, "verbs": verbTable}

func keyTable() string {
	var b strings.Builder
	b.WriteString("| key | default | meaning |\n|---|---|---|\n")
	for _, k := range scenarios.Keys() {
		without := ""
		if k.Default != "" {
			without = "`" + cell(k.Default) + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Path, without, cell(k.Doc))
	}
	return b.String()
}

func faultTable() string {
	var b strings.Builder
	b.WriteString("| kind | what it does | example |\n|---|---|---|\n")
	for _, f := range sim.FaultKinds() {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` |\n", f.Kind, cell(f.Text), cell(scenarios.FaultExample(f.Kind)))
	}
	return b.String()
}

func targetTable() string {
	var b strings.Builder
	b.WriteString("| word | who |\n|---|---|\n")
	for _, w := range sim.TargetWords() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", w.Word, cell(w.Text))
	}
	for _, a := range sim.TargetAliases() {
		fmt.Fprintf(&b, "| `%s` | the same as `%s` |\n", a[0], a[1])
	}
	return b.String()
}

func eventTable() string {
	var b strings.Builder
	b.WriteString("| event | when it happens |\n|---|---|\n")
	for _, f := range sim.TriggerForms() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.Form, cell(f.Text))
	}
	return b.String()
}

var units = map[scenarios.Unit]string{
	scenarios.UnitCount: "a whole number", scenarios.UnitDuration: "a time: 48.2ms", scenarios.UnitPercent: "a share: 99.5%",
	scenarios.UnitDecimal: "a number: 8.02", scenarios.UnitRate: "a rate: 180.5/s",
}

func metricTable() string {
	var b strings.Builder
	b.WriteString("| metric | meaning | bound |\n|---|---|---|\n")
	for _, m := range scenarios.Metrics() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.Name, cell(m.Doc), units[m.Unit])
	}
	return b.String()
}

// cell makes text fit for a cell of a Markdown table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", `\|`), "\n", " ")
}
