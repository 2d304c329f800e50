package diagram_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios/diagram"
	"github.com/lockstep-sim/lockstep/sim"
)

var update = flag.Bool("update", false, "write the golden files")

const ms = protocols.Duration(1_000_000)

// stormy runs Raft through all that a diagram can show: a crash with a restart, a
// pause, a partition, loss, and a client that sends again.
func stormy(t *testing.T) diagram.Run {
	t.Helper()
	target := func(text string) sim.Target {
		r, err := sim.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	some, err := sim.ParseProb("15%")
	if err != nil {
		t.Fatal(err)
	}
	at := func(d protocols.Duration) protocols.Time { return protocols.Time(d) }
	w, err := sim.New(sim.Config{
		Protocol: raft.Protocol(), Replicas: 3, Seed: 22, Trace: true,
		Network:  sim.Network{Between: sim.Link{Latency: sim.Between(8*ms, 12*ms)}, Client: sim.Link{Latency: sim.Between(8*ms, 12*ms)}},
		Disk:     sim.Disk{Fsync: sim.Between(1*ms, 3*ms)},
		Workload: sim.Workload{Clients: 1, Begin: at(400 * ms), Think: sim.Exactly(20 * ms), Timeout: 60 * ms},
		Faults: []sim.Fault{
			{Kind: protocols.FaultCrash, At: at(420 * ms), For: 250 * ms, Target: target("leader")},
			{Kind: protocols.FaultPause, At: at(460 * ms), For: 40 * ms, Target: target("n1")},
			{Kind: protocols.FaultPartition, At: at(720 * ms), For: 60 * ms, Target: target("n3")},
			{Kind: protocols.FaultLoss, At: at(400 * ms), For: 400 * ms, Target: target("n3 c1"), Prob: some},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Run(at(2000 * ms))
	return diagram.Of(w)
}

// TestGolden draws everything that a diagram can show. Look at the picture before
// you commit another one.
func TestGolden(t *testing.T) {
	t.Parallel()
	run := stormy(t)
	o := diagram.Options{
		Title: "Raft: <everything> & \"more\"", Subtitle: "crash, pause, partition and loss",
		From: 400_000_000, To: 820_000_000, Timers: []string{"election"}, Height: 1100,
	}
	got, err := diagram.SVG(run, o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := diagram.SVG(stormy(t), o)
	if err != nil || !bytes.Equal(got, again) {
		t.Errorf("a second drawing of the same run differs (%v)", err)
	}
	file := filepath.Join("testdata", "stormy.svg")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))) {
		t.Errorf("the drawing differs from %s: look at it, then go test ./scenarios/diagram -update", file)
	}
	for _, part := range []string{
		"&lt;everything&gt; &amp;", `class="cross"`, " faded\"", `class="down"`, `url(#hatch)`, `class="band"`, ">crashes<", ">boots", ">pauses<", ">goes on", ">partition<", ">leads term",
	} {
		if !strings.Contains(string(got), part) {
			t.Errorf("the drawing has no %s", part)
		}
	}
}

// TestWellFormed parses the drawing, and holds every number in it to the canvas.
func TestWellFormed(t *testing.T) {
	t.Parallel()
	got, err := diagram.SVG(stormy(t), diagram.Options{Title: "]]> \x00 <", From: 400_000_000, To: 820_000_000})
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(got)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	size := regexp.MustCompile(`width="(\d+)(?:\.\d)?" height="(\d+)`).FindSubmatch(got)
	for _, m := range regexp.MustCompile(` (c?[xy])="(-?\d+)`).FindAllSubmatch(got, -1) {
		bound := size[1]
		if strings.HasSuffix(string(m[1]), "y") {
			bound = size[2]
		}
		most, _ := strconv.Atoi(string(bound))
		if n, _ := strconv.Atoi(string(m[2])); n < 0 || n > most {
			t.Errorf("%s is outside the canvas", m[0])
		}
	}
}

// arrows returns how many messages of a class are drawn in the plot.
func arrows(svg []byte, class string) int {
	return len(regexp.MustCompile(`<path class="arrow `+class+`[^"]*" d="M[\d. -]+L`).FindAll(svg, -1))
}

// TestFilters: hidden kinds and lanes are gone, and nothing else.
func TestFilters(t *testing.T) {
	t.Parallel()
	run := stormy(t)
	draw := func(o diagram.Options) []byte {
		o.From, o.To = 400_000_000, 820_000_000
		svg, err := diagram.SVG(run, o)
		if err != nil {
			t.Fatal(err)
		}
		return svg
	}
	all := draw(diagram.Options{})
	quiet := draw(diagram.Options{Hide: []string{"Heartbeat", "HeartbeatResponse"}})
	if strings.Contains(string(quiet), "Heartbeat") || !strings.Contains(string(all), "Heartbeat") {
		t.Error("hidden kinds are drawn, or there were none")
	}
	if hidden := arrows(all, "k6") + arrows(all, "k7"); hidden == 0 || arrows(all, "")-arrows(quiet, "") != hidden {
		t.Errorf("hiding %d messages left %d of %d", hidden, arrows(quiet, ""), arrows(all, ""))
	}
	two := draw(diagram.Options{Lanes: []protocols.NodeID{2, 3}})
	if strings.Contains(string(two), ">n1<") || arrows(two, "client") != 0 || arrows(two, "") == 0 {
		t.Error("lanes n2 and n3 show others too, or nothing")
	}
}

// TestDropped: each message that the trace says was dropped ends in a cross, or
// fades where its receiver was down.
func TestDropped(t *testing.T) {
	t.Parallel()
	run := stormy(t)
	const from, to = 400_000_000, 820_000_000
	svg, err := diagram.SVG(run, diagram.Options{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for i := range run.Trace {
		if e := &run.Trace[i]; e.Kind == sim.TraceDropped && e.Time >= from && e.Time < to {
			want[e.Reason]++
		}
	}
	crosses, faded := strings.Count(string(svg), `<path class="cross"`)-1, strings.Count(string(svg), ` faded"`)-1 // one each in the legend
	if want["lost"] == 0 || want["cut"] == 0 || want["down"] == 0 {
		t.Fatalf("the run drops too little: %v", want)
	}
	if crosses != want["lost"]+want["cut"] || faded != want["down"] {
		t.Errorf("%d crosses and %d faded, the trace dropped %v", crosses, faded, want)
	}
}

// TestErrors: what does not fit the run is refused, and said.
func TestErrors(t *testing.T) {
	t.Parallel()
	run := stormy(t)
	for _, c := range []struct {
		o    diagram.Options
		want string
	}{
		{diagram.Options{From: 5, To: 5}, "window"},
		{diagram.Options{From: -5, To: 5}, "window"},
		{diagram.Options{Lanes: []protocols.NodeID{4}}, "s1"},
		{diagram.Options{Lanes: []protocols.NodeID{1, 1}}, "twice"},
		{diagram.Options{Hide: []string{"Gossip"}}, "Gossip"},
		{diagram.Options{Timers: []string{"tea"}}, "tea"},
		{diagram.Options{}, "narrow"}, // all of the run
	} {
		if _, err := diagram.SVG(run, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error about %q", c.o, err, c.want)
		}
	}
}
