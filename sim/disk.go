package sim

import "github.com/lockstep-sim/lockstep/protocols"

// disk is one node's write-ahead log. Records are numbered from 0 over the whole
// run: those below durable survive a crash. The zero latency disk makes every
// record durable at once and schedules nothing.
type disk struct {
	stream   base
	snapshot protocols.Record // the durable checkpoint in force
	log      []entry          // what was persisted after it
	first    uint64           // number of log[0]
	durable  uint64           // records below are durable
	appended uint64           // records so far
	covered  uint64           // records below become durable with the flush under way
	kept     uint64           // records below were handed to New, which may keep them
	flushing bool
	gen      uint32          // of the flush under way; older ones are ignored
	ready    protocols.Time  // when the writes so far are done and an fsync can start
	writes   uint64          // so far: every second position in the disk's stream
	flushes  uint64          // so far: the positions between
	slow     int64           // times slower, 1 without a fault
	slower   int             // the fault that made it so, or -1
	wiped    bool            // all was lost, and nothing has become durable since
	ill      illness         // what faults do to it
	base     protocols.Index // before the log when the last snapshot but one became durable
	nextBase protocols.Index // and when the last one did
	waiting  []gated         // sends and replies, by the record that they wait for
	head     int             // waiting[head:] still wait
}

// entry is one record of the log.
type entry struct {
	record   protocols.Record
	snapshot bool
	state    protocols.RecordState // what a boot would find
	by       int16                 // the fault that damaged it
}

// gated is a message or an answer that waits for the disk.
type gated struct {
	gate    uint64 // leaves once this many records are durable
	message protocols.Message
	answer  uint32 // slot, where message is nil
	to      protocols.NodeID
}

// persist appends a record to n's log.
func (w *World) persist(n *node, r protocols.Record, snapshot bool) {
	d := &n.disk
	if w.lose[r.Kind()] {
		if !snapshot {
			w.memory.ReleaseRecord(r)
		}
		return
	}
	d.log = append(d.log, entry{record: r, snapshot: snapshot})
	w.stats.Records++
	d.appended++
	if w.instant && !d.ill.any && !d.flushing {
		w.harden(n, d.appended)
		return
	}
	latency := w.cfg.Disk.Write.Draw(d.stream.at(2 * d.writes))
	d.writes++
	d.ready = max(d.ready, w.now).Add(latency * protocols.Duration(d.slow))
}

// flush starts the fsync of everything written, unless one is under way.
func (w *World) flush(n *node) {
	d := &n.disk
	if d.flushing || d.appended == d.durable {
		return
	}
	latency := w.cfg.Disk.Fsync.Draw(d.stream.at(2*d.flushes + 1))
	d.flushes++
	d.flushing, d.covered = true, d.appended
	if d.slow > 1 && d.slower >= 0 {
		w.hit(d.slower, 1)
	}
	p := w.queue.add(max(d.ready, w.now).Add(latency*protocols.Duration(d.slow)), w.seq)
	p.kind, p.to, p.ref = evFlush, n.id, d.gen
}

// flushed ends an fsync of n.
func (w *World) flushed(n *node, cause uint64) {
	d := &n.disk
	if d.ill.any && w.stalled(n) {
		return
	}
	d.flushing = false
	w.begin(evFlush, n.id, protocols.Nobody, d.covered, cause)
	if d.ill.any {
		if n.trap.springs(pointSync, Before) {
			w.fall(n)
			return
		}
		if w.fsyncFails(n, cause) {
			return
		}
	}
	w.stats.Fsyncs++
	w.harden(n, d.covered)
	if w.tracing {
		w.record(TraceEvent{Kind: TraceSynced, Node: n.id, Life: n.life, Count: int64(d.durable)})
	}
	if d.ill.any && n.trap.springs(pointSync, After) {
		w.fall(n)
		return
	}
	if n.pauses == 0 {
		w.release(n)
		if n.doomed {
			w.fall(n)
			return
		}
	} else if d.head < len(d.waiting) {
		w.hitPause(n)
	}
	w.flush(n)
}

// harden makes the records below upTo durable.
func (w *World) harden(n *node, upTo uint64) {
	d := &n.disk
	for d.durable < upTo {
		e := d.log[d.durable-d.first]
		d.durable++
		if e.state != protocols.RecordOK {
			d.ill.hole = true // a failed fsync, or a crash, has dropped it
			continue
		}
		d.ill.hole = d.ill.hole && !e.snapshot
		d.wiped = false
		if w.moments&protocols.Durable != 0 && !d.ill.hole {
			w.moment(protocols.Durable, n)
			w.shown.Record, w.shown.Snapshot = e.record, e.snapshot
			w.show()
		}
		switch {
		case !e.snapshot:
			if d.ill.any {
				w.misdirect(n)
			}
		case d.ill.by[lies] == 0: // a cache that may be lost replaces nothing
			w.checkpoint(d, e.record)
			w.leaveBehind(n)
		}
	}
}

// checkpoint puts a durable snapshot in force: it replaces all before it, and
// itself, in the log.
func (w *World) checkpoint(d *disk, snapshot protocols.Record) {
	n := d.durable - d.first
	for i, e := range d.log[:n] {
		if w.atlas {
			_, last := positionsOf(e.record)
			d.ill.covers = max(d.ill.covers, last)
		}
		w.drop(d, d.first+uint64(i), &e)
	}
	rest := copy(d.log, d.log[n:])
	clear(d.log[rest:])
	d.log, d.first, d.snapshot = d.log[:rest], d.durable, snapshot
}

// drop lets go of the memory of a record, unless a node may keep it.
func (w *World) drop(d *disk, number uint64, e *entry) {
	if number >= d.kept && !e.snapshot {
		w.memory.ReleaseRecord(e.record)
	}
}

// release lets leave what waited for records that are durable now.
func (w *World) release(n *node) {
	d := &n.disk
	for d.head < len(d.waiting) && d.waiting[d.head].gate <= d.durable && !n.doomed {
		g := d.waiting[d.head]
		d.waiting[d.head] = gated{}
		d.head++
		if g.message != nil {
			w.send(n, g.to, g.message)
		} else {
			w.sendAnswer(n, g.answer)
		}
	}
	if rest := d.waiting[d.head:]; len(rest) <= d.head { // at least half is gone: close up
		d.waiting, d.head = d.waiting[:copy(d.waiting, rest)], 0
		clear(rest)
	}
}

// crash drops what is not durable, and what waited for it. It returns how many
// records were lost.
func (w *World) crashDisk(d *disk) (lost uint64) {
	for _, g := range d.waiting[d.head:] {
		if g.message != nil {
			w.memory.ReleaseMessage(g.message)
		} else {
			w.answers.free(g.answer)
		}
	}
	clear(d.waiting)
	d.waiting, d.head = d.waiting[:0], 0
	lost = d.appended - d.durable
	w.cutLog(d, d.durable)
	d.flushing, d.ready, d.ill.stalled, d.ill.failure = false, 0, false, nil
	d.gen++
	return lost
}

// cutLog drops the records from number upTo on; what is left is durable.
func (w *World) cutLog(d *disk, upTo uint64) {
	keep := upTo - d.first
	for i := range d.log[keep:] {
		w.drop(d, upTo+uint64(i), &d.log[keep:][i])
	}
	clear(d.log[keep:])
	d.log, d.durable, d.appended = d.log[:keep], upTo, upTo
	d.ill.hole = d.ill.hole && d.damaged()
	d.kept = min(d.kept, upTo)
}

// recovered returns what a boot finds on the disk.
func (d *disk) recovered(first bool) protocols.Recovered {
	d.kept = d.appended
	return d.contents(first, d.appended)
}

// contents returns the snapshot in force and the records below upTo. A snapshot
// is still among the records where a disk may yet lose it.
func (d *disk) contents(first bool, upTo uint64) protocols.Recovered {
	r := protocols.Recovered{First: first, Wiped: d.wiped, Snapshot: d.snapshot}
	log := d.log[:upTo-d.first]
	for n := len(log); n > 0 && log[n-1].state == protocols.RecordMissing; n-- {
		log = log[:n-1] // nothing that survived says that there was more
	}
	for i := len(log) - 1; i >= 0; i-- {
		if log[i].snapshot && log[i].state == protocols.RecordOK {
			r.Snapshot, log = log[i].record, log[i+1:]
			break
		}
	}
	if len(log) == 0 {
		return r
	}
	r.Records = make([]protocols.RecoveredRecord, len(log))
	for i := range log {
		if r.Records[i].State = log[i].state; log[i].state == protocols.RecordOK {
			r.Records[i].Record = log[i].record
		}
	}
	return r
}
