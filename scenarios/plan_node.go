package scenarios

import (
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// isNodeFault reports whether a kind is one of nodeFaultKinds.
func isNodeFault(kind protocols.FaultKind) bool {
	return slices.ContainsFunc(nodeFaultKinds(), func(k faultKind) bool { return k.kind == kind })
}

// damages reports whether a kind may leave a disk from which its node never boots
// again, or does not vote again.
func damages(kind protocols.FaultKind) bool {
	switch kind {
	case protocols.FaultReordered, protocols.FaultCorrupt, protocols.FaultMisdirect, protocols.FaultWipe:
		return true
	}
	return false
}

// short is how many faults a short plan has at most.
const short = 6

// nodeFaults adds faults of processes, disks and clocks to half of the plans. They
// have a state of their own, so that the rest of a plan does not depend on them. All
// damage to disks is at one node, of at least three: the others can do without it.
func (g *drawer) nodeFaults(sc *Scenario) {
	own := *g
	own.state = protocols.Mix64(g.state ^ 0x6e6f6465) // "node"
	if !own.chance(50) {
		return
	}
	damaged := Target(fmt.Sprintf("n%d", own.between(1, int64(sc.Replicas))))
	var kinds []protocols.FaultKind
	for _, k := range nodeFaultKinds() {
		limit := survives(g.protocol, k.kind, g.parameters, sc.Replicas)
		if limit != 0 && own.chance(30) && (sc.Replicas >= 3 || !damages(k.kind)) {
			kinds = append(kinds, k.kind)
		}
	}
	if len(kinds) == 0 {
		return
	}
	most := len(sc.Faults) + 8
	if len(sc.Faults) <= short {
		most = short
	}
	for range own.between(1, 4) {
		if len(sc.Faults) == most {
			break
		}
		f := own.nodeFault(sc, kinds[own.between(0, int64(len(kinds)-1))])
		aim(sc, &f, damaged, sc.Replicas)
		own.add(sc, f)
		if f.Kind == protocols.FaultTorn || f.Kind == protocols.FaultReordered {
			f.Kind, f.At = protocols.FaultCrash, f.At+1000 // what shows it
			if f.For != sim.Forever {
				f.For /= 2
			}
			if len(sc.Faults) < most {
				own.add(sc, f)
			}
		}
	}
	Number(sc.Faults)
}

// aim keeps what takes a disk away for good at one node, of at least three: the others can
// do without it. In a smaller group a stall has an end.
func aim(sc *Scenario, f *sim.Fault, damaged sim.Target, members int) {
	stuck := f.Kind == protocols.FaultStall && f.For == sim.Forever
	switch {
	case damages(f.Kind) || stuck && members >= 3:
		f.Target = damaged
	case stuck:
		f.For = sc.For - protocols.Duration(f.At)
	}
}

// add appends a fault to the plan, unless that leaves the protocol's model.
func (g *drawer) add(sc *Scenario, f sim.Fault) {
	sc.Faults = append(sc.Faults, f)
	for _, f := range sc.Faults {
		limit := survives(g.protocol, f.Kind, g.parameters, sc.Replicas)
		if limit >= 0 && mostHit(sc, f.Kind) > limit {
			sc.Faults = sc.Faults[:len(sc.Faults)-1]
			return
		}
	}
}

// nodeFault draws one fault.
func (g *drawer) nodeFault(sc *Scenario, kind protocols.FaultKind) sim.Fault {
	f := g.fault(sc, kind)
	for i := range faultKinds {
		if k := &faultKinds[i]; k.kind == kind && k.set != nil {
			k.set(&f)
		}
	}
	switch kind {
	case protocols.FaultPowerLoss:
		f.Target = Target("all services")
	case protocols.FaultAttrition:
		f.Every = g.skewed(100*time.Millisecond, 20*g.timeout)
		f.Down = sim.Between(time.Millisecond, time.Millisecond+g.skewed(time.Millisecond, 2*g.timeout))
	case protocols.FaultCrashPoint:
		points := sim.CrashPoints()
		f.Point = points[g.between(0, int64(len(points)-1))]
		f.Nth = int(g.between(1, 20))
	case protocols.FaultSlowNode:
		f.Factor = g.between(2, 100)
	case protocols.FaultDiskError:
		f.Prob = g.probability(20)
	case protocols.FaultStrobe:
		f.Step = g.span(time.Millisecond, 5*time.Second)
		f.Every = g.span(time.Millisecond, g.timeout)
	}
	return f
}
