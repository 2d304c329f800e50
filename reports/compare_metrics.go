package reports

import (
	"fmt"
	"strconv"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// significance is the p-value below which a difference is shown.
const significance = 0.05

// oneIn is how many tests of what does not differ show one difference on average.
const oneIn = 20

// fewestPairs is the number of seeds from which the signed-rank test can call a
// difference significant at all: with 5 the smallest p-value is 0.0625.
const fewestPairs = 6

// unit says how a metric's whole number is written.
type unit uint8

const (
	inNanoseconds unit = iota
	inThousandths
	inMillionths // a share, written as a percentage
)

// text writes v for readers.
func (u unit) text(v int64) string {
	switch u {
	case inNanoseconds:
		return Duration(v)
	case inMillionths:
		return scenarios.UnitPercent.Format(v / 100 * 100)
	}
	return decimal(scenarios.Decimal(v))
}

// number writes v exactly, for machines: nanoseconds, or a decimal number; a share
// is one from 0 to 1.
func (u unit) number(v int64) string {
	switch u {
	case inNanoseconds:
		return strconv.FormatInt(v, 10)
	case inMillionths:
		return fixed(v, 6)
	}
	return scenarios.Decimal(v).String()
}

// axis is how the axis of a plot shows it.
func (u unit) axis() AxisUnit { return [...]AxisUnit{Milliseconds, Plain, Share}[u] }

// float is v on that axis.
func (u unit) float(v int64) float64 {
	return float64(v) / [...]float64{1e6, 1e3, 1e6}[u]
}

// metric is one row of the table.
type metric struct {
	name string // for readers
	key  string // for machines, with its unit
	unit unit
	of   func(*run) (v int64, usable bool) // usable: it means something in this run
}

// metrics of one comparison. Those by commit are over all operations that returned,
// reads included.
var metrics = []metric{
	{"commit p50", "commit_p50_ns", inNanoseconds, percentile((*run).committed, 0.5)},
	{"commit p99", "commit_p99_ns", inNanoseconds, percentile((*run).committed, 0.99)},
	{"read p50", "read_p50_ns", inNanoseconds, percentile((*run).read, 0.5)},
	{"read p99", "read_p99_ns", inNanoseconds, percentile((*run).read, 0.99)},
	{"operations/s", "operations_per_second", inThousandths, func(r *run) (int64, bool) { return int64(r.Throughput), true }},
	{"availability", "availability", inMillionths, func(r *run) (int64, bool) {
		return int64(r.Operations.OK * 1_000_000 / max(r.Operations.Total(), 1)), r.Operations.Total() > 0
	}},
	{"longest outage", "longest_outage_ns", inNanoseconds, func(r *run) (int64, bool) { return int64(r.outage), r.answered() }},
	{"leaderless", "leaderless_ns", inNanoseconds, func(r *run) (int64, bool) { return r.Leaderless, true }},
	{"messages/commit", "messages_per_commit", inThousandths, func(r *run) (int64, bool) { return int64(r.PerCommit.Messages), r.answered() }},
	{"bytes/commit", "bytes_per_commit", inThousandths, func(r *run) (int64, bool) { return int64(r.PerCommit.Bytes), r.answered() }},
	{"fsyncs/commit", "fsyncs_per_commit", inThousandths, func(r *run) (int64, bool) { return int64(r.PerCommit.Fsyncs), r.answered() }},
}

func (r *run) committed() []protocols.Duration { return r.writes }
func (r *run) read() []protocols.Duration      { return r.reads }
func (r *run) answered() bool                  { return len(r.writes)+len(r.reads) > 0 }

func percentile(of func(*run) []protocols.Duration, q float64) func(*run) (int64, bool) {
	return func(r *run) (int64, bool) {
		sorted := of(r)
		if len(sorted) == 0 {
			return 0, false
		}
		return int64(quantile(sorted, q)), true
	}
}

// difference is how a cell's metric compares with that of its baseline, in the runs
// of those seeds in which both have it.
type difference struct {
	was, is int64 // medians
	p       float64
	pairs   int
}

func differenceOf(base, c *cell, m *metric) difference {
	var a, b []int64
	for i := range min(len(base.runs), len(c.runs)) {
		was, usable := m.of(&base.runs[i])
		if is, also := m.of(&c.runs[i]); usable && also {
			a, b = append(a, was), append(b, is)
		}
	}
	return difference{Median(a), Median(b), SignedRank(a, b), len(a)}
}

func (d difference) significant() bool { return d.p < significance }

// String prints +41.4% (p=0.000), or ~ where the test sees no difference.
func (d difference) String() string {
	switch {
	case !d.significant():
		return "~"
	case d.was == 0:
		return fmt.Sprintf("from 0 (p%s)", probability(d.p))
	}
	return fmt.Sprintf("%s (p%s)", change(d.was, d.is), probability(d.p))
}

// change prints the relative difference in percent, with one decimal below 100.
// Medians of nanoseconds stay far below the overflow.
func change(was, is int64) string {
	sign, tenths := "+", (is-was)*1000/was
	if tenths < 0 {
		sign, tenths = "-", -tenths
	}
	if tenths < 1000 {
		return sign + fixed(tenths, 1) + "%"
	}
	return sign + strconv.FormatInt(tenths/10, 10) + "%"
}

func probability(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return "=" + strconv.FormatFloat(p, 'f', 3, 64)
}
