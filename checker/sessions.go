package checker

import (
	"cmp"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// What holds is asked of cells (register, kv) whose values are written once each.
// A total order of the versions of each cell is wanted that agrees with what every
// guarantee demands. It exists if and only if the demands have no cycle, so each
// guarantee is a graph over versions:
//
//   - read your writes: a read of a session shows its own last write or a newer
//     version; older is what real time says of writes
//   - monotonic reads: a session's reads show the same or newer versions; likewise
//   - monotonic writes: a session's writes are in its order, and everybody who sees
//     two versions sees them in that order
//   - writes follow reads: what a session writes is newer than what it had read, and
//     everybody who sees both sees them in that order
//
// The initial version is older than all. What a write saw is older than it.

// version is a write of a cell, or its initial value.
type version struct {
	key       int32 // number of the cell
	op        int32 // -1: initial
	call, ret int64
	ended     protocols.Time
}

// sessionScan is the working memory.
type sessionScan struct {
	history  []protocols.Operation
	opt      Options
	kind     machineKind
	order    []int32 // operations by session, then call
	session  []int32 // per operation
	versions []version
	reads    []int32 // per operation: the version it shows; -1: none
	writes   []int32 // per operation: the version it makes; -1: none
	seen     []bool  // per version: some answer shows it
	cells    int
	reason   string // why nothing can be said
}

// WhatHolds says which guarantees weaker than linearizability a history keeps.
// Sessions holds the number of each operation's session, 0 or more; nil: its client.
// Sequential consistency is searched for within the budget of opt; the others are
// decided for histories of the register and kv machines only, and only if no value is
// written to a cell twice.
//
// It panics where [Validate] reports an error. An operation of unknown outcome may take effect after others of its session, so it
// is a session by itself, and one that nobody saw does not count.
func WhatHolds(history []protocols.Operation, sessions []int32, opt Options) Holds {
	s := sessionScan{history: history, opt: opt.filled()}
	s.nameSessions(sessions)
	s.prepare()
	h := Holds{Effects: CountEffects(history, opt)}
	switch causal := (Finding{Causal, Inconclusive, s.reason}); {
	case s.opt.Linearizable:
		h.Findings = append(h.Findings, Finding{Guarantee: Sequential, Verdict: OK}, Finding{Guarantee: Causal, Verdict: OK})
	case s.reason == "":
		causal = s.causal()
		fallthrough
	default:
		h.Findings = append(h.Findings, s.sequential(causal), causal)
	}
	if s.reason != "" {
		for g := ReadYourWrites; g < guarantees; g++ {
			h.Findings = append(h.Findings, Finding{g, Inconclusive, s.reason})
		}
		return h
	}
	for g := ReadYourWrites; g < guarantees; g++ {
		h.Findings = append(h.Findings, s.guarantee(g))
	}
	h.Staleness = s.staleness()
	return h
}

type cellValue struct {
	key   protocols.Key
	value int64
}

func (s *sessionScan) prepare() {
	s.kind, _ = machineNamed(s.opt.Machine)
	if s.kind != kvMachine && s.kind != registerMachine {
		s.reason = "only registers and kv are looked at"
		return
	}
	cells := map[protocols.Key]int32{} // looked up, never ranged over
	made := map[cellValue]int32{}      // likewise
	s.reads, s.writes = slices.Repeat([]int32{noValue}, len(s.history)), slices.Repeat([]int32{noValue}, len(s.history))
	for i := range s.history {
		op := &s.history[i]
		if op.Outcome == protocols.Failed || op.Kind == protocols.Follow || op.Op == protocols.Noop {
			continue
		}
		if op.Op == protocols.AppendTo || op.Op == protocols.Delete || len(op.List) > 1 {
			s.reason = "appends and deletes are not looked at"
			return
		}
		cell, have := cells[op.Key]
		if !have {
			cell = int32(s.cells)
			cells[op.Key] = cell
			s.cells++
			made[cellValue{op.Key, 0}] = int32(len(s.versions))
			s.versions = append(s.versions, version{key: cell, op: noValue, call: before, ret: before})
		}
		if !writesValue(op) {
			continue
		}
		v := cellValue{op.Key, op.Arg}
		if _, have := made[v]; have {
			s.reason = "a value is written twice to one cell: " + formatOperation(op, s.kind, s.opt)
			return
		}
		made[v] = int32(len(s.versions))
		s.writes[i] = made[v]
		s.versions = append(s.versions, version{key: cell, op: int32(i), call: op.Call, ret: op.Return, ended: op.Ended})
	}
	s.collectReads(made)
	s.collectSessions(made)
}

// collectReads notes what every answer shows. Writes that answer show what they
// replaced.
func (s *sessionScan) collectReads(made map[cellValue]int32) {
	for i := range s.history {
		op := &s.history[i]
		if op.Outcome != protocols.Done || op.Kind == protocols.Follow || op.Op == protocols.Noop {
			continue
		}
		if op.Op == protocols.Put && s.opt.Blind {
			continue
		}
		v, have := made[cellValue{op.Key, int64(op.Value)}]
		if !have {
			s.reason = "a value was never written: " + formatOperation(op, s.kind, s.opt)
			return
		}
		s.reads[i] = v
	}
}

// nameSessions numbers every operation's session.
func (s *sessionScan) nameSessions(sessions []int32) {
	s.session = make([]int32, len(s.history))
	for i := range s.history {
		switch {
		case s.history[i].Outcome == protocols.Unknown:
			s.session[i] = -1 - int32(i) // its own
		case sessions != nil:
			s.session[i] = sessions[i]
		default:
			s.session[i] = -int32(s.history[i].Client)
		}
	}
}

// seeUnknown notes what a cas of unknown outcome saw, if what it wrote was seen: it was
// executed then, and saw what it expected.
func (s *sessionScan) seeUnknown(made map[cellValue]int32) {
	for again := true; again; {
		again = false
		for i := range s.history {
			op, w := &s.history[i], s.writes[i]
			if op.Outcome != protocols.Unknown || op.Op != protocols.CAS || w < 0 || !s.seen[w] || s.reads[i] >= 0 {
				continue
			}
			v, have := made[cellValue{op.Key, op.Old}]
			if !have {
				s.reason = "a value was never written, and cas expects it: " + formatOperation(op, s.kind, s.opt)
				return
			}
			s.reads[i], again = v, again || !s.seen[v]
			s.seen[v] = true
		}
	}
}

// idle reports whether operation i has an unknown outcome and nobody saw what it wrote.
func (s *sessionScan) idle(i int32) bool {
	return s.history[i].Outcome == protocols.Unknown && (s.writes[i] < 0 || !s.seen[s.writes[i]])
}

// collectSessions sorts operations by session. A session that has two operations
// open at once has no order.
func (s *sessionScan) collectSessions(made map[cellValue]int32) {
	s.seen = make([]bool, len(s.versions))
	for _, r := range s.reads {
		if r >= 0 {
			s.seen[r] = true
		}
	}
	s.seeUnknown(made)
	for i := range s.history {
		if (s.reads[i] >= 0 || s.writes[i] >= 0) && !s.idle(int32(i)) {
			s.order = append(s.order, int32(i))
		}
	}
	slices.SortStableFunc(s.order, func(a, b int32) int {
		if by := cmp.Compare(s.session[a], s.session[b]); by != 0 {
			return by
		}
		return cmp.Compare(s.history[a].Call, s.history[b].Call)
	})
	for n := 1; n < len(s.order); n++ {
		a, b := s.order[n-1], s.order[n]
		if s.session[a] == s.session[b] && s.history[a].Return > s.history[b].Call && s.history[a].Outcome == protocols.Done {
			s.reason = "a client has two operations open at once: " + formatOperation(&s.history[a], s.kind, s.opt)
		}
	}
}

// demand is an edge: version from is older than version to, because of operation
// why.
type demand struct{ from, to, why int32 }

// guarantee decides one of the session guarantees.
func (s *sessionScan) guarantee(g Guarantee) Finding {
	demands := s.saw()
	realTime := g == ReadYourWrites || g == MonotonicReads
	if !realTime || g == MonotonicReads {
		demands = append(demands, s.sessionDemands(MonotonicReads)...)
	}
	if g != MonotonicReads {
		demands = append(demands, s.sessionDemands(g)...)
	}
	if cycle := s.cycle(demands, realTime); cycle != nil {
		return Finding{g, Violation, s.explainCycle(cycle)}
	}
	return Finding{Guarantee: g, Verdict: OK}
}

// saw lists what holds of every order: what a write replaced is older than it.
func (s *sessionScan) saw() []demand {
	var out []demand
	for i := range s.history {
		if s.reads[i] >= 0 && s.writes[i] >= 0 {
			out = append(out, demand{s.reads[i], s.writes[i], int32(i)})
		}
	}
	return out
}

// sessionDemands lists what one guarantee adds, cell by cell along each session.
func (s *sessionScan) sessionDemands(g Guarantee) []demand {
	var out []demand
	type last struct{ read, write int32 }
	now := map[int32]last{} // by cell; looked up, never ranged over
	for n, i := range s.order {
		if n == 0 || s.session[i] != s.session[s.order[n-1]] {
			clear(now)
		}
		read, write := s.reads[i], s.writes[i]
		cell := s.versions[max(read, write)].key
		l, have := now[cell]
		if !have {
			l = last{noValue, noValue}
		}
		add := func(from, to int32) {
			if from >= 0 && to >= 0 && from != to {
				out = append(out, demand{from, to, i})
			}
		}
		switch g {
		case ReadYourWrites:
			add(l.write, read)
		case MonotonicReads:
			add(l.read, read)
		case MonotonicWrites:
			add(l.write, write)
		case WritesFollowReads:
			add(l.read, write)
		}
		if read >= 0 {
			l.read = read
		}
		if write >= 0 {
			l.write = write
		}
		now[cell] = l
	}
	return out
}

// explainCycle names the operations that demand a cycle.
func (s *sessionScan) explainCycle(cycle []demand) string {
	text := ""
	for n, d := range cycle[:min(len(cycle), 6)] {
		if n > 0 {
			text += "; "
		}
		if d.why < 0 {
			text += s.describe(d.from) + " was complete before " + s.describe(d.to) + " was called"
			continue
		}
		text += formatOperation(&s.history[d.why], s.kind, s.opt) + " puts " + s.describe(d.from) + " before " + s.describe(d.to)
	}
	return text
}

func (s *sessionScan) describe(v int32) string {
	if op := s.versions[v].op; op >= 0 {
		return "the value " + s.opt.Names.Value(s.history[op].Arg)
	}
	return "the initial value"
}
