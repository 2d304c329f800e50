package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/lockstep-sim/lockstep/internal/bench/floor"
)

// side does some work and returns how many units of it: events, steps.
type side func() (units uint64, err error)

// compared is the cost of one unit of a and of b, in nanoseconds, and the ratio
// a/b: medians over the rounds.
type compared struct {
	a, b, ratio float64
}

// alternate runs a and b in turn and returns what a unit costs. The first round
// warms up and does not count.
func alternate(rounds int, a, b side) (compared, error) {
	var as, bs, ratios []float64
	for round := range rounds + 1 {
		ca, err := cost(a)
		if err != nil {
			return compared{}, err
		}
		cb, err := cost(b)
		if err != nil {
			return compared{}, err
		}
		if round > 0 {
			as, bs, ratios = append(as, ca), append(bs, cb), append(ratios, ca/cb)
		}
	}
	return compared{median(as), median(bs), median(ratios)}, nil
}

// cost repeats s for at least 100 ms and returns nanoseconds per unit.
func cost(s side) (float64, error) {
	const least = 100 * time.Millisecond
	var units uint64
	began := floor.Clock()
	for {
		n, err := s()
		if err != nil {
			return 0, err
		}
		units += n
		if spent := floor.Clock() - began; spent >= least {
			return float64(spent) / float64(units), nil
		}
	}
}

// median wants at least one value.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// allocations returns how many objects f allocates.
func allocations(f func() error) (uint64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs, err
}

// row is one line of the table.
type row struct {
	what     string
	got      float64
	goal     float64
	atLeast  bool // the goal is a lower bound
	unit     string
	absolute string
}

func (r row) met() bool { return r.atLeast == (r.got >= r.goal) || r.got == r.goal }

func (r row) String() string {
	sign, verdict := "≤", "met"
	if r.atLeast {
		sign = "≥"
	}
	if !r.met() {
		verdict = "MISSED"
	}
	number := func(v float64) string {
		switch {
		case v < 0.1:
			return fmt.Sprintf("%.4f", v)
		case v < 100:
			return fmt.Sprintf("%.2f", v)
		}
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%-58s %8s%s  goal %s %s%s  %-6s  %s", r.what, number(r.got), r.unit, sign, number(r.goal), r.unit, verdict, r.absolute)
}
