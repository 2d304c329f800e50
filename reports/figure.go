package reports

import (
	"bytes"
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Figure is a finished plot: a title, a legend outside the data, and panels: one
// above the other with a common x axis and a strip that names fault windows, or side
// by side with a common y axis.
type Figure struct {
	title, subtitle string
	legend          []legendEntry
	windows         []Window
	panels          []panel
	low, high       float64  // of all latencies shown, in milliseconds, where panels share an axis
	lines           []string // below the data: what its numbers mean
	sideBySide      bool
	rows            int // of bars, which give the height; one above the other: 0 for a fixed height
}

type legendEntry struct {
	name   string
	stroke Stroke
	glyph  bool // points are drawn
}

type panel struct {
	plot  *plot.Plot
	share float64 // of the height, one above the other
}

const (
	figureWidth  = vg.Length(620) // points
	figureHeight = vg.Length(400)
	figureMargin = vg.Length(14)
	pngDPI       = 160
	laneHeight   = vg.Length(12)
	maxLanes     = 8
)

// SVG renders the figure. Fonts are named, with fallbacks, rather than embedded:
// a tenth of the size. Equal figures give equal bytes.
func (f *Figure) SVG() ([]byte, error) {
	c := vgsvg.New(figureWidth, f.height())
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("rendering %q as SVG: %w", f.title, err)
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif")), nil
}

// PNG renders the figure at 160 dots per inch. Equal figures give equal bytes.
func (f *Figure) PNG() ([]byte, error) {
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(figureWidth, f.height()), vgimg.UseDPI(pngDPI))}
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("rendering %q as PNG: %w", f.title, err)
	}
	return b.Bytes(), nil
}

func (f *Figure) height() vg.Length {
	if f.sideBySide {
		return 130 + vg.Length(f.rows)*34
	}
	if f.rows > 0 { // one panel of rows
		return 150 + vg.Length(f.rows)*54
	}
	if len(f.panels) > 2 {
		return figureHeight + 200
	}
	if len(f.panels) > 1 {
		return figureHeight + 90 + f.linesHeight()
	}
	return figureHeight
}

func (f *Figure) draw(c draw.Canvas) {
	c.SetColor(plot.New().BackgroundColor)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, figureMargin, -figureMargin-6, figureMargin, -figureMargin)
	c = f.drawLines(f.drawHeader(c))
	if f.sideBySide {
		for i, area := range f.columns(c) {
			f.panels[i].plot.BackgroundColor = nil
			f.panels[i].plot.Draw(area)
		}
		return
	}
	areas := f.alignedAreas(c)
	first := f.panels[0].plot.DataCanvas(areas[0])
	lanes := placeWindows(first, f.panels[0].plot, f.windows)
	if n := lanesUsed(lanes); n > 0 { // make room for the strip above the data, then align again
		strip := vg.Length(n) * laneHeight
		free := c.Max.Y - first.Max.Y
		c = draw.Crop(c, 0, 0, 0, min(free-strip, 0))
		areas = f.alignedAreas(c)
		bottom := f.panels[0].plot.DataCanvas(areas[0]).Max.Y
		defer drawLanes(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: first.Min.X, Y: bottom}, Max: vg.Point{X: first.Max.X, Y: bottom + strip}}}, lanes)
	}
	for i, p := range f.panels {
		p.plot.BackgroundColor = nil
		shadeWindows(p.plot.DataCanvas(areas[i]), p.plot, f.windows)
		p.plot.Draw(areas[i])
	}
}

// drawHeader draws title, subtitle and legend, and returns what is left.
func (f *Figure) drawHeader(c draw.Canvas) draw.Canvas {
	for _, line := range []struct {
		text  string
		style draw.TextStyle
	}{{f.title, textStyle(13, inkColour)}, {f.subtitle, textStyle(9, mutedColour)}} {
		if line.text == "" {
			continue
		}
		height := line.style.FontExtents().Height
		c.FillText(line.style, vg.Point{X: c.Min.X, Y: c.Max.Y - line.style.FontExtents().Ascent}, line.text)
		c.Max.Y -= height + 3
	}
	return f.drawLegend(c)
}

// drawLegend draws the legend as rows of entries above the data.
func (f *Figure) drawLegend(c draw.Canvas) draw.Canvas {
	style := textStyle(10, inkColour)
	const thumb, gap, row = vg.Length(26), vg.Length(18), vg.Length(15)
	c.Max.Y -= 4
	x, y := c.Min.X, c.Max.Y-style.FontExtents().Ascent
	for _, e := range f.legend {
		width := thumb + 5 + style.Rectangle(e.name).Size().X
		if x > c.Min.X && x+width > c.Max.X {
			x, y = c.Min.X, y-row
		}
		middle := y + style.FontExtents().Ascent*0.36
		c.StrokeLine2(e.stroke.line(), x, middle, x+thumb, middle)
		if e.glyph {
			c.DrawGlyph(e.stroke.glyph(), vg.Point{X: x + thumb/2, Y: middle})
		}
		c.FillText(style, vg.Point{X: x + thumb + 5, Y: y}, e.name)
		x += width + gap
	}
	if len(f.legend) > 0 {
		c.Max.Y = y - 9
	}
	return c
}

// lineHeight is that of the lines below the data, in two columns.
const lineHeight = vg.Length(11)

func (f *Figure) linesHeight() vg.Length { return lineHeight * vg.Length((len(f.lines)+1)/2) }

// drawLines writes the lines below the data, and returns what is left.
func (f *Figure) drawLines(c draw.Canvas) draw.Canvas {
	if len(f.lines) == 0 {
		return c
	}
	style := textStyle(8, inkColour)
	rows := (len(f.lines) + 1) / 2
	for i, line := range f.lines {
		at := vg.Point{X: c.Min.X + vg.Length(i/rows)*(c.Max.X-c.Min.X)/2, Y: c.Min.Y + lineHeight*vg.Length(rows-1-i%rows)}
		c.FillText(style, at, line)
	}
	c.Min.Y += f.linesHeight() + 6
	return c
}

// columns cuts c into one area per panel whose data areas are equally wide.
func (f *Figure) columns(c draw.Canvas) []draw.Canvas {
	const gap = vg.Length(10)
	areas := make([]draw.Canvas, len(f.panels))
	around := make([]vg.Length, len(f.panels)) // what axes and labels take
	free := c.Max.X - c.Min.X - gap*vg.Length(len(f.panels)-1)
	for i, p := range f.panels {
		data := p.plot.DataCanvas(c)
		around[i] = data.Min.X - c.Min.X + c.Max.X - data.Max.X
		free -= around[i]
	}
	x := c.Min.X
	for i := range f.panels {
		width := around[i] + free/vg.Length(len(f.panels))
		areas[i] = draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: x, Y: c.Min.Y}, Max: vg.Point{X: x + width, Y: c.Max.Y}}}
		x += width + gap
	}
	return areas
}

// alignedAreas cuts c into one area per panel whose data areas share both ends
// of the x axis.
func (f *Figure) alignedAreas(c draw.Canvas) []draw.Canvas {
	areas := make([]draw.Canvas, len(f.panels))
	y := c.Max.Y
	for i, p := range f.panels {
		h := vg.Length(p.share) * (c.Max.Y - c.Min.Y)
		areas[i] = draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: c.Min.X, Y: y - h}, Max: vg.Point{X: c.Max.X, Y: y}}}
		if i > 0 {
			areas[i].Max.Y -= 8
		}
		y -= h
	}
	for range 3 { // padding depends on the width, so the first cut is not exact
		left, right := c.Min.X, c.Max.X
		for i, p := range f.panels {
			data := p.plot.DataCanvas(areas[i])
			left, right = max(left, data.Min.X), min(right, data.Max.X)
		}
		for i, p := range f.panels {
			data := p.plot.DataCanvas(areas[i])
			areas[i] = draw.Crop(areas[i], left-data.Min.X, right-data.Max.X, 0, 0)
		}
	}
	return areas
}

// placedWindow is a window with its row in the strip and its label's place.
type placedWindow struct {
	label    string
	lane     int
	from, to vg.Length
	labelX   vg.Length
}

// placeWindows gives each window the first row in which neither its bar nor its
// label meets another. Windows that find no row are shaded but not named.
func placeWindows(c draw.Canvas, p *plot.Plot, windows []Window) []placedWindow {
	style := textStyle(8, inkColour)
	x, _ := p.Transforms(&c)
	var busy [maxLanes]vg.Length
	for i := range busy {
		busy[i] = c.Min.X - 1
	}
	var placed []placedWindow
	for _, w := range windows {
		from, to := clampX(c, x(seconds(w.From))), clampX(c, x(min(seconds(w.To), p.X.Max)))
		to = max(to, from+1.5)
		width := style.Rectangle(w.Label).Size().X
		start, end, labelX := from, to, from+3 // inside the bar where it fits, else right of it, else left
		if width+6 > to-from {
			labelX, end = to+3, to+3+width
			if end > c.Max.X {
				labelX = from - 3 - width
				start, end = labelX, to
			}
		}
		for lane := range busy {
			if start > busy[lane] {
				busy[lane] = end + 6
				placed = append(placed, placedWindow{w.Label, lane, from, to, labelX})
				break
			}
		}
	}
	return placed
}

func lanesUsed(placed []placedWindow) int {
	n := 0
	for _, w := range placed {
		n = max(n, w.lane+1)
	}
	return n
}

func drawLanes(c draw.Canvas, placed []placedWindow) {
	style := textStyle(8, inkColour)
	for _, w := range placed {
		y := c.Max.Y - vg.Length(w.lane)*laneHeight
		bar := []vg.Point{{X: w.from, Y: y - laneHeight + 1.5}, {X: w.to, Y: y - laneHeight + 1.5}, {X: w.to, Y: y - 0.5}, {X: w.from, Y: y - 0.5}}
		c.FillPolygon(laneColour, bar)
		c.FillText(style, vg.Point{X: w.labelX, Y: y - laneHeight + 3.8}, w.label)
	}
}
