package checker

import (
	"fmt"
	"math"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The log check: appends answer their position, so the order is given, and one
// scan compares it with real time. Between appends k and k+1 (positions from 1)
// stand the reads that saw length k. A position that no answered append got
// belongs to an append with unknown outcome: to the one of that value if a read
// showed it, otherwise to the one called earliest of those not needed elsewhere,
// which is never worse, as none of them returned.

// slot is one position of the log, and the reads of the length that ends there.
type slot struct {
	readsReturn int64 // earliest return of a read of this length
	readsCall   int64 // latest call of one
	call, ret   int64 // of the append that got the position
	append      int32 // that append; -1: none known
	shown       int32 // the first read that showed its content; -1: none
	value       protocols.Value
}

// logScan is the working memory of the check.
type logScan struct {
	p       *Part
	slots   []slot // 0 is the empty log
	unknown []sortable
	used    []bool // of unknown
	found   *conflict
}

// checkLog runs the log check on a part of the log machine. It does not apply if
// reads show contents and two appends with unknown outcome have the same value.
func (p *Part) checkLog() (fastResult, *conflict) {
	if p.kind != logMachine || p.opt.Blind {
		return notApplicable, nil
	}
	s := logScan{p: p}
	if p.opt.Seated {
		if s.unseated(); s.found != nil {
			return fails, s.found
		}
	}
	s.place()
	if s.found == nil && !s.assign() {
		return notApplicable, nil
	}
	if s.found == nil {
		s.scan()
	}
	if s.found == nil {
		return holds, nil
	}
	if p.opt.Seated {
		s.nameSource()
	}
	return fails, s.found
}

// place puts appends at their positions, reads at their lengths, and what reads
// showed at its positions.
func (s *logScan) place() {
	s.slots = make([]slot, s.p.writes+1)
	for i := range s.slots {
		s.slots[i] = slot{readsReturn: after, readsCall: before, append: -1, shown: -1}
	}
	for i := range s.p.ops {
		op := s.p.at(i)
		if op.Outcome == protocols.Unknown {
			s.unknown = append(s.unknown, sortable{uint64(op.Call), int32(i)})
			continue
		}
		switch {
		case int64(op.Value) >= int64(len(s.slots)):
			s.fail(fmt.Sprintf("there were only %d appends", s.p.writes), int32(i))
		case op.Value < 0 || op.Value == 0 && op.Op == protocols.AppendTo:
			s.fail("no log has such a position or length", int32(i))
		case op.Op == protocols.AppendTo:
			s.placeAppend(int32(i), op)
		case !listFits(op):
			s.fail("its list does not have as many entries as its length and limits ask for", int32(i))
		default:
			at := &s.slots[op.Value]
			at.readsReturn, at.readsCall = min(at.readsReturn, op.Return), max(at.readsCall, op.Call)
			for k, v := range op.List {
				s.show(int32(i), firstRead(op)+int64(k), v)
			}
		}
		if s.found != nil {
			return
		}
	}
}

func (s *logScan) placeAppend(i int32, op *protocols.Operation) {
	at := &s.slots[op.Value]
	v := protocols.Value(op.Arg)
	switch {
	case at.append >= 0:
		s.fail("both got the same position", at.append, i)
	case at.shown >= 0 && at.value != v:
		s.failContent(int64(op.Value), at, at.shown, i, v)
	default:
		at.append, at.call, at.ret, at.value = i, op.Call, op.Return, v
	}
}

// show compares what read i showed at position k with what is known of it.
func (s *logScan) show(i int32, k int64, v protocols.Value) {
	at := &s.slots[k]
	if other := max(at.append, at.shown); other >= 0 && v != at.value {
		s.failContent(k, at, other, i, v)
		return
	}
	if at.shown < 0 {
		at.shown, at.value = i, v
	}
}

func (s *logScan) failContent(k int64, at *slot, other, i int32, v protocols.Value) {
	s.fail(fmt.Sprintf("position %d holds %s for the one and %s for the other", k, s.p.value(int64(at.value)), s.p.value(int64(v))), other, i)
}

// assign gives the positions whose content was shown, but which no answered
// append got, to the unknown appends of their values. It reports false if those
// values are not unique.
func (s *logScan) assign() bool {
	s.unknown = radixSort(s.unknown, make([]sortable, len(s.unknown)))
	s.used = make([]bool, len(s.unknown))
	var index valueIndex
	ready := false
	for k := range s.slots {
		at := &s.slots[k]
		if at.shown < 0 || at.append >= 0 {
			continue
		}
		if !ready {
			if !s.indexUnknown(&index) {
				return false
			}
			ready = true
		}
		u := index.find(int64(at.value))
		if u < 0 || s.used[u] {
			s.fail(fmt.Sprintf("no append that could have put %s at position %d is left", s.p.value(int64(at.value)), k), at.shown)
			return true
		}
		s.take(at, u)
	}
	return true
}

// take gives a position to unknown append u.
func (s *logScan) take(at *slot, u int32) {
	at.append, at.call, at.ret = s.unknown[u].item, int64(s.unknown[u].key), after
	s.used[u] = true
}

func (s *logScan) indexUnknown(index *valueIndex) bool {
	smallest, largest := int64(0), int64(0)
	for _, u := range s.unknown {
		v := s.p.at(int(u.item)).Arg
		smallest, largest = min(smallest, v), max(largest, v)
	}
	index.size(len(s.unknown), smallest, largest)
	for i, u := range s.unknown {
		if _, fresh := index.add(s.p.at(int(u.item)).Arg, int32(i)); !fresh {
			return false
		}
	}
	return true
}

// scan walks the forced order with the latest call so far. There are as many
// positions as appends, so every gap finds an unknown one; those that nobody
// needs come last, where they contradict nothing.
func (s *logScan) scan() {
	latest, free := int64(math.MinInt64), 0
	for k := range s.slots {
		at := &s.slots[k]
		if k > 0 {
			if at.append < 0 {
				for s.used[free] {
					free++
				}
				s.take(at, int32(free))
			}
			if at.ret < latest {
				s.failOrder(k, at.append)
				return
			}
			latest = max(latest, at.call)
		}
		if at.readsReturn < latest {
			s.failOrder(k, s.firstReader(int64(k)))
			return
		}
		latest = max(latest, at.readsCall)
	}
}

func (s *logScan) fail(why string, ops ...int32) {
	s.found = &conflict{ops: ops, text: s.p.list(ops) + ": " + why}
}

// firstReader returns the read of length k that returned first.
func (s *logScan) firstReader(k int64) int32 {
	first := int32(-1)
	for i := range s.p.ops {
		op := s.p.at(i)
		if op.Op == protocols.ReadRange && int64(op.Value) == k && (first < 0 || op.Return < s.p.at(int(first)).Return) {
			first = int32(i)
		}
	}
	return first
}

// failOrder explains that early, at length or position k, had returned before
// something that stands earlier was called.
func (s *logScan) failOrder(k int, early int32) {
	late, latest := int32(-1), int64(math.MinInt64)
	consider := func(i int32) {
		if call := s.p.at(int(i)).Call; call > latest && i != early {
			late, latest = i, call
		}
	}
	for j := 1; j <= k; j++ {
		consider(s.slots[j].append)
	}
	for i := range s.p.ops {
		if op := s.p.at(i); op.Op == protocols.ReadRange && int64(op.Value) < int64(k) {
			consider(int32(i))
		}
	}
	s.found = &conflict{ops: []int32{early, late}, text: fmt.Sprintf(
		"%s had returned before %s was called, although by position or length it comes after that", s.p.text(early), s.p.text(late))}
}
