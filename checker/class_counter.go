package checker

import (
	"cmp"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// reading is a counter's reading with its bounds: what was acknowledged before it was
// called, and what had been called before it returned.
type reading struct {
	op             int32
	low, high, got int64
}

// classifyCounter compares readings with the sums that are possible.
func (p *Part) classifyCounter() Class {
	readings, ok := p.readings()
	if !ok {
		return Unordered
	}
	for n, r := range readings {
		if class := p.classifyTally(r, readings[n+1:]); class != "" {
			return class
		}
	}
	return Unordered
}

// readings lists what was read with its bounds, in the order of calls. It reports false
// if something was doubled, or added that is negative: there are no bounds then.
func (p *Part) readings() ([]reading, bool) {
	var calls, returns []sortable // of increments
	for i := range p.ops {
		op := p.at(i)
		switch {
		case op.Op == protocols.Double || op.Op == protocols.Increment && p.amount(op) < 0:
			return nil, false
		case op.Op == protocols.Increment:
			calls = append(calls, sortable{uint64(op.Call), int32(i)})
			returns = append(returns, sortable{uint64(op.Return), int32(i)})
		}
	}
	calls = radixSort(calls, make([]sortable, len(calls)))
	returns = radixSort(returns, make([]sortable, len(returns)))
	return p.tallies(calls, returns), true
}

// tallies lists readings in the order of their calls. Increments that answer read
// what they made.
func (p *Part) tallies(calls, returns []sortable) []reading {
	amounts := func(list []sortable) []int64 {
		sums := make([]int64, len(list)+1)
		for i, s := range list {
			sums[i+1] = sums[i] + p.amount(p.at(int(s.item)))
		}
		return sums
	}
	called, returned := amounts(calls), amounts(returns)
	before := func(list []sortable, at int64) int {
		n, _ := slices.BinarySearchFunc(list, uint64(at), func(s sortable, at uint64) int { return cmp.Compare(s.key, at) })
		return n
	}
	var out []reading
	for i := range p.ops {
		op := p.at(i)
		if op.Outcome != protocols.Done || op.Op == protocols.Increment && p.opt.Blind {
			continue
		}
		t := reading{op: int32(i), got: int64(op.Value)}
		t.low, t.high = returned[before(returns, op.Call)], called[before(calls, op.Return+1)]
		if op.Op == protocols.Increment {
			t.low += p.amount(op)
		}
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b reading) int { return cmp.Compare(p.at(int(a.op)).Call, p.at(int(b.op)).Call) })
	return out
}

// amount is what an increment adds.
func (p *Part) amount(op *protocols.Operation) int64 {
	if p.opt.Blind {
		return op.Arg
	}
	return 1
}

// classifyTally judges one reading by itself and by those called later; "" if
// nothing is wrong with it.
func (p *Part) classifyTally(r reading, later []reading) Class {
	after := p.at(int(r.op)).Return
	called := slices.DeleteFunc(slices.Clone(later), func(t reading) bool { return p.at(int(t.op)).Call <= after })
	switch {
	case r.got > r.high:
		if len(called) == 0 || slices.ContainsFunc(called, func(t reading) bool { return t.got > t.high }) {
			return DuplicateEffect // it stays
		}
		return FutureRead
	case r.got < r.low:
		if len(called) == 0 || slices.ContainsFunc(called, func(t reading) bool { return t.got < t.low }) {
			return LostWrite
		}
		return StaleRead
	}
	for n, t := range called { // within bounds, but falling
		if t.got >= r.got {
			continue
		}
		if slices.ContainsFunc(called[n+1:], func(u reading) bool { return u.got >= r.got }) {
			return StaleRead
		}
		return VisibleThenGone
	}
	return ""
}
