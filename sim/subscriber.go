package sim

import (
	"fmt"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// CheckSubscriber is the check that subscribers make.
const CheckSubscriber = "SUBSCRIBER"

// SubscriberText says what the check is.
const SubscriberText = "a subscriber gets every committed entry once, in order and as it was executed, and its tables end up as the replicas'"

// What subscribers do and no scenario sets.
const (
	pollEvery       = 10 * time.Millisecond // pause after an answer without entries
	checkpointEvery = 32                    // entries between two checkpoints of a subscriber
)

// How long a subscriber runs before it crashes, and how long it then is down.
var (
	uptime   = Between(200*time.Millisecond, 2*time.Second)
	downtime = Between(10*time.Millisecond, 100*time.Millisecond)
)

// subscriber is a client that follows the log: it asks any replica for what comes
// after its position and feeds two derived tables. It crashes now and then until
// the heal, and goes on from its last checkpoint. It changes nothing.
type subscriber struct {
	id       protocols.NodeID
	asks     stream // whom it asks
	restarts stream
	up       bool
	gen      uint32 // of the event that it waits for; older ones are ignored
	seq      uint64 // of its latest request
	asking   bool
	request  uint32             // slot of the request under way
	answered protocols.NodeID   // who answered last
	table    protocols.Executor // its position is Applied
	index    valueIndex
	buffer   []protocols.Change
	saved    any // checkpoint, an Executor's snapshot: all that it finds after a crash
	unsaved  int // entries since
}

// delivered is what is known of one log position: what replicas executed there or
// what a subscriber was told first, and the state after it.
type delivered struct {
	command protocols.Command
	known   bool
	state   uint64 // 0: not known yet
}

// resetSubscribers makes the subscribers, after the clients.
func (w *World) resetSubscribers() {
	w.subscribers = w.subscribers[:0]
	w.delivered.Reset(0)
	lossy := w.cfg.Protocol.Guarantee != nil && w.cfg.Protocol.Guarantee(w.cfg.Parameters).LosesAcknowledged
	w.compares = w.cfg.Workload.Subscribers > 0 && !lossy
	for i := range w.cfg.Workload.Subscribers {
		own := streamOf(w.cfg.Seed, ofSubscriber, uint64(i+1))
		w.subscribers = append(w.subscribers, subscriber{
			id: protocols.NodeID(-len(w.clients) - i - 1), up: true,
			asks: stream{base: own.sub(0)}, restarts: stream{base: own.sub(1)},
		})
		s := &w.subscribers[i]
		s.restore(w, nil)
		w.rouse(s, w.cfg.Workload.Begin)
		p := w.queue.add(w.cfg.Workload.Begin.Add(uptime.Draw(s.restarts.next())), 0)
		p.kind, p.to = evRestart, s.id
	}
}

// subscriber returns the subscriber of a client id, or nil.
func (w *World) subscriber(id protocols.NodeID) *subscriber {
	if i := -int(id) - 1 - len(w.clients); i >= 0 && i < len(w.subscribers) {
		return &w.subscribers[i]
	}
	return nil
}

// rouse makes s act at t, and at no other time.
func (w *World) rouse(s *subscriber, t protocols.Time) {
	s.gen++
	p := w.queue.add(t, w.seq)
	p.kind, p.to, p.ref = evSubscriber, s.id, s.gen
}

// restore makes s what it is after a boot from a checkpoint.
func (s *subscriber) restore(w *World, checkpoint any) {
	machine, err := protocols.NewMachine(w.cfg.Machine)
	if err != nil {
		panic("sim: " + err.Error()) // New has made one before
	}
	s.table = protocols.Executor{Machine: machine}
	if limit := w.cfg.Protocol.SessionLimit; limit != nil {
		s.table.Sessions.Limit = limit(w.cfg.Parameters)
	}
	s.table.Restore(checkpoint)
	s.index = indexOf(protocols.TableOf(machine))
	s.saved, s.unsaved = checkpoint, 0
}

// restart handles the crash of a subscriber, and its boot.
func (w *World) restart(s *subscriber, cause uint64) {
	if s.up && w.healed {
		return // no more crashes
	}
	w.begin(evRestart, s.id, protocols.Nobody, uint64(s.table.Applied), cause)
	after := downtime
	if s.up {
		read := s.table.Applied
		s.up = false
		s.gen++
		w.forgetRequest(s)
		s.restore(w, s.saved)
		w.stats.SubscriberRestarts++
		w.traceSubscriber(s, fmt.Sprintf("crashes at position %d, its checkpoint is at %d", read, s.table.Applied))
	} else {
		s.up = true
		after = uptime
		w.traceSubscriber(s, fmt.Sprintf("boots, follows from position %d", s.table.Applied+1))
		w.rouse(s, w.now)
	}
	p := w.queue.add(w.now.Add(after.Draw(s.restarts.next())), w.seq)
	p.kind, p.to = evRestart, s.id
}

func (w *World) traceSubscriber(s *subscriber, text string) {
	if w.tracing {
		w.record(TraceEvent{Kind: TraceSubscriber, Node: s.id, Detail: text})
	}
}

// roused handles the event that rouse scheduled: s asks, or asks again after a
// time-out.
func (w *World) roused(s *subscriber, cause uint64) {
	w.begin(evSubscriber, s.id, protocols.Nobody, s.seq+1, cause)
	w.forgetRequest(s)
	s.seq++
	command := protocols.Command{
		Client: s.id, Kind: protocols.Follow, Seq: s.seq, Arg: int64(s.table.Applied + 1), Old: followAtMost,
	}
	s.request, s.asking = w.requests.take(command), true
	w.rouse(s, w.now.Add(w.timeout))
	to := w.anyNode(s.asks.next())
	p := w.pass(w.links.of(s.id, to), s.id, to, w.now, w.requestSize)
	if w.tracing {
		e := TraceEvent{Kind: TraceAttempt, Node: s.id, Peer: to, Command: command, Reason: fates[p.fate]}
		if p.fate >= lost {
			e.Kind, e.Node, e.Peer = TraceDropped, to, s.id
		}
		w.record(e)
	}
	w.fly(s.request, s.id, to, &p)
}

// forgetRequest ends the wait for the request under way.
func (w *World) forgetRequest(s *subscriber) {
	if s.asking {
		s.asking = false
		w.requests.close(s.request)
	}
}

// told handles an answer that reaches a subscriber.
func (w *World) told(s *subscriber, a *answer, what fate) {
	if what == arrives && (!s.up || !s.asking || a.Command.Seq != s.seq) {
		what = late
	}
	if what != arrives {
		w.digest.mix(uint64(what))
		if w.tracing {
			w.record(TraceEvent{Kind: TraceDropped, Node: s.id, Peer: a.node, Command: a.Command, Answer: true, Reason: fates[what]})
		}
		return
	}
	w.forgetRequest(s)
	if a.refused || a.Result.Status != protocols.OK {
		if w.tracing {
			w.record(TraceEvent{Kind: TraceRefused, Node: s.id, Peer: a.node, Command: a.Command, Hint: a.hint})
		}
		w.rouse(s, w.now.Add(backoff))
		return
	}
	if w.tracing {
		result := a.Result
		w.record(TraceEvent{Kind: TraceReturn, Node: s.id, Peer: a.node, Command: a.Command, Outcome: protocols.Done, Result: &result})
	}
	before := s.table.Applied
	w.feed(s, a)
	w.digest.mix(uint64(s.table.Applied))
	if s.table.Applied == before {
		w.rouse(s, w.now.Add(pollEvery))
		return
	}
	if s.answered != protocols.Nobody && s.answered != a.node {
		w.stats.Switches++
	}
	s.answered = a.node
	w.progress = true
	w.rouse(s, w.now)
}

// feed takes over what an answer holds: nothing that is not next in order.
func (w *World) feed(s *subscriber, a *answer) {
	f := a.Result.Follow
	asked := s.table.Applied + 1
	switch {
	case f == nil:
		w.misfed(s, a, "got neither entries nor a snapshot")
		return
	case f.Snapshot != nil:
		if !w.install(s, a, asked) {
			return
		}
	case f.Start > asked:
		w.misfed(s, a, fmt.Sprintf("asked from position %d and got entries from %d: a gap", asked, f.Start))
		return
	case f.Start < asked && len(f.Entries) > 0:
		w.misfed(s, a, fmt.Sprintf("asked from position %d and got entries from %d: a repeat", asked, f.Start))
		return
	}
	for i := range f.Entries {
		e := &f.Entries[i]
		if next := s.table.Applied + 1; e.Position != next {
			w.misfed(s, a, fmt.Sprintf("got position %d where %d comes next: %s", e.Position, next, outOfOrder(e.Position, next, f.Entries)))
			return
		}
		if !w.execute(s, a, e) {
			return
		}
	}
}

// outOfOrder says whether what comes next has been left out, comes later or has
// come before.
func outOfOrder(got, next protocols.Index, entries []protocols.LogCommand) string {
	if got < next {
		return "a repeat"
	}
	for i := range entries {
		if entries[i].Position == next {
			return "reordered"
		}
	}
	return "a gap"
}

// install takes over a snapshot, which must end where nothing was read yet.
func (w *World) install(s *subscriber, a *answer, asked protocols.Index) bool {
	f := a.Result.Follow
	switch {
	case f.Start <= asked:
		w.misfed(s, a, fmt.Sprintf("asked from position %d and got a snapshot of position %d: a repeat", asked, f.Start-1))
		return false
	case !s.table.Accepts(f.Snapshot):
		w.misfed(s, a, fmt.Sprintf("got a snapshot of type %T, want what Executor.Snapshot gives", f.Snapshot))
		return false
	}
	s.restore(w, f.Snapshot)
	if s.table.Applied != f.Start-1 {
		w.misfed(s, a, fmt.Sprintf("got a snapshot of position %d that goes on at %d", s.table.Applied, f.Start))
		return false
	}
	w.stats.Followed++
	return w.reached(s, a)
}

// execute takes over the next entry.
func (w *World) execute(s *subscriber, a *answer, e *protocols.LogCommand) bool {
	if w.compares {
		d := w.deliveredAt(e.Position)
		switch {
		case !d.known:
			d.known, d.command = true, e.Command
		case d.command != e.Command:
			w.misfed(s, a, fmt.Sprintf("got %s at position %d, where %s was executed", w.commandText(e.Command), e.Position, w.commandText(d.command)))
			return false
		}
	}
	_, s.buffer = s.table.Replay(e.Position, e.Command, e.Effect, s.buffer[:0])
	s.index.apply(s.buffer)
	w.stats.Followed++
	if s.unsaved++; s.unsaved == checkpointEvery {
		s.saved, s.unsaved = s.table.Snapshot(), 0
	}
	return w.reached(s, a)
}

// reached compares the table of s with what is known of the state at its position.
func (w *World) reached(s *subscriber, a *answer) bool {
	if !w.compares {
		return true
	}
	d, hash := w.deliveredAt(s.table.Applied), s.table.Hash()
	switch d.state {
	case 0:
		d.state = hash
	case hash:
	default:
		w.misfed(s, a, fmt.Sprintf("has another table than the replicas had at position %d", s.table.Applied))
		return false
	}
	return true
}

// executed takes over what a replica says it executed, and compares it with what
// subscribers were told.
func (w *World) executed(n *node, note *protocols.Note) {
	if note.Kind != protocols.NoteApplied || !w.compares {
		return
	}
	d := w.deliveredAt(note.Index)
	switch {
	case !d.known:
		d.known, d.command = true, note.Command
	case d.command != note.Command:
		w.mistold(fmt.Sprintf("%s executed %s at position %d, where %s was known",
			w.cluster.Name(n.id), w.commandText(note.Command), note.Index, w.commandText(d.command)), n.id)
		return
	}
	switch {
	case d.state == 0:
		d.state = note.State
	case note.State != 0 && d.state != note.State:
		w.mistold(fmt.Sprintf("%s has another state after position %d than was known", w.cluster.Name(n.id), note.Index), n.id)
	}
}

// deliveredAt returns what is known of a position: nothing any more where all have
// left it behind.
func (w *World) deliveredAt(at protocols.Index) *delivered {
	if at+1 < w.delivered.First() {
		w.forgotten = delivered{}
		return &w.forgotten
	}
	for w.delivered.Last() <= at {
		w.delivered.Append(delivered{})
	}
	return w.delivered.At(at + 1)
}

func (w *World) commandText(c protocols.Command) string {
	if c.Client >= 0 {
		return "an entry without a command"
	}
	return w.cluster.Name(c.Client) + " " + c.String()
}

// misfed reports an answer that a subscriber must not get.
func (w *World) misfed(s *subscriber, a *answer, text string) {
	w.mistold(fmt.Sprintf("%s, at %s: %s", w.cluster.Name(s.id), w.cluster.Name(a.node), text), a.node)
}

func (w *World) mistold(text string, node protocols.NodeID) {
	if !w.cfg.Trusting {
		w.violate(CheckSubscriber, text, node)
	}
}

// Subscribed reports whether every subscriber is up and has read everything up to
// the highest position that a live replica knows to be committed; if not, who has
// not.
func (w *World) Subscribed() (bool, string) {
	commit := protocols.Index(0)
	for i := range w.nodes[:w.cluster.Replicas] {
		commit = max(commit, w.nodes[i].view.Commit)
	}
	for i := range w.subscribers {
		s := &w.subscribers[i]
		switch {
		case !s.up:
			return false, w.cluster.Name(s.id) + " is down"
		case s.table.Applied < commit:
			return false, fmt.Sprintf("%s has read up to position %d of %d", w.cluster.Name(s.id), s.table.Applied, commit)
		}
	}
	return true, ""
}

// SubscriberDifference compares the tables of the subscribers with the state of
// every live replica at the same position, and their indexes with their tables. It
// says how they differ; "" when they do not.
func (w *World) SubscriberDifference() string {
	for i := range w.subscribers {
		s := &w.subscribers[i]
		name, hash := w.cluster.Name(s.id), s.table.Hash()
		for j := range w.nodes[:w.cluster.Replicas] {
			n := &w.nodes[j]
			if n.up && n.view.Applied == s.table.Applied && n.view.StateHash != hash {
				return fmt.Sprintf("%s and %s have read and applied %d and have different tables", name, w.cluster.Name(n.id), s.table.Applied)
			}
		}
		if text := s.index.difference(protocols.TableOf(s.table.Machine)); text != "" {
			return fmt.Sprintf("%s at position %d: %s", name, s.table.Applied, text)
		}
	}
	return ""
}
