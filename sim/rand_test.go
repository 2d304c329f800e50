package sim

import (
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

// Draw k of a stream is a pure function of (seed, stream, k): whatever else is
// drawn, in whatever order, it is the same.
func TestDrawsArePure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, name := rapid.Uint64().Draw(t, "seed"), rapid.Uint64().Draw(t, "stream")
		ks := rapid.SliceOfN(rapid.Uint64Range(0, 1000), 1, 20).Draw(t, "k")
		forward := stream{base: streamBase(seed, name)}
		inOrder := make([]uint64, 1001)
		for k := range inOrder {
			inOrder[k] = forward.next()
		}
		for _, k := range ks {
			_ = at(seed, name+1, k) // a draw of another stream in between
			if got := at(seed, name, k); got != inOrder[k] {
				t.Fatalf("draw %d is %x by itself and %x in order", k, got, inOrder[k])
			}
		}
	})
}

func TestStreamsOfPurposesDiffer(t *testing.T) {
	seen := map[base]bool{}
	for p := ofLink; p <= ofNonce; p++ {
		for entity := range uint64(200) {
			seen[streamOf(7, p, entity)] = true
		}
	}
	for id := range uint64(200) {
		seen[streamOf(7, ofFault, id)] = true
	}
	if want := 200 * (int(ofNonce) + 1); len(seen) != want {
		t.Errorf("%d different streams, want %d", len(seen), want)
	}
}

// Neighbouring counters and streams differ in half of their bits.
func TestAvalanche(t *testing.T) {
	flips := 0
	const n = 10_000
	for k := range uint64(n) {
		flips += bits.OnesCount64(at(1, 2, k) ^ at(1, 2, k+1))
		flips += bits.OnesCount64(at(1, k, 5) ^ at(1, k+1, 5))
	}
	if mean := flips * 100 / (2 * n); mean < 3170 || mean > 3230 {
		t.Errorf("neighbours differ in %d.%02d bits, want 32", mean/100, mean%100)
	}
}

func TestBelow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Min(1).Draw(t, "n")
		if got := below(rapid.Uint64().Draw(t, "u"), n); got >= n {
			t.Fatalf("%d is not below %d", got, n)
		}
	})
	var counts [10]int
	for k := range uint64(100_000) {
		counts[below(at(3, 4, k), 10)]++
	}
	for i, c := range counts {
		if c < 9_500 || c > 10_500 {
			t.Errorf("%d came %d times of 100000, want about 10000", i, c)
		}
	}
	if below(0, 10) != 0 || below(1<<64-1, 10) != 9 {
		t.Error("the ends of the range are not reached")
	}
}
