package reproduce

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/reports"
)

// lineWidth is where texts for terminals are wrapped.
const lineWidth = 100

// Write writes the figure as text: what it is, a table, and the remarks.
func (f *Figure) Write(w io.Writer, paint reports.Paint) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s: %s\n", paint.Strong(f.Name), f.Title)
	for _, line := range []string{"source: " + f.Source, f.Model, fmt.Sprintf("%s; %d runs", strings.Join(f.Scenarios, ", "), f.Runs)} {
		b.WriteString(indented(line))
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	t.Style().Box.PaddingLeft = ""
	t.Style().Box.PaddingRight = "  "
	var columns []table.ColumnConfig
	for i, width := range []int{44, 30, 30, 14, 16} {
		c := table.ColumnConfig{Number: i + 1, WidthMax: width, WidthMaxEnforcer: text.WrapSoft}
		if i > 0 {
			c.Align, c.AlignHeader = text.AlignRight, text.AlignRight
		}
		columns = append(columns, c)
	}
	t.SetColumnConfigs(columns)
	t.AppendHeader(table.Row{"", "published", "ours", "difference", "tolerance", ""})
	for _, r := range f.Rows {
		verdict := string(r.Verdict)
		switch r.Verdict {
		case Met:
			verdict = paint.Good(verdict)
		case Missed:
			verdict = paint.Bad(verdict)
		case Shown:
			verdict = ""
		}
		t.AppendRow(table.Row{r.What, r.Published, r.Ours, r.Difference, r.Tolerance, verdict})
	}
	b.WriteByte('\n')
	for line := range strings.SplitSeq(t.Render(), "\n") {
		fmt.Fprintf(b, "  %s\n", strings.TrimRight(line, " "))
	}
	for _, r := range f.Remarks {
		b.WriteByte('\n')
		b.WriteString(indented(r))
	}
	return b.Flush()
}

func indented(s string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text.WrapSoft(s, lineWidth), "\n") {
		b.WriteString("  " + strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// WriteJSON writes figures as one JSON array.
func WriteJSON(w io.Writer, figures []*Figure) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(figures)
}

// WriteCSV writes one line for each row of the figures.
func WriteCSV(w io.Writer, figures []*Figure) error {
	out := csv.NewWriter(w)
	records := [][]string{{"figure", "what", "unit", "published", "ours", "difference", "tolerance", "verdict"}}
	for _, f := range figures {
		for _, r := range f.Rows {
			published, ours := r.Published, r.Ours
			if r.Theirs != nil {
				published, ours = strconv.FormatFloat(*r.Theirs, 'g', -1, 64), strconv.FormatFloat(*r.Number, 'g', -1, 64)
			}
			records = append(records, []string{f.Name, r.What, r.Unit, published, ours, r.Difference, r.Tolerance, string(r.Verdict)})
		}
	}
	return out.WriteAll(records)
}

// WriteMarkdown writes figures as a document; command is the command line that they
// were made with. Plots are where [WriteAll] puts them.
func WriteMarkdown(w io.Writer, figures []*Figure, command string) error {
	b := bufio.NewWriter(w)
	rows, missed, shown := 0, 0, 0
	for _, f := range figures {
		rows, missed = rows+len(f.Rows), missed+f.Missed()
		for _, r := range f.Rows {
			if r.Verdict == Shown {
				shown++
			}
		}
	}
	fmt.Fprintf(b, "# Published figures and laws, reproduced\n\nMade by `%s`; all of it, this page included, is the same at any number of workers.\n", command)
	fmt.Fprintf(b, "Of %d rows %d are held to a tolerance: %d are within it and %d miss it. A miss is shown with its cause; no setting was chosen\nto make a figure fit. The other rows have nothing to hold them to.\n", rows, rows-shown, rows-shown-missed, missed)
	b.WriteString("\nA tolerance on a distribution holds for 10,000 trials or more; with fewer it is wider by the sampling error.\n\n| figure | subject | rows | misses |\n|---|---|---|---|\n")
	for _, f := range figures {
		fmt.Fprintf(b, "| [%s](#%s) | %s | %d | %d |\n", f.Name, f.Name, f.Title, len(f.Rows), f.Missed())
	}
	for _, f := range figures {
		f.markdown(b)
	}
	return b.Flush()
}

func (f *Figure) markdown(b *bufio.Writer) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\nSource: %s.\n\n%s\n\nScenarios: %s; %d runs.\n\n", f.Name, f.Title, f.Source, f.Model, "`"+strings.Join(f.Scenarios, "`, `")+"`", f.Runs)
	b.WriteString("| | published | ours | difference | tolerance | |\n|---|---|---|---|---|---|\n")
	for _, r := range f.Rows {
		verdict := string(r.Verdict)
		if r.Verdict == Missed {
			verdict = "**missed**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", r.What, r.Published, r.Ours, r.Difference, r.Tolerance, verdict)
	}
	for _, p := range f.plots {
		fmt.Fprintf(b, "\n![%s: what was published, dashed, and ours](%s/%s.svg)\n", f.Title, plotFolder, p.Name)
	}
	for _, r := range f.Remarks {
		fmt.Fprintf(b, "\n%s\n", r)
	}
}

// plotFolder is where WriteAll puts all but the document.
const plotFolder = "validation"

// WriteAll writes the document as validation.md into out, and the plots as SVG and PNG
// and the rows as figures.csv and figures.json into the folder validation there. It
// returns the names of the files.
func WriteAll(out *reports.Folder, figures []*Figure, command string) ([]string, error) {
	var names []string
	put := func(name string, write func(io.Writer) error) error {
		names = append(names, name)
		return out.Write(name, write)
	}
	for _, f := range figures {
		for _, p := range f.plots {
			for _, format := range []struct {
				extension string
				render    func() ([]byte, error)
			}{{".svg", p.Figure.SVG}, {".png", p.Figure.PNG}} {
				data, err := format.render()
				if err != nil {
					return names, err
				}
				if err := put(path.Join(plotFolder, p.Name+format.extension), func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
					return names, err
				}
			}
		}
	}
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{plotFolder + "/figures.csv", func(w io.Writer) error { return WriteCSV(w, figures) }},
		{plotFolder + "/figures.json", func(w io.Writer) error { return WriteJSON(w, figures) }},
		{"validation.md", func(w io.Writer) error { return WriteMarkdown(w, figures, command) }},
	} {
		if err := put(f.name, f.write); err != nil {
			return names, err
		}
	}
	return names, nil
}
