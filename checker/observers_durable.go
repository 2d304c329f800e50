package checker

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// durability is the durability oracle: it compares what every message that
// leaves asserts about its sender's disk with what has been durable there. An
// answer given before its fsync is so found even in a run without faults.
//
// It judges what left and nothing else: a disk may go back to what was durable
// before, as long as nobody was told otherwise.
type durability struct {
	protocol *protocols.Protocol
	cluster  protocols.Cluster
	claims   func(protocols.NodeID, protocols.Message, []protocols.DurableFact) []protocols.DurableFact
	images   []protocols.DurableImage // by node
	written  []bool                   // something has been durable since the disk was new
	promised []uint64                 // highest epoch that a message claimed to be durable
	facts    []protocols.DurableFact  // scratch
	view     protocols.View
}

func newDurability(p *protocols.Protocol, c protocols.Cluster, d *protocols.Durability) *durability {
	x := &durability{protocol: p, cluster: c, claims: d.Claims, images: make([]protocols.DurableImage, c.Nodes()+1),
		written: make([]bool, c.Nodes()+1), promised: make([]uint64, c.Nodes()+1)}
	for id := 1; id <= c.Nodes(); id++ {
		x.images[id] = d.Image(protocols.NodeID(id))
	}
	return x
}

// Moments implements [protocols.Observer].
func (x *durability) Moments() protocols.MomentKind {
	return protocols.Left | protocols.Durable | protocols.Booted
}

// Checks implements [protocols.Observer].
func (x *durability) Checks() []protocols.CheckInfo {
	return []protocols.CheckInfo{
		{ID: CheckDur, Text: "what a message claims about its sender's disk was durable when it left"},
		{ID: CheckEpoch, Text: "a restart does not go below an epoch that a message had claimed to be durable"},
	}
}

// Observe implements [protocols.Observer].
func (x *durability) Observe(m *protocols.Moment) {
	switch m.Kind {
	case protocols.Durable:
		x.images[m.Node].Persisted(m.Record, m.Snapshot)
		x.written[m.Node] = true
	case protocols.Left:
		x.left(m)
	case protocols.Booted:
		x.booted(m)
	}
}

func (x *durability) left(m *protocols.Moment) {
	if m.Node <= 0 {
		return // a client has no disk
	}
	x.facts = x.claims(m.Node, m.Message, x.facts[:0])
	for _, fact := range x.facts {
		holds, instead := x.images[m.Node].Holds(fact)
		if !holds {
			m.Violate(CheckDur, "%s sent %s to %s, which claims %s to be durable: %s",
				x.cluster.Name(m.Node), x.protocol.MessageName(m.Message.Kind()), x.cluster.Name(m.To), x.format(fact), instead)
			continue
		}
		if fact.Kind == protocols.FactEpoch || fact.Kind == protocols.FactVote {
			x.promised[m.Node] = max(x.promised[m.Node], fact.Epoch)
		}
	}
}

// booted notices a disk that was wiped: nothing of it holds any more, and nobody
// can be blamed. Otherwise the promised epoch must still be known.
func (x *durability) booted(m *protocols.Moment) {
	if x.written[m.Node] && m.Disk.Snapshot == nil && len(m.Disk.Records) == 0 {
		x.images[m.Node].Lost()
		x.written[m.Node], x.promised[m.Node] = false, 0
		return
	}
	if x.promised[m.Node] == 0 {
		return
	}
	m.Replica.View(&x.view)
	if x.view.Epoch < x.promised[m.Node] && intact(m.Disk) {
		m.Violate(CheckEpoch, "%s booted in epoch %d after it had promised %d", x.cluster.Name(m.Node), x.view.Epoch, x.promised[m.Node])
	}
}

// intact reports whether the disk gave back what it had been given. A damaged one
// may make anybody forget.
func intact(disk *protocols.Recovered) bool {
	for i := range disk.Records {
		if s := disk.Records[i].State; s == protocols.RecordCorrupt || s == protocols.RecordMissing {
			return false
		}
	}
	return true
}

func (x *durability) format(f protocols.DurableFact) string {
	switch f.Kind {
	case protocols.FactEpoch:
		return fmt.Sprintf("epoch %d", f.Epoch)
	case protocols.FactVote:
		return fmt.Sprintf("its vote for %s in epoch %d", x.cluster.Name(f.Node), f.Epoch)
	case protocols.FactEntry:
		return fmt.Sprintf("entry %d of epoch %d", f.Index, f.Epoch)
	case protocols.FactLog:
		return fmt.Sprintf("a log that matches up to entry %d of epoch %d", f.Index, f.Epoch)
	}
	return fmt.Sprintf("fact %d", f.Kind)
}
