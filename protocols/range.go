package protocols

import (
	"fmt"
	"strings"
	"time"
)

// Range is a span of durations, both ends included: what a timer is drawn from.
type Range struct{ Min, Max Duration }

// String prints 150ms..300ms, or 150ms when both ends are equal.
func (r Range) String() string {
	if r.Min == r.Max {
		return r.Min.String()
	}
	return r.Min.String() + ".." + r.Max.String()
}

// ParseRange reads what [Range.String] prints. Neither end may be below 0, nor
// the first above the second.
func ParseRange(s string) (Range, error) {
	low, high, both := strings.Cut(s, "..")
	if !both {
		high = low
	}
	var r Range
	var err error
	if r.Min, err = time.ParseDuration(low); err == nil {
		r.Max, err = time.ParseDuration(high)
	}
	if err != nil || r.Min < 0 || r.Max < r.Min {
		return Range{}, fmt.Errorf("got %q, want a range of durations such as 150ms..300ms", s)
	}
	return r, nil
}
