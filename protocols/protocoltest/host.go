package protocoltest

import (
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// host is a node with its disk and timers. It outlives crashes.
type host struct {
	id     protocols.NodeID
	node   protocols.Node // nil while down
	life   uint32         // restarts, from 1
	disk   disk
	gated  []gated
	timers [protocols.MaxTimers]timer
	doomed bool // crashes in the middle of its next step
	since  protocols.Time
}

func (h *host) up() bool { return h.node != nil }

type timer struct {
	armed    uint32
	set      bool
	drawn    bool
	min, max protocols.Duration
	draw     protocols.Duration
}

// gated is what waits for the disk.
type gated struct {
	gate   int // disk.end() when it was said
	effect protocols.Effect
	answer protocols.Answer
	sum    uint64
}

// disk is a write-ahead log. Positions count all entries ever written.
type disk struct {
	base    int // position of entries[0]
	entries []written
	durable int // position up to which it is durable
	syncing int // position up to which a sync is under way, 0 for none
}

type written struct {
	record   protocols.Record
	snapshot bool
	sum      uint64
	torn     bool
}

func (d *disk) end() int { return d.base + len(d.entries) }

// settle makes the log durable up to position p: the last snapshot in it replaces
// what was before.
func (d *disk) settle(p int) {
	d.durable = p
	for i := p - d.base - 1; i > 0; i-- {
		if d.entries[i].snapshot && !d.entries[i].torn {
			d.entries = append([]written(nil), d.entries[i:]...)
			d.base += i
			return
		}
	}
}

// recovered is what a node finds at boot: the last whole snapshot and what was
// written after it.
func (d *disk) recovered(first bool) protocols.Recovered {
	r := protocols.Recovered{First: first}
	for _, e := range d.entries {
		switch {
		case e.snapshot && e.torn: // leaves the previous one in force
		case e.snapshot:
			r.Snapshot, r.Records = e.record, nil
		case e.torn:
			r.Records = append(r.Records, protocols.RecoveredRecord{State: protocols.RecordTorn})
		default:
			r.Records = append(r.Records, protocols.RecoveredRecord{Record: e.record})
		}
	}
	return r
}

func (w *world) config(id protocols.NodeID) protocols.Config {
	machine, err := protocols.NewMachine(w.s.machine)
	if err != nil {
		panic(err) // newSettings has made one
	}
	return protocols.Config{ID: id, Cluster: w.cluster, Members: protocols.NodesUpTo(w.n), Parameters: w.parameters, Machine: machine}
}

// boot starts h from its disk.
func (w *world) boot(h *host, disk protocols.Recovered) {
	w.last = step{node: h.id, text: "boot"}
	var err error
	text := caught(func() { h.node, err = w.s.protocol.New(w.config(h.id), disk) })
	switch {
	case text != "":
		w.fail("New panics: %s", text)
	case err != nil:
		w.fail("New refuses a disk with %d whole records: %v", len(disk.Records), err)
	case h.node == nil:
		w.fail("New returns neither a node nor an error")
	}
	if w.failure != nil {
		h.node = nil
		return
	}
	if n := len(h.disk.entries); n > 0 && h.disk.entries[n-1].torn { // the node writes on after it
		h.disk.entries = h.disk.entries[:n-1]
	}
	h.disk.settle(h.disk.end())
	h.life++
	h.since = w.now
	w.handle(h, &protocols.Event{Kind: protocols.Start, Nonce: w.draw.word()})
}

// crash takes h down. What was not durable is cut somewhere.
func (w *world) crash(h *host) {
	h.node, h.doomed = nil, false
	for _, g := range h.gated {
		w.release(g.effect.Message)
	}
	h.gated = h.gated[:0]
	for i := range h.timers {
		h.timers[i].set, h.timers[i].drawn = false, false
	}
	d := &h.disk
	d.syncing = 0
	keep := d.durable - d.base
	keep += w.draw.below(len(d.entries) - keep + 1)
	torn := keep < len(d.entries) && w.s.survives(protocols.FaultTorn, w.n) != 0 && w.draw.chance(30)
	if torn {
		d.entries[keep].torn = true
		keep++
	}
	d.entries = d.entries[:keep]
	if torn {
		d.settle(d.end() - 1)
	} else {
		d.settle(d.end())
	}
	down := w.draw.between(time.Millisecond, longestDown)
	if w.draw.chance(50) { // back before anyone has noticed
		down = w.draw.between(time.Microsecond, 5*time.Millisecond)
	}
	w.push(item{at: w.now.Add(down), kind: restart, node: h.id})
}

func (w *world) release(m protocols.Message) {
	if m != nil {
		w.mem.ReleaseMessage(m)
	}
}
