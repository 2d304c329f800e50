package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// handle delivers, drops, duplicates or delays messages in flight.
func (w *World) handle(s *ScriptStep) error {
	m := &s.Messages
	match, err := w.matcher(m)
	if err != nil {
		return err
	}
	switch {
	case !m.All && !m.Delayed:
		at, skip := -1, m.Nth
		for _, k := range w.flying() {
			if !match(k, w.queue.of(k)) {
				continue
			}
			if skip--; skip < 0 {
				at = slices.Index(w.queue.heap, k)
				break
			}
		}
		if at < 0 {
			return fmt.Errorf("no message %s is in flight; %s", m, w.inFlight())
		}
		w.act(s.Verb, at)
		return nil
	case s.Verb == VerbDeliver:
		return w.deliverAll(m, match)
	}
	for _, k := range w.flying() { // those that are there now, not their copies
		if match(k, w.queue.of(k)) && w.isDelayed(k) == m.Delayed {
			w.act(s.Verb, slices.Index(w.queue.heap, k))
		}
	}
	return nil
}

// deliverAll delivers what matches, and what is sent meanwhile, until nothing is
// left.
func (w *World) deliverAll(m *Messages, match func(key, *payload) bool) error {
	for range maxRest {
		at := w.first(func(k key, p *payload) bool { return match(k, p) && w.isDelayed(k) == m.Delayed })
		if at < 0 || len(w.violations) > 0 {
			return nil
		}
		w.act(VerbDeliver, at)
		if err := w.rest(); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: messages call forth messages, %d so far", m, maxRest)
}

// of returns what k stands for.
func (q *queue) of(k key) *payload { return &q.slab[k.order&slotMask] }

// isMessage reports whether an event is the arrival of something on a link.
func isMessage(p *payload) bool {
	return p.kind == evMessage || p.kind == evRequest || p.kind == evAnswer
}

// flying lists the keys of what is in flight, in the order in which it was sent.
func (w *World) flying() []key {
	w.queue.fixed()
	var list []key
	for _, k := range w.queue.heap {
		if isMessage(w.queue.of(k)) {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b key) int {
		if a.order < b.order {
			return -1
		}
		return 1
	})
	return list
}

// matcher makes the test for the messages that m means, delayed or not.
func (w *World) matcher(m *Messages) (func(key, *payload) bool, error) {
	ends := [2]protocols.NodeID{}
	for i, name := range [2]string{m.From, m.To} {
		if name == "" {
			continue
		}
		id, err := w.name(name)
		if err != nil {
			return nil, err
		}
		ends[i] = id
	}
	var among []protocols.NodeID
	for _, name := range m.Among {
		id, err := w.name(name)
		if err != nil {
			return nil, err
		}
		among = append(among, id)
	}
	if m.Kind != "" && !w.hasKind(m.Kind) {
		return nil, fmt.Errorf("%s has no message %q", w.cfg.Protocol.Name, m.Kind)
	}
	return func(_ key, p *payload) bool {
		return isMessage(p) && (m.Kind == "" || w.kindOf(p) == m.Kind) &&
			(ends[0] == protocols.Nobody || p.from == ends[0]) && (ends[1] == protocols.Nobody || p.to == ends[1]) &&
			(among == nil || slices.Contains(among, p.from) && slices.Contains(among, p.to))
	}, nil
}

func (w *World) hasKind(name string) bool {
	return name == KindOfRequest || name == KindOfAnswer || name == KindOfRefusal || hasKind(w.cfg.Protocol.Messages, name)
}

// kindOf names what is in flight.
func (w *World) kindOf(p *payload) string {
	switch {
	case p.kind == evRequest:
		return KindOfRequest
	case p.kind == evAnswer && w.answers.list[p.ref].refused:
		return KindOfRefusal
	case p.kind == evAnswer:
		return KindOfAnswer
	}
	return w.kinds[p.says].Name
}

func (w *World) isDelayed(k key) bool { return slices.Contains(w.script.delayed, k.order) }

// act does what a verb says to the message at a place of the heap.
func (w *World) act(verb Verb, at int) {
	k := w.queue.heap[at]
	switch verb {
	case VerbDelay:
		if !w.isDelayed(k) {
			w.script.delayed = append(w.script.delayed, k.order)
		}
		return
	case VerbDuplicate:
		w.twin(*w.queue.of(k))
		return
	}
	if i := slices.Index(w.script.delayed, k.order); i >= 0 {
		w.script.delayed = slices.Delete(w.script.delayed, i, i+1)
	}
	p, cause := w.queue.remove(at)
	if verb == VerbDrop {
		w.forfeit(&p, cause)
		return
	}
	w.dispatch(&p, cause)
}

// twin puts a copy of a message in flight behind everything else.
func (w *World) twin(p payload) {
	switch p.kind {
	case evMessage:
		p.message = w.memory.CopyMessage(p.message)
	case evRequest:
		w.requests.list[p.ref].flying++
	case evAnswer:
		p.ref = w.answers.take(w.answers.list[p.ref])
	}
	w.stats.Copied++
	*w.queue.add(w.now, w.seq) = p
}

// forfeit loses a message that has been taken out of the queue.
func (w *World) forfeit(p *payload, cause uint64) {
	w.stats.Lost++
	switch p.kind {
	case evMessage:
		w.deliver(&w.nodes[p.to-1], p, cause, lost)
	case evRequest:
		w.request(&w.nodes[p.to-1], p, cause, lost)
	case evAnswer:
		a := w.answers.list[p.ref]
		w.answers.free(p.ref)
		w.begin(evAnswer, p.to, p.from, a.Command.Seq, cause)
		w.digest.mix(uint64(lost))
		if w.tracing {
			w.record(TraceEvent{Kind: TraceDropped, Node: p.to, Peer: p.from, Command: a.Command, Answer: true, Reason: fates[lost]})
		}
	}
}

// Flying is one message in flight in a scripted world.
type Flying struct {
	Order   uint64 // in which it was sent
	Kind    string
	From    protocols.NodeID
	To      protocols.NodeID
	Text    string // its fields
	Delayed bool
}

// InFlight lists what is in flight, in the order in which it was sent.
func (w *World) InFlight() []Flying {
	var list []Flying
	for _, k := range w.flying() {
		p := w.queue.of(k)
		f := Flying{Order: k.order >> slotBits, Kind: w.kindOf(p), From: p.from, To: p.to, Delayed: w.isDelayed(k)}
		switch p.kind {
		case evMessage:
			f.Text = fieldsText(p.message)
		case evRequest:
			f.Text = " " + w.requests.list[p.ref].command.String()
		case evAnswer:
			a := &w.answers.list[p.ref]
			f.Text = " to " + a.Command.String()
			if a.refused && a.hint != protocols.Nobody {
				f.Text += ", try " + w.cluster.Name(a.hint)
			} else if !a.refused {
				f.Text += ": " + a.Result.String()
			}
		}
		list = append(list, f)
	}
	return list
}

// inFlight lists briefly what is in flight.
func (w *World) inFlight() string {
	var parts []string
	for _, f := range w.InFlight() {
		text := fmt.Sprintf("%s %s -> %s", f.Kind, w.cluster.Name(f.From), w.cluster.Name(f.To))
		if f.Delayed {
			text += " (delayed)"
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "nothing is in flight"
	}
	return "in flight: " + strings.Join(parts, ", ")
}
