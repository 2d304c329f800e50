package checker

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The window search walks through calls and returns in order and keeps every
// configuration that explains what has returned so far: a state, and which of the
// open operations were executed. An operation is executed when it returns at the
// latest, and others before it only where it needs them (Lowe, Testing for
// linearizability, Concurrency and Computation 29, 2017, section 5: just-in-time
// linearization; Knossos' linear). Time and memory depend on how many operations
// are open at a time, and not on the length of the history, where porcupine's
// grow with its square. Up to 64 may be open; those of unknown outcome stay open.
//
// Three rules keep the configurations few. A read that fits the present state is
// executed at once: it changes nothing, so that later is never better. Of two open
// operations that do and answer the same, the one that must return first goes
// first. Of two configurations that differ in operations of unknown outcome only,
// one with fewer executed can do all that the other can.

// configuration is one explanation of what has returned.
type configuration struct {
	st   state
	done uint64 // open operations that were executed, by slot
}

// configurationBytes estimates from above what a configuration costs in the two
// slices and the set that hold it.
const configurationBytes = 192

// windowSteps is what the budget grows by with every operation: the search goes
// over each of them once.
const windowSteps = 100

type window struct {
	p       *Part
	sp      *spec
	returns []int64
	present []configuration
	next    []configuration
	stack   []configuration
	seen    map[configuration]struct{} // looked up, never ranged over
	slots   [64]int32                  // operations of the part
	before  [64]uint64                 // open operations that do the same and go first
	open    uint64
	unknown uint64 // open ones that never return
	reads   uint64 // open ones that change nothing
	steps   int64
	limit   int64 // of steps
	spent   bool
	crowded bool  // more operations are open than there are slots
	failed  int32 // the operation whose return left no configuration; -1: none
}

// searchWindow judges the part. A violation names the operation whose return left
// no order.
func (p *Part) searchWindow() (searched, int32) {
	w := window{p: p, sp: newSpec(p.kind, p.opt.Blind), returns: p.latestEffects(), limit: p.opt.Budget.Steps + windowSteps*int64(len(p.ops)), present: []configuration{{}},
		seen: map[configuration]struct{}{}, failed: noValue}
	for _, e := range w.events() {
		i := e.item >> 1
		ok := true
		if e.item&1 == 0 {
			ok = w.call(i)
		} else {
			ok = w.returned(i)
		}
		if w.spent || !ok {
			break
		}
	}
	out := searched{verdict: OK, steps: w.steps, crowded: w.crowded}
	switch {
	case w.failed >= 0:
		out.verdict = Violation
	case w.spent:
		out.verdict = Inconclusive
	}
	return out, w.failed
}

// latestEffects returns, per operation, an instant by which it was executed if it
// ever was; dropped if it need not be looked at.
func (p *Part) latestEffects() []int64 {
	out := make([]int64, len(p.ops))
	returns, ok := p.seenReturns()
	write := 0
	for i := range p.ops {
		op := p.at(i)
		out[i] = op.Return
		if ok && writesValue(op) {
			write++
			if out[i] = returns[write]; out[i] != dropped {
				out[i] = max(out[i], op.Call) // seen before its call: wrong in any case
			}
		}
	}
	return out
}

// events lists calls and returns in order, calls first where instants are equal.
func (w *window) events() []sortable {
	events := make([]sortable, 0, 2*len(w.p.ops))
	for i := range w.p.ops {
		if w.returns[i] == dropped {
			continue
		}
		events = append(events, sortable{uint64(w.p.at(i).Call) << 1, int32(i) << 1})
		if w.returns[i] != after {
			events = append(events, sortable{uint64(w.returns[i])<<1 | 1, int32(i)<<1 | 1})
		}
	}
	return radixSort(events, make([]sortable, len(events)))
}

// call opens an operation. It reports false if too many are open.
func (w *window) call(i int32) bool {
	slot := bits.TrailingZeros64(^w.open)
	if slot == 64 {
		w.spent, w.crowded = true, true
		return false
	}
	op := w.p.at(int(i))
	w.slots[slot], w.before[slot] = i, 0
	bit := uint64(1) << slot
	for left := w.open; left != 0; left &= left - 1 {
		other := bits.TrailingZeros64(left)
		if !sameEffect(op, w.p.at(int(w.slots[other]))) {
			continue
		}
		if w.returns[w.slots[other]] <= w.returns[i] {
			w.before[slot] |= 1 << other
		} else {
			w.before[other] |= bit
		}
	}
	w.open |= bit
	if w.returns[i] == after {
		w.unknown |= bit
	}
	if !changes(op.Op) || op.Op == protocols.CAS && op.Outcome == protocols.Done && !op.Swapped {
		w.reads |= bit
		for k := range w.present {
			w.read(&w.present[k], bit)
		}
	}
	return true
}

// sameEffect reports whether two operations do and answer the same.
func sameEffect(a, b *protocols.Operation) bool {
	return a.Op == b.Op && a.Arg == b.Arg && a.Old == b.Old && a.Outcome == b.Outcome && a.Value == b.Value &&
		a.Swapped == b.Swapped && len(a.List) == 0 && len(b.List) == 0
}

// read executes those of the given open reads that fit the state.
func (w *window) read(c *configuration, which uint64) {
	for left := which &^ c.done; left != 0; left &= left - 1 {
		slot := bits.TrailingZeros64(left)
		w.steps++
		if _, ok := w.sp.step(c.st, w.p.at(int(w.slots[slot]))); ok {
			c.done |= 1 << slot
		}
	}
}

// returned closes operation i. It reports false if no configuration is left.
func (w *window) returned(i int32) bool {
	slot := 0
	for w.open>>slot&1 == 0 || w.slots[slot] != i {
		slot++
	}
	bit := uint64(1) << slot
	missing := false
	for _, c := range w.present {
		missing = missing || c.done&bit == 0
	}
	if missing {
		w.execute(slot)
	} else {
		for k := range w.present {
			w.present[k].done &^= bit
		}
	}
	w.open &^= bit
	w.unknown &^= bit
	w.reads &^= bit
	for left := w.open; left != 0; left &= left - 1 {
		w.before[bits.TrailingZeros64(left)] &^= bit
	}
	if w.steps >= w.limit || int64(len(w.seen))*configurationBytes > w.p.opt.Budget.CacheBytes {
		w.spent = true
	}
	if len(w.present) == 0 && !w.spent {
		w.failed = i
		return false
	}
	if missing && w.unknown != 0 && len(w.present) > 1 {
		w.dominate()
	}
	return true
}

// execute leads every configuration on until the operation in the slot has been
// executed, in every way in which that needs all the steps it takes.
func (w *window) execute(slot int) {
	bit := uint64(1) << slot
	clear(w.seen)
	w.next, w.stack = w.next[:0], w.stack[:0]
	keep := func(c configuration) {
		if c.done&bit != 0 {
			// What has not returned is told apart by the slot, which is free now.
			if _, have := w.seen[c]; !have {
				w.seen[c] = struct{}{}
				c.done &^= bit
				w.next = append(w.next, c)
			}
			return
		}
		if _, have := w.seen[c]; !have {
			w.seen[c] = struct{}{}
			w.stack = append(w.stack, c)
		}
	}
	for _, c := range w.present {
		keep(c)
	}
	for len(w.stack) > 0 {
		c := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		for left := w.open &^ c.done; left != 0; left &= left - 1 {
			s := bits.TrailingZeros64(left)
			if w.before[s]&^c.done != 0 || w.reads>>s&1 != 0 {
				continue // reads that fit have been executed
			}
			w.steps++
			st, ok := w.sp.step(c.st, w.p.at(int(w.slots[s])))
			if !ok {
				continue
			}
			n := configuration{st, c.done | 1<<s}
			w.read(&n, w.open&w.reads)
			keep(n)
		}
		if w.steps >= w.limit || int64(len(w.seen))*configurationBytes > w.p.opt.Budget.CacheBytes {
			w.spent = true
			return
		}
	}
	w.present, w.next = w.next, w.present
}

// dominate drops configurations that others make superfluous.
func (w *window) dominate() {
	slices.SortStableFunc(w.present, func(a, b configuration) int {
		return cmp.Compare(bits.OnesCount64(a.done&w.unknown), bits.OnesCount64(b.done&w.unknown))
	})
	first := make(map[configuration]int32, len(w.present)) // looked up, never ranged over
	chain := make([]int32, 0, len(w.present))              // the next kept one alike in all but unknown outcomes
	kept := w.present[:0]
	for _, c := range w.present {
		group := configuration{c.st, c.done &^ w.unknown}
		head, have := first[group]
		if !have {
			head = noValue
		}
		superfluous := false
		for at := head; at != noValue && !superfluous; at = chain[at] {
			superfluous = kept[at].done&w.unknown&^c.done == 0
			w.steps++
		}
		if !superfluous {
			first[group] = int32(len(kept))
			kept, chain = append(kept, c), append(chain, head)
		}
	}
	w.present = kept
}
