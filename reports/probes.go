package reports

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/lockstep-sim/lockstep/scenarios"
)

// WriteProbes writes how often the runs came to each probe, and which they never
// came to.
func (c *Campaign) WriteProbes(w io.Writer, paint Paint) error {
	return WriteProbes(w, c.probes, paint)
}

// WriteProbes writes counts of probes, as [scenarios.AddProbes] sums them up.
func WriteProbes(w io.Writer, counts []scenarios.ProbeCount, paint Paint) error {
	b := bufio.NewWriter(w)
	var rows []table.Row
	var never []string
	for _, p := range counts {
		if p.Count == 0 {
			never = append(never, Clean(p.ID))
			continue
		}
		rows = append(rows, table.Row{Clean(p.ID), p.Count})
	}
	fmt.Fprintf(b, "%s %d of %d reached\n", paint.Strong("probes"), len(rows), len(counts))
	writeList(b, "  ", nil, rows)
	if len(never) > 0 {
		fmt.Fprintf(b, "never reached: %s\n", strings.Join(never, ", "))
	}
	return b.Flush()
}
