package scenarios

import (
	"github.com/lockstep-sim/lockstep/sim"
)

// WithoutFaults returns a copy of sc without the faults at some positions, from 1,
// and without what waits for an event of theirs and so can never happen. What is
// left is numbered anew, in events and probes too. sc must have no nemesis: see
// [Expand].
func WithoutFaults(sc *Scenario, positions ...int) *Scenario {
	faults, admin := survivors(sc, positions)
	c := *sc
	c.Faults, c.Admin, c.Sometimes = nil, nil, nil
	for i, f := range sc.Faults {
		if faults[i+1] > 0 {
			f.When = renumbered(f.When, faults, admin)
			c.Faults = append(c.Faults, f)
		}
	}
	for i, s := range sc.Admin {
		if admin[i+1] > 0 {
			s.ID, s.When = admin[i+1], renumbered(s.When, faults, admin)
			c.Admin = append(c.Admin, s)
		}
	}
	Number(c.Faults)
	for _, p := range sc.Sometimes {
		switch {
		case p.Fault > 0:
			p.Fault = faults[p.Fault]
		case p.Admin > 0:
			p.Admin = admin[p.Admin]
		case p.Fault == everyFault && len(c.Faults) == 0, p.Admin == everyFault && len(c.Admin) == 0:
			continue
		}
		if p.Fault != 0 || p.Admin != 0 || p.Metric != "" {
			c.Sometimes = append(c.Sometimes, p)
		}
	}
	return &c
}

// survivors gives every fault and step its new position, from 1; 0: it goes.
func survivors(sc *Scenario, positions []int) (faults, admin []int) {
	gone, idle := make([]bool, len(sc.Faults)+1), make([]bool, len(sc.Admin)+1)
	for _, p := range positions {
		gone[p] = true
	}
	for again := true; again; { // what waits for something that goes, goes too
		again = false
		for i := range sc.Faults {
			if w := sc.Faults[i].When; !gone[i+1] && (gone[w.Fault()] || idle[w.Admin()]) {
				gone[i+1], again = true, true
			}
		}
		for i := range sc.Admin {
			if w := sc.Admin[i].When; !idle[i+1] && (gone[w.Fault()] || idle[w.Admin()]) {
				idle[i+1], again = true, true
			}
		}
	}
	return positionsOf(gone), positionsOf(idle)
}

func positionsOf(gone []bool) []int {
	list := make([]int, len(gone))
	next := 0
	for i := range gone[1:] {
		if !gone[i+1] {
			next++
			list[i+1] = next
		}
	}
	return list
}

func renumbered(t sim.Trigger, faults, admin []int) sim.Trigger {
	switch {
	case t.Fault() > 0:
		return t.About(faults[t.Fault()])
	case t.Admin() > 0:
		return t.About(admin[t.Admin()])
	}
	return t
}
