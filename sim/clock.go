package sim

import (
	"math/bits"

	"github.com/lockstep-sim/lockstep/protocols"
)

// billion is parts per billion in one.
const billion = 1_000_000_000

// clock is a node's monotone clock: a straight line through (since, local) with
// a rate error, bent when the rate changes. The wall clock differs from it by
// wall.
type clock struct {
	since protocols.Time // true time of the last bend
	local protocols.Time // what the clock showed then
	ppb   int64          // rate error, above -billion
	home  int64          // the rate error without faults
	wall  protocols.Time // wall clock minus monotone clock
}

// read returns what the clock shows at true time t.
func (c *clock) read(t protocols.Time) protocols.Time {
	span := t - c.since
	return c.local + span + protocols.Time(mulDiv(int64(span), c.ppb, billion))
}

// when returns the first true time at which the clock shows at least local, so
// that a timer never fires early on the node's own clock.
func (c *clock) when(local protocols.Time) protocols.Time {
	span := local - c.local
	if c.ppb == 0 || span <= 0 {
		return c.since + max(0, span)
	}
	t := c.since + protocols.Time(mulDiv(int64(span), billion, billion+c.ppb))
	for c.read(t) < local {
		t++
	}
	for t > c.since && c.read(t-1) >= local {
		t--
	}
	return t
}

// bend changes the rate at true time t; the clock shows the same before and
// after.
func (c *clock) bend(t protocols.Time, ppb int64) {
	c.local, c.since, c.ppb = c.read(t), t, ppb
}

// mulDiv returns a·b/c for a >= 0 and c > 0, rounded down, in 128 bits.
func mulDiv(a, b, c int64) int64 {
	if b == 0 || a == 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(a), uint64(max(b, -b)))
	q, r := bits.Div64(hi, lo, uint64(c))
	if b > 0 {
		return int64(q)
	}
	if r != 0 {
		q++
	}
	return -int64(q)
}
