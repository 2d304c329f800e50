package sim

import "github.com/lockstep-sim/lockstep/protocols"

// never is a local due time that no clock reaches.
const never = protocols.Time(1<<63 - 1)

// ringing is a local time before any other.
const ringing = protocols.Time(-1)

// timer is one timer of a node. The draw of SetTimerWithin is kept until the
// timer fires, is cancelled or its range changes.
type timer struct {
	due      protocols.Time // on the node's monotone clock; never: not armed
	min, max protocols.Duration
	draw     protocols.Duration
	drawn    bool
	count    uint64 // draws so far: position in the timer's stream, over all lives
}

// timers are a node's timers with one pending event for all of them: it waits
// for the earliest due time that was known when it was scheduled, and moves on
// when it comes too early.
type timers struct {
	list  [protocols.MaxTimers]timer
	used  int            // timers below this have been armed
	alarm protocols.Time // local due time of the pending event; never: none; ringing: it is being handled
	soon  protocols.Time // the earliest due time set in this step; never: none
	gen   uint32         // of the pending event; older ones are ignored
}

// stop disarms everything, as a crash does.
func (ts *timers) stop() {
	for i := range ts.list[:ts.used] {
		t := &ts.list[i]
		t.due, t.drawn = never, false
	}
	ts.alarm, ts.soon = never, never
	ts.gen++
}

// earliest returns the timer that is due first, the lowest number on ties.
func (ts *timers) earliest() (which protocols.Timer, due protocols.Time) {
	due = never
	for i := range ts.list[:ts.used] {
		if d := ts.list[i].due; d < due {
			which, due = protocols.Timer(i), d
		}
	}
	return which, due
}

// use makes sure that timer i takes part.
func (ts *timers) use(i protocols.Timer) *timer {
	for ts.used <= int(i) {
		ts.list[ts.used].due = never
		ts.used++
	}
	return &ts.list[i]
}

// setTimer arms timer e.Timer of n.
func (w *World) setTimer(n *node, e *protocols.Effect, within bool) {
	t := n.timers.use(e.Timer)
	after := e.Min
	switch {
	case !within:
		t.drawn = false
	case t.drawn && t.min == e.Min && t.max == e.Max:
		after = t.draw
	default:
		if e.Max > e.Min {
			u := streamOf(w.cfg.Seed, ofTimer, uint64(w.cfg.role(n.id))<<8|uint64(e.Timer)).at(t.count)
			t.count++
			after += protocols.Duration(below(u, uint64(e.Max-e.Min)+1))
		}
		t.min, t.max, t.draw, t.drawn = e.Min, e.Max, after, true
	}
	t.due = n.clock.read(w.now) + protocols.Time(max(0, after))
	n.timers.soon = min(n.timers.soon, t.due)
}

// arm schedules an earlier alarm if this step has set a timer that needs one.
func (w *World) arm(n *node) {
	if n.timers.soon < n.timers.alarm {
		w.schedule(n, n.timers.soon)
	}
	n.timers.soon = never
}

// cancelTimer disarms timer i of n and forgets its draw.
func (w *World) cancelTimer(n *node, i protocols.Timer) {
	t := n.timers.use(i)
	t.due, t.drawn = never, false
}

// schedule makes the pending alarm of n wait for the local time due.
func (w *World) schedule(n *node, due protocols.Time) {
	n.timers.alarm = due
	n.timers.gen++
	p := w.queue.add(max(w.now, n.clock.when(due)), w.seq)
	p.kind, p.to, p.ref = evAlarm, n.id, n.timers.gen
}

// reschedule schedules the alarm anew, after a timer fired or the clock's rate
// changed.
func (w *World) reschedule(n *node) {
	if _, due := n.timers.earliest(); due != never {
		w.schedule(n, due)
	} else {
		n.timers.alarm = never
		n.timers.gen++
	}
}

// ring handles an alarm of n: the earliest timer fires if it is due.
func (w *World) ring(n *node, cause uint64) {
	i, due := n.timers.earliest()
	if due > n.clock.read(w.now) {
		w.reschedule(n)
		return
	}
	w.fire(n, i, cause)
}

// fire lets timer i of n fire, due or not.
func (w *World) fire(n *node, i protocols.Timer, cause uint64) {
	t := &n.timers.list[i]
	t.due, t.drawn = never, false
	w.begin(evAlarm, n.id, protocols.Nobody, uint64(i), cause)
	if w.tracing {
		w.record(TraceEvent{Kind: TraceTimer, Node: n.id, Life: n.life, Timer: i})
	}
	w.event.Kind, w.event.Timer = protocols.Fire, i
	n.timers.alarm = ringing // one alarm after the step, not one for each timer it sets
	w.step(n)
	w.event.Timer = 0
	if n.up {
		w.reschedule(n)
	}
}
