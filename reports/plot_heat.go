package reports

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Grid is one panel of a heat map: a metric over two settings. Values[y][x] is NaN
// where there is none.
type Grid struct {
	Title  string
	Values [][]float64
}

// HeatMap draws one panel per grid, side by side and all on one scale of colours,
// with the value in each cell. xs and ys are the values of the two settings.
func HeatMap(title, note, xLabel, yLabel string, unit AxisUnit, xs, ys []string, grids []Grid) *Figure {
	f := &Figure{title: title, subtitle: "darker: larger, one scale for all panels; " + note, sideBySide: true, rows: len(ys) + 2}
	low, high := math.Inf(1), math.Inf(-1)
	for _, g := range grids {
		for _, row := range g.Values {
			for _, v := range row {
				if !math.IsNaN(v) {
					low, high = math.Min(low, v), math.Max(high, v)
				}
			}
		}
	}
	for i, g := range grids {
		p := newAxes(xLabel, "")
		p.Title.Text = g.Title
		p.Title.TextStyle = textStyle(10, inkColour)
		p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
		p.Title.Padding = 4
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(len(xs))-0.5, -0.5, float64(len(ys))-0.5
		p.X.Tick.Marker, p.X.Tick.Length, p.X.Padding = listTicks(xs, true), 0, 0
		p.Y.Tick.Marker, p.Y.Tick.Length, p.Y.Padding = listTicks(ys, i == 0), 0, 0
		if i == 0 {
			p.Y.Label.Text = yLabel
		}
		p.Add(heat{g.Values, low, high, unit})
		f.panels = append(f.panels, panel{plot: p})
	}
	return f
}

// listTicks puts names at 0, 1, 2, …
func listTicks(names []string, named bool) plot.Ticker {
	return plot.TickerFunc(func(_, _ float64) []plot.Tick {
		var ticks []plot.Tick
		for i, name := range names {
			if !named {
				name = " "
			}
			ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
		}
		return ticks
	})
}

// heat draws the cells of one grid.
type heat struct {
	values    [][]float64
	low, high float64
	unit      AxisUnit
}

// Plot implements [plot.Plotter].
func (h heat) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for row := range h.values {
		for column, v := range h.values[row] {
			from, to := vg.Point{X: x(float64(column) - 0.5), Y: y(float64(row) - 0.5)}, vg.Point{X: x(float64(column) + 0.5), Y: y(float64(row) + 0.5)}
			depth, text := 0.0, "none"
			if !math.IsNaN(v) {
				text = h.unit.text(roundTo3(v))
				if h.high > h.low {
					depth = (v - h.low) / (h.high - h.low)
				}
			}
			c.FillPolygon(shade(depth), []vg.Point{{X: from.X + 0.5, Y: from.Y + 0.5}, {X: to.X - 0.5, Y: from.Y + 0.5}, {X: to.X - 0.5, Y: to.Y - 0.5}, {X: from.X + 0.5, Y: to.Y - 0.5}})
			ink := color.Color(inkColour)
			if depth > 0.5 {
				ink = color.White
			}
			style := textStyle(9, ink)
			style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
			if style.Rectangle(text).Size().X > to.X-from.X-2 {
				style = textStyle(7, ink)
				style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
			}
			c.FillText(style, vg.Point{X: (from.X + to.X) / 2, Y: (from.Y + to.Y) / 2}, text)
		}
	}
}

// shade goes from near white to dark blue; its lightness alone tells the depth.
func shade(depth float64) color.RGBA {
	mix := func(light, dark float64) uint8 { return uint8(math.Round(light + (dark-light)*depth)) }
	return color.RGBA{mix(0xF2, 0x08), mix(0xF5, 0x3A), mix(0xFA, 0x6B), 0xFF}
}

// roundTo3 keeps three significant digits.
func roundTo3(v float64) float64 {
	if v == 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-2)
	return math.Round(v/unit) * unit
}
