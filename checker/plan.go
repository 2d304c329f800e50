package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Part is one partition of a history: a history is linearizable if and only if
// each of its parts is (Herlihy and Wing, Linearizability, TOPLAS 12, 1990,
// theorem 1: locality). Parts share nothing that Check writes to.
type Part struct {
	Key protocols.Key

	history []protocols.Operation
	ops     []int32 // positions in history, in its order
	writes  int     // how many of them may change the state
	kind    machineKind
	opt     Options
	applied *appliedLog
}

// Operations returns how many operations the part judges.
func (p Part) Operations() int { return len(p.ops) }

// Linearizable judges a history: [Plan], [Part.Check] on each part, [Join]. It
// panics where [Validate] reports an error. The history is not changed, and the
// report keeps copies of single operations only.
func Linearizable(history []protocols.Operation, opt Options) Report {
	parts := Plan(history, opt)
	reports := make([]PartReport, len(parts))
	for i := range parts {
		reports[i] = parts[i].Check()
	}
	return Join(reports)
}

// Plan splits a history into independent parts, in order of their keys: one per
// key for kv, one for any other machine. Failed operations, follows and reads
// without an answer constrain nothing and are left out. Plan panics where
// [Validate] reports an error.
func Plan(history []protocols.Operation, opt Options) []Part {
	opt = opt.filled()
	kind, err := checkSize(history, opt)
	if err != nil {
		panic("checker: " + err.Error())
	}
	proto := Part{history: history, kind: kind, opt: opt}
	if opt.Positions {
		proto.applied = newAppliedLog(history, opt.Log)
	}
	if kind != kvMachine && !opt.Keyed {
		return planWhole(proto)
	}
	return planKeys(proto)
}

// judged reports whether an operation constrains anything.
func judged(op *protocols.Operation) bool {
	if op.Outcome == protocols.Failed || op.Kind == protocols.Follow || op.Op == protocols.Noop {
		return false
	}
	return op.Outcome == protocols.Done || changes(op.Op)
}

func planWhole(p Part) []Part {
	p.ops = make([]int32, 0, len(p.history))
	for i := range p.history {
		op := &p.history[i]
		mustBeValid(p.kind, i, op)
		if judged(op) {
			p.ops = append(p.ops, int32(i))
			if changes(op.Op) {
				p.writes++
			}
		}
	}
	if len(p.ops) == 0 {
		return nil
	}
	return []Part{p}
}

func mustBeValid(kind machineKind, i int, op *protocols.Operation) {
	if err := validateOperation(kind, op); err != nil {
		panic("checker: " + operationError(i, op, err).Error())
	}
}

// planKeys sorts operations by key, by counting.
func planKeys(proto Part) []Part {
	history := proto.history
	largest := int64(0)
	for i := range history {
		mustBeValid(proto.kind, i, &history[i])
		largest = max(largest, int64(history[i].Key))
	}
	var ids valueIndex
	ids.size(len(history), 0, largest)
	idOf := make([]int32, len(history)) // number of the key; -1: not judged
	var parts []Part
	var counts []int32
	total := 0
	for i := range history {
		op := &history[i]
		idOf[i] = -1
		if !judged(op) {
			continue
		}
		id, fresh := ids.add(int64(op.Key), int32(len(parts)))
		if fresh {
			part := proto
			part.Key = op.Key
			parts, counts = append(parts, part), append(counts, 0)
		}
		idOf[i] = id
		counts[id]++
		if changes(op.Op) {
			parts[id].writes++
		}
		total++
	}
	// One backing array for all parts: each gets its clipped piece.
	backing := make([]int32, total)
	next := 0
	for id := range parts {
		end := next + int(counts[id])
		parts[id].ops = backing[next:next:end]
		next = end
	}
	for i, id := range idOf {
		if id >= 0 {
			parts[id].ops = append(parts[id].ops, int32(i))
		}
	}
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Compare(a.Key, b.Key) })
	return parts
}

// at returns the i-th operation of the part.
func (p *Part) at(i int) *protocols.Operation { return &p.history[p.ops[i]] }

func (p *Part) internalError(format string, args ...any) {
	panic(fmt.Sprintf("checker: internal error: key k%d, %d operations: ", p.Key, len(p.ops)) + fmt.Sprintf(format, args...))
}
