package checker

import (
	"cmp"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Class names what is wrong with a history that is not linearizable, as its
// clients could see it.
type Class string

// The classes. They are looked for in this order; Unordered is what is left.
const (
	// NeverWritten: an answer shows a value that nobody wrote.
	NeverWritten Class = "value never written"
	// FutureRead: an answer shows a write that was called after it.
	FutureRead Class = "read from the future"
	// DuplicateEffect: one write took effect twice.
	DuplicateEffect Class = "duplicate effect"
	// ReorderedAppend: entries or elements stand in an order that contradicts real
	// time or another answer.
	ReorderedAppend Class = "reordered append"
	// StaleRead: an answer shows a state although a newer one was complete, or had
	// been seen, and is seen again or not known to be gone.
	StaleRead Class = "stale read"
	// VisibleThenGone: a write was seen, and later answers show the state without
	// it.
	VisibleThenGone Class = "write visible then gone"
	// LostWrite: an acknowledged write that nobody ever saw, though more than one
	// answer should have shown it.
	LostWrite Class = "lost write"
	// Unordered: no order of the operations explains all answers.
	Unordered Class = "no order fits"
)

// classify names what is wrong with a violated part.
func (p *Part) classify() Class {
	switch p.kind {
	case kvMachine, registerMachine:
		return p.classifyCell()
	case logMachine:
		return p.classifyLog()
	case counterMachine:
		return p.classifyCounter()
	}
	return Unordered
}

// sighting is an operation that saw a value.
type sighting struct {
	op    int32
	value int64
}

// sightings lists who saw what in a cell. Writes that answer saw the value before
// theirs.
func (p *Part) sightings() []sighting {
	var out []sighting
	for i := range p.ops {
		op := p.at(i)
		if op.Outcome != protocols.Done || len(op.List) > 1 || op.Op == protocols.AppendTo {
			continue
		}
		if op.Op == protocols.Get || op.Op == protocols.CAS || !p.opt.Blind {
			out = append(out, sighting{int32(i), int64(op.Value)})
		}
	}
	return out
}

// valueLife is a value of a cell: its write, and who saw it.
type valueLife struct {
	write          int32 // -1: the initial value
	call           int64 // of the write
	lo, hi         int64 // earliest return and latest call of all that know it
	late           int32 // whose call hi is
	seen           bool
	lastSeen       int64 // latest call of a sighting
	earliestReturn int64 // of a sighting
}

// lives collects the values of a cell; false if a value is written twice or
// deletes and appends make it come back.
func (p *Part) lives() ([]valueLife, map[int64]int32, bool) {
	lives := []valueLife{{write: noValue, call: before, lo: before, hi: before, late: noValue, lastSeen: before, earliestReturn: after}}
	index := map[int64]int32{0: 0} // looked up, never ranged over
	for i := range p.ops {
		op := p.at(i)
		if op.Op == protocols.AppendTo || op.Op == protocols.Delete || len(op.List) > 1 {
			return nil, nil, false
		}
		if !writesValue(op) {
			continue
		}
		if _, have := index[op.Arg]; have {
			return nil, nil, false
		}
		index[op.Arg] = int32(len(lives))
		lives = append(lives, valueLife{write: int32(i), call: op.Call, lo: op.Return, hi: op.Call, late: int32(i), lastSeen: before, earliestReturn: after})
	}
	return lives, index, true
}

func (p *Part) classifyCell() Class {
	sightings := p.sightings()
	lives, index, unique := p.lives()
	if !unique {
		return p.classifyRepeated(sightings)
	}
	for _, s := range sightings {
		id, have := index[s.value]
		if !have {
			return NeverWritten
		}
		op, l := p.at(int(s.op)), &lives[id]
		if op.Return < l.call {
			return FutureRead
		}
		l.seen = true
		l.lastSeen, l.earliestReturn = max(l.lastSeen, op.Call), min(l.earliestReturn, op.Return)
		if l.lo = min(l.lo, op.Return); op.Call > l.hi {
			l.hi, l.late = op.Call, s.op
		}
	}
	chains := p.chained(lives, index)
	unseen := func(l valueLife) bool { return !l.seen && l.lo == after }
	lives = slices.DeleteFunc(lives, unseen)
	old := p.overlap(lives)
	if old == nil {
		lives = slices.DeleteFunc(chains, unseen)
		old = p.overlap(lives)
	}
	if old == nil {
		return p.classifySuccessors(sightings)
	}
	return p.classifyReturn(old, lives, sightings)
}

// chained returns lives in which a value and what a cas made of it are one: nothing
// can come between the two.
func (p *Part) chained(lives []valueLife, index map[int64]int32) []valueLife {
	chains, gone := slices.Clone(lives), make([]bool, len(lives))
	root := make([]int32, len(lives))
	for i := range root {
		root[i] = int32(i)
	}
	for i := range p.ops { // in the order of calls, which is nearly that of the chain
		op := p.at(i)
		if op.Op != protocols.CAS || op.Outcome != protocols.Done || !op.Swapped {
			continue
		}
		from, have := index[op.Old]
		to := index[op.Arg]
		if from, to = find(root, from), find(root, to); !have || from == to {
			continue
		}
		into, l := &chains[from], &chains[to]
		if l.hi > into.hi {
			into.hi, into.late = l.hi, l.late
		}
		into.lo, into.seen, into.lastSeen = min(into.lo, l.lo), into.seen || l.seen, max(into.lastSeen, l.lastSeen)
		into.earliestReturn, gone[to] = min(into.earliestReturn, l.earliestReturn), true
		root[to] = from
	}
	kept := chains[:0]
	for i := range chains {
		if !gone[i] {
			kept = append(kept, chains[i])
		}
	}
	return kept
}

// find returns the root of i in a forest, and shortens the way for the next one.
func find(root []int32, i int32) int32 {
	for root[i] != i {
		root[i] = root[root[i]]
		i = root[i]
	}
	return i
}

// overlap finds two values each of which is known to be there before the other's
// end, and returns the one that was there first; nil if there are none.
func (p *Part) overlap(lives []valueLife) *valueLife {
	slices.SortStableFunc(lives, func(a, b valueLife) int { return cmp.Compare(a.lo, b.lo) })
	var forward []*valueLife
	for i := range lives {
		if l := &lives[i]; l.lo < l.hi {
			if n := len(forward); n > 0 && forward[n-1].hi > l.lo {
				return p.older(forward[n-1], l)
			}
			forward = append(forward, l)
		}
	}
	for i := range lives {
		l := &lives[i]
		if l.lo < l.hi {
			continue
		}
		at, _ := slices.BinarySearchFunc(forward, l.hi, func(f *valueLife, hi int64) int { return cmp.Compare(f.lo, hi) })
		if at > 0 && forward[at-1].hi > l.lo {
			return p.older(forward[at-1], l)
		}
	}
	return nil
}

// older tells which of two values was replaced by the other: the one whose write was
// complete first, or, of two that were written at once, the one that is seen last.
func (p *Part) older(first, second *valueLife) *valueLife {
	if first.write != noValue && second.hi > first.hi && p.at(int(first.write)).Return >= second.call && p.at(int(second.write)).Return >= first.call {
		return second
	}
	return first
}

// classifyReturn: a value was seen late, after others should have replaced it. What
// matters is whether anybody saw those others, and when.
func (p *Part) classifyReturn(old *valueLife, lives []valueLife, sightings []sighting) Class {
	late := p.at(int(old.late)).Call
	var newest *valueLife
	after, both := false, false   // a newer value was seen after, and before as well
	visible := protocols.Infinity // the earliest return of who saw a newer value
	complete := protocols.Infinity
	for i := range lives {
		l := &lives[i]
		if l == old || old.lo >= l.hi || l.lo >= old.hi {
			continue
		}
		after = after || l.lastSeen > late
		both = both || l.lastSeen > late && l.earliestReturn < late
		visible, complete = min(visible, l.earliestReturn), min(complete, l.lo)
		if newest == nil || l.call > newest.call {
			newest = l
		}
	}
	value, again, missed := p.seenBy(old.late), 0, 0
	for _, s := range sightings {
		if s.value != value {
			continue
		}
		if p.at(int(s.op)).Call > visible {
			again++
		}
		if p.at(int(s.op)).Call > complete {
			missed++
		}
	}
	switch {
	case again > 1 && !both: // not one answer, but the state
		return VisibleThenGone
	case after:
		return StaleRead
	case newest != nil && !newest.seen && missed > 1:
		return LostWrite
	}
	return StaleRead
}

func (p *Part) seenBy(i int32) int64 { return int64(p.at(int(i)).Value) }

// classifySuccessors: where writes say what they saw, two that saw one value have
// lost one of the updates.
func (p *Part) classifySuccessors(sightings []sighting) Class {
	replaced := map[int64]bool{} // looked up, never ranged over
	for _, s := range sightings {
		if !writesValue(p.at(int(s.op))) {
			continue
		}
		if replaced[s.value] {
			return LostWrite
		}
		replaced[s.value] = true
	}
	return Unordered
}

// classifyRepeated is for cells whose values come back: only what nobody wrote, or
// nobody had yet, can be named.
func (p *Part) classifyRepeated(sightings []sighting) Class {
	first := map[int64]int64{0: before} // earliest call; looked up, never ranged over
	for i := range p.ops {
		op := p.at(i)
		if op.Op != protocols.AppendTo && !writesValue(op) {
			continue
		}
		if call, have := first[op.Arg]; !have || op.Call < call {
			first[op.Arg] = op.Call
		}
	}
	for _, s := range sightings {
		call, have := first[s.value]
		if !have {
			return NeverWritten
		}
		if p.at(int(s.op)).Return < call {
			return FutureRead
		}
	}
	return Unordered
}
