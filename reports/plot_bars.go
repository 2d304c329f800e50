package reports

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Cost is one panel of bars: what one operation costs, in one unit.
type Cost struct {
	Label string // messages
	Bars  []Bar  // equal names in equal order in all panels
}

// Bar is the median of some runs, with the quartiles. None says that there are no
// runs.
type Bar struct {
	Name          string
	Stroke        Stroke
	Median        float64
	Lower, Higher float64 // quartiles
	None          bool
}

// newBar makes a bar of figures in thousandths.
func newBar(name string, stroke Stroke, thousandths []int64) Bar {
	b := Bar{Name: name, Stroke: stroke, None: len(thousandths) == 0}
	if b.None {
		return b
	}
	sorted := slices.Clone(thousandths)
	slices.Sort(sorted)
	at := func(q float64) float64 { return float64(sorted[int(q*float64(len(sorted)-1)+0.5)]) / 1000 }
	b.Median, b.Lower, b.Higher = float64(Median(sorted))/1000, at(0.25), at(0.75)
	return b
}

// CostBars draws one panel per cost, side by side, each with one bar per protocol and
// the quartiles as whiskers. Every panel has a scale of its own.
func CostBars(title, note string, costs []Cost) *Figure {
	f := &Figure{title: title, subtitle: "per operation that returned, reads included; bar: median, whisker: quartiles; " + note, sideBySide: true}
	for i, cost := range costs {
		p := newBarPanel(cost.Label)
		most := 0.0
		for _, b := range cost.Bars {
			most = math.Max(most, math.Max(b.Median, b.Higher))
		}
		if most == 0 {
			most = 1
		}
		p.Add(bars(cost.Bars))
		p.X.Min, p.X.Max = 0, most*1.28 // room for the figure behind the bar
		p.X.Tick.Marker = linearTicks(4, shortFloat)
		p.Y.Min, p.Y.Max = -0.5, float64(len(cost.Bars))-0.5
		p.Y.Tick.Marker = nameTicks(cost.Bars, i == 0)
		p.Y.Tick.Length, p.Y.Padding = 0, 0
		f.panels = append(f.panels, panel{plot: p})
		f.rows = len(cost.Bars)
	}
	return f
}

// nameTicks puts the bars' names on the y axis, the first on top.
func nameTicks(list []Bar, named bool) plot.Ticker {
	return plot.TickerFunc(func(_, _ float64) []plot.Tick {
		var ticks []plot.Tick
		for i, b := range list {
			t := plot.Tick{Value: float64(len(list) - 1 - i), Label: b.Name}
			if !named {
				t.Label = " "
			}
			ticks = append(ticks, t)
		}
		return ticks
	})
}

// bars draws horizontal bars, the first on top, each with its figure behind it.
type bars []Bar

// Plot implements [plot.Plotter].
func (list bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	half := min((y(1)-y(0))*0.32, 13)
	whisker := draw.LineStyle{Color: inkColour, Width: 0.8}
	style := textStyle(9, inkColour)
	style.YAlign = draw.YCenter
	for i, b := range list {
		middle := y(float64(len(list) - 1 - i))
		if b.None {
			c.FillText(style, vg.Point{X: x(0) + 4, Y: middle}, "none")
			continue
		}
		end := x(b.Median)
		c.FillPolygon(b.Stroke.colour(), []vg.Point{
			{X: x(0), Y: middle - half}, {X: end, Y: middle - half}, {X: end, Y: middle + half}, {X: x(0), Y: middle + half}})
		lower, higher := x(b.Lower), x(b.Higher)
		if higher > lower+0.5 {
			c.StrokeLine2(whisker, lower, middle, higher, middle)
			for _, at := range []vg.Length{lower, higher} {
				c.StrokeLine2(whisker, at, middle-half*0.45, at, middle+half*0.45)
			}
		}
		c.FillText(style, vg.Point{X: max(end, higher) + 4, Y: middle}, barFigure(b.Median))
	}
}

// barFigure writes a median with two decimals, from 100 up with none.
func barFigure(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
