package raft

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// A log of runs tells what a plain list of terms does.
func TestGhostLogAgainstList(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var l ghostLog
		var start protocols.Index
		var list []uint64
		for range 60 {
			switch r.IntN(8) {
			case 0:
				start, list = protocols.Index(r.IntN(5)), nil
				l.Reset(start)
			case 1, 2: // to before its start, too
				last := protocols.Index(r.IntN(len(list) + int(start) + 1))
				l.Truncate(last)
				if last < start+protocols.Index(len(list)) {
					list = list[:max(last, start)-start]
				}
			default:
				term, n := uint64(r.IntN(3)), 1+r.IntN(3)
				list = slices.Concat(list, slices.Repeat([]uint64{term}, n))
				l.Append(term, start+protocols.Index(len(list)))
			}
			if l.First() != start+1 || l.Last() != start+protocols.Index(len(list)) {
				t.Fatalf("got %d..%d, want %d..%d", l.First(), l.Last(), start+1, start+protocols.Index(len(list)))
			}
			for i, want := range list {
				if got, ok := l.runs.termAt(start + 1 + protocols.Index(i)); !ok || got != want {
					t.Fatalf("index %d of %v: got term %d, %v; want %d", i, list, got, ok, want)
				}
			}
			if got, ok := l.runs.termAt(l.Last() + 1); ok {
				t.Fatalf("got term %d behind the log, want none", got)
			}
		}
	}
}
