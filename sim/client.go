package sim

import "github.com/lockstep-sim/lockstep/protocols"

// Client conduct that no scenario sets.
const (
	// DefaultTimeout is Workload.Timeout where none is given.
	DefaultTimeout = protocols.Duration(500_000_000)
	// DefaultGiveUp is Workload.GiveUp where none is given.
	DefaultGiveUp = protocols.Duration(10_000_000_000)
	// backoff is the pause after a refusal, so that a cluster that refuses is not
	// hammered. The first redirect of an operation is followed at once.
	backoff = protocols.Duration(5_000_000)
)

// clientState is what a client is about.
type clientState uint8

const (
	idle    clientState = iota // open loop, or stopped: waits for work
	pausing                    // closed loop: thinks; calls when it wakes up
	asking                     // an attempt is out; times out at the deadline
	backing                    // refused; tries again when it wakes up
)

// client is one client session. It has at most one operation under way.
type client struct {
	id       protocols.NodeID
	draws    stream
	state    clientState
	gen      uint32         // of the event that ends its sleep; older ones are ignored
	deadline protocols.Time // asking: when the attempt times out
	watched  bool           // the event that looks at the deadline is pending
	seq      uint64         // of its latest request
	request  uint32         // slot of the operation under way
	op       int            // its place in the history
	giveUp   protocols.Time
	refused  int              // refusals of the operation under way
	node     protocols.NodeID // whom it asks: the believed leader
	asked    protocols.NodeID // whom the latest attempt went to
	guide    protocols.NodeID // who hinted at the replica that it asks; Nobody: nobody did
	probes   int              // probe operations still to call
	seen     []protocols.Value
	length   int64           // log: the longest length seen
	follow   protocols.Index // the next position to follow from
	next     int             // explicit workload: where in Workload.Calls its next call is looked for
}

// sleep makes c call, or try again, at t.
func (w *World) sleep(c *client, t protocols.Time) {
	c.gen++
	p := w.queue.add(t, w.seq)
	p.kind, p.to, p.ref = evClient, c.id, c.gen
}

// wakeUp handles the end of a sleep.
func (w *World) wakeUp(c *client, cause uint64) {
	switch c.state {
	case pausing:
		w.call(c, cause)
	case backing:
		w.begin(evClient, c.id, protocols.Nobody, c.seq, cause)
		w.again(c)
	}
}

// watch makes c's attempt time out at t. One event serves all attempts: it comes
// for the first and moves on. Deadlines never move back.
func (w *World) watch(c *client, t protocols.Time) {
	c.deadline = t
	if !c.watched {
		c.watched = true
		p := w.queue.add(t, w.seq)
		p.kind, p.to = evTimeout, c.id
	}
}

// timeOut handles the event that watch scheduled.
func (w *World) timeOut(c *client, cause uint64) {
	c.watched = false
	switch {
	case c.state != asking:
	case c.deadline > w.now:
		w.watch(c, c.deadline)
	default:
		w.begin(evTimeout, c.id, protocols.Nobody, c.seq, cause)
		silent := c.asked
		if c.guide != protocols.Nobody && !w.askable.Has(silent) {
			silent = c.guide // a hint led out of the core: the round goes on behind who gave it
		}
		c.node, c.guide = w.nextNode(silent), protocols.Nobody
		if w.cfg.Protocol.Once {
			w.finish(c, nil)
			return
		}
		w.again(c)
	}
}

// again makes the next attempt, or gives up.
func (w *World) again(c *client) {
	if w.now >= c.giveUp {
		w.finish(c, nil)
		return
	}
	w.attempt(c, c.node)
}

// call begins an operation. In an open loop it has arrived some time ago.
func (w *World) call(c *client, cause uint64) {
	probe, began := c.probes > 0, w.now
	var planned *Call
	if !probe {
		if w.explicit {
			planned = w.plannedCall(c)
		}
		if !w.mayCall() || w.openLoop && w.arrivals.len() == 0 || w.explicit && planned == nil {
			c.state = idle
			return
		}
		if w.openLoop {
			began = w.arrivals.pop()
		}
	}
	w.begin(evClient, c.id, protocols.Nobody, c.seq+1, cause)
	c.seq++
	command := w.nextCommand(c, planned, probe)
	w.open(c, command, began)
	to := c.node
	switch {
	case planned != nil && planned.To != protocols.Nobody:
		to = planned.To
	case command.Kind == protocols.Follow:
		to = w.anyNode(c.draws.next())
	}
	w.attempt(c, to)
}

// nextCommand makes the next command of c: a probe, a planned one, or a drawn one.
func (w *World) nextCommand(c *client, planned *Call, probe bool) protocols.Command {
	if probe {
		share := w.share(c, true)
		c.probes--
		return w.command(c, share, 0)
	}
	w.calls++
	w.happens(onOperation, uint64(w.calls), c.id)
	if planned == nil {
		return w.command(c, w.share(c, false), 0)
	}
	c.next++
	return w.command(c, &Share{Op: planned.Op, Kind: planned.Kind}, planned.Key)
}

// open begins the operation of c that command asks for; it has arrived at began.
func (w *World) open(c *client, command protocols.Command, began protocols.Time) {
	c.request = w.requests.take(command)
	c.op = w.history.add(protocols.Operation{
		Command: command, Call: int64(w.seq), Return: protocols.Infinity, Began: began,
	})
	c.giveUp, c.refused = never, 0
	if !w.patient {
		c.giveUp = w.now.Add(w.giveUp)
	}
	w.pending++
	w.digest.mix(command.Hash())
	if w.tracing {
		w.record(TraceEvent{Kind: TraceCall, Node: c.id, Command: command})
	}
}

// nextNode returns the replica to ask after id: round the core, which is every
// replica until a heal picks one.
func (w *World) nextNode(id protocols.NodeID) protocols.NodeID {
	if next := w.nextAskable(max(id, 0)); next != protocols.Nobody {
		return next
	}
	return w.nextAskable(protocols.Nobody)
}

// anyNode returns the replica that the random word u stands for.
func (w *World) anyNode(u uint64) protocols.NodeID {
	id := w.nextAskable(protocols.Nobody)
	for range below(u, uint64(w.askable.Len())) {
		id = w.nextAskable(id)
	}
	return id
}

// nextAskable returns the first replica after id that may be asked, or Nobody.
func (w *World) nextAskable(id protocols.NodeID) protocols.NodeID {
	for role := w.cfg.role(id) + 1; int(role) <= w.cluster.Replicas; role++ {
		if next := w.cfg.played(role); w.askable.Has(next) {
			return next
		}
	}
	return protocols.Nobody
}

// attempt sends the request under way to a node.
func (w *World) attempt(c *client, to protocols.NodeID) {
	c.state, c.asked = asking, to
	w.history.at(c.op).Attempts++
	w.stats.Requests++
	w.watch(c, min(w.now.Add(w.timeout), c.giveUp))
	p := w.pass(w.links.of(c.id, to), c.id, to, w.now, w.requestSize)
	if w.tracing {
		e := TraceEvent{Kind: TraceAttempt, Node: c.id, Peer: to, Command: w.requests.list[c.request].command, Reason: fates[p.fate]}
		if p.fate >= lost {
			e.Kind, e.Node, e.Peer = TraceDropped, to, c.id
		}
		w.record(e)
	}
	w.fly(c.request, c.id, to, &p)
}

// fly lets a request fly as its passage says.
func (w *World) fly(slot uint32, from, to protocols.NodeID, p *passage) {
	if p.fate >= lost {
		return
	}
	q := &w.requests.list[slot]
	q.flying++
	*w.queue.add(p.at, w.seq) = payload{kind: evRequest, to: to, from: from, ref: slot, stamp: p.stamp}
	if p.fate == copied {
		q.flying++
		*w.queue.add(p.copyAt, w.seq) = payload{kind: evRequest, to: to, from: from, ref: slot, stamp: p.stamp}
	}
	if p.replayAt > 0 {
		q.flying++
		*w.queue.add(p.replayAt, w.seq) = payload{kind: evRequest, to: to, from: from, ref: slot, stamp: replayed}
	}
}

// busy reports whether c has an operation under way.
func (c *client) busy() bool { return c.state == asking || c.state == backing }

// answered handles an answer that reaches its client.
func (w *World) answered(p *payload, cause uint64) {
	slot := p.ref
	l, what := w.links.of(p.from, p.to), arrives
	severed := l.cuts != p.stamp && l.severs(p.stamp)
	if l.clogs > 0 && !l.clean && !severed {
		w.clog(l, p, cause)
		return
	}
	a := w.answers.list[slot]
	w.answers.free(slot)
	w.begin(evAnswer, p.to, p.from, a.Command.Seq, cause)
	if severed {
		w.stats.Cut++
		w.hit(int(l.cutter), 1)
		what = cut
	}
	if s := w.subscriber(p.to); s != nil {
		w.told(s, &a, what)
		return
	}
	c := &w.clients[-p.to-1]
	if what == arrives && (!c.busy() || a.Command.Seq != c.seq) {
		what = late
	}
	switch {
	case what != arrives:
		w.digest.mix(uint64(what))
		if w.tracing {
			w.record(TraceEvent{Kind: TraceDropped, Node: p.to, Peer: p.from, Command: a.Command, Answer: true, Reason: fates[what]})
		}
	case a.refused:
		w.refused(c, &a)
	default:
		w.finish(c, &a)
	}
}

// refused lets c follow a hint at once the first time, and back off otherwise.
// A refusal by anybody but the node asked last is stale.
func (w *World) refused(c *client, a *answer) {
	if w.tracing {
		w.record(TraceEvent{Kind: TraceRefused, Node: c.id, Peer: a.node, Command: a.Command, Hint: a.hint})
	}
	if c.state != asking || a.node != c.asked {
		return
	}
	c.refused++
	hinted := a.hint > 0 && int(a.hint) <= w.cluster.Replicas
	if hinted {
		c.node, c.guide = a.hint, a.node
	} else {
		c.node, c.guide = w.nextNode(a.node), protocols.Nobody
	}
	if hinted && c.refused == 1 {
		w.attempt(c, c.node)
		return
	}
	c.state = backing
	w.sleep(c, min(w.now.Add(backoff*protocols.Duration(max(1, w.cfg.slower))), c.giveUp))
}

// finish ends the operation under way: with an answer, or without (given up).
// Without a result it has failed only if no copy can be executed any more.
func (w *World) finish(c *client, a *answer) {
	op := w.history.at(c.op)
	q := &w.requests.list[c.request]
	op.Ended = w.now
	switch {
	case a != nil && a.Result.Status == protocols.OK:
		op.Outcome = protocols.Done
		op.Swapped, op.Value, op.Position, op.List = a.Result.Swapped, a.Result.Value, a.Result.Position, a.Result.List
		op.Return, op.Node = int64(w.seq), a.node
		w.learn(c, op, &a.Result)
		w.stats.Done++
	case q.flying == 0 && q.delivered == 0:
		op.Outcome, op.Return = protocols.Failed, int64(w.seq)
		w.stats.Failed++
	default:
		w.stats.Unknown++
	}
	if w.tracing {
		e := TraceEvent{Kind: TraceReturn, Node: c.id, Peer: op.Node, Command: op.Command, Outcome: op.Outcome}
		if a != nil {
			result := a.Result
			e.Result = &result
		}
		w.record(e)
	}
	w.requests.close(c.request)
	w.pending--
	w.progress = true
	w.nextCall(c)
}

// learn keeps what c saw, for what it asks next.
func (w *World) learn(c *client, op *protocols.Operation, r *protocols.Result) {
	if op.Kind == protocols.Follow {
		w.followed(c, op, r.Follow)
		return
	}
	c.node = op.Node
	switch op.Op {
	case protocols.Put:
		c.seen[op.Key] = protocols.Value(op.Arg)
	case protocols.Get, protocols.AppendTo:
		c.seen[op.Key] = r.Value
	case protocols.CAS:
		c.seen[op.Key] = r.Value
		if r.Swapped {
			c.seen[op.Key] = protocols.Value(op.Arg)
		}
	case protocols.Delete:
		c.seen[op.Key] = 0
	case protocols.ReadRange:
		c.length = max(c.length, int64(r.Value))
	}
}

// followed moves c's position past the entries it got, and keeps what they wrote
// in the history: Position is the first of them, List their arguments.
func (w *World) followed(c *client, op *protocols.Operation, f *protocols.FollowResult) {
	if f == nil {
		return
	}
	op.Position = f.Start
	op.List = make([]protocols.Value, len(f.Entries))
	for i := range f.Entries {
		op.List[i] = protocols.Value(f.Entries[i].Command.Arg)
	}
	c.follow = max(c.follow, f.Start+protocols.Index(len(f.Entries)))
}

// nextCall decides when c calls again after an operation.
func (w *World) nextCall(c *client) {
	c.state = idle
	switch {
	case c.probes > 0:
		c.state = pausing
		w.sleep(c, w.now)
	case !w.mayCall():
	case w.explicit:
		w.await(c)
	case w.openLoop:
		if w.arrivals.len() > 0 {
			c.state = pausing
			w.sleep(c, w.now)
		}
	default:
		c.state = pausing
		w.sleep(c, w.now.Add(w.workload.Think.Draw(c.draws.next())))
	}
}
