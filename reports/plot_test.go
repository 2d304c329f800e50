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
		s.Samples = append(s.Samples, Sample{protocols.Time(int64(i) * int64(20*time.Second) / int64(n)), latency})
	}
	return s
}

func figures() (*Figure, *Figure) {
	strokes := Strokes([]string{"raft"}, 3)
	series := []Series{
		sampled("network.loss = 0%", strokes[0], 4000, 3*time.Millisecond),
		sampled("network.loss = 1%", strokes[1], 3000, 4*time.Millisecond),
		sampled("network.loss = 5%", strokes[2], 2000, 6*time.Millisecond),
	}
	windows := []Window{{"partition leader", 5e9, 7e9}, {"crash n3", 6e9, 65e8}, {"loss all", 17e9, math.MaxInt64}}
	return LatencyCDF("title", "subtitle", series), LatencyOverTime("title", series, windows)
}

func TestEqualFiguresGiveEqualBytes(t *testing.T) {
	a1, a2 := figures()
	b1, b2 := figures()
	for i, pair := range [][2]*Figure{{a1, b1}, {a2, b2}} {
		for name, render := range map[string]func(*Figure) ([]byte, error){"svg": (*Figure).SVG, "png": (*Figure).PNG} {
			first, err := render(pair[0])
			if err != nil {
				t.Fatal(err)
			}
			second, err := render(pair[1])
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
	cdf, _ := figures()
	data, err := cdf.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 150_000 {
		t.Errorf("SVG of three thinned curves has %d bytes, want at most 150,000", len(data))
	}
	if !bytes.Contains(data, []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif")) {
		t.Error("SVG names no fallback fonts")
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("SVG is not well-formed: %v", err)
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
	_, overTime := figures()
	data, err := overTime.PNG()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

// Figures of nothing, of one operation and of equal latencies must not fail.
func TestDegenerateFigures(t *testing.T) {
	one := Series{Name: "one", Samples: []Sample{{0, 0}}}
	equal := Series{Name: "equal", Samples: []Sample{{1e9, 5e6}, {2e9, 5e6}, {9e9, 5e6}}}
	for _, series := range [][]Series{nil, {{Name: "empty"}}, {one}, {equal}, {one, equal, {Name: "empty"}}} {
		for _, f := range []*Figure{LatencyCDF("t", "s", series), LatencyOverTime("t", series, []Window{{"w", 0, 0}})} {
			data, err := f.SVG()
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(data, []byte("NaN")) || bytes.Contains(data, []byte("Inf")) {
				t.Errorf("figure of %d series holds NaN or Inf", len(series))
			}
		}
	}
}

func TestCurvesAreThinned(t *testing.T) {
	s := sampled("s", Stroke{}, 200_000, time.Millisecond)
	points := cdfPoints(sortedLatencies(s.Samples), topPercentile(len(s.Samples)))
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
