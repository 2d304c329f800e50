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
	// Blind: what writes saw is no part of the reason, so that Operations are to be
	// judged and printed with [Options.Blind].
	Blind bool
	// Unwritten lists the values that Operations show and that nobody in the whole
	// history wrote, in the order in which they are shown.
	Unwritten []Unwritten
	// Prefix is how many operations tell what had happened when the first return came
	// that left no order, and Explained how many operations the longest order of them
	// holds; 0 where it was not looked for.
	Prefix, Explained int
}

// Unwritten is a value that somebody saw and nobody wrote.
type Unwritten struct {
	Value int64
	// Failed is a write of the value that failed; nil if nobody tried to write it.
	Failed *protocols.Operation
}

// Text says it in a sentence, under the names of opt.
func (u Unwritten) Text(opt Options) string {
	opt = opt.filled()
	if u.Failed == nil {
		return "Nobody wrote " + opt.Names.Value(u.Value) + "."
	}
	return "The write of " + opt.Names.Value(u.Value) + " failed: " + Describe(u.Failed, opt) + "."
}

// failedWrite returns a write of a value to this key that failed; nil if there is none.
func (p *Part) failedWrite(v int64) *protocols.Operation {
	for i := range p.history {
		op := &p.history[i]
		writes := op.Op == protocols.Put || op.Op == protocols.CAS || op.Op == protocols.AppendTo
		if op.Outcome == protocols.Failed && writes && op.Arg == v && (op.Key == p.Key || p.kind != kvMachine && !p.opt.Keyed) {
			return op
		}
	}
	return nil
}

// neverWritten says why a value should not be seen by anybody.
func (p *Part) neverWritten(v int64) string {
	if op := p.failedWrite(v); op != nil {
		return "the write of " + p.value(v) + " failed: " + formatOperation(op, p.kind, p.opt)
	}
	if p.opt.Names.Key(p.Key) == "" {
		return "nobody wrote " + p.value(v)
	}
	return "nobody wrote " + p.value(v) + " to this key"
}

// Minimise takes operations out of a violated part as long as the rest cannot be
// ordered. The rest is always closed, as [needs] has it: it holds the writes of
// whatever its operations show, unless nobody wrote that, so that it is wrong for a
// reason that the history has, and can be understood without the history. It reports
// false for a part that is not violated, and where no closed set is refuted within the
// budget of one search.
//
// What writes saw is forgotten if the history is wrong without it too: that leaves
// less to look at.
func (p Part) Minimise(found *Counterexample) (Minimal, bool) {
	if found == nil {
		return Minimal{}, false
	}
	m := minimiser{p: &p, left: minimiseWork, steps: min(minimiseSteps, p.opt.Budget.Steps)}
	m.needs = newNeeds(&p)
	kept, ok := m.start()
	if !ok {
		return Minimal{}, false
	}
	prefix := kept
	m.forget(kept)
	if few := m.needs.close(m.about(found, kept)); len(few) < len(kept) && m.bad(few) {
		kept = few
	}
	out := Minimal{Key: p.Key, Prefix: len(prefix)}
	kept, out.Proven = m.reduce(kept)
	for _, i := range kept {
		op := *p.at(int(i))
		op.List = slices.Clone(op.List)
		out.Operations = append(out.Operations, op)
	}
	out.Unwritten, out.Blind = m.needs.unwritten(kept), m.p.opt.Blind
	slices.SortStableFunc(out.Operations, func(a, b protocols.Operation) int { return cmp.Compare(a.Call, b.Call) })
	if p.opt.Seated {
		Seat(out.Operations)
	}
	if out.Prefix <= explainOperations {
		q := p.only(prefix)
		q = q.reseated()
		q.opt.Budget.Steps = min(q.opt.Budget.Steps, explainSteps)
		out.Explained = len(q.searchWith(true).longest)
	}
	return out, true
}

// minimiser works on operations of a part by their numbers, in order.
type minimiser struct {
	p     *Part
	needs *needs
	left  int64 // operations that may still be judged
	steps int64 // of each search
}

// start returns a closed set that is known to be wrong: what had happened by the first
// return that leaves no order, or everything.
func (m *minimiser) start() ([]int32, bool) {
	all := m.called(protocols.Infinity)
	if !m.bad(all) { // found with a larger budget, or in the beginning only
		m.steps = m.p.opt.Budget.Steps
	}
	if prefix := m.cut(); m.bad(prefix) {
		return prefix, true
	}
	return all, m.bad(all)
}

// only is the part that holds only these operations.
func (p *Part) only(ops []int32) Part {
	q := *p
	q.opt.Positions, q.applied, q.writes = false, nil, 0
	q.ops = make([]int32, len(ops))
	for k, i := range ops {
		q.ops[k] = p.ops[i]
		if changes(p.at(int(i)).Op) {
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
	return m.refutes(m.p.only(ops))
}

// refutes reports whether a check finds no order for q within the steps of one search.
// The window search goes first; where too many operations are open for it, porcupine
// goes on if they are few.
func (m *minimiser) refutes(q Part) bool {
	q = q.reseated()
	if result, _, _ := q.checkFast(); result != notApplicable {
		return result == fails
	}
	q.opt.Budget.Steps = m.steps
	s, _ := q.searchWindow()
	m.left -= s.steps / 4
	if s.crowded && len(q.ops) <= q.opt.Small {
		s = q.search()
		m.left -= s.steps / 4
	}
	return s.verdict == Violation
}

// called returns what tells the history as it was at an instant: the operations that
// had been called, other than reads that had not returned, as nobody knew yet what they
// would show.
func (m *minimiser) called(at int64) []int32 {
	var out []int32
	for i := range m.p.ops {
		if op := m.p.at(i); op.Call <= at && (op.Return <= at || changes(op.Op)) {
			out = append(out, int32(i))
		}
	}
	return out
}

// cut returns the operations up to the first return that leaves no order, and what they
// need. Nothing that was called later can mend that, so what is needed of it may stand
// with them, for what writes answer that had not returned yet.
func (m *minimiser) cut() []int32 {
	p := m.p
	returns := p.answerTimes()
	low, high := 0, len(returns)-1
	for low < high && m.left > 0 {
		mid := (low + high) / 2
		q := p.until(returns[mid])
		m.left -= int64(len(q.ops))
		q.opt.Positions = false
		if m.refutes(q) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return m.needs.close(m.called(returns[high]))
}

// forget goes on without what writes saw, if ops are wrong without it too.
func (m *minimiser) forget(ops []int32) {
	if m.p.opt.Blind || m.p.kind != registerMachine && m.p.kind != kvMachine {
		return
	}
	p := *m.p
	p.opt.Blind = true
	blind := minimiser{p: &p, left: m.left, steps: m.steps}
	if blind.bad(ops) {
		m.p, m.left, m.needs = blind.p, blind.left, newNeeds(&p)
	}
}

// about returns those of ops that deal with the values of a counterexample.
func (m *minimiser) about(found *Counterexample, ops []int32) []int32 {
	named := map[int64]bool{} // looked up, never ranged over
	for i := range found.Operations {
		op := &found.Operations[i]
		named[op.Arg], named[int64(op.Value)] = true, true
		if op.Op == protocols.CAS {
			named[op.Old] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(ops), func(i int32) bool {
		op := m.p.at(int(i))
		return !named[op.Arg] && !named[int64(op.Value)] && !(op.Op == protocols.CAS && named[op.Old])
	})
}

// reduce takes operations out, with those that need them, many at a time first (delta
// debugging: Zeller and Hildebrandt, IEEE TSE 28, 2002), until no single one can go. It
// reports whether it came to that end.
func (m *minimiser) reduce(kept []int32) ([]int32, bool) {
	for size := max(1, len(kept)/2); ; {
		removed := false
		for from := 0; from < len(kept); {
			if m.left <= 0 {
				return kept, false
			}
			to := min(from+size, len(kept))
			if rest := m.needs.without(kept, kept[from:to]); m.bad(rest) {
				// What stands before from may be gone as well.
				from, _ = slices.BinarySearch(rest, kept[from])
				kept = rest
				removed = true
				continue
			}
			from = to
		}
		switch {
		case size > 1:
			size = max(1, min(size/2, len(kept)))
		case !removed:
			return kept, true
		}
	}
}
