package generate

import (
	"math/rand/v2"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Damage is a way to make a history wrong.
type Damage string

// The damages. What they do to clients' answers is what a broken system would.
const (
	StaleRead       Damage = "stale read"              // one answer is older than it may be
	LostWrite       Damage = "lost write"              // an acknowledged write never took effect
	DuplicateEffect Damage = "duplicate effect"        // a write took effect twice
	ReorderedAppend Damage = "reordered append"        // two appends changed places
	FutureRead      Damage = "read from the future"    // one answer shows a write that was called later
	VisibleThenGone Damage = "write visible then gone" // a write was seen, and then undone
)

// Damages lists all of them.
var Damages = []Damage{StaleRead, LostWrite, DuplicateEffect, ReorderedAppend, FutureRead, VisibleThenGone}

// damagedKeys is how many keys a history of kv has.
const damagedKeys = 2

// Damaged makes a history of puts and gets of one register or of two keys, with cas
// for cas-register (the machine register), of appends and reads of
// a whole log, of a counter or of a queue, and damages it. Answers of writes are not
// to be looked at. It reports false if this history cannot be damaged so, or not in a
// way that shows.
func Damaged(machine string, seed uint64, n, clients int, d Damage) ([]protocols.Operation, bool) {
	ops, effects := execution(machine, seed, n, clients)
	b := breaker{ops: ops, effects: effects, random: rand.New(rand.NewPCG(seed, 43))}
	var ok bool
	switch machine {
	case "kv": // one key is damaged
		b.effects = effectsOf(ops, effects, 1)
		ok = b.register(d)
	case "register", "cas-register":
		ok = b.register(d)
	case "log":
		ok = b.log(d)
	case "counter":
		ok = b.counter(d)
	case "queue":
		ok = b.queue(d)
	}
	return b.ops, ok
}

// execution makes a correct history, and the order in which its operations took
// effect.
func execution(machine string, seed uint64, n, clients int) ([]protocols.Operation, []int) {
	random := rand.New(rand.NewPCG(seed, 44))
	ops := make([]protocols.Operation, n)
	free := make([]int64, clients)
	type effect struct {
		at int64
		op int
	}
	order := make([]effect, n)
	for i := range ops {
		c := random.IntN(clients)
		op := &ops[i]
		op.Call = free[c] + 2 + random.Int64N(40)
		op.Return = op.Call + 2 + random.Int64N(60)
		free[c] = op.Return
		op.Client, op.Seq, op.Outcome = protocols.NodeID(-1-c), uint64(i+1), protocols.Done
		op.Kind, op.Op = protocols.Write, writeOf(machine)
		if machine == "kv" {
			op.Key = protocols.Key(1 + random.IntN(damagedKeys))
		}
		switch {
		case random.IntN(2) == 0:
			op.Arg = int64(i + 1)
			if machine == "counter" {
				op.Arg = 1
			}
			if machine == "cas-register" && random.IntN(2) == 0 {
				op.Op, op.Swapped = protocols.CAS, true // it expects what it will find
			}
		case machine == "queue":
			op.Op = protocols.Delete
		case machine == "log":
			op.Kind, op.Op, op.Arg, op.Old = protocols.Read, protocols.ReadRange, 1, 1<<40
		default:
			op.Kind, op.Op = protocols.Read, protocols.Get
		}
		order[i] = effect{op.Call + 1 + random.Int64N(op.Return-op.Call-1), i}
	}
	slices.SortStableFunc(order, func(a, b effect) int { return int(a.at - b.at) })
	effects := make([]int, n)
	for k, e := range order {
		effects[k] = e.op
	}
	for key := range protocols.Key(damagedKeys + 1) { // 0: of all other machines
		replay(ops, effectsOf(ops, effects, key))
	}
	return ops, effects
}

// effectsOf returns the effects of one key's operations.
func effectsOf(ops []protocols.Operation, effects []int, key protocols.Key) []int {
	return slices.DeleteFunc(slices.Clone(effects), func(i int) bool { return ops[i].Key != key })
}

func writeOf(machine string) protocols.Op {
	switch machine {
	case "register", "cas-register", "kv":
		return protocols.Put
	case "counter":
		return protocols.Increment
	}
	return protocols.AppendTo
}

// replay executes operations in order and gives them their answers. An operation
// that is listed twice takes effect twice, one that is not keeps its answer.
func replay(ops []protocols.Operation, effects []int) {
	var c []protocols.Value
	sum := protocols.Value(0)
	for _, i := range effects {
		op := &ops[i]
		switch op.Op {
		case protocols.Put:
			sum = protocols.Value(op.Arg)
		case protocols.CAS:
			op.Old, op.Value, sum = int64(sum), sum, protocols.Value(op.Arg)
		case protocols.Increment:
			sum += protocols.Value(op.Arg)
		case protocols.AppendTo:
			c = append(c, protocols.Value(op.Arg))
		case protocols.Get:
			op.Value = sum
		case protocols.ReadRange:
			op.List, op.Value = slices.Clone(c), protocols.Value(len(c))
		case protocols.Delete:
			if op.Value = 0; len(c) > 0 {
				op.Value, c = c[0], c[1:]
			}
		}
	}
}

// breaker damages one history.
type breaker struct {
	ops     []protocols.Operation
	effects []int
	random  *rand.Rand
}

// pick returns the place in effects of an operation of which fits holds, in the
// middle half of the history; -1 if there is none.
func (b *breaker) pick(fits func(place int, op *protocols.Operation) bool) int {
	quarter := len(b.effects) / 4
	start := quarter + b.random.IntN(2*quarter)
	for k := range 2 * quarter {
		place := quarter + (start-quarter+k)%(2*quarter)
		if fits(place, &b.ops[b.effects[place]]) {
			return place
		}
	}
	return -1
}

func isRead(op *protocols.Operation) bool {
	return op.Op == protocols.Get || op.Op == protocols.ReadRange
}

// readsBetween counts the reads that stand between two places in the order.
func (b *breaker) readsBetween(from, to int) []int {
	var out []int
	for place := from + 1; place < to; place++ {
		if isRead(&b.ops[b.effects[place]]) {
			out = append(out, place)
		}
	}
	return out
}

// nextWrite returns the place of the first write after a place, or the end.
func (b *breaker) nextWrite(after int) int {
	for place := after + 1; place < len(b.effects); place++ {
		if !isRead(&b.ops[b.effects[place]]) {
			return place
		}
	}
	return len(b.effects)
}

// without replays the history without the effect of the write at a place, for the
// reads from another place on.
func (b *breaker) without(write, from int) {
	copied := slices.Clone(b.ops)
	replay(copied, slices.Delete(slices.Clone(b.effects), write, write+1))
	for _, i := range b.effects[from:] {
		if isRead(&b.ops[i]) {
			b.ops[i] = copied[i]
		}
	}
}

func (b *breaker) register(d Damage) bool {
	switch d {
	case StaleRead: // an answer of long ago, while the newest value is seen again
		return b.stale(func(op *protocols.Operation) bool { return !isRead(op) })
	case LostWrite:
		at := b.pick(func(place int, op *protocols.Operation) bool {
			return op.Op == protocols.Put && !b.expected(place) && b.calledAfter(op, b.readsBetween(place, b.nextWrite(place))) >= 2
		})
		if at < 0 {
			return false
		}
		b.without(at, at)
		return true
	case VisibleThenGone:
		at := b.pick(func(place int, op *protocols.Operation) bool {
			reads := b.readsBetween(place, b.nextWrite(place))
			return op.Op == protocols.Put && !b.expected(place) && len(reads) > 0 && b.calledAfter(&b.ops[b.effects[reads[0]]], reads) >= 2
		})
		if at < 0 {
			return false
		}
		b.without(at, b.readsBetween(at, b.nextWrite(at))[0]+1)
		return true
	case FutureRead:
		return b.future()
	}
	return false
}

// expected reports whether the next write after a place is a cas: it would show that
// the write at that place took effect.
func (b *breaker) expected(place int) bool {
	next := b.nextWrite(place)
	return next < len(b.effects) && b.ops[b.effects[next]].Op == protocols.CAS
}

// calledAfter counts the operations at these places that were called after op had
// returned. One wrong answer could as well be stale; two show a state.
func (b *breaker) calledAfter(op *protocols.Operation, places []int) int {
	n := 0
	for _, place := range places {
		if b.ops[b.effects[place]].Call > op.Return {
			n++
		}
	}
	return n
}

// stale gives a read the answer of a read much earlier.
func (b *breaker) stale(write func(*protocols.Operation) bool) bool {
	at := b.pick(func(place int, op *protocols.Operation) bool {
		next := place
		for next = place + 1; next < len(b.effects) && !write(&b.ops[b.effects[next]]); next++ {
			if isRead(&b.ops[b.effects[next]]) && b.ops[b.effects[next]].Call > op.Return {
				return isRead(op)
			}
		}
		return false
	})
	if at < 0 {
		return false
	}
	old, writes := -1, 0
	earliest := protocols.Infinity // call of the writes between
	for place := at - 1; place >= 0; place-- {
		op := &b.ops[b.effects[place]]
		if isRead(op) && writes >= 2 {
			old = place
			break
		}
		if !write(op) {
			continue
		}
		if writes++; writes == 1 && op.Return >= b.ops[b.effects[at]].Call {
			return false // what is seen again may be newer than the read had to be
		}
		earliest = min(earliest, op.Call)
	}
	if old < 0 || b.lastWrite(old, write).Return >= earliest {
		return false // of writes at the same time nobody knows which is the older
	}
	from, to := &b.ops[b.effects[old]], &b.ops[b.effects[at]]
	to.Value, to.List = from.Value, from.List
	return true
}

// lastWrite returns the last write before a place, or one long ago.
func (b *breaker) lastWrite(place int, write func(*protocols.Operation) bool) *protocols.Operation {
	for place--; place >= 0; place-- {
		if op := &b.ops[b.effects[place]]; write(op) {
			return op
		}
	}
	return &protocols.Operation{}
}

// future gives a read the answer of a read much later.
func (b *breaker) future() bool {
	at := b.pick(func(_ int, op *protocols.Operation) bool { return isRead(op) })
	if at < 0 {
		return false
	}
	op := &b.ops[b.effects[at]]
	anyWrite := func(op *protocols.Operation) bool { return !isRead(op) }
	for place := at + 1; place < len(b.effects); place++ {
		from := &b.ops[b.effects[place]]
		if isRead(from) && b.lastWrite(place, anyWrite).Call > op.Return && b.shownLater(from, op) {
			op.Value, op.List = from.Value, from.List
			return true
		}
	}
	return false
}

// shownLater reports whether a counter's reading is higher than what had been called
// before op returned; of other machines the last write alone tells.
func (b *breaker) shownLater(from, op *protocols.Operation) bool {
	called := int64(0)
	for i := range b.ops {
		if w := &b.ops[i]; w.Op == protocols.Increment && w.Call <= op.Return {
			called++
		}
	}
	return called == 0 || int64(from.Value) > called
}

func (b *breaker) log(d Damage) bool {
	isAppend := func(op *protocols.Operation) bool { return op.Op == protocols.AppendTo }
	at := b.pick(func(_ int, op *protocols.Operation) bool { return isAppend(op) })
	if at < 0 {
		return false
	}
	switch d {
	case StaleRead:
		return b.stale(isAppend)
	case FutureRead:
		return b.future()
	case LostWrite:
		b.without(at, at)
		return true
	case VisibleThenGone:
		reads := b.readsBetween(at, len(b.effects))
		if len(reads) < 2 {
			return false
		}
		b.without(at, reads[0]+1)
		return true
	case DuplicateEffect:
		replay(b.ops, slices.Insert(slices.Clone(b.effects), at+1+b.random.IntN(len(b.effects)-at-1), b.effects[at]))
		return true
	case ReorderedAppend:
		for other := at + 1; other < len(b.effects); other++ {
			op := &b.ops[b.effects[other]]
			if isAppend(op) && op.Call > b.ops[b.effects[at]].Return && !b.readBefore(at, other) {
				b.effects[at], b.effects[other] = b.effects[other], b.effects[at]
				replay(b.ops, b.effects)
				return true
			}
		}
	}
	return false
}

// readBefore reports whether a read between two places had returned before what
// stands at the second was called: it would see the future.
func (b *breaker) readBefore(at, other int) bool {
	return slices.ContainsFunc(b.readsBetween(at, other), func(place int) bool {
		return b.ops[b.effects[place]].Return < b.ops[b.effects[other]].Call
	})
}

func (b *breaker) counter(d Damage) bool {
	isIncrement := func(op *protocols.Operation) bool { return op.Op == protocols.Increment }
	at := b.pick(func(_ int, op *protocols.Operation) bool { return isIncrement(op) })
	if at < 0 {
		return false
	}
	switch d {
	case StaleRead:
		return b.stale(isIncrement)
	case FutureRead:
		return b.future()
	case LostWrite:
		b.without(at, at)
		return true
	case DuplicateEffect:
		replay(b.ops, slices.Insert(slices.Clone(b.effects), at, b.effects[at]))
		return true
	}
	return false
}

func (b *breaker) queue(d Damage) bool {
	at := b.pick(func(_ int, op *protocols.Operation) bool { return op.Op == protocols.Delete && op.Value != 0 })
	if at < 0 {
		return false
	}
	took := &b.ops[b.effects[at]]
	for other := at + 1; other < len(b.effects); other++ {
		op := &b.ops[b.effects[other]]
		switch {
		case op.Op == protocols.Delete && op.Value == 0 && d == ReorderedAppend:
			return false // the element would have been in the queue that looked empty
		case op.Op != protocols.Delete || op.Value == 0 || op.Call <= took.Return:
		case d == DuplicateEffect:
			op.Value = took.Value
			return true
		case d == ReorderedAppend && b.ops[op.Value-1].Call <= took.Return: // elements are numbered by their operations
			op.Value, took.Value = took.Value, op.Value
			return true
		}
	}
	if d == LostWrite { // nobody ever gets the element
		took.Value = 0
		b.ops = slices.Delete(b.ops, b.effects[at], b.effects[at]+1)
		return true
	}
	return false
}
