package reports

import (
	"bufio"
	"fmt"
	"io"
	"sort"
	"strconv"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// Walk looks at a recorded run event by event.
type Walk struct {
	rec    *scenarios.Recording
	events []int               // the first line of each event of the trace
	after  map[uint64][]uint64 // the events that an event caused
}

// NewWalk prepares a walk. The recording holds one event at least.
func NewWalk(rec *scenarios.Recording) *Walk {
	w := &Walk{rec: rec, after: map[uint64][]uint64{}}
	trace := rec.Result.Trace
	for i := range trace {
		if i > 0 && trace[i].Seq == trace[i-1].Seq {
			continue
		}
		w.events = append(w.events, i)
		if c := trace[i].Cause; c != 0 {
			w.after[c] = append(w.after[c], trace[i].Seq)
		}
	}
	return w
}

// Len returns the number of events that can be looked at. Events that leave no trace,
// such as a client's decision to wait, are not among them.
func (w *Walk) Len() int { return len(w.events) }

func (w *Walk) line(i int) *sim.TraceEvent { return &w.rec.Result.Trace[w.events[i]] }

// Find returns the place of an event by number (40; the next that has left a trace), or
// of the last one up to a time (2.5s). What is behind the last event is an error.
func (w *Walk) Find(text string) (int, error) {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		if last := w.rec.Result.Events; n > last {
			return 0, fmt.Errorf("event %d: the run ends with event %d", n, last)
		}
		return w.find(n), nil
	}
	at, err := scenarios.ParseTime(text)
	if err != nil {
		return 0, fmt.Errorf("want an event such as 40 or a time such as 2.5s, got %q", text)
	}
	if end := w.line(len(w.events) - 1).Time; at > end {
		return 0, fmt.Errorf("%s: the run ends at %s", text, end)
	}
	n := sort.Search(len(w.events), func(i int) bool { return w.line(i).Time > at })
	return max(0, n-1), nil
}

// find returns the place of event seq, or of the next that has left a trace.
func (w *Walk) find(seq uint64) int {
	n := sort.Search(len(w.events), func(i int) bool { return w.line(i).Seq >= seq })
	return min(n, len(w.events)-1)
}

// Cause returns the place of the event that caused the one at place i, or i.
func (w *Walk) Cause(i int) int {
	if c := w.line(i).Cause; c != 0 {
		return w.find(c)
	}
	return i
}

// Write shows the event at place i: what happened, why, what came of it, and how each
// node showed itself after it. With long, the events around it are told in full and
// the nodes with their state hashes.
func (w *Walk) Write(out io.Writer, i int, long bool) error {
	b := bufio.NewWriter(out)
	e := w.line(i)
	fmt.Fprintf(b, "event %d at %s\n", e.Seq, scenarios.FormatTime(e.Time))
	w.told(b, w.events[i])
	if e.Cause != 0 {
		fmt.Fprintf(b, "caused by event %d at %s\n", e.Cause, w.when(e.Cause))
		if at := w.find(e.Cause); w.line(at).Seq == e.Cause {
			w.some(b, w.events[at], long)
		}
	}
	if list := w.after[e.Seq]; len(list) > 0 {
		fmt.Fprintf(b, "it causes %s\n", plural(len(list), "event"))
		for _, seq := range list {
			fmt.Fprintf(b, "  event %d at %s\n", seq, w.when(seq))
			w.some(b, w.events[w.find(seq)], long)
		}
	}
	b.WriteString("nodes\n")
	c := w.rec.World.Cluster()
	for id := protocols.NodeID(1); int(id) <= c.Nodes(); id++ {
		v, up := w.rec.At(id, e.Seq)
		switch {
		case !up:
			fmt.Fprintf(b, "  %s down\n", c.Name(id))
		case long:
			fmt.Fprintf(b, "  %s, state %016x\n", w.rec.World.ViewText(id, &v), v.StateHash)
		default:
			fmt.Fprintf(b, "  %s\n", w.rec.World.ViewText(id, &v))
		}
	}
	return b.Flush()
}

// when says when an event happened; "?" for one that left no trace.
func (w *Walk) when(seq uint64) string {
	if e := w.line(w.find(seq)); e.Seq == seq {
		return scenarios.FormatTime(e.Time)
	}
	return "?"
}

// told writes all lines of the event whose first line is given.
func (w *Walk) told(b *bufio.Writer, first int) {
	trace := w.rec.Result.Trace
	for i := first; i < len(trace) && trace[i].Seq == trace[first].Seq; i++ {
		w.told1(b, i)
	}
}

// some writes the first line of an event, or with long all.
func (w *Walk) some(b *bufio.Writer, first int, long bool) {
	if long {
		w.told(b, first)
		return
	}
	w.told1(b, first)
}

func (w *Walk) told1(b *bufio.Writer, i int) {
	e := &w.rec.Result.Trace[i]
	fmt.Fprintf(b, "  %-5s %s\n", w.name(e.Node), Clean(w.rec.World.TraceText(e)))
}

func (w *Walk) name(id protocols.NodeID) string {
	if id == protocols.Nobody {
		return "world"
	}
	return w.rec.World.Cluster().Name(id)
}

// WriteTurns writes the turning points of the run, a line each: faults, crashes,
// leadership, violations. With long, everything that happened.
func (w *Walk) WriteTurns(out io.Writer, long bool) error {
	b := bufio.NewWriter(out)
	fmt.Fprintf(b, "%14s %8s  %-5s %s\n", "time", "event", "who", "what")
	trace := w.rec.Result.Trace
	for i := range trace {
		if e := &trace[i]; long || turning(e) {
			fmt.Fprintf(b, "%14s %8d  %-5s %s\n", scenarios.FormatTime(e.Time), e.Seq, w.name(e.Node), Clean(w.rec.World.TraceText(e)))
		}
	}
	b.WriteString("\nnodes at the end\n")
	for id := protocols.NodeID(1); int(id) <= w.rec.World.Cluster().Nodes(); id++ {
		fmt.Fprintf(b, "  %s\n", w.rec.World.NodeText(id))
	}
	r := w.rec.Result
	fmt.Fprintf(b, "\n%s, %d events, digest %s\n", Clean(r.String()), r.Events, r.Digest)
	return b.Flush()
}

func turning(e *sim.TraceEvent) bool {
	switch e.Kind {
	case sim.TraceBoot:
		return e.Time > 0
	case sim.TraceCrashed, sim.TracePaused, sim.TraceResumed, sim.TraceFault, sim.TraceHeal, sim.TraceViolation, sim.TraceAdmin, sim.TraceFull:
		return true
	case sim.TraceNote:
		return e.Note.Kind == protocols.NoteLeader || e.Note.Kind == protocols.NoteSteppedDown || e.Note.Kind == protocols.NoteMembers && e.Time > 0
	}
	return false
}
