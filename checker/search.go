package checker

import (
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/lockstep-sim/lockstep/protocols"
)

// searched is the outcome of one search.
type searched struct {
	verdict Verdict
	steps   int64
	longest []int32 // the longest partial linearization, where it was asked for
	crowded bool    // too many operations were open at a time
}

// search asks porcupine (the algorithm of Wing and Gong with Lowe's memo) about
// the part.
func (p *Part) search() searched { return p.searchWith(false) }

// entryOverhead estimates from above what porcupine's cache holds per entry apart
// from the bit set: slice header, state, interface, share of the map.
const entryOverhead = 144

func (p *Part) searchWith(longest bool) searched {
	ops, numbers := p.patched()
	n := int64(len(ops))
	entryBytes := (n+63)/64*8 + entryOverhead
	if n*entryBytes > p.opt.Budget.CacheBytes {
		// A search that succeeds caches at least one entry per operation.
		return searched{verdict: Inconclusive}
	}
	sp := newSpec(p.kind, p.opt.Blind)
	steps, left, exhausted := int64(0), p.opt.Budget.CacheBytes, false
	model := porcupine.Model{
		Init: func() any { return state{} },
		Step: func(st, input, _ any) (bool, any) {
			// A spent budget makes every further step fail, which ends the search
			// without another entry in its cache.
			if exhausted {
				return false, st
			}
			if steps++; steps >= p.opt.Budget.Steps || left < 0 {
				exhausted = true
				return false, st
			}
			next, ok := sp.step(st.(state), input.(*protocols.Operation))
			return ok, next
		},
		Equal: func(a, b any) bool { return a.(state) == b.(state) },
		Hash: func(st any) uint64 {
			left -= entryBytes
			s := st.(state)
			return (uint64(s.value) + uint64(s.before)<<32 + uint64(s.length)<<8) * 0x9E3779B97F4A7C15
		},
	}
	var result porcupine.CheckResult
	out := searched{}
	if longest {
		var info porcupine.LinearizationInfo
		result, info = porcupine.CheckOperationsVerbose(model, ops, 0)
		out.longest = longestOf(info.PartialLinearizations(), numbers)
	} else {
		result = porcupine.CheckOperationsTimeout(model, ops, 0)
	}
	out.steps = steps
	switch {
	case result == porcupine.Ok:
		out.verdict = OK
	case exhausted:
		out.verdict = Inconclusive
	default:
		out.verdict = Violation
	}
	return out
}

// longestOf picks the longest partial linearization, and the lexically first of
// equally long ones, since porcupine returns them in any order.
func longestOf(partitions [][][]int, numbers []int32) []int32 {
	var best []int
	for _, partials := range partitions {
		for _, ids := range partials {
			if len(ids) > len(best) || len(ids) == len(best) && slices.Compare(ids, best) < 0 {
				best = ids
			}
		}
	}
	out := make([]int32, len(best))
	for i, id := range best {
		out[i] = numbers[id]
	}
	return out
}

// patched lists the part's operations for porcupine, with their numbers in the
// part.
//
// Every write with unknown outcome stays concurrent with all that follows and
// would be tried at every point. Where written values are unique and answers name
// what was seen, client observations settle most of them: one whose value nobody
// saw is dropped, as taking it out of a linearization leaves one; one whose value
// was seen took effect before the first operation that saw it returned, so its
// return is set to that. The idea is that of etcd's patch_history.go, which takes
// it from logs; only what clients saw is used here, or the system could excuse
// itself.
func (p *Part) patched() ([]porcupine.Operation, []int32) {
	ops := make([]porcupine.Operation, 0, len(p.ops))
	numbers := make([]int32, 0, len(p.ops))
	returns, ok := p.seenReturns()
	write := 0
	for i := range p.ops {
		op := p.at(i)
		ret := op.Return
		if ok && writesValue(op) {
			write++
			if ret = returns[write]; ret == dropped {
				continue
			}
		}
		ops = append(ops, porcupine.Operation{Input: op, Call: op.Call, Return: ret})
		numbers = append(numbers, int32(i))
	}
	return ops, numbers
}

// dropped is no return: the operation need not have been executed.
const dropped = int64(-1)

// seenReturns returns the patched return of every write, by its number; false if
// the patch would not be sound.
func (p *Part) seenReturns() ([]int64, bool) {
	if p.kind != kvMachine && p.kind != registerMachine {
		return nil, false
	}
	z := zones{p: p}
	if !z.collectWrites() {
		return nil, false
	}
	if z.collectReads(); z.found != nil {
		return nil, false
	}
	z.keepSeen()
	returns := z.effectBounds()
	lastAbsence := z.lastAbsence()
	for i := 1; i < len(z.clusters); i++ {
		c := &z.clusters[i]
		if !c.kept && (!c.absent || c.call > lastAbsence) {
			returns[i] = dropped
		}
	}
	return returns, true
}

// effectBounds returns, per write, an instant by which it had taken effect if it
// ever did: its return or, with unknown outcome, the earliest return of an
// operation that saw its value.
func (z *zones) effectBounds() []int64 {
	bounds := make([]int64, len(z.clusters))
	for i := range z.clusters {
		c := &z.clusters[i]
		bounds[i] = c.ret
		if c.ret == after {
			bounds[i] = c.readsReturn
		}
	}
	for i := range z.clusters {
		c := &z.clusters[i]
		if !c.kept {
			continue
		}
		// What stands before i in a chain took effect no later.
		for at := c.pred; at > 0 && z.clusters[at].ret == after && bounds[at] > bounds[i]; at = z.clusters[at].pred {
			bounds[at] = bounds[i]
		}
	}
	return bounds
}
