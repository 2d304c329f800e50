package protocoltest

import (
	"reflect"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// carry carries out the effects of a step in order. A doomed node crashes at some
// point between them.
func (w *world) carry(h *host) {
	cut := len(w.out.List)
	if h.doomed {
		cut = w.draw.below(cut + 1)
	}
	for i := range w.out.List {
		e := &w.out.List[i]
		if i >= cut {
			w.release(e.Message)
			continue
		}
		w.effect(h, e)
	}
	if h.doomed {
		w.crash(h)
		return
	}
	w.sync(h)
}

func (w *world) effect(h *host, e *protocols.Effect) {
	switch e.Kind {
	case protocols.EffectPersist, protocols.EffectSaveSnapshot:
		h.disk.entries = append(h.disk.entries, written{record: e.Record, snapshot: e.Kind == protocols.EffectSaveSnapshot, sum: w.sum(e.Record)})
	case protocols.EffectSend, protocols.EffectReply:
		g := gated{gate: h.disk.end(), effect: *e}
		if e.Kind == protocols.EffectReply {
			g.answer = w.out.Answers[e.Answer]
		} else {
			g.sum = w.sum(e.Message)
		}
		h.gated = append(h.gated, g)
		w.open(h)
	case protocols.EffectSendEarly:
		w.leave(h, e.To, e.Message, w.sum(e.Message))
	case protocols.EffectReplyEarly:
		w.answered(h.id, w.out.Answers[e.Answer])
	case protocols.EffectRefuse:
		w.refused(w.out.Answers[e.Answer].Command, e.To)
	case protocols.EffectSetTimer, protocols.EffectSetTimerWithin:
		w.arm(h, e)
	case protocols.EffectCancelTimer:
		h.timers[e.Timer].set, h.timers[e.Timer].drawn = false, false
	}
}

// sum digests what is handed over, if it is to be compared later.
func (w *world) sum(v any) uint64 {
	if !w.rehash {
		return 0
	}
	return hashOf(v)
}

func (w *world) arm(h *host, e *protocols.Effect) {
	t := &h.timers[e.Timer]
	if !t.drawn || t.min != e.Min || t.max != e.Max {
		t.min, t.max, t.draw = e.Min, e.Max, w.draw.between(e.Min, e.Max)
	}
	t.set, t.drawn = true, true
	t.armed++
	w.push(item{at: w.now.Add(t.draw), kind: fire, node: h.id, life: h.life, timer: e.Timer, armed: t.armed})
}

// sync starts writing what is not yet durable, unless a sync is under way.
func (w *world) sync(h *host) {
	if d := &h.disk; d.syncing == 0 && d.durable < d.end() {
		d.syncing = d.end()
		w.push(item{at: w.now.Add(w.draw.between(50*time.Microsecond, longestSync)), kind: synced, node: h.id, life: h.life})
	}
}

func (w *world) synced(h *host) {
	p := h.disk.syncing
	h.disk.syncing = 0
	h.disk.settle(p)
	w.open(h)
	w.sync(h)
}

// open lets leave what no longer waits for the disk.
func (w *world) open(h *host) {
	n := 0
	for n < len(h.gated) && h.gated[n].gate <= h.disk.durable {
		g := &h.gated[n]
		if g.effect.Kind == protocols.EffectReply {
			w.answered(h.id, g.answer)
		} else {
			w.leave(h, g.effect.To, g.effect.Message, g.sum)
		}
		n++
	}
	h.gated = append(h.gated[:0], h.gated[n:]...)
}

// leave puts a message on the wire, where it may be lost, doubled or late; not so
// what a node says to itself.
func (w *world) leave(h *host, to protocols.NodeID, m protocols.Message, sum uint64) {
	it := item{kind: deliver, node: to, from: h.id, life: h.life, message: m, sum: sum, at: w.now}
	if to == h.id {
		w.push(it)
		return
	}
	if to < 1 || int(to) >= len(w.hosts) { // reported by the check of effects
		w.release(m)
		return
	}
	it.at = w.now.Add(w.draw.between(100*time.Microsecond, longestLink))
	if !w.calm {
		if w.draw.chance(4) && w.s.survives(protocols.FaultLoss, w.n) != 0 {
			w.release(m)
			return
		}
		if w.draw.chance(4) && w.s.survives(protocols.FaultReorder, w.n) != 0 {
			it.at = w.now.Add(w.draw.between(0, lateLink))
		}
		if w.draw.chance(4) && w.s.survives(protocols.FaultDuplicate, w.n) != 0 {
			twin := it
			twin.message = w.mem.CopyMessage(m)
			twin.at = w.now.Add(w.draw.between(0, lateLink))
			w.push(twin)
		}
	}
	w.push(it)
}

func (w *world) deliver(it *item) {
	h := w.hosts[it.node]
	mine := it.from == it.node
	if !h.up() || mine && h.life != it.life || !mine && (w.cut.Has(it.from) || w.cut.Has(it.node)) {
		w.release(it.message)
		return
	}
	if w.rehash && hashOf(it.message) != it.sum {
		w.last = step{node: it.from, text: "send to " + w.cluster.Name(it.node)}
		w.fail("a message changed after it was sent: it is now %s", contentText(it.message))
		return
	}
	ev := &protocols.Event{Kind: protocols.Receive, From: it.from, Message: it.message}
	if w.s.protocol.SessionTransport {
		ev.Life = it.life
	}
	w.receive(h, ev)
}

// receive lets h handle a message, and ends the message's life.
func (w *world) receive(h *host, ev *protocols.Event) {
	var lists []keptSlice
	if w.rehash {
		lists = slicesIn(nil, reflect.ValueOf(ev.Message))
	}
	w.handle(h, ev)
	for _, l := range lists {
		if l.changed() {
			w.fail("the receiver changed a slice in %s: it is shared with the sender and other receivers", typeName(ev.Message))
		}
	}
	if w.watch.received != nil {
		w.watch.received(ev.Message)
	}
	w.last.forget()
	w.release(ev.Message)
}
