package checker

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Seat gives the appends of a log that answered no position the one that reads imply,
// for the log check: an append that the longest read of its key shows has its place
// there; the others come after it, in the order of their calls. No other places can be
// right: the order of what is shown is given, what is not shown by the longest read
// cannot stand before its end, and among the others the order of calls contradicts no
// real time. Operations must be in the order of their calls. Seat reports false, and
// changes nothing, if a value is appended twice to one key, or a read shows less than
// the whole. Histories with such places are judged with [Options.Seated].
func Seat(history []protocols.Operation) bool {
	type element struct {
		key   protocols.Key
		value int64
	}
	longest := map[protocols.Key][]protocols.Value{} // looked up, never ranged over
	appended := map[element]bool{}                   // likewise
	for i := range history {
		op := &history[i]
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
	for i := range history {
		op := &history[i]
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

// reseated is the part with the places that its own reads imply, where places are not
// answers.
func (p *Part) reseated() Part {
	q := *p
	if !p.opt.Seated {
		return q
	}
	q.history, q.ops = make([]protocols.Operation, len(p.ops)), make([]int32, len(p.ops))
	for i := range p.ops {
		q.history[i], q.ops[i] = *p.at(i), int32(i)
	}
	Seat(q.history) // it did the whole, so it does a part
	return q
}

// unseated explains reads of a log of which no places can be right: they show a value
// that nobody appended, or one twice that was appended once.
func (s *logScan) unseated() {
	p := s.p
	last := map[int64]int32{} // the read that showed a value last, from 1; looked up, never ranged over
	for i := range p.ops {
		if op := p.at(i); op.Op == protocols.AppendTo {
			last[op.Arg] = 0
		}
	}
	for i := range p.ops {
		for _, v := range p.at(i).List {
			seen, have := last[int64(v)]
			switch {
			case !have:
				s.found = &conflict{ops: []int32{int32(i)}, text: p.text(int32(i)) + " although " + p.neverWritten(int64(v))}
				return
			case seen == int32(i)+1:
				s.found = &conflict{ops: []int32{int32(i)}, text: p.text(int32(i)) + " shows " + p.value(int64(v)) + " twice, which was appended once"}
				return
			}
			last[int64(v)] = int32(i) + 1
		}
	}
}

// nameSource adds to a conflict the read that gave appends their places.
func (s *logScan) nameSource() {
	longest := noValue
	for i := range s.p.ops {
		if op := s.p.at(i); len(op.List) > 0 && (longest < 0 || len(op.List) > len(s.p.at(int(longest)).List)) {
			longest = int32(i)
		}
	}
	if longest >= 0 && !slices.Contains(s.found.ops, longest) {
		s.found.ops = append(s.found.ops, longest)
		s.found.text += "; the positions are those of " + s.p.text(longest)
	}
}
