package sim

import (
	"github.com/lockstep-sim/lockstep/protocols"
)

// Damage to durable records keeps within an atlas: a record is hit only if every log
// position that it stores is also held by a node whose disk has no damage at all. So
// what the protocol needs is still in the cluster, and a loss is a bug. Records that
// store no positions, such as votes, have no copy elsewhere and are never hit.

// positionsOf returns the log positions that a record stores; 0 and 0: none.
func positionsOf(r protocols.Record) (first, last protocols.Index) {
	p, ok := r.(protocols.Positioned)
	if !ok {
		return 0, 0
	}
	if first, last = p.Positions(); first == 0 || last < first {
		return 0, 0
	}
	return first, last
}

// rot damages one durable record of n, for fault i.
func (w *World) rot(i int, n *node) {
	if e := w.exposed(i, n, n.disk.durable); e != nil {
		e.state, e.by = protocols.RecordCorrupt, int16(i)
		w.hit(i, 1)
	}
}

// misdirect lets the record of n that has just become durable land in the place of
// another, once for each fault and node.
func (w *World) misdirect(n *node) {
	i := n.actor(misdirects)
	d := &n.disk
	written := &d.log[d.durable-1-d.first]
	if i < 0 || w.faults[i].done.Has(n.id) {
		return
	}
	if first, _ := positionsOf(written.record); first == 0 {
		return
	}
	if e := w.exposed(i, n, d.durable-1); e != nil {
		e.state, e.by = protocols.RecordCorrupt, int16(i)
		written.state, written.by = protocols.RecordMissing, int16(i)
		w.faults[i].done = w.faults[i].done.With(n.id)
		w.hit(i, 1)
	}
}

// exposed draws one of n's records below upTo that the atlas lets fault i damage;
// nil: there is none.
func (w *World) exposed(i int, n *node, upTo uint64) *entry {
	d := &n.disk
	copies := w.copies(n)
	var found []int
	for k := range d.log[:upTo-d.first] {
		if e := &d.log[k]; e.state == protocols.RecordOK && !e.snapshot && copies.hold(e.record) {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return nil
	}
	u := w.faults[i].stream.sub(uint64(n.id)).at(uint64(n.life))
	return &d.log[found[below(u, uint64(len(found)))]]
}

// positions are log positions that are held somewhere.
type positions struct {
	upTo protocols.Index // all up to here
	held []bool          // by position
}

// hold reports whether every position that r stores is held; false: it stores none.
func (s *positions) hold(r protocols.Record) bool {
	first, last := positionsOf(r)
	if first == 0 {
		return false
	}
	for p := first; p <= last; p++ {
		if p > s.upTo && (int(p) >= len(s.held) || !s.held[p]) {
			return false
		}
	}
	return true
}

// copies returns the positions that replicas other than n hold on undamaged disks.
func (w *World) copies(n *node) *positions {
	s := new(positions)
	for i := range w.nodes[:w.cluster.Replicas] {
		d := &w.nodes[i].disk
		if w.nodes[i].id == n.id || d.damaged() {
			continue
		}
		if d.snapshot != nil {
			s.upTo = max(s.upTo, d.ill.covers)
		}
		for k := range d.log[:d.durable-d.first] {
			first, last := positionsOf(d.log[k].record)
			for ; first > 0 && first <= last; first++ {
				for int(first) >= len(s.held) {
					s.held = append(s.held, false)
				}
				s.held[first] = true
			}
		}
	}
	return s
}

// damaged reports whether any durable record is not as it was written.
func (d *disk) damaged() bool {
	for k := range d.log[:d.durable-d.first] {
		if d.log[k].state != protocols.RecordOK {
			return true
		}
	}
	return false
}

// mayRefuse reports whether a program may refuse to boot from a disk: one that was
// wiped, or where a record is damaged other than by a torn end, which every crash
// may leave.
func mayRefuse(disk *protocols.Recovered) bool {
	for i, r := range disk.Records {
		if r.State != protocols.RecordOK && (r.State != protocols.RecordTorn || i+1 < len(disk.Records)) {
			return true
		}
	}
	return disk.Wiped
}

// refuses keeps n down, whose program does not boot from its damaged disk: only an
// operator could decide to go on without what is lost.
func (w *World) refuses(n *node, err error) {
	w.progress = true
	if w.tracing {
		w.record(TraceEvent{Kind: TraceRefuses, Node: n.id, Life: n.life, Detail: err.Error()})
	}
	for _, e := range n.disk.log {
		if e.state != protocols.RecordOK && e.by != byScript {
			f := &w.faults[e.by]
			f.Refused = f.Refused.With(n.id)
		}
	}
}

// Refused returns the nodes whose programs do not boot from what faults have left of
// their disks. They stay down, also after a heal.
func (w *World) Refused() (s protocols.NodeSet) {
	for i := range w.nodes {
		if n := &w.nodes[i]; n.refused && !n.up {
			s = s.With(n.id)
		}
	}
	return s
}

// unfit returns the nodes that are down and on which a core cannot count: their
// programs would not boot, or boot without what their disks have lost.
func (w *World) unfit() (s protocols.NodeSet) {
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.up {
			continue
		}
		if disk := n.disk.contents(!n.booted, n.disk.durable); mayRefuse(&disk) {
			s = s.With(n.id)
		}
	}
	return s
}

// mendTail takes from the end of a log what a boot has found torn or missing: the
// program writes on in its place.
func (w *World) mendTail(d *disk) {
	end := d.durable
	for end > d.first {
		if s := d.log[end-1-d.first].state; s != protocols.RecordTorn && s != protocols.RecordMissing {
			break
		}
		end--
	}
	if end < d.durable {
		w.cutLog(d, end)
	}
}
