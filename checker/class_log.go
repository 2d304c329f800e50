package checker

import (
	"cmp"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// logClass is the working memory of classifyLog.
type logClass struct {
	p       *Part
	appends map[int64]int32 // operation by value; looked up, never ranged over
	reads   []int32         // that show the log from its beginning, in the order of their calls
	longest []protocols.Value
	from    int32 // whose list longest is
}

// classifyLog names what is wrong with a log by the contents that reads show. The
// longest list is taken for the log, and everything compared with it.
func (p *Part) classifyLog() Class {
	c := logClass{p: p, appends: map[int64]int32{}, from: noValue}
	for i := range p.ops {
		op := p.at(i)
		if op.Outcome == protocols.Done && op.Value < 0 {
			return Unordered // no log has such a position or length
		}
		if op.Op != protocols.AppendTo {
			continue
		}
		if _, have := c.appends[op.Arg]; have {
			return Unordered
		}
		c.appends[op.Arg] = int32(i)
	}
	if found := c.contents(); found != "" {
		return found
	}
	if found := c.compare(); found != "" {
		return found
	}
	if found := c.realTime(); found != "" {
		return found
	}
	if c.neverShown() {
		return LostWrite
	}
	return c.absent()
}

// contents looks at each read alone.
func (c *logClass) contents() Class {
	for i := range c.p.ops {
		op := c.p.at(i)
		if op.Op != protocols.ReadRange || op.Outcome != protocols.Done {
			continue
		}
		own := make(map[protocols.Value]bool, len(op.List)) // looked up, never ranged over
		for _, v := range op.List {
			a, have := c.appends[int64(v)]
			switch {
			case !have:
				return NeverWritten
			case own[v]:
				return DuplicateEffect
			case c.p.at(int(a)).Call > op.Return:
				return FutureRead
			}
			own[v] = true
		}
		if firstRead(op) != 1 || int64(len(op.List)) != int64(op.Value) {
			continue
		}
		c.reads = append(c.reads, int32(i))
		if c.from < 0 || len(op.List) > len(c.longest) {
			c.longest, c.from = op.List, int32(i)
		}
	}
	slices.SortStableFunc(c.reads, func(a, b int32) int { return cmp.Compare(c.p.at(int(a)).Call, c.p.at(int(b)).Call) })
	return ""
}

// compare looks for a read that is no beginning of the longest one.
func (c *logClass) compare() Class {
	for _, i := range c.reads {
		list := c.p.at(int(i)).List
		for k, v := range list {
			if v == c.longest[k] {
				continue
			}
			if slices.Contains(c.longest, v) || slices.Contains(list, c.longest[k]) {
				if !slices.Contains(c.longest, v) {
					return VisibleThenGone
				}
				return c.moved(list)
			}
			return VisibleThenGone
		}
	}
	return ""
}

// moved tells entries that changed places from an entry that went missing and moved
// those behind it.
func (c *logClass) moved(list []protocols.Value) Class {
	at := make(map[protocols.Value]int, len(c.longest)) // looked up, never ranged over
	for k, v := range c.longest {
		at[v] = k + 1
	}
	last := 0
	for _, v := range list {
		if at[v] != 0 && at[v] < last {
			return ReorderedAppend
		}
		last = max(last, at[v])
	}
	return StaleRead // an entry is missing in the middle, and is there in the longest read
}

// realTime looks for two entries of the longest read in the wrong order.
func (c *logClass) realTime() Class {
	latest := int64(before)
	for _, v := range c.longest {
		op := c.p.at(int(c.appends[int64(v)]))
		if op.Return < latest {
			return ReorderedAppend
		}
		latest = max(latest, op.Call)
	}
	return ""
}

// neverShown reports whether an acknowledged append is in no read, although one was
// called after it had returned. It needs reads that show all they know.
func (c *logClass) neverShown() bool {
	shown := make(map[protocols.Value]bool, len(c.longest)) // looked up, never ranged over
	for _, v := range c.longest {
		shown[v] = true
	}
	latest := int64(before)
	for i := range c.p.ops {
		op := c.p.at(i)
		if op.Op != protocols.ReadRange || op.Outcome != protocols.Done {
			continue
		}
		if firstRead(op) != 1 || int64(len(op.List)) != int64(op.Value) {
			return false
		}
		latest = max(latest, op.Call)
	}
	for i := range c.p.ops {
		op := c.p.at(i)
		if op.Op == protocols.AppendTo && op.Return < latest && !shown[protocols.Value(op.Arg)] {
			return true
		}
	}
	return false
}

// absent looks for a read whose length leaves out an entry that was acknowledged,
// or had been seen, before it was called.
func (c *logClass) absent() Class {
	n := c.p.writes
	place := make(map[int64]int, len(c.longest)) // looked up, never ranged over
	for k, v := range c.longest {
		place[int64(v)] = k + 1
	}
	complete := slices.Repeat([]int64{after}, n+1) // [k]: the earliest return of whoever knows that the log is longer than k
	seen := slices.Repeat([]int64{after}, n+1)     // likewise, of reads alone
	var reads []int32
	for i := range c.p.ops {
		op := c.p.at(i)
		if op.Outcome != protocols.Done {
			continue
		}
		length := int(min(op.Value, maxOperations))
		if op.Op == protocols.AppendTo && c.p.opt.Blind {
			if length = place[op.Arg]; length == 0 { // not in the longest list: behind it
				length = min(len(c.longest)+1, n)
			}
		}
		if length > n {
			return DuplicateEffect // longer than there were appends
		}
		if op.Op == protocols.ReadRange {
			reads = append(reads, int32(i))
		}
		if length < 1 {
			continue
		}
		complete[length-1] = min(complete[length-1], op.Return)
		if op.Op == protocols.ReadRange {
			seen[length-1] = min(seen[length-1], op.Return)
		}
	}
	for k := n - 1; k >= 0; k-- {
		seen[k], complete[k] = min(seen[k], seen[k+1]), min(complete[k], complete[k+1])
	}
	slices.SortStableFunc(reads, func(a, b int32) int { return cmp.Compare(c.p.at(int(b)).Call, c.p.at(int(a)).Call) })
	found, longestLater := Class(""), protocols.Value(0)
	for _, i := range reads { // from the last to the first, which counts
		op := c.p.at(int(i))
		switch {
		case complete[op.Value] >= op.Call:
		case longestLater > op.Value:
			found = StaleRead
		case seen[op.Value] < op.Call:
			found = VisibleThenGone
		default:
			found = LostWrite
		}
		longestLater = max(longestLater, op.Value)
	}
	if found != "" {
		return found
	}
	return c.positions()
}

// positions compares what appends answered with each other and with what reads show
// there: one of two that got the same position is lost, and one that is shown at
// another place was moved, or is there twice.
func (c *logClass) positions() Class {
	if c.p.opt.Blind {
		return Unordered
	}
	taken := map[protocols.Value]protocols.Value{} // value by position; looked up, never ranged over
	for i := range c.p.ops {
		op := c.p.at(i)
		if op.Op != protocols.AppendTo || op.Outcome != protocols.Done {
			continue
		}
		if _, have := taken[op.Value]; have {
			return LostWrite
		}
		taken[op.Value] = protocols.Value(op.Arg)
	}
	shown := map[protocols.Value]protocols.Value{} // position by value; likewise
	for i := range c.p.ops {
		op := c.p.at(i)
		if op.Op != protocols.ReadRange || op.Outcome != protocols.Done {
			continue
		}
		for k, v := range op.List {
			at := protocols.Value(firstRead(op)) + protocols.Value(k)
			if other, have := shown[v]; have && other != at {
				return DuplicateEffect
			}
			shown[v] = at
			if own := c.p.at(int(c.appends[int64(v)])); own.Outcome == protocols.Done && own.Value != at {
				return ReorderedAppend
			}
			if other, have := taken[at]; have && other != v {
				return VisibleThenGone
			}
			taken[at] = v
		}
	}
	return Unordered
}
