package docs

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/sim"
)

// verbTable lists the steps of scripts.
func verbTable() string {
	var b strings.Builder
	b.WriteString("| step | what it does | example |\n|---|---|---|\n")
	for _, v := range sim.Verbs() {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` |\n", v.Verb, cell(v.Text), cell(v.Example))
	}
	return b.String()
}
