package protocols

import "testing"

type sized struct{ Filler [100]byte }

func (*sized) Size() int { return 7 }

func TestWireSize(t *testing.T) {
	seven := int64(7)
	for _, c := range []struct {
		name string
		v    any
		want int
	}{
		{"int is 8 on every machine", struct{ A int }{}, 8},
		{"uint and uintptr", struct {
			A uint
			B uintptr
		}{}, 16},
		{"no padding", struct {
			A bool
			B uint64
			C int16
		}{}, 11},
		{"slice", struct{ A []uint32 }{[]uint32{1, 2, 3}}, 16},
		{"nil slice", struct{ A []uint32 }{}, 4},
		{"string", struct{ A string }{"abc"}, 7},
		{"unexported", struct{ s NodeSet }{}, 16},
		{"array", struct{ A [3]int32 }{}, 12},
		{"nil pointer", struct{ A *int64 }{}, 1},
		{"pointer", struct{ A *int64 }{&seven}, 9},
		{"interface", struct{ A any }{seven}, 9},
		{"nil interface", struct{ A any }{}, 1},
		{"pointer to message", &ping{Entries: []int64{1}, Text: "ab"}, 8 + 12 + 1 + 1 + 1 + 16 + 6 + 8 + 4 + 16},
		{"nil message", (*ping)(nil), 0},
		{"nothing", nil, 0},
		{"command", Command{}, 2 + 1 + 1 + 4 + 8 + 8 + 8},
		{"sized", &sized{}, 7},
	} {
		if got := WireSize(c.v); got != c.want {
			t.Errorf("%s: got %d bytes, want %d", c.name, got, c.want)
		}
	}
	if got := ReflectedSize(&sized{}); got != 100 {
		t.Errorf("by reflection: got %d bytes, want 100", got)
	}
	if text := panicText(func() { WireSize(struct{ M map[int]int }{}) }); text == "" {
		t.Error("a map in a message did not panic")
	}
}

func TestMixIsPinned(t *testing.T) {
	// SplitMix64 from seed 0 gives 0xe220a8397b1dcdaf first.
	if got := Mix64(0x9e3779b97f4a7c15); got != 0xe220a8397b1dcdaf {
		t.Errorf("Mix64 = %#x, want the first output of SplitMix64 from seed 0", got)
	}
	if got, want := Fold(HashSeed, 1), uint64(0x6edf89d43681e81f); got != want {
		t.Errorf("Fold = %#x, want %#x", got, want)
	}
	if Fold(Fold(HashSeed, 1), 2) == Fold(Fold(HashSeed, 2), 1) {
		t.Error("Fold: order does not matter")
	}
	for small := range uint64(64) {
		for x := range small {
			if Fold(small, x) == Fold(x, small) || Fold(small, small) == Fold(x, x) {
				t.Errorf("Fold: %d and %d cancel each other", small, x)
			}
		}
	}
	if (Command{Seq: 1}).Hash() == (Command{Arg: 1}).Hash() {
		t.Error("different commands have equal hashes")
	}
}
