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

// absent looks for a read that lacks an entry that was acknowledged, or had been
// seen, before it was called.
func (c *logClass) absent() Class {
	// complete[k] is the earliest return of whoever knows that the log is longer
	// than k.
	complete := make([]int64, len(c.longest)+1)
	for k := range complete {
		complete[k] = after
	}
	place := make(map[int64]int, len(c.longest)) // looked up, never ranged over
	for k, v := range c.longest {
		place[int64(v)] = k + 1
		complete[k] = c.p.at(int(c.appends[int64(v)])).Return
	}
	seen := slices.Repeat([]int64{after}, len(c.longest)+1)
	for _, i := range c.reads {
		if op := c.p.at(int(i)); op.Value > 0 {
			seen[op.Value-1] = min(seen[op.Value-1], op.Return)
		}
	}
	for k := len(complete) - 2; k >= 0; k-- {
		seen[k] = min(seen[k], seen[k+1])
		complete[k] = min(complete[k], complete[k+1], seen[k])
	}
	longestLater := 0
	lengths := make([]int, len(c.reads)) // the longest read called later
	for n := len(c.reads) - 1; n >= 0; n-- {
		lengths[n] = longestLater
		longestLater = max(longestLater, len(c.p.at(int(c.reads[n])).List))
	}
	for n, i := range c.reads {
		op := c.p.at(int(i))
		k := len(op.List)
		switch {
		case complete[k] >= op.Call:
		case lengths[n] > k:
			return StaleRead
		case seen[k] < op.Call:
			return VisibleThenGone
		default:
			return LostWrite
		}
	}
	return c.lost(place)
}

// lost looks for an acknowledged append that no read shows, although one was called
// after it.
func (c *logClass) lost(place map[int64]int) Class {
	if len(c.reads) == 0 {
		return c.positions()
	}
	last := c.p.at(int(c.reads[len(c.reads)-1])).Call
	for i := range c.p.ops {
		if op := c.p.at(i); op.Op == protocols.AppendTo && op.Outcome == protocols.Done && place[op.Arg] == 0 && op.Return < last {
			return LostWrite
		}
	}
	return c.positions()
}

// positions looks at what appends answered: one of two that got the same position
// is lost.
func (c *logClass) positions() Class {
	taken := map[protocols.Value]bool{} // looked up, never ranged over
	for i := range c.p.ops {
		op := c.p.at(i)
		if op.Op != protocols.AppendTo || op.Outcome != protocols.Done {
			continue
		}
		if taken[op.Value] {
			return LostWrite
		}
		taken[op.Value] = true
	}
	return Unordered
}
