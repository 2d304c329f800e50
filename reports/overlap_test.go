package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// picture is what a figure's SVG shows, in points, y upwards: its upright texts, and the
// lines drawn in it but for the grid.
type picture struct {
	width, height vg.Length
	texts         []written
	lines         [][2]vg.Point
}

// written is a text where it stands.
type written struct {
	text string
	vg.Rectangle
}

// readSVG reads what SVG of a figure has written.
func readSVG(svg []byte) (p picture, err error) {
	d := xml.NewDecoder(bytes.NewReader(svg))
	var turned []bool // of the groups around
	var at *written
	var size vg.Length
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p, nil
		} else if err != nil {
			return p, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			a := attributes(token)
			switch token.Name.Local {
			case "svg":
				p.width, p.height = number(strings.TrimSuffix(a["width"], "pt")), number(strings.TrimSuffix(a["height"], "pt"))
			case "g":
				turned = append(turned, strings.Contains(a["transform"], "rotate") || len(turned) > 0 && turned[len(turned)-1])
			case "text":
				at, size = &written{Rectangle: vg.Rectangle{Min: vg.Point{X: number(a["x"]), Y: -number(a["y"])}}}, number(strings.TrimSuffix(style(a, "font-size"), "px"))
			case "path":
				if style(a, "fill") == "none" && style(a, "stroke") != hexOfGrid && !turned[len(turned)-1] {
					p.lines = append(p.lines, segments(a["d"])...)
				}
			}
		case xml.CharData:
			if at != nil {
				at.text += string(token)
			}
		case xml.EndElement:
			switch token.Name.Local {
			case "g":
				turned = turned[:len(turned)-1]
			case "text":
				if strings.TrimSpace(at.text) != "" && !turned[len(turned)-1] {
					face := font.DefaultCache.Lookup(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
					at.Max = vg.Point{X: at.Min.X + face.Width(at.text), Y: at.Min.Y + face.Extents().Ascent*0.7}
					p.texts = append(p.texts, *at)
				}
				at = nil
			}
		}
	}
}

func attributes(e xml.StartElement) map[string]string {
	m := map[string]string{}
	for _, a := range e.Attr {
		m[a.Name.Local] = a.Value
	}
	return m
}

func style(attributes map[string]string, key string) string {
	for part := range strings.SplitSeq(attributes["style"], ";") {
		if name, value, _ := strings.Cut(part, ":"); name == key {
			return value
		}
	}
	return ""
}

func number(s string) vg.Length {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err) // an SVG of this package has numbers there
	}
	return vg.Length(v)
}

var corner = regexp.MustCompile(`([ML])([0-9.-]+),([0-9.-]+)`)

// segments returns the straight parts of a path.
func segments(path string) (list [][2]vg.Point) {
	var last vg.Point
	for _, m := range corner.FindAllStringSubmatch(path, -1) {
		at := vg.Point{X: number(m[2]), Y: number(m[3])}
		if m[1] == "L" {
			list = append(list, [2]vg.Point{last, at})
		}
		last = at
	}
	return list
}

// crosses reports whether a line passes through a box (Liang and Barsky's clipping).
func crosses(line [2]vg.Point, box vg.Rectangle) bool {
	from, to := 0.0, 1.0
	dx, dy := float64(line[1].X-line[0].X), float64(line[1].Y-line[0].Y)
	for _, side := range [][2]float64{
		{-dx, float64(line[0].X - box.Min.X)}, {dx, float64(box.Max.X - line[0].X)},
		{-dy, float64(line[0].Y - box.Min.Y)}, {dy, float64(box.Max.Y - line[0].Y)},
	} {
		switch t := side[1] / side[0]; {
		case side[0] == 0 && side[1] <= 0:
			return false
		case side[0] < 0:
			from = math.Max(from, t)
		case side[0] > 0:
			to = math.Min(to, t)
		}
	}
	return from < to
}

// hexOfGrid is the colour of grid lines, over which texts may stand.
var hexOfGrid = fmt.Sprintf("#%02X%02X%02X", gridColour.R, gridColour.G, gridColour.B)

// unreadable lists what stands over something else, or beyond the edge.
func unreadable(svg []byte) (problems []string) {
	p, err := readSVG(svg)
	if err != nil {
		return []string{err.Error()}
	}
	for i, a := range p.texts {
		if a.Min.X < 0 || a.Max.X > p.width+0.5 || a.Min.Y < 0 || a.Max.Y > p.height {
			problems = append(problems, fmt.Sprintf("%q goes beyond the edge", a.text))
		}
		for _, b := range p.texts[:i] {
			if a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y {
				problems = append(problems, fmt.Sprintf("%q stands over %q", a.text, b.text))
			}
		}
		for _, line := range p.lines {
			if crosses(line, a.Rectangle) {
				problems = append(problems, fmt.Sprintf("a line from %v to %v passes through %q", line[0], line[1], a.text))
			}
		}
	}
	return problems
}

// sized is a recorder with a size, as draw.New wants it.
type sized struct {
	*recorder.Canvas
	w, h vg.Length
}

func (s sized) Size() (vg.Length, vg.Length) { return s.w, s.h }

// inData lists the legend entries that are not above all data, of whatever shape it is.
func inData(f *Figure, svg []byte) (problems []string) {
	p, err := readSVG(svg)
	if err != nil {
		return []string{err.Error()}
	}
	area := draw.Crop(draw.New(sized{&recorder.Canvas{}, figureWidth, f.height()}), figureMargin, -figureMargin-6, figureMargin, -figureMargin)
	below := f.drawHeader(area).Max.Y
	for _, e := range f.legend {
		above := false
		for _, a := range p.texts {
			above = above || a.text == e.name && a.Min.Y >= below
		}
		if !above {
			problems = append(problems, fmt.Sprintf("legend entry %q is not above the data", e.name))
		}
	}
	return problems
}

// TestNoTextStandsOverAnother: in every figure that this package draws, no tick label,
// legend entry or other text meets another one, a line or the edge, and no legend is in
// the data.
func TestNoTextStandsOverAnother(t *testing.T) {
	all := examples()
	for _, f := range comparison(12).Figures() {
		all["comparison "+f.Name] = f.Figure
	}
	for name, f := range all {
		svg, err := f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append(unreadable(svg), inData(f, svg)...) {
			t.Errorf("%s: %s", name, p)
		}
	}
}

// TestThePicturesOfTheDocumentsAreReadable holds the plots of the gallery and those of
// what was published, which are made from real runs, to the same.
func TestThePicturesOfTheDocumentsAreReadable(t *testing.T) {
	for folder, least := range map[string]int{"gallery": 12, "validation": 3} {
		files, err := filepath.Glob(filepath.Join("..", "docs", folder, "*.svg"))
		if err != nil || len(files) < least {
			t.Fatalf("docs/%s has %d pictures (%v), want %d or more", folder, len(files), err, least)
		}
		for _, file := range files {
			svg, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if p, err := readSVG(svg); err != nil || len(p.texts) < 10 {
				t.Errorf("%s: %d texts read (%v), want some", file, len(p.texts), err)
			}
			for _, p := range unreadable(svg) {
				t.Errorf("%s: %s", file, p)
			}
		}
	}
}

// TestTheCheckOfTextsFindsOverlaps: crowded ticks, a title that is too long and a legend
// on a curve are found.
func TestTheCheckOfTextsFindsOverlaps(t *testing.T) {
	crowded := Sweep("title", "", Axis{Label: "x"}, []Panel{{Axis{Label: "y"}, []Swept{{Name: "one", Points: []Point{{0, 1, 1, 1}, {10, 2, 2, 2}}}}}})
	crowded.panels[0].plot.X.Tick.Marker = listTicks([]string{"a long label", "another long one", "a third one"}, true)
	long := LatencyCDF(strings.Repeat("long ", 60), "", nil)
	for want, f := range map[string]*Figure{"stands over": crowded, "beyond the edge": long} {
		svg, err := f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(unreadable(svg), "\n"); !strings.Contains(got, want) {
			t.Errorf("found %q, want that a text %s", got, want)
		}
	}
	f := examples()["latency-cdf"]
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	p, err := readSVG(svg)
	if err != nil {
		t.Fatal(err)
	}
	data := p.lines[len(p.lines)-1][0] // of the last curve
	entry := regexp.MustCompile(`<text x="[^"]*" y="[^"]*"([^>]*>raft<)`)
	moved := entry.ReplaceAll(svg, fmt.Appendf(nil, `<text x="%v" y="%v"$1`, float64(data.X)-10, -float64(data.Y)+3))
	if got := strings.Join(unreadable(moved), "\n"); !strings.Contains(got, `passes through "raft"`) {
		t.Errorf("a legend entry on a curve: found %q", got)
	}
	if got := strings.Join(inData(f, moved), "\n"); !strings.Contains(got, `"raft" is not above`) {
		t.Errorf("a legend entry in the data: found %q", got)
	}
}
