// Package floor is what costs are measured against: the hold model of the
// literature on event queues, a bare queue with N pending events from which the
// earliest is taken and another put in, 1 to 2^20 ns later; and the clock that
// measures both sides.
package floor

// Floor is the bare event queue of the hold model: a 4-ary heap of 16-byte keys
// over a slab of payloads, and nothing else. It is the least that any event costs,
// and so the unit in which events of the engine are measured. It is a copy on
// purpose: if it called the engine's queue, a slower queue would hide in both
// sides of the ratio.
type Floor struct {
	heap []key
	slab []payload
	free []uint32
	seq  uint64
	draw uint64
}

type key struct {
	time  int64
	order uint64 // sequence number << 24 | slot
}

type payload struct{ to, argument uint64 }

// New returns a queue with n pending events.
func New(n int) *Floor {
	f := &Floor{draw: 88172645463325252}
	for i := range n {
		f.push(f.delay(), payload{to: uint64(i)})
	}
	return f
}

// Hold pops the earliest event and schedules another, n times. It returns a sum,
// so that no work can be left out.
func (f *Floor) Hold(n int) (sum uint64) {
	for range n {
		t, p := f.pop()
		p.argument++
		sum += p.argument ^ uint64(t)
		f.push(t+f.delay(), p)
	}
	return sum
}

// delay is uniform on 1..2^20 ns, by xorshift64.
func (f *Floor) delay() int64 {
	x := f.draw
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	f.draw = x
	return int64(x>>44) + 1
}

func (k key) before(l key) bool {
	return k.time < l.time || k.time == l.time && k.order < l.order
}

func (f *Floor) push(t int64, p payload) {
	var slot uint32
	if n := len(f.free); n > 0 {
		slot = f.free[n-1]
		f.free = f.free[:n-1]
	} else {
		slot = uint32(len(f.slab))
		f.slab = append(f.slab, payload{})
	}
	f.slab[slot] = p
	f.seq++
	k := key{t, f.seq<<24 | uint64(slot)}
	f.heap = append(f.heap, k)
	h, i := f.heap, len(f.heap)-1
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

func (f *Floor) pop() (int64, payload) {
	top := f.heap[0]
	n := len(f.heap) - 1
	last := f.heap[n]
	f.heap = f.heap[:n]
	if n > 0 {
		f.sink(last)
	}
	slot := uint32(top.order & (1<<24 - 1))
	f.free = append(f.free, slot)
	return top.time, f.slab[slot]
}

// sink moves the hole at the root down to where k belongs.
func (f *Floor) sink(k key) {
	h := f.heap
	n, i := len(h), 0
	for {
		c := 4*i + 1
		if c+4 <= n { // the full group, without bounds checks
			g := h[c : c+4 : c+4]
			m, j := g[0], 0
			if g[1].before(m) {
				m, j = g[1], 1
			}
			if g[2].before(m) {
				m, j = g[2], 2
			}
			if g[3].before(m) {
				m, j = g[3], 3
			}
			if !m.before(k) {
				break
			}
			h[i] = m
			i = c + j
			continue
		}
		if c >= n {
			break
		}
		least := c
		for j := c + 1; j < n; j++ {
			if h[j].before(h[least]) {
				least = j
			}
		}
		if !h[least].before(k) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = k
}
