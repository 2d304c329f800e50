package diagram_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios/diagram"
)

func export(t *testing.T, format string, f diagram.Filter) []byte {
	t.Helper()
	run := stormy(t)
	run.States = []diagram.State{
		{From: 0, Node: 1, Text: "follower, term 0"},
		{From: protocols.Time(300 * ms), Node: 1, Text: "leader, term 1"},
		{From: protocols.Time(420 * ms), Node: 1},
	}
	var b bytes.Buffer
	if err := diagram.Export(&b, run, format, "stormy, seed 22", f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestExportGolden fixes every format on a window of one run.
func TestExportGolden(t *testing.T) {
	window := diagram.Filter{From: protocols.Time(400 * ms), To: protocols.Time(640 * ms)}
	for _, f := range diagram.Formats() {
		got := export(t, f.Name, window)
		file := filepath.Join("testdata", "export."+f.Name)
		if *update {
			if err := os.WriteFile(file, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s (go test ./scenarios/diagram -update):\n%s", f.Name, file, got)
		}
	}
}

// TestExportFilter: nodes, windows and patterns leave out what they should.
func TestExportFilter(t *testing.T) {
	all := bytes.Count(export(t, "text", diagram.Filter{}), []byte("\n"))
	for _, f := range []diagram.Filter{
		{Nodes: []protocols.NodeID{2}},
		{From: protocols.Time(500 * ms)},
		{To: protocols.Time(500 * ms)},
		{Grep: regexp.MustCompile("AppendEntries")},
	} {
		text := string(export(t, "text", f))
		lines := strings.Split(strings.TrimSpace(text), "\n")[1:]
		if len(lines) == 0 || len(lines) >= all-1 {
			t.Errorf("%+v: %d of %d lines", f, len(lines), all)
		}
		for _, l := range lines {
			if f.Grep != nil && !f.Grep.MatchString(l) || len(f.Nodes) > 0 && !strings.Contains(l, "n2") {
				t.Errorf("%+v takes %q", f, l)
			}
		}
	}
	var b bytes.Buffer
	if err := diagram.Export(&b, stormy(t), "dot", "", diagram.Filter{}); err == nil {
		t.Error("an unknown format is written")
	}
}

// TestPerfetto: the document is JSON, every arrow has a beginning before its end, and
// all that is drawn belongs to a process with a name.
func TestPerfetto(t *testing.T) {
	var doc struct {
		TraceEvents []struct {
			Name, Ph string
			TS       json.Number
			PID, ID  int
		}
	}
	if err := json.Unmarshal(export(t, "perfetto", diagram.Filter{}), &doc); err != nil {
		t.Fatal(err)
	}
	named, begun, arrows := map[int]bool{}, map[int]float64{}, 0
	for _, e := range doc.TraceEvents {
		ts, err := e.TS.Float64()
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Ph == "M" && e.Name == "process_name":
			named[e.PID] = true
		case !named[e.PID]:
			t.Errorf("%s belongs to process %d, which has no name", e.Name, e.PID)
		}
		switch e.Ph {
		case "s":
			begun[e.ID] = ts
		case "f":
			arrows++
			if from, ok := begun[e.ID]; !ok || from > ts {
				t.Errorf("arrow %d ends at %v, and begins at %v (%v)", e.ID, ts, from, ok)
			}
		}
	}
	if arrows < 50 || arrows != len(begun) {
		t.Errorf("%d arrows begin, %d end", len(begun), arrows)
	}
}

// TestShiViz reads the log with the pattern that it names: each host counts its own
// events, and nobody knows of an event before it happened.
func TestShiViz(t *testing.T) {
	for _, f := range []diagram.Filter{{}, {Grep: regexp.MustCompile("Vote|leader|AppendEntries")}} {
		pattern, log, _ := strings.Cut(string(export(t, "shiviz", f)), "\n\n")
		entries := regexp.MustCompile(strings.ReplaceAll(pattern, "(?<", "(?P<")).FindAllStringSubmatch(log, -1)
		own, merged := map[string]int{}, 0
		for _, e := range entries {
			clock := map[string]int{}
			if err := json.Unmarshal([]byte(e[2]), &clock); err != nil {
				t.Fatal(err)
			}
			own[e[1]]++
			if clock[e[1]] != own[e[1]] {
				t.Fatalf("event %d of %s has the clock %v", own[e[1]], e[1], clock)
			}
			for host, n := range clock {
				if n > own[host] {
					t.Fatalf("%s knows event %d of %s, which has had %d", e[1], n, host, own[host])
				}
			}
			if len(clock) > 1 {
				merged++
			}
		}
		if len(entries) < 20 || merged < 10 || strings.Count(log, "\n") != 2*len(entries) {
			t.Errorf("%d entries, %d of them know of others", len(entries), merged)
		}
	}
}

// TestMermaid: participants come first, and texts hold nothing that has a meaning in
// the language.
func TestMermaid(t *testing.T) {
	text := string(export(t, "mermaid", diagram.Filter{To: protocols.Time(500 * ms)}))
	line := regexp.MustCompile(`^    (%% .*|participant [cns]\d+|[cns]\d+(->>|-->>|-x)[cns]\d+: [^;{}<>]*(#\w+;[^;{}<>]*)*|Note over [cns]\d+: [^;{}<>]*(#\w+;[^;{}<>]*)*)$`)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if lines[0] != "sequenceDiagram" || len(lines) < 30 {
		t.Fatalf("%d lines:\n%s", len(lines), text)
	}
	for _, l := range lines[1:] {
		if !line.MatchString(l) {
			t.Errorf("not a line of a sequence diagram: %q", l)
		}
	}
	var b bytes.Buffer
	run := stormy(t)
	for range 5 {
		run.Trace = append(run.Trace, run.Trace...)
	}
	if err := diagram.Export(&b, run, "mermaid", "", diagram.Filter{}); err == nil || !strings.Contains(err.Error(), fmt.Sprint(diagram.MaxMermaid)) {
		t.Errorf("a diagram of thousands of arrows: %v", err)
	}
}
