package protocols

import (
	"fmt"
	"strings"
	"testing"
)

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
	defer func() { text = fmt.Sprint(recover()) }()
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
