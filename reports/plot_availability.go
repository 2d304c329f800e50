package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// served is one step of time: how many operations were answered in it.
type served struct {
	from   float64 // seconds
	rate   float64 // answers per second, mean over the runs
	served float64 // share of the runs with at least one answer
}

// timeStep is the length of a step of time, in seconds.
func timeStep(end protocols.Time) float64 { return niceStep(math.Max(seconds(end), 1e-3), 100) }

// servedOver counts answers by the time at which they arrived, up to end. The last,
// partial step is left out: it would look like a drop.
func servedOver(s Series, end protocols.Time, width float64) []served {
	steps := make([]served, max(int(seconds(end)/width+1e-9), 1))
	runs := float64(max(s.Runs, 1))
	seen := make([]int, len(steps)) // the last run counted, from 1: samples come run by run
	for i := range steps {
		steps[i].from = float64(i) * width
	}
	for _, op := range s.Samples {
		i := int(seconds(op.Began.Add(op.Latency)) / width)
		if i >= len(steps) {
			continue
		}
		steps[i].rate += 1 / (width * runs)
		if seen[i] != op.Run+1 {
			seen[i] = op.Run + 1
			steps[i].served += 1 / runs
		}
	}
	return steps
}

// Service is one lane of [Availability]: how one run of a protocol served its clients.
type Service struct {
	Name   string
	Stroke Stroke
	Gaps   []Gap
}

// Gap is an interval in which no client got an answer, and why.
type Gap struct {
	sim.Span
	Reason string
}

// maxGapLabels bounds the reasons that are written out.
const maxGapLabels = 14

// Availability draws one lane per protocol over virtual time, filled where clients
// were served, with the reason of each gap below the plot. Below the lanes stands the
// share of the runs with an answer. Fault windows are shaded and named. end is where
// the safety phase ends.
func Availability(title, note string, lanes []Service, series []Series, end protocols.Time, windows []Window) *Figure {
	width := timeStep(end)
	f := &Figure{title: title, windows: windows, subtitle: "bars: served, seed 1; below: share of the runs with an answer, steps of " + axisDuration(width*1000) + "; " + note}
	served := newPanel("", "")
	served.Y.Min, served.Y.Max = -0.5, max(float64(len(lanes)), 1)-0.5
	var names []string
	for i := range lanes {
		names = append([]string{lanes[i].Name}, names...)
	}
	served.Y.Tick.Marker, served.Y.Tick.Length = listTicks(names, true), 0
	numbered := f.explainGaps(lanes)
	served.Add(laneBars{lanes, numbered, end})
	share := newPanel("virtual time since the start of the run", "runs served")
	for _, s := range series {
		steps := servedOver(s, end, width)
		var shares plotter.XYs
		for _, b := range steps {
			shares = append(shares, plotter.XY{X: b.from, Y: b.served})
		}
		shares = append(shares, plotter.XY{X: float64(len(steps)) * width, Y: shares[len(shares)-1].Y})
		share.Add(&plotter.Line{XYs: shares, StepStyle: plotter.PostStep, LineStyle: s.Stroke.line()})
		f.legend = append(f.legend, legendEntry{s.Name, s.Stroke, false})
	}
	for _, p := range []*plot.Plot{served, share} {
		timeAxis(&p.X, math.Max(seconds(end), width))
	}
	shareAxis(&share.Y)
	f.panels = []panel{{plot: served, share: 0.52}, {plot: share, share: 0.48}}
	return f
}

// explainGaps numbers the longest gaps, lane by lane, and writes their reasons below
// the figure. It returns the numbers by lane and gap, 0 for those without one.
func (f *Figure) explainGaps(lanes []Service) [][]int {
	var all []protocols.Duration
	for _, l := range lanes {
		for _, g := range l.Gaps {
			all = append(all, g.To.Sub(g.From))
		}
	}
	slices.Sort(all)
	least := protocols.Duration(0)
	if len(all) > maxGapLabels {
		least = all[len(all)-maxGapLabels]
		f.lines = append(f.lines, fmt.Sprintf("the %d longest of %d gaps", maxGapLabels, len(all)))
	}
	numbers, next := make([][]int, len(lanes)), 0
	for i, l := range lanes {
		numbers[i] = make([]int, len(l.Gaps))
		for g, gap := range l.Gaps {
			if gap.To.Sub(gap.From) < least || next == maxGapLabels {
				continue
			}
			next++
			numbers[i][g] = next
			f.lines = append(f.lines, fmt.Sprintf("%d  %s, %s at %s: %s", next, l.Name, Duration(int64(gap.To.Sub(gap.From))), Duration(int64(gap.From)), gap.Reason))
		}
	}
	return numbers
}

// laneBars draws the lanes of Availability, the first on top.
type laneBars struct {
	lanes   []Service
	numbers [][]int
	end     protocols.Time
}

// Plot implements [plot.Plotter].
func (b laneBars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := textStyle(9, inkColour)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	for i, l := range b.lanes {
		middle := y(float64(len(b.lanes) - 1 - i))
		half := min((y(1)-y(0))*0.27, 9)
		bar := func(from, to protocols.Time) {
			if to > from {
				c.FillPolygon(l.Stroke.colour(), []vg.Point{{X: x(seconds(from)), Y: middle - half}, {X: x(seconds(to)), Y: middle - half}, {X: x(seconds(to)), Y: middle + half}, {X: x(seconds(from)), Y: middle + half}})
			}
		}
		from := protocols.Time(0)
		for g, gap := range l.Gaps {
			bar(from, gap.From)
			from = gap.To
			if n := b.numbers[i][g]; n > 0 {
				at := clampX(c, x(seconds(gap.From+(gap.To-gap.From)/2)))
				c.FillText(style, vg.Point{X: at, Y: middle + half + 6}, strconv.Itoa(n))
			}
		}
		bar(from, b.end)
	}
}

// timeAxis shows virtual time from 0 to end, in seconds.
func timeAxis(a *plot.Axis, end float64) {
	a.Min, a.Max = 0, end
	a.Tick.Marker = linearTicks(10, func(v float64) string { return shortFloat(v) + " s" })
}

// percentTicks labels a share from 0 to 1 in n steps.
func percentTicks(n int) plot.Ticker {
	return plot.TickerFunc(func(_, _ float64) []plot.Tick {
		var ticks []plot.Tick
		for i := range n + 1 {
			v := float64(i) / float64(n)
			ticks = append(ticks, plot.Tick{Value: v, Label: shortFloat(v*100) + " %"})
		}
		return ticks
	})
}
