package diagram

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// MaxMermaid bounds the arrows of a Mermaid diagram: beyond it no page draws it.
const MaxMermaid = 250

// mermaid writes a sequence diagram: an arrow where a message was handled or lost.
func (x *exporter) mermaid() error {
	p := &picture{run: x.run, to: x.run.End}
	for _, id := range everybody(x.run) {
		p.lanes = append(p.lanes, lane{id: id, name: x.name(id)})
	}
	var lines []string
	used := map[protocols.NodeID]bool{}
	arrows := 0
	for _, i := range x.kept {
		e := &x.run.Trace[i]
		if a, ok := p.message(i); ok {
			arrows++
			used[e.Node], used[e.Peer] = true, true
			lines = append(lines, x.mermaidArrow(e, &a))
			continue
		}
		if text := x.mermaidNote(p, e); text != "" {
			used[e.Node] = true
			lines = append(lines, text)
		}
	}
	if arrows > MaxMermaid {
		return fmt.Errorf("%d messages, want at most %d in a Mermaid diagram: narrow it with a window, nodes or a pattern", arrows, MaxMermaid)
	}
	fmt.Fprintf(x.out, "sequenceDiagram\n    %%%% %s\n", strings.Map(oneLine, x.title))
	for _, l := range p.lanes {
		if used[l.id] {
			fmt.Fprintf(x.out, "    participant %s\n", l.name)
		}
	}
	for _, l := range lines {
		fmt.Fprintf(x.out, "    %s\n", l)
	}
	return nil
}

func oneLine(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

func (x *exporter) mermaidArrow(e *sim.TraceEvent, a *arrow) string {
	arrow, text := "->>", a.text
	switch {
	case a.fate == lost || a.fate == dead:
		arrow, text = "-x", text+" ("+e.Reason+")"
	case a.kind == answerKind:
		arrow = "-->>"
	}
	return fmt.Sprintf("%s%s%s: %s %s", x.name(e.Peer), arrow, x.name(e.Node), sim.FormatDuration(protocols.Duration(e.Time)), mermaidText(text))
}

// mermaidNote is what happened at one place, in a note; "" for what is not told.
func (x *exporter) mermaidNote(p *picture, e *sim.TraceEvent) string {
	text := ""
	switch e.Kind {
	case sim.TraceCrashed, sim.TraceBoot, sim.TracePaused, sim.TraceResumed, sim.TraceViolation, sim.TraceCall:
		text = x.run.Text(e)
	case sim.TraceNote:
		text, _ = p.noteText(e.Note)
	}
	if text == "" || e.Node == protocols.Nobody || !slices.ContainsFunc(p.lanes, func(l lane) bool { return l.id == e.Node }) {
		return ""
	}
	return fmt.Sprintf("Note over %s: %s %s", x.name(e.Node), sim.FormatDuration(protocols.Duration(e.Time)), mermaidText(text))
}

var wordEnd = regexp.MustCompile(`\bend\b`)

// mermaidText escapes what has a meaning in a sequence diagram.
func mermaidText(s string) string {
	s = strings.Map(oneLine, s)
	s = strings.NewReplacer("#", "#35;", ";", "#59;", "<", "#lt;", ">", "#gt;", "{", "#123;", "}", "#125;").Replace(s)
	return wordEnd.ReplaceAllString(s, "e#110;d")
}
