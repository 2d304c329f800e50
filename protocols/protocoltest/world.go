package protocoltest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// world is a small cluster with disks, a network, clients and faults. It is
// simpler than the simulator on purpose: what the suite judges by must be easy to
// read. Everything in it follows from the settings and the seed.
type world struct {
	s          *settings
	seed       uint64
	n          int
	cluster    protocols.Cluster
	parameters any
	draw       *draws
	mem        *protocols.Memory
	out        *protocols.Effects
	hosts      []*host // by id; 0 is nil
	clients    []*client
	pending    []item
	cut        protocols.NodeSet // isolated nodes
	now        protocols.Time
	seq        uint64
	steps      int
	calm       bool // no more faults
	compare    bool // render each step, for a comparison with another world
	strict     bool // check sizes and views at each step
	rehash     bool // check that what was handed over stays as it was
	answers    []keptAnswer
	watch      watch
	last       step
	failure    *failure
}

// watch is what a check wants to see; every field may be nil.
type watch struct {
	// stepped is called after each Step, before its effects are carried out.
	stepped func(h *host, ev *protocols.Event)
	// received is called after a message was handled, before its memory is
	// released.
	received func(m protocols.Message)
}

// step is what the last Step was about.
type step struct {
	node   protocols.NodeID
	text   string           // what happened, where it is known already
	event  *protocols.Event // else; nil once its message was released
	render []byte           // when compare is set: event, effects and view
}

// String says what happened to the node.
func (s *step) String() string {
	if s.text == "" && s.event != nil {
		return eventText(s.event)
	}
	return s.text
}

// forget is called before the event's message is released.
func (s *step) forget() {
	if s.text == "" && s.event != nil {
		s.text = "receive " + typeName(s.event.Message) + " from " + s.event.From.String()
	}
	s.event = nil
}

type itemKind uint8

const (
	deliver itemKind = iota
	synced
	fire
	wake // a client
	restart
	rejoin
)

// item is one thing that is going to happen.
type item struct {
	at      protocols.Time
	seq     uint64
	kind    itemKind
	node    protocols.NodeID // where; for wake the client
	from    protocols.NodeID
	life    uint32 // of the node (fire, synced, self sends) or of the sender
	timer   protocols.Timer
	armed   uint32 // fire: which arming
	message protocols.Message
	sum     uint64 // of the message when it was sent
}

const (
	clientPause   = 4 * time.Millisecond
	clientTimeout = 300 * time.Millisecond
	longestLink   = 2 * time.Millisecond
	lateLink      = 60 * time.Millisecond
	longestSync   = 2 * time.Millisecond
	longestDown   = 300 * time.Millisecond
	faultEvery    = 60 // steps, on average
)

func newWorld(s *settings, seed uint64, mode protocols.MemoryMode) *world {
	return newWorldOf(s, s.sizes[int(seed)%len(s.sizes)], seed, mode)
}

func newWorldOf(s *settings, n int, seed uint64, mode protocols.MemoryMode) *world {
	w := &world{s: s, seed: seed, n: n, parameters: s.parameters(), draw: newDraws(seed, 0), mem: protocols.NewMemory(mode), now: protocols.Time(time.Second)}
	w.out = protocols.NewEffects(w.mem)
	w.cluster = protocols.Cluster{Replicas: n}
	if s.protocol.Services != nil {
		w.cluster.Services = s.protocol.Services(w.parameters)
	}
	w.hosts = make([]*host, w.cluster.Nodes()+1)
	for id := 1; id < len(w.hosts); id++ {
		w.hosts[id] = &host{id: protocols.NodeID(id)}
	}
	for i := range 3 {
		c := &client{id: protocols.NodeID(-1 - i)}
		w.clients = append(w.clients, c)
		w.push(item{at: w.now.Add(w.draw.between(0, clientPause)), kind: wake, node: c.id})
	}
	return w
}

// start boots all nodes.
func (w *world) start() {
	for _, h := range w.hosts[1:] {
		w.boot(h, h.disk.recovered(len(h.disk.entries) == 0))
	}
}

func (w *world) push(it item) {
	w.seq++
	it.seq = w.seq
	w.pending = append(w.pending, it)
}

// pop takes the next item by (time, seq).
func (w *world) pop() item {
	best := 0
	for i := range w.pending {
		if a, b := &w.pending[i], &w.pending[best]; a.at < b.at || a.at == b.at && a.seq < b.seq {
			best = i
		}
	}
	it := w.pending[best]
	last := len(w.pending) - 1
	w.pending[best] = w.pending[last]
	w.pending[last] = item{}
	w.pending = w.pending[:last]
	return it
}

// advance lets the next thing happen.
func (w *world) advance() {
	it := w.pop()
	w.now = max(w.now, it.at)
	switch it.kind {
	case deliver:
		w.deliver(&it)
	case synced:
		if h := w.hosts[it.node]; h.up() && h.life == it.life {
			w.synced(h)
		}
	case fire:
		h := w.hosts[it.node]
		if t := &h.timers[it.timer]; h.up() && h.life == it.life && t.armed == it.armed && t.set {
			t.set, t.drawn = false, false
			w.handle(h, &protocols.Event{Kind: protocols.Fire, Timer: it.timer})
		}
	case wake:
		w.wake(w.clients[-1-it.node])
	case restart:
		if h := w.hosts[it.node]; !h.up() {
			w.boot(h, h.disk.recovered(false))
		}
	case rejoin:
		w.cut = w.cut.Without(it.node)
	}
}

// run advances until the world has made the given number of steps or failed.
func (w *world) run(steps int) *failure {
	for end := w.steps + steps; w.steps < end && w.failure == nil && len(w.pending) > 0; {
		w.advance()
	}
	return w.failure
}

// fail records the first failure, with where it happened.
func (w *world) fail(format string, args ...any) {
	if w.failure == nil {
		w.failure = failf("%s\n\tseed %d, %d replicas, step %d, %s at %s", fmt.Sprintf(format, args...),
			w.seed, w.n, w.steps, w.cluster.Name(w.last.node), &w.last)
	}
}

// handle lets a node take one step and carries out what it wants.
func (w *world) handle(h *host, ev *protocols.Event) {
	w.steps++
	w.last = step{node: h.id, event: ev, render: w.last.render[:0]}
	ev.Now = w.now.Add(protocols.Duration(h.id) * time.Minute)
	ev.Wall = w.now.Add(w.draw.between(0, time.Second))
	w.out.Reset()
	if text := caught(func() { h.node.Step(ev, w.out) }); text != "" {
		w.fail("panic: %s", text)
		h.node = nil
		return
	}
	if w.compare {
		w.render(h, ev)
	}
	if w.checkEffects(); w.failure != nil {
		return
	}
	if w.strict {
		w.checkSizes()
		w.checkView(h)
	}
	if w.watch.stepped != nil {
		w.watch.stepped(h, ev)
	}
	w.carry(h)
	if !w.calm && w.draw.below(faultEvery) == 0 {
		w.strike()
	}
}

// render notes all that the step did.
func (w *world) render(h *host, ev *protocols.Event) {
	b := append(w.last.render, eventText(ev)...)
	for i := range w.out.List {
		b = append(b, "\n\t\t"...)
		b = append(b, effectDigestText(w.out, &w.out.List[i])...)
	}
	w.last.render = render(append(b, "\n\t\tview "...), reflect.ValueOf(w.view(h, protocols.View{})))
}

// view returns what h shows of itself in a View that held v.
func (w *world) view(h *host, v protocols.View) protocols.View {
	if text := caught(func() { h.node.View(&v) }); text != "" {
		w.fail("View panics: %s", text)
	}
	return v
}

// effectDigestText is effectText without any cut.
func effectDigestText(out *protocols.Effects, e *protocols.Effect) []byte {
	b := append([]byte(e.Kind.String()), ' ')
	switch e.Kind {
	case protocols.EffectSend, protocols.EffectSendEarly:
		b = append(append(b, e.To.String()...), ' ')
		b = append(b, typeName(e.Message)...)
		return render(b, reflect.ValueOf(e.Message))
	case protocols.EffectPersist, protocols.EffectSaveSnapshot:
		b = append(b, typeName(e.Record)...)
		return render(b, reflect.ValueOf(e.Record))
	case protocols.EffectReply, protocols.EffectReplyEarly, protocols.EffectRefuse:
		b = append(append(b, e.To.String()...), ' ')
		return render(b, reflect.ValueOf(out.Answers[e.Answer]))
	case protocols.EffectNote:
		return render(b, reflect.ValueOf(out.Notes[e.Note]))
	}
	return fmt.Appendf(b, "%d %d..%d", e.Timer, e.Min, e.Max)
}

// caught returns what call panics with, or nothing.
func caught(call func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
			if text == "" {
				text = "(no text)"
			}
		}
	}()
	call()
	return ""
}
