package sim

import (
	"errors"

	"github.com/lockstep-sim/lockstep/protocols"
)

// trouble is something that a fault does to a disk for as long as it lasts.
type trouble uint8

const (
	stalls     trouble = iota // no fsync completes
	fails                     // fsyncs fail at random
	fills                     // there is no space left: every fsync fails
	lies                      // fsyncs complete, but only fill a cache
	tears                     // a crash leaves a part of the un-synced log, the last record torn
	reorders                  // a crash leaves any of the un-synced records
	misdirects                // the next record lands in the place of another
	troubles
)

// troubleOf returns what a fault of kind k does to disks.
func troubleOf(k protocols.FaultKind) (trouble, bool) {
	switch k {
	case protocols.FaultStall:
		return stalls, true
	case protocols.FaultDiskError:
		return fails, true
	case protocols.FaultDiskFull:
		return fills, true
	case protocols.FaultLying:
		return lies, true
	case protocols.FaultTorn:
		return tears, true
	case protocols.FaultReordered:
		return reorders, true
	case protocols.FaultMisdirect:
		return misdirects, true
	}
	return 0, false
}

// illness is what faults do to one disk.
type illness struct {
	any     bool            // anything: fsyncs are events, also where the disk takes no time
	by      [troubles]int16 // the fault that makes a trouble, from 1; 0: none
	stalled bool            // an fsync waits for a stall to end
	hole    bool            // a record is missing: what comes after it counts as durable with nobody
	failure error           // what the node is told: an fsync has failed
	cached  uint64          // while it lies: records from here on are not on the disk
	covers  protocols.Index // the highest position in records that checkpoints replaced
}

// loss is what of a disk a crash takes with it.
type loss uint8

const (
	losesUnsynced loss = iota // a process stops: what was not synced
	losesCache                // the power fails: also what a lying disk had only in its cache
	losesDisk                 // the disk is gone
)

var (
	errFsync = errors.New("fsync: input/output error")
	errFull  = errors.New("write: no space left on device")
)

// treat makes n's disk suffer from what active faults, and its trap, do to it.
func (w *World) treat(n *node) {
	ill := &n.disk.ill
	lied := ill.by[lies] != 0
	ill.by = [troubles]int16{}
	ill.any = n.trap.left > 0 && (n.trap.point == crashPoint(pointSync, Before) || n.trap.point == crashPoint(pointSync, After))
	for i := range w.faults {
		f := &w.faults[i]
		t, ok := troubleOf(f.Fault.Kind)
		if ok && f.State == Active && f.Resolved.Nodes.Has(n.id) && !w.mended.Has(n.id) {
			ill.by[t], ill.any = int16(i+1), true
		}
	}
	if ill.stalled && ill.by[stalls] == 0 {
		ill.stalled = false
		p := w.queue.add(w.now, w.seq)
		p.kind, p.to, p.ref = evFlush, n.id, n.disk.gen
	}
	if ill.by[lies] != 0 && !lied {
		ill.cached = n.disk.durable
	}
}

// actor returns the fault that makes a trouble of n's disk, or -1.
func (n *node) actor(t trouble) int { return int(n.disk.ill.by[t]) - 1 }

// stalled reports whether a stall keeps the fsync of n from completing.
func (w *World) stalled(n *node) bool {
	i := n.actor(stalls)
	if i >= 0 {
		n.disk.ill.stalled = true
		w.hit(i, 1)
	}
	return i >= 0
}

// fsyncFails lets the fsync of n fail if a fault wants it: what was not durable is
// no longer written by anybody, also not by a later fsync that succeeds (Rebello et
// al., ATC 2020), and the node is told.
func (w *World) fsyncFails(n *node, cause uint64) bool {
	d := &n.disk
	by, err := n.actor(fills), errFull
	if by < 0 {
		by, err = n.actor(fails), errFsync
		if by < 0 || !w.faults[by].Fault.Prob.hit(w.faults[by].stream.sub(uint64(n.id)).at(d.flushes)) {
			return false
		}
	}
	for k := d.durable - d.first; k < d.appended-d.first; k++ {
		d.log[k].state, d.log[k].by = protocols.RecordMissing, int16(by)
	}
	d.ill.failure = err
	w.hit(by, 1)
	if w.tracing {
		w.record(TraceEvent{Kind: TraceDiskFailed, Node: n.id, Life: n.life, Detail: err.Error()})
	}
	if n.held(false) {
		w.holdFirst(n, &payload{kind: evDiskFailed, to: n.id}, cause)
	} else {
		w.tellDisk(n)
	}
	return true
}

// holdFirst keeps an event back until n goes on, before all others: a program that
// has been stopped learns of its disk before it handles anything else.
func (w *World) holdFirst(n *node, p *payload, cause uint64) {
	w.hold(n, p, cause)
	waiting := n.heldBack[n.heldHead:]
	last := waiting[len(waiting)-1]
	copy(waiting[1:], waiting)
	waiting[0] = last
}

// tellDisk lets n handle the failure of its disk.
func (w *World) tellDisk(n *node) {
	w.event.Kind, w.event.Err = protocols.DiskFailed, n.disk.ill.failure
	w.step(n)
	w.event.Err = nil
}

// replaceDisk ends a failure of n's disk: an operator has seen to it and starts the
// program again.
func (w *World) replaceDisk(n *node) {
	if n.disk.ill.failure == nil || !n.up {
		return
	}
	w.crash(n)
	if n.crashes == 0 {
		w.boot(n)
	}
}

// dropCache loses what n's lying disk has only in its cache, and returns how many
// records that is.
func (w *World) dropCache(n *node, what loss) (lost uint64) {
	d := &n.disk
	i := n.actor(lies)
	if i < 0 || what != losesCache || d.durable <= d.ill.cached {
		return 0
	}
	lost = d.durable - d.ill.cached
	d.durable = d.ill.cached
	w.hit(i, lost)
	return lost
}

// leaveUnsynced lets a crash of n leave some of what was not synced, if a fault
// wants it. What is left is durable.
func (w *World) leaveUnsynced(n *node) {
	d := &n.disk
	pending := d.appended - d.durable
	if pending == 0 || !d.ill.any || d.ill.failure != nil {
		return
	}
	if i := n.actor(reorders); i >= 0 {
		w.leaveAny(n, i, pending)
	} else if i := n.actor(tears); i >= 0 {
		w.leaveTorn(n, i, pending)
	}
}

// leaveAny leaves each of the un-synced records with one chance in two.
func (w *World) leaveAny(n *node, i int, pending uint64) {
	d := &n.disk
	draws := w.faults[i].stream.sub(uint64(n.id)).sub(uint64(n.life))
	end := uint64(0)
	for k := range pending {
		if draws.at(k)>>63 == 1 {
			end = k + 1
		}
	}
	for k := range end {
		if draws.at(k)>>63 == 0 {
			e := &d.log[d.durable+k-d.first]
			e.state, e.by = protocols.RecordMissing, int16(i)
		}
	}
	if end > 0 {
		w.hit(i, 1)
		w.harden(n, d.durable+end)
	}
}

// leaveTorn leaves a drawn number of un-synced records, and half of the next one.
func (w *World) leaveTorn(n *node, i int, pending uint64) {
	d := &n.disk
	whole := below(w.faults[i].stream.sub(uint64(n.id)).at(uint64(n.life)), pending)
	torn := d.durable + whole
	w.harden(n, torn)
	if e := &d.log[torn-d.first]; !e.snapshot { // a torn checkpoint leaves the one before in force
		e.state, e.by = protocols.RecordTorn, int16(i)
		w.harden(n, torn+1)
	}
	w.hit(i, 1)
}

// wipeDisk loses everything, and returns how many records that is.
func (w *World) wipeDisk(d *disk) (lost uint64) {
	lost = d.durable - d.first
	if d.snapshot != nil {
		lost++
	}
	w.cutLog(d, d.first)
	d.snapshot, d.wiped, d.ill.covers = nil, true, 0
	d.base, d.nextBase = 0, 0
	d.ill.cached = min(d.ill.cached, d.durable)
	return lost
}
