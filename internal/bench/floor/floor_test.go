package floor

import (
	"slices"
	"testing"
)

// TestFloorIsAQueue: the floor must do honest work, or every ratio is wrong.
func TestFloorIsAQueue(t *testing.T) {
	f := New(1000)
	var want []int64
	for _, k := range f.heap {
		want = append(want, k.time)
	}
	slices.Sort(want)
	for i, w := range want {
		if got, _ := f.pop(); got != w {
			t.Fatalf("event %d of 1000: got time %d, want %d", i, got, w)
		}
	}
	f = New(64)
	last := int64(0)
	for range 10_000 {
		at, p := f.pop()
		if at < last {
			t.Fatalf("time goes back from %d to %d", last, at)
		}
		last = at
		f.push(at+f.delay(), p)
	}
	if len(f.heap) != 64 {
		t.Errorf("pending: got %d, want 64", len(f.heap))
	}
}
