package reports

import (
	"bufio"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/lockstep-sim/lockstep/scenarios"
)

// writePlay writes the steps of a script with what came of each.
func writePlay(b *bufio.Writer, r *scenarios.Result, paint Paint) {
	if len(r.Play) == 0 {
		return
	}
	b.WriteString("\n" + paint.Strong("play") + "\n")
	for _, p := range r.Play {
		fmt.Fprintf(b, "  %s\n", paint.Strong(Clean(p.Step)))
		for _, l := range p.Lines {
			writeBlock(b, "      ", Clean(l))
		}
	}
}

// writeAdmin writes what became of the operator's plan: when, what, who was asked,
// and whether it was done.
func writeAdmin(b *bufio.Writer, r *scenarios.Result, paint Paint) {
	if len(r.Admin) == 0 {
		return
	}
	b.WriteString("\n" + paint.Strong("admin") + "\n")
	t := plainTable()
	for _, a := range r.Admin {
		how := paint.Odd(Clean(a.How))
		if a.Effective {
			how = paint.Good(Clean(a.How))
		}
		when, until, asked := Clean(a.State), "", "→ nobody"
		if a.Resolved != "" {
			when, until, asked = Duration(a.StartNS), "to "+Duration(a.EndNS), "→ "+Clean(a.Resolved)
		}
		t.AppendRow(table.Row{when, until, Clean(a.Kind), Clean(a.Target), asked, how})
	}
	writeTable(b, t, "  ")
}
