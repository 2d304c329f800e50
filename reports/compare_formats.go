package reports

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// ComparisonFormats lists what [Comparison.WriteFormat] can write.
func ComparisonFormats() []string { return []string{"text", "markdown", "json", "csv", "benchfmt"} }

// WriteFormat writes the comparison in one of the formats: text is [Comparison.Write],
// json [Comparison.WriteJSON], csv [Comparison.WriteCSV], markdown
// [Comparison.WriteMarkdown] and benchfmt [Comparison.WriteBenchmark].
func (c *Comparison) WriteFormat(w io.Writer, format string, paint Paint) error {
	switch format {
	case "text":
		return c.Write(w, paint)
	case "markdown":
		return c.WriteMarkdown(w)
	case "json":
		return c.WriteJSON(w)
	case "csv":
		return c.WriteCSV(w)
	case "benchfmt":
		return c.WriteBenchmark(w)
	}
	return fmt.Errorf("no format %q: want one of %s", format, strings.Join(ComparisonFormats(), ", "))
}

// grid is a table of plain texts: what stands in the first row are headings, and so is
// what stands in the first column.
type grid [][]string

// guarantees is the table of what the protocols give.
func (c *Comparison) guarantees() grid {
	list := c.profiles()
	g := grid{{""}}
	for i := range list {
		g[0] = append(g[0], list[i].name)
	}
	for _, r := range profileRows {
		row := []string{r.name}
		for i := range list {
			row = append(row, Clean(r.text(&list[i].Profile)))
		}
		g = append(g, row)
	}
	return g
}

// medians is the table of medians of the cells: beside each median its interval, below
// it the difference from the baseline.
func (c *Comparison) medians() grid {
	head, ok, lost, holds := []string{Clean(c.key)}, []string{"runs ok"}, []string{"lost writes"}, []string{"what holds"}
	for _, cell := range c.cells {
		head, ok, lost = append(head, c.title(cell)), append(ok, cell.ok(false)), append(lost, fmt.Sprint(cell.lost()))
		holds = append(holds, cell.strongest())
	}
	g := grid{head, ok}
	if c.lossy() {
		g = append(g, lost)
	}
	g = append(g, holds)
	for m := range metrics {
		row := []string{metrics[m].name}
		for i, cell := range c.cells {
			text := cell.median(&metrics[m])
			if base := c.baseline(i); base >= 0 {
				text += " " + differenceOf(c.cells[base], cell, &metrics[m]).String()
			}
			row = append(row, text)
		}
		g = append(g, row)
	}
	return g
}

// WriteMarkdown writes the two tables as Markdown, to paste into a page or an issue.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	c.guarantees().markdown(b)
	if c.mixed() {
		fmt.Fprintf(b, "\n**%s**\n", mixedText)
	}
	b.WriteByte('\n')
	c.medians().markdown(b)
	fmt.Fprintf(b, "\n%s\n", strings.TrimSpace(c.caption()))
	return b.Flush()
}

func (g grid) markdown(b *bufio.Writer) {
	for i, row := range g {
		for _, text := range row {
			fmt.Fprintf(b, "| %s ", escapeMarkdown(text))
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString("|---" + strings.Repeat("|---:", len(row)-1) + "|\n")
		}
	}
}

// escapeMarkdown keeps a text from ending its cell, and from being read as markup.
func escapeMarkdown(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "~", `\~`, "[", `\[`).Replace(s)
}

// WriteBenchmark writes each run as a benchmark result of the Go benchmark format,
// version 0, which benchstat reads: one line per run, with the metrics as values, and
// the protocol, the value of the key and the seed as configuration.
func (c *Comparison) WriteBenchmark(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "scenario: %s\n", Clean(c.scenario))
	for _, cell := range c.cells {
		name := "BenchmarkLockstep/scenario=" + benchName(c.scenario) + "/protocol=" + benchName(cell.protocol)
		for i, key := range c.keys {
			if i < len(cell.values) {
				name += "/" + benchName(key) + "=" + benchName(cell.values[i])
			}
		}
		for i := range cell.runs {
			fmt.Fprintf(b, "%s 1", name)
			for m := range metrics {
				if v, usable := metrics[m].of(&cell.runs[i]); usable {
					fmt.Fprintf(b, " %s %s", metrics[m].unit.number(v), benchUnit(metrics[m].key))
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.Flush()
}

// benchUnit is the metric's name as a unit: benchstat shows units ending in -ns as
// times.
func benchUnit(key string) string {
	if name, found := strings.CutSuffix(key, "_ns"); found {
		return strings.ReplaceAll(name, "_", "-") + "-ns"
	}
	return strings.ReplaceAll(key, "_", "-")
}

// benchName keeps what benchmark names are made of.
func benchName(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '/' || r == '=' || r > '~' {
			return '-'
		}
		return r
	}, s)
}
