package diagram

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// picture is a run as things to draw, and where they are drawn.
type picture struct {
	run      *Run
	from, to protocols.Time
	lanes    []lane
	arrows   []arrow
	marks    []mark
	bands    []band
	ticks    []tick // records became durable

	stops  []stop // where time is folded; empty: all of it is to scale
	height int64  // of the plot, in tenths of a pixel
	texts  []placed
}

// lane is the life line of a node or client.
type lane struct {
	id     protocols.NodeID
	name   string
	down   []span
	paused []span
}

// span is an interval of time.
type span struct{ from, to protocols.Time }

// fate is what became of a message.
type fate uint8

const (
	handled fate = iota
	late         // an answer that its client no longer waits for
	lost         // dropped when it left, or cut under way
	dead         // reached a node that was down
)

// Kinds of arrows that are no message of the protocol.
const (
	requestKind = -1
	answerKind  = -2
)

// arrow is a message on its way.
type arrow struct {
	from, to  int // lanes
	sent, end protocols.Time
	short     bool // dropped as it left: it has no end of its own
	fate      fate
	kind      int // position in Protocol.Messages, requestKind or answerKind
	text      string
}

// mark is something that happened at one place.
type mark struct {
	lane  int
	time  protocols.Time
	text  string
	chief bool // leadership and faults stand out
}

// tick says that records became durable.
type tick struct {
	lane int
	time protocols.Time
}

// band is a fault of links, disk or clock, behind the lanes that it hits.
type band struct {
	span
	lanes []int
	text  string
}

// read takes what the options ask for out of the trace.
func read(run *Run, o *Options) *picture {
	p := &picture{run: run, from: o.From, to: o.To}
	for _, id := range o.Lanes {
		p.lanes = append(p.lanes, lane{id: id, name: run.Cluster.Name(id)})
	}
	for i := range run.Trace {
		e := &run.Trace[i]
		p.life(e)
		if e.Time >= p.from && e.Time <= p.to {
			p.milestone(e, o.Timers)
		}
		if a, ok := p.message(i); ok && !p.hidden(&a, o.Hide) {
			p.arrows = append(p.arrows, a)
		}
	}
	for i := range p.lanes {
		l := &p.lanes[i]
		l.down, l.paused = p.inWindow(l.down), p.inWindow(l.paused)
	}
	p.arrows = slices.DeleteFunc(p.arrows, p.stub)
	p.faults()
	return p
}

// stub reports whether less than a quarter of a flight is in the window.
func (p *picture) stub(a arrow) bool {
	quarter := (a.end - a.sent) / 4
	return a.end < p.from+quarter || a.sent > p.to-quarter
}

func (p *picture) laneOf(id protocols.NodeID) int {
	return slices.IndexFunc(p.lanes, func(l lane) bool { return l.id == id })
}

// life follows when nodes are down or paused.
func (p *picture) life(e *sim.TraceEvent) {
	i := p.laneOf(e.Node)
	if i < 0 {
		return
	}
	l := &p.lanes[i]
	switch e.Kind {
	case sim.TraceCrashed:
		end(l.paused, e.Time)
		l.down = append(l.down, span{e.Time, p.run.End})
	case sim.TraceBoot:
		end(l.down, e.Time)
	case sim.TracePaused:
		l.paused = append(l.paused, span{e.Time, p.run.End})
	case sim.TraceResumed:
		end(l.paused, e.Time)
	}
}

// end lets the last of the spans end, unless it has ended before.
func end(spans []span, t protocols.Time) {
	if n := len(spans); n > 0 {
		spans[n-1].to = min(spans[n-1].to, t)
	}
}

// inWindow cuts spans to the window.
func (p *picture) inWindow(spans []span) (kept []span) {
	for _, s := range spans {
		if s = (span{max(s.from, p.from), min(s.to, p.to)}); s.from < s.to {
			kept = append(kept, s)
		}
	}
	return kept
}

func (p *picture) hidden(a *arrow, names []string) bool {
	return a.kind >= 0 && slices.Contains(names, p.run.Protocol.Messages[a.kind].Name)
}

// message returns the arrow that ends with line i of the trace, if one does.
func (p *picture) message(i int) (a arrow, ok bool) {
	e := &p.run.Trace[i]
	a.from, a.to = p.laneOf(e.Peer), p.laneOf(e.Node)
	a.kind = requestKind
	switch e.Kind {
	case sim.TraceDelivered:
		a.kind = p.kindOf(e.Message)
	case sim.TraceRequest:
		a.text = e.Command.String()
	case sim.TraceRefused:
		a.kind, a.text = answerKind, "refused"
		if e.Hint != protocols.Nobody {
			a.text = "refused, ask " + p.run.Cluster.Name(e.Hint)
		}
	case sim.TraceReturn:
		if e.Result == nil {
			return a, false // given up: no answer
		}
		a.kind, a.text = answerKind, answerText(e)
	case sim.TraceDropped:
		p.dropped(e, &a)
	default:
		return a, false
	}
	if a.kind >= 0 {
		a.text = p.run.Protocol.Messages[a.kind].Name
	}
	a.end = e.Time
	sent, ok := p.eventTime(e.Cause)
	if e.Kind == sim.TraceDropped && p.leaving(i) {
		a.short, sent, ok = true, e.Time, true
	}
	a.sent = sent
	return a, ok && a.from >= 0 && a.to >= 0 && a.from != a.to
}

// answerText says a result in few words.
func answerText(e *sim.TraceEvent) string {
	r := e.Result
	if e.Command.Kind == protocols.Write && r.Status == protocols.OK && r.Value == 0 && !r.Swapped && len(r.List) == 0 {
		return fmt.Sprintf("done at %d", r.Position)
	}
	text := []rune(r.String())
	if len(text) > maxAnswer {
		return string(text[:maxAnswer-1]) + "…"
	}
	return string(text)
}

// maxAnswer is how many characters of a result are drawn.
const maxAnswer = 28

func (p *picture) dropped(e *sim.TraceEvent, a *arrow) {
	a.fate = lost
	switch {
	case e.Message != nil:
		a.kind = p.kindOf(e.Message)
	case e.Answer:
		a.kind, a.text = answerKind, "answer"
	default:
		a.text = e.Command.String()
	}
	switch e.Reason {
	case "down":
		a.fate = dead
	case "late":
		a.fate = late
	}
}

func (p *picture) kindOf(m protocols.Message) int {
	return slices.IndexFunc(p.run.Protocol.Messages, func(k protocols.KindInfo) bool { return k.Kind == m.Kind() })
}

// first returns the first line of an event, or the number of lines.
func (p *picture) first(seq uint64) int {
	return sort.Search(len(p.run.Trace), func(i int) bool { return p.run.Trace[i].Seq >= seq })
}

// eventTime returns when an event happened.
func (p *picture) eventTime(seq uint64) (protocols.Time, bool) {
	i := p.first(seq)
	if seq == 0 || i == len(p.run.Trace) || p.run.Trace[i].Seq != seq {
		return 0, false
	}
	return p.run.Trace[i].Time, true
}

// leaving reports whether line i says that something was dropped as it left, in
// the event that sent it, and not under way. What is dropped under way is an event
// of its own, caused by the one that sent it.
func (p *picture) leaving(i int) bool {
	e := &p.run.Trace[i]
	if e.Reason == "lost" || p.first(e.Seq) < i {
		return true
	}
	if e.Peer > 0 {
		return false
	}
	for j := p.first(e.Cause); j < len(p.run.Trace) && p.run.Trace[j].Seq == e.Cause; j++ {
		if t := &p.run.Trace[j]; t.Kind == sim.TraceAttempt && t.Node == e.Peer && t.Peer == e.Node {
			return false
		}
	}
	return true // a client's time-out sent it, which has no line of its own
}

// milestone adds the marks of one line of the trace. Several notes of one event
// share a mark.
func (p *picture) milestone(e *sim.TraceEvent, timers []string) {
	i := p.laneOf(e.Node)
	if i < 0 {
		return
	}
	m := mark{lane: i, time: e.Time}
	switch e.Kind {
	case sim.TraceSynced:
		p.ticks = append(p.ticks, tick{i, e.Time})
		return
	case sim.TraceCrashed:
		m.text, m.chief = "crashes", true
	case sim.TraceBoot:
		m.text, m.chief = "boots", true
	case sim.TracePaused:
		m.text, m.chief = "pauses", true
	case sim.TraceResumed:
		m.text, m.chief = "goes on", true
	case sim.TraceTimer:
		if names := p.run.Protocol.Timers; int(e.Timer) < len(names) && slices.Contains(timers, names[e.Timer]) {
			m.text = names[e.Timer] + " timer"
		}
	case sim.TraceReturn:
		if e.Result == nil {
			m.text = "gives up"
		}
	case sim.TraceNote:
		m.text, m.chief = p.noteText(e.Note)
	case sim.TraceViolation:
		m.text, m.chief = "violation", true
	}
	if m.text == "" {
		return
	}
	if n := len(p.marks); n > 0 && p.marks[n-1].lane == i && p.marks[n-1].time == e.Time {
		last := &p.marks[n-1]
		last.text, last.chief = joined(last.text, m.text), last.chief || m.chief
		return
	}
	p.marks = append(p.marks, m)
}

// joined puts two milestones of one moment into one text: executed 4 and executed
// 5 become executed 4-5, committed 5 and executed 5 become committed, executed 5.
func joined(before, text string) string {
	head, last, _ := cutLast(before, ", ")
	word, number, ok := cutLast(text, " ")
	lastWord, lastNumber, lastOK := cutLast(last, " ")
	if !ok || !lastOK {
		return before + ", " + text
	}
	begin, _, ranged := strings.Cut(lastNumber, "-")
	switch {
	case word == lastWord && (ranged || begin != number):
		text = word + " " + begin + "-" + number
	case word == lastWord:
	case number == lastNumber:
		text = lastWord + ", " + text
	default:
		text = last + ", " + text
	}
	if head != "" {
		return head + ", " + text
	}
	return text
}

// cutLast cuts s at the last separator; without one all of s is behind it.
func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(separator):], true
}

// noteText says a milestone in few words; empty for those that are not drawn.
func (p *picture) noteText(n *protocols.Note) (text string, chief bool) {
	word := p.run.Protocol.EpochWord
	if word == "" {
		word = "epoch"
	}
	switch n.Kind {
	case protocols.NoteLeader:
		return fmt.Sprintf("leads %s %d", word, n.Epoch), true
	case protocols.NoteSteppedDown:
		return "steps down", true
	case protocols.NoteCommit:
		return fmt.Sprintf("committed %d", n.Index), false
	case protocols.NoteApplied:
		return fmt.Sprintf("executed %d", n.Index), false
	case protocols.NoteInstalled:
		return fmt.Sprintf("installed %d", n.Index), false
	}
	return "", false
}

// faults makes bands of the faults that hit links, disks and clocks. Crashes and
// pauses show on the lanes.
func (p *picture) faults() {
	for i := range p.run.Faults {
		f := &p.run.Faults[i]
		if f.State != sim.Active && f.State != sim.Over || f.Fault.Kind == protocols.FaultCrash || f.Fault.Kind == protocols.FaultPause {
			continue
		}
		b := band{span: span{f.Struck, p.run.End}, text: string(f.Fault.Kind)}
		if f.State == sim.Over {
			b.to = f.Ended
		}
		if f.Fault.OneWay != sim.Both {
			b.text += " (" + f.Fault.OneWay.String() + ")"
		}
		for j := range p.lanes {
			if id := p.lanes[j].id; id > 0 && f.Resolved.Nodes.Has(id) || slices.Contains(f.Resolved.Clients, id) {
				b.lanes = append(b.lanes, j)
			}
		}
		if kept := p.inWindow([]span{b.span}); len(kept) > 0 && len(b.lanes) > 0 {
			b.span = kept[0]
			p.bands = append(p.bands, b)
		}
	}
}
