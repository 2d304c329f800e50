package checker

import (
	"fmt"
	"math"

	"github.com/lockstep-sim/lockstep/protocols"
)

// appliedLog says where operations with unknown outcome stand in the committed
// log.
type appliedLog struct {
	positions map[requestID]protocols.Index // looked up, never ranged over
}

type requestID struct {
	client protocols.NodeID
	seq    uint64
}

func newAppliedLog(history []protocols.Operation, log []protocols.LogCommand) *appliedLog {
	a := &appliedLog{}
	if len(log) == 0 {
		return a
	}
	a.positions = map[requestID]protocols.Index{}
	for i := range history {
		if op := &history[i]; op.Outcome == protocols.Unknown && changes(op.Op) {
			a.positions[requestID{op.Client, op.Seq}] = 0
		}
	}
	// A client's requests are executed in order and once each (thesis §6.3): what
	// stands behind a later one of the same client is not executed.
	var last []uint64
	for i := range log {
		c := &log[i].Command
		client := -int(c.Client)
		if client <= 0 {
			continue
		}
		for len(last) <= client {
			last = append(last, 0)
		}
		if c.Seq <= last[client] {
			continue
		}
		last[client] = c.Seq
		if _, ok := a.positions[requestID{c.Client, c.Seq}]; ok {
			a.positions[requestID{c.Client, c.Seq}] = log[i].Position
		}
	}
	return a
}

// position returns where op was executed; false if it was not, as far as the log
// tells.
func (a *appliedLog) position(op *protocols.Operation) (protocols.Index, bool) {
	if op.Outcome == protocols.Done {
		return op.Position, true
	}
	at := a.positions[requestID{op.Client, op.Seq}]
	return at, at != 0
}

// witness tries the order of the log: writes at their positions, reads right
// after the position whose state they saw. It returns "" when that order is a
// linearization, which is a proof, and otherwise where it fails, which proves
// nothing: another order may exist.
func (p *Part) witness() string {
	order := p.witnessOrder()
	sp := newSpec(p.kind, p.opt.Blind)
	st := state{}
	latest := int64(math.MinInt64)
	latestOp := int32(-1)
	for _, item := range order {
		op := p.at(int(item.item))
		if op.Return < latest {
			return fmt.Sprintf("%s had returned before %s was called, yet the log has them the other way round",
				p.text(item.item), p.text(latestOp))
		}
		if op.Call > latest {
			latest, latestOp = op.Call, item.item
		}
		next, ok := sp.step(st, op)
		if !ok {
			return fmt.Sprintf("at position %d the log does not explain %s", item.key>>1, p.text(item.item))
		}
		st = next
	}
	return ""
}

// witnessOrder sorts by call, then stably by position, so that reads of one state
// stand in an order that cannot contradict real time.
func (p *Part) witnessOrder() []sortable {
	items := make([]sortable, 0, len(p.ops))
	for i := range p.ops {
		op := p.at(i)
		if _, ok := p.applied.position(op); ok {
			items = append(items, sortable{uint64(op.Call), int32(i)})
		}
	}
	spare := make([]sortable, len(items))
	sorted := radixSort(items, spare)
	if len(items) > 0 && len(sorted) > 0 && &sorted[0] == &spare[0] {
		items, spare = spare, items
	}
	for i := range items {
		op := p.at(int(items[i].item))
		at, _ := p.applied.position(op)
		items[i].key = uint64(at) << 1
		if !changes(op.Op) {
			items[i].key |= 1
		}
	}
	return radixSort(items, spare)
}
