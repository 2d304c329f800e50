package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// lateEvents is how many events before the end of the budget are counted by what they
// are, and namedLate how many kinds of them are told.
const (
	lateEvents = 1000
	namedLate  = 3
)

// ending counts the last events of the budget. A protocol that spends it does the same
// again and again, often at one moment: what that is comes in any thousand events.
type ending struct {
	after uint64         // the last event that is not counted
	since protocols.Time // of the first that is
	list  []lateEvent    // in the order of their first
}

// lateEvent is one kind of event, by what begin is told of it.
type lateEvent struct {
	kind     eventKind
	to, from protocols.NodeID
	what     uint64 // the kind of message or the timer
	times    int
}

// resetLate begins anew: the budget has changed.
func (w *World) resetLate() {
	w.late.after = w.budget - min(w.budget, lateEvents)
	w.late.list = w.late.list[:0]
}

// countLate counts an event of the last ones.
func (w *World) countLate(kind eventKind, to, from protocols.NodeID, x uint64) {
	if len(w.late.list) == 0 {
		w.late.since = w.now
	}
	e := lateEvent{kind: kind, to: to, from: from, times: 1}
	switch kind {
	case evMessage, evSelf:
		e.what = x >> 32
	case evAlarm:
		e.what = x
	}
	for i := range w.late.list {
		l := &w.late.list[i]
		if l.kind == e.kind && l.to == e.to && l.from == e.from && l.what == e.what {
			l.times++
			return
		}
	}
	w.late.list = append(w.late.list, e)
}

// Late says what the last events before the end of the budget were, and how much time
// they took, so that who spends it is named. It is for after [Exhausted].
func (w *World) Late() string {
	list := slices.Clone(w.late.list)
	slices.SortStableFunc(list, func(a, b lateEvent) int { return b.times - a.times })
	total := 0
	for _, e := range list {
		total += e.times
	}
	var b strings.Builder
	when := "all at one moment"
	if span := w.now.Sub(w.late.since); span > 0 {
		when = "within " + FormatDuration(span)
	}
	fmt.Fprintf(&b, "the last %d events, %s: ", total, when)
	for i := range list[:min(len(list), namedLate)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d times", w.lateText(&list[i]), list[i].times)
	}
	if more := len(list) - namedLate; more > 0 {
		fmt.Fprintf(&b, ", and %d kinds more", more)
	}
	return b.String()
}

// lateText names an event as a trace does.
func (w *World) lateText(e *lateEvent) string {
	to, from := w.cluster.Name(e.to), w.cluster.Name(e.from)
	switch e.kind {
	case evMessage, evSelf:
		return fmt.Sprintf("%s gets %s from %s", to, w.cfg.Protocol.MessageName(protocols.Kind(e.what)), from)
	case evAlarm:
		return fmt.Sprintf("%s %s timer fires", to, w.timerName(protocols.Timer(e.what)))
	case evRequest:
		return fmt.Sprintf("%s gets a request from %s", to, from)
	case evAnswer:
		return fmt.Sprintf("%s gets an answer from %s", to, from)
	case evFlush:
		return to + " syncs"
	case evClient, evTimeout:
		return to + " acts"
	}
	return "something else"
}
