package reports

import (
	"bufio"
	"io"
	"strings"

	"github.com/lockstep-sim/lockstep/reports/page"
)

// WritePage writes the comparison as an HTML page: what the protocols give, the table,
// the plots, and the first run of each protocol in detail.
func (c *Comparison) WritePage(w io.Writer, figures []NamedFigure) error {
	doc := &page.Page{Title: Clean(c.scenario) + ": a comparison", Lead: Clean(c.why)}
	s := doc.Section("What each protocol gives")
	g := c.guarantees()
	s.Table("Guarantees, and what they take", g[0], g[1:])
	if c.mixed() {
		s.Note(mixedText)
	}
	s = doc.Section("Figures")
	g = c.medians()
	s.Table("Medians with 95 % confidence intervals, and differences", g[0], g[1:])
	for line := range strings.SplitSeq(strings.TrimSpace(strings.ReplaceAll(c.caption(), ";\n", "; ")), "\n") {
		s.Text(line)
	}
	for _, f := range c.failures {
		var b strings.Builder
		buffer := bufio.NewWriter(&b)
		f.write(buffer, false)
		if err := buffer.Flush(); err != nil {
			return err
		}
		s.Pre("", b.String())
	}
	s = doc.Section("Plots")
	for _, f := range figures {
		svg, err := f.Figure.SVG()
		if err != nil {
			return err
		}
		s.SVG(f.Figure.title, svg)
	}
	for i, cell := range c.cells {
		if cell.first == i && cell.from.Protocol != nil {
			if err := addRun(doc, cell.from.Scenario, cell.from.Protocol, cell.runs[0].Seed, c.title(cell)+": "); err != nil {
				return err
			}
		}
	}
	return doc.Write(w)
}
