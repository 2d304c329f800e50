package sim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Trigger names an event of the run that lets a fault strike, or a step of the
// operator's plan be asked for. The zero value is no event: the time At decides.
// Make one with ParseTrigger.
type Trigger struct {
	event   triggerEvent
	number  uint64            // commit, operation: which; fault, admin: position in the plan, from 1
	subject protocols.NodeSet // events of a replica: only at these; empty: at any
}

type triggerEvent uint8

const (
	noTrigger triggerEvent = iota
	onLeaderElected
	onSteppedDown
	onLeaderLost
	onViewChange
	onNormal
	onCommit
	onOperation
	onSnapshot
	onInstalled
	onReconfigured
	onCrash
	onRestart
	onFaultStrikes
	onFaultEnds
	onAdminAsked
	onAdminDone
	triggerEvents
)

// triggerForms is the one table of the events: how each is written, and what it
// means. N stands for a number from 1.
var triggerForms = [triggerEvents]struct {
	form, text string
	node       bool // it is an event of a replica, which may be named after it
}{
	onLeaderElected: {"leader-elected", "a replica becomes leader or primary", true},
	onSteppedDown:   {"stepped-down", "a leader gives up its office", true},
	onLeaderLost:    {"leader-lost", "nobody leads a quorum any more: the leader has crashed, paused, stepped down or been cut off", false},
	onViewChange:    {"view-change", "a replica enters a term, view or ballot that is higher than all before", true},
	onNormal:        {"normal", "a replica says that it works normally in its epoch", true},
	onCommit:        {"commit N", "log position N is committed; with count: then 2N, 3N and so on", false},
	onOperation:     {"operation N", "the clients have called N operations; with count: then 2N, 3N and so on", false},
	onSnapshot:      {"snapshot", "a replica begins to save a snapshot", true},
	onInstalled:     {"snapshot-installed", "a replica has taken over another one's snapshot", true},
	onReconfigured:  {"reconfigured", "other members are in force", true},
	onCrash:         {"crash", "a replica stops", true},
	onRestart:       {"restart", "a replica has booted again", true},
	onFaultStrikes:  {"fault N strikes", "fault N of the plan strikes", false},
	onFaultEnds:     {"fault N ends", "fault N of the plan ends, whether or not it has struck", false},
	onAdminAsked:    {"admin N asked", "step N of the operator's plan is put to a replica for the first time", false},
	onAdminDone:     {"admin N done", "step N of the operator's plan is seen done", false},
}

// TriggerForm is one event that [ParseTrigger] reads, for lists.
type TriggerForm struct{ Form, Text string }

// TriggerForms lists the events, in the order of documentation.
func TriggerForms() []TriggerForm {
	var list []TriggerForm
	for _, f := range triggerForms[noTrigger+1:] {
		form := f.form
		if f.node {
			form += " [NODES]"
		}
		list = append(list, TriggerForm{form, f.text})
	}
	return list
}

// maxTriggerNumber bounds the number in a trigger.
const maxTriggerNumber = 1_000_000_000

// ParseTrigger reads an event: leader-elected, commit 100, fault 2 strikes. Events
// of a replica may name replicas, and then happen only there: crash n1 n3.
func ParseTrigger(text string) (Trigger, error) {
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' || c == '\t' || c == '\n' })
	for e := noTrigger + 1; e < triggerEvents; e++ {
		form := strings.Fields(triggerForms[e].form)
		if t, ok, err := parseTriggerAs(e, form, words); err != nil {
			return Trigger{}, fmt.Errorf("event %q: %w", text, err)
		} else if ok {
			return t, nil
		}
	}
	return Trigger{}, fmt.Errorf("unknown event %q: want one of %s", text, triggerList())
}

// parseTriggerAs reads words as event e; false: they are another's.
func parseTriggerAs(e triggerEvent, form, words []string) (t Trigger, ok bool, err error) {
	t.event = e
	if len(words) < len(form) || !triggerForms[e].node && len(words) > len(form) {
		return t, false, nil
	}
	for i, want := range form {
		switch {
		case want != "N":
			if words[i] != want {
				return t, false, nil
			}
		default:
			t.number, err = strconv.ParseUint(words[i], 10, 32)
			if err != nil || t.number < 1 || t.number > maxTriggerNumber || words[i][0] == '0' || words[i][0] == '+' {
				return t, false, fmt.Errorf("want a whole number 1..%d, got %q", maxTriggerNumber, words[i])
			}
		}
	}
	for _, w := range words[len(form):] {
		letter, number, named := parseName(w)
		id := protocols.NodeID(number)
		switch {
		case !named || letter != 'n' || number < 1 || number > MaxReplicas:
			return t, false, fmt.Errorf("want replicas such as n1 n3, got %q", w)
		case t.subject.Has(id):
			return t, false, fmt.Errorf("%s is named twice", w)
		}
		t.subject = t.subject.With(id)
	}
	return t, true, nil
}

func triggerList() string {
	var forms []string
	for _, f := range triggerForms[noTrigger+1:] {
		forms = append(forms, f.form)
	}
	return strings.Join(forms, ", ")
}

// Set reports whether t names an event.
func (t Trigger) Set() bool { return t.event != noTrigger }

// String prints what ParseTrigger reads back unchanged; "" for no event.
func (t Trigger) String() string {
	if !t.Set() {
		return ""
	}
	s := strings.Replace(triggerForms[t.event].form, "N", strconv.FormatUint(t.number, 10), 1)
	if !t.subject.Empty() {
		s += " " + NodeNames(t.subject)
	}
	return s
}

// Fault returns the position of the fault in whose event t is interested; 0: none.
func (t Trigger) Fault() int {
	if t.event == onFaultStrikes || t.event == onFaultEnds {
		return int(t.number)
	}
	return 0
}

// Admin returns the position of the step in whose event t is interested; 0: none.
func (t Trigger) Admin() int {
	if t.event == onAdminAsked || t.event == onAdminDone {
		return int(t.number)
	}
	return 0
}

// About returns t for the fault or step at another position, from 1.
func (t Trigger) About(position int) Trigger {
	t.number = uint64(position)
	return t
}

// Subjects returns the replicas that t names.
func (t Trigger) Subjects() protocols.NodeSet { return t.subject }

// MaxCount bounds Fault.Count.
const MaxCount = 100

// occasion is when, after what and how often something of a plan may happen.
type occasion struct {
	when         Trigger
	after        protocols.Duration
	until        protocols.Time
	fault, admin int // its own position; 0: it is not of that plan
}

// checkOccasion says what is wrong with o in cfg.
func checkOccasion(cfg *Config, o occasion) error {
	named := o.when.subject.Minus(protocols.NodesUpTo(cfg.Replicas))
	switch {
	case o.after < 0 || o.after > maxSpan:
		return fmt.Errorf("after: want 0s..%s, got %s", FormatDuration(maxSpan), FormatDuration(o.after))
	case o.until < 0 || o.until > maxSpan:
		return fmt.Errorf("until: want 0s..%s, got %s", FormatDuration(maxSpan), o.until)
	case !o.when.Set() && (o.after != 0 || o.until != 0):
		return fmt.Errorf("after and until are of faults that an event triggers: want when")
	case !named.Empty():
		return fmt.Errorf("when: no replica %s; there are %d", NodeNames(named), cfg.Replicas)
	case o.when.Fault() > len(cfg.Faults):
		return fmt.Errorf("when: there is no fault %d; the plan has %d", o.when.Fault(), len(cfg.Faults))
	case o.when.Admin() > len(cfg.Admin):
		return fmt.Errorf("when: there is no step %d; the plan has %d", o.when.Admin(), len(cfg.Admin))
	case o.fault > 0 && o.when.Fault() == o.fault, o.admin > 0 && o.when.Admin() == o.admin:
		return fmt.Errorf("when: %s waits for itself", o.when)
	}
	return nil
}

// checkCount says what is wrong with how often f is to strike.
func (f *Fault) checkCount() error {
	switch {
	case f.Count < 0 || f.Count > MaxCount:
		return fmt.Errorf("count: want 1..%d, got %d", MaxCount, f.Count)
	case f.Count > 1 && !f.When.Set():
		return fmt.Errorf("count: only a fault that an event triggers strikes more than once: want when")
	}
	return nil
}

// triggers is what the world keeps for planned things that wait for events.
type triggers struct {
	armed     int // planned faults and steps whose event has not come; 0 costs nothing
	epoch     uint64
	committed protocols.Index
	members   protocols.NodeSet // in force last
	membersAt protocols.Index
}

func (w *World) resetTriggers() {
	w.triggers = triggers{members: w.cluster.First()}
}

// happens lets what waits for event e strike: number is that of the event, subject
// the replica whose event it is. It draws nothing and leaves no trace, so that a
// fault that is taken out of a plan changes nothing before its first effect.
func (w *World) happens(e triggerEvent, number uint64, subject protocols.NodeID) {
	if w.triggers.armed == 0 || w.healed {
		return
	}
	last := 0 // the fault whose strike this event is already: one event, one strike
	for i := range w.faults {
		f := &w.faults[i]
		if f.State != Armed || f.Fault.ID == last {
			continue
		}
		if !w.matches(f.Fault.When, e, number, uint64(f.Firing), subject) || w.now < f.Fault.At || f.Fault.Until > 0 && w.now > f.Fault.Until {
			continue
		}
		last = f.Fault.ID
		w.triggers.armed--
		f.State, f.subject = Planned, subject
		f.Fault.At = w.now.Add(f.Fault.After)
		w.plan(i, f.Fault.At, evStrike)
	}
	for i := range w.admin {
		r := &w.admin[i]
		if r.State != Armed || !w.matches(r.Step.When, e, number, 0, subject) || w.now < r.Step.At || r.Step.Until > 0 && w.now > r.Step.Until {
			continue
		}
		w.triggers.armed--
		r.State = Planned
		r.Step.At = w.now.Add(r.Step.After)
		w.plan(i, r.Step.At, evAdmin)
	}
}

// matches reports whether an event is the one that t waits for the firing-th time.
func (w *World) matches(t Trigger, e triggerEvent, number, firing uint64, subject protocols.NodeID) bool {
	switch {
	case t.event != e || !t.subject.Empty() && !t.subject.Has(subject):
		return false
	case e == onCommit, e == onOperation: // counters, which may skip numbers
		return number >= t.number*(firing+1)
	}
	return t.number == number
}

// noteTrigger tells what waits for events that n has reached a milestone.
func (w *World) noteTrigger(n *node, note *protocols.Note) {
	t := &w.triggers
	switch note.Kind {
	case protocols.NoteLeader:
		w.happens(onLeaderElected, 0, n.id)
	case protocols.NoteSteppedDown:
		w.happens(onSteppedDown, 0, n.id)
	case protocols.NoteNormal:
		w.happens(onNormal, 0, n.id)
	case protocols.NoteInstalled:
		w.happens(onInstalled, 0, n.id)
	case protocols.NoteCommit, protocols.NoteApplied:
		if note.Index > t.committed {
			t.committed = note.Index
			w.happens(onCommit, uint64(note.Index), n.id)
		}
	case protocols.NoteMembers:
		if note.Members != t.members && note.Index >= t.membersAt {
			t.members, t.membersAt = note.Members, note.Index
			w.happens(onReconfigured, 0, n.id)
		}
	}
}

// epochTrigger tells what waits for it that n has entered a new epoch.
func (w *World) epochTrigger(n *node) {
	if e := n.view.Epoch; int(n.id) <= w.cluster.Replicas && e > w.triggers.epoch {
		w.triggers.epoch = e
		w.happens(onViewChange, 0, n.id)
	}
}
