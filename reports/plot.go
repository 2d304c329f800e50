package reports

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Sample is one completed client operation.
type Sample struct {
	Run     int // position in its series' runs
	Began   protocols.Time
	Latency protocols.Duration
	Write   bool // it went through the log
	Client  int  // who called: -1 is c1
}

// Series is one curve: the completed operations of one protocol under one
// variant of a scenario, over Runs runs.
type Series struct {
	Name    string
	Stroke  Stroke
	Runs    int
	Samples []Sample
}

// Window is a fault's interval in virtual time.
type Window struct {
	Label    string
	From, To protocols.Time
}

// curvePoints bounds the points of one curve. More cannot be seen and makes
// files large.
const curvePoints = 500

// LatencyCDF draws which share of the operations took at most how long, writes above
// reads. Series without samples are left out.
func LatencyCDF(title, subtitle string, series []Series) *Figure {
	f := byKind(title, subtitle, series, "share of %s", func(p *plot.Plot, s Stroke, sorted []protocols.Duration) {
		p.Add(&plotter.Line{XYs: shares(sorted), StepStyle: plotter.PostStep, LineStyle: s.line()})
	})
	for i := range f.panels {
		p := f.panels[i].plot
		latencyAxis(&p.X, f.low, f.high)
		shareAxis(&p.Y)
	}
	f.panels[len(f.panels)-1].plot.X.Label.Text = "latency, call to answer"
	return f
}

// LatencyPercentiles draws the latency at each percentile, writes above reads, with
// an axis that spreads the tail as in an HDR histogram. Series without samples are
// left out.
func LatencyPercentiles(title, subtitle string, series []Series) *Figure {
	most := 0
	for _, s := range series {
		most = max(most, len(s.Samples))
	}
	top := topPercentile(most)
	f := byKind(title, subtitle, series, "latency of %s", func(p *plot.Plot, s Stroke, sorted []protocols.Duration) {
		p.Add(&plotter.Line{XYs: tailPoints(sorted, min(top, topPercentile(len(sorted)))), LineStyle: s.line()})
	})
	for i := range f.panels {
		p := f.panels[i].plot
		latencyAxis(&p.Y, f.low, f.high)
		p.X.Min, p.X.Max = 0, top
		p.X.Scale, p.X.Tick.Marker = percentileScale{}, plot.TickerFunc(percentileTicks)
	}
	f.panels[len(f.panels)-1].plot.X.Label.Text = "percentile"
	return f
}

// byKind makes a figure with a panel of writes and one of reads, where there are any,
// and notes the range of all latencies in it.
func byKind(title, subtitle string, series []Series, label string, add func(p *plot.Plot, s Stroke, sorted []protocols.Duration)) *Figure {
	f := &Figure{title: title, subtitle: subtitle, low: math.Inf(1)}
	for _, s := range series {
		for _, op := range s.Samples {
			f.low, f.high = math.Min(f.low, milliseconds(op.Latency)), math.Max(f.high, milliseconds(op.Latency))
		}
		if len(s.Samples) > 0 {
			f.legend = append(f.legend, legendEntry{s.Name, s.Stroke, false})
		}
	}
	for _, kind := range []struct {
		name  string
		write bool
	}{{"writes", true}, {"reads", false}} {
		p := newPanel("", fmt.Sprintf(label, kind.name))
		some := false
		for _, s := range series {
			if sorted := sortedLatencies(s.Samples, func(op *Sample) bool { return op.Write == kind.write }); len(sorted) > 0 {
				some = true
				add(p, s.Stroke, sorted)
			}
		}
		if some || len(f.legend) == 0 && len(f.panels) == 0 { // no samples at all: an empty panel
			f.panels = append(f.panels, panel{plot: p})
		}
	}
	for i := range f.panels {
		f.panels[i].share = 1 / float64(len(f.panels))
	}
	return f
}

// shareAxis shows 0 to 100 %, with room so that a line at the top is seen whole.
func shareAxis(a *plot.Axis) {
	a.Min, a.Max = 0, 1.03
	a.Tick.Marker = percentTicks(4)
}

// LatencyOverTime draws, over virtual time, the median and the 99th percentile of
// the latency of the operations that began then, and below it how many were answered
// per second. Fault windows are shaded and named. end is where the safety phase ends.
func LatencyOverTime(title, note string, series []Series, end protocols.Time, windows []Window) *Figure {
	width := timeStep(end)
	f := &Figure{title: title, windows: windows, subtitle: fmt.Sprintf(
		"thick: median, thin: p99, by time of call in steps of %s; shaded: the fault plan; %s", axisDuration(width*1000), note)}
	p, rate := newPanel("", "latency, call to answer"), newPanel("virtual time since the start of the run", "answers per second")
	lo, hi, fastest := math.Inf(1), 0.0, 1.0
	for _, s := range series {
		for _, run := range runsOfBins(binByCall(s.Samples, width)) {
			addLatency(p, s.Stroke, run, len(series) == 1)
			for _, b := range run {
				lo, hi = math.Min(lo, b.median), math.Max(hi, b.p99)
			}
		}
		fastest = math.Max(fastest, addRate(rate, s, end, width))
		f.legend = append(f.legend, legendEntry{s.Name, s.Stroke, false})
	}
	latencyAxis(&p.Y, lo, hi)
	for _, of := range []*plot.Plot{p, rate} {
		timeAxis(&of.X, math.Max(seconds(end), width))
	}
	step := niceStep(fastest, 4)
	rate.Y.Min, rate.Y.Max = 0, step*math.Ceil(fastest/step)
	rate.Y.Tick.Marker = linearTicks(4, shortFloat)
	f.panels = []panel{{plot: p, share: 0.6}, {plot: rate, share: 0.4}}
	return f
}

// addRate adds the answers per second of a series, and returns the largest.
func addRate(p *plot.Plot, s Series, end protocols.Time, width float64) (fastest float64) {
	steps := servedOver(s, end, width)
	var rates plotter.XYs
	for _, b := range steps {
		fastest = math.Max(fastest, b.rate)
		rates = append(rates, plotter.XY{X: b.from, Y: b.rate})
	}
	rates = append(rates, plotter.XY{X: float64(len(steps)) * width, Y: rates[len(rates)-1].Y})
	p.Add(&plotter.Line{XYs: rates, StepStyle: plotter.PostStep, LineStyle: s.Stroke.line()})
	return fastest
}

func latencyAxis(a *plot.Axis, lo, hi float64) {
	if hi == 0 { // no samples at all: an empty but valid axis
		lo, hi = 1, 10
	}
	a.Min, a.Max = logBounds(lo, hi)
	a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks(axisDuration)
}

func milliseconds(d protocols.Duration) float64 { return float64(max(d, 1)) / 1e6 }

func seconds(t protocols.Time) float64 { return float64(t) / 1e9 }

// sortedLatencies returns the latencies of the samples that are wanted.
func sortedLatencies(samples []Sample, wanted func(*Sample) bool) []protocols.Duration {
	var sorted []protocols.Duration
	for i := range samples {
		if wanted(&samples[i]) {
			sorted = append(sorted, samples[i].Latency)
		}
	}
	slices.Sort(sorted)
	return sorted
}

func every(*Sample) bool { return true }

// topPercentile is how far up the tail n samples can be trusted to reach: at
// least one sample lies above it.
func topPercentile(n int) float64 {
	for _, q := range []float64{0.9999, 0.999} {
		if float64(n)*(1-q) >= 1 {
			return q
		}
	}
	return 0.99
}

// quantile returns the smallest latency that at least q of the sorted samples do
// not exceed.
func quantile(sorted []protocols.Duration, q float64) protocols.Duration {
	i := int(math.Ceil(q*float64(len(sorted))-1e-9)) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// tailPoints returns at most curvePoints points of the distribution, evenly spaced
// on the percentile axis.
func tailPoints(sorted []protocols.Duration, top float64) plotter.XYs {
	var points plotter.XYs
	for i := range curvePoints {
		q := 1 - math.Pow(10, -tailDepth(top)*float64(i)/(curvePoints-1))
		points = append(points, plotter.XY{X: q, Y: milliseconds(quantile(sorted, q))})
	}
	return points
}

// shares returns at most curvePoints points of a distribution function, from 0 to 1.
// It orders latencies by size.
func shares(latencies []protocols.Duration) plotter.XYs {
	slices.Sort(latencies)
	n := min(len(latencies), curvePoints-1)
	points := plotter.XYs{{X: milliseconds(latencies[0]), Y: 0}}
	for i := 1; i <= n; i++ {
		q := float64(i) / float64(n)
		points = append(points, plotter.XY{X: milliseconds(quantile(latencies, q)), Y: q})
	}
	return points
}

// bin is the operations that began within one step of time; in milliseconds.
type bin struct {
	at, width   float64 // middle and length, in seconds
	median, p99 float64
	empty       bool
}

func binByCall(samples []Sample, width float64) []bin {
	var groups [][]Sample
	for _, s := range samples {
		i := int(seconds(s.Began) / width)
		for len(groups) <= i {
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], s)
	}
	bins := make([]bin, len(groups))
	for i, g := range groups {
		bins[i] = bin{at: (float64(i) + 0.5) * width, width: width, empty: len(g) == 0}
		if len(g) > 0 {
			sorted := sortedLatencies(g, every)
			bins[i].median, bins[i].p99 = milliseconds(quantile(sorted, 0.5)), milliseconds(quantile(sorted, 0.99))
		}
	}
	return bins
}

// runsOfBins cuts bins at the empty ones: where nothing began there is no line.
func runsOfBins(bins []bin) [][]bin {
	var runs [][]bin
	start := 0
	for i := 0; i <= len(bins); i++ {
		if i == len(bins) || bins[i].empty {
			if i > start {
				runs = append(runs, bins[start:i])
			}
			start = i + 1
		}
	}
	return runs
}

// addLatency adds the median and the p99 of one run of bins. A band between them
// is filled where there is but one series: several would hide each other.
func addLatency(p *plot.Plot, s Stroke, run []bin, band bool) {
	if len(run) == 1 { // a single bin would be invisible
		left, right := run[0], run[0]
		left.at, right.at = left.at-left.width/2, right.at+right.width/2
		run = []bin{left, right}
	}
	var median, tail plotter.XYs
	for _, b := range run {
		median = append(median, plotter.XY{X: b.at, Y: b.median})
		tail = append(tail, plotter.XY{X: b.at, Y: b.p99})
	}
	if band {
		area := slices.Clone(tail)
		for _, m := range slices.Backward(median) {
			area = append(area, m)
		}
		p.Add(&plotter.Polygon{XYs: []plotter.XYs{area}, Color: s.band()})
	}
	p.Add(&plotter.Line{XYs: tail, LineStyle: s.thin()}, &plotter.Line{XYs: median, LineStyle: s.line()})
}

// shadeWindows paints the fault windows over the whole height of a data area.
func shadeWindows(c draw.Canvas, p *plot.Plot, windows []Window) {
	x, _ := p.Transforms(&c)
	for _, w := range windows {
		from, to := clampX(c, x(seconds(w.From))), clampX(c, x(math.Min(seconds(w.To), p.X.Max)))
		if to < from+0.75 {
			to = from + 0.75
		}
		c.FillPolygon(windowColour, []vg.Point{{X: from, Y: c.Min.Y}, {X: to, Y: c.Min.Y}, {X: to, Y: c.Max.Y}, {X: from, Y: c.Max.Y}})
	}
}

func clampX(c draw.Canvas, x vg.Length) vg.Length { return min(max(x, c.Min.X), c.Max.X) }
