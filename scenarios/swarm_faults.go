package scenarios

import (
	"fmt"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// operator draws members that come and go, and leadership transfers, where the
// protocol has them, while faults strike.
func (s *swarm) operator(sc *Scenario) {
	g := s.part(partOperator)
	s.members = sc.Replicas
	if !sc.Members.Empty() {
		s.members = sc.Members.Len()
	}
	if !g.chance(40) || len(s.base.Admin) > 0 {
		return
	}
	members := sc.Members
	if members.Empty() {
		members = protocols.NodesUpTo(sc.Replicas)
	}
	reconfigures := sim.Supports(s.protocol, protocols.Reconfigure) == nil
	transfers := sim.Supports(s.protocol, protocols.TransferLeadership) == nil
	if reconfigures && g.chance(70) {
		s.spares(g, sc, members)
	}
	for range g.between(1, 4) {
		step := sim.AdminStep{At: protocols.Time(g.span(0, sc.For-time.Millisecond))}
		step.For = min(g.skewed(s.timeout, 20*s.timeout), sc.For-protocols.Duration(step.At))
		switch {
		case transfers && (!reconfigures || g.chance(50)):
			step.Kind, step.To = protocols.TransferLeadership, g.replica(sc)
		case reconfigures:
			members = s.change(g, sc, &step, members)
		default:
			return
		}
		sc.Admin = append(sc.Admin, step)
		s.members = min(s.members, members.Len())
	}
	for i := range sc.Admin {
		sc.Admin[i].ID = i + 1
	}
}

// spares adds one or two replicas that are not members yet.
func (s *swarm) spares(g *drawer, sc *Scenario, members protocols.NodeSet) {
	spare := int(g.between(1, 2))
	if sc.Replicas+spare > 9 || len(s.base.Faults) > 0 || !sc.Members.Empty() {
		return
	}
	if s.protocol.Validate != nil && s.protocol.Validate(s.parameters, sc.Replicas+spare) != nil {
		return
	}
	sc.Members = members
	sc.Replicas += spare
}

// change draws a reconfiguration: one in, one out, or one for another. No plan takes
// members away from three or fewer: a damaged disk and one more member that is down
// must leave a majority.
func (s *swarm) change(g *drawer, sc *Scenario, step *sim.AdminStep, members protocols.NodeSet) protocols.NodeSet {
	step.Kind = protocols.Reconfigure
	outside := protocols.NodesUpTo(sc.Replicas).Minus(members)
	in, out := g.one(outside), g.one(members)
	switch {
	case in != protocols.Nobody && g.chance(40):
		step.Add, step.Remove = protocols.Nodes(in), protocols.Nodes(out)
	case in != protocols.Nobody && (g.chance(60) || members.Len() <= 3):
		if s.protocol.Learners && g.chance(30) {
			step.Learners = protocols.Nodes(in)
			return members
		}
		step.Add = protocols.Nodes(in)
	case members.Len() > 3:
		step.Remove = protocols.Nodes(out)
	default: // nobody to add or to spare: what is so already
		step.Add = protocols.Nodes(out)
	}
	return members.Or(step.Add).Minus(step.Remove)
}

// one draws a member of a set; Nobody where it is empty.
func (g *drawer) one(set protocols.NodeSet) protocols.NodeID {
	ids := set.Slice()
	if u := g.next(); len(ids) > 0 {
		return ids[u%uint64(len(ids))]
	}
	return protocols.Nobody
}

func (g *drawer) replica(sc *Scenario) protocols.NodeID {
	return protocols.NodeID(g.between(1, int64(sc.Replicas)))
}

// strikes draws the faults: which kinds exist, how many, then one by one.
func (s *swarm) strikes(sc *Scenario) {
	g := s.part(partStrikes)
	g.timeout, g.parameters = s.timeout, s.parameters
	damaged := Target(g.replica(sc).String())
	var kinds []protocols.FaultKind
	for _, k := range sim.FaultKinds() {
		limit := survives(s.protocol, k.Kind, s.parameters, s.members)
		allowed := limit != 0 && k.Kind != protocols.FaultSkew && (s.members >= 3 || !damages(k.Kind))
		if g.chance(50) && (allowed || s.space.Beyond) {
			kinds = append(kinds, k.Kind)
		}
	}
	if len(kinds) == 0 {
		return
	}
	n := g.between(1, short)
	switch s.style {
	case weather:
		n = g.between(8, 24)
	case unfair:
		n = g.between(0, 4)
	}
	for range n {
		f := s.strike(g, sc, kinds[g.between(0, int64(len(kinds)-1))])
		if damages(f.Kind) && !s.space.Beyond {
			f.Target = damaged // the others can do without it
		}
		s.add(sc, f)
		if f.Kind == protocols.FaultTorn || f.Kind == protocols.FaultReordered {
			f.Kind, f.At = protocols.FaultCrash, f.At+1000 // what shows it
			if f.When.Set() {
				f.After += 1000
			}
			if f.For != sim.Forever {
				f.For = max(f.For/2, time.Microsecond)
			}
			s.add(sc, f)
		}
	}
	Number(sc.Faults)
}

// add appends a fault to the plan, unless that leaves the protocol's model.
func (s *swarm) add(sc *Scenario, f sim.Fault) {
	sc.Faults = append(sc.Faults, f)
	if s.space.Beyond {
		return
	}
	// What stopped comes back only some timeouts after its fault has ended: it boots, and
	// where it keeps nothing, it has to ask the others.
	slow := *sc
	slow.Faults = make([]sim.Fault, len(sc.Faults))
	for i, f := range sc.Faults {
		if f.For != sim.Forever && sim.Stops(f.Kind) {
			f.For += 10 * s.timeout
		}
		slow.Faults[i] = f
	}
	for _, f := range sc.Faults {
		limit := survives(s.protocol, f.Kind, s.parameters, s.members)
		if limit >= 0 && mostHit(&slow, f.Kind) > limit {
			sc.Faults = sc.Faults[:len(sc.Faults)-1]
			return
		}
	}
}

// strike draws one fault of a kind.
func (s *swarm) strike(g *drawer, sc *Scenario, kind protocols.FaultKind) sim.Fault {
	f := g.nodeFault(sc, kind)
	if s.style == outage && g.chance(50) && kind != protocols.FaultPowerLoss {
		f.Target = Target(g.pick("leader", "leader", "leader", "leader", "leader", "leader c1", "former-leader", "successor"))
	}
	g.linkFault(sc, &f)
	if kind == protocols.FaultSkew {
		f.Drift = g.between(1, 300) * 1_000_000
	}
	if g.chance(20) {
		s.await(g, &f)
	}
	return f
}

// linkFault draws what only faults of the network have.
func (g *drawer) linkFault(sc *Scenario, f *sim.Fault) {
	switch f.Kind {
	case protocols.FaultPartition:
		g.partition(f)
	case protocols.FaultClog:
		f.OneWay = sim.Direction(g.between(0, 2))
	case protocols.FaultSwizzleClog:
		f.OneWay = sim.Direction(g.between(0, 2))
		f.Target = Target(g.pick("majority", "minority", "all", "followers"))
		f.For = min(f.For, sc.For-protocols.Duration(f.At)) // it has an end
	case protocols.FaultBandwidth:
		f.Rate = g.between(5, 500) * 1000
		if g.chance(50) {
			f.Queue = g.between(4, 64) * 1000
		}
		f.OneWay = sim.Direction(g.between(0, 2))
	case protocols.FaultReplay:
		f.Prob, f.Age = g.probability(20), g.skewed(time.Millisecond, 30*time.Second)
	case protocols.FaultCorruptMessage:
		f.Prob = g.probability(50)
		f.OneWay = sim.Direction(g.between(0, 2))
	}
}

// partition draws a shape; two in five isolate their target.
func (g *drawer) partition(f *sim.Fault) {
	f.OneWay = sim.Both
	shapes := []sim.Shape{sim.Isolate, sim.Isolate, sim.Isolate, sim.Isolate, sim.Halves, sim.RandomSplit, sim.Ring, sim.Bridge, sim.Bridge, sim.Star}
	f.Shape = shapes[g.between(0, int64(len(shapes)-1))]
	two := f.Shape == sim.Isolate || f.Shape == sim.Halves || f.Shape == sim.RandomSplit
	if two && g.chance(50) {
		f.OneWay = sim.Direction(g.between(0, 2))
	}
	if two && g.chance(30) {
		f.Clients = sim.ClientSide(g.between(1, 2))
	}
	if f.Shape != sim.Isolate {
		f.Target = Target(g.pick("leader", "random"))
	} else if f.Clients == sim.BothSides && g.chance(20) {
		f.From = Target(g.pick("follower", "random", "minority"))
	}
	if g.chance(10) && f.For != sim.Forever {
		f.Flap = max(1000, g.span(g.timeout/5, 3*g.timeout))
	}
}

// await lets a fault wait for an event of the run.
func (s *swarm) await(g *drawer, f *sim.Fault) {
	word, subject := g.pick("leader-elected", "leader-elected", "stepped-down", "view-change", "crash", "restart", "snapshot"), true
	if g.chance(30) {
		word, subject = g.pick("leader-lost", fmt.Sprintf("commit %d", g.between(1, 60)), fmt.Sprintf("operation %d", g.between(1, 60))), false
	}
	when, err := sim.ParseTrigger(word)
	if err != nil {
		panic("scenarios: " + err.Error())
	}
	f.When, f.At = when, 0
	if g.chance(50) {
		f.After = g.skewed(time.Microsecond, 2*s.timeout)
	}
	if g.chance(30) && f.Kind != protocols.FaultWipe {
		f.Count = int(g.between(2, 3))
	}
	if subject && g.chance(30) && f.Kind != protocols.FaultPowerLoss && f.Kind != protocols.FaultSwizzleClog {
		f.Target = Target("subject")
	}
}
