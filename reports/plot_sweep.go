package reports

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Point is one value of a sweep: where it lies, and the median over the runs with
// its confidence interval. Low equal to High says that there is none.
type Point struct {
	X              float64
	Y, YLow, YHigh float64
}

// Swept is one curve of a sweep: the points of one protocol, by growing value of
// what is varied.
type Swept struct {
	Name   string
	Stroke Stroke
	Points []Point
}

// Axis says what an axis of a sweep shows.
type Axis struct {
	Label string
	Unit  AxisUnit
	Log   bool // logarithmic where the values differ enough
}

// AxisUnit is how the ticks of an axis are written.
type AxisUnit uint8

// The units of axes. Durations are drawn in milliseconds.
const (
	Plain AxisUnit = iota
	Milliseconds
	Share // 0 to 1, written as a percentage
)

func (u AxisUnit) text(v float64) string {
	switch u {
	case Milliseconds:
		return axisDuration(v)
	case Share:
		return shortFloat(v*100) + " %"
	}
	return shortFloat(v)
}

// Panel is one panel of a sweep: a metric with its curves.
type Panel struct {
	Axis   Axis
	Curves []Swept
}

// ThroughputLatency draws latency against throughput, one point for each offered
// load, joined in the order of the load: beyond saturation latency grows and
// throughput does not.
func ThroughputLatency(title, note string, curves []Swept) *Figure {
	f := &Figure{title: title, subtitle: "one point per offered load, medians; whisker: 95 % confidence interval; " + note}
	return f.sweep(Axis{Label: "operations answered per second"}, []Panel{{Axis{Label: "commit latency, median", Unit: Milliseconds, Log: true}, curves}})
}

// Scaling draws what becomes of some metrics with the size of the cluster.
func Scaling(title, note string, panels []Panel) *Figure {
	f := &Figure{title: title, subtitle: "medians; whisker: 95 % confidence interval; " + note}
	return f.sweep(Axis{Label: "replicas"}, panels)
}

// FailoverByTimeout draws the time without service after a failure against the time
// after which a failure is noticed.
func FailoverByTimeout(title, note string, xLabel string, panels []Panel) *Figure {
	f := &Figure{title: title, subtitle: "medians; whisker: 95 % confidence interval; " + note}
	return f.sweep(Axis{Label: xLabel, Unit: Milliseconds}, panels)
}

// Sweep draws metrics against the values of any setting.
func Sweep(title, note string, x Axis, panels []Panel) *Figure {
	f := &Figure{title: title, subtitle: "medians; whisker: 95 % confidence interval; " + note}
	return f.sweep(x, panels)
}

func (f *Figure) sweep(x Axis, panels []Panel) *Figure {
	low, high := math.Inf(1), math.Inf(-1)
	for _, of := range panels {
		for _, c := range of.Curves {
			for _, p := range c.Points {
				low, high = math.Min(low, p.X), math.Max(high, p.X)
			}
		}
	}
	for i, of := range panels {
		p := newPanel("", of.Axis.Label)
		if i == len(panels)-1 {
			p.X.Label.Text = x.Label
		}
		valueAxis(&p.X, x, low, high, 10)
		least, most := math.Inf(1), math.Inf(-1)
		for _, c := range of.Curves {
			for _, at := range c.Points {
				least, most = math.Min(least, math.Min(at.Y, at.YLow)), math.Max(most, math.Max(at.Y, at.YHigh))
			}
			addSwept(p, c)
		}
		valueAxis(&p.Y, of.Axis, least, most, 5)
		f.panels = append(f.panels, panel{plot: p, share: 1 / float64(len(panels))})
	}
	for _, c := range panels[0].Curves {
		f.legend = append(f.legend, legendEntry{c.Name, c.Stroke, true})
	}
	return f
}

// logSpan is from which ratio of the largest value to the smallest on an axis that may be
// logarithmic is: below, it would have two or three ticks, and most of it would be empty.
const logSpan = 4

// valueAxis shows low to high with some room, linear axes of positive values from 0.
func valueAxis(a *plot.Axis, of Axis, low, high float64, ticks int) {
	if math.IsInf(low, 0) {
		low, high = 0, 1
	}
	if of.Log && low > 0 && high >= logSpan*low {
		a.Min, a.Max = logBounds(low*0.95, high*1.05)
		a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks(of.Unit.text)
		return
	}
	if high <= 0 {
		high = 1
	}
	step := niceStep(high, ticks)
	a.Min, a.Max = 0, step*math.Ceil(high*1.03/step)
	a.Tick.Marker = linearTicks(ticks+1, of.Unit.text)
}

func addSwept(p *plot.Plot, c Swept) {
	var line plotter.XYs
	for _, at := range c.Points {
		line = append(line, plotter.XY{X: at.X, Y: at.Y})
	}
	if len(line) == 0 {
		return
	}
	p.Add(&plotter.Line{XYs: line, LineStyle: c.Stroke.line()}, whiskers(c), &plotter.Scatter{XYs: line, GlyphStyle: c.Stroke.glyph()})
}

// whiskers draws the confidence intervals of a curve's points.
type whiskers Swept

// Plot implements [plot.Plotter].
func (s whiskers) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := s.Stroke.thin()
	for _, at := range s.Points {
		if low, high := y(at.YLow), y(at.YHigh); high > low+1 {
			c.StrokeLine2(style, x(at.X), low, x(at.X), high)
			for _, end := range []float64{at.YLow, at.YHigh} {
				c.StrokeLine2(style, x(at.X)-3, y(end), x(at.X)+3, y(end))
			}
		}
	}
}
