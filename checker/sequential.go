package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// A history is sequentially consistent when its operations, those of all keys
// together, can be put into one order that the state machines could have executed and
// in which the operations of every session are in its order (Lamport, How to make a
// multiprocessor computer that correctly executes multiprocess programs, IEEE TC
// C-28, 1979). Real time does not count. Deciding that is NP-complete, also where it
// is known which write every read shows (Gibbons and Korach, 1997), so this is a
// search in depth with a budget.
//
// What is executed at once, as later is never better: answers that change nothing and
// fit; and, in cells whose values are unique, writes that nobody shows. There a write
// also waits for all answers that show the value it replaces, as that never comes
// back, and for the versions that some session demands before its own.
//
// An operation of unknown outcome is a session by itself, and need not be executed.

// sequentialEntry is what one entry of the search's memory costs, in bytes, from above.
const sequentialEntry = 64

// sessionsPerStep is how many sessions are looked at for the price of one step. Every
// step looks at all of them, so that with thousands it is not one step's work.
const sessionsPerStep = 512

// sequentialShown is how many operations are named that found no place.
const sequentialShown = 4

// executedStep is what it takes to undo one.
type executedStep struct {
	session, version int32 // version: what the cell held
	before           state
}

// crossroads is a point of the search where several writes could be next.
type crossroads struct {
	trail   int     // how many operations had been executed
	choices []int32 // sessions that have not been tried, the best last
}

// sequencer is the working memory of the search.
type sequencer struct {
	*sessionScan
	sp      *spec
	places  []int32 // operations by session, then call
	ends    []int32 // per session: the end of its places
	loose   int     // so many sessions, the first, are operations of unknown outcome
	at      []int32 // per session: the place of its next operation
	cellOf  []int32 // per place
	held    []state // per cell
	unique  bool    // every answer's version is known
	shows   []int32 // per cell: its version
	readers []int32 // per version: answers that show it and are still to come
	waits   []int32 // per version: demands for earlier ones that are not met
	first   []int32 // per version: into demands
	demands []demand
	points  []int64 // per version: see timePoints
	looseOf []int32 // per version: the session of its write, if that has an unknown outcome; otherwise -1
	trail   []executedStep
	roads   []crossroads
	dead    map[[2]uint64]struct{} // states that lead nowhere; looked up, never ranged over
	hash    [2]uint64
	left    int // answered operations that are still to come
	best    int // the most that were executed
	stuck   []int32
	kept    int64 // choices of all crossroads that have not been tried
	cost    int64 // of executing one operation, in steps
	steps   int64
}

// sequential decides sequential consistency. The finding of causal consistency, which
// it implies, is known already.
func (s *sessionScan) sequential(causal Finding) Finding {
	if causal.Verdict == Violation {
		return Finding{Sequential, Violation, "causal consistency is broken, which it implies: " + causal.Text}
	}
	q := sequencer{sessionScan: s, sp: newSpec(s.kind, s.opt.Blind), unique: s.reason == "", dead: map[[2]uint64]struct{}{}}
	if overlap := q.lineUp(); overlap != "" {
		return Finding{Sequential, Inconclusive, overlap}
	}
	if q.unique {
		if cycle := q.countVersions(); cycle != nil {
			return Finding{Sequential, Violation, s.explainCycle(cycle)}
		}
	}
	return q.search()
}

// lineUp sorts what is judged by session. It returns why that is no order.
func (q *sequencer) lineUp() string {
	for i := range q.history {
		if op := &q.history[i]; judged(op) && !(q.unique && q.idle(int32(i))) {
			q.places = append(q.places, int32(i))
		}
	}
	slices.SortStableFunc(q.places, func(a, b int32) int {
		if by := cmp.Compare(q.session[a], q.session[b]); by != 0 {
			return by
		}
		return cmp.Compare(q.history[a].Call, q.history[b].Call)
	})
	numbers := map[protocols.Key]int32{} // of cells; looked up, never ranged over
	for n, i := range q.places {
		op := &q.history[i]
		key := op.Key
		if q.kind != kvMachine && !q.opt.Keyed {
			key = 0
		}
		cell, have := numbers[key]
		if !have {
			cell = int32(len(q.held))
			numbers[key] = cell
			q.held = append(q.held, state{})
		}
		q.cellOf = append(q.cellOf, cell)
		if op.Outcome == protocols.Done {
			q.left++
		}
		if op.Outcome == protocols.Unknown { // their sessions have the smallest numbers
			q.loose++
		}
		if n == 0 || q.session[i] != q.session[q.places[n-1]] {
			q.at, q.ends = append(q.at, int32(n)), append(q.ends, int32(n+1))
			continue
		}
		if before := &q.history[q.places[n-1]]; before.Return > op.Call {
			return "a client has two operations open at once: " + formatOperation(before, q.kind, q.opt)
		}
		q.ends[len(q.ends)-1] = int32(n + 1)
	}
	return ""
}

// countVersions counts who shows each version and what it waits for. It returns a
// cycle of demands, where there is one.
func (q *sequencer) countVersions() []demand {
	q.demands = q.saw()
	for g := ReadYourWrites; g < guarantees; g++ {
		q.demands = append(q.demands, q.sessionDemands(g)...)
	}
	if cycle := q.cycle(q.demands, false); cycle != nil {
		return cycle
	}
	slices.SortStableFunc(q.demands, func(a, b demand) int { return cmp.Compare(a.from, b.from) })
	q.readers, q.waits = make([]int32, len(q.versions)), make([]int32, len(q.versions))
	q.first = make([]int32, len(q.versions)+1)
	for _, r := range q.reads {
		if r >= 0 {
			q.readers[r]++
		}
	}
	for _, d := range q.demands {
		q.first[d.from+1]++
		if q.versions[d.from].op >= 0 { // initial versions are there from the beginning
			q.waits[d.to]++
		}
	}
	for v := range q.versions {
		q.first[v+1] += q.first[v]
	}
	q.timePoints()
	q.looseOf = slices.Repeat([]int32{noValue}, len(q.versions))
	for session := range q.loose {
		q.looseOf[q.writes[q.places[q.at[session]]]] = int32(session)
	}
	q.shows = make([]int32, len(q.held))
	initial := make([]int32, q.cells)
	for v := range q.versions {
		if q.versions[v].op < 0 {
			initial[q.versions[v].key] = int32(v)
		}
	}
	for n, i := range q.places {
		q.shows[q.cellOf[n]] = initial[q.versions[max(q.reads[i], q.writes[i])].key]
	}
	return nil
}

// timePoints gives every version the instant at which its write would take effect if
// the history were linearizable: of the earliest return and the latest call of all that
// deal with it, the earlier one (Gibbons and Korach's zones; a version that is replaced
// by one that saw it shares its instant). A search that takes writes in that order
// comes through such a history without going back once, and has little to look for in
// one that is nearly so.
func (q *sequencer) timePoints() {
	q.points = make([]int64, len(q.versions))
	earliest, latest := slices.Repeat([]int64{after}, len(q.versions)), slices.Repeat([]int64{before}, len(q.versions))
	follows, next := make([]bool, len(q.versions)), slices.Repeat([]int32{noValue}, len(q.versions))
	for _, i := range q.places {
		op, r, w := &q.history[i], q.reads[i], q.writes[i]
		for _, v := range [...]int32{r, w} {
			if v >= 0 {
				earliest[v], latest[v] = min(earliest[v], op.Return), max(latest[v], op.Call)
			}
		}
		if r >= 0 && w >= 0 && next[r] < 0 {
			next[r], follows[w] = w, true
		}
	}
	for v := range q.versions {
		if follows[v] {
			continue
		}
		first, last := int64(after), int64(before)
		for at := int32(v); at >= 0; at = next[at] {
			first, last = min(first, earliest[at]), max(last, latest[at])
		}
		for at := int32(v); at >= 0; at = next[at] {
			q.points[at] = min(first, last)
		}
	}
}

// point is when the next operation of a session is best executed.
func (q *sequencer) point(session int32) int64 {
	i := q.places[q.at[session]]
	if q.unique && q.writes[i] >= 0 {
		return q.points[q.writes[i]]
	}
	return q.history[i].Call
}

// search looks for an order.
func (q *sequencer) search() Finding {
	limit := q.opt.Budget.Steps/crossShare + 4*int64(len(q.places))
	looked := len(q.at)
	if q.unique {
		looked -= q.loose // only when somebody is next who shows what they wrote
	}
	q.cost = 1 + int64(looked)/sessionsPerStep
	for q.settle(); q.left > 0; q.settle() {
		if len(q.trail) > q.best || q.stuck == nil {
			q.best = len(q.trail)
			q.stuck = q.heads()
		}
		if q.steps >= limit || int64(len(q.dead))*sequentialEntry+q.kept*4 > q.opt.Budget.CacheBytes {
			return Finding{Sequential, Inconclusive, fmt.Sprintf("no order was found, and not all were tried, in %d steps", q.steps)}
		}
		var choices []int32
		if _, dead := q.dead[q.hash]; !dead {
			choices = q.choices()
		}
		q.roads = append(q.roads, crossroads{len(q.trail), choices})
		q.kept += int64(len(choices))
		if !q.turn() {
			return Finding{Sequential, Violation, fmt.Sprintf("of %d operations at most %d can be put into one order that keeps every client's; after that there is no place for %s",
				len(q.places), q.best, q.list(q.stuck))}
		}
	}
	return Finding{Guarantee: Sequential, Verdict: OK}
}

// turn goes back to the last crossroads that has a choice left and takes it.
func (q *sequencer) turn() bool {
	for len(q.roads) > 0 {
		road := &q.roads[len(q.roads)-1]
		for len(q.trail) > road.trail {
			q.undo()
		}
		if n := len(road.choices); n > 0 {
			session := road.choices[n-1]
			road.choices = road.choices[:n-1]
			q.kept--
			next, _ := q.step(session)
			q.execute(session, next)
			return true
		}
		q.dead[q.hash] = struct{}{}
		q.roads = q.roads[:len(q.roads)-1]
	}
	return false
}

// settle executes what may as well be executed now.
func (q *sequencer) settle() {
	for again := true; again; {
		again = false
		for k := q.loose; k < len(q.at); k++ {
			session := int32(k)
			for q.at[k] < q.ends[k] && q.harmless(q.places[q.at[k]]) {
				next, ok := q.step(session)
				if !ok {
					break
				}
				q.execute(session, next)
				again = true
			}
		}
	}
}

// harmless reports whether operation i, where it fits, is best executed at once.
func (q *sequencer) harmless(i int32) bool {
	op := &q.history[i]
	if op.Outcome != protocols.Done {
		return false
	}
	if !changes(op.Op) || op.Op == protocols.CAS && !op.Swapped {
		return true
	}
	return q.unique && q.writes[i] >= 0 && q.readers[q.writes[i]] == 0
}

// choices lists the sessions whose next operation could be executed, the best one at
// the end. Where it is known who shows what, an operation of unknown outcome is executed
// only when somebody is next who shows it: earlier is never better.
func (q *sequencer) choices() []int32 {
	var out []int32
	try := func(session int32) {
		if _, ok := q.step(session); ok {
			out = append(out, session)
		}
	}
	if !q.unique {
		for k := range q.loose {
			try(int32(k))
		}
	}
	for k := q.loose; k < len(q.at); k++ {
		try(int32(k))
		if !q.unique || q.at[k] == q.ends[k] {
			continue
		}
		for at := q.reads[q.places[q.at[k]]]; at >= 0 && q.looseOf[at] >= 0; {
			session := q.looseOf[at]
			if q.at[session] == q.ends[session] {
				break
			}
			if !slices.Contains(out, session) { // several can wait for it
				try(session)
			}
			at = q.reads[q.places[q.at[session]]] // a cas of unknown outcome wants something too
		}
	}
	slices.SortStableFunc(out, func(a, b int32) int {
		return cmp.Compare(q.point(b), q.point(a))
	})
	return out
}

// step returns what the next operation of a session makes of its cell; false if it
// cannot be executed now.
func (q *sequencer) step(session int32) (state, bool) {
	place := q.at[session]
	if place == q.ends[session] {
		return state{}, false
	}
	i, cell := q.places[place], q.cellOf[place]
	op := &q.history[i]
	if q.unique {
		now, read := q.shows[cell], q.reads[i]
		if read >= 0 && read != now {
			return state{}, false
		}
		if w := q.writes[i]; w >= 0 {
			others := q.readers[now]
			if read >= 0 {
				others--
			}
			if others > 0 || q.waits[w] > 0 {
				return state{}, false
			}
		}
	}
	next, ok := q.sp.step(q.held[cell], op)
	if ok && op.Outcome != protocols.Done && next == q.held[cell] {
		return state{}, false // it need not be executed
	}
	return next, ok
}

func (q *sequencer) execute(session int32, next state) {
	q.steps += q.cost
	place := q.at[session]
	i, cell := q.places[place], q.cellOf[place]
	step := executedStep{session: session, before: q.held[cell]}
	q.move(session, cell, 1, next)
	if q.history[i].Outcome == protocols.Done {
		q.left--
	}
	if q.unique {
		step.version = q.shows[cell]
		q.count(i, -1)
		if w := q.writes[i]; w >= 0 {
			q.shows[cell] = w
		}
	}
	q.trail = append(q.trail, step)
}

func (q *sequencer) undo() {
	last := q.trail[len(q.trail)-1]
	q.trail = q.trail[:len(q.trail)-1]
	place := q.at[last.session] - 1
	i, cell := q.places[place], q.cellOf[place]
	q.move(last.session, cell, -1, last.before)
	if q.history[i].Outcome == protocols.Done {
		q.left++
	}
	if q.unique {
		q.count(i, 1)
		q.shows[cell] = last.version
	}
}

// count changes how many answers are to come that show what operation i shows, and how
// many demands for what it writes are not met.
func (q *sequencer) count(i, by int32) {
	if r := q.reads[i]; r >= 0 {
		q.readers[r] += by
	}
	if w := q.writes[i]; w >= 0 {
		for _, d := range q.demands[q.first[w]:q.first[w+1]] {
			q.waits[d.to] += by
		}
	}
}

// move sets a session's place and a cell's state, and keeps the hash of all of them:
// a sum, of which every part can be taken out again.
func (q *sequencer) move(session, cell, by int32, to state) {
	q.add(^uint64(0), uint64(uint32(session)), uint64(uint32(q.at[session])))
	q.addCell(^uint64(0), cell)
	q.at[session] += by
	q.held[cell] = to
	q.add(1, uint64(uint32(session)), uint64(uint32(q.at[session])))
	q.addCell(1, cell)
}

func (q *sequencer) addCell(sign uint64, cell int32) {
	st := &q.held[cell]
	wild := uint64(0)
	if st.wild {
		wild = 1
	}
	q.add(sign, 1<<33|wild<<32|uint64(uint32(cell)), mix(uint64(st.value))+mix(uint64(uint32(st.before))<<32|uint64(uint32(st.length))))
}

func (q *sequencer) add(sign, what, value uint64) {
	h := mix(mix(what) ^ value)
	q.hash[0] += sign * h
	q.hash[1] += sign * mix(h^0xD6E8FEB86659FD93)
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// heads lists answered operations that are next in their sessions.
func (q *sequencer) heads() []int32 {
	out := []int32{}
	for k := q.loose; k < len(q.at); k++ {
		if q.at[k] < q.ends[k] {
			if out = append(out, q.places[q.at[k]]); len(out) == sequentialShown {
				break
			}
		}
	}
	return out
}

func (s *sessionScan) list(ops []int32) string {
	text := ""
	for n, i := range ops {
		if n > 0 {
			text += "; "
		}
		text += formatOperation(&s.history[i], s.kind, s.opt)
	}
	return text
}
