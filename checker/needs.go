package checker

import (
	"cmp"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// needs says which operations of a part the answer of another one means nothing
// without: the writes that may have made what it shows. A set of operations that
// holds what each of them needs is closed. If a history can be ordered, so can every
// closed set of its operations: its order, with the others left out, shows everybody
// the same. So whatever is wrong with a closed set is wrong with the history, and
// a set that is not closed may be wrong because a write was left out.
//
// That holds for what is needed here, machine by machine; more would do no harm, but
// would make sets larger.
type needs struct {
	p     *Part
	edges []need
	// writers lists, by value, who writes it, in the order of calls; of cells, queues
	// and logs. Looked up, never ranged over.
	writers map[int64][]int32
	// of and by are the edges from both sides, once they are complete.
	of, by adjacency
	// reached marks operations that a walk has seen, by its number.
	reached []int32
	walk    int32
}

// need: one operation needs another.
type need struct{ op, other int32 }

// adjacency lists, for each operation, others.
type adjacency struct{ first, to []int32 }

func (a *adjacency) at(i int32) []int32 { return a.to[a.first[i]:a.first[i+1]] }

func newAdjacency(n int, edges []need) adjacency {
	a := adjacency{first: make([]int32, n+2), to: make([]int32, len(edges))}
	for _, e := range edges {
		a.first[e.op+2]++
	}
	for i := 2; i < len(a.first); i++ {
		a.first[i] += a.first[i-1]
	}
	for _, e := range edges {
		a.to[a.first[e.op+1]] = e.other
		a.first[e.op+1]++
	}
	return a
}

func newNeeds(p *Part) *needs {
	n := &needs{p: p, writers: map[int64][]int32{}, reached: make([]int32, len(p.ops))}
	switch p.kind {
	case kvMachine, registerMachine:
		n.cell()
	case queueMachine:
		n.queue()
	case logMachine:
		n.log()
	case counterMachine, stampMachine:
		n.sum()
	}
	n.of = newAdjacency(len(p.ops), n.edges)
	for i := range n.edges {
		n.edges[i].op, n.edges[i].other = n.edges[i].other, n.edges[i].op
	}
	n.by = newAdjacency(len(p.ops), n.edges)
	return n
}

func (n *needs) add(op, other int32) {
	if op != other {
		n.edges = append(n.edges, need{op, other})
	}
}

// close returns ops with all that they need, in the order of the history.
func (n *needs) close(ops []int32) []int32 {
	all := n.reach(ops, &n.of)
	slices.Sort(all)
	return all
}

// reach returns ops and whatever can be reached from them, each once.
func (n *needs) reach(ops []int32, a *adjacency) []int32 {
	n.walk++
	var out []int32
	visit := func(i int32) {
		if n.reached[i] != n.walk {
			n.reached[i] = n.walk
			out = append(out, i)
		}
	}
	for _, i := range ops {
		visit(i)
	}
	for k := 0; k < len(out); k++ {
		for _, i := range a.at(out[k]) {
			visit(i)
		}
	}
	return out
}

// without returns ops, which are in order, without some of them and all who need
// those.
func (n *needs) without(ops, gone []int32) []int32 {
	n.reach(gone, &n.by)
	out := make([]int32, 0, len(ops))
	for _, i := range ops {
		if n.reached[i] != n.walk {
			out = append(out, i)
		}
	}
	return out
}

// byCall lists the operations of which fits holds, in the order of their calls.
func (n *needs) byCall(fits func(*protocols.Operation) bool) []int32 {
	var out []int32
	for i := range n.p.ops {
		if fits(n.p.at(i)) {
			out = append(out, int32(i))
		}
	}
	slices.SortStableFunc(out, func(a, b int32) int { return cmp.Compare(n.p.at(int(a)).Call, n.p.at(int(b)).Call) })
	return out
}

// called returns how many of ops, which are in the order of their calls, had been
// called by an instant.
func (n *needs) called(ops []int32, by int64) int {
	at, _ := slices.BinarySearchFunc(ops, by, func(i int32, by int64) int {
		if n.p.at(int(i)).Call <= by {
			return -1
		}
		return 1
	})
	return at
}

// chain makes each of ops need the one before it.
func (n *needs) chain(ops []int32) {
	for k := 1; k < len(ops); k++ {
		n.add(ops[k], ops[k-1])
	}
}

// reaches makes operation i need the last of ops, which are a chain in the order of
// their calls, that had been called when it returned: any of them may have taken
// effect before.
func (n *needs) reaches(i int32, ops []int32) {
	if at := n.called(ops, n.p.at(int(i)).Return); at > 0 {
		n.add(i, ops[at-1])
	}
}

// shownBy appends the values that an answer shows.
func (p *Part) shownBy(op *protocols.Operation, to []int64) []int64 {
	done := op.Outcome == protocols.Done
	switch {
	case p.kind == counterMachine || p.kind == stampMachine:
		return to
	case op.Op == protocols.CAS && !done:
		return append(to, op.Old)
	case !done, p.opt.Blind && changes(op.Op) && op.Op != protocols.CAS && p.kind != queueMachine:
		return to
	case p.kind == queueMachine && op.Op == protocols.AppendTo, p.kind == logMachine && op.Op == protocols.AppendTo:
		return to
	case len(op.List) > 0:
		for _, v := range op.List {
			to = append(to, int64(v))
		}
		return to
	case p.kind == logMachine:
		return to
	}
	return append(to, int64(op.Value))
}

// made returns the value that an operation may have made.
func (p *Part) made(op *protocols.Operation) (int64, bool) {
	switch {
	case op.Op == protocols.AppendTo, op.Op == protocols.Put, op.Op == protocols.CAS && writesValue(op):
		return op.Arg, true
	case op.Op == protocols.Delete && p.kind == kvMachine && writesValue(op):
		return 0, true
	}
	return 0, false
}

func (n *needs) collectWriters() {
	for _, i := range n.byCall(func(op *protocols.Operation) bool { _, makes := n.p.made(op); return makes }) {
		v, _ := n.p.made(n.p.at(int(i)))
		n.writers[v] = append(n.writers[v], i)
	}
}

// value makes operation i need the writers of a value that it shows: those that may
// have been the last ones before it, as they were called before it returned and had
// not been replaced by the instant since. Where there is none, which is wrong in
// itself, it needs the last one before it, or the first one after it, to show that.
func (n *needs) value(i int32, v, since int64) {
	all := n.writers[v]
	before := n.called(all, n.p.at(int(i)).Return)
	found := false
	for _, w := range all[:before] {
		if w != i && n.p.at(int(w)).Return >= since {
			n.add(i, w)
			found = true
		}
	}
	switch {
	case found || v == 0 || len(all) == 0:
	case before > 0:
		n.add(i, all[before-1])
	default:
		n.add(i, all[0])
	}
}

// cell: answers of a register or of a key show a value. A write that had returned
// before another one was called, which had returned before somebody looked, is not
// what that one saw. Lists are made by several writes, and by the absence before them.
func (n *needs) cell() {
	n.collectWriters()
	appends := slices.ContainsFunc(n.p.ops, func(at int32) bool { return n.p.history[at].Op == protocols.AppendTo })
	replaced := n.replacements()
	var shown []int64
	for i := range n.p.ops {
		op := n.p.at(i)
		shown = n.p.shownBy(op, shown[:0])
		since := int64(before)
		if appends && len(shown) > 0 {
			shown = append(shown, 0)
		} else {
			since = replaced(op.Call)
		}
		for _, v := range shown {
			n.value(int32(i), v, since)
		}
	}
}

// replacements returns a function that tells the latest call of a write that had
// returned before an instant: what had returned before that call is replaced.
func (n *needs) replacements() func(at int64) int64 {
	p := n.p
	sure := n.byCall(func(op *protocols.Operation) bool { return op.Outcome == protocols.Done && writesValue(op) })
	slices.SortStableFunc(sure, func(a, b int32) int { return cmp.Compare(p.at(int(a)).Return, p.at(int(b)).Return) })
	calls := make([]int64, len(sure)+1)
	calls[0] = before
	for k, i := range sure {
		calls[k+1] = max(calls[k], p.at(int(i)).Call)
	}
	return func(at int64) int64 {
		k, _ := slices.BinarySearchFunc(sure, at, func(i int32, at int64) int { return cmp.Compare(p.at(int(i)).Return, at) })
		return calls[k]
	}
}

// queue: an element stays or goes as a whole. What nobody is known to have taken may
// have been taken by any dequeue of unknown outcome.
func (n *needs) queue() {
	n.collectWriters()
	takes := func(op *protocols.Operation) bool {
		return op.Op == protocols.Delete && op.Outcome == protocols.Done && op.Value != 0
	}
	first := map[int64]int32{} // operation of an element; looked up, never ranged over
	taken := map[int64]bool{}  // likewise
	for i := range n.p.ops {
		op := n.p.at(i)
		v := int64(op.Value)
		switch {
		case op.Op == protocols.AppendTo:
			v = op.Arg
		case takes(op):
			taken[v] = true
		default:
			continue
		}
		if at, have := first[v]; have {
			n.add(int32(i), at)
			n.add(at, int32(i))
		} else {
			first[v] = int32(i)
		}
	}
	open := n.byCall(func(op *protocols.Operation) bool {
		return op.Op == protocols.Delete && op.Outcome == protocols.Unknown
	})
	n.chain(open)
	for i := range n.p.ops {
		if op := n.p.at(i); op.Op == protocols.AppendTo && !taken[op.Arg] && len(open) > 0 {
			n.add(int32(i), open[len(open)-1])
		}
	}
}

// log: where appends answer their positions, a position or length needs all before
// it, and appends of unknown outcome that may be among them. Otherwise a read needs
// what it shows.
func (n *needs) log() {
	n.collectWriters()
	p := n.p
	isAppend := func(op *protocols.Operation) bool { return op.Op == protocols.AppendTo }
	if p.opt.Blind || p.opt.Seated {
		all := n.byCall(isAppend)
		whole := !slices.ContainsFunc(p.ops, func(at int32) bool {
			op := &p.history[at]
			return op.Op == protocols.ReadRange && len(op.List) != int(op.Value)
		})
		if !whole {
			n.chain(all)
		}
		for i := range p.ops {
			n.contents(int32(i), nil)
			if !whole && !isAppend(p.at(i)) {
				n.reaches(int32(i), all)
			}
		}
		return
	}
	seats := n.byCall(func(op *protocols.Operation) bool { return isAppend(op) && op.Outcome == protocols.Done })
	n.positions(seats, int64(1))
	at := make(map[int64]int32, len(seats)) // by position; looked up, never ranged over
	for _, i := range seats {
		at[int64(p.at(int(i)).Value)] = i
	}
	n.open(isAppend)
	for i := range p.ops {
		n.contents(int32(i), at)
	}
}

// contents makes a read of a log need the writers of what it shows, other than those
// that are known to stand where it shows them.
func (n *needs) contents(i int32, at map[int64]int32) {
	op := n.p.at(int(i))
	for k, v := range op.List {
		position := firstRead(op) + int64(k)
		w, have := at[position]
		if !have || n.p.at(int(w)).Arg != int64(v) || position > int64(op.Value) {
			n.value(i, int64(v), before)
		}
	}
}

// sum: what a counter or clock shows was made by all that was called before. Where
// changes answer too, only those with lower answers are certain to come before.
func (n *needs) sum() {
	p := n.p
	change := func(op *protocols.Operation) bool { return changes(op.Op) }
	if p.kind == counterMachine && !p.opt.Blind {
		n.positions(n.byCall(func(op *protocols.Operation) bool { return change(op) && op.Outcome == protocols.Done }), 0)
		n.open(change)
		return
	}
	all := n.byCall(change)
	n.chain(all)
	for i := range p.ops {
		if !change(p.at(i)) {
			n.reaches(int32(i), all)
		}
	}
}

// positions: answers that grow with the order of changes put them into a chain, and
// an answer that shows how far it had come needs what is not beyond. Lower answers
// than least show nothing.
func (n *needs) positions(done []int32, least int64) {
	p := n.p
	value := func(i int32) int64 { return int64(p.at(int(i)).Value) }
	slices.SortStableFunc(done, func(a, b int32) int { return cmp.Compare(value(a), value(b)) })
	n.chain(done)
	for i := range p.ops {
		if op := p.at(i); changes(op.Op) || int64(op.Value) < least {
			continue
		}
		k, _ := slices.BinarySearchFunc(done, value(int32(i)), func(a int32, v int64) int {
			if value(a) <= v {
				return -1
			}
			return 1
		})
		if k > 0 {
			n.add(int32(i), done[k-1])
		}
	}
}

// open makes answers need those changes of unknown outcome that may have taken effect
// before them.
func (n *needs) open(change func(*protocols.Operation) bool) {
	unknown := n.byCall(func(op *protocols.Operation) bool { return change(op) && op.Outcome == protocols.Unknown })
	n.chain(unknown)
	for i := range n.p.ops {
		if n.p.at(i).Outcome == protocols.Done {
			n.reaches(int32(i), unknown)
		}
	}
}

// unwritten lists what ops show and nobody wrote, in the order in which they show it.
func (n *needs) unwritten(ops []int32) []Unwritten {
	var out []Unwritten
	var shown []int64
	known := map[int64]bool{0: true} // looked up, never ranged over
	for _, i := range ops {
		shown = n.p.shownBy(n.p.at(int(i)), shown[:0])
		for _, v := range shown {
			if !known[v] && len(n.writers[v]) == 0 {
				out = append(out, Unwritten{Value: v, Failed: n.p.failedWrite(v)})
			}
			known[v] = true
		}
	}
	return out
}
