package shrink

import (
	"slices"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// explicit makes a plan of what a run did: whom faults hit and when, what clients
// called, and nothing that comes after the violation. Where not all of it together
// fails likewise, parts are tried.
func (m *minimiser) explicit(first *scenarios.Recording) {
	bare := m.best.Clone()
	bare.Expect, bare.ExpectOf, bare.Sometimes = scenarios.Expectation{}, nil, nil
	bare.Protocols = []string{m.p.Name}
	bare.Parameters = slices.DeleteFunc(slices.Clone(bare.Parameters), func(ps scenarios.Parameters) bool { return ps.Protocol != m.p.Name })
	calls := func(sc *scenarios.Scenario) { explicitCalls(sc, first) }
	faults := func(sc *scenarios.Scenario) { sc.Faults = struck(sc.Faults, first.Result.Faults) }
	calm := func(sc *scenarios.Scenario) { m.withoutLiveness(sc) }
	short := func(sc *scenarios.Scenario) { m.trim(sc, m.horizon(first.Result)) }
	for _, changes := range [][]func(*scenarios.Scenario){
		{calls, faults, calm, short}, {calls, faults, calm}, {calls, faults}, {faults, calm, short}, {calls, short}, {faults}, {calls}, {calm}, {},
	} {
		c := bare.Clone()
		scenarios.Pin(c.Faults)
		for _, change := range changes {
			change(c)
		}
		scenarios.Number(c.Faults)
		if m.first([]*scenarios.Scenario{c}) == 0 {
			return
		}
	}
}

// listCalls makes a drawn workload explicit that could not be at first: with fewer
// faults and less chance it often can.
func (m *minimiser) listCalls() bool {
	if len(m.best.Script) > 0 || len(m.best.Workload.Calls) > 0 {
		return false
	}
	rec := scenarios.Record(m.best, m.p, m.seed)
	m.runs++
	return m.first([]*scenarios.Scenario{m.change(func(sc *scenarios.Scenario) { explicitCalls(sc, rec) })}) >= 0
}

// explicitCalls replaces a drawn workload by what clients called in a run.
func explicitCalls(sc *scenarios.Scenario, rec *scenarios.Recording) {
	if len(sc.Script) > 0 || len(sc.Workload.Calls) > 0 {
		return
	}
	var list []sim.Call
	trace := rec.Result.Trace
	for i := range trace {
		e := &trace[i]
		switch e.Kind {
		case sim.TraceHeal, sim.TraceFull:
			i = len(trace)
		case sim.TraceCall:
			list = append(list, sim.Call{At: e.Time, Client: e.Node, To: asked(trace, i), Op: e.Command.Op, Kind: e.Command.Kind, Key: e.Command.Key})
		}
		if i == len(trace) {
			break
		}
	}
	if len(list) == 0 {
		return
	}
	plain := scenarios.New("").Workload
	sc.Workload.Calls = list
	sc.Workload.Think, sc.Workload.Every, sc.Workload.Begin, sc.Workload.Operations = plain.Think, plain.Every, 0, 0
}

// asked returns whom the call in line i of a trace asks first: the attempt follows
// within the same event.
func asked(trace []sim.TraceEvent, i int) protocols.NodeID {
	for _, e := range trace[i+1:] {
		switch {
		case e.Seq != trace[i].Seq:
			return protocols.Nobody
		case e.Kind == sim.TraceAttempt:
			return e.Peer
		case e.Kind == sim.TraceDropped && e.Peer == trace[i].Node:
			return e.Node
		}
	}
	return protocols.Nobody
}

// struck keeps the faults that changed something, with whom they hit and when.
func struck(plan []sim.Fault, log []scenarios.Fault) []sim.Fault {
	var list []sim.Fault
	for i, f := range plan {
		if i >= len(log) || !log[i].Effective {
			continue
		}
		target, err := sim.ParseTarget(log[i].Resolved)
		if err != nil {
			continue
		}
		begin := protocols.Time(log[i].StartNS)
		if f.For != sim.Forever {
			f.For -= begin.Sub(f.At)
		}
		f.At, f.Target = begin, target
		list = append(list, f)
	}
	return list
}

// afterHeal are the checks that the liveness phase makes.
var afterHeal = []string{scenarios.CheckLiveness, scenarios.CheckConvergence, scenarios.CheckSubscriber}

// withoutLiveness ends the run after the safety phase, where the violation is not
// about what follows.
func (m *minimiser) withoutLiveness(sc *scenarios.Scenario) {
	off := scenarios.Check{Name: scenarios.CheckLiveness, Off: true}
	if !slices.Contains(afterHeal, m.class.check) && !slices.Contains(sc.Checks, off) && len(sc.Script) == 0 {
		sc.Checks = append(sc.Checks, off)
	}
}

// horizon is how long a run must be to show its violation; 0: no shorter than it is.
func (m *minimiser) horizon(r *scenarios.Result) protocols.Duration {
	first := r.Violations[0]
	at := protocols.Time(first.AtNS)
	switch {
	case slices.Contains(afterHeal, first.Check):
		return 0
	case first.Check == scenarios.CheckLinearizability:
		if r.Report == nil || r.Report.Counterexample == nil {
			return 0
		}
		at = 0
		for _, op := range r.Report.Counterexample.Operations {
			at = max(at, op.Began)
			if op.Outcome != protocols.Unknown {
				at = max(at, op.Ended)
			}
		}
	}
	return protocols.Duration(at) + 1
}

// trim ends the safety phase at a horizon, if it is shorter, in whole milliseconds,
// and drops what would come later.
func (m *minimiser) trim(sc *scenarios.Scenario, horizon protocols.Duration) {
	const unit = time.Millisecond
	horizon = (horizon + unit - 1) / unit * unit
	if horizon == 0 || horizon >= sc.For || len(sc.Script) > 0 {
		return
	}
	sc.For = horizon
	late := func(t protocols.Time) bool { return protocols.Duration(t) >= horizon }
	sc.Faults = slices.DeleteFunc(sc.Faults, func(f sim.Fault) bool { return late(f.At) })
	sc.Admin = slices.DeleteFunc(sc.Admin, func(s sim.AdminStep) bool { return late(s.At) })
	kept := slices.DeleteFunc(slices.Clone(sc.Workload.Calls), func(c sim.Call) bool { return late(c.At) })
	if len(kept) == 0 && len(sc.Workload.Calls) > 0 { // no list would be a drawn workload
		kept = append(kept, sc.Workload.Calls[0])
		kept[0].At = protocols.Time(horizon - unit)
	}
	sc.Workload.Calls = kept
	for i := range sc.Faults {
		if f := &sc.Faults[i]; f.For != sim.Forever && protocols.Duration(f.At)+f.For > horizon {
			f.For = horizon - protocols.Duration(f.At)
		}
	}
	scenarios.Number(sc.Faults)
	for i := range sc.Admin {
		sc.Admin[i].ID = i + 1
	}
}
