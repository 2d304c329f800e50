package scenarios

import (
	"fmt"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Draw makes a scenario of a seed for a protocol: cluster, network, disk, clocks,
// workload and a fault plan, within what the protocol claims to survive. It is a
// pure function. Each plan first draws which kinds of fault exist at all, then how
// strong they are (swarm testing, Groce et al. 2012); half of the plans have one to
// six faults, since few are what most real outages needed. parameters are the
// protocol's settings; nil takes its defaults. In half of the plans, whole numbers
// whose field has the tag `swarm:"1..4"` are drawn from that range instead: small
// windows and batches make rare paths common.
func Draw(seed uint64, p *protocols.Protocol, parameters any) *Scenario {
	g := &drawer{state: protocols.Mix64(seed ^ 0x6c6f636b73746570)}
	sc := New(fmt.Sprintf("drawn-%016x", seed))
	sc.Why = "Drawn from a seed."
	sc.Protocols = []string{p.Name}
	if parameters == nil && p.Parameters != nil {
		parameters = p.Parameters()
	}
	if parameters != nil {
		// A stream of its own, so that a new tag leaves all plans as they are.
		own := &drawer{state: protocols.Mix64(g.state)}
		sc.Parameters = []Parameters{{Protocol: p.Name, Values: own.small(parameters)}}
	}
	g.protocol, g.parameters = p, sc.ParametersOf(p)
	g.timeout = min(max(maxTimeout(p, g.parameters), time.Millisecond), 10*time.Second)
	g.cluster(sc)
	if parameters != nil && p.Validate != nil && p.Validate(g.parameters, sc.Replicas) != nil {
		sc.Parameters[0].Values, g.parameters = parameters, parameters // not for a cluster of this size
	}
	g.network(sc)
	g.workload(sc)
	g.faults(sc)
	g.nodeFaults(sc)
	return sc
}

// drawer is a stream of random words.
type drawer struct {
	state      uint64
	protocol   *protocols.Protocol
	parameters any
	timeout    protocols.Duration // the protocol's largest election timeout
}

func (g *drawer) next() uint64 {
	g.state += 0x9e3779b97f4a7c15
	return protocols.Mix64(g.state)
}

// between draws from lo..hi, both included.
func (g *drawer) between(lo, hi int64) int64 {
	return lo + int64(g.next()%uint64(hi-lo+1))
}

// chance is true with the given probability in percent.
func (g *drawer) chance(percent int64) bool { return g.between(0, 99) < percent }

// span draws a duration evenly from lo..hi, in whole microseconds, so that it
// reads well.
func (g *drawer) span(lo, hi protocols.Duration) protocols.Duration {
	return protocols.Duration(g.between(int64(lo)/1000, int64(hi)/1000)) * 1000
}

// skewed draws from lo..hi with small values preferred: each doubling is as
// likely as the next.
func (g *drawer) skewed(lo, hi protocols.Duration) protocols.Duration {
	for top := hi; ; top /= 2 {
		if top/2 <= lo || g.chance(30) {
			return g.span(lo, max(lo, top))
		}
	}
}

func (g *drawer) probability(most int64) sim.Prob {
	return sim.Prob(g.between(1, most*10) * 1_000_000) // tenths of a percent
}

func (g *drawer) pick(words ...string) string { return words[g.between(0, int64(len(words)-1))] }

func (g *drawer) cluster(sc *Scenario) {
	switch n := g.between(0, 99); {
	case n < 60:
		sc.Replicas = 3
	case n < 90:
		sc.Replicas = 5
	default:
		sc.Replicas = []int{1, 2, 4, 7}[g.between(0, 3)]
	}
	sc.For = g.span(10*g.timeout, 40*g.timeout)
	switch {
	case g.chance(20):
		sc.Disk = sim.Disk{}
	case g.chance(50):
		sc.Disk.Fsync = sim.Between(100*time.Microsecond, g.skewed(time.Millisecond, 50*time.Millisecond))
	}
	if g.chance(50) {
		sc.Clock.Offset = sim.Between(0, g.skewed(time.Millisecond, time.Second))
		sc.Clock.Drift = g.between(0, 100_000)
	}
}

func (g *drawer) network(sc *Scenario) {
	link := &sc.Network.Between
	least := g.skewed(100*time.Microsecond, 30*time.Millisecond)
	switch {
	case g.chance(40):
		link.Latency = sim.Between(least, least+g.skewed(100*time.Microsecond, 50*time.Millisecond))
	case g.chance(50):
		link.Latency = exponential(g.skewed(500*time.Microsecond, 30*time.Millisecond))
	case g.chance(20):
		link.Latency = sim.Dist{Kind: sim.Pareto, A: least, B: 20 * least, Shape: 1500}
	}
	link.FIFO = g.chance(25)
	if g.chance(50) {
		link.Loss = g.probability(10)
	}
	if g.chance(50) {
		link.Duplicate = g.probability(20)
	}
	if g.chance(50) {
		sc.Network.Client.Loss = g.probability(10)
	}
	if g.chance(50) {
		sc.Network.Client.Duplicate = g.probability(20)
	}
}

func (g *drawer) workload(sc *Scenario) {
	w := &sc.Workload
	sc.Machine = "kv"
	switch n := g.between(0, 9); {
	case n == 0:
		sc.Machine = "log"
	case n == 1:
		sc.Machine = "register"
	}
	if !drives(g.protocol, sc.Machine) {
		sc.Machine = g.protocol.Machines[0]
	}
	w.Mix = DefaultMix(sc.Machine)
	w.Clients = int(g.between(1, 10))
	w.Keys = int(g.between(1, 5))
	w.Operations = int(g.between(20, 400))
	w.Think = sim.Between(0, g.skewed(time.Millisecond, 50*time.Millisecond))
	w.Timeout = g.span(g.timeout/10, 2*g.timeout)
	w.GiveUp = w.Timeout + g.span(0, 5*g.timeout)
}

// drawable are the kinds of fault that Draw knows how to draw.
var drawable = []protocols.FaultKind{
	protocols.FaultCrash, protocols.FaultPause, protocols.FaultPartition, protocols.FaultLoss, protocols.FaultDuplicate,
	protocols.FaultReorder, protocols.FaultDelay, protocols.FaultSlowDisk, protocols.FaultClock,
}

// faults draws the plan: which kinds, how many, then one by one.
func (g *drawer) faults(sc *Scenario) {
	var kinds []protocols.FaultKind
	for _, k := range drawable {
		if limit := survives(g.protocol, k, g.parameters, sc.Replicas); limit != 0 && g.chance(50) {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 {
		return
	}
	n := g.between(1, 6)
	if g.chance(50) {
		n = g.between(6, 24)
	}
	for range n {
		f := g.fault(sc, kinds[g.between(0, int64(len(kinds)-1))])
		sc.Faults = append(sc.Faults, f)
		limit := survives(g.protocol, f.Kind, g.parameters, sc.Replicas)
		if limit >= 0 && mostHit(sc, f.Kind) > limit {
			sc.Faults = sc.Faults[:len(sc.Faults)-1]
		}
	}
	Number(sc.Faults)
}

func (g *drawer) fault(sc *Scenario, kind protocols.FaultKind) sim.Fault {
	f := sim.Fault{Kind: kind, At: protocols.Time(g.span(0, sc.For-time.Millisecond))}
	left := sc.For - protocols.Duration(f.At)
	f.For = min(left, g.skewed(time.Millisecond, 10*g.timeout))
	if g.chance(5) {
		f.For = sim.Forever
	}
	f.Target = g.target(sc)
	switch kind {
	case protocols.FaultCrash:
		if g.chance(10) {
			f.Target = Target("all") // power loss
		}
		if g.chance(50) {
			f.Cut = int(g.between(1, 6))
		}
	case protocols.FaultPartition:
		f.OneWay = sim.Direction(g.between(0, 2))
	case protocols.FaultLoss, protocols.FaultDuplicate:
		f.Prob = g.probability(50)
		f.OneWay = sim.Direction(g.between(0, 2))
	case protocols.FaultReorder, protocols.FaultDelay:
		f.Latency = sim.Between(0, g.skewed(time.Millisecond, 2*g.timeout))
		f.OneWay = sim.Direction(g.between(0, 2))
	case protocols.FaultSlowDisk:
		f.Factor = g.between(2, 100)
	case protocols.FaultClock:
		f.Step = g.span(0, 5*time.Second)
		if g.chance(50) {
			f.Step = -f.Step
		}
		f.Step += time.Microsecond // never nothing at all
		f.Drift = g.between(-sc.Clock.Drift, sc.Clock.Drift)
	}
	return f
}

// target prefers the leader, at whom most outages aim.
func (g *drawer) target(sc *Scenario) sim.Target {
	switch n := g.between(0, 9); {
	case n < 4:
		return Target("leader")
	case n < 6:
		return Target(fmt.Sprintf("n%d", g.between(1, int64(sc.Replicas))))
	}
	return Target(g.pick("follower", "minority", "majority", "random", "followers", "others of leader", "leader c1"))
}
