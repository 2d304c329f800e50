package scenarios

import (
	"fmt"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// network draws the links between replicas, those of clients, and in some plans a
// distance for each pair.
func (s *swarm) network(sc *Scenario) {
	if fixed(s, func(sc *Scenario) *sim.Network { return &sc.Network }) {
		return
	}
	g := s.part(partNetwork)
	if s.steady {
		least := g.skewed(100*time.Microsecond, 10*time.Millisecond)
		sc.Network.Between.Latency = sim.Between(least, 2*least+time.Millisecond)
		sc.Network.Client.Latency = sc.Network.Between.Latency
		sc.Goodput = 900_000_000
		return
	}
	link := &sc.Network.Between
	link.Latency = g.latency()
	link.FIFO = g.chance(25)
	g.disturb(link, s.style == weather)
	if g.chance(15) {
		link.Jitter = sim.Between(0, g.skewed(time.Millisecond, 50*time.Millisecond))
		if g.chance(50) {
			link.Correlation = g.skewed(time.Millisecond, time.Second)
		}
	}
	if g.chance(10) {
		link.Bandwidth = g.between(200, 10_000) * 1000
		if g.chance(50) {
			link.Queue = g.between(16, 256) * 1000
		}
	}
	client := &sc.Network.Client
	client.Latency = g.latency()
	g.disturb(client, false)
	if s.style == unfair || g.chance(20) {
		s.pairs(g, sc)
	}
}

// latency draws how long messages take. The slow end is at least twice the fast one.
func (g *drawer) latency() sim.Dist {
	least := g.skewed(100*time.Microsecond, 30*time.Millisecond)
	switch {
	case g.chance(45):
		return sim.Between(least, 2*least+g.skewed(time.Millisecond, 100*time.Millisecond))
	case g.chance(80):
		return exponential(g.skewed(time.Millisecond, 100*time.Millisecond))
	}
	return sim.Dist{Kind: sim.Pareto, A: least, B: 20 * least, Shape: g.between(1000, 2500)}
}

// disturb draws what goes wrong with messages of a link all the time.
func (g *drawer) disturb(link *sim.Link, hard bool) {
	loss, twice := int64(10), int64(20)
	if hard {
		loss, twice = 30, 50
	}
	if g.chance(50) {
		link.Loss = g.probability(loss)
	}
	if g.chance(50) {
		link.Duplicate = g.probability(twice)
	}
	if g.chance(25) {
		link.Replay, link.ReplayAge = g.probability(5), g.skewed(10*time.Millisecond, 30*time.Second)
	}
	if g.chance(25) {
		link.Corrupt = g.probability(1)
	}
}

// pairs gives each pair of replicas, or each of its two directions, a distance of its
// own. In unfair plans a few are far beyond the others, so that what they carry is late
// by many rounds: a priority per link.
func (s *swarm) pairs(g *drawer, sc *Scenario) {
	far := g.skewed(5*time.Millisecond, 100*time.Millisecond)
	oneWay := g.chance(50)
	for from := 1; from <= sc.Replicas; from++ {
		for to := 1; to <= sc.Replicas; to++ {
			if from == to || !oneWay && from > to {
				continue
			}
			rule := sim.LinkRule{From: protocols.NodeID(from), To: protocols.NodeID(to), Both: !oneWay, Link: sc.Network.Between}
			distance := g.skewed(time.Millisecond, far)
			if s.style == unfair && g.chance(20) {
				distance = g.span(far, 10*far)
			}
			rule.Link.Latency = sim.Between(distance, distance+g.skewed(time.Millisecond, 20*time.Millisecond))
			sc.Network.Links = append(sc.Network.Links, rule)
		}
	}
}

// machines draws disks, clocks and processors.
func (s *swarm) machines(sc *Scenario) {
	g := s.part(partMachines)
	disk, clock, cpu := sim.Disk{Write: sc.Disk.Write, Fsync: sc.Disk.Fsync}, sim.Clock{}, sim.CPU{}
	switch n := g.between(0, 99); {
	case n < 15:
		disk = sim.Disk{}
	case n < 60:
		disk.Fsync = sim.Between(100*time.Microsecond, g.skewed(time.Millisecond, 50*time.Millisecond))
	case n < 70:
		disk.Fsync = exponential(g.skewed(time.Millisecond, 20*time.Millisecond))
	}
	if g.chance(50) {
		clock = sim.Clock{Offset: sim.Between(0, g.skewed(time.Millisecond, time.Second)), Drift: g.between(0, 100_000)}
	}
	if g.chance(20) {
		presets := sim.CPUPresets()
		cpu = presets[g.between(0, int64(len(presets)-1))].CPU
		if g.chance(30) {
			cpu.Apply = g.skewed(time.Microsecond, time.Millisecond)
		}
	}
	if !fixed(s, func(sc *Scenario) *sim.Disk { return &sc.Disk }) {
		sc.Disk = disk
	}
	if !fixed(s, func(sc *Scenario) *sim.Clock { return &sc.Clock }) {
		sc.Clock = clock
	}
	if !fixed(s, func(sc *Scenario) *sim.CPU { return &sc.CPU }) {
		sc.CPU = cpu
	}
}

// workload draws machine, clients, keys and how they call.
func (s *swarm) workload(sc *Scenario) {
	if fixed(s, func(sc *Scenario) *sim.Workload { return &sc.Workload }) {
		return
	}
	g, w := s.part(partWorkload), &sc.Workload
	if sc.Machine == s.plain.Machine {
		sc.Machine = g.pick("kv", "kv", "kv", "kv", "kv", "kv", "kv", "register", "log", "counter")
	}
	if !drives(g.protocol, sc.Machine) {
		sc.Machine = g.protocol.Machines[0]
	}
	w.Mix = DefaultMix(sc.Machine)
	if g.chance(50) {
		g.reweigh(w.Mix)
	}
	w.Clients = int(g.between(1, 10))
	w.Operations = int(g.between(20, 400))
	w.Keys = int(g.between(1, 5))
	if sc.Machine == "kv" && g.chance(30) {
		w.Popularity = g.popularity()
	}
	if g.chance(25) {
		w.Payload.Max = protocols.Payload(g.between(1, 4096))
	}
	w.Think = sim.Between(0, g.skewed(time.Millisecond, s.timeout/2))
	if s.steady { // and enough clients, or rates would differ by a tenth by chance
		w.Clients = int(g.between(4, 10))
		w.Operations, w.Think = 0, sim.Between(0, g.span(time.Millisecond, s.timeout/8))
	}
	if !s.steady && g.chance(30) { // an open loop, in bursts or not
		w.Every = exponential(g.skewed(time.Millisecond, s.timeout/4))
		if g.chance(50) {
			w.Burst = int(g.between(2, 10))
		}
	}
	w.Timeout = g.span(s.timeout/4, 3*s.timeout)
	w.GiveUp = w.Timeout + g.span(0, 8*s.timeout)
	if g.chance(10) && follows(g.protocol) {
		w.Subscribers = int(g.between(1, 3))
	}
}

// reweigh draws new shares of a mix, in whole percent that add up to 100.
func (g *drawer) reweigh(mix []sim.Share) {
	left := int64(100)
	for i := range mix {
		share := left
		if i < len(mix)-1 {
			share = g.between(1, left-int64(len(mix)-1-i))
		}
		mix[i].Weight = share * 10_000
		left -= share
	}
}

func (g *drawer) popularity() sim.Popularity {
	text := fmt.Sprintf("zipf(%d.%02d)", g.between(0, 2), g.between(1, 99))
	if g.chance(50) {
		text = fmt.Sprintf("hotspot(%d%%,%d%%)", g.between(10, 50), g.between(60, 95))
	}
	p, err := sim.ParsePopularity(text)
	if err != nil {
		panic("scenarios: " + err.Error())
	}
	return p
}
