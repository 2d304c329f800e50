package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// conflict is what a fast check found: a few operations and why they contradict
// each other.
type conflict struct {
	ops   []int32 // numbers in the part
	text  string
	class Class // "": see classify
}

// text prints the part's operation i.
func (p *Part) text(i int32) string { return formatOperation(p.at(int(i)), p.kind, p.opt) }

// value prints a value.
func (p *Part) value(v int64) string { return p.opt.Names.Value(v) }

// explain turns a conflict into what the report shows.
func (p *Part) explain(by Decider, c *conflict) *Counterexample {
	ops := slices.Clone(c.ops)
	slices.SortFunc(ops, func(a, b int32) int {
		if by := cmp.Compare(p.at(int(a)).Call, p.at(int(b)).Call); by != 0 {
			return by
		}
		return cmp.Compare(a, b)
	})
	ops = slices.Compact(ops)
	x := &Counterexample{Key: p.Key, Check: by, Text: c.text, Class: c.class}
	for _, i := range ops {
		op := *p.at(int(i))
		op.List = slices.Clone(op.List)
		x.Operations = append(x.Operations, op)
	}
	return x
}

// list joins operations for a text.
func (p *Part) list(ops []int32) string {
	var b strings.Builder
	for i, op := range ops {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(p.text(op))
	}
	return b.String()
}

func (z *zones) fail(op int32, format string, args ...any) {
	z.found = &conflict{ops: []int32{op}, text: z.p.text(op) + fmt.Sprintf(format, args...)}
}

func (z *zones) failTwoSuccessors(a, b int32) {
	opA, opB := z.clusters[a].op, z.clusters[b].op
	z.found = &conflict{ops: []int32{opA, opB}, text: fmt.Sprintf(
		"%s and %s both took effect right after the value %s, which was there only once",
		z.p.text(opA), z.p.text(opB), z.p.value(int64(sawValue(z.p.at(int(opA))))))}
}

func (z *zones) failTwoOpen(a, b int32) {
	opA, opB := z.clusters[a].op, z.clusters[b].op
	z.found = &conflict{ops: []int32{opA, opB}, text: fmt.Sprintf(
		"%s and %s: nobody saw either value replaced or deleted, so each must be the last one", z.p.text(opA), z.p.text(opB))}
}

// failCircle names the writes of the first circle.
func (z *zones) failCircle() {
	seen := make([]bool, len(z.clusters))
	mark := func(from int32) {
		for j := from; j != noValue && !seen[j]; j = z.clusters[j].succ {
			seen[j] = true
		}
	}
	for i := range z.clusters {
		if z.isHead(int32(i)) {
			mark(int32(i))
		}
	}
	for i := 1; i < len(z.clusters); i++ {
		if !z.clusters[i].kept || seen[i] {
			continue
		}
		var ops []int32
		for j := z.clusters[i].succ; ; j = z.clusters[j].succ {
			ops = append(ops, z.clusters[j].op)
			if j == int32(i) {
				break
			}
		}
		z.found = &conflict{ops: ops, text: "each of these took effect right after another of them, which leaves no first: " + z.p.list(ops[:min(len(ops), 8)])}
		return
	}
}

// visit shows every operation of a chain in order of the history, with the place
// of its cluster in the chain, from 1.
func (z *zones) visit(head int32, show func(op, place int32, read bool)) {
	if head < 0 {
		show(-1-head, 1, true)
		return
	}
	places := make([]int32, len(z.clusters))
	for j, n := head, int32(1); j != noValue; j, n = z.clusters[j].succ, n+1 {
		places[j] = n
	}
	write := int32(0)
	for i := range z.p.ops {
		op, of := z.p.at(i), int32(0)
		wrote := writesValue(op)
		if wrote {
			write++
			of = write
		} else {
			of = z.index.find(int64(op.Value))
		}
		if places[of] > 0 {
			show(int32(i), places[of], !wrote)
		}
	}
}

// failInside explains a chain that contradicts real time: at the given place an
// operation returned at ret, before something that stands earlier was called.
func (z *zones) failInside(head, place int32, ret int64, read bool) {
	early, late, latest := noValue, noValue, int64(before)
	z.visit(head, func(op, at int32, isRead bool) {
		o := z.p.at(int(op))
		if at == place && isRead == read && o.Return == ret && early == noValue {
			early = op
		}
		if (at < place || at == place && read && !isRead) && o.Call > latest {
			late, latest = op, o.Call
		}
	})
	z.found = &conflict{ops: []int32{early, late}, text: fmt.Sprintf(
		"%s had returned before %s was called, although by the values seen it comes after that",
		z.p.text(early), z.p.text(late))}
}

// failBlocks explains two blocks that exclude each other: in each there is an
// operation that had returned before one of the other was called.
func (z *zones) failBlocks(a, b block) {
	if b.hi == after {
		a, b = b, a
	}
	firstA, lastA := z.ends(a)
	firstB, lastB := z.ends(b)
	if firstA == lastA && a.hi != after {
		firstA, lastA, firstB, lastB = firstB, lastB, firstA, lastA
	}
	ops := []int32{firstA, lastA, firstB, lastB}
	var text string
	switch t := z.p.text; {
	case a.hi == after:
		text = fmt.Sprintf("%s had returned before %s was called, although nobody saw %s replaced or deleted, so that it comes after everything else",
			t(firstA), t(lastB), t(lastA))
		ops = []int32{firstA, lastA, lastB}
	case firstB == lastB && lastA == firstA && !writesValue(z.p.at(int(firstB))) && z.p.at(int(firstB)).Value == 0:
		text = fmt.Sprintf("%s had returned before %s was called, which saw what was there before every write", t(firstA), t(firstB))
		ops = []int32{firstA, firstB}
	case firstB == lastB:
		text = fmt.Sprintf("%s had returned before %s was called, and that before %s; by the values seen nothing can come between the first and the last of these",
			t(firstA), t(firstB), t(lastA))
	default:
		text = fmt.Sprintf("%s had returned before %s was called, and %s before %s; by the values seen nothing can come between the first and the last of these, and nothing between the second and the third",
			t(firstA), t(lastB), t(firstB), t(lastA))
	}
	z.found = &conflict{ops: ops, text: text}
}

// ends returns the operations of a block that returned first and were called
// last.
func (z *zones) ends(b block) (first, last int32) {
	first, last = noValue, noValue
	earliest, latest := int64(after), int64(before)
	z.visit(b.head, func(op, _ int32, _ bool) {
		o := z.p.at(int(op))
		if o.Return < earliest || first == noValue {
			first, earliest = op, o.Return
		}
		if o.Call > latest {
			last, latest = op, o.Call
		}
	})
	return first, last
}

// sawValue returns the value after which a write took effect.
func sawValue(op *protocols.Operation) protocols.Value {
	if op.Op == protocols.CAS {
		return protocols.Value(op.Old)
	}
	return op.Value
}
