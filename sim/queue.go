package sim

import "github.com/lockstep-sim/lockstep/protocols"

// The event queue is a 4-ary heap of 16-byte keys over a slab of payloads. Keys
// move when the heap is sifted, payloads do not. Ties of time go by sequence
// number, so the order is total and the same on any machine.
const (
	slotBits = 24 // at most 16,777,216 events pending
	seqBits  = 64 - slotBits
	slotMask = 1<<slotBits - 1
)

// key orders one pending event.
type key struct {
	time  int64
	order uint64 // sequence number << slotBits | slot
}

func (k key) before(l key) bool { return k.time < l.time || k.time == l.time && k.order < l.order }

// eventKind says what a payload is.
type eventKind uint8

const (
	evBoot       eventKind = iota + 1 // to boots for the first time
	evMessage                         // message from→to; ref: sender's life, stamp: cuts of the link at departure
	evSelf                            // message of to to itself; ref: its life
	evRequest                         // ref: request slot, from a client; stamp as above
	evAnswer                          // ref: answer slot, to a client; stamp as above
	evAlarm                           // to's next timer; ref: generation
	evFlush                           // to's disk; ref: generation
	evDrain                           // to handles the next event held back by a pause; ref: generation
	evClient                          // to wakes up; ref: generation
	evTimeout                         // to's attempt may have timed out
	evArrival                         // open loop: the next operation arrives; ref: generation
	evStrike                          // fault ref strikes
	evEnd                             // fault ref ends
	evSubscriber                      // subscriber to acts; ref: generation
	evRestart                         // subscriber to crashes, or boots
	evAdmin                           // the operator asks for step ref of the plan
	evDiskFailed                      // to learns that an fsync failed; only among events held back
	evAttrition                       // fault ref may crash to; stamp: how often it was asked
	evRevive                          // to restarts after a crash by fault ref; stamp: its life
	evStrobe                          // the wall clocks of fault ref jump; stamp: how often they have
	evSwizzle                         // fault ref clogs to, or says that it is free again
	evFlap                            // partition ref opens or closes
	evPhase                           // phase ref begins
)

// payload is what happens. Its fields are read according to kind.
type payload struct {
	message  protocols.Message
	ref      uint32
	stamp    uint32
	to, from protocols.NodeID
	kind     eventKind
	says     protocols.Kind // kind of message
}

// queue holds the pending events. What pop takes leaves a hole at the root, which
// the next add fills: an event that schedules another costs one sift, not two.
type queue struct {
	heap   []key
	hole   bool // heap[0] has been taken
	slab   []payload
	free   []uint32 // slots to use again, last in first out
	seq    uint64
	causes []uint64 // by slot: which event scheduled it; kept only while tracing
	traced bool
}

// reset empties q and keeps its memory.
func (q *queue) reset(traced bool) {
	clear(q.slab)
	*q = queue{heap: q.heap[:0], slab: q.slab[:0], free: q.free[:0], causes: q.causes[:0], traced: traced}
}

// add schedules an event at t and returns its payload to be filled in at once.
// cause is the event that schedules it.
func (q *queue) add(t protocols.Time, cause uint64) *payload {
	var slot uint32
	if n := len(q.free); n > 0 {
		slot = q.free[n-1]
		q.free = q.free[:n-1]
	} else {
		slot = uint32(len(q.slab))
		if slot > slotMask {
			panic("sim: more than 2^24 events pending")
		}
		q.slab = append(q.slab, payload{})
		if q.traced {
			q.causes = append(q.causes, 0)
		}
	}
	if q.traced {
		q.causes[slot] = cause
	}
	q.seq++
	if q.seq>>seqBits != 0 {
		panic("sim: more than 2^40 events scheduled")
	}
	k := key{int64(t), q.seq<<slotBits | uint64(slot)}
	if q.hole {
		q.hole = false
		q.sink(k)
	} else {
		q.rise(k)
	}
	return &q.slab[slot]
}

// rise puts k where it belongs, from a new place at the end upwards.
func (q *queue) rise(k key) {
	q.heap = append(q.heap, k)
	h, i := q.heap, len(q.heap)-1
	for i > 0 {
		parent := (i - 1) >> 2
		if !k.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = k
}

// len returns how many events are pending.
func (q *queue) len() int {
	if q.hole {
		return len(q.heap) - 1
	}
	return len(q.heap)
}

// next returns the time of the earliest event, false when there is none.
func (q *queue) next() (protocols.Time, bool) {
	if q.hole {
		q.fill()
	}
	if len(q.heap) == 0 {
		return 0, false
	}
	return protocols.Time(q.heap[0].time), true
}

// fill closes the hole at the root with the last key.
func (q *queue) fill() {
	q.hole = false
	n := len(q.heap) - 1
	last := q.heap[n]
	q.heap = q.heap[:n]
	if n > 0 {
		q.sink(last)
	}
}

// pop removes the earliest event, which next has found, and returns its payload,
// to be copied before anything is added, and its cause.
func (q *queue) pop() (p *payload, cause uint64) {
	slot := uint32(q.heap[0].order & slotMask)
	q.hole = true
	q.free = append(q.free, slot)
	if q.traced {
		cause = q.causes[slot]
	}
	return &q.slab[slot], cause
}

// sink puts k where it belongs, from the hole at the root downwards.
func (q *queue) sink(k key) {
	h := q.heap
	n, i := len(h), 0
	c := 1 // the first child of i
	for ; c+4 <= n; c = 4*i + 1 {
		g := (*[4]key)(h[c : c+4 : c+4])
		j := first(g)
		m := &g[j&3]
		if !m.before(k) {
			h[i] = k
			return
		}
		h[i] = *m
		i = c + j
	}
	if c < n { // the last group, of less than four
		if c += firstOf(h[c:]); h[c].before(k) {
			h[i] = h[c]
			i = c
		}
	}
	h[i] = k
}

// first returns which of four siblings comes first. Which one does is as good as
// random, and a wrong guess of the processor costs more than the comparisons: so
// they go by time alone, in a form that compiles to conditional moves, and ties
// are left to branches that are hardly ever taken. It stays out of sink's loop,
// where the compiler runs out of registers and falls back to branches.
//
//go:noinline
func first(g *[4]key) int {
	x, t := 0, g[0].time
	if u := g[1].time; u < t {
		x, t = 1, u
	}
	y, v := 2, g[2].time
	if u := g[3].time; u < v {
		y, v = 3, u
	}
	if t == v || g[0].time == g[1].time || g[2].time == g[3].time {
		return firstOf(g[:])
	}
	if v < t {
		x = y
	}
	return x
}

// firstOf returns which key of g comes first.
func firstOf(g []key) int {
	x := 0
	for i := range g {
		if g[i].before(g[x]) {
			x = i
		}
	}
	return x
}
