package reports

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/scenarios"
)

// columnsPerTable bounds a table's width: more columns begin another table.
const columnsPerTable = 4

// guaranteeWidth is where the texts of the guarantees are wrapped.
const guaranteeWidth = 38

// holdsWidth is where the names of what holds are wrapped.
const holdsWidth = 15

// Write writes what each protocol gives, then the table of medians: one column for
// each protocol and value, one row for each metric. Beside each median stands the
// difference from its baseline, with the p-value of the paired test, or ~ where the
// test sees none. Below it stand the runs that were not as expected.
func (c *Comparison) Write(w io.Writer, paint Paint) error {
	b := bufio.NewWriter(w)
	c.writeProfiles(b, paint)
	b.WriteByte('\n')
	for from := 0; from < len(c.cells); from += columnsPerTable {
		if from > 0 {
			b.WriteByte('\n')
		}
		c.writeMedians(b, from, min(from+columnsPerTable, len(c.cells)), paint)
	}
	b.WriteString(c.caption())
	for _, f := range c.failures {
		f.write(b, paint)
	}
	return b.Flush()
}

// writeMedians writes the cells from..to, to excluded, as one table.
func (c *Comparison) writeMedians(b *bufio.Writer, from, to int, paint Paint) {
	t := plainTable()
	t.Style().Format.Header = text.FormatDefault
	header, ok, lost, holds := table.Row{Clean(c.key)}, table.Row{"runs ok"}, table.Row{"lost writes"}, table.Row{"what holds"}
	var columns []table.ColumnConfig
	for i := from; i < to; i++ {
		header, ok, lost = append(header, c.title(c.cells[i])), append(ok, c.cells[i].ok(paint)), append(lost, c.cells[i].lost())
		holds = append(holds, text.WrapSoft(c.cells[i].strongest(), holdsWidth))
		columns = append(columns, table.ColumnConfig{Number: len(header), Align: text.AlignRight, AlignHeader: text.AlignRight})
		if i > 0 {
			header, ok, lost, holds = append(header, ""), append(ok, ""), append(lost, ""), append(holds, "")
		}
	}
	t.SetColumnConfigs(columns)
	t.AppendHeader(header)
	t.AppendRow(ok)
	if c.lossy() {
		t.AppendRow(lost)
	}
	t.AppendRow(holds)
	for m := range metrics {
		row := table.Row{metrics[m].name}
		for i := from; i < to; i++ {
			row = append(row, c.cells[i].median(&metrics[m]))
			if base := c.baseline(i); base >= 0 {
				row = append(row, differenceOf(c.cells[base], c.cells[i], &metrics[m]).String())
			}
		}
		t.AppendRow(row)
	}
	writeBlock(b, "", t.Render())
}

// lossy reports whether some guarantee allows to lose acknowledged writes.
func (c *Comparison) lossy() bool {
	return slices.ContainsFunc(c.cells, func(cell *cell) bool { return cell.profile.Guarantee.LosesAcknowledged })
}

func (c *cell) ok(paint Paint) string {
	s := fmt.Sprintf("%d/%d", c.okRuns(), len(c.runs))
	if c.okRuns() < len(c.runs) {
		s = paint.Odd(s)
	}
	return s
}

func (c *cell) median(m *metric) string {
	values := c.of(m)
	if len(values) == 0 {
		return "none"
	}
	text := m.unit.text(Median(values))
	if low, high, known := MedianInterval(values); known && Median(values) > 0 {
		if far := ceilPercent(max(high-Median(values), Median(values)-low), Median(values)); far <= 100 {
			text += fmt.Sprintf(" ±%d%%", far)
		} else {
			text += " ±>100%"
		}
	}
	return text
}

// ceilPercent is a of b in percent, rounded up.
func ceilPercent(a, b int64) int64 { return (a*100 + b - 1) / b }

func (c *Comparison) caption() string {
	s := "\n"
	if c.lossy() {
		s += "lost writes: acknowledged ones that are in no replica's log in the end, summed over the runs;\n"
	}
	s += fmt.Sprintf("medians over %s; differences are against the first column", plural(len(c.cells[0].runs), "seed"))
	if c.key != "" && len(c.protocols) > 1 {
		s += " of the same protocol, and for first columns\nagainst the first protocol"
	}
	s += fmt.Sprintf(";\npaired by seed, Wilcoxon signed-rank test; ~ means none at p < %s; of many such tests one in %d shows one by chance\n",
		shortFloat(significance), oneIn)
	if len(c.cells[0].runs) >= fewestPairs {
		s += "±: 95 % confidence interval of the median, by order statistics, its farther end\n"
	} else {
		s += fmt.Sprintf("with fewer than %d seeds no difference can be significant: raise -n\n", fewestPairs)
	}
	return s
}

// profiled is one column of the table of guarantees.
type profiled struct {
	name string
	scenarios.Profile
}

// profiles returns one column per protocol, or per cell where the values of the key
// change what a protocol gives.
func (c *Comparison) profiles() []profiled {
	var list []profiled
	for i := 0; i < len(c.cells); {
		end := i + 1
		for end < len(c.cells) && c.cells[end].first == i {
			end++
		}
		cells := c.cells[i:end]
		if slices.ContainsFunc(cells, func(other *cell) bool { return !sameProfile(&other.profile, &cells[0].profile) }) {
			for _, cell := range cells {
				list = append(list, profiled{c.title(cell), cell.profile})
			}
		} else {
			list = append(list, profiled{Clean(cells[0].protocol), cells[0].profile})
		}
		i = end
	}
	return list
}

func sameProfile(a, b *scenarios.Profile) bool {
	return a.Guarantee == b.Guarantee && a.Replicas == b.Replicas && a.Services == b.Services && a.Down == b.Down &&
		a.ServicesDown == b.ServicesDown && a.Synced == b.Synced && a.Detection == b.Detection && a.Reads == b.Reads &&
		slices.Equal(a.Bounded, b.Bounded)
}

// profileRows are the rows of the table of guarantees.
var profileRows = []struct {
	name string
	text func(*scenarios.Profile) string
}{
	{"guarantee", func(p *scenarios.Profile) string { return p.Guarantee.Text }},
	{"loses acknowledged", func(p *scenarios.Profile) string {
		if p.Guarantee.LosesAcknowledged {
			return "possible after a failover"
		}
		return "never"
	}},
	{"nodes", func(p *scenarios.Profile) string {
		if p.Services == 0 {
			return strconv.Itoa(p.Replicas)
		}
		return fmt.Sprintf("%d: %s and %s", p.Replicas+p.Services, plural(p.Replicas, "replica"), plural(p.Services, "service"))
	}},
	{"goes on without", downText},
	{"outside its model", func(p *scenarios.Profile) string {
		var kinds []string
		for _, b := range p.Bounded {
			kind := b.Kind
			if b.Most > 0 {
				kind += fmt.Sprintf(" of more than %s", plural(b.Most, "node"))
			}
			kinds = append(kinds, kind)
		}
		if len(kinds) == 0 {
			return "no fault that a plan can hold"
		}
		return strings.Join(kinds, ", ")
	}},
	{"synced before ack", func(p *scenarios.Profile) string {
		if p.Synced < 0 {
			return "not measured: no write was answered"
		}
		return fmt.Sprintf("%d of %s", p.Synced, plural(p.Replicas, "disk"))
	}},
	{"failure noticed", func(p *scenarios.Profile) string { return "within " + Duration(int64(p.Detection)) }},
	{"reads", func(p *scenarios.Profile) string {
		if p.Reads == "" {
			return "one way only"
		}
		return p.Reads
	}},
}

func downText(p *scenarios.Profile) string {
	if p.Down < 0 {
		return "nobody"
	}
	s := fmt.Sprintf("any %d of %s", p.Down, plural(p.Replicas, "replica"))
	if p.Down == 0 {
		s = "no replica"
	}
	switch {
	case p.Services == 0:
	case p.ServicesDown <= 0 && p.Services == 1:
		s += ", while the service is up"
	default:
		s += fmt.Sprintf(", and any %d of %s", max(p.ServicesDown, 0), plural(p.Services, "service"))
	}
	return s
}

// writeProfiles writes what each protocol gives, and whether that is the same.
func (c *Comparison) writeProfiles(b *bufio.Writer, paint Paint) {
	list := c.profiles()
	for from := 0; from < len(list); from += columnsPerTable {
		columns := list[from:min(from+columnsPerTable, len(list))]
		if from > 0 {
			b.WriteByte('\n')
		}
		t := plainTable()
		t.Style().Format.Header = text.FormatDefault
		header := table.Row{Clean(c.scenario)}
		configs := []table.ColumnConfig{}
		for i := range columns {
			header = append(header, columns[i].name)
			configs = append(configs, table.ColumnConfig{Number: i + 2, WidthMax: guaranteeWidth, WidthMaxEnforcer: text.WrapSoft})
		}
		t.SetColumnConfigs(configs)
		t.AppendHeader(header)
		for _, r := range profileRows {
			row := table.Row{r.name}
			for i := range columns {
				row = append(row, Clean(r.text(&columns[i].Profile)))
			}
			t.AppendRow(row)
		}
		writeBlock(b, "", t.Render())
	}
	if c.mixed() {
		fmt.Fprintf(b, "\n%s\n", paint.Odd(mixedText))
	}
}

const mixedText = "! these numbers compare different guarantees"
