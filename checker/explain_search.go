package checker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Explaining costs searches of its own; these bound them.
const (
	explainSteps      = 200_000
	explainOperations = 400 // of which the longest partial linearization is looked for
	explainShown      = 4   // operations shown of its end
)

// explainSearch explains a part that porcupine refuted: by the first return
// after which no order explains what clients have seen, and by the longest order
// that explains the rest.
func (p *Part) explainSearch() *Counterexample {
	q := p.shortestBad()
	last := q.lastReturn()
	c := &conflict{ops: []int32{last}}
	var text strings.Builder
	fmt.Fprintf(&text, "everything that had returned before can be put into one order; with %s no order is left", q.text(last))
	if len(q.ops) <= explainOperations {
		q.opt.Budget.Steps = min(q.opt.Budget.Steps, explainSteps)
		q.explainLongest(c, last, &text)
	}
	c.text = text.String()
	return q.explain(ByPorcupine, c)
}

// explainWindow explains a part that the window search refuted at the return of an
// operation.
func (p *Part) explainWindow(failed int32) *Counterexample {
	q := p.until(p.at(int(failed)).Return)
	last := q.lastReturn()
	c := &conflict{ops: []int32{last}, text: "everything that had returned before can be put into one order; with " + q.text(last) + " no order is left"}
	return q.explain(ByWindow, c)
}

// explainLongest adds the end of the longest partial linearization and what could
// not follow it.
func (p *Part) explainLongest(c *conflict, last int32, text *strings.Builder) {
	longest := p.searchWith(true).longest
	if len(longest) == 0 {
		return
	}
	shown := longest[max(0, len(longest)-explainShown):]
	fmt.Fprintf(text, ". The longest possible order has %d operations and ends with %s", len(longest), p.list(shown))
	placed := make([]bool, len(p.ops))
	for _, i := range longest {
		placed[i] = true
	}
	var stuck []int32
	for i := range p.ops {
		if !placed[i] && p.at(i).Outcome == protocols.Done {
			stuck = append(stuck, int32(i))
		}
	}
	stuck = stuck[:min(len(stuck), explainShown)]
	if len(stuck) > 0 {
		fmt.Fprintf(text, "; after that there is no place for %s", p.list(stuck))
	}
	c.ops = append(append(c.ops, shown...), stuck...)
}

// lastReturn returns the answered operation that returned last.
func (p *Part) lastReturn() int32 {
	last, latest := int32(0), int64(before)
	for i := range p.ops {
		if op := p.at(i); op.Outcome == protocols.Done && op.Return > latest {
			last, latest = int32(i), op.Return
		}
	}
	return last
}

// answerTimes lists the instants at which answers returned, in order, each once.
func (p *Part) answerTimes() []int64 {
	var returns []int64
	for i := range p.ops {
		if op := p.at(i); op.Outcome == protocols.Done {
			returns = append(returns, op.Return)
		}
	}
	slices.Sort(returns)
	return slices.Compact(returns)
}

// shortestBad returns the history up to the first return that makes it
// impossible. Such histories stay impossible, so that halving finds it; a search
// that runs out of budget counts as possible, which makes the answer longer than
// need be, but not wrong.
func (p *Part) shortestBad() Part {
	returns := p.answerTimes()
	bad := func(i int) bool {
		q := p.until(returns[i])
		q.opt.Budget.Steps = min(q.opt.Budget.Steps, explainSteps)
		return q.search().verdict == Violation
	}
	low, high := 0, 1
	for high < len(returns) && !bad(high-1) {
		low, high = high, 2*high
	}
	high = min(high, len(returns)) - 1
	for low < high {
		if mid := (low + high) / 2; bad(mid) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return p.until(returns[high])
}
