package shrink

import (
	"slices"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// aim tries, where many operations are left, few of them again where they meet the
// bug most likely: right before the faults of the plan, and in windows all over it.
// Every operation that goes changes the draws of all that follow, so a bug that needs
// luck among many operations is not met by the same few of them; it is met by another
// few, at another moment, or with a chance that is larger than the drawn one.
func (m *minimiser) aim() bool {
	if len(m.best.Workload.Calls) <= few {
		return false
	}
	lists := slices.Concat(m.strikes(), m.windows(mostWindows))
	var candidates []*scenarios.Scenario
	for _, louder := range []func(*scenarios.Scenario){func(*scenarios.Scenario) {}, likely(sim.Always / 10), likely(sim.Always / 3)} {
		for _, list := range lists {
			candidates = append(candidates, m.change(func(sc *scenarios.Scenario) {
				louder(sc)
				sc.Workload.Calls = slices.Clone(list)
			}))
		}
	}
	return m.first(candidates) >= 0
}

// mostWindows bounds the windows that aim tries.
const mostWindows = 24

// windows lists neighbours among the calls, few at a time, spread over the plan.
func (m *minimiser) windows(most int) [][]sim.Call {
	all := m.best.Workload.Calls
	var list [][]sim.Call
	step := max(few, (len(all)+most-1)/most)
	for from := 0; from < len(all); from += step {
		list = append(list, all[from:min(from+few, len(all))])
	}
	return list
}

// strikes lists calls that come to be right before a fault begins: the last few
// before it, and the last alone, moved so that the last leaves shortly before.
func (m *minimiser) strikes() [][]sim.Call {
	all := m.best.Workload.Calls
	var list [][]sim.Call
	for _, f := range m.best.Faults {
		to := 0
		for i, c := range all {
			if c.At < f.At {
				to = i + 1
			}
		}
		if to == 0 {
			continue
		}
		for _, ahead := range []protocols.Duration{2, 5, 10, 20, 50} {
			for _, n := range []int{1, few} {
				list = append(list, moved(all[max(0, to-n):to], f.At.Add(-ahead*time.Millisecond)))
			}
		}
	}
	return list
}

// moved copies calls and lets the last of them leave at a time, and the others as
// much earlier as they were, but not before the run begins.
func moved(calls []sim.Call, last protocols.Time) []sim.Call {
	list := slices.Clone(calls)
	by := last.Sub(list[len(list)-1].At)
	for i := range list {
		list[i].At = max(0, list[i].At.Add(by))
	}
	return list
}

// likely returns a change that lets every message be duplicated that may be, and what
// may be lost be lost with a probability of loss at least. Latencies stay: they let
// messages overtake each other.
func likely(loss sim.Prob) func(*scenarios.Scenario) {
	return func(sc *scenarios.Scenario) {
		for _, l := range []*sim.Link{&sc.Network.Between, &sc.Network.Client} {
			if l.Duplicate > 0 {
				l.Duplicate = sim.Always
			}
			if l.Loss > 0 {
				l.Loss = max(l.Loss, loss)
			}
		}
		for i := range sc.Faults {
			switch f := &sc.Faults[i]; f.Kind {
			case protocols.FaultDuplicate:
				f.Prob = sim.Always
			case protocols.FaultLoss:
				f.Prob = max(f.Prob, loss)
			}
		}
	}
}
