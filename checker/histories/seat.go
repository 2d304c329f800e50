package histories

import "github.com/lockstep-sim/lockstep/protocols"

// seat gives appends that answered no position the one that reads imply, for the
// log check of package checker: an append that the longest read of its key shows
// has its place there; the others come after it, in the order of their calls. No
// other places can be right: the order of what is shown is given, what is not shown
// by the longest read cannot stand before its end, and among the others the order
// of calls contradicts no real time. It reports false, and changes nothing, if a
// value is appended twice to one key, or a read shows less than the whole.
func (r *reader) seat() bool {
	type element struct {
		key   protocols.Key
		value int64
	}
	longest := map[protocols.Key][]protocols.Value{} // looked up, never ranged over
	appended := make(map[element]bool, r.writes)     // likewise
	for i := range r.Operations {
		op := &r.Operations[i]
		switch {
		case op.Outcome == protocols.Failed:
		case op.Op == protocols.AppendTo:
			if appended[element{op.Key, op.Arg}] {
				return false
			}
			appended[element{op.Key, op.Arg}] = true
		case op.Outcome == protocols.Done && int64(len(op.List)) != int64(op.Value):
			return false // a read of a part of the log
		case len(op.List) > len(longest[op.Key]):
			longest[op.Key] = op.List
		}
	}
	place := make(map[element]int64, len(appended)) // looked up, never ranged over
	seated := map[protocols.Key]bool{}              // likewise
	last := map[protocols.Key]int64{}               // likewise
	for i := range r.Operations {
		op := &r.Operations[i]
		if op.Op != protocols.AppendTo || op.Outcome != protocols.Done {
			continue
		}
		if !seated[op.Key] {
			seated[op.Key] = true
			last[op.Key] = int64(len(longest[op.Key]))
			for k, v := range longest[op.Key] {
				if e := (element{op.Key, int64(v)}); place[e] == 0 {
					place[e] = int64(k + 1)
				}
			}
		}
		at := place[element{op.Key, op.Arg}]
		if at == 0 {
			last[op.Key]++
			at = last[op.Key]
		}
		op.Value = protocols.Value(at)
	}
	return true
}
