package reports

import (
	"cmp"
	"fmt"
	"io"
	"sort"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// hasPicture reports whether the clients' history of a run is wrong: then there is a
// picture of what is.
func hasPicture(r *scenarios.Result) bool {
	return r.Report != nil && r.Report.Counterexample != nil
}

// WriteHistoryPicture writes a page with porcupine's picture of the fewest operations of
// a run that cannot be put into one order. Beside them stand the faults that struck and
// the leaders with their terms. The run must have its history and trace, and its history
// must be wrong.
func WriteHistoryPicture(w io.Writer, sc *scenarios.Scenario, p *protocols.Protocol, r *scenarios.Result) error {
	x := r.Report.Counterexample
	ops, opt := contradiction(sc, p, r)
	title := fmt.Sprintf("%s, %s, seed %d: %s: %s", r.Scenario, r.Protocol, r.Seed, x.Class, x.Text)
	return checker.WritePicture(w, ops, append(faultMarks(r), leaderMarks(r, cmp.Or(p.EpochWord, "epoch"))...), Clean(title), opt)
}

// contradiction returns the fewest operations of a run that cannot be put into one
// order, and what they are judged by; none where its history is right. The run must
// have its history.
func contradiction(sc *scenarios.Scenario, p *protocols.Protocol, r *scenarios.Result) ([]protocols.Operation, checker.Options) {
	opt := sc.Judged(p)
	if !hasPicture(r) {
		return nil, opt
	}
	x := r.Report.Counterexample
	for _, part := range checker.Plan(r.History, opt) {
		if part.Key != x.Key {
			continue
		}
		if m, ok := part.Minimise(x); ok {
			opt.Blind = m.Blind
			return m.Operations, opt
		}
	}
	return x.Operations, opt
}

// faultMarks are the faults that struck, on the scale of events.
func faultMarks(r *scenarios.Result) []checker.Mark {
	var marks []checker.Mark
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.State != "over" && f.State != "active" {
			continue
		}
		text := f.Kind
		if f.Resolved != "" {
			text += " " + f.Resolved
		}
		marks = append(marks, checker.Mark{Row: "faults", Text: Clean(text), Start: eventAt(r.Trace, f.StartNS), End: eventAt(r.Trace, f.EndNS)})
	}
	return marks
}

// eventAt returns the number of the first event at or after an instant, and past the
// last one what comes after all.
func eventAt(trace []sim.TraceEvent, ns int64) int64 {
	at := sort.Search(len(trace), func(i int) bool { return int64(trace[i].Time) >= ns })
	if at == len(trace) {
		return int64(protocols.Infinity) - 1
	}
	return int64(trace[at].Seq)
}

// leaderMarks say who led, in which term, and from when to when it took itself for the
// leader: until it stepped down, crashed or led again in another term.
func leaderMarks(r *scenarios.Result, epoch string) []checker.Mark {
	var marks []checker.Mark
	leads := map[protocols.NodeID]int{} // its mark; looked up, never ranged over
	end := func(node protocols.NodeID, at uint64) {
		if i, have := leads[node]; have {
			marks[i].End = int64(at)
			delete(leads, node)
		}
	}
	for i := range r.Trace {
		e := &r.Trace[i]
		switch {
		case e.Kind == sim.TraceCrashed, e.Kind == sim.TraceNote && e.Note.Kind == protocols.NoteSteppedDown:
			end(e.Node, e.Seq)
		case e.Kind == sim.TraceNote && e.Note.Kind == protocols.NoteLeader:
			end(e.Node, e.Seq)
			leads[e.Node] = len(marks)
			name := r.Cluster.Name(e.Node)
			marks = append(marks, checker.Mark{Row: "leader " + name, Text: fmt.Sprintf("%s leads, %s %d", name, epoch, e.Note.Epoch),
				Start: int64(e.Seq), End: int64(protocols.Infinity) - 1})
		}
	}
	return marks
}
