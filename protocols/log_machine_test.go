package protocols

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// sliced is the log as a plain slice: position start+1+i is entries[i].
type sliced struct {
	start   Index
	entries []int
}

// logPair is a log and what it should hold.
type logPair struct {
	log   Log[int]
	model sliced
}

// view is one that was handed out, with what it showed then.
type view struct{ shown, copied []int }

// logWalk does the same to logs and slices. Forks of a log go on beside it, and
// views of any of them are kept to the end.
type logWalk struct {
	logs  []*logPair
	views []view
	next  int // the value to append
}

func (m *logWalk) pick(t *rapid.T) *logPair {
	return m.logs[rapid.IntRange(0, len(m.logs)-1).Draw(t, "log")]
}

// Append adds up to a little more than a chunk.
func (m *logWalk) Append(t *rapid.T) {
	p := m.pick(t)
	for range rapid.IntRange(1, chunkSize+2).Draw(t, "n") {
		m.next++
		if at, want := p.log.Append(m.next), p.model.start+1+Index(len(p.model.entries)); at != want {
			t.Fatalf("appended at %d, want %d", at, want)
		}
		p.model.entries = append(p.model.entries, m.next)
	}
}

func (m *logWalk) Truncate(t *rapid.T) {
	p := m.pick(t)
	keep := rapid.IntRange(0, len(p.model.entries)).Draw(t, "keep")
	p.log.TruncateFrom(p.model.start + 1 + Index(keep))
	p.model.entries = slices.Clone(p.model.entries[:keep])
}

func (m *logWalk) Compact(t *rapid.T) {
	p := m.pick(t)
	drop := rapid.IntRange(0, len(p.model.entries)).Draw(t, "drop")
	p.log.CompactTo(p.model.start + Index(drop))
	p.model = sliced{p.model.start + Index(drop), slices.Clone(p.model.entries[drop:])}
}

func (m *logWalk) Reset(t *rapid.T) {
	p := m.pick(t)
	p.model = sliced{start: p.model.start + Index(rapid.IntRange(0, 3*chunkSize).Draw(t, "ahead"))}
	p.log.Reset(p.model.start)
}

func (m *logWalk) Fork(t *rapid.T) {
	p := m.pick(t)
	fork := &logPair{p.log.Fork(), sliced{p.model.start, slices.Clone(p.model.entries)}}
	if len(m.logs) < 3 {
		m.logs = append(m.logs, fork)
	} else {
		*m.pick(t) = *fork
	}
}

func (m *logWalk) View(t *rapid.T) {
	p := m.pick(t)
	from := rapid.IntRange(0, len(p.model.entries)).Draw(t, "from")
	most := rapid.IntRange(0, chunkSize*2).Draw(t, "most")
	shown := p.log.View(p.model.start+1+Index(from), most)
	if len(shown) > most || len(shown) == 0 && most > 0 && from < len(p.model.entries) || cap(shown) != len(shown) {
		t.Fatalf("a view of at most %d from %d of %d holds %d, with room for %d", most, from, len(p.model.entries), len(shown), cap(shown))
	}
	m.views = append(m.views, view{shown, slices.Clone(shown)})
}

// Check compares all logs, and all views that were handed out.
func (m *logWalk) Check(t *rapid.T) {
	for _, p := range m.logs {
		last := p.model.start + Index(len(p.model.entries))
		if p.log.First() != p.model.start+1 || p.log.Last() != last || p.log.Len() != len(p.model.entries) {
			t.Fatalf("the log is %d..%d with %d entries, want %d..%d", p.log.First(), p.log.Last(), p.log.Len(), p.model.start+1, last)
		}
		var all []int
		for from := p.log.First(); from <= last; from = p.model.start + 1 + Index(len(all)) {
			all = append(all, p.log.View(from, chunkSize)...)
		}
		if !slices.Equal(all, p.model.entries) {
			t.Fatalf("views give other entries than were appended: %d of %d", len(all), len(p.model.entries))
		}
		for i := 0; i < len(all); i += 1 + len(all)/8 {
			if got := *p.log.At(p.model.start + 1 + Index(i)); got != all[i] {
				t.Fatalf("entry %d is %d, want %d", i, got, all[i])
			}
		}
	}
	for _, v := range m.views {
		if !slices.Equal(v.shown, v.copied) {
			t.Fatal("a view changed after it was handed out")
		}
	}
}

func TestLogMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		t.Repeat(rapid.StateMachineActions(&logWalk{logs: []*logPair{{}}}))
	})
}
