package shrink

import (
	"testing"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// TestStrikes: operations come to be right before each fault that any precede, as far
// apart as they were, and never before the run begins.
func TestStrikes(t *testing.T) {
	sc := scenarios.New("strikes")
	for i := range 8 {
		sc.Workload.Calls = append(sc.Workload.Calls, sim.Call{At: protocols.Time(time.Duration(10+i) * time.Millisecond), Client: -1})
	}
	early, late := protocols.Time(5*time.Millisecond), protocols.Time(16*time.Millisecond)
	sc.Faults = []sim.Fault{{At: early}, {At: late}}
	m := &minimiser{best: sc}
	single, several := 0, 0
	for _, list := range m.strikes() {
		last := list[len(list)-1].At
		if last >= late || last < 0 || len(list) > few {
			t.Errorf("%d calls, the last at %s", len(list), time.Duration(last))
		}
		if len(list) == 1 {
			single++
			continue
		}
		several++
		for i, c := range list[1:] {
			if apart := c.At.Sub(list[i].At); c.At < 0 || apart != time.Millisecond && list[i].At > 0 {
				t.Errorf("calls at %s and %s", time.Duration(list[i].At), time.Duration(c.At))
			}
		}
	}
	if single == 0 || several == 0 {
		t.Errorf("%d single calls, %d lists of several", single, several)
	}
}

// TestWindows: windows are neighbours, few at a time and few in all, and reach from
// the first call to the last part of the plan.
func TestWindows(t *testing.T) {
	for _, n := range []int{1, few, few + 1, 40, 1000} {
		sc := scenarios.New("windows")
		for i := range n {
			sc.Workload.Calls = append(sc.Workload.Calls, sim.Call{At: protocols.Time(i), Client: -1})
		}
		list := (&minimiser{best: sc}).windows(mostWindows)
		if len(list) == 0 || len(list) > mostWindows || list[0][0].At != 0 || int(list[len(list)-1][0].At) < n-max(few, 1+n/mostWindows) {
			t.Fatalf("%d windows of %d calls", len(list), n)
		}
		for _, w := range list {
			if len(w) == 0 || len(w) > few || w[len(w)-1].At.Sub(w[0].At) != protocols.Duration(len(w)-1) {
				t.Errorf("of %d calls, the window %v", n, w)
			}
		}
	}
}

// TestLikely: what may happen happens more often, what may not stays impossible, and a
// likelier chance stays as it is.
func TestLikely(t *testing.T) {
	const third = sim.Always / 3
	sc := scenarios.New("likely")
	sc.Network.Between.Loss, sc.Network.Client.Duplicate = 1, 1
	sc.Faults = []sim.Fault{{Kind: protocols.FaultLoss, Prob: 1}, {Kind: protocols.FaultLoss, Prob: sim.Always}, {Kind: protocols.FaultDuplicate, Prob: 1}, {Kind: protocols.FaultPause}}
	latency := sc.Network.Between.Latency
	likely(third)(sc)
	n := sc.Network
	if n.Between.Loss != third || n.Between.Duplicate != 0 || n.Client.Loss != 0 || n.Client.Duplicate != sim.Always || n.Between.Latency != latency {
		t.Errorf("%+v", n)
	}
	for i, want := range []sim.Prob{third, sim.Always, sim.Always, 0} {
		if got := sc.Faults[i].Prob; got != want {
			t.Errorf("fault %d: %v, want %v", i, got, want)
		}
	}
}
