package reports

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// All styling of plots is in this file, so that every figure looks the same.

// okabeIto is the palette of Okabe and Ito (2008), which readers with any kind
// of colour vision can tell apart. The yellow is left out: it is too light for
// lines on white.
var okabeIto = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermilion
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0x33, 0x33, 0x33, 0xFF}, // near black
}

// dashPatterns tell curves apart in black-and-white print.
var dashPatterns = [][]vg.Length{
	nil,
	{6, 2.5},
	{1.5, 2},
	{7, 2.5, 1.5, 2.5},
	{12, 3},
	{4, 2, 1.5, 2, 1.5, 2},
}

// glyphs tell series apart where points are drawn, also in black-and-white print.
var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.RingGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{},
}

// protocolColour fixes the colour, dash and glyph of the protocols that lockstep
// ships, so that a protocol looks the same in every figure. Others take the free
// ones in the order in which they are listed.
var protocolColour = map[string]int{"raft": 0, "paxos": 1, "vr": 2, "primarybackup": 3}

var (
	inkColour    = color.RGBA{0x22, 0x22, 0x22, 0xFF}
	mutedColour  = color.RGBA{0x66, 0x66, 0x66, 0xFF}
	gridColour   = color.RGBA{0xE4, 0xE4, 0xE4, 0xFF}
	axisColour   = color.RGBA{0x99, 0x99, 0x99, 0xFF}
	windowColour = color.RGBA{0xF3, 0xEC, 0xE4, 0xFF}
	laneColour   = color.RGBA{0xC9, 0xB7, 0xA2, 0xFF}
)

const curveWidth = vg.Length(1.6)

// Stroke numbers a colour, which is also that of a glyph, and a dash pattern.
type Stroke struct{ Colour, Dash int }

// Strokes returns one stroke for each pair of protocol and variant, protocol by
// protocol. With one protocol all of it follows the variant; with several the
// colour and the glyph are the protocol's, and so is the dash unless variants need
// it.
func Strokes(protocolNames []string, variants int) []Stroke {
	var strokes []Stroke
	if len(protocolNames) == 1 && variants > 1 {
		for v := range variants {
			strokes = append(strokes, Stroke{v, v})
		}
		return strokes
	}
	next := len(protocolColour)
	for _, name := range protocolNames {
		colour, fixed := protocolColour[name]
		if !fixed {
			colour, next = next, next+1
		}
		for v := range variants {
			dash := v
			if variants == 1 {
				dash = colour
			}
			strokes = append(strokes, Stroke{colour, dash})
		}
	}
	return strokes
}

func (s Stroke) colour() color.RGBA { return okabeIto[s.Colour%len(okabeIto)] }

func (s Stroke) line() draw.LineStyle {
	return draw.LineStyle{Color: s.colour(), Width: curveWidth, Dashes: dashPatterns[s.Dash%len(dashPatterns)]}
}

func (s Stroke) glyph() draw.GlyphStyle {
	return draw.GlyphStyle{Color: s.colour(), Radius: 3, Shape: glyphs[s.Colour%len(glyphs)]}
}

// band is the stroke's colour for an area behind the curve.
func (s Stroke) band() color.Color {
	c := s.colour()
	return color.NRGBA{c.R, c.G, c.B, 0x30}
}

// thin is the stroke of a curve's companion.
func (s Stroke) thin() draw.LineStyle {
	c := s.colour()
	return draw.LineStyle{Color: color.NRGBA{c.R, c.G, c.B, 0xA0}, Width: 0.7}
}

func textStyle(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
		Handler: plot.DefaultTextHandler,
	}
}

// newPanel returns an empty plot in the house style.
func newPanel(xLabel, yLabel string) *plot.Plot {
	p := newAxes(xLabel, yLabel)
	grid := plotter.NewGrid()
	grid.Vertical = draw.LineStyle{Color: gridColour, Width: 0.6}
	grid.Horizontal = grid.Vertical
	p.Add(grid)
	return p
}

// newBarPanel is newPanel for horizontal bars, without lines between them.
func newBarPanel(xLabel string) *plot.Plot {
	p := newAxes(xLabel, "")
	grid := plotter.NewGrid()
	grid.Vertical = draw.LineStyle{Color: gridColour, Width: 0.6}
	grid.Horizontal.Width = 0
	p.Add(grid)
	return p
}

func newAxes(xLabel, yLabel string) *plot.Plot {
	p := plot.New()
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle = draw.LineStyle{Color: axisColour, Width: 0.7}
		axis.Tick.LineStyle = draw.LineStyle{Color: axisColour, Width: 0.7}
		axis.Tick.Length = 4
		axis.Padding = 3
		restyle(&axis.Tick.Label, 9, inkColour)
		restyle(&axis.Label.TextStyle, 10, inkColour)
		axis.Label.Padding = 5
	}
	p.X.Label.Text, p.Y.Label.Text = xLabel, yLabel
	return p
}

// restyle keeps a style's alignment and rotation, which differ from axis to axis.
func restyle(s *text.Style, size vg.Length, c color.Color) {
	s.Font = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
	s.Color = c
}

// niceStep returns the smallest 1, 2 or 5 times a power of ten that divides span
// into at most n parts.
func niceStep(span float64, n int) float64 {
	if span <= 0 || n < 1 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(span/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if span/(m*power) <= float64(n)*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// linearTicks puts at most n+1 labelled ticks at 1-2-5 steps.
func linearTicks(n int, label func(float64) string) plot.Ticker {
	return plot.TickerFunc(func(min, max float64) []plot.Tick {
		step := niceStep(max-min, n)
		var ticks []plot.Tick
		for i := math.Ceil(min/step - 1e-9); i*step <= max+step*1e-9; i++ {
			v := i*step + 0 // +0 turns a negative zero into zero
			ticks = append(ticks, plot.Tick{Value: v, Label: label(v)})
		}
		return ticks
	})
}

// logTicks puts ticks at 1, 2 and 5 times the powers of ten. 2 and 5 are
// labelled on short axes only.
func logTicks(label func(float64) string) plot.Ticker {
	return plot.TickerFunc(func(min, max float64) []plot.Tick {
		var ticks []plot.Tick
		for power := math.Floor(math.Log10(min)); power <= math.Log10(max)+1e-9; power++ {
			for _, m := range []float64{1, 2, 5} {
				v := m * math.Pow(10, power)
				if v < min*(1-1e-9) || v > max*(1+1e-9) {
					continue
				}
				tick := plot.Tick{Value: v}
				if m == 1 || max/min <= 2000 {
					tick.Label = label(v)
				}
				ticks = append(ticks, tick)
			}
		}
		return ticks
	})
}

// logBounds widens [min, max] to the next 1-2-5 step on both sides.
func logBounds(min, max float64) (float64, float64) {
	lo := math.Pow(10, math.Floor(math.Log10(min)))
	for _, m := range []float64{5, 2} {
		if m*lo <= min*(1+1e-9) {
			lo *= m
			break
		}
	}
	hi := math.Pow(10, math.Floor(math.Log10(max)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*hi >= max*(1-1e-9) {
			hi *= m
			break
		}
	}
	if hi <= lo*1.5 {
		hi = lo * 2
	}
	return lo, hi
}

// percentileScale spreads the tail: q is drawn at -log10(1-q), as in an HDR
// histogram, so that p90, p99 and p99.9 are equally far apart.
type percentileScale struct{}

func (percentileScale) Normalize(min, max, q float64) float64 {
	return (tailDepth(q) - tailDepth(min)) / (tailDepth(max) - tailDepth(min))
}

func tailDepth(q float64) float64 { return -math.Log10(1 - q) }

func percentileTicks(_, max float64) []plot.Tick {
	ticks := []plot.Tick{{Value: 0, Label: "min"}}
	for _, q := range []struct {
		at    float64
		label string
	}{{0.5, "p50"}, {0.75, "p75"}, {0.9, "p90"}, {0.95, "p95"}, {0.99, "p99"}, {0.999, "p99.9"}, {0.9999, "p99.99"}} {
		if q.at <= max*(1+1e-12) {
			ticks = append(ticks, plot.Tick{Value: q.at, Label: q.label})
		}
	}
	return ticks
}

// axisDuration labels a tick of a latency axis whose values are milliseconds.
func axisDuration(ms float64) string {
	switch {
	case ms == 0:
		return "0"
	case ms >= 1000*(1-1e-9):
		return shortFloat(ms/1000) + " s"
	case ms >= 1-1e-9:
		return shortFloat(ms) + " ms"
	case ms >= 1e-3*(1-1e-9):
		return shortFloat(ms*1e3) + " µs"
	}
	return shortFloat(ms*1e6) + " ns"
}

// shortFloat prints a tick value without the noise of binary fractions.
func shortFloat(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
