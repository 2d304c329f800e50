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
	members := sc.Members
	if members.Empty() {
		members = protocols.NodesUpTo(sc.Replicas)
	}
	s.members = members.Len()
	reconfigures := sim.Supports(s.protocol, protocols.Reconfigure) == nil
	transfers := sim.Supports(s.protocol, protocols.TransferLeadership) == nil
	if s.steady || !g.chance(40) || len(s.base.Admin) > 0 || !reconfigures && !transfers {
		return
	}
	if reconfigures && g.chance(70) {
		s.spares(g, sc, members)
	}
	changes := &changes{members: members, spare: members.Len() - 3}
	for at := g.span(0, sc.For/2); at < sc.For-time.Millisecond && len(sc.Admin) < 5; at += g.skewed(time.Millisecond, sc.For/2) {
		step := sim.AdminStep{ID: len(sc.Admin) + 1, At: protocols.Time(at), For: min(g.skewed(s.timeout, 20*s.timeout), sc.For-at)}
		if transfers && (!reconfigures || g.chance(50)) {
			step.Kind, step.To = protocols.TransferLeadership, g.replica(sc)
		} else {
			changes.draw(g, sc, &step)
		}
		s.awaited(g.part(uint64(step.ID)), &step)
		sc.Admin = append(sc.Admin, step)
	}
	s.members = min(s.members, 3)
}

// awaited lets one step of four wait for an event of the run: what a leader does in its
// first moments, or its successor with a change that is half done, no time finds.
func (s *swarm) awaited(g *drawer, step *sim.AdminStep) {
	if !g.chance(25) {
		return
	}
	step.When = event(g.pick("leader-elected", "leader-elected", "stepped-down", "view-change", "crash", "restart", "reconfigured"))
	step.At = 0
	if g.chance(50) {
		step.After = g.skewed(time.Microsecond, 2*s.timeout)
	}
}

// event is the trigger that a word names.
func event(word string) sim.Trigger {
	when, err := sim.ParseTrigger(word)
	if err != nil {
		panic("scenarios: " + err.Error())
	}
	return when
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

// changes draws reconfigurations one after the other. A step may never be done, so
// that a later one finds other members than the plan has: spare counts how many may go
// so that at least three are left whatever is done and what is not. A damaged disk and
// one more member that is down must leave a majority.
type changes struct {
	members protocols.NodeSet // if all is done
	named   protocols.NodeSet
	spare   int
}

// draw makes one in, one out, or one for another.
func (c *changes) draw(g *drawer, sc *Scenario, step *sim.AdminStep) {
	step.Kind = protocols.Reconfigure
	in, out := g.one(protocols.NodesUpTo(sc.Replicas).Minus(c.members)), g.one(c.members)
	fresh := in != protocols.Nobody && !c.named.Has(in)
	learner := g.protocol.Learners && g.chance(20)
	switch n := g.between(0, 99); {
	case n < 40 && (fresh || in != protocols.Nobody && c.spare > 0):
		step.Add, step.Remove = protocols.Nodes(in), protocols.Nodes(out)
	case n < 70 && c.spare > 0:
		step.Remove = protocols.Nodes(out)
	case learner && fresh:
		step.Learners = protocols.Nodes(in)
	case in != protocols.Nobody:
		step.Add = protocols.Nodes(in)
	default: // nobody is there to add: what is so already
		step.Add = protocols.Nodes(out)
	}
	if !step.Remove.Empty() && !fresh || step.Add.Empty() && step.Learners.Empty() {
		c.spare--
	}
	c.named = c.named.Or(step.Add).Or(step.Remove).Or(step.Learners)
	c.members = c.members.Or(step.Add).Minus(step.Remove)
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
	victims := s.victims(g, sc)
	var kinds []protocols.FaultKind
	for _, k := range sim.FaultKinds() {
		limit := survives(s.protocol, k.Kind, s.parameters, s.members)
		allowed := limit != 0 && k.Kind != protocols.FaultSkew && (s.members >= 3 || !damages(k.Kind))
		share := int64(50)
		if damages(k.Kind) { // they cost a replica for good, so that little else may happen
			share = 25
		}
		if g.chance(share) && (allowed || s.space.Beyond) {
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
		own := g.part(uint64(len(sc.Faults)))
		if f.Kind == protocols.FaultClock && own.chance(50) { // as fast or slow as a clock may be
			f.Drift = sc.Clock.Drift * (2*own.between(0, 1) - 1)
		}
		if !s.steady && own.chance(30) {
			s.near(own, sc, &f)
		}
		if !s.space.Beyond {
			aim(sc, &f, damaged, s.members)
		}
		if sim.Stops(f.Kind) && len(victims) > 0 {
			f.Target = Target(g.pick(victims...))
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

// near moves a fault to shortly before or behind another one, or a step of the
// operator: trouble is where one thing happens while another is not over.
func (s *swarm) near(g *drawer, sc *Scenario, f *sim.Fault) {
	var moments []protocols.Time
	for i := range sc.Faults {
		if !sc.Faults[i].When.Set() {
			moments = append(moments, sc.Faults[i].At)
		}
	}
	for i := range sc.Admin {
		if !sc.Admin[i].When.Set() {
			moments = append(moments, sc.Admin[i].At)
		}
	}
	if len(moments) == 0 || f.When.Set() {
		return
	}
	at := moments[g.between(0, int64(len(moments)-1))]
	behind := protocols.Time(g.skewed(time.Microsecond, 2*s.timeout))
	if g.chance(30) && behind < at {
		f.At = at - behind
	} else {
		f.At = min(at+behind, protocols.Time(sc.For-2*time.Millisecond))
	}
	if f.For != sim.Forever {
		f.For = min(f.For, sc.For-protocols.Duration(f.At)-time.Millisecond)
	}
}

// victims names the replicas at which everything that stops a node aims, in most plans
// for a protocol that survives only so many: what one of them has lost it gets back from
// the others, and nobody knows how long that takes while other faults strike. Empty:
// anybody.
func (s *swarm) victims(g *drawer, sc *Scenario) (names []string) {
	limit := survives(s.protocol, protocols.FaultCrash, s.parameters, s.members)
	if few := g.chance(90); limit <= 0 || !few {
		return nil
	}
	for range limit {
		names = append(names, g.replica(sc).String())
	}
	return names
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
	if half := sc.For / 2; s.steady { // first the goodput is measured
		f.When, f.After, f.Count = sim.Trigger{}, 0, 0
		if f.Target.String() == "subject" {
			f.Target = Target("leader")
		}
		f.At = protocols.Time(half) + f.At/2
		if f.For != sim.Forever {
			f.For = max(2, f.For/2)
		}
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
	f.When, f.At = event(word), 0
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
