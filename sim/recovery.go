package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Recovery is what one crash lost, or what one boot found on the disk.
type Recovery struct {
	At       protocols.Time // true virtual time
	Node     protocols.NodeID
	Life     uint32        // the restart count: of the life that ended, or of the one that began
	Boot     bool          // a boot; otherwise a crash
	Snapshot string        // Boot: the record type of the checkpoint in force; "" where there is none
	Records  []RecordCount // Boot: what the log behind the checkpoint holds; crash: what was lost. In the order of Protocol.Records
	// Epoch and Last are, after a boot, what the node made of it: its epoch and the
	// last position of its log.
	Epoch uint64
	Last  protocols.Index
}

// RecordCount counts the records of one type, and the log positions that they
// store where they say it ([protocols.Positioned]).
type RecordCount struct {
	Name        string
	Count       int
	First, Last protocols.Index // the lowest and the highest position stored; 0 where there is none
}

// damaged is the Name under which records are counted that are torn, corrupt or
// missing.
const damaged = "damaged"

// String prints "3 Append of 17..19", "2 HardState" or "1 damaged".
func (c RecordCount) String() string {
	s := fmt.Sprintf("%d %s", c.Count, c.Name)
	switch {
	case c.Last == 0:
	case c.First == c.Last:
		s += fmt.Sprintf(" of %d", c.Last)
	default:
		s += fmt.Sprintf(" of %d..%d", c.First, c.Last)
	}
	return s
}

// Text says in words what was lost or found, without the node and the time; "" is
// nothing.
func (r *Recovery) Text() string {
	var parts []string
	if r.Snapshot != "" {
		parts = append(parts, "checkpoint "+r.Snapshot)
	}
	for _, c := range r.Records {
		parts = append(parts, c.String())
	}
	return strings.Join(parts, ", ")
}

// Recoveries returns what every crash lost and every boot found, in order; empty
// without Config.Recoveries or Config.Trace. It is valid until Reset.
func (w *World) Recoveries() []Recovery { return w.recoveries }

// Reborn returns the program that a node would be if it crashed and booted now, from
// what its disk holds. It takes no part in the run and tells what of the node is
// durable. The error is that of [protocols.Protocol.New]. It must not be used once
// the world goes on.
func (w *World) Reborn(id protocols.NodeID) (protocols.Node, error) {
	n := &w.nodes[id-1]
	return w.program(n, n.disk.contents(!n.booted, n.disk.durable))
}

// accounting reports whether crashes and boots are to be kept in w.recoveries.
func (w *World) accounting() bool { return w.cfg.Recoveries || w.tracing }

// accountCrash keeps what a crash of n is about to lose, and says it.
func (w *World) accountCrash(n *node) string {
	r := Recovery{At: w.now, Node: n.id, Life: n.life}
	lost := n.disk.log[n.disk.durable-n.disk.first:]
	records := make([]protocols.RecoveredRecord, len(lost))
	for i, e := range lost {
		records[i].Record = e.record
	}
	r.Records = w.countRecords(records)
	w.recoveries = append(w.recoveries, r)
	return r.Text()
}

// accountBoot keeps what a boot of n has found, and says it.
func (w *World) accountBoot(n *node, disk *protocols.Recovered) string {
	r := Recovery{At: w.now, Node: n.id, Life: n.life, Boot: true, Records: w.countRecords(disk.Records)}
	if disk.Snapshot != nil {
		r.Snapshot = w.recordName(disk.Snapshot.Kind())
	}
	var v protocols.View
	w.calling = n
	n.replica.View(&v)
	w.calling = nil
	r.Epoch, r.Last = v.Epoch, v.Last
	w.recoveries = append(w.recoveries, r)
	return r.Text()
}

// countRecords counts records by type, those that are damaged last.
func (w *World) countRecords(records []protocols.RecoveredRecord) []RecordCount {
	var counts [protocols.MaxKinds]RecordCount
	bad := RecordCount{Name: damaged}
	for _, r := range records {
		if r.State != protocols.RecordOK {
			bad.Count++
			continue
		}
		counts[r.Record.Kind()].add(r.Record)
	}
	var list []RecordCount
	for _, k := range w.cfg.Protocol.Records {
		if c := counts[k.Kind]; c.Count > 0 {
			c.Name = k.Name
			list = append(list, c)
		}
	}
	if bad.Count > 0 {
		list = append(list, bad)
	}
	return list
}

func (c *RecordCount) add(r protocols.Record) {
	c.Count++
	p, ok := r.(protocols.Positioned)
	if !ok {
		return
	}
	first, last := p.Positions()
	if last < first {
		return
	}
	if c.Last == 0 || first < c.First {
		c.First = first
	}
	c.Last = max(c.Last, last)
}

func (w *World) recordName(kind protocols.Kind) string {
	for _, k := range w.cfg.Protocol.Records {
		if k.Kind == kind {
			return k.Name
		}
	}
	return fmt.Sprintf("record kind %d", kind)
}
