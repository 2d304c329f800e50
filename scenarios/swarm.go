package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Space is what [Swarm] draws from.
type Space struct {
	// Base, where there is one, fixes what it sets to something else than the default:
	// each of replicas with members, network, cpu, disk, clock, workload with machine,
	// for, and each parameter by itself. Its faults, phases, operator's plan, checks and
	// bugs stay too, and drawn faults follow its own. A script cannot be a base.
	Base *Scenario
	// Beyond lets the faults go beyond what the protocol claims to survive. Such a plan
	// gets the verdict outside-model.
	Beyond bool
}

// Swarm draws an experiment with p from a seed: cluster, network, disk, clocks, CPU,
// workload, parameters, faults and membership changes, by swarm testing (Groce et al.
// 2012): which features exist at all is drawn first, then how strong they are. Links
// never have the even latency of a local network, the worst search strategy there is;
// the protocol's timeouts are multiplied by what the drawn delays need. It is a pure
// function, and each part draws from a stream of its own.
//
// Where [Draw] keeps the parameters that it is given, Swarm draws them as well: fields
// with the tag `swarm:"1..4"` from the range, with `swarm:"a,b"` and
// `swarm:"false,true"` from the choices, those with `swarm:"scaled"` are the times that
// are multiplied, and those with `swarm:"drift"` the bounds of the clocks' rates.
func Swarm(seed uint64, p *protocols.Protocol, space Space) *Scenario {
	s := &swarm{
		drawer: drawer{state: protocols.Mix64(seed ^ 0x737761726d), protocol: p}, // "swarm"
		space:  space, plain: New("plain"), base: space.Base,
	}
	if s.base == nil {
		s.base = s.plain
	}
	sc := s.begin(fmt.Sprintf("swarm-%s-%d", p.Name, seed))
	s.style, s.steady = s.part(partStyle).style()
	s.cluster(sc)
	s.network(sc)
	s.machines(sc)
	s.settings(sc)
	s.workload(sc)
	s.operator(sc)
	s.strikes(sc)
	return sc
}

// swarm is a drawer of whole experiments.
type swarm struct {
	drawer
	space   Space
	base    *Scenario
	plain   *Scenario // what no base says anything about
	style   style
	steady  bool // even links and a workload without end, to compare goodput before and after
	members int  // voters that the plan leaves at least
}

// style is how a plan looks for trouble.
type style uint8

const (
	outage  style = iota // one to six faults, most of them at the leader: real outages need few (OSDI 2018)
	weather              // many faults of many kinds at once
	unfair               // each link has a delay of its own, some very long, and few faults: as PCT's priorities per link
)

func (g *drawer) style() (s style, steady bool) {
	switch n := g.between(0, 99); {
	case n < 10:
		return outage, true
	case n < 50:
		return outage, false
	case n < 80:
		return weather, false
	}
	return unfair, false
}

// The parts of an experiment, which name their streams.
const (
	partStyle = iota + 1
	partCluster
	partNetwork
	partMachines
	partSettings
	partWorkload
	partOperator
	partStrikes
	partClocks
)

// part returns a drawer with a stream of its own.
func (g *drawer) part(name uint64) *drawer {
	own := *g
	own.state = protocols.Mix64(g.state ^ protocols.Mix64(name+0x70617274)) // "part"
	return &own
}

// begin makes the scenario with what only a base says.
func (s *swarm) begin(name string) *Scenario {
	sc := New(name)
	if s.space.Base != nil {
		sc = s.base.Clone()
		sc.Name, sc.File, sc.Nemesis, sc.Matrix = name, "", s.base.Nemesis, nil
		sc.Expect, sc.ExpectOf, sc.Sometimes = Expectation{}, nil, nil
	}
	sc.Why = "Drawn from a seed."
	sc.Protocols = []string{s.protocol.Name}
	return sc
}

// fixed reports whether the base sets a part of the scenario.
func fixed[T any](s *swarm, part func(*Scenario) *T) bool {
	return !reflect.DeepEqual(part(s.base), part(s.plain))
}

func (s *swarm) cluster(sc *Scenario) {
	g := s.part(partCluster)
	if fixed(s, func(sc *Scenario) *int { return &sc.Replicas }) || !sc.Members.Empty() || len(s.base.Faults) > 0 {
		return // faults of a base may name replicas
	}
	switch n := g.between(0, 99); {
	case n < 60:
		sc.Replicas = 3
	case n < 90:
		sc.Replicas = 5
	default:
		sc.Replicas = []int{1, 2, 4, 7}[g.between(0, 3)]
	}
}

// settings draws the parameters, scales the timeouts to the delays, and sets how long
// the safety phase is in timeouts.
func (s *swarm) settings(sc *Scenario) {
	g := s.part(partSettings)
	g.parameters = sc.ParametersOf(s.protocol)
	if g.parameters != nil {
		keep := given(s.protocol.Parameters(), g.parameters)
		g.parameters = g.variant(g.parameters, sc.Replicas, keep)
		scaled := stretch(g.parameters, g.factor(sc), keep)
		if s.protocol.Validate == nil || s.protocol.Validate(scaled, sc.Replicas) == nil {
			g.parameters = scaled
		}
		g.parameters = s.clocks(sc, g.parameters, keep)
		others := slices.DeleteFunc(slices.Clone(sc.Parameters), func(ps Parameters) bool { return ps.Protocol == s.protocol.Name })
		sc.Parameters = append(others, Parameters{Protocol: s.protocol.Name, Values: g.parameters})
	}
	s.parameters = g.parameters
	s.timeout = min(max(maxTimeout(s.protocol, s.parameters), time.Millisecond), longestTimeout)
	if !fixed(s, func(sc *Scenario) *protocols.Duration { return &sc.For }) {
		sc.For = g.span(10*s.timeout, 40*s.timeout)
	}
}

// clocks gives a quarter of the plans clocks whose rates differ by up to an eighth, far
// more than those of machines do, and returns parameters that say so: what waits for a
// clock, as leases do, then has to reckon with it.
func (s *swarm) clocks(sc *Scenario, parameters any, keep []string) any {
	g := s.part(partClocks)
	if fixed(s, func(sc *Scenario) *sim.Clock { return &sc.Clock }) || !g.chance(25) {
		return parameters
	}
	drift := int64(1_000_000) << g.between(0, 7)
	drawn := drifting(parameters, drift, keep)
	if s.protocol.Validate != nil && s.protocol.Validate(drawn, sc.Replicas) != nil {
		return parameters
	}
	if bound := s.protocol.ClockBound; bound != nil && bound(drawn) >= 0 && bound(drawn) < drift {
		return parameters
	}
	sc.Clock.Drift = drift
	return drawn
}

// longestTimeout bounds the scaled timeouts, and the spans of plans that are drawn in
// timeouts.
const longestTimeout = protocols.Duration(10 * time.Second)

// factor is by how much to multiply the timeouts: a round of messages and fsyncs at
// their slow end shall fit several times into one. In one plan of ten it does not, and
// leaders come and go.
func (g *drawer) factor(sc *Scenario) int64 {
	timeout := max(maxTimeout(g.protocol, g.parameters), time.Millisecond)
	round := 2 * (slowEnd(sc.Network.Between.Latency) + slowEnd(sc.Network.Between.Jitter) + slowEnd(sc.Disk.Fsync))
	for i := range sc.Network.Links {
		round = max(round, 2*(slowEnd(sc.Network.Links[i].Link.Latency)+slowEnd(sc.Disk.Fsync)))
	}
	f := int64((6*round + timeout - 1) / timeout)
	if g.chance(10) {
		f /= 4
	}
	if g.chance(30) {
		f *= g.between(2, 4)
	}
	return min(max(f, 1), max(1, int64(longestTimeout/timeout)))
}

// slowEnd is what hardly any draw exceeds.
func slowEnd(d sim.Dist) protocols.Duration {
	switch d.Kind {
	case sim.Uniform, sim.LogNormal:
		return d.B
	case sim.Exponential:
		return 4 * d.A
	case sim.Normal:
		return d.A + 3*d.B
	case sim.Pareto:
		return min(d.B, 8*d.A)
	}
	return d.A
}
