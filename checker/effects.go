package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Undefined is the count of what a machine does not have, or a history does not show.
const Undefined = -1

// Effects counts what became of acknowledged writes, as the last answers show it. A
// linearizable history has 0 of each; of a weaker system they say how much it loses.
// Each is [Undefined] where it has no meaning.
//
//   - log, by the read of the whole log that was called last: acknowledged appends that
//     it lacks, entries that it shows again, those it lacks although it shows one that was
//     appended after them, and those that stand behind such a one
//   - queue, if no element is enqueued twice: acknowledged elements that nobody got
//     although the queue was found empty later, answers that show an element again,
//     elements that nobody got although one that was enqueued after them was taken, and
//     those that were taken after such a one. Dequeues of unknown outcome excuse as many
//   - counter, by the last answer: what it lacks, and what it has too much
//   - register and kv, by the last answer of each key, if no value is written twice:
//     acknowledged writes that are newer than what it shows
type Effects struct {
	Lost, Duplicated, Gaps, Reordered int64
}

// effectNames are the names of the counts, in their order.
var effectNames = [...]string{"lost", "duplicated", "gaps", "reordered"}

func (e Effects) counts() [len(effectNames)]int64 {
	return [...]int64{e.Lost, e.Duplicated, e.Gaps, e.Reordered}
}

// Any reports whether something was lost, duplicated or moved.
func (e Effects) Any() bool { return max(e.Lost, e.Duplicated, e.Gaps, e.Reordered) > 0 }

// String lists the counts that are defined: 2 lost, 0 duplicated.
func (e Effects) String() string {
	var defined []string
	for i, n := range e.counts() {
		if n != Undefined {
			defined = append(defined, fmt.Sprintf("%d %s", n, effectNames[i]))
		}
	}
	return strings.Join(defined, ", ")
}

// MarshalJSON implements json.Marshaler: an object of the counts that are defined.
func (e Effects) MarshalJSON() ([]byte, error) {
	var defined []string
	for i, n := range e.counts() {
		if n != Undefined {
			defined = append(defined, fmt.Sprintf("%q:%d", effectNames[i], n))
		}
	}
	return []byte("{" + strings.Join(defined, ",") + "}"), nil
}

// CountEffects counts the effects in a history. It panics where [Validate] reports an
// error. O(n log n).
func CountEffects(history []protocols.Operation, opt Options) Effects {
	parts := Plan(history, opt)
	total := Effects{Undefined, Undefined, Undefined, Undefined}
	for i := range parts {
		p := &parts[i]
		e := Effects{Undefined, Undefined, Undefined, Undefined}
		switch p.kind {
		case logMachine:
			e = p.logEffects()
		case queueMachine:
			e = p.queueEffects()
		case counterMachine:
			e = p.counterEffects()
		case registerMachine, kvMachine:
			e.Lost = p.cellLost()
		}
		if i == 0 {
			total = e
			continue
		}
		total = Effects{plus(total.Lost, e.Lost), plus(total.Duplicated, e.Duplicated), plus(total.Gaps, e.Gaps), plus(total.Reordered, e.Reordered)}
	}
	return total
}

// plus adds counts of two parts: what one of them does not show is not known.
func plus(a, b int64) int64 {
	if a == Undefined || b == Undefined {
		return Undefined
	}
	return a + b
}

// logEffects looks at the read of the whole log that was called last.
func (p *Part) logEffects() Effects {
	undefined := Effects{Undefined, Undefined, Undefined, Undefined}
	appends := map[int64]*protocols.Operation{} // by value; looked up, never ranged over
	var last *protocols.Operation
	for i := range p.ops {
		op := p.at(i)
		if op.Op == protocols.AppendTo {
			if appends[op.Arg] != nil {
				return undefined
			}
			appends[op.Arg] = op
			continue
		}
		whole := firstRead(op) == 1 && int64(len(op.List)) == int64(op.Value)
		if whole && (last == nil || op.Call > last.Call) {
			last = op
		}
	}
	if last == nil {
		return undefined
	}
	var e Effects
	shown := make(map[int64]bool, len(last.List)) // looked up, never ranged over
	latest := int64(before)
	for _, v := range last.List {
		if shown[int64(v)] {
			e.Duplicated++
			continue
		}
		shown[int64(v)] = true
		if a := appends[int64(v)]; a != nil {
			if a.Return < latest {
				e.Reordered++
			}
			latest = max(latest, a.Call)
		}
	}
	for i := range p.ops {
		if op := p.at(i); op.Op == protocols.AppendTo && op.Return < last.Call && !shown[op.Arg] {
			e.Lost++
			if op.Return < latest {
				e.Gaps++
			}
		}
	}
	return e
}

// queued is what happened to an element of a queue. Not taken: taken is nil.
type queued struct{ put, taken *protocols.Operation }

// queueEffects compares what was enqueued with what was dequeued.
func (p *Part) queueEffects() Effects {
	var e Effects
	index := map[int64]int{} // of elements; looked up, never ranged over
	var elements []queued
	emptyAt, excused := int64(before), int64(0)
	for i := range p.ops {
		if op := p.at(i); op.Op == protocols.AppendTo {
			if _, have := index[op.Arg]; have {
				return Effects{Undefined, Undefined, Undefined, Undefined}
			}
			index[op.Arg] = len(elements)
			elements = append(elements, queued{put: op})
		}
	}
	for i := range p.ops {
		op := p.at(i)
		switch n, have := index[int64(op.Value)]; {
		case op.Op != protocols.Delete:
		case op.Outcome != protocols.Done:
			excused++
		case op.Value == 0:
			emptyAt = max(emptyAt, op.Call)
		case !have: // nobody enqueued it
		case elements[n].taken != nil:
			e.Duplicated++
		default:
			elements[n].taken = op
		}
	}
	// From the one whose enqueue returned last, with what was enqueued after it.
	byReturn, byCall := slices.Clone(elements), slices.Clone(elements)
	slices.SortStableFunc(byReturn, func(a, b queued) int { return cmp.Compare(b.put.Return, a.put.Return) })
	slices.SortStableFunc(byCall, func(a, b queued) int { return cmp.Compare(b.put.Call, a.put.Call) })
	earliest, next := int64(after), 0 // the earliest return of who took one of them
	for _, x := range byReturn {
		for ; next < len(byCall) && byCall[next].put.Call > x.put.Return; next++ {
			if taken := byCall[next].taken; taken != nil {
				earliest = min(earliest, taken.Return)
			}
		}
		switch {
		case x.put.Outcome != protocols.Done:
		case x.taken != nil && earliest < x.taken.Call:
			e.Reordered++
		case x.taken == nil && earliest != after:
			e.Gaps++
		}
		if x.put.Outcome == protocols.Done && x.taken == nil && x.put.Return < emptyAt {
			e.Lost++
		}
	}
	e.Lost, e.Gaps = max(0, e.Lost-excused), max(0, e.Gaps-excused)
	return e
}

// counterEffects compares the last answer with the sums that are possible.
func (p *Part) counterEffects() Effects {
	e := Effects{Undefined, Undefined, Undefined, Undefined}
	readings, ok := p.readings()
	if !ok || len(readings) == 0 {
		return e
	}
	last := readings[len(readings)-1]
	e.Lost, e.Duplicated = max(0, last.low-last.got), max(0, last.got-last.high)
	return e
}

// cellLost counts the acknowledged writes that are newer than what the last answer of a
// cell shows.
func (p *Part) cellLost() int64 {
	written := map[int64]*protocols.Operation{} // by value; looked up, never ranged over
	var last *protocols.Operation
	for i := range p.ops {
		op := p.at(i)
		if op.Op == protocols.AppendTo || op.Op == protocols.Delete || len(op.List) > 1 {
			return Undefined
		}
		if writesValue(op) {
			if written[op.Arg] != nil || op.Arg == 0 {
				return Undefined
			}
			written[op.Arg] = op
		} else if last == nil || op.Call > last.Call {
			last = op
		}
	}
	if last == nil {
		return Undefined
	}
	since := int64(before)
	if last.Value != 0 {
		shown := written[int64(last.Value)]
		if shown == nil {
			return Undefined // nobody wrote it
		}
		since = shown.Return
	}
	lost := int64(0)
	for i := range p.ops {
		if op := p.at(i); writesValue(op) && op.Call > since && op.Return < last.Call {
			lost++
		}
	}
	return lost
}
