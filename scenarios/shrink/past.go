package shrink

import (
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// past are the events of a run that led to its violation.
type past struct {
	trace []sim.TraceEvent
	first map[uint64]int // the first line of an event
	in    map[uint64]bool
	mute  bool // nodes note nothing
}

// pastOf finds the causal past of a violation, as far as it matters: the events that
// contradict each other, what caused them, and, at every node on the way, what
// changed what the node believed: leadership, views, members, crashes, pauses. All
// else that happened before at the same nodes is left out. Of nodes that note nothing
// nobody knows what they believe: there it is what changed their disks.
func pastOf(rec *scenarios.Recording) *past {
	p := &past{trace: rec.Result.Trace, first: map[uint64]int{}, in: map[uint64]bool{}, mute: true}
	for i := range p.trace {
		if _, seen := p.first[p.trace[i].Seq]; !seen {
			p.first[p.trace[i].Seq] = i
		}
		p.mute = p.mute && p.trace[i].Kind != sim.TraceNote
	}
	queue := p.roots(rec)
	for len(queue) > 0 {
		seq := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		i, known := p.first[seq]
		if p.in[seq] || !known {
			continue
		}
		p.in[seq] = true
		switch {
		case p.trace[i].Kind == sim.TraceRefused:
			queue = append(queue, p.call(i))
		case !p.ticks(i):
			queue = append(queue, p.trace[i].Cause)
		}
		for ; i < len(p.trace) && p.trace[i].Seq == seq; i++ {
			queue = append(queue, p.turns(p.trace[i].Node, seq)...)
		}
	}
	p.lost()
	return p
}

// ticks reports whether line i tells of a timer that the same node's timer set: one
// beat of many.
func (p *past) ticks(i int) bool {
	e := &p.trace[i]
	j, known := p.first[e.Cause]
	return known && e.Kind == sim.TraceTimer && p.trace[j].Kind == sim.TraceTimer && p.trace[j].Node == e.Node
}

// call returns the event with which a client began what it was refused in line i: who
// refused it before does not matter.
func (p *past) call(i int) uint64 {
	client := p.trace[i].Node
	for ; i > 0 && (p.trace[i].Kind != sim.TraceCall || p.trace[i].Node != client); i-- {
	}
	return p.trace[i].Seq
}

// roots are the events that contradict each other.
func (p *past) roots(rec *scenarios.Recording) []uint64 {
	var roots []uint64
	for i := range p.trace {
		if p.trace[i].Kind == sim.TraceViolation {
			roots = append(roots, p.trace[i].Seq)
		}
	}
	if r := rec.Result.Report; r != nil && r.Counterexample != nil {
		for _, op := range r.Counterexample.Operations {
			roots = append(roots, uint64(op.Call))
			if op.Return != protocols.Infinity {
				roots = append(roots, uint64(op.Return))
			}
		}
	}
	if len(roots) > 0 {
		return roots
	}
	roots = append(roots, p.unanswered(rec)...)
	for id := 1; id <= rec.World.Cluster().Nodes(); id++ { // nobody got on: what each believed last
		if turns := p.turns(protocols.NodeID(id), rec.Result.Events+1); len(turns) > 0 {
			roots = append(roots, turns[len(turns)-1])
		}
	}
	return roots
}

// unanswered are the call of the first operation that never returned, and the first
// arrivals of its requests: a client that waits asks again and again.
func (p *past) unanswered(rec *scenarios.Recording) []uint64 {
	var roots []uint64
	for i := range rec.Result.History {
		op := &rec.Result.History[i]
		if op.Return != protocols.Infinity {
			continue
		}
		for j := 0; j < len(p.trace) && len(roots) < 4; j++ {
			e := &p.trace[j]
			if (e.Kind == sim.TraceCall || e.Kind == sim.TraceRequest) && e.Command.SameRequest(op.Command) {
				roots = append(roots, e.Seq)
			}
		}
		break
	}
	return roots
}

// turns are the events before seq at which a node changed its mind, or stopped.
func (p *past) turns(id protocols.NodeID, seq uint64) []uint64 {
	var list []uint64
	if id <= 0 {
		return nil
	}
	for i := range p.trace {
		e := &p.trace[i]
		if e.Seq >= seq {
			break
		}
		if e.Node == id && (turning(e) || p.mute && e.Kind == sim.TraceSynced) {
			list = append(list, e.Seq)
		}
	}
	return list
}

// turning reports whether a line tells that a node changed its mind, or stopped.
func turning(e *sim.TraceEvent) bool {
	switch e.Kind {
	case sim.TraceCrashed, sim.TracePaused, sim.TraceResumed:
		return true
	case sim.TraceBoot:
		return e.Time > 0
	case sim.TraceNote:
		switch e.Note.Kind {
		case protocols.NoteLeader, protocols.NoteSteppedDown, protocols.NoteInstalled, protocols.NoteMembers, protocols.NoteNormal:
			return true
		}
	}
	return false
}

// lost adds what went astray on the way from an event of the past: a message that
// does not come can matter as much as one that does. Of equal ones the first is told.
func (p *past) lost() {
	var more []uint64
	told := map[string]bool{}
	for i := range p.trace {
		e := &p.trace[i]
		if e.Kind != sim.TraceDropped || !p.in[e.Cause] || e.Reason == "late" {
			continue
		}
		if key := fmt.Sprintf("%d %d %T %v", e.Peer, e.Node, e.Message, e.Command); !told[key] {
			told[key] = true
			more = append(more, e.Seq)
		}
	}
	for _, seq := range more {
		p.in[seq] = true
	}
}

// lines returns the lines of the past, with those that tell when nodes were down.
func (p *past) lines() []sim.TraceEvent {
	var list []sim.TraceEvent
	for i := range p.trace {
		switch e := &p.trace[i]; {
		case p.in[e.Seq], e.Kind == sim.TraceCrashed, e.Kind == sim.TraceBoot, e.Kind == sim.TracePaused, e.Kind == sim.TraceResumed:
			list = append(list, *e)
		}
	}
	return list
}

// window is the time of the past, from its first event behind the boots on.
func (p *past) window() (from, to protocols.Time) {
	from = protocols.Time(1<<63 - 1)
	for i := range p.trace {
		if e := &p.trace[i]; p.in[e.Seq] {
			if e.Time > 0 {
				from = min(from, e.Time)
			}
			to = max(to, e.Time)
		}
	}
	return min(from, to), to
}

// places are the nodes and clients of the past, in the order of diagrams.
func (p *past) places() []protocols.NodeID {
	var list []protocols.NodeID
	add := func(id protocols.NodeID) {
		if id != protocols.Nobody && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	for i := range p.trace {
		if e := &p.trace[i]; p.in[e.Seq] {
			add(e.Node)
			add(e.Peer)
		}
	}
	slices.SortFunc(list, func(a, b protocols.NodeID) int {
		switch {
		case a < 0 && b < 0:
			return int(b - a)
		case a < 0 || b < 0:
			return int(a - b)
		}
		return int(a - b)
	})
	return list
}
