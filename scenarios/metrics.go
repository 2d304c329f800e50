package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Unit says how a metric's whole number is written.
type Unit uint8

const (
	UnitCount    Unit = iota + 1 // 12
	UnitDuration                 // nanoseconds, written 48.2ms
	UnitPercent                  // millionths, written 99.5%
	UnitDecimal                  // thousandths, written 8.02
	UnitRate                     // thousandths a second, written 180.5/s
)

// Metric is one number of a result that expectations and probes can bound.
type Metric struct {
	Name string
	Unit Unit
	Doc  string
	get  func(*Result) int64
}

// Metrics lists all metrics: those of the clients first, then what the engine
// counted.
func Metrics() []Metric { return slices.Clone(metrics) }

var metrics = []Metric{
	{"violations", UnitCount, "broken checks", func(r *Result) int64 { return int64(len(r.Violations)) }},
	{"latency.p50", UnitDuration, "median time from call to result", func(r *Result) int64 { return r.Latency.P50 }},
	{"latency.p90", UnitDuration, "90th percentile of the time from call to result", func(r *Result) int64 { return r.Latency.P90 }},
	{"latency.p99", UnitDuration, "99th percentile of the time from call to result", func(r *Result) int64 { return r.Latency.P99 }},
	{"latency.max", UnitDuration, "longest time from call to result", func(r *Result) int64 { return r.Latency.Max }},
	{"leaderless", UnitDuration, "time of the safety phase in which nobody led a quorum, the first election included", func(r *Result) int64 { return r.Leaderless }},
	{"recovery", UnitDuration, "time from the heal of the core until its operations, fresh ones and convergence were done", func(r *Result) int64 { return r.Recovery }},
	{"throughput", UnitRate, "operations that returned, per virtual second of the safety phase", func(r *Result) int64 { return int64(r.Throughput) }},
	{"operations", UnitCount, "operations called", func(r *Result) int64 { return int64(r.Operations.Total()) }},
	{"availability", UnitPercent, "share of the operations that returned", func(r *Result) int64 { return share(r.Operations.OK, r.Operations.Total()) }},
	{"failed", UnitPercent, "share of the operations that failed for certain", func(r *Result) int64 { return share(r.Operations.Failed, r.Operations.Total()) }},
	{"unknown", UnitPercent, "share of the operations whose outcome nobody knows", func(r *Result) int64 { return share(r.Operations.Unknown, r.Operations.Total()) }},
	{"unknown outcomes", UnitCount, "operations whose outcome nobody knows", func(r *Result) int64 { return int64(r.Operations.Unknown) }},
	{"lost writes", UnitCount, "acknowledged writes that the log of the converged replicas does not hold, where the guarantee allows that", (*Result).lostCount},
	{"messages per commit", UnitDecimal, "messages sent per operation that returned", func(r *Result) int64 { return int64(r.PerCommit.Messages) }},
	{"bytes per commit", UnitDecimal, "bytes sent per operation that returned", func(r *Result) int64 { return int64(r.PerCommit.Bytes) }},
	{"fsyncs per commit", UnitDecimal, "fsyncs per operation that returned", func(r *Result) int64 { return int64(r.PerCommit.Fsyncs) }},
	{"retries", UnitCount, "attempts after an operation's first", func(r *Result) int64 { return int64(r.attempts - min(r.attempts, r.Operations.Total())) }},
	{"elections", UnitCount, "times that a node became leader in the safety phase", func(r *Result) int64 { return int64(r.stats.Leaders) }},
	{"leader changes", UnitCount, "elections after the first one", func(r *Result) int64 { return int64(r.stats.Leaders) - min(int64(r.stats.Leaders), 1) }},
	{"messages", UnitCount, "messages that left a node for another in the safety phase", func(r *Result) int64 { return int64(r.stats.Messages) }},
	{"messages lost", UnitCount, "messages that links and faults lost in the safety phase", func(r *Result) int64 { return int64(r.stats.Lost) }},
	{"messages cut", UnitCount, "messages that partitions dropped in the safety phase", func(r *Result) int64 { return int64(r.stats.Cut) }},
	{"messages to the dead", UnitCount, "messages that arrived at a node that was down, in the safety phase", func(r *Result) int64 { return int64(r.stats.Missed) }},
	{"duplicates", UnitCount, "messages delivered twice in the safety phase", func(r *Result) int64 { return int64(r.stats.Copied) }},
	{"messages corrupted", UnitCount, "messages that a checksum caught in the safety phase", func(r *Result) int64 { return int64(r.stats.Corrupted) }},
	{"messages replayed", UnitCount, "old messages sent once more in the safety phase", func(r *Result) int64 { return int64(r.stats.Replayed) }},
	{"messages clogged", UnitCount, "messages held back at the end of clogged links in the safety phase", func(r *Result) int64 { return int64(r.stats.Clogged) }},
	{"messages queued", UnitCount, "messages that waited for a link of bounded bandwidth in the safety phase", func(r *Result) int64 { return int64(r.stats.Queued) }},
	{"messages overflowed", UnitCount, "messages that a full queue dropped in the safety phase", func(r *Result) int64 { return int64(r.stats.Overflowed) }},
	{"cpu time", UnitDuration, "CPU time of the node that used most in the safety phase", func(r *Result) int64 { return int64(r.stats.Busiest) }},
	{"crashes", UnitCount, "nodes that faults stopped", func(r *Result) int64 { return int64(r.killed) }},
	{"records lost", UnitCount, "un-synced records that crashes lost", func(r *Result) int64 { return int64(r.recordsLost) }},
	{"entries followed", UnitCount, "log entries and snapshots that subscribers took over in the safety phase", func(r *Result) int64 { return int64(r.stats.Followed) }},
	{"subscriber switches", UnitCount, "times that a subscriber got entries from another replica than before, in the safety phase", func(r *Result) int64 { return int64(r.stats.Switches) }},
	{"subscriber restarts", UnitCount, "crashes of subscribers in the safety phase", func(r *Result) int64 { return int64(r.stats.SubscriberRestarts) }},
	{"events", UnitCount, "events of the whole run", func(r *Result) int64 { return int64(r.Events) }},
}

// share returns a/b in millionths, rounded down; 0 when b is 0.
func share(a, b uint64) int64 {
	if b == 0 {
		return 0
	}
	return int64(a * 1_000_000 / b)
}

func metricNames() []string {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.Name
	}
	return names
}

func metricNamed(name string) *Metric {
	for i := range metrics {
		if metrics[i].Name == name {
			return &metrics[i]
		}
	}
	return nil
}

// Format writes a value of the metric.
func (u Unit) Format(v int64) string {
	switch u {
	case UnitDuration:
		return sim.FormatDuration(protocols.Duration(v))
	case UnitPercent:
		return trimZeros(fmt.Sprintf("%d.%04d", v/10_000, v%10_000)) + "%"
	case UnitDecimal:
		return trimZeros(Decimal(v).String())
	case UnitRate:
		return trimZeros(Decimal(v).String()) + "/s"
	}
	return strconv.FormatInt(v, 10)
}

func trimZeros(s string) string { return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") }

// parse reads a value as Format writes it.
func (u Unit) parse(s string) (int64, error) {
	switch u {
	case UnitDuration:
		d, err := readSpan(s)
		return int64(d), err
	case UnitPercent:
		number, ok := strings.CutSuffix(s, "%")
		if !ok {
			return 0, fmt.Errorf("%s has no unit; write %s%%", quote(s), s)
		}
		v, err := parseFixed(strings.TrimSpace(number), 4)
		if err == nil && v > 1_000_000 {
			err = fmt.Errorf("want 0%% to 100%%, got %s", quote(s))
		}
		return v, err
	case UnitDecimal:
		return parseDecimal(s)
	case UnitRate:
		number, ok := strings.CutSuffix(s, "/s")
		if !ok {
			return 0, fmt.Errorf("%s has no unit; write %s/s", quote(s), s)
		}
		return parseDecimal(strings.TrimSpace(number))
	}
	if !wholeNumber.MatchString(s) {
		return 0, errPlain
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 0 {
		return 0, errPlain
	}
	return v, nil
}

// example is a bound as a scenario would write it.
func (u Unit) example() string {
	return map[Unit]string{UnitCount: "10", UnitDuration: "400ms", UnitPercent: "99.5%", UnitDecimal: "8.5", UnitRate: "200/s"}[u]
}

// want names the unit for messages.
func (u Unit) want() string {
	what := map[Unit]string{UnitCount: "a whole number", UnitDuration: "a duration", UnitPercent: "a percentage", UnitDecimal: "a number", UnitRate: "a rate"}[u]
	return what + " such as " + u.example()
}

func parseDecimal(s string) (int64, error) { return parseFixed(s, 3) }

// parseFixed reads a decimal number that is not negative into units of
// 10^-digits, exactly.
func parseFixed(s string, digits int) (int64, error) {
	w, frac, _ := strings.Cut(s, ".")
	if !wholeNumber.MatchString(w) || strings.HasPrefix(w, "-") || len(w) > 12 || strings.HasSuffix(s, ".") {
		return 0, errPlain
	}
	if len(frac) > digits {
		if strings.Trim(frac[digits:], "0") != "" {
			return 0, fmt.Errorf("want at most %d decimals, got %s", digits, quote(s))
		}
		frac = frac[:digits]
	}
	v, err := strconv.ParseInt(w+frac+strings.Repeat("0", digits-len(frac)), 10, 64)
	if err != nil || strings.ContainsAny(frac, "+-") {
		return 0, errPlain
	}
	return v, nil
}
