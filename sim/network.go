package sim

import "github.com/lockstep-sim/lockstep/protocols"

// link is one directed link. Its random decisions are keyed by the number of the
// message on the link, so that they depend on nothing else.
type link struct {
	stream  base
	sent    uint64             // messages so far
	last    protocols.Time     // FIFO: when the last one arrives
	free    protocols.Time     // when what was sent so far has left, where bandwidth is bounded
	far     protocols.Duration // one way between the regions of its ends
	cuts    uint32             // times it was cut: a message that left before a cut does not arrive
	behave  uint16             // index into World.behaviours
	cut     int16              // partitions that cut it now
	faulty  int16              // other faults that touch it now
	cutter  int16              // index of the last fault that cut it
	clogs   int16              // faults that clog it now
	clogger int16              // index of the last fault that clogged it
	clean   bool               // healed: no fault touches it any more
}

// What a link's stream is used for; draws are numbered by message and use.
const (
	drawLatency = iota
	drawLoss
	drawDuplicate
	drawCopyLatency
	drawUses
)

// healed is how a link behaves after a heal.
var healed = Link{Latency: Between(1_000_000, 10_000_000)}

// links holds every directed link: between nodes, and between clients and nodes.
type links struct {
	list           []link
	nodes, clients int
}

// reset makes the links of a cluster.
func (ls *links) reset(cfg *Config, nodes, clients int) {
	ls.nodes, ls.clients = nodes, clients
	total := nodes*nodes + 2*clients*nodes
	if cap(ls.list) < total {
		ls.list = make([]link, total)
	}
	ls.list = ls.list[:total]
	ls.each(func(from, to protocols.NodeID, l *link) {
		*l = link{stream: cfg.linkStream(from, to)}
		if from < 0 || to < 0 {
			l.behave = behaveClient
		}
	})
	for i, r := range cfg.Network.Links {
		ls.of(r.From, r.To).behave = uint16(behaveRules + i)
		if r.Both {
			ls.of(r.To, r.From).behave = uint16(behaveRules + i)
		}
	}
}

func (cfg *Config) linkStream(from, to protocols.NodeID) base {
	return streamOf(cfg.Seed, ofLink, uint64(uint16(cfg.role(from)))<<16|uint64(uint16(cfg.role(to))))
}

// of returns the link from→to; at most one of them is a client.
func (ls *links) of(from, to protocols.NodeID) *link {
	n := ls.nodes
	switch {
	case from > 0 && to > 0:
		return ls.between(from, to)
	case from < 0:
		return &ls.list[n*n+(-int(from)-1)*n+int(to)-1]
	}
	return &ls.list[n*n+ls.clients*n+(-int(to)-1)*n+int(from)-1]
}

// between is of where both are nodes.
func (ls *links) between(from, to protocols.NodeID) *link {
	return &ls.list[(int(from)-1)*ls.nodes+int(to)-1]
}

// each visits every link between different ends.
func (ls *links) each(visit func(from, to protocols.NodeID, l *link)) {
	for i := 1; i <= ls.nodes; i++ {
		a := protocols.NodeID(i)
		for j := 1; j <= ls.nodes; j++ {
			if b := protocols.NodeID(j); a != b {
				visit(a, b, ls.of(a, b))
			}
		}
	}
	for i := 1; i <= ls.clients; i++ {
		c := protocols.NodeID(-i)
		for j := 1; j <= ls.nodes; j++ {
			b := protocols.NodeID(j)
			visit(c, b, ls.of(c, b))
			visit(b, c, ls.of(b, c))
		}
	}
}

// Indices into World.behaviours.
const (
	behaveBetween = iota
	behaveClient
	behaveHealed
	behaveRules // the first LinkRule
)

// fate is what becomes of one message on a link.
type fate uint8

const (
	arrives fate = iota
	copied       // arrives twice
	lost
	cut
	down // arrives at a node that is down
	late // an answer that nobody waits for any more
	corrupted
	overflowed
)

var fates = [...]string{"", "copied", "lost", "cut", "down", "late", "corrupted", "overflowed"}

// passage is what a link makes of one message.
type passage struct {
	at, copyAt protocols.Time // arrival of the message and of its duplicate
	replayAt   protocols.Time // arrival of its replay; 0: none
	stamp      uint32         // cuts of the link at departure
	fate       fate           // what ends its way before it arrives, if anything
}

// behaviour is a Link, and whether it has more than latency, loss, duplication and
// order.
type behaviour struct {
	more bool
	Link
}

func behaviourOf(l Link) behaviour {
	return behaviour{Link: l, more: !l.Jitter.Zero() || l.Corrupt > 0 || l.Replay > 0 || l.Bandwidth > 0}
}

// pass sends the next message down l, of size bytes where somebody asks for them,
// and decides what becomes of it.
func (w *World) pass(l *link, from, to protocols.NodeID, leaves protocols.Time, size uint64) (p passage) {
	k := l.sent
	l.sent++
	if l.cut > 0 && !l.clean {
		w.stats.Cut++
		w.hit(int(l.cutter), 1)
		p.fate = cut
		return p
	}
	b := &w.behaviours[l.behave]
	if b.Loss > 0 && b.Loss.hit(l.stream.at(k*drawUses+drawLoss)) {
		w.stats.Lost++
		p.fate = lost
		return p
	}
	if b.more || l.faulty > 0 && w.narrow > 0 && !l.clean {
		if leaves = w.carry(l, b, k, from, to, leaves, size, &p); p.fate >= lost {
			return p
		}
	}
	p.stamp = l.cuts
	leaves = leaves.Add(l.far)
	p.at = leaves.Add(b.Latency.Draw(l.stream.at(k*drawUses + drawLatency)))
	fifo := b.FIFO
	if b.Duplicate > 0 && b.Duplicate.hit(l.stream.at(k*drawUses+drawDuplicate)) {
		p.fate = copied
	}
	if l.faulty > 0 && !l.clean {
		if fifo = w.disturb(l, k, from, to, &p) && fifo; p.fate >= lost {
			return p
		}
	}
	if fifo {
		if p.at <= l.last {
			p.at = l.last + 1
		}
	}
	l.last = max(l.last, p.at)
	if p.fate == copied {
		w.stats.Copied++
		p.copyAt = leaves.Add(b.Latency.Draw(l.stream.at(k*drawUses + drawCopyLatency)))
		if fifo {
			p.copyAt = max(p.copyAt, l.last+1)
			l.last = p.copyAt
		}
	}
	if p.replayAt > 0 { // so far the time after the message itself
		w.stats.Replayed++
		p.replayAt += p.at
	}
	return p
}

// disturb applies the active faults of l to message k. It reports whether FIFO
// order is kept. Each fault draws from its own stream, keyed by link and message.
func (w *World) disturb(l *link, k uint64, from, to protocols.NodeID, p *passage) (fifo bool) {
	fifo = true
	for _, i := range w.linkFaults {
		f := &w.faults[i]
		if !f.touches(from, to) {
			continue
		}
		draws := f.stream.sub(uint64(l.stream))
		switch f.Fault.Kind {
		case protocols.FaultLoss:
			if f.Fault.Prob.hit(draws.at(k)) {
				w.stats.Lost++
				w.hit(i, 1)
				p.fate = lost
				return fifo
			}
		case protocols.FaultDuplicate:
			if p.fate == arrives && f.Fault.Prob.hit(draws.at(k)) {
				w.hit(i, 1)
				p.fate = copied
			}
		case protocols.FaultDelay:
			if d := f.Fault.Latency.Draw(draws.at(k)); d > 0 {
				w.hit(i, 1)
				p.at = p.at.Add(d)
			}
		case protocols.FaultReorder:
			fifo = false
			p.at = p.at.Add(f.Fault.Latency.Draw(draws.at(k)))
			if p.at < l.last {
				w.hit(i, 1)
			}
		case protocols.FaultCorruptMessage:
			if f.Fault.Prob.hit(draws.at(k)) {
				w.stats.Corrupted++
				w.hit(i, 1)
				p.fate = corrupted
				return fifo
			}
		case protocols.FaultReplay:
			if u := draws.at(2 * k); p.replayAt == 0 && f.Fault.Prob.hit(u) {
				w.hit(i, 1)
				p.replayAt = replayAfter(draws.at(2*k+1), f.Fault.Age)
			}
		}
	}
	return fifo
}

// send lets a message of n leave: for the wire, or for n itself.
func (w *World) send(n *node, to protocols.NodeID, m protocols.Message) {
	if n.trap.left > 0 && to != n.id && !w.trapsSend(n) {
		w.memory.ReleaseMessage(m)
		return
	}
	if w.moments&protocols.Left != 0 {
		w.moment(protocols.Left, n)
		w.shown.To, w.shown.Message = to, m
		w.show()
	}
	if to == n.id {
		p := w.queue.add(w.now, w.seq)
		*p = payload{message: m, ref: n.life, to: to, from: to, kind: evSelf, says: m.Kind()}
		return
	}
	if to <= 0 || int(to) > len(w.nodes) {
		w.breach(n, "sent a message to "+to.String()+", who does not exist")
		w.memory.ReleaseMessage(m)
		return
	}
	kind := m.Kind()
	size := uint64(w.sizeOf(m, kind))
	w.digest.mix(size<<16 | uint64(kind)<<8 | uint64(to))
	w.stats.Messages++
	w.stats.Bytes += size
	c := &w.kinds[kind]
	c.Messages++
	c.Bytes += size
	leaves := w.now
	if w.computes {
		leaves = w.serialise(n, kind, size)
	}
	p := w.pass(w.links.between(n.id, to), n.id, to, leaves, size)
	if p.fate >= lost {
		if w.tracing {
			w.record(TraceEvent{Kind: TraceDropped, Node: to, Peer: n.id, Life: n.life, Message: m, Reason: fates[p.fate]})
		}
		w.memory.ReleaseMessage(m)
		return
	}
	e := w.queue.add(p.at, w.seq)
	e.message, e.ref, e.stamp, e.to, e.from, e.kind, e.says = m, n.life, p.stamp, to, n.id, evMessage, kind
	if p.fate == copied {
		twin := w.queue.add(p.copyAt, w.seq)
		*twin = payload{message: w.memory.CopyMessage(m), ref: n.life, stamp: p.stamp, to: to, from: n.id, kind: evMessage, says: kind}
	}
	if p.replayAt > 0 {
		again := w.queue.add(p.replayAt, w.seq)
		*again = payload{message: w.memory.CopyMessage(m), ref: n.life, stamp: replayed, to: to, from: n.id, kind: evMessage, says: kind}
	}
}

// sizeOf returns the size of m in bytes.
func (w *World) sizeOf(m protocols.Message, kind protocols.Kind) int {
	if w.sized[kind] {
		return m.(protocols.Sized).Size()
	}
	return protocols.WireSize(m)
}

// arrive handles a message that reaches its node.
func (w *World) arrive(p *payload, cause uint64) {
	n := &w.nodes[p.to-1]
	what := arrives
	if p.kind == evSelf {
		if n.life != p.ref || !n.up {
			w.memory.ReleaseMessage(p.message) // died with the crash
			return
		}
	} else if l := w.links.between(p.from, p.to); l.cuts != p.stamp && l.severs(p.stamp) {
		w.stats.Cut++
		w.hit(int(l.cutter), 1)
		what = cut
	} else if l.clogs > 0 && !l.clean {
		w.clog(l, p, cause)
		return
	} else if !n.up {
		w.stats.Missed++
		what = down
	}
	if what == arrives && n.held(w.computes) {
		w.hold(n, p, cause)
		return
	}
	w.deliver(n, p, cause, what)
}

// deliver lets n handle a message, or drops it.
func (w *World) deliver(n *node, p *payload, cause uint64, what fate) {
	w.begin(p.kind, p.to, p.from, uint64(p.says)<<32|uint64(p.ref), cause)
	if w.tracing {
		e := TraceEvent{Kind: TraceDelivered, Node: p.to, Peer: p.from, Life: p.ref, Message: p.message, Reason: fates[what]}
		if what != arrives {
			e.Kind = TraceDropped
		}
		w.record(e)
	}
	if what == arrives {
		if w.digested[p.says] {
			w.digest.mix(p.message.(protocols.Digested).Digest())
		}
		if p.kind == evMessage {
			w.stats.Delivered++
		}
		w.event.Kind, w.event.From, w.event.Message = protocols.Receive, p.from, p.message
		if w.sessions {
			w.event.Life = p.ref
		}
		w.step(n)
		w.event.Message, w.event.Life = nil, 0
	} else {
		w.digest.mix(uint64(what))
	}
	w.memory.ReleaseMessage(p.message)
}
