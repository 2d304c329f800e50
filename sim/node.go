package sim

import (
	"errors"
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// node is one replica or service: its program while it is up, and what outlives
// the program: disk, clock and the count of lives.
type node struct {
	id      protocols.NodeID
	up      bool
	booted  bool   // has booted at least once
	life    uint32 // restarts so far
	replica protocols.Node
	view    protocols.View // after its last step; zero when down
	timers  timers
	disk    disk
	clock   clock

	crashes  int  // active faults that keep it down
	pauses   int  // active faults that keep it paused
	draining bool // handles what a pause has held back
	drainGen uint32
	heldBack []heldEvent // by a pause, or because the CPU is busy
	heldHead int         // heldBack[heldHead:] are still held back
	cutAt    int         // crash at the next step with effects, after this many; 0: no
	cutter   int         // the fault that asks for it
	trap     trap
	doomed   bool  // the trap has sprung: it crashes once what is under way can stop
	refused  bool  // its program does not boot from what is left of its disk
	slow     int64 // each step takes so many times slowStep; 0: no time
	slower   int   // the fault that made it so
	cpu      cpu
}

// heldEvent is an event that something keeps back.
type heldEvent struct {
	payload payload
	cause   uint64
}

// held reports whether events for n must queue up: behind a pause, or for its CPU.
func (n *node) held(computes bool) bool { return computes || n.pauses > 0 || n.draining }

// hold keeps an event back until n goes on, or has the time.
func (w *World) hold(n *node, p *payload, cause uint64) {
	n.heldBack = append(n.heldBack, heldEvent{*p, cause})
	if n.pauses > 0 {
		w.hitPause(n)
	} else if w.computes && !n.draining {
		n.draining = true
		w.drainNext(n)
	}
	if n.pauses == 0 && n.slow > 0 {
		w.hit(n.slower, 1)
	}
}

// reset makes a node as it is before its first boot.
func (n *node) reset(w *World, id protocols.NodeID) {
	*n = node{id: id, heldBack: n.heldBack[:0], disk: disk{log: n.disk.log[:0], waiting: n.disk.waiting[:0]}}
	n.timers.alarm, n.timers.soon = never, never
	n.disk.stream = streamOf(w.cfg.Seed, ofDisk, uint64(w.cfg.role(id)))
	n.disk.slow, n.disk.slower = 1, -1
	draws := streamOf(w.cfg.Seed, ofClock, uint64(w.cfg.role(id)))
	n.clock.local = protocols.Time(w.cfg.Clock.Offset.Draw(draws.at(0)))
	if d := w.cfg.Clock.Drift; d > 0 {
		n.clock.home = int64(below(draws.at(1), uint64(2*d+1))) - d
	}
	n.clock.ppb = n.clock.home
}

// boot starts n's program from what is on its disk.
func (w *World) boot(n *node) {
	disk := n.disk.recovered(!n.booted)
	if n.booted {
		n.life++
	}
	n.booted = true
	w.calling = n
	replica, err := w.program(n, disk)
	w.calling = nil
	if n.refused = err != nil && mayRefuse(&disk); n.refused {
		w.refuses(n, err)
		return
	}
	if err != nil {
		w.violate(CheckBoot, fmt.Sprintf("%s does not boot: %v", w.cluster.Name(n.id), err), n.id)
		return
	}
	w.mendTail(&n.disk)
	n.replica, n.up = replica, true
	if w.accounting() {
		found := w.accountBoot(n, &disk)
		if w.tracing {
			w.record(TraceEvent{Kind: TraceBoot, Node: n.id, Life: n.life, Count: int64(len(disk.Records)), Detail: found})
		}
	}
	if w.moments&protocols.Booted != 0 {
		w.moment(protocols.Booted, n)
		w.shown.Disk = &disk
		w.show()
	}
	w.event.Kind, w.event.Nonce = protocols.Start, streamOf(w.cfg.Seed, ofNonce, uint64(w.cfg.role(n.id))).at(uint64(n.life))
	w.digest.mix(w.event.Nonce)
	w.step(n)
	w.event.Nonce = 0
	w.progress = true
	w.leadership()
	if n.life > 0 {
		w.happens(onRestart, 0, n.id)
	}
}

// program makes n's program from what is on a disk.
func (w *World) program(n *node, disk protocols.Recovered) (protocols.Node, error) {
	machine, err := protocols.NewMachine(w.cfg.Machine)
	if err != nil {
		panic("sim: " + err.Error()) // New has made one before
	}
	replica, err := w.cfg.Protocol.New(protocols.Config{
		ID: n.id, Cluster: w.cluster, Members: w.membersOf(n.id), Parameters: w.cfg.Parameters, Machine: machine,
	}, disk)
	if replica == nil && err == nil {
		err = errors.New("Protocol.New returned neither a node nor an error")
	}
	return replica, err
}

// step lets n handle w.event and carries out the effects.
func (w *World) step(n *node) {
	ev, out := &w.event, w.out
	ev.Now = n.clock.read(w.now)
	ev.Wall = ev.Now + n.clock.wall
	led, epoch, leader, applied := n.view.Leading, n.view.Epoch, n.view.Leader, n.view.Applied
	w.calling, w.serialised = n, 0
	n.replica.Step(ev, out)
	n.replica.View(&n.view)
	w.calling = nil
	w.progress = w.progress || n.view.Applied != applied // a protocol need not write notes
	w.stats.Steps++
	cut, at, whole := n.cutAt > 0 && len(out.List) > 0, n.cutAt, true
	if n.trap.left > 0 && !cut {
		cut, at, whole = n.trapped(ev, out, epoch, leader)
	}
	if cut {
		w.truncate(out, at)
	}
	if w.moments&protocols.Stepped != 0 {
		w.moment(protocols.Stepped, n)
		w.shown.Event, w.shown.Effects = ev, out
		w.show()
	}
	wrote := n.disk.appended
	for i := range out.List {
		w.effect(n, &out.List[i])
		if n.doomed {
			w.truncate(out, i+1)
			break
		}
	}
	out.Reset()
	if n.timers.soon != never {
		w.arm(n)
	}
	if n.disk.appended != wrote {
		if n.disk.durable == n.disk.appended {
			w.stats.Fsyncs++
		} else if !cut && !n.doomed {
			w.flush(n)
		}
	}
	if n.view.Leading != led || n.view.Epoch != epoch {
		w.leadership()
		w.epochTrigger(n)
	}
	switch {
	case cut:
		w.cutCrash(n, whole)
	case n.doomed:
		w.fall(n)
	case n.slow > 0 && !w.computes:
		w.laden(n)
	}
}

// truncate drops the effects from position at on, which a crash prevents.
func (w *World) truncate(out *protocols.Effects, at int) {
	if at >= len(out.List) {
		return
	}
	for i := range out.List[at:] {
		switch e := &out.List[at+i]; e.Kind {
		case protocols.EffectSend, protocols.EffectSendEarly:
			w.memory.ReleaseMessage(e.Message)
		case protocols.EffectPersist:
			w.memory.ReleaseRecord(e.Record)
		}
	}
	clear(out.List[at:])
	out.List = out.List[:at]
}

// effect carries out one effect of n.
func (w *World) effect(n *node, e *protocols.Effect) {
	if !w.declared.permits(e) {
		w.breach(n, w.undeclared(e))
		return
	}
	switch e.Kind {
	case protocols.EffectSend:
		if n.disk.durable < n.disk.appended && !w.early[e.Message.Kind()] {
			n.disk.waiting = append(n.disk.waiting, gated{gate: n.disk.appended, message: e.Message, to: e.To})
			return
		}
		w.send(n, e.To, e.Message)
	case protocols.EffectSendEarly:
		w.send(n, e.To, e.Message)
	case protocols.EffectPersist:
		w.persist(n, e.Record, false)
	case protocols.EffectSaveSnapshot:
		w.persist(n, e.Record, true)
		w.happens(onSnapshot, 0, n.id)
	case protocols.EffectReply, protocols.EffectReplyEarly, protocols.EffectRefuse:
		w.answer(n, e)
	case protocols.EffectSetTimer:
		w.setTimer(n, e, false)
	case protocols.EffectSetTimerWithin:
		w.setTimer(n, e, true)
	case protocols.EffectCancelTimer:
		w.cancelTimer(n, e.Timer)
	case protocols.EffectNote:
		w.note(n, &w.out.Notes[e.Note])
	}
}

// note counts and traces a milestone.
func (w *World) note(n *node, note *protocols.Note) {
	if w.asked > 0 {
		w.noteAdmin(n, note)
	}
	if w.triggers.armed > 0 {
		w.noteTrigger(n, note)
	}
	switch note.Kind {
	case protocols.NoteLeader:
		w.stats.Leaders++
		w.progress = true
		if note.Epoch > w.chiefEpoch && n.id != w.chief {
			w.former = w.chief
		}
		if note.Epoch >= w.chiefEpoch {
			w.chief, w.chiefEpoch = n.id, note.Epoch
		}
	case protocols.NoteCommit, protocols.NoteApplied:
		if w.computes && note.Kind == protocols.NoteApplied {
			w.compute(n, w.cfg.CPU.Apply)
		}
		w.stats.Committed = max(w.stats.Committed, note.Index)
		w.progress = true
		if w.compares {
			w.executed(n, note)
		}
	default:
		w.progress = true
	}
	if w.tracing {
		copied := *note
		w.record(TraceEvent{Kind: TraceNote, Node: n.id, Life: n.life, Note: &copied})
	}
}

// crash stops n: what is not durable is lost, with what waits for it, timers,
// held-back events and messages to itself. It returns how many records were lost.
func (w *World) crash(n *node) uint64 { return w.crashLosing(n, losesUnsynced) }

// crashLosing is crash that loses more than that of the disk.
func (w *World) crashLosing(n *node, what loss) uint64 {
	cached := w.dropCache(n, what)
	if cached == 0 && what != losesDisk {
		w.leaveUnsynced(n)
	}
	said := ""
	if w.accounting() {
		said = w.accountCrash(n)
	}
	lost := w.crashDisk(&n.disk)
	if what == losesDisk {
		lost += w.wipeDisk(&n.disk)
	}
	for i := range n.heldBack[n.heldHead:] {
		w.dropHeld(&n.heldBack[n.heldHead+i].payload)
	}
	clear(n.heldBack)
	n.heldBack, n.heldHead = n.heldBack[:0], 0
	n.up, n.replica, n.view = false, nil, protocols.View{}
	n.draining, n.cutAt, n.pauses, n.doomed = false, 0, 0, false
	n.cpu.free = 0
	n.drainGen++
	for i := range w.faults { // the next life is a new process, which nothing pauses
		if f := &w.faults[i]; f.Fault.Kind == protocols.FaultPause {
			f.down = f.down.Without(n.id)
		}
	}
	n.timers.stop()
	w.progress = true
	w.happens(onCrash, 0, n.id)
	if w.tracing {
		w.record(TraceEvent{Kind: TraceCrashed, Node: n.id, Life: n.life, Count: int64(lost), Detail: said})
	}
	if w.moments&protocols.Crashed != 0 {
		kept := n.disk.kept
		disk := n.disk.recovered(false)
		n.disk.kept = kept // observers keep copies
		w.moment(protocols.Crashed, n)
		w.shown.Disk = &disk
		w.show()
	}
	w.leadership()
	return lost
}

// dropHeld drops an event that had been held back by a pause, when the node dies.
func (w *World) dropHeld(p *payload) {
	switch p.kind {
	case evMessage:
		w.stats.Missed++
		w.memory.ReleaseMessage(p.message)
	case evSelf:
		w.memory.ReleaseMessage(p.message)
	case evRequest:
		w.requests.land(p.ref)
	}
}

// cutCrash is a crash in the middle of a step: what came before the cut takes
// effect, if whole in full, records durable and what they gate left, unless the disk
// completes no fsync; nothing after it does.
func (w *World) cutCrash(n *node, whole bool) {
	if whole && n.syncs() {
		w.harden(n, n.disk.appended)
		w.release(n)
	}
	if n.trap.left == 0 && n.trap.point != 0 {
		w.fall(n)
		return
	}
	f := n.cutter
	lost := w.crash(n)
	w.killed(f, lost)
}

// syncs reports whether an fsync of n could complete.
func (n *node) syncs() bool {
	return n.disk.ill.failure == nil && n.actor(stalls) < 0 && n.actor(fills) < 0
}

// pause stops n without losing anything.
func (w *World) pause(n *node) {
	n.pauses++
	if n.pauses == 1 {
		if w.tracing {
			w.record(TraceEvent{Kind: TracePaused, Node: n.id, Life: n.life})
		}
		w.leadership()
	}
}

// resume lets n go on: first leaves what waited for the disk, then come the
// events that were held back, in order.
func (w *World) resume(n *node) {
	n.pauses--
	if n.pauses > 0 {
		return
	}
	w.progress = true
	if w.tracing {
		w.record(TraceEvent{Kind: TraceResumed, Node: n.id, Life: n.life})
	}
	w.leadership()
	if !n.up {
		return
	}
	w.release(n)
	if n.doomed {
		w.fall(n)
		return
	}
	if n.heldHead < len(n.heldBack) && !n.draining {
		n.draining = true
		w.drainNext(n)
	}
}

// drainNext plans when n handles the next event that was held back.
func (w *World) drainNext(n *node) {
	t := w.now.Add(protocols.Duration(n.slow) * slowStep)
	if w.computes {
		t = w.compute(n, w.receiveCost(n, &n.heldBack[n.heldHead].payload))
	}
	w.drainAt(n, t)
}

func (w *World) drainAt(n *node, t protocols.Time) {
	p := w.queue.add(t, w.seq)
	p.kind, p.to, p.ref = evDrain, n.id, n.drainGen
}

// drain handles the next event that was held back.
func (w *World) drain(n *node) {
	if n.pauses > 0 { // paused again meanwhile
		n.draining = false
		return
	}
	if n.heldHead == len(n.heldBack) { // a slow node has nothing left to do
		n.heldBack, n.heldHead, n.draining = n.heldBack[:0], 0, false
		return
	}
	if w.computes && n.cpu.free > w.now { // what waited for the disk came between
		w.drainAt(n, n.cpu.free)
		return
	}
	e := n.heldBack[n.heldHead]
	n.heldBack[n.heldHead] = heldEvent{}
	n.heldHead++
	switch e.payload.kind {
	case evMessage, evSelf:
		w.deliver(n, &e.payload, e.cause, arrives)
	case evRequest:
		w.request(n, &e.payload, e.cause, arrives)
	case evAlarm:
		w.ring(n, e.cause)
	case evDiskFailed:
		w.tellDisk(n)
	}
	switch {
	case !n.up: // crashed at a cut
	case n.heldHead < len(n.heldBack) || n.slow > 0 && !w.computes:
		if n.heldHead >= 64 && 2*n.heldHead >= len(n.heldBack) { // half is gone: close up
			rest := copy(n.heldBack, n.heldBack[n.heldHead:])
			clear(n.heldBack[rest:])
			n.heldBack, n.heldHead = n.heldBack[:rest], 0
		}
		w.drainNext(n)
	default:
		n.heldBack, n.heldHead = n.heldBack[:0], 0
		n.draining = false
	}
}
