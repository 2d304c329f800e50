package protocols

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// model is the log as a plain slice: position start+1+i is entries[i].
type model struct {
	start   Index
	entries []int
}

func (m *model) fork() *model { return &model{m.start, slices.Clone(m.entries)} }

// held is a view that was handed out, with what it showed then.
type held struct{ view, copy []int }

type logPair struct {
	log   Log[int]
	model *model
}

func (p *logPair) check(t *testing.T) {
	t.Helper()
	m := p.model
	last := m.start + Index(len(m.entries))
	if p.log.First() != m.start+1 || p.log.Last() != last || p.log.Len() != len(m.entries) {
		t.Fatalf("log is %d..%d with %d entries, want %d..%d", p.log.First(), p.log.Last(), p.log.Len(), m.start+1, last)
	}
}

func (p *logPair) checkAll(t *testing.T) {
	t.Helper()
	p.check(t)
	for i, want := range p.model.entries {
		if got := *p.log.At(p.model.start + 1 + Index(i)); got != want {
			t.Fatalf("entry %d is %d, want %d", p.model.start+1+Index(i), got, want)
		}
	}
	var all []int
	for from := p.log.First(); from <= p.log.Last(); {
		view := p.log.View(from, chunkSize*2)
		all = append(all, view...)
		from += Index(len(view))
	}
	if !slices.Equal(all, p.model.entries) {
		t.Fatalf("views give %d entries, want %d", len(all), len(p.model.entries))
	}
}

func (p *logPair) step(r *rand.Rand, next *int, views *[]held) (fork *logPair) {
	m := p.model
	n := len(m.entries)
	switch r.IntN(12) {
	case 0, 1, 2, 3, 4:
		for range r.IntN(chunkSize) {
			*next++
			p.log.Append(*next)
			m.entries = append(m.entries, *next)
		}
	case 5, 6:
		cut := r.IntN(min(n, 600) + 1)
		p.log.TruncateFrom(m.start + 1 + Index(n-cut))
		m.entries = m.entries[:n-cut]
	case 7:
		drop := r.IntN(n + 1)
		p.log.CompactTo(m.start + Index(drop))
		m.start, m.entries = m.start+Index(drop), m.entries[drop:]
	case 8:
		if r.IntN(10) == 0 {
			m.start, m.entries = m.start+Index(r.IntN(1000)), nil
			p.log.Reset(m.start)
		}
	case 9:
		return &logPair{p.log.Fork(), m.fork()}
	default:
		from := m.start + 1 + Index(r.IntN(n+1))
		view := p.log.View(from, r.IntN(chunkSize*2))
		*views = append(*views, held{view, slices.Clone(view)})
	}
	return nil
}

func TestLogAgainstASlice(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		logs := []*logPair{{model: &model{}}}
		var views []held
		next := 0
		for range 300 {
			at := r.IntN(len(logs))
			if fork := logs[at].step(r, &next, &views); fork != nil {
				if len(logs) < 4 {
					logs = append(logs, fork)
				} else {
					logs[at] = fork
				}
			}
			logs[at].check(t)
		}
		for _, p := range logs {
			p.checkAll(t)
		}
		for _, h := range views {
			if !slices.Equal(h.view, h.copy) {
				t.Fatalf("seed %d: a view changed after it was handed out", seed)
			}
		}
	}
}

func TestLogViewIsClippedAndEndsAtAChunk(t *testing.T) {
	var l Log[int]
	for i := range 3 * chunkSize {
		l.Append(i)
	}
	view := l.View(chunkSize-1, 10)
	if len(view) != 2 || cap(view) != 2 {
		t.Errorf("View before a chunk's end has length %d and capacity %d, want 2 and 2", len(view), cap(view))
	}
	if view := l.View(5, 3); len(view) != 3 || cap(view) != 3 {
		t.Errorf("View(5, 3) has length %d and capacity %d, want 3 and 3", len(view), cap(view))
	}
	if view := l.View(l.Last()+1, 3); len(view) != 0 {
		t.Errorf("View after the end has %d entries", len(view))
	}
}

func TestLogPanicsOutside(t *testing.T) {
	var l Log[int]
	for range 10 {
		l.Append(1)
	}
	l.CompactTo(4)
	for name, call := range map[string]func(){
		"At":           func() { l.At(4) },
		"At(11)":       func() { l.At(11) },
		"View":         func() { l.View(4, 1) },
		"TruncateFrom": func() { l.TruncateFrom(4) },
		"CompactTo":    func() { l.CompactTo(11) },
	} {
		text := panicText(call)
		if !strings.Contains(text, "Log."+name[:2]) || !strings.Contains(text, "5..10") {
			t.Errorf("%s outside panics with %q, want its name and what is held", name, text)
		}
	}
}

func panicText(call func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	call()
	return ""
}

func TestLogAllocatesOncePerChunk(t *testing.T) {
	var l Log[[6]int64]
	allocs := testing.AllocsPerRun(100, func() {
		for range chunkSize {
			l.Append([6]int64{})
		}
		l.View(l.Last()-5, 5)
		l.At(l.Last())
		l.CompactTo(l.Last() - 10)
	})
	if allocs > 1.2 {
		t.Errorf("%v allocations per %d appends, want 1", allocs, chunkSize)
	}
}

func BenchmarkLogAppendViewCompact(b *testing.B) {
	var l Log[[6]int64]
	for range b.N {
		i := l.Append([6]int64{1})
		l.View(i, 10)
		if i%4096 == 0 {
			l.CompactTo(i - 100)
		}
	}
}
