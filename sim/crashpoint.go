package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// CrashPoint is a moment in a node's life right before or right after something,
// at which a fault of kind crash-point stops it. The zero value is no moment.
//
// Before or after a record is written (persist), everything earlier in the step
// takes effect in full, and what was written is durable. Before an fsync completes
// (sync), what it covers is lost; after it, the disk has it and nothing that waited
// for it has left. Before a message leaves for another node (send) it never does. A
// leader change is a step in which the node learns of another leader than before, or
// becomes one; a view change is one in which it enters another epoch, and an apply one log entry that a step
// executes. Before any of these, nothing of that step takes effect; after it,
// everything but what the disk does not have yet.
type CrashPoint uint8

// When says on which side of its event a crash point is.
type When uint8

const (
	Before When = iota
	After
)

// The events that a crash point names.
const (
	pointPersist = iota + 1
	pointSync
	pointSend
	pointLeader
	pointView
	pointApply
)

var pointNames = [...]string{pointPersist: "persist", pointSync: "sync", pointSend: "send", pointLeader: "leader-change", pointView: "view-change", pointApply: "apply"}

// crashPoint returns the point on one side of an event.
func crashPoint(event int, when When) CrashPoint { return CrashPoint(2*event + int(when)) }

// CrashPoints lists all crash points in the order of documentation.
func CrashPoints() []CrashPoint {
	var list []CrashPoint
	for event := pointPersist; event < len(pointNames); event++ {
		list = append(list, crashPoint(event, Before), crashPoint(event, After))
	}
	return list
}

// ParseCrashPoint reads "before sync" or "after leader-change".
func ParseCrashPoint(s string) (CrashPoint, error) {
	text := strings.Join(strings.Fields(s), " ")
	var names []string
	for _, p := range CrashPoints() {
		if p.String() == text {
			return p, nil
		}
		names = append(names, p.String())
	}
	return 0, fmt.Errorf("crash point %q: want one of %s", s, strings.Join(names, ", "))
}

// String prints what ParseCrashPoint reads.
func (p CrashPoint) String() string {
	event := int(p / 2)
	switch {
	case event == 0 || event >= len(pointNames):
		return fmt.Sprintf("crash point %d", uint8(p))
	case When(p%2) == Before:
		return "before " + pointNames[event]
	}
	return "after " + pointNames[event]
}

// trap waits at a node for a crash point. It outlives other crashes.
type trap struct {
	point CrashPoint
	left  int // how often the point still has to come; 0 with a point: it has sprung
	fault int // the fault that set it
}

// springs counts that an event has come, and reports whether the node is to stop.
func (t *trap) springs(event int, when When) bool {
	if t.left == 0 || t.point != crashPoint(event, when) {
		return false
	}
	t.left--
	return t.left == 0
}

// trapped says whether a step of n ends in a crash, after how many of its effects,
// and whether these take effect in full. epoch and leader are those before the step.
func (n *node) trapped(ev *protocols.Event, out *protocols.Effects, epoch uint64, leader protocols.NodeID) (cut bool, at int, whole bool) {
	for i := range out.List {
		if k := out.List[i].Kind; k != protocols.EffectPersist && k != protocols.EffectSaveSnapshot {
			continue
		}
		if n.trap.springs(pointPersist, Before) {
			return true, i, true
		}
		if n.trap.springs(pointPersist, After) {
			return true, i + 1, true
		}
	}
	if ev.Kind == protocols.Start {
		return false, 0, false // it remembers what was; nothing changes
	}
	changes := [...]struct {
		event int
		seen  bool
	}{
		{pointLeader, n.view.Leader != leader && n.view.Leader != protocols.Nobody},
		{pointView, n.view.Epoch != epoch},
	}
	for _, c := range changes {
		if c.seen && n.trap.springs(c.event, Before) {
			return true, 0, false
		}
		if c.seen && n.trap.springs(c.event, After) {
			return true, len(out.List), false
		}
	}
	return n.trappedApplying(out)
}

// trappedApplying says the same of the entries that a step executes.
func (n *node) trappedApplying(out *protocols.Effects) (cut bool, at int, whole bool) {
	for i := range out.Notes {
		switch {
		case out.Notes[i].Kind != protocols.NoteApplied:
		case n.trap.springs(pointApply, Before):
			return true, 0, false
		case n.trap.springs(pointApply, After):
			return true, len(out.List), false
		}
	}
	return false, 0, false
}

// trapsSend counts a message of n that is about to leave, and reports whether it
// still does.
func (w *World) trapsSend(n *node) bool {
	if n.trap.springs(pointSend, Before) {
		n.doomed = true
		return false
	}
	if n.trap.springs(pointSend, After) {
		n.doomed = true
	}
	return true
}

// fall stops n, whose trap has sprung.
func (w *World) fall(n *node) {
	i := n.trap.fault
	n.trap = trap{}
	w.treat(n)
	w.keepDown(i, n)
	w.killed(i, w.crash(n))
}

// setTrap lets fault i wait for its crash point at n.
func (w *World) setTrap(i int, n *node) {
	f := &w.faults[i].Fault
	n.trap = trap{point: f.Point, left: max(1, f.Nth), fault: i}
	w.treat(n)
}

// clearTrap takes away what fault i still waits for at n.
func (w *World) clearTrap(i int, n *node) {
	if n.trap.point != 0 && n.trap.fault == i {
		n.trap = trap{}
		w.treat(n)
	}
}
