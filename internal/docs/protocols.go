package docs

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// protocolTables are those of a protocol's page.
var protocolTables = map[string]func(*protocols.Protocol) string{
	"parameters": parameterTable, "survives": survivalTable, "invariants": invariantTable, "bugs": bugTable,
}

func parameterTable(p *protocols.Protocol) string {
	var b strings.Builder
	b.WriteString("| parameter | type | default | meaning |\n|---|---|---|---|\n")
	for _, f := range scenarios.ParametersList(p) {
		value := ""
		if f.Default != "" {
			value = "`" + cell(f.Default) + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, f.Type, value, cell(f.Doc))
	}
	return b.String()
}

// survivalTable says under which faults the protocol stays safe with its default
// parameters.
func survivalTable(p *protocols.Protocol) string {
	var b strings.Builder
	b.WriteString("| fault | stays safe with |\n|---|---|\n")
	if p.Survives == nil {
		return b.String()
	}
	var parameters any
	if p.Parameters != nil {
		parameters = p.Parameters()
	}
	for _, f := range sim.FaultKinds() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.Kind, hits(p.Survives(f.Kind, parameters, 3), p.Survives(f.Kind, parameters, 5)))
	}
	return b.String()
}

// hits says how many nodes of 3 and of 5 may be hit at once.
func hits(of3, of5 int) string {
	switch {
	case of3 < 0 && of5 < 0:
		return "any number of nodes hit"
	case of3 == 0 && of5 == 0:
		return "none: outside the model"
	}
	return fmt.Sprintf("at most %d of 3 or %d of 5 nodes hit at once", of3, of5)
}

func invariantTable(p *protocols.Protocol) string {
	var b strings.Builder
	b.WriteString("| id | what holds |\n|---|---|\n")
	if p.Invariants == nil {
		return b.String()
	}
	var parameters any
	if p.Parameters != nil {
		parameters = p.Parameters()
	}
	for _, o := range p.Invariants(protocols.Cluster{Replicas: 3}, parameters) {
		for _, c := range o.Checks() {
			fmt.Fprintf(&b, "| %s | %s |\n", c.ID, cell(c.Text))
		}
	}
	return b.String()
}

func bugTable(p *protocols.Protocol) string {
	var b strings.Builder
	b.WriteString("| id | what the code then does wrong | source | caught by |\n|---|---|---|---|\n")
	for _, bug := range p.Bugs {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", bug.ID, cell(bug.Title), cell(bug.Source), cell(bug.Caught))
	}
	return b.String()
}
