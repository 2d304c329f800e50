package reports

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// quartet is one series for each shipped protocol.
func quartet() []Series {
	names := []string{"raft", "paxos", "vr", "primarybackup"}
	var list []Series
	for i, s := range Strokes(names, 1) {
		list = append(list, sampled(names[i], s, 3000+200*i, time.Duration(3+i)*time.Millisecond))
	}
	return list
}

// quartetOf returns one curve for each protocol, y growing with x.
func quartetOf(xs []float64, y func(i int, x float64) float64) []Swept {
	var curves []Swept
	for i, s := range quartet() {
		c := Swept{Name: s.Name, Stroke: s.Stroke}
		for _, x := range xs {
			v := y(i, x)
			c.Points = append(c.Points, Point{x, v, v * 0.93, v * 1.06})
		}
		curves = append(curves, c)
	}
	return curves
}

func quartetPlaces() []Place {
	var places []Place
	for r, name := range []string{"us-east", "us-west", "eu-west", "ap-north"} {
		p := Place{Name: name}
		for _, s := range quartet() {
			var sorted []protocols.Duration
			for _, op := range s.Samples[:500] {
				sorted = append(sorted, op.Latency*time.Duration(r+1))
			}
			slices.Sort(sorted)
			p.Writes = append(p.Writes, sorted)
		}
		places = append(places, p)
	}
	return places
}

func quartetVacant() []Vacant {
	var list []Vacant
	for i, s := range quartet() {
		v := Vacant{Name: s.Name, Stroke: s.Stroke}
		for n := range 40 {
			d := protocols.Time(150+10*i+7*n%131) * 1e6
			v.Spans = append(v.Spans, sim.Span{From: 0, To: d}, sim.Span{From: 5e9, To: 5e9 + 2*d})
		}
		list = append(list, v)
	}
	return list
}

// examples makes one figure of each kind from made-up figures.
func examples() map[string]*Figure {
	windows := []Window{{"partition leader", 5e9, 7e9}, {"crash n3", 6e9, 65e8}, {"loss all", 17e9, math.MaxInt64}}
	grids := []Grid{{"raft", [][]float64{{1.2, 2.3, 3.4}, {4.5, 5.6, 16.7}}}, {"vr", [][]float64{{1.25, 2.5, math.NaN()}, {4, 5, 123.4}}}}
	cost := func(label string, scale int64) Cost {
		c := Cost{Label: label}
		for i, s := range quartet() {
			c.Bars = append(c.Bars, newBar(s.Name, s.Stroke, []int64{scale * int64(4000+100*i), scale * int64(5000+300*i), scale * 6000}))
		}
		return c
	}
	load := []float64{100, 300, 900, 2000}
	return map[string]*Figure{
		"latency-cdf":         LatencyCDF("latency distribution", "example", quartet()),
		"latency-percentiles": LatencyPercentiles("latency by percentile", "example", quartet()),
		"latency-over-time":   LatencyOverTime("latency and throughput over time", "example", quartet(), 20e9, windows),
		"availability":        Availability("availability", "example", lanesOf(quartet()), quartet(), 20e9, windows),
		"throughput-latency":  ThroughputLatency("latency against throughput", "example", quartetOf(load, func(i int, x float64) float64 { return 4 + float64(i) + 2000/(2300-x) })),
		"latency-by-region":   LatencyByRegion("commit latency by region", "example", quartet(), quartetPlaces()),
		"scaling": Scaling("scaling", "example", []Panel{{Axis{Label: "commit latency, median", Unit: Milliseconds, Log: true}, quartetOf([]float64{3, 5, 7, 9}, func(i int, x float64) float64 { return 4 + float64(i) + x/3 })},
			{Axis{Label: "answers per second"}, quartetOf([]float64{3, 5, 7, 9}, func(i int, x float64) float64 { return 2000/x - 10*float64(i) })}}),
		"failover":  FailoverByTimeout("fail-over", "example", "election timeout", []Panel{{Axis{Label: "longest outage", Unit: Milliseconds}, quartetOf([]float64{150, 300, 600, 1200}, func(i int, x float64) float64 { return x*1.5 + 50*float64(i) })}}),
		"sweep":     Sweep("sweep", "example", Axis{Label: "network.loss", Unit: Share}, []Panel{{Axis{Label: "answers per second"}, quartetOf([]float64{0, 0.01, 0.05}, func(i int, x float64) float64 { return 200 - 900*x + float64(i) })}}),
		"costs":     CostBars("cost per commit", "example", []Cost{cost("messages", 1), cost("bytes", 60), cost("fsyncs", 1)}),
		"elections": ElectionTimes("election times", "example", quartetVacant()),
		"published": AgainstPublished("election time", "example", "time until a leader", exampleMeasured(), examplePublished()),
		"heat":      HeatMap("median commit latency", "example", "replicas", "network.loss", Milliseconds, []string{"3", "5", "7"}, []string{"0%", "1%"}, grids),
	}
}

// TestFiguresAsBefore holds each kind of figure to a golden file.
func TestFiguresAsBefore(t *testing.T) {
	for name, f := range examples() {
		svg, err := f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "figures/"+name+".svg", svg)
	}
}

// shown says how an example's figure came out.
func shown(f *Figure) {
	svg, err := f.SVG()
	fmt.Println(len(svg) > 0, err)
}

func ExampleLatencyCDF() {
	series := quartet() // operations of four protocols
	shown(LatencyCDF("latency distribution", "20 seeds each", series))
	// Output: true <nil>
}

func ExampleLatencyPercentiles() {
	shown(LatencyPercentiles("latency by percentile", "20 seeds each", quartet()))
	// Output: true <nil>
}

func ExampleLatencyOverTime() {
	windows := []Window{{Label: "partition leader", From: 5e9, To: 7e9}}
	shown(LatencyOverTime("latency over time", "20 seeds each", quartet(), 20e9, windows))
	// Output: true <nil>
}

func ExampleAvailability() {
	gaps := []Gap{{Span: sim.Span{From: 5e9, To: 6e9}, Reason: "no leader for 900ms; crash n1"}}
	lanes := []Service{{Name: "raft", Stroke: Stroke{}, Gaps: gaps}}
	shown(Availability("availability", "20 seeds each", lanes, quartet(), 20e9, nil))
	// Output: true <nil>
}

func ExampleThroughputLatency() {
	curve := Swept{Name: "raft", Points: []Point{{X: 100, Y: 4, YLow: 3.9, YHigh: 4.1}, {X: 1900, Y: 9, YLow: 8, YHigh: 11}}}
	shown(ThroughputLatency("latency against throughput", "20 seeds each", []Swept{curve}))
	// Output: true <nil>
}

func ExampleScaling() {
	curve := Swept{Name: "raft", Points: []Point{{X: 3, Y: 4, YLow: 3.9, YHigh: 4.1}, {X: 5, Y: 4.2, YLow: 4.1, YHigh: 4.3}}}
	shown(Scaling("scaling", "20 seeds each", []Panel{{Axis{Label: "commit latency", Unit: Milliseconds}, []Swept{curve}}}))
	// Output: true <nil>
}

func ExampleFailoverByTimeout() {
	curve := Swept{Name: "raft", Points: []Point{{X: 150, Y: 250, YLow: 230, YHigh: 270}, {X: 300, Y: 480, YLow: 450, YHigh: 500}}}
	shown(FailoverByTimeout("fail-over", "20 seeds each", "election timeout", []Panel{{Axis{Label: "longest outage", Unit: Milliseconds}, []Swept{curve}}}))
	// Output: true <nil>
}

func ExampleSweep() {
	curve := Swept{Name: "raft", Points: []Point{{X: 0, Y: 190, YLow: 188, YHigh: 191}, {X: 0.05, Y: 120, YLow: 110, YHigh: 130}}}
	shown(Sweep("loss", "20 seeds each", Axis{Label: "network.loss", Unit: Share}, []Panel{{Axis{Label: "answers per second"}, []Swept{curve}}}))
	// Output: true <nil>
}

func ExampleLatencyByRegion() {
	shown(LatencyByRegion("commit latency by region", "20 seeds each", quartet(), quartetPlaces()))
	// Output: true <nil>
}

func ExampleCostBars() {
	bars := []Bar{{Name: "raft", Median: 4.7, Lower: 4.6, Higher: 4.9}}
	shown(CostBars("cost per commit", "20 seeds each", []Cost{{Label: "messages", Bars: bars}}))
	// Output: true <nil>
}

func ExampleElectionTimes() {
	spans := []sim.Span{{From: 0, To: 2e8}, {From: 5e9, To: 54e8}}
	shown(ElectionTimes("election times", "20 seeds each", []Vacant{{Name: "raft", Spans: spans}}))
	// Output: true <nil>
}

func ExampleHeatMap() {
	grid := Grid{Title: "raft", Values: [][]float64{{3.9, 4.0}, {4.2, 4.4}}}
	shown(HeatMap("median commit latency", "20 seeds each", "replicas", "network.loss", Milliseconds, []string{"3", "5"}, []string{"0%", "5%"}, []Grid{grid}))
	// Output: true <nil>
}

func exampleMeasured() []Measured {
	m := Measured{Name: "ours"}
	for n := range int64(2000) {
		m.Times = append(m.Times, (150+n*n%151)*1e6)
	}
	return []Measured{m}
}

func examplePublished() []Published {
	return []Published{{Name: "published", Points: []Quantile{{0.01, 152}, {0.5, 220}, {0.9, 280}, {0.99, 310}}}}
}

func ExampleAgainstPublished() {
	shown(AgainstPublished("election time", "dashed: as published", "time until a leader", exampleMeasured(), examplePublished()))
	// Output: true <nil>
}
