package reports

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/lockstep-sim/lockstep/protocols"
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

// Availability draws, over virtual time, in how many of the runs clients were served
// at all, and below it how many operations were answered per second. Fault windows
// are shaded and named. end is where the safety phase ends.
func Availability(title, note string, series []Series, end protocols.Time, windows []Window) *Figure {
	width := timeStep(end)
	f := &Figure{title: title, windows: windows, subtitle: fmt.Sprintf("steps of %s; shaded: the fault plan; %s", axisDuration(width*1000), note)}
	share := newPanel("", "runs with an answer")
	rate := newPanel("virtual time since the start of the run", "answers per second")
	fastest := 1.0
	for _, s := range series {
		steps := servedOver(s, end, width)
		rates, shares := make(plotter.XYs, 0, len(steps)+1), make(plotter.XYs, 0, len(steps)+1)
		for _, b := range steps {
			fastest = math.Max(fastest, b.rate)
			rates, shares = append(rates, plotter.XY{X: b.from, Y: b.rate}), append(shares, plotter.XY{X: b.from, Y: b.served})
		}
		last := float64(len(steps)) * width
		rates = append(rates, plotter.XY{X: last, Y: rates[len(rates)-1].Y})
		shares = append(shares, plotter.XY{X: last, Y: shares[len(shares)-1].Y})
		rate.Add(&plotter.Line{XYs: rates, StepStyle: plotter.PostStep, LineStyle: s.Stroke.line()})
		share.Add(&plotter.Line{XYs: shares, StepStyle: plotter.PostStep, LineStyle: s.Stroke.line()})
		f.legend = append(f.legend, legendEntry{s.Name, s.Stroke})
	}
	for _, p := range []*plot.Plot{share, rate} {
		timeAxis(&p.X, math.Max(seconds(end), width))
	}
	share.Y.Min, share.Y.Max = 0, 1.04 // so that a line at 100 % is seen whole
	share.Y.Tick.Marker = percentTicks(4)
	step := niceStep(fastest, 4)
	rate.Y.Min, rate.Y.Max = 0, step*math.Ceil(fastest/step)
	rate.Y.Tick.Marker = linearTicks(4, shortFloat)
	f.panels = []panel{{plot: share, share: 0.42}, {plot: rate, share: 0.58}}
	return f
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
