package sim

import "github.com/lockstep-sim/lockstep/protocols"

// request is a command with its copies: those in flight, and those delivered and
// not refused. Once there is neither, nobody can execute it any more.
type request struct {
	command   protocols.Command
	flying    int32
	delivered int32
	open      bool // the client still waits for it
}

// requests and answers are slabs with last-in-first-out free lists.
type requests struct {
	list  []request
	spare []uint32
}

func (r *requests) take(c protocols.Command) uint32 {
	if n := len(r.spare); n > 0 {
		slot := r.spare[n-1]
		r.spare = r.spare[:n-1]
		r.list[slot] = request{command: c, open: true}
		return slot
	}
	r.list = append(r.list, request{command: c, open: true})
	return uint32(len(r.list) - 1)
}

// close ends the client's wait for the request.
func (r *requests) close(slot uint32) {
	r.list[slot].open = false
	r.settle(slot)
}

// land ends the flight of one copy of the request.
func (r *requests) land(slot uint32) {
	r.list[slot].flying--
	r.settle(slot)
}

// settle frees the slot once nobody refers to it.
func (r *requests) settle(slot uint32) {
	if q := &r.list[slot]; !q.open && q.flying == 0 {
		r.spare = append(r.spare, slot)
	}
}

type answer struct {
	protocols.Answer
	node    protocols.NodeID
	hint    protocols.NodeID
	refused bool
}

type answers struct {
	list  []answer
	spare []uint32
}

func (a *answers) take(v answer) uint32 {
	if n := len(a.spare); n > 0 {
		slot := a.spare[n-1]
		a.spare = a.spare[:n-1]
		a.list[slot] = v
		return slot
	}
	a.list = append(a.list, v)
	return uint32(len(a.list) - 1)
}

func (a *answers) free(slot uint32) {
	a.list[slot] = answer{}
	a.spare = append(a.spare, slot)
}

// requestArrives handles a request that reaches its node.
func (w *World) requestArrives(p *payload, cause uint64) {
	n := &w.nodes[p.to-1]
	what := arrives
	if l := w.links.of(p.from, p.to); l.cuts != p.stamp && l.severs(p.stamp) {
		w.stats.Cut++
		w.hit(int(l.cutter), 1)
		what = cut
	} else if l.clogs > 0 && !l.clean {
		w.clog(l, p, cause)
		return
	} else if !n.up {
		what = down
	}
	if what == arrives && n.held(w.computes) {
		w.hold(n, p, cause)
		return
	}
	w.request(n, p, cause, what)
}

// request lets n handle a request, or drops it.
func (w *World) request(n *node, p *payload, cause uint64, what fate) {
	w.begin(evRequest, p.to, p.from, uint64(p.ref), cause)
	q := &w.requests.list[p.ref]
	command := q.command
	w.digest.mix(command.Hash())
	if w.tracing {
		e := TraceEvent{Kind: TraceRequest, Node: p.to, Peer: p.from, Life: n.life, Command: command, Reason: fates[what]}
		if what != arrives {
			e.Kind = TraceDropped
		}
		w.record(e)
	}
	if what != arrives {
		w.digest.mix(uint64(what))
		w.requests.land(p.ref)
		return
	}
	q.delivered++
	w.requests.land(p.ref)
	w.event.Kind, w.event.From, w.event.Command = protocols.Request, p.from, command
	w.step(n)
}

// answer takes a node's reply or refusal; a gated one may have to wait.
func (w *World) answer(n *node, e *protocols.Effect) {
	a := answer{Answer: w.out.Answers[e.Answer], node: n.id, hint: e.To, refused: e.Kind == protocols.EffectRefuse}
	c := a.Command.Client
	if c >= 0 || int(-c) > len(w.clients)+len(w.subscribers) {
		w.breach(n, "answered "+w.cluster.Name(c)+", who is no client")
		return
	}
	slot := w.answers.take(a)
	if e.Kind == protocols.EffectReply && n.disk.durable < n.disk.appended {
		n.disk.waiting = append(n.disk.waiting, gated{gate: n.disk.appended, answer: slot})
		return
	}
	w.sendAnswer(n, slot)
}

// sendAnswer lets an answer leave for its client. A refusal ends one copy of the
// request; so does an answer that says that it was not executed.
func (w *World) sendAnswer(n *node, slot uint32) {
	a := &w.answers.list[slot]
	to := a.Command.Client
	w.stats.Replies++
	w.digest.mix(a.Command.Seq<<20 | uint64(uint16(to)))
	w.digest.mix(a.Result.Hash())
	if !a.refused && w.moments&protocols.Replied != 0 {
		w.moment(protocols.Replied, n)
		w.shown.Answer = &a.Answer
		w.show()
	}
	if (a.refused || a.Result.Status != protocols.OK) && w.subscriber(to) == nil {
		c := &w.clients[-to-1]
		if q := &w.requests.list[c.request]; c.busy() && c.seq == a.Command.Seq && q.delivered > 0 {
			q.delivered--
		}
	}
	leaves, size := w.now, uint64(0)
	if w.weighs {
		size = uint64(protocols.WireSize(&a.Answer))
	}
	if w.computes {
		leaves = w.serialise(n, 0, size)
	}
	p := w.pass(w.links.of(n.id, to), n.id, to, leaves, size)
	if p.fate >= lost {
		if w.tracing {
			w.record(TraceEvent{Kind: TraceDropped, Node: to, Peer: n.id, Command: a.Command, Answer: true, Reason: fates[p.fate]})
		}
		w.answers.free(slot)
		return
	}
	*w.queue.add(p.at, w.seq) = payload{kind: evAnswer, to: to, from: n.id, ref: slot, stamp: p.stamp}
	if p.fate == copied {
		twin := w.answers.take(w.answers.list[slot])
		*w.queue.add(p.copyAt, w.seq) = payload{kind: evAnswer, to: to, from: n.id, ref: twin, stamp: p.stamp}
	}
	if p.replayAt > 0 {
		again := w.answers.take(w.answers.list[slot])
		*w.queue.add(p.replayAt, w.seq) = payload{kind: evAnswer, to: to, from: n.id, ref: again, stamp: replayed}
	}
}
