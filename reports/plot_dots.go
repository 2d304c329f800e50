package reports

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Place is where clients are, with the writes of one series' clients there.
type Place struct {
	Name   string
	Writes [][]protocols.Duration // by series, each sorted
}

// LatencyByRegion draws, for each region, how long the writes of its clients take:
// a glyph at the median and a line up to the 99th percentile, one row per protocol.
func LatencyByRegion(title, note string, series []Series, places []Place) *Figure {
	f := &Figure{title: title, subtitle: "glyph: median, line: to p99; " + note}
	p := newBarPanel("commit latency of clients, call to answer")
	low, high := math.Inf(1), 0.0
	var names []string
	for i := range places {
		names = append([]string{places[i].Name}, names...)
		for _, sorted := range places[i].Writes {
			if len(sorted) > 0 {
				low, high = math.Min(low, milliseconds(quantile(sorted, 0.5))), math.Max(high, milliseconds(quantile(sorted, 0.99)))
			}
		}
	}
	latencyAxis(&p.X, low, high)
	p.Y.Min, p.Y.Max = -0.5, float64(len(places))-0.5
	p.Y.Tick.Marker, p.Y.Tick.Length = listTicks(names, true), 0
	p.Add(dots{series, places})
	for _, s := range series {
		f.legend = append(f.legend, legendEntry{s.Name, s.Stroke, true})
	}
	f.panels, f.rows = []panel{{plot: p, share: 1}}, len(places)
	return f
}

// dots draws the rows of LatencyByRegion, the first place on top.
type dots struct {
	series []Series
	places []Place
}

// Plot implements [plot.Plotter].
func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, place := range d.places {
		row := float64(len(d.places) - 1 - i)
		if i > 0 {
			c.StrokeLine2(draw.LineStyle{Color: gridColour, Width: 0.6}, c.Min.X, y(row+0.5), c.Max.X, y(row+0.5))
		}
		for s, sorted := range place.Writes {
			if len(sorted) == 0 {
				continue
			}
			at := y(row + 0.36 - 0.72*(float64(s)+0.5)/float64(len(d.series)))
			stroke := d.series[s].Stroke
			middle := x(milliseconds(quantile(sorted, 0.5)))
			c.StrokeLine2(stroke.line(), middle, at, x(milliseconds(quantile(sorted, 0.99))), at)
			c.DrawGlyph(stroke.glyph(), vg.Point{X: middle, Y: at})
		}
	}
}

// Vacant is one curve of [ElectionTimes]: how long nobody led, each time.
type Vacant struct {
	Name   string
	Stroke Stroke
	Spans  []sim.Span
}

// ElectionTimes draws the distribution of the times in which nobody led a quorum: the
// first election in one panel, and the later ones, which begin with a failure, in
// another.
func ElectionTimes(title, note string, list []Vacant) *Figure {
	f := &Figure{title: title, subtitle: "time until a node leads a quorum; " + note}
	for i, kind := range []string{"first elections", "later ones"} {
		p := newPanel("", "share of "+kind)
		most := 0.0
		for _, v := range list {
			var sorted []protocols.Duration
			for _, s := range v.Spans {
				if (s.From == 0) == (i == 0) {
					sorted = append(sorted, s.To.Sub(s.From))
				}
			}
			if len(sorted) == 0 {
				continue
			}
			points := shares(sorted)
			most = math.Max(most, points[len(points)-1].X)
			p.Add(&plotter.Line{XYs: points, StepStyle: plotter.PostStep, LineStyle: v.Stroke.line()})
		}
		if most == 0 && i > 0 {
			continue
		}
		shareAxis(&p.Y)
		valueAxis(&p.X, Axis{Unit: Milliseconds}, 0, most, 8)
		f.panels = append(f.panels, panel{plot: p})
	}
	end := 0.0
	for i := range f.panels {
		end = math.Max(end, f.panels[i].plot.X.Max)
	}
	for i := range f.panels {
		f.panels[i].share = 1 / float64(len(f.panels))
		valueAxis(&f.panels[i].plot.X, Axis{Unit: Milliseconds}, 0, end/1.03, 8)
	}
	f.panels[len(f.panels)-1].plot.X.Label.Text = "time without a leader"
	for _, v := range list {
		f.legend = append(f.legend, legendEntry{v.Name, v.Stroke, false})
	}
	return f
}
