package checker

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// prefix returns the part's first n operations by call: the history as it was
// when the n-th had just been called. If the whole is linearizable, so is it.
func (p *Part) prefix(n int) Part {
	calls := make([]int64, len(p.ops))
	for i := range p.ops {
		calls[i] = p.at(i).Call
	}
	slices.Sort(calls)
	return p.until(calls[min(n, len(calls))-1])
}

// until returns the history as it was at an instant: what was not called yet is
// left out, and what had not returned is pending: a write of unknown outcome, or
// a read without an answer, which is left out too.
func (p *Part) until(cut int64) Part {
	q := *p
	q.history, q.ops, q.writes = nil, nil, 0
	for i := range p.ops {
		op := *p.at(i)
		if op.Call > cut {
			continue
		}
		if op.Return > cut && op.Outcome == protocols.Done {
			op.Outcome, op.Return = protocols.Unknown, protocols.Infinity
			op.Value, op.Swapped, op.List, op.Position = 0, false, nil, 0
		}
		if judged(&op) {
			q.ops = append(q.ops, int32(len(q.history)))
			q.history = append(q.history, op)
			if changes(op.Op) {
				q.writes++
			}
		}
	}
	return q
}
