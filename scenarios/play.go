package scenarios

import (
	"errors"
	"fmt"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Played is one step of a script with what came of it.
type Played struct {
	Step  string   `json:"step"`
	Lines []string `json:"lines,omitempty"` // what happened, what was sent, who changed
}

// play does the steps of the script one after the other. It ends early at a
// violation, and at a step that cannot be done or an expectation that does not
// hold, which is an error of the scenario.
func (r *run) play() sim.Stop {
	w := r.world
	w.Open()
	p := &player{world: w, trace: len(w.Trace())}
	p.look()
	for i := range r.sc.Script {
		step := &r.sc.Script[i]
		if len(w.Violations()) > 0 {
			r.result.Play = append(r.result.Play, Played{Step: fmt.Sprintf("(the run has ended: %d more steps)", len(r.sc.Script)-i)})
			break
		}
		lines, err := w.Do(step)
		r.result.Play = append(r.result.Play, Played{Step: step.String(), Lines: append(p.told(step), lines...)})
		if err != nil {
			r.unplayable(i, err)
			return sim.Reached
		}
	}
	if len(w.Violations()) > 0 {
		return sim.Violated
	}
	return sim.Reached
}

// unplayable makes the result that step i could not be done.
func (r *run) unplayable(i int, err error) {
	problem := Problem{File: r.sc.File}
	if i < len(r.sc.places) {
		problem = r.sc.places[i]
	}
	problem.Text = fmt.Sprintf("script[%d]: %s (with %s)", i+1, err, r.p.Name)
	r.result.Err = errors.New(problem.String())
	r.result.Verdict, r.result.Reason = checker.Inconclusive, problem.Text
}

// player tells what each step brought: it keeps what was there before.
type player struct {
	world *sim.World
	trace int      // lines of the trace that are told
	sent  uint64   // the last message that is told
	nodes []string // what each node showed
}

// look takes down what there is.
func (p *player) look() {
	w := p.world
	p.trace = len(w.Trace())
	for _, f := range w.InFlight() {
		p.sent = max(p.sent, f.Order)
	}
	p.nodes = p.nodes[:0]
	for id := 1; id <= w.Cluster().Nodes(); id++ {
		p.nodes = append(p.nodes, w.NodeText(protocols.NodeID(id)))
	}
}

// told says what a step brought, and looks again.
func (p *player) told(s *sim.ScriptStep) (lines []string) {
	w := p.world
	for i := range w.Trace()[p.trace:] {
		e := &w.Trace()[p.trace+i]
		if worthTelling(e, s) {
			who := "world"
			if e.Node != protocols.Nobody {
				who = w.Cluster().Name(e.Node)
			}
			lines = append(lines, who+" "+w.TraceText(e))
		}
	}
	for _, f := range w.InFlight() {
		if f.Order > p.sent {
			lines = append(lines, w.FlyingText(&f))
		}
	}
	before := append([]string(nil), p.nodes...)
	p.look()
	for i, now := range p.nodes {
		if now != before[i] {
			lines = append(lines, now)
		}
	}
	return lines
}

// worthTelling leaves out of the trace what the step itself says, what is told as a
// message in flight, and what the nodes' own lines show.
func worthTelling(e *sim.TraceEvent, s *sim.ScriptStep) bool {
	switch e.Kind {
	case sim.TraceCall, sim.TraceRequest, sim.TracePaused, sim.TraceResumed, sim.TraceAttempt:
		return false
	case sim.TraceTimer:
		return s.Verb != sim.VerbFire
	case sim.TraceDelivered:
		return e.Node != e.Peer
	case sim.TraceNote:
		switch e.Note.Kind {
		case protocols.NoteDropped, protocols.NoteInstalled:
			return true
		}
		return e.Note.Kind == protocols.NoteMembers && s.Verb != sim.VerbRestart
	}
	return true
}
