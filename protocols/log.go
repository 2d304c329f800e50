package protocols

import (
	"fmt"
	"slices"
)

// chunkBits makes chunks of 256 entries: one allocation per 256 appends, and at
// most 256 entries to copy after a truncation.
const (
	chunkBits = 8
	chunkSize = 1 << chunkBits
	chunkMask = chunkSize - 1
)

// Log is a replica's log in memory: positions First..Last without gaps. It grows
// at the tail, is cut at the tail by conflicts and at the head by compaction.
// Entries are immutable once appended, and what [Log.View] has handed out never
// changes, whatever becomes of the log: that is why messages in flight may hold
// views. Logs share structure when forked.
//
// The zero value is an empty log whose next position is 1. A Log must not be
// copied by assignment and then changed; use [Log.Fork]. No method allocates
// except once per 256 appends, once after a truncation or fork, and in Fork.
type Log[E any] struct {
	// start is the position before the first one held.
	start Index
	// count is the number of positions held.
	count int
	// chunks hold the entries. Position p is slot (p-1)%chunkSize of chunk
	// (p-1)/chunkSize, counted from that of position start+1.
	chunks []*[chunkSize]E
	// shared says that slots of the last chunk behind the log's end may be seen by
	// a view or by a fork, so that the chunk is copied before the next append.
	shared bool
}

// First returns the first position held, or Last()+1 when the log is empty.
func (l *Log[E]) First() Index { return l.start + 1 }

// Last returns the last position. In an empty log it is the position before the
// first one to come.
func (l *Log[E]) Last() Index { return l.start + Index(l.count) }

// Len returns the number of positions held.
func (l *Log[E]) Len() int { return l.count }

// At returns the entry at i, which must not be changed. It panics outside
// First..Last: that is a bug of the caller.
func (l *Log[E]) At(i Index) *E {
	if uint64(i-l.start-1) >= uint64(l.count) {
		panic(outside{"At", i, l.start, l.count})
	}
	return &l.chunks[(i-1)>>chunkBits-l.start>>chunkBits][(i-1)&chunkMask]
}

// outside is the panic of a method that was asked for position at, which the log
// does not hold. It is a value, and worded late, so that At fits into its callers.
type outside struct {
	method    string
	at, start Index
	count     int
}

func (o outside) Error() string {
	return fmt.Sprintf("protocols: Log.%s(%d): the log holds %d..%d", o.method, o.at, o.start+1, o.start+Index(o.count))
}

// Append adds e and returns its position.
func (l *Log[E]) Append(e E) Index {
	slot := l.Last()
	if at := int(slot>>chunkBits - l.start>>chunkBits); at == len(l.chunks) {
		l.chunks = append(l.chunks, new([chunkSize]E))
		l.shared = false
	} else if l.shared {
		old := l.chunks[at]
		l.chunks[at] = new([chunkSize]E)
		copy(l.chunks[at][:slot&chunkMask], old[:])
		l.shared = false
	}
	l.chunks[len(l.chunks)-1][slot&chunkMask] = e
	l.count++
	return slot + 1
}

// View returns the entries from position from on: at least one if there is one,
// at most max, and fewer than max where a chunk ends. It is empty when from is
// above Last, and panics when from is below First. The slice is clipped and never
// changes.
func (l *Log[E]) View(from Index, max int) []E {
	if from <= l.start {
		panic(outside{"View", from, l.start, l.count})
	}
	if from > l.Last() || max <= 0 {
		return nil
	}
	low := int((from - 1) & chunkMask)
	n := chunkSize - low
	if left := l.Last() - from + 1; left < Index(n) {
		n = int(left)
	}
	if max < n {
		n = max
	}
	chunk := l.chunks[(from-1)>>chunkBits-l.start>>chunkBits]
	return chunk[low : low+n : low+n]
}

// TruncateFrom removes the positions from i on. It does nothing when i is above
// Last, and panics when i is below First.
func (l *Log[E]) TruncateFrom(i Index) {
	if i <= l.start {
		panic(outside{"TruncateFrom", i, l.start, l.count})
	}
	if i > l.Last() {
		return
	}
	l.count = int(i - l.start - 1)
	keep := 0
	if l.count > 0 {
		keep = int((i-2)>>chunkBits-l.start>>chunkBits) + 1
	}
	clear(l.chunks[keep:])
	l.chunks = l.chunks[:keep]
	l.shared = true
}

// CompactTo drops the positions up to and including i. It does nothing when they
// are gone already, and panics when i is above Last: [Log.Reset] jumps ahead.
func (l *Log[E]) CompactTo(i Index) {
	if i <= l.start {
		return
	}
	if i > l.Last() {
		panic(outside{"CompactTo", i, l.start, l.count})
	}
	drop := min(int(i>>chunkBits-l.start>>chunkBits), len(l.chunks))
	l.count -= int(i - l.start)
	l.chunks = slices.Delete(l.chunks, 0, drop)
	l.start = i
}

// Reset empties the log; the next position is start+1.
func (l *Log[E]) Reset(start Index) { *l = Log[E]{start: start} }

// Fork returns an independent log with the same entries. They are shared; what is
// appended to or cut from either log does not show in the other.
func (l *Log[E]) Fork() Log[E] {
	f := *l
	f.chunks = slices.Clone(l.chunks)
	f.shared = true // l goes on in the chunk; f will copy it
	return f
}
