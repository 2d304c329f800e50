package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sim/lockstep/sim"
)

// NamedFigure is a figure with the name of its files.
type NamedFigure struct {
	Name   string
	Figure *Figure
}

// maxCurves bounds the curves of one figure: more cannot be told apart.
const maxCurves = 12

// Figures draws the distributions of latencies and of election times, latency,
// throughput and availability over time, the latency by region where there are regions,
// the cost of a commit, and the sweep or the heat maps of what is varied.
func (c *Comparison) Figures() []NamedFigure {
	shown := c.shown()
	series := c.series(shown)
	note := "safety phase; " + plural(len(c.cells[0].runs), "seed") + " each"
	if c.mixed() {
		note += "; the guarantees differ"
	}
	title, until := Clean(c.scenario)+": ", c.cells[0].until
	figures := c.swept(title, note)
	if len(shown) < len(c.cells) {
		note += fmt.Sprintf("; %d of %d columns", len(shown), len(c.cells))
	}
	figures = append(figures,
		NamedFigure{"latency-cdf", LatencyCDF(title+"latency distribution", note, series)},
		NamedFigure{"latency-percentiles", LatencyPercentiles(title+"latency by percentile", note, series)},
		NamedFigure{"latency-over-time", LatencyOverTime(title+"latency and throughput over time", note, series, until, c.windows)},
		NamedFigure{"availability", Availability(title+"availability", note, c.lanes(shown), series, until, c.windows)},
		NamedFigure{"election-times", ElectionTimes(title+"election times", note, c.vacant(shown))},
		NamedFigure{"cost-per-commit", CostBars(title+"cost per commit", note, c.costs(shown))})
	if places := c.places(shown); len(places) > 0 {
		figures = append(figures, NamedFigure{"latency-by-region", LatencyByRegion(title+"commit latency by region", note, series, places)})
	}
	return figures
}

// shown returns the positions of the cells that figures with a curve for each can
// show: all of them, or the first of each protocol.
func (c *Comparison) shown() []int {
	var all, firsts []int
	for i, cell := range c.cells {
		all = append(all, i)
		if cell.first == i {
			firsts = append(firsts, i)
		}
	}
	if len(all) <= maxCurves {
		return all
	}
	return firsts
}

// strokes returns one stroke for each of the shown cells.
func (c *Comparison) strokes(shown []int) []Stroke {
	variants := 0 // of the protocol with the most
	for _, i := range shown {
		variants = max(variants, i-c.cells[i].first+1)
	}
	all := Strokes(c.protocols, variants)
	var strokes []Stroke
	protocol := -1
	for _, i := range shown {
		if i == c.cells[i].first {
			protocol++
		}
		strokes = append(strokes, all[protocol*variants+i-c.cells[i].first])
	}
	return strokes
}

func (c *Comparison) series(shown []int) []Series {
	strokes := c.strokes(shown)
	var series []Series
	for n, i := range shown {
		cell := c.cells[i]
		series = append(series, Series{Name: c.name(cell), Stroke: strokes[n], Runs: len(cell.runs), Samples: cell.samples})
	}
	return series
}

func (c *Comparison) lanes(shown []int) []Service {
	strokes := c.strokes(shown)
	var lanes []Service
	for n, i := range shown {
		lanes = append(lanes, Service{Name: c.name(c.cells[i]), Stroke: strokes[n], Gaps: c.cells[i].gaps})
	}
	return lanes
}

func (c *Comparison) vacant(shown []int) []Vacant {
	strokes := c.strokes(shown)
	var list []Vacant
	for n, i := range shown {
		list = append(list, Vacant{c.name(c.cells[i]), strokes[n], slices.Clone[[]sim.Span](c.cells[i].vacancies)})
	}
	return list
}

// metricOf returns the metric with a key.
func metricOf(key string) *metric {
	for m := range metrics {
		if metrics[m].key == key {
			return &metrics[m]
		}
	}
	panic("reports: no metric " + key)
}

// costs returns what an operation that returned costs, one panel for each figure.
func (c *Comparison) costs(shown []int) []Cost {
	strokes := c.strokes(shown)
	var costs []Cost
	for _, of := range []struct{ key, label string }{
		{"messages_per_commit", "messages"}, {"bytes_per_commit", "bytes"}, {"fsyncs_per_commit", "fsyncs"},
	} {
		cost := Cost{Label: of.label}
		for n, i := range shown {
			cost.Bars = append(cost.Bars, newBar(c.name(c.cells[i]), strokes[n], c.cells[i].of(metricOf(of.key))))
		}
		costs = append(costs, cost)
	}
	return costs
}

// swept returns the figure of the settings that are varied: a sweep of one whose values
// are numbers, heat maps of two.
func (c *Comparison) swept(title, note string) []NamedFigure {
	switch len(c.keys) {
	case 1:
		if f := c.sweep(title, note); f != nil {
			return []NamedFigure{{"sweep", f}}
		}
	case 2:
		return c.heatMaps(title, note)
	}
	return nil
}

// sweep draws metrics over the values of the only key; nil where these are no numbers.
func (c *Comparison) sweep(title, note string) *Figure {
	unit := Plain
	for _, cell := range c.cells {
		if cell.value == "" {
			continue
		}
		_, of, ok := position(cell.value)
		if !ok {
			return nil
		}
		unit = of
	}
	panel := func(label string, log bool, key string) Panel {
		return Panel{Axis{label, metricOf(key).unit.axis(), log}, c.curves(metricOf(key))}
	}
	latency, rate, outage := panel("commit latency, median", true, "commit_p50_ns"), panel("answers per second", false, "operations_per_second"), panel("longest outage", false, "longest_outage_ns")
	switch key := c.keys[0]; {
	case key == "workload.rate" || key == "workload.clients" || key == "workload.think":
		return ThroughputLatency(title+"latency against throughput", "offered load: "+Clean(key)+"; "+note, c.against(metricOf("operations_per_second"), metricOf("commit_p50_ns")))
	case key == "replicas":
		return Scaling(title+"scaling with the size of the cluster", note, []Panel{latency, rate, panel("messages per operation", false, "messages_per_commit")})
	case strings.Contains(key, "timeout") || strings.HasSuffix(key, "dead_after"):
		return FailoverByTimeout(title+"fail-over against the time-out", note, Clean(key)+", lower bound", []Panel{outage, panel("time without a leader", false, "leaderless_ns")})
	default:
		return Sweep(title+"by "+Clean(shortKey(key)), note, Axis{Label: Clean(key), Unit: unit}, []Panel{latency, rate, outage})
	}
}

// protocolCurves calls point for each cell with a value, protocol by protocol.
func (c *Comparison) protocolCurves(point func(*cell) (Point, bool)) []Swept {
	strokes := Strokes(c.protocols, 1)
	if len(c.protocols) == 1 {
		strokes = []Stroke{{Colour: protocolColour[c.protocols[0]], Dash: protocolColour[c.protocols[0]]}}
	}
	var curves []Swept
	for n, name := range c.protocols {
		curve := Swept{Name: Clean(name), Stroke: strokes[n]}
		for _, cell := range c.cells {
			if cell.protocol != name || cell.value == "" {
				continue
			}
			if at, ok := point(cell); ok {
				curve.Points = append(curve.Points, at)
			}
		}
		if len(curve.Points) > 0 {
			curves = append(curves, curve)
		}
	}
	return curves
}

// curves returns a metric over the values of the key.
func (c *Comparison) curves(m *metric) []Swept {
	return c.protocolCurves(func(cell *cell) (Point, bool) {
		x, _, _ := position(cell.value)
		at, ok := cell.point(m)
		at.X = x
		return at, ok
	})
}

// against returns a metric over another one.
func (c *Comparison) against(x, y *metric) []Swept {
	return c.protocolCurves(func(cell *cell) (Point, bool) {
		at, ok := cell.point(y)
		across := cell.of(x)
		if len(across) == 0 {
			return at, false
		}
		at.X = x.unit.float(Median(across))
		return at, ok
	})
}

// point is the median of a metric with its confidence interval.
func (c *cell) point(m *metric) (Point, bool) {
	values := c.of(m)
	if len(values) == 0 {
		return Point{}, false
	}
	at := Point{Y: m.unit.float(Median(values))}
	at.YLow, at.YHigh = at.Y, at.Y
	if low, high, known := MedianInterval(values); known {
		at.YLow, at.YHigh = m.unit.float(low), m.unit.float(high)
	}
	return at, true
}

// heatMaps draws one figure for each of some metrics over two keys.
func (c *Comparison) heatMaps(title, note string) []NamedFigure {
	var xs, ys []string
	for _, cell := range c.cells {
		if len(cell.values) < 2 {
			continue
		}
		if !slices.Contains(xs, cell.values[0]) {
			xs = append(xs, cell.values[0])
		}
		if !slices.Contains(ys, cell.values[1]) {
			ys = append(ys, cell.values[1])
		}
	}
	var figures []NamedFigure
	for _, of := range []struct{ name, title, key string }{
		{"heat-latency", "median commit latency", "commit_p50_ns"}, {"heat-throughput", "answers per second", "operations_per_second"}, {"heat-outage", "longest outage", "longest_outage_ns"},
	} {
		m := metricOf(of.key)
		var grids []Grid
		for _, name := range c.protocols {
			g := Grid{Title: Clean(name), Values: make([][]float64, len(ys))}
			some := false
			for y := range ys {
				for x := range xs {
					v := math.NaN()
					for _, cell := range c.cells {
						if at, ok := cell.point(m); ok && cell.protocol == name && slices.Equal(cell.values, []string{xs[x], ys[y]}) {
							v, some = at.Y, true
						}
					}
					g.Values[y] = append(g.Values[y], v)
				}
			}
			if some {
				grids = append(grids, g)
			}
		}
		if len(grids) > 0 {
			figures = append(figures, NamedFigure{of.name, HeatMap(title+of.title, note, Clean(shortKey(c.keys[0])), Clean(shortKey(c.keys[1])), m.unit.axis(), cleanAll(xs), cleanAll(ys), grids)})
		}
	}
	return figures
}

func cleanAll(list []string) []string {
	clean := make([]string, len(list))
	for i, s := range list {
		clean[i] = Clean(s)
	}
	return clean
}

// position reads a value of a key as a place on an axis: a number, a rate, a share, a
// time in milliseconds; of a range its lower bound.
func position(value string) (x float64, unit AxisUnit, ok bool) {
	value, _, _ = strings.Cut(value, "..")
	if d, err := sim.ParseDuration(value); err == nil && strings.HasSuffix(value, "s") && !strings.HasSuffix(value, "/s") {
		return milliseconds(d), Milliseconds, true
	}
	if share, percent := strings.CutSuffix(value, "%"); percent {
		v, err := strconv.ParseFloat(share, 64)
		return v / 100, Share, err == nil
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(value, "/s"), 64)
	return v, Plain, err == nil
}
