package reports

import (
	"fmt"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// written is a text where a figure put it.
type written struct {
	text string
	vg.Rectangle
}

// sized is a recorder with a size, as draw.New wants it.
type sized struct {
	*recorder.Canvas
	w, h vg.Length
}

func (s sized) Size() (vg.Length, vg.Length) { return s.w, s.h }

// texts draws a figure and returns where each upright text stands, and where the
// header ends, below which all data is.
func texts(f *Figure) (list []written, below vg.Length) {
	c := sized{&recorder.Canvas{}, figureWidth, f.height()}
	header := sized{&recorder.Canvas{}, figureWidth, f.height()}
	area := draw.Crop(draw.New(header), figureMargin, -figureMargin-6, figureMargin, -figureMargin)
	below = f.drawHeader(area).Max.Y
	f.draw(draw.New(c))
	turned := 0
	for _, a := range c.Actions {
		switch a := a.(type) {
		case *recorder.Push:
			if turned > 0 {
				turned++
			}
		case *recorder.Pop:
			turned = max(turned-1, 0)
		case *recorder.Rotate:
			turned = max(turned, 1)
		case *recorder.FillString:
			if turned == 0 && strings.TrimSpace(a.String) != "" {
				face := font.DefaultCache.Lookup(font.Font{Typeface: a.Font.Typeface, Variant: a.Font.Variant, Style: a.Font.Style, Weight: a.Font.Weight}, a.Size)
				e := face.Extents()
				list = append(list, written{a.String, vg.Rectangle{Min: vg.Point{X: a.Point.X, Y: a.Point.Y}, Max: vg.Point{X: a.Point.X + face.Width(a.String), Y: a.Point.Y + e.Ascent*0.7}}})
			}
		}
	}
	return list, below
}

// unreadable lists what stands over something else, or beyond the edge.
func unreadable(f *Figure) (problems []string) {
	list, below := texts(f)
	for i, a := range list {
		if a.Min.X < 0 || a.Max.X > figureWidth+0.5 || a.Min.Y < 0 || a.Max.Y > f.height() {
			problems = append(problems, fmt.Sprintf("%q goes beyond the edge", a.text))
		}
		for _, b := range list[:i] {
			if a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y {
				problems = append(problems, fmt.Sprintf("%q stands over %q", a.text, b.text))
			}
		}
	}
	for _, e := range f.legend {
		above := false
		for _, a := range list {
			above = above || a.text == e.name && a.Min.Y >= below
		}
		if !above {
			problems = append(problems, fmt.Sprintf("legend entry %q is not above the data", e.name))
		}
	}
	return problems
}

// TestNoTextStandsOverAnother: in every figure that this package draws, no tick label,
// legend entry or other text meets another one or the edge, and no legend is in the data.
func TestNoTextStandsOverAnother(t *testing.T) {
	all := examples()
	for name, f := range comparisonFigures() {
		all["comparison "+name] = f
	}
	for name, f := range all {
		for _, p := range unreadable(f) {
			t.Errorf("%s: %s", name, p)
		}
	}
}

func comparisonFigures() map[string]*Figure {
	list := map[string]*Figure{}
	for _, f := range comparison(12).Figures() {
		list[f.Name] = f.Figure
	}
	return list
}

// TestTheCheckOfTextsFindsOverlaps: crowded ticks and a title that is too long are found.
func TestTheCheckOfTextsFindsOverlaps(t *testing.T) {
	f := Sweep("title", "", Axis{Label: "x"}, []Panel{{Axis{Label: "y"}, []Swept{{Name: "one", Points: []Point{{0, 1, 1, 1}, {10, 2, 2, 2}}}}}})
	f.panels[0].plot.X.Tick.Marker = listTicks([]string{"a long label", "another long one", "a third one"}, true)
	if len(unreadable(f)) == 0 {
		t.Error("labels that stand over each other are not found")
	}
	if f = LatencyCDF(strings.Repeat("long ", 60), "", nil); len(unreadable(f)) == 0 {
		t.Error("a title beyond the edge is not found")
	}
}
