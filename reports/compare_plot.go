package reports

// NamedFigure is a figure with the name of its files.
type NamedFigure struct {
	Name   string
	Figure *Figure
}

// Figures draws the latency distribution, the latency and the availability over
// time, and the cost of a commit.
func (c *Comparison) Figures() []NamedFigure {
	series := c.series()
	note := "safety phase; " + plural(len(c.cells[0].runs), "seed") + " each"
	if c.mixed() {
		note += "; the guarantees differ"
	}
	title := Clean(c.scenario) + ": "
	return []NamedFigure{
		{"latency-cdf", LatencyCDF(title+"latency distribution", note, series)},
		{"latency-over-time", LatencyOverTime(title+"latency over time", note, series, c.cells[0].until, c.windows)},
		{"availability", Availability(title+"availability", note, series, c.cells[0].until, c.windows)},
		{"cost-per-commit", CostBars(title+"cost per commit", note, c.costs())},
	}
}

// strokes returns one stroke per cell.
func (c *Comparison) strokes() []Stroke {
	variants := 0 // of the protocol with the most
	for i, cell := range c.cells {
		variants = max(variants, i-cell.first+1)
	}
	all := Strokes(c.protocols, variants)
	var strokes []Stroke
	protocol := -1
	for i, cell := range c.cells {
		if i == cell.first {
			protocol++
		}
		strokes = append(strokes, all[protocol*variants+i-cell.first])
	}
	return strokes
}

func (c *Comparison) series() []Series {
	strokes := c.strokes()
	var series []Series
	for i, cell := range c.cells {
		series = append(series, Series{Name: c.name(cell), Stroke: strokes[i], Runs: len(cell.runs), Samples: cell.samples})
	}
	return series
}

// costs returns what an operation that returned costs, one panel for each figure.
func (c *Comparison) costs() []Cost {
	strokes := c.strokes()
	var costs []Cost
	for _, of := range []struct{ key, label string }{
		{"messages_per_commit", "messages"}, {"bytes_per_commit", "bytes"}, {"fsyncs_per_commit", "fsyncs"},
	} {
		cost := Cost{Label: of.label}
		for m := range metrics {
			if metrics[m].key != of.key {
				continue
			}
			for i, cell := range c.cells {
				cost.Bars = append(cost.Bars, newBar(c.name(cell), strokes[i], cell.of(&metrics[m])))
			}
		}
		costs = append(costs, cost)
	}
	return costs
}
