package diagram

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Format is a form in which a trace can be written.
type Format struct {
	Name string
	Doc  string // what reads it
	to   func(*exporter) error
}

// Formats lists the forms.
func Formats() []Format {
	return []Format{
		{"text", "one line for each thing that happened, for people, grep and diff", (*exporter).text},
		{"jsonl", "one JSON object per line, behind a line that says format and version", (*exporter).jsonl},
		{"perfetto", "Chrome trace JSON, for ui.perfetto.dev: nodes as processes, messages as arrows", (*exporter).perfetto},
		{"shiviz", "vector clocks, for ShiViz; the regular expression is in the first line", (*exporter).shiviz},
		{"mermaid", "a sequence diagram as text, for issue trackers and Markdown", (*exporter).mermaid},
	}
}

// Filter picks lines of a trace. The zero value takes all.
type Filter struct {
	Nodes    []protocols.NodeID // lines of these nodes and clients, and what others send them
	From, To protocols.Time     // both included; To 0 is the end of the run
	Grep     *regexp.Regexp     // lines whose text it matches
}

func (f *Filter) takes(run *Run, e *sim.TraceEvent) bool {
	switch {
	case e.Time < f.From || f.To > 0 && e.Time > f.To:
		return false
	case len(f.Nodes) > 0 && !slices.Contains(f.Nodes, e.Node) && !slices.Contains(f.Nodes, e.Peer):
		return false
	}
	return f.Grep == nil || f.Grep.MatchString(run.Text(e))
}

// exporter is one export.
type exporter struct {
	run   *Run
	out   *bufio.Writer
	kept  []int // lines of the trace that are written
	title string
}

// Export writes the lines of a trace that a filter takes, in a format of [Formats].
// title says what run it is. Errors are an unknown format, more arrows than a
// Mermaid diagram may have, and those of w.
func Export(w io.Writer, run Run, format, title string, f Filter) error {
	i := slices.IndexFunc(Formats(), func(f Format) bool { return f.Name == format })
	if i < 0 {
		var names []string
		for _, f := range Formats() {
			names = append(names, f.Name)
		}
		return fmt.Errorf("unknown format %q; want one of %s", format, strings.Join(names, ", "))
	}
	x := &exporter{run: &run, out: bufio.NewWriter(w), title: title}
	for i := range run.Trace {
		if f.takes(&run, &run.Trace[i]) {
			x.kept = append(x.kept, i)
		}
	}
	if err := Formats()[i].to(x); err != nil {
		return err
	}
	return x.out.Flush()
}

func (x *exporter) name(id protocols.NodeID) string {
	if id == protocols.Nobody {
		return "world"
	}
	return x.run.Cluster.Name(id)
}

func (x *exporter) text() error {
	const second = 1_000_000_000
	fmt.Fprintf(x.out, "%14s %8s %8s  %-5s %s\n", "time", "event", "cause", "who", "what")
	for _, i := range x.kept {
		e := &x.run.Trace[i]
		fmt.Fprintf(x.out, "%4d.%09d %8d %8d  %-5s %s\n", int64(e.Time)/second, int64(e.Time)%second, e.Seq, e.Cause, x.name(e.Node), x.run.Text(e))
	}
	return nil
}

// kinds are the words for what a line tells.
var kinds = map[sim.TraceKind]string{
	sim.TraceBoot: "boot", sim.TraceDelivered: "delivered", sim.TraceDropped: "dropped", sim.TraceTimer: "timer",
	sim.TraceRequest: "request", sim.TraceSynced: "synced", sim.TraceNote: "note", sim.TraceCrashed: "crashed",
	sim.TracePaused: "paused", sim.TraceResumed: "resumed", sim.TraceCall: "call", sim.TraceAttempt: "attempt",
	sim.TraceRefused: "refused", sim.TraceReturn: "return", sim.TraceFault: "fault", sim.TraceHeal: "heal",
	sim.TraceViolation: "violation", sim.TraceFull: "full", sim.TraceSubscriber: "subscriber", sim.TraceAdmin: "admin",
}

// jsonlVersion is raised when a key changes its meaning or goes.
const jsonlVersion = 1

// line is one line of the JSON form.
type line struct {
	Time    int64  `json:"time_ns"`
	Event   uint64 `json:"event"`
	Cause   uint64 `json:"cause,omitempty"` // 0: the start of the run or the fault plan
	Kind    string `json:"kind"`
	Node    string `json:"node"`
	Peer    string `json:"peer,omitempty"`
	Message string `json:"message,omitempty"` // the kind of message
	Reason  string `json:"reason,omitempty"`  // why something was dropped
	Fault   int    `json:"fault,omitempty"`   // its position in the plan
	Text    string `json:"text"`
}

func (x *exporter) jsonl() error {
	e := json.NewEncoder(x.out)
	e.SetEscapeHTML(false)
	head := struct {
		Format   string `json:"format"`
		Version  int    `json:"version"`
		Run      string `json:"run"`
		Protocol string `json:"protocol"`
		Replicas int    `json:"replicas"`
		Services int    `json:"services"`
	}{"lockstep-trace", jsonlVersion, x.title, x.run.Protocol.Name, x.run.Cluster.Replicas, x.run.Cluster.Services}
	if err := e.Encode(head); err != nil {
		return err
	}
	for _, i := range x.kept {
		t := &x.run.Trace[i]
		l := line{Time: int64(t.Time), Event: t.Seq, Cause: t.Cause, Kind: kinds[t.Kind], Node: x.name(t.Node), Reason: t.Reason, Fault: t.Fault, Text: x.run.Text(t)}
		if t.Peer != protocols.Nobody {
			l.Peer = x.name(t.Peer)
		}
		if t.Message != nil {
			l.Message = x.run.Protocol.MessageName(t.Message.Kind())
		}
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// shivizPattern is what ShiViz is told to read the lines with.
const shivizPattern = `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`

// shiviz writes a vector clock for every event. An event that is left out passes on
// what it knew, so that the order of the others is that of the whole run.
func (x *exporter) shiviz() error {
	fmt.Fprintf(x.out, "%s\n\n", shivizPattern)
	clocks := map[uint64]map[string]int{} // by event
	last := map[string]map[string]int{}   // by host
	var hosts []string                    // in the order of their first event
	kept := x.kept
	for i := 0; i < len(x.run.Trace); {
		e := &x.run.Trace[i]
		host := x.name(e.Node)
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
		var texts []string
		end := i
		for ; end < len(x.run.Trace) && x.here(i, end); end++ {
			if len(kept) > 0 && kept[0] == end {
				texts, kept = append(texts, x.run.Text(&x.run.Trace[end])), kept[1:]
			}
		}
		clock := merge(last[host], clocks[e.Cause])
		clock = merge(clock, clocks[e.Seq])
		if len(texts) > 0 {
			clock[host]++
			fmt.Fprintf(x.out, "%s %s\n%s %s\n", host, clockText(clock, hosts), sim.FormatDuration(protocols.Duration(e.Time)), strings.Join(texts, "; "))
		}
		clocks[e.Seq], last[host] = clock, clock
		i = end
	}
	return nil
}

// here reports whether line j belongs to the same event at the same place as line i
// before it. What was dropped as it left belongs to its sender.
func (x *exporter) here(i, j int) bool {
	a, b := &x.run.Trace[i], &x.run.Trace[j]
	return a.Seq == b.Seq && (a.Node == b.Node || b.Kind == sim.TraceDropped && b.Peer == a.Node)
}

func merge(a, b map[string]int) map[string]int {
	m := make(map[string]int, len(a)+1)
	for k, v := range a {
		m[k] = v
	}
	for k, v := range b {
		m[k] = max(m[k], v)
	}
	return m
}

func clockText(clock map[string]int, hosts []string) string {
	var parts []string
	for _, h := range hosts {
		if clock[h] > 0 {
			parts = append(parts, fmt.Sprintf("%q:%d", h, clock[h]))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
