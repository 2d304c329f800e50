package reports

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// Published is a curve read from a publication: at each point, the share Q (0..1) of
// all cases that took at most Milliseconds.
type Published struct {
	Name   string
	Points []Quantile
}

// Quantile is one point of a distribution.
type Quantile struct{ Q, Milliseconds float64 }

// Measured is a distribution that was measured: times in nanoseconds, in any order.
type Measured struct {
	Name  string
	Times []int64
}

// AgainstPublished draws the distributions that were published, dashed with a thin
// line, under those that were measured, pair by pair in one colour, on an axis that
// spreads the tail.
func AgainstPublished(title, note, xLabel string, ours []Measured, theirs []Published) *Figure {
	f := &Figure{title: title, subtitle: note}
	p := newPanel(xLabel, "share of trials at or below")
	lo, hi, top := math.Inf(1), 0.0, 0.99
	add := func(points plotter.XYs, name string, s Stroke) {
		for _, xy := range points {
			lo, hi = math.Min(lo, xy.X), math.Max(hi, xy.X)
		}
		p.Add(&plotter.Line{XYs: points, LineStyle: s.line()})
		f.legend = append(f.legend, legendEntry{name, s, false})
	}
	for _, m := range ours {
		top = math.Max(top, topPercentile(len(m.Times)))
	}
	for i, t := range theirs {
		var points plotter.XYs
		for _, q := range t.Points {
			points = append(points, plotter.XY{X: q.Milliseconds, Y: q.Q})
		}
		if len(points) > 0 {
			add(points, t.Name, Stroke{Colour: i, Dash: 1})
		}
	}
	for i, m := range ours {
		sorted := slices.Clone(m.Times)
		slices.Sort(sorted)
		if len(sorted) > 0 {
			add(quantilePoints(sorted, topPercentile(len(sorted))), m.Name, Stroke{Colour: i})
		}
	}
	latencyAxis(&p.X, lo, hi)
	p.Y.Min, p.Y.Max = 0, top
	p.Y.Scale, p.Y.Tick.Marker = percentileScale{}, plot.TickerFunc(percentileTicks)
	f.panels = []panel{{plot: p, share: 1}}
	return f
}

// quantilePoints returns at most curvePoints points of a sorted distribution of
// nanoseconds, evenly spaced on the percentile axis.
func quantilePoints(sorted []int64, top float64) plotter.XYs {
	var points plotter.XYs
	for i := range curvePoints {
		q := 1 - math.Pow(10, -tailDepth(top)*float64(i)/(curvePoints-1))
		at := int(math.Ceil(q*float64(len(sorted))-1e-9)) - 1
		points = append(points, plotter.XY{X: float64(sorted[min(max(at, 0), len(sorted)-1)]) / 1e6, Y: q})
	}
	return points
}
