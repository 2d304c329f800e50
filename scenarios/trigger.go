package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// trigger is an event of the run, as sim.ParseTrigger reads it.
func trigger() codec[sim.Trigger] {
	c := scalar("an event such as leader-elected", func(s string) (sim.Trigger, error) {
		t, err := sim.ParseTrigger(s)
		if err != nil {
			err = fmt.Errorf("%w%s", err, DidYouMean(s, triggerWords()))
		}
		return t, err
	}, sim.Trigger.String, object{"type": "string"})
	return omitted(c, sim.Trigger{})
}

// triggerWords are the events without the names that may follow.
func triggerWords() []string {
	var words []string
	for _, f := range sim.TriggerForms() {
		words = append(words, strings.TrimSuffix(f.Form, " [NODES]"))
	}
	return words
}

// occasionFields are the keys of what can wait for an event.
func occasionFields[P any](when func(*P) *sim.Trigger, after func(*P) *protocols.Duration, until func(*P) *protocols.Time) []field[P] {
	return []field[P]{
		key("when", "Instead of at a time: after this event (lockstep list events). Replicas named after it restrict it to theirs: crash n1 n2.", when, trigger()),
		key("after", "With when: so long after the event.", after, omitted(span(0, maxSpan), 0)),
		key("until", "With when: only events up to this time count, and with at only those from that time on.", until, omitted(instant(), 0)),
	}
}

// occasion reports keys that go with when and stand without it.
func (d *decoder) occasion(path string, given []string, what string) {
	if slices.Contains(given, "when") {
		return
	}
	for _, k := range []string{"after", "until", "count"} {
		if slices.Contains(given, k) {
			d.fail(d.at(join(path, k)), "%s: want when, which event the %s waits for", join(path, k), what)
		}
	}
}

// omitted is c, left out of the text where the value is the default.
func omitted[T comparable](c codec[T], def T) codec[T] {
	write := c.write
	c.write = func(v *T) *yaml.Node {
		if *v == def {
			return nil
		}
		return write(v)
	}
	return c
}

// validateOccasion checks what an event that something waits for names: path is that
// of the key when.
func validateOccasion(sc *Scenario, path string, t sim.Trigger, until protocols.Time, own string, report reporter) {
	for id := t.Subjects().Next(protocols.Nobody); id != protocols.Nobody; id = t.Subjects().Next(id) {
		if int(id) > sc.Replicas {
			report(path+".when", "no replica %s; this cluster has n1..n%d", id, sc.Replicas)
		}
	}
	switch {
	case t.Fault() > len(sc.Faults):
		report(path+".when", "there is no fault %d: the plan has %d", t.Fault(), len(sc.Faults))
	case t.Admin() > len(sc.Admin):
		report(path+".when", "there is no step %d: the plan has %d under admin", t.Admin(), len(sc.Admin))
	case own == fmt.Sprintf("fault %d", t.Fault()) || own == fmt.Sprintf("admin %d", t.Admin()):
		report(path+".when", "%s waits for itself", own)
	case int64(until) > int64(sc.For):
		report(path+".until", "that is after the safety phase (for: %s)", sim.FormatDuration(sc.For))
	}
}
