package histories

import (
	"strings"

	"github.com/lockstep-sim/lockstep/checker"
)

// maxMarks bounds the marks of a history: more are not kept, as no picture shows
// them.
const maxMarks = 10_000

// ends are what Jepsen's nemeses call the end of a fault, other than stop-X for a
// start-X.
var ends = map[string][]string{"start": {"kill", "start"}, "resume": {"pause"}, "stop": {"start"}} // looked up, never ranged over

// nemesis keeps what is no client's event as a mark beside the operations: from the
// event that begins a fault to the one that ends it, and for others from their
// invocation to their completion. Both are :info in a Jepsen history.
func (r *reader) nemesis(e ednEvent) {
	r.Skipped++
	if e.f == 0 {
		return
	}
	f := &r.scan.out
	name := string(f.textOf(e.f))
	begins := []string{name}
	if rest, stops := strings.CutPrefix(name, "stop-"); stops {
		begins = append(begins, "start-"+rest)
	} else if rest, heals := strings.CutPrefix(name, "heal-"); heals {
		begins = append(begins, "start-"+rest)
	}
	begins = append(begins, ends[name]...)
	closed := false
	for _, b := range begins {
		at, open := r.faults[b]
		if !open {
			continue
		}
		r.Marks[at].End = r.clock + 1
		if b == name && lasts(name) {
			closed = true // its completion: the fault goes on
			continue
		}
		delete(r.faults, b)
		if closed = true; b != name {
			r.ended = name // its completion tells nothing new
		}
	}
	if !closed && r.ended == name {
		r.ended = ""
		return
	}
	if closed || len(r.Marks) == maxMarks {
		return
	}
	text := ":" + name
	if e.value != 0 {
		if v := f.print(nil, e.value); string(v) != "nil" {
			text += " " + clip(strings.Trim(string(v), `"`))
		}
	}
	r.faults[name] = len(r.Marks)
	r.Marks = append(r.Marks, checker.Mark{Row: string(f.print(nil, e.process)), Text: text, Start: r.clock + 1, End: r.clock + 1})
}

// clip cuts a text to what a mark has room for.
func clip(text string) string {
	const room = 40
	for i := range text {
		if i >= room {
			return text[:i] + "…"
		}
	}
	return text
}

// lasts reports whether a fault goes on after the event of that name is complete.
func lasts(name string) bool {
	return name == "start" || name == "kill" || name == "pause" || strings.HasPrefix(name, "start-")
}

// endFaults lets what nobody ended last until the end of the history.
func (r *reader) endFaults() {
	for i := range r.Marks {
		m := &r.Marks[i]
		name, _, _ := strings.Cut(strings.TrimPrefix(m.Text, ":"), " ")
		if at, open := r.faults[name]; open && at == i && lasts(name) {
			m.End = r.clock + 1
		}
	}
}
