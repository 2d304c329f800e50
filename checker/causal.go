package checker

import (
	"fmt"
	"slices"
)

// causalCells bounds the vector clocks of one history, in numbers of 4 bytes, and
// causalLooks the comparisons.
const (
	causalCells = 1 << 25
	causalLooks = 200_000_000
)

// causalScan decides causal consistency by the bad patterns of Bouajjani et al.
// (POPL 2017, section 3.2): with CO the transitive closure of session order and of
// who read whose write, CO has no cycle, nobody reads the initial value of a cell
// with a write to it in his past, and nobody reads a write that another write to the
// cell, both in his past, came after.
type causalScan struct {
	*sessionScan
	number  []int32   // of the session, per place in order
	starts  []int32   // per session: its first place in order; one more at the end
	place   []int32   // per operation: its place in order
	clocks  [][]int32 // per version: what its writer had in its past, itself included
	writers [][]cellWrites
}

// cellWrites are the writes of one session to one cell, by their places in order.
type cellWrites struct {
	session int32
	places  []int32
}

func (s *sessionScan) causal() Finding {
	c := causalScan{sessionScan: s}
	c.number = make([]int32, len(s.order))
	for n, i := range s.order {
		if n == 0 || s.session[i] != s.session[s.order[n-1]] {
			c.starts = append(c.starts, int32(n))
		}
		c.number[n] = int32(len(c.starts) - 1)
	}
	sessions := len(c.starts)
	c.starts = append(c.starts, int32(len(s.order)))
	if int64(len(s.versions))*int64(sessions) > causalCells {
		return Finding{Causal, Inconclusive, fmt.Sprintf("%d writes by %d clients are too many for the vector clocks", len(s.versions), sessions)}
	}
	c.index()
	return c.walk(sessions)
}

// index notes where operations and the writes of each cell are.
func (c *causalScan) index() {
	c.place = make([]int32, len(c.history))
	c.writers = make([][]cellWrites, c.cells)
	for n, i := range c.order {
		c.place[i] = int32(n)
		w := c.writes[i]
		if w < 0 {
			continue
		}
		list := &c.writers[c.versions[w].key]
		if k := len(*list); k == 0 || (*list)[k-1].session != c.number[n] {
			*list = append(*list, cellWrites{session: c.number[n]})
		}
		last := &(*list)[len(*list)-1]
		last.places = append(last.places, int32(n))
	}
	c.clocks = make([][]int32, len(c.versions))
}

// walk goes along all sessions at once, each as far as what it read is known.
func (c *causalScan) walk(sessions int) Finding {
	at := slices.Clone(c.starts[:sessions])
	clock := make([][]int32, sessions) // of each session: places, as ends
	for k := range clock {
		clock[k] = make([]int32, sessions)
		copy(clock[k], c.starts)
	}
	looks := int64(0)
	waiting := make([][]int32, len(c.versions)) // sessions that wait for a version
	var ready []int32
	for k := sessions - 1; k >= 0; k-- {
		ready = append(ready, int32(k))
	}
	left := len(c.order)
	for len(ready) > 0 {
		k := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		for at[k] < c.starts[k+1] {
			i := c.order[at[k]]
			if r := c.reads[i]; r >= 0 && c.versions[r].op >= 0 {
				past := c.clocks[r]
				if past == nil {
					waiting[r] = append(waiting[r], k)
					break
				}
				for t := range past {
					clock[k][t] = max(clock[k][t], past[t])
				}
			}
			if bad, n := c.look(i, clock[k]); bad != "" {
				return Finding{Causal, Violation, bad}
			} else if looks += n; looks > causalLooks {
				return Finding{Causal, Inconclusive, fmt.Sprintf("more than %d comparisons", causalLooks)}
			}
			at[k]++
			left--
			clock[k][k] = at[k]
			if w := c.writes[i]; w >= 0 {
				c.clocks[w] = slices.Clone(clock[k])
				ready = append(ready, waiting[w]...)
				waiting[w] = nil
			}
		}
	}
	if left > 0 {
		for k := range sessions {
			if at[k] < c.starts[k+1] {
				return Finding{Causal, Violation, c.text(c.order[at[k]]) + " shows what, through others' reads, depends on it"}
			}
		}
	}
	return Finding{Guarantee: Causal, Verdict: OK}
}

func (c *causalScan) text(i int32) string { return formatOperation(&c.history[i], c.kind, c.opt) }

// look compares what operation i shows with the writes in its past, and counts the
// comparisons.
func (c *causalScan) look(i int32, past []int32) (string, int64) {
	r := c.reads[i]
	if r < 0 {
		return "", 0
	}
	seen := &c.versions[r]
	looks := int64(0)
	for _, w := range c.writers[seen.key] {
		looks++
		n, _ := slices.BinarySearch(w.places, past[w.session])
		if n == 0 {
			continue
		}
		other := c.order[w.places[n-1]]
		if other == seen.op || other == i {
			continue
		}
		if seen.op < 0 {
			return c.text(i) + " shows the initial value although " + c.text(other) + " is in its past", looks
		}
		origin := c.place[seen.op]
		if c.clocks[c.writes[other]][c.number[origin]] > origin {
			return c.text(i) + " shows a value although " + c.text(other) + ", which came after it, is in its past", looks
		}
	}
	return "", looks
}
