package checker

import (
	"cmp"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// minimiseWork bounds the making of a minimal set, in operations judged, and
// minimiseSteps each of its searches: what they cannot refute counts as possible.
const (
	minimiseWork  = 20_000_000
	minimiseSteps = 10_000
)

// Minimal is a set of operations of one part that no order explains.
type Minimal struct {
	Key protocols.Key
	// Operations are in the order of their calls.
	Operations []protocols.Operation
	// Proven: taking out any one operation, with those that depend on it, leaves a
	// set that can be ordered, or is not refuted within a small budget. Otherwise the
	// work was cut short.
	Proven bool
	// Prefix is how many operations had been called when the first return came that
	// left no order, and Explained how many operations the longest order of that
	// prefix holds; 0 where it was not looked for.
	Prefix, Explained int
}

// Minimise takes operations out of a violated part as long as the rest cannot be
// ordered. It takes out what cannot be the reason for that: answers that only
// show, or a value as a whole, its writes and everybody who saw it. A write alone
// stays as long as somebody shows it, or the rest would be wrong for a reason that
// the history does not have. It reports false for a part that is not violated and
// has no counterexample.
//
// What writes saw is forgotten if the history is wrong without it too: that leaves
// less to look at.
func (p Part) Minimise(found *Counterexample) (Minimal, bool) {
	m := minimiser{p: &p, left: minimiseWork}
	if found == nil {
		return Minimal{}, false
	}
	if !m.bad(m.all()) { // found with a larger budget
		return Minimal{Key: p.Key, Operations: slices.Clone(found.Operations)}, true
	}
	m.prefix = m.cut()
	kept := m.prefix
	out := Minimal{Key: p.Key, Prefix: len(kept)}
	if blind := m.blind(); blind.bad(kept) {
		m.p = blind.p
	}
	if few := m.about(found, kept); m.bad(few) {
		kept = few
	}
	kept, out.Proven = m.reduce(kept)
	for _, i := range kept {
		op := *p.at(int(i))
		op.List = slices.Clone(op.List)
		out.Operations = append(out.Operations, op)
	}
	slices.SortStableFunc(out.Operations, func(a, b protocols.Operation) int { return cmp.Compare(a.Call, b.Call) })
	if out.Prefix <= explainOperations {
		q := m.part(m.prefix)
		q.opt.Budget.Steps = min(q.opt.Budget.Steps, explainSteps)
		out.Explained = len(q.searchWith(true).longest)
	}
	return out, true
}

// minimiser works on operations of a part by their numbers, in order.
type minimiser struct {
	p      *Part
	prefix []int32
	left   int64 // operations that may still be judged
}

func (m *minimiser) all() []int32 {
	all := make([]int32, len(m.p.ops))
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// part is the part that holds only these operations.
func (m *minimiser) part(ops []int32) Part {
	q := *m.p
	q.opt.Positions, q.applied, q.writes = false, nil, 0
	q.ops = make([]int32, len(ops))
	for k, i := range ops {
		q.ops[k] = m.p.ops[i]
		if changes(m.p.at(int(i)).Op) {
			q.writes++
		}
	}
	return q
}

// bad reports whether these operations are known to have no order.
func (m *minimiser) bad(ops []int32) bool {
	m.left -= int64(len(ops)) + 1
	if len(ops) == 0 {
		return false
	}
	q := m.part(ops)
	if result, _, _ := q.checkFast(); result != notApplicable {
		return result == fails
	}
	q.opt.Budget.Steps = min(q.opt.Budget.Steps, minimiseSteps)
	s, _ := q.searchWindow()
	m.left -= s.steps / 4
	return s.verdict == Violation
}

// cut returns the operations called up to the first return that leaves no order.
// What had not returned then is kept with its answer, which is wrong all the same.
func (m *minimiser) cut() []int32 {
	p := m.p
	returns := p.answerTimes()
	called := func(at int64) []int32 {
		var out []int32
		for i := range p.ops {
			if p.at(i).Call <= at {
				out = append(out, int32(i))
			}
		}
		return out
	}
	low, high := 0, len(returns)-1
	for low < high && m.left > 0 {
		mid := (low + high) / 2
		q := p.until(returns[mid])
		m.left -= int64(len(q.ops))
		q.opt.Positions = false
		if result, _, _ := q.checkFast(); result == fails {
			high = mid
			continue
		} else if result == notApplicable {
			if s, _ := q.searchWindow(); s.verdict == Violation {
				high = mid
				continue
			}
		}
		low = mid + 1
	}
	if prefix := called(returns[high]); m.bad(prefix) {
		return prefix
	}
	return m.all() // it ends in a read of what is written later
}

// blind is m without what writes saw.
func (m *minimiser) blind() *minimiser {
	p := *m.p
	p.opt.Blind = p.opt.Blind || p.kind == registerMachine || p.kind == kvMachine
	return &minimiser{p: &p, left: m.left}
}

// about returns those of ops that write or show a value of a counterexample, and what
// a swapped cas among them needs; nothing where values cannot be looked at one by one.
// A read without the write of what it shows would be wrong for a reason that the
// history does not have.
func (m *minimiser) about(found *Counterexample, ops []int32) []int32 {
	if found == nil || !m.byValue(ops) {
		return nil
	}
	named := map[int64]bool{} // looked up, never ranged over
	for i := range found.Operations {
		op := &found.Operations[i]
		if writes(op) {
			named[op.Arg] = true
		}
		if m.shows(op) {
			named[int64(op.Value)] = true
		}
	}
	for grown := true; grown; { // a chain of cas
		grown = false
		for _, i := range ops {
			if op := m.p.at(int(i)); op.Op == protocols.CAS && named[op.Arg] && !named[op.Old] {
				named[op.Old], grown = true, true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(ops), func(i int32) bool {
		op := m.p.at(int(i))
		return !(writes(op) && named[op.Arg]) && !(m.shows(op) && named[int64(op.Value)])
	})
}

// writes reports whether op may leave its argument as a value that others see.
func writes(op *protocols.Operation) bool {
	return op.Op == protocols.Put || op.Op == protocols.AppendTo ||
		op.Op == protocols.CAS && (op.Swapped || op.Outcome != protocols.Done)
}

// shows reports whether the answer of op says what was there, where what writes saw
// is forgotten.
func (m *minimiser) shows(op *protocols.Operation) bool {
	if op.Outcome != protocols.Done {
		return false
	}
	return !changes(op.Op) || op.Op == protocols.CAS && !op.Swapped || op.Op == protocols.Delete && m.p.kind == queueMachine
}

// groups lists what may be taken out together, by what was seen: the operations of
// each value, and each operation that changes nothing by itself.
func (m *minimiser) groups(ops []int32) [][]int32 {
	var groups [][]int32
	byValue := map[int64]int{} // group by value; looked up, never ranged over
	join := func(value int64, i int32) {
		g, have := byValue[value]
		if !have {
			g = len(groups)
			byValue[value] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	whole := m.byValue(ops)
	for _, i := range ops {
		op := m.p.at(int(i))
		switch {
		case whole && (op.Op == protocols.Put || op.Op == protocols.AppendTo):
			join(op.Arg, i)
		case whole && op.Op != protocols.CAS && op.Value != 0:
			join(int64(op.Value), i)
		}
		if !changes(op.Op) || op.Op == protocols.CAS && op.Outcome == protocols.Done && !op.Swapped ||
			m.p.kind == queueMachine && op.Op == protocols.Delete && op.Outcome == protocols.Done && op.Value == 0 {
			groups = append(groups, []int32{i})
		}
	}
	if !whole {
		return groups
	}
	chained := map[int64]bool{} // what a cas expects, makes or saw; looked up, never ranged over
	for _, i := range ops {
		if op := m.p.at(int(i)); op.Op == protocols.CAS {
			chained[op.Old], chained[op.Arg], chained[int64(op.Value)] = true, true, true
		}
	}
	return slices.DeleteFunc(groups, func(g []int32) bool {
		op := m.p.at(int(g[0]))
		if len(g) == 1 && !changes(op.Op) || m.p.kind == queueMachine {
			return false
		}
		return op.Op == protocols.CAS && op.Swapped || op.Op == protocols.Put && chained[op.Arg] || op.Op == protocols.Get && chained[int64(op.Value)]
	})
}

// byValue reports whether each value stands for itself, so that it can be taken out as
// a whole.
func (m *minimiser) byValue(ops []int32) bool {
	return m.p.kind == queueMachine || m.p.opt.Blind && (m.p.kind == registerMachine || m.p.kind == kvMachine) && !m.hasLists(ops)
}

func (m *minimiser) hasLists(ops []int32) bool {
	return slices.ContainsFunc(ops, func(i int32) bool {
		op := m.p.at(int(i))
		return op.Op == protocols.AppendTo || op.Op == protocols.Delete || len(op.List) > 0
	})
}

// reduce takes groups out, many at a time first (delta debugging: Zeller and
// Hildebrandt, IEEE TSE 28, 2002), until no single one can go. It reports whether
// it came to that end.
func (m *minimiser) reduce(kept []int32) ([]int32, bool) {
	groups := m.groups(kept)
	for size := max(1, len(groups)/2); ; {
		removed := false
		for from := 0; from < len(groups); {
			if m.left <= 0 {
				return kept, false
			}
			to := min(from+size, len(groups))
			if rest := without(kept, groups[from:to]); len(rest) < len(kept) && m.bad(rest) {
				kept = rest
				groups = slices.Delete(groups, from, to)
				removed = true
				continue
			}
			from = to
		}
		switch {
		case size > 1:
			size = max(1, min(size/2, len(groups)))
		case !removed:
			return kept, true
		}
	}
}

// without returns ops that are in none of the groups. Both are in order.
func without(ops []int32, groups [][]int32) []int32 {
	gone := map[int32]bool{} // looked up, never ranged over
	for _, g := range groups {
		for _, i := range g {
			gone[i] = true
		}
	}
	out := make([]int32, 0, len(ops))
	for _, i := range ops {
		if !gone[i] {
			out = append(out, i)
		}
	}
	return out
}
