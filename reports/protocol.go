package reports

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// lawSizes are the cluster sizes of a table of laws.
var lawSizes = []int{1, 3, 5, 7}

// WriteProtocol writes all that a protocol says of itself: paper, what is in and out,
// words, parameters, fault model, known bugs, and the laws of its costs, which tests
// hold it to.
func WriteProtocol(w io.Writer, p *protocols.Protocol, paint Paint) error {
	b := bufio.NewWriter(w)
	writeProtocol(b, p, paint)
	b.WriteByte('\n')
	for _, words := range []struct {
		what  string
		names []string
	}{{"epoch", []string{p.EpochWord}}, {"roles", p.Roles}, {"timers", p.Timers}} {
		if line := strings.Join(words.names, ", "); line != "" {
			writeBlock(b, "  ", text.WrapSoft(Clean(words.what+": "+line), 96))
		}
	}
	writeModel(b, p)
	writeBugs(b, p)
	writeLaws(b, p)
	return b.Flush()
}

// modelSize is the cluster size for which the fault model is told.
const modelSize = 3

// writeModel writes what the protocol promises, and under which faults.
func writeModel(b *bufio.Writer, p *protocols.Protocol) {
	sc := scenarios.New("model")
	sc.Replicas = modelSize
	f, err := scenarios.ProfileOf(sc, p)
	if err != nil {
		fmt.Fprintf(b, "\nno model for %d replicas: %s\n", modelSize, CleanLines(err.Error()))
		return
	}
	fmt.Fprintf(b, "\nmodel, with the default parameters and %d replicas\n", modelSize)
	rows := []table.Row{
		{"promises", Clean(f.Guarantee.Text)},
		{"goes on with", fmt.Sprintf("%d replicas down", f.Down)},
		{"synced before an answer", fmt.Sprintf("%d replicas, measured", f.Synced)},
		{"notices a dead leader in", "at most " + sim.FormatDuration(f.Detection)},
	}
	if f.Services > 0 {
		rows = append(rows, table.Row{"beside the replicas", fmt.Sprintf("%d service nodes; it goes on with %d of them down", f.Services, f.ServicesDown)})
	}
	var any []string
	for _, kind := range sim.FaultKinds() {
		if !slices.ContainsFunc(f.Bounded, func(b scenarios.FaultBound) bool { return b.Kind == string(kind.Kind) }) {
			any = append(any, string(kind.Kind))
		}
	}
	rows = append(rows, table.Row{"stays safe under", strings.Join(any, ", ") + ": whoever is hit"})
	for _, bound := range f.Bounded {
		text := "outside the model"
		if bound.Most > 0 {
			text = fmt.Sprintf("at most %d replicas at once", bound.Most)
		}
		rows = append(rows, table.Row{bound.Kind, text})
	}
	writeList(b, "  ", nil, rows)
}

func writeBugs(b *bufio.Writer, p *protocols.Protocol) {
	if len(p.Bugs) == 0 {
		return
	}
	ids := make([]string, len(p.Bugs))
	for i, k := range p.Bugs {
		ids[i] = k.ID
	}
	b.WriteString("\nknown bugs that can be switched on\n")
	writeBlock(b, "  ", text.WrapSoft(Clean(strings.Join(ids, ", ")), 96))
}

// writeLaws writes the analytical model.
func writeLaws(b *bufio.Writer, p *protocols.Protocol) {
	if p.Laws == nil {
		return
	}
	b.WriteString("\nlaws: what one operation costs when nothing fails, exactly (d: one-way delay, w: one fsync)\n")
	header := table.Row{"operation", "parameters"}
	for _, n := range lawSizes {
		header = append(header, fmt.Sprintf("n=%d", n))
	}
	var rows []table.Row
	for _, l := range p.Laws() {
		row := table.Row{Clean(l.Name), Clean(l.Setting)}
		for _, n := range lawSizes {
			row = append(row, costText(l, n))
		}
		rows = append(rows, append(row, Clean(l.Source)))
	}
	writeList(b, "  ", append(header, "source"), rows)
	b.WriteString("  msgs: all messages of one operation, the client's request and the reply included\n")
}

// costText is one cell: "4d + w, 6 msgs".
func costText(l protocols.Law, n int) string {
	if l.Parameters(n) == nil {
		return "-"
	}
	c := l.Cost(n)
	s := fmt.Sprintf("%dd", c.Delays)
	switch {
	case c.Writes == 1:
		s += " + w"
	case c.Writes > 1:
		s += fmt.Sprintf(" + %dw", c.Writes)
	}
	return fmt.Sprintf("%s, %d msgs", s, c.Messages())
}
