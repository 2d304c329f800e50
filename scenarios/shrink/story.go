package shrink

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/diagram"
	"github.com/lockstep-sim/lockstep/sim"
)

// Story tells why a run fails.
type Story struct {
	Text     string // plain text, ends with a line feed
	Scenario []byte // the scenario as a file
	SVG      []byte // space-time diagram of the causal past; nil where it would be too large
	Mermaid  []byte // the same for issue trackers; nil where it would be too large
}

// mostLines bounds the timeline of a story.
const mostLines = 60

// Tell runs a failing scenario again and tells what led to its violation. note stands
// at the top of the scenario file.
func Tell(sc *scenarios.Scenario, p *protocols.Protocol, seed uint64, note string) (*Story, error) {
	rec := scenarios.Record(sc, p, seed)
	if rec.Result.Err != nil {
		return nil, rec.Result.Err
	}
	if len(rec.Result.Violations) == 0 {
		return nil, &NotFailing{rec.Result}
	}
	t := &teller{rec: rec, past: pastOf(rec)}
	s := &Story{Text: t.text(), Scenario: scenarios.Brief(sc, []*protocols.Protocol{p}, note)}
	s.SVG, s.Mermaid = t.drawings()
	return s, nil
}

// teller puts one run into words.
type teller struct {
	rec  *scenarios.Recording
	past *past
}

func (t *teller) text() string {
	var b strings.Builder
	v := t.rec.Result.Violations[0]
	fmt.Fprintf(&b, "%s is violated at %s, event %d:\n  %s\n", v.Check, sim.FormatDuration(protocols.Duration(v.AtNS)), v.Event, strings.ReplaceAll(v.Text, "\n", "\n  "))
	b.WriteString("\nwhat led to it\n")
	lines := t.timeline()
	if cut := len(lines) - mostLines; cut > 0 {
		fmt.Fprintf(&b, "  (%d earlier lines are left out)\n", cut)
		lines = lines[cut:]
	}
	for _, l := range lines {
		b.WriteString("  " + l + "\n")
	}
	b.WriteString("\nwhat the nodes believed then\n")
	w := t.rec.World
	for id := 1; id <= w.Cluster().Nodes(); id++ {
		b.WriteString("  " + w.NodeText(protocols.NodeID(id)) + "\n")
	}
	if r := t.rec.Result.Report; r != nil && r.Counterexample != nil {
		b.WriteString("\noperations that contradict each other [call, return]\n")
		for i := range r.Counterexample.Operations {
			b.WriteString("  " + checker.Describe(&r.Counterexample.Operations[i], t.rec.Scenario.Judged(t.rec.Protocol)) + "\n")
		}
	}
	return b.String()
}

// timeline has a line for each event of the past and each fault.
func (t *teller) timeline() []string {
	var lines []string
	trace := t.rec.Result.Trace
	for i := range trace {
		e := &trace[i]
		if !t.past.in[e.Seq] && e.Kind != sim.TraceFault {
			continue
		}
		if what := t.words(e); what != "" {
			lines = append(lines, fmt.Sprintf("%-12s %-5s %s", sim.FormatDuration(protocols.Duration(e.Time)), t.name(e.Node), what))
		}
	}
	return lines
}

func (t *teller) name(id protocols.NodeID) string {
	if id == protocols.Nobody {
		return ""
	}
	return t.rec.World.Cluster().Name(id)
}

// words says what a line of the trace tells; "" for what a story leaves out.
func (t *teller) words(e *sim.TraceEvent) string {
	if e.Time == 0 && e.Kind != sim.TraceCall && e.Kind != sim.TraceFault {
		return "" // everybody boots
	}
	text := t.rec.World.TraceText(e)
	switch e.Kind {
	case sim.TraceSynced, sim.TraceAttempt:
		return ""
	case sim.TraceDelivered, sim.TraceRequest:
		from := "<- " + t.name(e.Peer) + " "
		return "gets " + strings.TrimPrefix(text, from) + " from " + t.name(e.Peer) + t.sent(e)
	case sim.TraceDropped:
		from := "x- " + t.name(e.Peer) + " "
		return "never gets " + strings.TrimPrefix(text, from) + " from " + t.name(e.Peer)
	case sim.TraceTimer:
		return strings.TrimPrefix(text, "timer ") + " timer fires"
	case sim.TraceNote:
		return t.belief(e.Note, text)
	case sim.TraceViolation:
		return "here the check fails: " + e.Detail
	}
	return text
}

// sent says when a message left.
func (t *teller) sent(e *sim.TraceEvent) string {
	i, known := t.past.first[e.Cause]
	if !known {
		return ""
	}
	return " (sent " + sim.FormatDuration(protocols.Duration(t.past.trace[i].Time)) + ")"
}

// belief says what a node believes from now on.
func (t *teller) belief(n *protocols.Note, text string) string {
	switch n.Kind {
	case protocols.NoteLeader:
		return "believes that it leads: " + text
	case protocols.NoteSteppedDown:
		return "no longer leads: " + text
	case protocols.NoteCommit:
		return fmt.Sprintf("believes that everything up to %d is committed", n.Index)
	case protocols.NoteApplied:
		return fmt.Sprintf("executes %d: %s", n.Index, n.Command)
	}
	return text
}

// drawings draws the past; nil for a drawing that would be too large.
func (t *teller) drawings() (svg, mermaid []byte) {
	run := diagram.Of(t.rec.World)
	run.Trace = t.past.lines()
	from, to := t.past.window()
	if len(run.Trace) == 0 || to <= from {
		return nil, nil
	}
	v := t.rec.Result.Violations[0]
	const margin = protocols.Duration(1_000_000)
	svg, err := diagram.SVG(run, diagram.Options{
		Title:    fmt.Sprintf("%s, %s, seed %d: %s", t.rec.Result.Scenario, t.rec.Result.Protocol, t.rec.Result.Seed, v.Check),
		Subtitle: "the causal past of the violation; other messages are left out",
		From:     max(0, from.Add(-margin)), To: to.Add(margin), Lanes: t.past.places(), Fold: true,
	})
	if err != nil {
		svg = nil
	}
	var b bytes.Buffer
	title := fmt.Sprintf("%s, %s, seed %d: %s", t.rec.Result.Scenario, t.rec.Result.Protocol, t.rec.Result.Seed, v.Check)
	if err := diagram.Export(&b, run, "mermaid", title, diagram.Filter{From: from}); err == nil {
		mermaid = b.Bytes()
	}
	return svg, mermaid
}
