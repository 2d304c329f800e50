package protocols

import "fmt"

// chunkSize is how many entries one chunk of a Log holds.
const chunkSize = 256

// Log is the replicated log of one replica: entries at consecutive positions,
// appended at the tail, truncated at the tail, compacted at the head. It is kept
// in chunks, so that it grows without copying and so that a view of it can be
// put into a message without copying either. The zero value is an empty log
// whose first entry will get position 1.
type Log[E any] struct {
	chunks [][]E // chunk i holds positions base+i*chunkSize+1 …; all but the last are full
	base   Index // position before the first slot of chunks[0]
	start  Index // position before the first entry held; start-base < chunkSize
	last   Index
	shared bool // the last chunk may be seen by a fork: copy before appending
}

// First returns the first position held; Last()+1 when the log is empty.
func (l *Log[E]) First() Index { return l.start + 1 }

// Last returns the last position; First()-1 when the log is empty.
func (l *Log[E]) Last() Index { return l.last }

// Len returns how many entries are held.
func (l *Log[E]) Len() int { return int(l.last - l.start) }

// At returns the entry at position i, which must be held. The entry must not be
// changed through the pointer.
func (l *Log[E]) At(i Index) *E {
	if i <= l.start || i > l.last {
		panic(fmt.Sprintf("protocols: log position %d outside %d..%d", i, l.start+1, l.last))
	}
	slot := i - l.base - 1
	return &l.chunks[slot/chunkSize][slot%chunkSize]
}

// Append adds e at the tail and returns its position.
func (l *Log[E]) Append(e E) Index {
	slot := int((l.last - l.base) % chunkSize)
	if slot == 0 {
		l.chunks = append(l.chunks, make([]E, 0, chunkSize))
		l.shared = false
	} else if l.shared {
		l.ownTail(slot)
	}
	tail := &l.chunks[len(l.chunks)-1]
	*tail = append(*tail, e)
	l.last++
	return l.last
}

// ownTail replaces the last chunk by a copy of its first n entries, so that views
// and forks of the old one never change.
func (l *Log[E]) ownTail(n int) {
	tail := len(l.chunks) - 1
	fresh := make([]E, n, chunkSize)
	copy(fresh, l.chunks[tail])
	l.chunks[tail] = fresh
	l.shared = false
}

// View returns entries from position from on, at most max of them. It never
// changes, whatever becomes of the log. It may be shorter than asked, since it
// ends where a chunk ends; it is empty when from is after the last position.
func (l *Log[E]) View(from Index, max int) []E {
	if from > l.last || max <= 0 {
		return nil
	}
	l.At(from) // asserts that it is held
	slot := from - l.base - 1
	chunk := l.chunks[slot/chunkSize]
	lo := int(slot % chunkSize)
	hi := min(len(chunk), lo+max)
	return chunk[lo:hi:hi]
}

// TruncateFrom removes position i and everything after it. Positions that are
// not held are ignored.
func (l *Log[E]) TruncateFrom(i Index) {
	if i > l.last {
		return
	}
	i = max(i, l.start+1)
	l.last = i - 1
	slots := int(l.last - l.base)
	keep := (slots + chunkSize - 1) / chunkSize
	clear(l.chunks[keep:])
	l.chunks = l.chunks[:keep]
	if n := slots % chunkSize; n != 0 {
		l.ownTail(n)
	}
}

// CompactTo drops everything up to and including position i.
func (l *Log[E]) CompactTo(i Index) {
	if i <= l.start {
		return
	}
	if i >= l.last {
		l.Reset(max(i, l.last))
		return
	}
	l.start = i
	if drop := int((l.start - l.base) / chunkSize); drop > 0 {
		l.chunks = append([][]E(nil), l.chunks[drop:]...)
		l.base += Index(drop * chunkSize)
	}
}

// Reset empties the log; the next entry gets position start+1.
func (l *Log[E]) Reset(start Index) { *l = Log[E]{base: start, start: start, last: start} }

// Fork returns a log with the same entries. What is done to either is never seen
// in the other. It shares all full chunks.
func (l *Log[E]) Fork() Log[E] {
	f := *l
	f.chunks = append([][]E(nil), l.chunks...)
	l.shared, f.shared = true, true
	return f
}
