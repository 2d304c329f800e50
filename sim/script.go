package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// script is the state of a scripted world. Nothing happens by itself in one: what
// would happen waits in the queue as ever, in the order in which it was scheduled,
// until Do takes it out. There is no other pool.
type script struct {
	opened  bool
	manual  bool     // fsyncs wait for sync
	delayed []uint64 // keys of messages that all does not mean
}

func (w *World) resetScript() {
	w.script = script{delayed: w.script.delayed[:0]}
	if w.cfg.Scripted {
		w.patient = true // nobody gives up but by a step
	}
}

// maxRest bounds the deliveries of one step: messages that call forth messages for
// ever are a mistake of the script, or of the protocol.
const maxRest = 10_000

// Open boots the nodes of a scripted world. Do does so itself where it is first.
func (w *World) Open() {
	defer w.guard(new(Stop))
	if w.script.opened {
		return
	}
	w.script.opened = true
	for w.take(func(k key, p *payload) bool { return p.kind == evBoot }) {
		if len(w.violations) > 0 {
			return
		}
	}
	w.rest()
}

// Do carries out one step of a script. Messages to oneself, and what a pause has
// held back, follow by themselves. An error says why the step cannot be: the world
// is as it was before, but for what an earlier part of the step did. lines is what
// the step is to print. After a violation nothing happens any more.
func (w *World) Do(s *ScriptStep) (lines []string, err error) {
	var stop Stop
	defer w.guard(&stop)
	w.Open()
	if len(w.violations) > 0 {
		return nil, nil
	}
	switch s.Verb {
	case VerbDeliver, VerbDrop, VerbDuplicate, VerbDelay:
		err = w.handle(s)
	case VerbFire:
		err = w.fireNamed(s)
	case VerbTick:
		err = w.tick(s.Span)
	case VerbWait:
		w.now = w.now.Add(s.Span)
	case VerbCrash, VerbRestart, VerbPause, VerbResume:
		err = w.eachNode(s, s.Names)
	case VerbWipe, VerbRot, VerbClock:
		err = w.harmEach(s)
	case VerbDisk:
		w.script.manual = s.Words == "manual"
		w.instant = !w.script.manual
		if w.instant {
			w.syncAll(protocols.NodesUpTo(len(w.nodes)))
		}
	case VerbSync:
		err = w.syncNamed(s)
	case VerbRequest, VerbRetry, VerbGiveUp:
		err = w.clientStep(s)
	case VerbReconfigure, VerbTransfer:
		err = w.adminStep(s)
	case VerbShow:
		lines, err = w.showStep(s)
	case VerbExpect:
		err = w.expectStep(s)
	case VerbNote:
	default:
		err = fmt.Errorf("unknown step %q", s.Verb)
	}
	if err == nil {
		err = w.rest()
	}
	return lines, err
}

// Release ends the script: from now on Run lets things happen at their times. What
// was in flight arrives now, in order.
func (w *World) Release() {
	w.Open()
	w.queue.fixed()
	for i := range w.queue.heap {
		k := &w.queue.heap[i]
		k.time = max(k.time, int64(w.now))
	}
	w.queue.order()
	w.script.delayed = w.script.delayed[:0]
}

// fixed closes the hole at the root, so that every key of the heap is pending.
func (q *queue) fixed() {
	if q.hole {
		q.fill()
	}
}

// order sorts the keys: a sorted list is a heap.
func (q *queue) order() {
	slices.SortFunc(q.heap, func(a, b key) int {
		switch {
		case a.before(b):
			return -1
		case b.before(a):
			return 1
		}
		return 0
	})
}

// take handles the pending event that was scheduled first of those that match; false:
// there is none.
func (w *World) take(match func(key, *payload) bool) bool {
	at := w.first(match)
	if at < 0 {
		return false
	}
	p, cause := w.queue.remove(at)
	w.dispatch(&p, cause)
	return true
}

// first returns the place in the heap of the pending event that was scheduled first
// of those that match, or -1.
func (w *World) first(match func(key, *payload) bool) int {
	q := &w.queue
	q.fixed()
	best := -1
	for i, k := range q.heap {
		if (best < 0 || k.order < q.heap[best].order) && match(k, &q.slab[k.order&slotMask]) {
			best = i
		}
	}
	return best
}

// remove takes the event at place i out of the heap.
func (q *queue) remove(i int) (p payload, cause uint64) {
	slot := uint32(q.heap[i].order & slotMask)
	q.heap = slices.Delete(q.heap, i, i+1)
	q.order()
	q.free = append(q.free, slot)
	if q.traced {
		cause = q.causes[slot]
	}
	return q.slab[slot], cause
}

// rest handles what follows by itself: messages to oneself, and what a node handles
// after a pause.
func (w *World) rest() error {
	for range maxRest {
		if len(w.violations) > 0 || !w.take(func(_ key, p *payload) bool { return p.kind == evSelf || p.kind == evDrain }) {
			return nil
		}
	}
	return fmt.Errorf("nodes do not come to rest: %d messages to oneself", maxRest)
}

// name finds who a name of a script is.
func (w *World) name(s string) (protocols.NodeID, error) {
	letter, number, _ := parseName(s)
	limit, what, id := w.cluster.Replicas, "replicas", protocols.NodeID(number)
	switch letter {
	case 's':
		limit, what, id = w.cluster.Services, "service nodes", id+protocols.NodeID(w.cluster.Replicas)
	case 'c':
		limit, what, id = len(w.clients), "clients", -id
	}
	if number < 1 || number > limit {
		return protocols.Nobody, fmt.Errorf("no node %q; there are %d %s", s, limit, what)
	}
	return id, nil
}

// set finds the nodes of the names; all where there are none.
func (w *World) set(names []string) (s protocols.NodeSet, err error) {
	if len(names) == 0 {
		return protocols.NodesUpTo(len(w.nodes)), nil
	}
	for _, n := range names {
		id, err := w.name(n)
		if err != nil {
			return s, err
		}
		s = s.With(id)
	}
	return s, nil
}

// fireNamed lets a timer fire.
func (w *World) fireNamed(s *ScriptStep) error {
	id, err := w.name(s.Names[0])
	if err != nil {
		return err
	}
	n := &w.nodes[id-1]
	var armed []string
	for i := range n.timers.list[:n.timers.used] {
		if n.timers.list[i].due == never {
			continue
		}
		if name := w.timerName(protocols.Timer(i)); name != s.Words {
			armed = append(armed, name)
			continue
		}
		if n.held(false) {
			return fmt.Errorf("%s is paused", s.Names[0])
		}
		w.fire(n, protocols.Timer(i), 0)
		return nil
	}
	if !n.up {
		return fmt.Errorf("%s is down", s.Names[0])
	}
	return fmt.Errorf("the timer %s is not armed at %s; armed: %s", s.Words, s.Names[0], orNothing(armed))
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// tick lets the clocks go on, and timers fire that become due.
func (w *World) tick(span protocols.Duration) error {
	end := w.now.Add(span)
	for range maxRest {
		w.queue.fixed()
		at := -1
		for i, k := range w.queue.heap {
			if w.queue.slab[k.order&slotMask].kind == evAlarm && protocols.Time(k.time) <= end && (at < 0 || k.before(w.queue.heap[at])) {
				at = i
			}
		}
		if at < 0 || len(w.violations) > 0 {
			w.now = end
			return nil
		}
		w.now = max(w.now, protocols.Time(w.queue.heap[at].time))
		p, cause := w.queue.remove(at)
		w.dispatch(&p, cause)
		if err := w.rest(); err != nil {
			return err
		}
	}
	return fmt.Errorf("more than %d timers fire in %s", maxRest, FormatDuration(span))
}

// eachNode crashes, restarts, pauses or resumes nodes.
func (w *World) eachNode(s *ScriptStep, names []string) error {
	set, err := w.set(names)
	if err != nil {
		return err
	}
	for id := set.Next(protocols.Nobody); id != protocols.Nobody; id = set.Next(id) {
		n := &w.nodes[id-1]
		name := w.cluster.Name(id)
		switch {
		case s.Verb == VerbRestart && n.up:
			return fmt.Errorf("%s is up", name)
		case s.Verb != VerbRestart && !n.up:
			return fmt.Errorf("%s is down", name)
		case s.Verb == VerbPause && n.pauses > 0:
			return fmt.Errorf("%s is paused already", name)
		case s.Verb == VerbResume && n.pauses == 0:
			return fmt.Errorf("%s is not paused", name)
		}
		w.begin(evStrike, id, protocols.Nobody, uint64(verbNumber(s.Verb)), 0)
		switch s.Verb {
		case VerbCrash:
			w.digest.mix(w.crash(n))
		case VerbRestart:
			w.boot(n)
		case VerbPause:
			w.pause(n)
		case VerbResume:
			w.resume(n)
		}
		if len(w.violations) > 0 {
			return nil
		}
	}
	return nil
}

// syncNamed finishes fsyncs.
func (w *World) syncNamed(s *ScriptStep) error {
	set, err := w.set(s.Names)
	if err != nil {
		return err
	}
	if w.syncAll(set) == 0 && len(s.Names) > 0 {
		return fmt.Errorf("no fsync is under way at %s", strings.Join(s.Names, " "))
	}
	return nil
}

func (w *World) syncAll(set protocols.NodeSet) (n int) {
	for len(w.violations) == 0 && n < maxRest && w.take(func(_ key, p *payload) bool {
		return p.kind == evFlush && set.Has(p.to) && p.ref == w.nodes[p.to-1].disk.gen
	}) {
		n++
	}
	return n
}

// clientStep lets a client call, ask again or give up.
func (w *World) clientStep(s *ScriptStep) error {
	id, err := w.name(s.Names[0])
	if err != nil {
		return err
	}
	c := &w.clients[-id-1]
	if s.Verb == VerbRequest && c.busy() {
		return fmt.Errorf("%s still waits for %s: retry sends it again, give-up ends it", s.Names[0], w.requests.list[c.request].command)
	}
	if s.Verb != VerbRequest && !c.busy() {
		return fmt.Errorf("%s waits for nothing", s.Names[0])
	}
	to := protocols.Nobody
	if len(s.To) > 0 {
		if to, err = w.name(s.To[0]); err != nil {
			return err
		}
	}
	w.begin(evClient, id, to, c.seq, 0)
	switch s.Verb {
	case VerbGiveUp:
		w.finish(c, nil)
		return nil
	case VerbRequest:
		command := s.Command
		if !w.executable(command) {
			return fmt.Errorf("the machine %s cannot %s", w.cfg.Machine, command)
		}
		c.seq++
		command.Client, command.Seq = id, c.seq
		w.open(c, command, w.now)
	}
	w.attempt(c, to)
	last := w.queue.seq // the request that was just sent
	w.take(func(k key, p *payload) bool { return p.kind == evRequest && k.order>>slotBits == last })
	return nil
}

// executable reports whether the machine of the run knows the operation.
func (w *World) executable(c protocols.Command) bool {
	m, err := protocols.NewMachine(w.cfg.Machine)
	if err != nil {
		return false
	}
	switch c.Kind {
	case protocols.Follow:
		return true
	case protocols.Read:
		return m.Read(c).Status == protocols.OK
	}
	r, _ := m.Execute(c, 0, nil)
	return r.Status == protocols.OK && w.keyed == (c.Key != 0)
}

// adminStep puts an operator's wish to a node.
func (w *World) adminStep(s *ScriptStep) error {
	at, err := w.name(s.Names[0])
	if err != nil {
		return err
	}
	wish := protocols.Admin{Kind: protocols.Reconfigure}
	if s.Verb == VerbTransfer {
		wish.Kind = protocols.TransferLeadership
	}
	if err := Supports(w.cfg.Protocol, wish.Kind); err != nil {
		return err
	}
	if len(s.Learners) > 0 {
		if !w.cfg.Protocol.Learners {
			return fmt.Errorf("%s has no learners", w.cfg.Protocol.Name)
		}
		if wish.Learner, err = w.set(s.Learners); err != nil {
			return err
		}
	}
	if wish.Kind == protocols.TransferLeadership {
		wish.Target, err = w.name(s.To[0])
	} else {
		wish.Members, err = w.set(s.To)
	}
	if err != nil {
		return err
	}
	n := &w.nodes[at-1]
	if !n.up || n.held(false) {
		return errors.New(s.Names[0] + " is down or paused")
	}
	lo, hi := wish.Members.Words()
	w.begin(evAdmin, at, wish.Target, uint64(wish.Kind), 0)
	w.digest.mix(lo)
	w.digest.mix(hi)
	w.petition(n, wish)
	return nil
}
