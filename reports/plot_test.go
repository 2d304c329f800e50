package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// sampled makes n operations over 20 virtual seconds, with a tail.
func sampled(name string, stroke Stroke, n int, median time.Duration) Series {
	s := Series{Name: name, Stroke: stroke, Runs: 2}
	state := uint64(n)
	for i := range n {
		state = state*6364136223846793005 + 1442695040888963407
		latency := median + time.Duration(state>>40)%median
		if state>>33%50 == 0 {
			latency *= 20
		}
		s.Samples = append(s.Samples, Sample{Run: i * 2 / n, Began: protocols.Time(int64(i) * int64(20*time.Second) / int64(n)), Latency: latency, Write: i%3 > 0})
	}
	return s
}

// lanesOf gives each series a gap at the start and one later.
func lanesOf(series []Series) []Service {
	var lanes []Service
	for _, s := range series {
		lanes = append(lanes, Service{s.Name, s.Stroke, []Gap{{sim.Span{From: 0, To: 3e8}, "first election"}, {sim.Span{From: 5e9, To: 62e8}, "no leader for 1.1s; partition n1"}}})
	}
	return lanes
}

func figures() []*Figure {
	strokes := Strokes([]string{"raft"}, 3)
	series := []Series{
		sampled("network.loss = 0%", strokes[0], 4000, 3*time.Millisecond),
		sampled("network.loss = 1%", strokes[1], 3000, 4*time.Millisecond),
		sampled("network.loss = 5%", strokes[2], 2000, 6*time.Millisecond),
	}
	windows := []Window{{"partition leader", 5e9, 7e9}, {"crash n3", 6e9, 65e8}, {"loss all", 17e9, math.MaxInt64}}
	cost := Cost{Label: "messages", Bars: []Bar{
		newBar("raft", strokes[0], []int64{4000, 5000, 6000}), newBar("vr", strokes[1], []int64{7000}), newBar("mute", strokes[2], nil)}}
	return []*Figure{
		LatencyCDF("title", "subtitle", series), LatencyPercentiles("title", "subtitle", series), LatencyOverTime("title", "note", series, 20e9, windows),
		Availability("title", "note", lanesOf(series), series, 20e9, windows), CostBars("title", "note", []Cost{cost, cost, cost}),
	}
}

func TestEqualFiguresGiveEqualBytes(t *testing.T) {
	a, b := figures(), figures()
	for i := range a {
		for name, render := range map[string]func(*Figure) ([]byte, error){"svg": (*Figure).SVG, "png": (*Figure).PNG} {
			first, err := render(a[i])
			if err != nil {
				t.Fatal(err)
			}
			second, err := render(b[i])
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first, second) {
				t.Errorf("figure %d: two renders as %s differ", i, name)
			}
		}
	}
}

func TestSVGIsWellFormedSmallAndNamesFallbackFonts(t *testing.T) {
	for i, f := range figures() {
		data, err := f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 150_000 {
			t.Errorf("SVG %d of three thinned curves has %d bytes, want at most 150,000", i, len(data))
		}
		if !bytes.Contains(data, []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif")) {
			t.Errorf("SVG %d names no fallback fonts", i)
		}
		d := xml.NewDecoder(bytes.NewReader(data))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("SVG %d is not well-formed: %v", i, err)
			}
		}
	}
}

func TestSVGEscapesNames(t *testing.T) {
	s := sampled(`<script>alert("x")</script>&`, Stroke{}, 50, time.Millisecond)
	data, err := LatencyCDF("<b>", "", []Series{s}).SVG()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("<script")) || bytes.Contains(data, []byte("<b>")) {
		t.Error("a name from outside reached the SVG as markup")
	}
}

func TestPNGDecodes(t *testing.T) {
	for _, f := range figures() {
		data, err := f.PNG()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	}
}

// Figures of nothing, of one operation and of equal latencies must not fail.
func TestDegenerateFigures(t *testing.T) {
	one := Series{Name: "one", Samples: []Sample{{}}}
	equal := Series{Name: "equal", Samples: []Sample{{Began: 1e9, Latency: 5e6}, {Began: 2e9, Latency: 5e6}, {Began: 9e9, Latency: 5e6, Write: true}}}
	for _, series := range [][]Series{nil, {{Name: "empty"}}, {one}, {equal}, {one, equal, {Name: "empty"}}} {
		windows := []Window{{"w", 0, 0}}
		for _, end := range []protocols.Time{0, 10e9} {
			for _, f := range []*Figure{LatencyCDF("t", "s", series), LatencyPercentiles("t", "s", series), LatencyOverTime("t", "s", series, end, windows), Availability("t", "s", lanesOf(series), series, end, windows)} {
				finite(t, f)
			}
		}
	}
	for _, costs := range [][]Cost{{{Label: "none"}}, {{Label: "mute", Bars: []Bar{newBar("mute", Stroke{}, nil)}}}, {{Label: "free", Bars: []Bar{newBar("free", Stroke{}, []int64{0, 0})}}}} {
		finite(t, CostBars("t", "s", costs))
	}
}

func finite(t *testing.T, f *Figure) {
	t.Helper()
	data, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("NaN")) || bytes.Contains(data, []byte("Inf")) {
		t.Errorf("figure %q holds NaN or Inf", f.title)
	}
}

// TestServedOver: a run counts once per step however many answers it gives, and
// answers count by when they arrive.
func TestServedOver(t *testing.T) {
	s := Series{Runs: 4, Samples: []Sample{
		{Run: 0, Began: 0, Latency: 1e8}, {Run: 0, Began: 1e8, Latency: 1e8}, // two answers in step 0
		{Run: 1, Began: 9e8, Latency: 2e8},                                       // called in step 0, answered in step 1
		{Run: 3, Began: 15e8, Latency: 1e8}, {Run: 3, Began: 29e8, Latency: 2e8}, // the last one after the end
	}}
	steps := servedOver(s, 3e9, 1)
	for i, want := range []served{{0, 0.5, 0.25}, {1, 0.5, 0.5}, {2, 0, 0}} {
		if steps[i] != want {
			t.Errorf("step %d: %+v, want %+v", i, steps[i], want)
		}
	}
	if len(steps) != 3 {
		t.Errorf("%d steps, want 3", len(steps))
	}
}

func TestBars(t *testing.T) {
	b := newBar("x", Stroke{}, []int64{9000, 1000, 5000, 3000, 7000})
	if b.Median != 5 || b.Lower != 3 || b.Higher != 7 {
		t.Errorf("got %+v, want the quartiles 3, 5 and 7", b)
	}
	for v, want := range map[float64]string{0.8634: "0.86", 4.677: "4.68", 354.26: "354", 5.1: "5.10"} {
		if got := barFigure(v); got != want {
			t.Errorf("barFigure(%v) = %s, want %s", v, got, want)
		}
	}
}

func TestCurvesAreThinned(t *testing.T) {
	s := sampled("s", Stroke{}, 200_000, time.Millisecond)
	points := shares(sortedLatencies(s.Samples, every))
	if len(points) > curvePoints {
		t.Errorf("CDF has %d points, want at most %d", len(points), curvePoints)
	}
	for i := 1; i < len(points); i++ {
		if points[i].X < points[i-1].X || points[i].Y < points[i-1].Y {
			t.Fatalf("CDF falls at point %d", i)
		}
	}
	if bins := binByCall(s.Samples, niceStep(20, 100)); len(bins) > curvePoints {
		t.Errorf("time curve has %d points, want at most %d", len(bins), curvePoints)
	}
}

func TestTicksAreOneTwoFiveSteps(t *testing.T) {
	for _, span := range []float64{0.003, 0.07, 1, 9, 12, 97, 260, 5500} {
		for _, n := range []int{4, 10} {
			ticks := linearTicks(n, shortFloat).Ticks(0, span)
			if len(ticks) < 2 || len(ticks) > n+1 {
				t.Errorf("0..%v: %d ticks, want 2 to %d", span, len(ticks), n+1)
			}
			step := ticks[1].Value - ticks[0].Value
			mantissa := step / math.Pow(10, math.Floor(math.Log10(step)+1e-9))
			if m := math.Round(mantissa); math.Abs(mantissa-m) > 1e-6 || m != 1 && m != 2 && m != 5 {
				t.Errorf("0..%v: step %v is no 1-2-5 step", span, step)
			}
			for _, tick := range ticks {
				if strings.HasPrefix(tick.Label, "-") {
					t.Errorf("0..%v: label %q", span, tick.Label)
				}
			}
		}
	}
	for _, r := range [][2]float64{{0.3, 0.31}, {1, 1}, {2.2, 480}, {0.004, 90000}} {
		lo, hi := logBounds(r[0], r[1])
		if lo > r[0] || hi < r[1] || lo >= hi {
			t.Errorf("logBounds(%v) = %v, %v", r, lo, hi)
		}
		labelled := 0
		for _, tick := range logTicks(axisDuration).Ticks(lo, hi) {
			if !tick.IsMinor() {
				labelled++
			}
		}
		if labelled < 2 || labelled > 14 {
			t.Errorf("logTicks over %v..%v: %d labels", lo, hi, labelled)
		}
	}
}

func TestPercentileAxisSpreadsTheTail(t *testing.T) {
	scale := percentileScale{}
	for i, q := range []float64{0, 0.9, 0.99, 0.999} {
		if got, want := scale.Normalize(0, 0.999, q), float64(i)/3; math.Abs(got-want) > 1e-9 {
			t.Errorf("%v is drawn at %v, want %v", q, got, want)
		}
	}
	var ticks []plot.Tick = percentileTicks(0, 0.99)
	if last := ticks[len(ticks)-1].Label; last != "p99" {
		t.Errorf("last tick is %s, want p99", last)
	}
}

func TestAProtocolKeepsItsColour(t *testing.T) {
	alone, together := Strokes([]string{"vr"}, 1)[0], Strokes([]string{"mine", "raft", "vr"}, 1)[2]
	if alone.Colour != together.Colour {
		t.Error("the colour of vr depends on its company")
	}
	seen := map[Stroke]bool{}
	for _, s := range Strokes([]string{"raft", "paxos", "vr", "primarybackup", "mine"}, 2) {
		if seen[s] {
			t.Errorf("stroke %v is used twice", s)
		}
		seen[s] = true
	}
}
