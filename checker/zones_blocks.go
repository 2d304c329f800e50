package checker

import "math"

// walkChains makes a block of every chain and checks the order inside it. What no
// chain reaches stands in a circle, in which each value was seen by its own past.
func (z *zones) walkChains() {
	z.makeRoom()
	reached, kept := 0, 0
	open := int32(noValue)
	for i := range z.clusters {
		c := &z.clusters[i]
		if !c.kept {
			continue
		}
		kept++
		if i == 0 && z.deletes {
			reached++
		}
		if !z.isHead(int32(i)) {
			continue
		}
		b, last, n := z.walk(int32(i))
		if z.found != nil {
			return
		}
		reached += n
		if z.deletes && !z.clusters[last].absent {
			if open != noValue {
				z.failTwoOpen(open, last)
				return
			}
			open, b.hi = last, math.MaxInt64
		}
		z.addBlock(b)
	}
	if reached < kept {
		z.failCircle()
		return
	}
	if z.deletes {
		z.addAbsentReads()
	}
}

// walk scans one chain in its forced order: an operation must not have returned
// before one that stands earlier was called. Reads of one value are free among
// themselves.
func (z *zones) walk(head int32) (b block, last int32, n int) {
	b = block{lo: after, hi: before, head: head}
	for i := head; i != noValue; i = z.clusters[i].succ {
		c := &z.clusters[i]
		if c.ret < b.hi {
			z.failInside(head, int32(n)+1, c.ret, false)
			return b, i, n
		}
		b.hi = max(b.hi, c.call)
		if c.readsReturn < b.hi {
			z.failInside(head, int32(n)+1, c.readsReturn, true)
			return b, i, n
		}
		b.hi = max(b.hi, c.readsCall)
		b.lo = min(b.lo, c.ret, c.readsReturn)
		last = i
		n++
	}
	return b, last, n
}

func (z *zones) addAbsentReads() {
	for i := range z.p.ops {
		op := z.p.at(i)
		if !writesValue(op) && op.Value == 0 {
			z.addBlock(block{lo: op.Return, hi: op.Call, head: -1 - int32(i)})
		}
	}
}

// addBlock puts forward zones to the front and backward zones to the back of one
// slice.
func (z *zones) addBlock(b block) {
	switch {
	case b.hi == before: // the initial value, which nobody saw
	case b.lo < b.hi:
		z.blocks[z.forward] = b
		z.forward++
	default:
		z.backward++
		z.blocks[len(z.blocks)-z.backward] = b
	}
}

// makeRoom makes place for the blocks that there can be.
func (z *zones) makeRoom() {
	n := 0
	for i := range z.clusters {
		if z.isHead(int32(i)) {
			n++
		}
	}
	if z.deletes {
		n += len(z.p.ops) // reads of absence; rarely many
	}
	z.blocks = make([]block, n)
}

// isHead reports whether a chain begins at a cluster.
func (z *zones) isHead(i int32) bool {
	c := &z.clusters[i]
	switch {
	case !c.kept:
		return false
	case i == 0:
		return !z.deletes
	}
	return c.pred < 0 || c.pred == 0 && z.deletes
}

// compareBlocks looks for two blocks that exclude each other both ways: forward
// zones that overlap, or a backward zone inside a forward one. Touching ends are
// allowed.
func (z *zones) compareBlocks() {
	f := z.sortForward()
	for i := 1; i < len(f); i++ {
		if f[i].lo < f[i-1].hi {
			z.failBlocks(f[i-1], f[i])
			return
		}
	}
	for _, b := range z.blocks[len(z.blocks)-z.backward:] {
		// The last forward zone that begins before b does. One look suffices, as
		// forward zones are disjoint.
		low, high := 0, len(f)
		for low < high {
			if mid := int(uint(low+high) >> 1); f[mid].lo < b.hi {
				low = mid + 1
			} else {
				high = mid
			}
		}
		if low > 0 && b.lo < f[low-1].hi {
			z.failBlocks(f[low-1], b)
			return
		}
	}
}

// sortForward sorts the forward zones by their beginnings. The block of the
// initial value, if there is one, is the first found and begins before all
// others; it would stretch the range of the keys to all of 64 bits.
func (z *zones) sortForward() []block {
	forward := z.blocks[:z.forward]
	rest := forward
	if len(rest) > 0 && rest[0].lo == before {
		rest = rest[1:]
	}
	items := make([]sortable, len(rest))
	for i, b := range rest {
		items[i] = sortable{uint64(b.lo), int32(i)}
	}
	items = radixSort(items, make([]sortable, len(items)))
	permute(rest, items)
	return forward
}

// permute puts blocks in the order of items, in place: it follows each cycle of
// the permutation once and marks what it has moved.
func permute(blocks []block, items []sortable) {
	for i := range items {
		if items[i].item < 0 {
			continue
		}
		first := blocks[i]
		at := int32(i)
		for {
			from := items[at].item
			items[at].item = -1
			if from == int32(i) {
				blocks[at] = first
				break
			}
			blocks[at] = blocks[from]
			at = from
		}
	}
}
