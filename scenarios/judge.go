package scenarios

import (
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// snapshot keeps what the engine counted in the safety phase: the liveness phases
// would dilute it.
func (r *run) snapshot() {
	r.result.stats = *r.world.Stats()
	r.result.stats.ByKind = slices.Clone(r.result.stats.ByKind)
	r.result.safetyEnd = r.world.Now()
}

// measure fills in the figures of the result.
func (r *run) measure() {
	res, w := r.result, r.world
	res.Digest = hex(w.Digest())
	res.Events = w.Events()
	for _, c := range w.Checkpoints() {
		res.Checkpoints = append(res.Checkpoints, Checkpoint{c.Event, hex(c.Digest)})
	}
	res.Virtual = decimalSeconds(w.Now())
	res.Leaderless = int64(res.stats.Leaderless)
	var latencies []int64
	inSafety := uint64(0)
	history := w.History()
	for i := range history {
		op := &history[i]
		res.attempts += uint64(op.Attempts)
		res.Operations.count(op.Outcome)
		if op.Outcome == protocols.Done && op.Ended <= res.safetyEnd {
			inSafety++
			latencies = append(latencies, int64(op.Ended.Sub(op.Began)))
		}
	}
	r.measurePhases(history)
	res.Gaps = r.idle.gaps(history, res.safetyEnd)
	res.Latency = latencyOfAll(latencies)
	if res.safetyEnd > 0 {
		res.Throughput = perSecond(inSafety, int64(res.safetyEnd))
	}
	res.PerCommit = PerCommit{
		Messages: per(res.stats.Messages, inSafety),
		Bytes:    per(res.stats.Bytes, inSafety),
		Fsyncs:   per(res.stats.Fsyncs, inSafety),
	}
	for _, v := range w.Violations() {
		b := Broken{Check: v.Check, Text: v.Text, AtNS: int64(v.At), Event: v.Seq}
		if v.Node != protocols.Nobody {
			b.Node = w.Cluster().Name(v.Node)
		}
		res.Violations = append(res.Violations, b)
	}
	slices.SortStableFunc(res.Violations, func(a, b Broken) int {
		switch {
		case a.Event < b.Event:
			return -1
		case a.Event > b.Event:
			return 1
		}
		return 0
	})
	for _, a := range w.AdminLog() {
		res.Admin = append(res.Admin, adminOf(&a, w.Now()))
	}
	log := w.FaultLog()
	for i := range log {
		res.Faults = append(res.Faults, faultOf(&log[i], w.Now()))
		if sim.Stops(log[i].Fault.Kind) {
			res.recordsLost += log[i].Count
			res.killed += log[i].Killed
		}
	}
}

// perSecond returns n a second over span nanoseconds, in thousandths. 10^12·n
// does not fit in 64 bits, so whole microseconds are used.
func perSecond(n uint64, span int64) Decimal {
	micros := uint64(span) / 1000
	if micros == 0 {
		return 0
	}
	return Decimal(n * 1_000_000_000 / micros)
}

// latencyOfAll returns exact percentiles by nearest rank: the smallest value with
// at least that share of all values at or below it.
func latencyOfAll(all []int64) Latency {
	if len(all) == 0 {
		return Latency{}
	}
	slices.Sort(all)
	rank := func(percent int64) int64 {
		n := int64(len(all))
		return all[(n*percent+99)/100-1]
	}
	return Latency{P50: rank(50), P90: rank(90), P99: rank(99), Max: all[len(all)-1]}
}

// judge gives the verdict.
func (r *run) judge(opt Options) {
	res := r.result
	history := r.world.History()
	linearizable := r.p.LinearizableReads == nil || r.p.LinearizableReads(r.parameters)
	options := r.sc.Judged(r.p)
	options.Positions, options.Log = true, r.applied.Log()
	if linearizable && !r.isOff(CheckLinearizability) {
		report := checker.Linearizable(history, options)
		r.history(&report)
		if opt.History {
			res.Report = &report
		}
	}
	if !linearizable || res.notLinearizable() {
		r.weaker(history)
	}
	if opt.History {
		res.History = slices.Clone(history)
	}
	res.Lost = r.lost(history)
	if len(res.Violations) > 0 {
		first := res.Violations[0]
		res.Verdict, res.Check, res.Reason = checker.Violation, first.Check, first.Text
	} else if res.Reason == "" {
		if res.Operations.OK == 0 && r.sc.Workload.Clients > 0 && len(r.sc.Script) == 0 {
			res.Verdict, res.Reason = checker.Inconclusive, "no operation returned: nothing was put on trial"
		} else {
			res.Verdict = checker.OK
		}
	}
	if outside := r.sc.OutsideModel(r.p); outside != "" && len(r.sc.Script) == 0 {
		if res.Reason != "" {
			outside += "; " + res.Verdict.String() + ": " + res.Reason
		}
		res.Verdict, res.Reason = checker.OutsideModel, outside
	}
}

// Judged is what the judge is told of the scenario's machine and how the protocol's
// clients use it.
func (sc *Scenario) Judged(p *protocols.Protocol) checker.Options {
	return checker.Options{Machine: sc.Machine, Blind: p.Blind && sc.Machine != "counter"} // an increment has no value but what it made
}

// notLinearizable reports whether the judge found the history wrong.
func (r *Result) notLinearizable() bool {
	return slices.ContainsFunc(r.Violations, func(b Broken) bool { return b.Check == CheckLinearizability })
}

// weakerSteps is the budget of the search for a weaker model: a campaign meets it in
// every run of a protocol that is not linearizable.
const weakerSteps = 1_000_000

// weaker says what a history that is not linearizable, or need not be, still gives.
func (r *run) weaker(history []protocols.Operation) {
	options := r.sc.Judged(r.p)
	options.Budget.Steps = weakerSteps
	holds := checker.WhatHolds(history, nil, options)
	judged := &r.result.Judged
	judged.Strongest, judged.Held = holds.Strongest(), holds.Held()
	judged.Stale, judged.StaleNS = holds.Staleness.Stale, holds.Staleness.Nanoseconds
	if holds.Effects.String() != "" {
		judged.Effects = &holds.Effects
	}
}

// history takes over the judgement over the clients' history.
func (r *run) history(report *checker.Report) {
	judged := &r.result.Judged
	judged.Partitions = len(report.Parts)
	judged.OutOfBudget = report.CrossExhausted
	for _, by := range checker.Deciders() {
		if report.Decided(by) > 0 {
			judged.Deciders = append(judged.Deciders, by.String())
		}
	}
	switch report.Verdict {
	case checker.OK:
		if r.result.Operations.OK > 0 {
			judged.Strongest = Linearizability
		}
	case checker.Violation:
		text := "the history is not linearizable"
		if report.Counterexample != nil {
			text = fmt.Sprintf("%s: %s", report.Counterexample.Class, report.Counterexample.Text)
		}
		r.violate(CheckLinearizability, "%s", text)
	case checker.Inconclusive:
		r.decide(checker.Inconclusive, "linearizability was not decided: "+report.Reason)
	}
}

// expect compares the result with what the scenario expects.
func (r *run) expect() {
	res := r.result
	e := r.sc.Expected(r.p.Name)
	res.expected = e.Verdict
	res.Expected = append(res.Expected, Checked{
		Text: "verdict " + e.Verdict.String(), Got: res.Verdict.String(), Met: res.Verdict == e.Verdict,
	})
	if e.Check != "" {
		got := res.Check
		if got == "" {
			got = "none"
		}
		res.Expected = append(res.Expected, Checked{Text: "check " + e.Check, Got: got, Met: res.Check == e.Check})
	}
	for _, c := range e.Conditions {
		res.Expected = append(res.Expected, c.check(res))
	}
	for _, p := range r.sc.Sometimes {
		if _, known := res.reached(p.Situation); p.Situation != "" && !known {
			continue // of another protocol
		}
		res.Probes = append(res.Probes, p.check(res))
	}
	res.Met = len(res.Missed()) == 0
}

// String sums a result up in one line.
func (r *Result) String() string {
	s := fmt.Sprintf("%s %s seed %d: %s", r.Scenario, r.Protocol, r.Seed, r.Verdict)
	if r.Check != "" {
		s += " (" + r.Check + ")"
	}
	if r.Reason != "" {
		s += ": " + r.Reason
	}
	return s
}
