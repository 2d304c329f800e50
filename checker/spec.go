package checker

import "github.com/lockstep-sim/lockstep/protocols"

// machineKind is a state machine as the judge knows it. The judge has its own
// definition of every machine: code that is on trial does not judge itself. A
// test compares the two.
type machineKind uint8

const (
	kvMachine machineKind = iota
	registerMachine
	counterMachine
	logMachine
	stampMachine
	queueMachine
)

var machineNames = [...]string{"kv", "register", "counter", "log", "stamp", "queue"}

func machineNamed(name string) (machineKind, bool) {
	for i, n := range machineNames {
		if n == name {
			return machineKind(i), true
		}
	}
	return 0, false
}

func (k machineKind) has(op protocols.Op) bool {
	switch op {
	case protocols.Noop:
		return true
	case protocols.Get:
		return k != logMachine && k != queueMachine
	case protocols.Put, protocols.CAS:
		return k == kvMachine || k == registerMachine
	case protocols.Delete:
		return k == kvMachine || k == queueMachine
	case protocols.AppendTo:
		return k == kvMachine || k == logMachine || k == queueMachine
	case protocols.Increment, protocols.Double:
		return k == counterMachine
	case protocols.ReadRange:
		return k == logMachine
	case protocols.ReadClock:
		return k == stampMachine
	}
	return false
}

// changes reports whether op may change the state.
func changes(op protocols.Op) bool {
	return op != protocols.Noop && op != protocols.Get && op != protocols.ReadRange
}

// state is the state of one partition: a value and, for sequences, what stands
// before it. Equal states are equal values of this type. A queue that is not empty
// has in before all that ever was enqueued, length elements, of which value were
// dequeued; two such states may differ and hold the same.
type state struct {
	value protocols.Value // of the cell; its last element if it is a sequence
	// before is the sequence without its last element: a node of the spec, 0 for
	// none.
	before int32
	// length counts the sequence's elements.
	length int32
	// wild: nobody has seen yet what the cell holds (stamp after a clock reading
	// without an answer).
	wild bool
}

// link is one element of an interned sequence.
type link struct {
	value  protocols.Value
	before int32
}

// spec is the sequential definition of a machine's partition. Sequences are
// interned, so that comparing states costs nothing.
type spec struct {
	kind   machineKind
	blind  bool
	links  []link // from 1
	intern map[link]int32
}

func newSpec(kind machineKind, blind bool) *spec {
	return &spec{kind: kind, blind: blind, links: make([]link, 1), intern: map[link]int32{}}
}

func (s *spec) push(st state, v protocols.Value) state {
	if st.length == 0 {
		return state{value: v, length: 1}
	}
	l := link{st.value, st.before}
	id, ok := s.intern[l]
	if !ok {
		id = int32(len(s.links))
		s.links = append(s.links, l)
		s.intern[l] = id
	}
	return state{value: v, before: id, length: st.length + 1}
}

// equalTail reports whether the sequence st ends in list, after dropping its last
// skip elements.
func (s *spec) equalTail(st state, skip int32, list []protocols.Value) bool {
	value, before, left := st.value, st.before, st.length
	for i := len(list) - 1; ; {
		if i < 0 {
			return true
		}
		if left == 0 {
			return false
		}
		if skip > 0 {
			skip--
		} else {
			if value != list[i] {
				return false
			}
			i--
		}
		left--
		if before != 0 {
			value, before = s.links[before].value, s.links[before].before
		}
	}
}

func one(v protocols.Value) state {
	if v == 0 {
		return state{}
	}
	return state{value: v, length: 1}
}

// step executes op in st. It reports false if op's answer cannot come from st;
// the answer of an operation with unknown outcome can.
func (s *spec) step(st state, op *protocols.Operation) (state, bool) {
	switch s.kind {
	case counterMachine:
		return s.stepCounter(st, op)
	case logMachine:
		return s.stepLog(st, op)
	case stampMachine:
		return stepStamp(st, op)
	case queueMachine:
		return s.stepQueue(st, op)
	}
	return s.stepCell(st, op)
}

func (s *spec) stepCell(st state, op *protocols.Operation) (state, bool) {
	answered := op.Outcome == protocols.Done
	saw := !answered || s.saw(st, op)
	switch op.Op {
	case protocols.Noop:
		return st, true
	case protocols.Get:
		return st, saw
	case protocols.Put:
		return one(protocols.Value(op.Arg)), saw || s.blind
	case protocols.AppendTo:
		return s.push(st, protocols.Value(op.Arg)), saw || s.blind
	case protocols.Delete:
		return state{}, saw || s.blind
	case protocols.CAS:
		swaps := st.length <= 1 && st.value == protocols.Value(op.Old)
		if answered && (!saw || op.Swapped != swaps) {
			return st, false
		}
		if swaps {
			return one(protocols.Value(op.Arg)), true
		}
		return st, true
	}
	return st, false
}

// saw reports whether op's answer is the cell st: its last value, and the whole
// sequence where it has two or more.
func (s *spec) saw(st state, op *protocols.Operation) bool {
	if op.Value != st.value {
		return false
	}
	if st.length < 2 {
		return len(op.List) == 0
	}
	return int64(len(op.List)) == int64(st.length) && s.equalTail(st, 0, op.List)
}

// stepCounter: increments add 1, or Arg where answers are not checked, as other
// systems count.
func (s *spec) stepCounter(st state, op *protocols.Operation) (state, bool) {
	switch op.Op {
	case protocols.Increment:
		if s.blind {
			st.value += protocols.Value(op.Arg)
			return st, true
		}
		st.value++
	case protocols.Double:
		st.value *= 2
		if s.blind {
			return st, true
		}
	case protocols.Noop:
		return st, true
	}
	return st, op.Outcome != protocols.Done || op.Value == st.value
}

func (s *spec) stepLog(st state, op *protocols.Operation) (state, bool) {
	switch op.Op {
	case protocols.Noop:
		return st, true
	case protocols.AppendTo:
		st = s.push(st, protocols.Value(op.Arg))
		return st, op.Outcome != protocols.Done || s.blind || int64(op.Value) == int64(st.length)
	}
	if op.Outcome != protocols.Done {
		return st, true
	}
	if int64(op.Value) != int64(st.length) || !listFits(op) {
		return st, false
	}
	if len(op.List) == 0 {
		return st, true
	}
	skip := int64(st.length) - (firstRead(op) - 1) - int64(len(op.List))
	return st, s.equalTail(st, int32(skip), op.List)
}

// firstRead returns the position at which a log read begins: positions start at
// 1.
func firstRead(op *protocols.Operation) int64 { return max(op.Arg, 1) }

// listFits reports whether a log read's list is as long as its length and limits
// ask for.
func listFits(op *protocols.Operation) bool {
	want := max(0, min(op.Old, int64(op.Value)-firstRead(op)+1))
	return int64(len(op.List)) == want
}

func stepStamp(st state, op *protocols.Operation) (state, bool) {
	answered := op.Outcome == protocols.Done
	switch op.Op {
	case protocols.ReadClock:
		return state{value: op.Value, wild: !answered}, true
	case protocols.Get:
		if st.wild && answered {
			return state{value: op.Value}, true
		}
		return st, !answered || op.Value == st.value
	}
	return st, true
}

// stepQueue: append enqueues, delete dequeues and answers the oldest element, or
// nothing from an empty queue.
func (s *spec) stepQueue(st state, op *protocols.Operation) (state, bool) {
	switch op.Op {
	case protocols.AppendTo:
		l := link{protocols.Value(op.Arg), st.before}
		id, ok := s.intern[l]
		if !ok {
			id = int32(len(s.links))
			s.links = append(s.links, l)
			s.intern[l] = id
		}
		st.before, st.length = id, st.length+1
		return st, true
	case protocols.Delete:
		answered := op.Outcome == protocols.Done
		if st.length == 0 {
			return st, !answered || op.Value == 0
		}
		if answered && op.Value != s.front(st) {
			return st, false
		}
		if st.value++; int64(st.value) == int64(st.length) {
			return state{}, true
		}
	}
	return st, true
}

// front returns the oldest element of a queue that is not empty.
func (s *spec) front(st state) protocols.Value {
	at := st.before
	for left := int64(st.length) - int64(st.value); left > 1; left-- {
		at = s.links[at].before
	}
	return s.links[at].value
}
