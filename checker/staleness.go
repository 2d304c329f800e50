package checker

import (
	"cmp"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// staleness measures how far answers lag. A write is newer than a version if it was
// called after that had been acknowledged; what a read lacks are the newer writes
// that had been acknowledged before it was called.
func (s *sessionScan) staleness() Staleness {
	out := Staleness{Decided: true}
	byCall := make([][]int32, s.cells)   // versions of each cell, by call
	byReturn := make([][]int32, s.cells) // those that were acknowledged, by return
	for v := range s.versions {
		w := &s.versions[v]
		if w.op >= 0 && w.ret != after {
			byCall[w.key] = append(byCall[w.key], int32(v))
			byReturn[w.key] = append(byReturn[w.key], int32(v))
		}
	}
	reads := make([][]int32, s.cells) // operations that show a version, by call
	for i := range s.history {
		if r := s.reads[i]; r >= 0 && s.history[i].Outcome == protocols.Done {
			reads[s.versions[r].key] = append(reads[s.versions[r].key], int32(i))
		}
	}
	for cell := range s.cells {
		calls, returns, looks := byCall[cell], byReturn[cell], reads[cell]
		slices.SortStableFunc(calls, func(a, b int32) int { return cmp.Compare(s.versions[a].call, s.versions[b].call) })
		slices.SortStableFunc(returns, func(a, b int32) int { return cmp.Compare(s.versions[a].ret, s.versions[b].ret) })
		slices.SortStableFunc(looks, func(a, b int32) int { return cmp.Compare(s.history[a].Call, s.history[b].Call) })
		s.staleCell(calls, returns, looks, &out)
	}
	return out
}

// staleCell measures one cell: a Fenwick tree over calls counts the writes that
// were acknowledged so far.
func (s *sessionScan) staleCell(calls, returns, looks []int32, out *Staleness) {
	rank := make(map[int32]int, len(calls)) // looked up, never ranged over
	first := make([]int32, len(calls)+1)    // of the writes called from here on: the one acknowledged first
	first[len(calls)] = noValue
	for n := len(calls) - 1; n >= 0; n-- {
		rank[calls[n]] = n
		first[n] = calls[n]
		if next := first[n+1]; next >= 0 && s.versions[next].ret < s.versions[calls[n]].ret {
			first[n] = next
		}
	}
	tree := make([]int64, len(calls)+1)
	acknowledged := int64(0)
	for _, i := range looks {
		op := &s.history[i]
		for int(acknowledged) < len(returns) && s.versions[returns[acknowledged]].ret < op.Call {
			for k := rank[returns[acknowledged]] + 1; k < len(tree); k += k & -k {
				tree[k]++
			}
			acknowledged++
		}
		ret := s.versions[s.reads[i]].ret
		from, _ := slices.BinarySearchFunc(calls, ret, func(v int32, ret int64) int {
			if s.versions[v].call <= ret {
				return -1
			}
			return 1
		})
		older := int64(0)
		for k := from; k > 0; k -= k & -k {
			older += tree[k]
		}
		out.Reads++
		if lacks := acknowledged - older; lacks > 0 {
			out.Stale++
			out.Versions = max(out.Versions, lacks)
			out.Nanoseconds = max(out.Nanoseconds, int64(op.Began.Sub(s.versions[first[from]].ended)))
		}
	}
}
