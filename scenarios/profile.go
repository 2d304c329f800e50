package scenarios

import (
	"slices"
	"sort"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Profile is what a protocol gives, and what it takes, under the parameters of a
// scenario: what has to stand beside every comparison of figures. What the protocol
// does not declare is measured in a short run without failures.
type Profile struct {
	Protocol  string          `json:"protocol"`
	Guarantee ClientGuarantee `json:"guarantee"`
	Replicas  int             `json:"replicas"`
	Services  int             `json:"services"` // nodes besides the replicas
	// Down is how many replicas may be down at once, whichever they are, so that the
	// others can still make progress, by [protocols.Protocol.CanProgress]; services are
	// up. -1: not even all replicas could.
	Down int `json:"replicas_down"`
	// ServicesDown is the same for services, all replicas being up.
	ServicesDown int `json:"services_down"`
	// Bounded lists the kinds of faults under which the guarantee does not hold at any
	// number of nodes, by [protocols.Protocol.Survives].
	Bounded []FaultBound `json:"bounded_faults"`
	// Synced is how many replicas have synced a write to disk before it is
	// acknowledged, measured; -1 where no write was answered.
	Synced int `json:"replicas_synced_before_acknowledgement"`
	// Detection bounds the time until a leader's failure is noticed: the largest
	// election or view-change timeout.
	Detection protocols.Duration `json:"detection_ns"`
	// Reads is the parameter of that name: how a read is answered. "" without one.
	Reads string `json:"reads"`
}

// ClientGuarantee is [protocols.Guarantee] with its defaults filled in.
type ClientGuarantee struct {
	Linearizable      bool   `json:"linearizable"`
	LosesAcknowledged bool   `json:"may_lose_acknowledged_writes"`
	Text              string `json:"text"`
}

// Same reports whether two guarantees promise clients the same. Those that are
// linearizable and lose nothing do, however they are worded.
func (g ClientGuarantee) Same(h ClientGuarantee) bool {
	full := func(g ClientGuarantee) bool { return g.Linearizable && !g.LosesAcknowledged }
	return g == h || full(g) && full(h)
}

// FaultBound is a kind of fault and the number of nodes that may suffer it at once;
// 0 is outside the protocol's model.
type FaultBound struct {
	Kind string `json:"kind"`
	Most int    `json:"most"`
}

// ProfileOf returns the profile of p under the scenario's replicas, machine and
// parameters; its faults, network, disk and workload do not matter. The error says
// that the engine refuses the scenario.
func ProfileOf(sc *Scenario, p *protocols.Protocol) (Profile, error) {
	parameters := sc.ParametersOf(p)
	f := Profile{
		Protocol: p.Name, Replicas: sc.Replicas, Guarantee: guaranteeOf(p, parameters),
		Detection: maxTimeout(p, parameters), Reads: parameterText(p, parameters, "reads"), Bounded: []FaultBound{},
	}
	if p.Services != nil {
		f.Services = p.Services(parameters)
	}
	for _, kind := range sim.FaultKinds() {
		if most := survives(p, kind.Kind, parameters, sc.Replicas); most >= 0 && most < sc.Replicas {
			f.Bounded = append(f.Bounded, FaultBound{string(kind.Kind), most})
		}
	}
	return f, f.measure(sc, p)
}

func guaranteeOf(p *protocols.Protocol, parameters any) ClientGuarantee {
	if p.Guarantee != nil {
		g := p.Guarantee(parameters)
		return ClientGuarantee{g.Linearizable, g.LosesAcknowledged, g.Text}
	}
	if p.LinearizableReads != nil && !p.LinearizableReads(parameters) {
		return ClientGuarantee{Text: "reads may be stale; no acknowledged write is lost"}
	}
	return ClientGuarantee{Linearizable: true, Text: "linearizable; no acknowledged write is lost"}
}

// parameterText returns a parameter as scenarios write it, "" where p has none of
// that name.
func parameterText(p *protocols.Protocol, parameters any, name string) string {
	if parameters == nil {
		return ""
	}
	for _, field := range parameterFields(p, parameters) {
		if field.key == name {
			if n := field.write(parameters); n != nil {
				return flat(n)
			}
		}
	}
	return ""
}

// profiledWrites is how many writes are measured.
const profiledWrites = 30

// measure runs one client without failures and with links and disks of 10 us. What
// goes to the followers is delayed by up to a twentieth of the largest timeout, each
// message on its own, and what comes back is not: so a replica that a write does not
// wait for has hardly ever synced it when the answer leaves, and the smallest number
// over some writes is what the protocol waits for.
func (f *Profile) measure(sc *Scenario, p *protocols.Protocol) error {
	quick := sim.Exactly(10_000)
	spread := max(f.Detection/20, 1_000_000)
	timeouts := func(n protocols.Duration) protocols.Time { return protocols.Time(n * f.Detection) }
	followers, err := sim.ParseTarget("others of leader")
	if err != nil {
		return err
	}
	quiet := New(sc.Name)
	quiet.Replicas, quiet.Machine, quiet.Parameters, quiet.Early, quiet.Lose = sc.Replicas, sc.Machine, sc.Parameters, sc.Early, sc.Lose
	quiet.Network = sim.Network{Between: sim.Link{Latency: quick, FIFO: true}, Client: sim.Link{Latency: quick, FIFO: true}}
	quiet.Disk, quiet.Clock = sim.Disk{Fsync: quick}, sim.Clock{}
	quiet.Faults = []sim.Fault{{ID: 1, Kind: protocols.FaultDelay, At: timeouts(5), For: sim.Forever,
		Target: followers, OneWay: sim.In, Latency: sim.Between(0, spread)}}
	quiet.Workload = sim.Workload{Clients: 1, Keys: 1, Mix: writesOf(sc.Machine), Think: sim.Exactly(3 * spread),
		Timeout: 2 * f.Detection, GiveUp: 20 * f.Detection, Operations: profiledWrites, Begin: timeouts(6)}
	watch := &syncWatch{replicas: sc.Replicas, least: -1}
	cfg := quiet.Config(p, 1)
	cfg.Observers = []protocols.Observer{watch}
	w, err := sim.New(cfg)
	if err != nil {
		return err
	}
	w.Run(timeouts(5))
	facts := w.Facts()
	replicas := protocols.NodesUpTo(sc.Replicas)
	f.Down = mostDown(w, facts, replicas)
	f.ServicesDown = mostDown(w, facts, protocols.NodesUpTo(w.Cluster().Nodes()).Minus(replicas))
	w.RunUntil(timeouts(60), func() bool { return watch.answered >= profiledWrites })
	f.Synced = watch.least
	return nil
}

// writesOf is the writing part of a machine's default mix.
func writesOf(machine string) []sim.Share {
	var writes []sim.Share
	for _, s := range DefaultMix(machine) {
		if s.Kind == protocols.Write {
			writes = append(writes, s)
		}
	}
	return writes
}

// mostDown returns the largest k so that whichever k of the candidates are down,
// progress is possible, given that more nodes down never help. -1: not even with all
// up.
func mostDown(w *sim.World, facts *protocols.Facts, candidates protocols.NodeSet) int {
	ids := candidates.Slice()
	tooMany := sort.Search(len(ids)+1, func(k int) bool {
		return slices.ContainsFunc(subsets(ids, k), func(down protocols.NodeSet) bool {
			can, _ := w.CanProgress(without(facts, down))
			return !can
		})
	})
	return tooMany - 1
}

// mostEnumerated bounds the candidates of which all subsets are tried: 2^9.
const mostEnumerated = 9

// subsets returns the subsets of k ids: all of them, or of many ids those that are
// neighbours in a circle.
func subsets(ids []protocols.NodeID, k int) []protocols.NodeSet {
	var sets []protocols.NodeSet
	if len(ids) > mostEnumerated {
		for first := range ids {
			var set protocols.NodeSet
			for i := range k {
				set = set.With(ids[(first+i)%len(ids)])
			}
			sets = append(sets, set)
		}
		return sets
	}
	for bits := range 1 << len(ids) {
		var set protocols.NodeSet
		for i, id := range ids {
			if bits>>i&1 == 1 {
				set = set.With(id)
			}
		}
		if set.Len() == k {
			sets = append(sets, set)
		}
	}
	return sets
}

// without returns the facts after the nodes of down have stopped.
func without(facts *protocols.Facts, down protocols.NodeSet) *protocols.Facts {
	f := *facts
	f.Live = facts.Live.Minus(down)
	f.Hears = append([]protocols.NodeSet(nil), facts.Hears...)
	f.Views = append([]protocols.View(nil), facts.Views...)
	for id := range f.Hears {
		if down.Has(protocols.NodeID(id)) {
			f.Hears[id], f.Views[id] = protocols.NodeSet{}, protocols.View{}
		} else {
			f.Hears[id] = f.Hears[id].Minus(down)
		}
	}
	return &f
}

// syncWatch counts the replicas whose disk has synced something between the arrival
// of a write and its answer. One client calls, with pauses in which the disks come
// to rest.
type syncWatch struct {
	replicas int
	seq      uint64 // of the write under way
	synced   protocols.NodeSet
	least    int
	answered int
}

// Moments implements [protocols.Observer].
func (s *syncWatch) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Durable | protocols.Replied
}

// Checks implements [protocols.Observer].
func (s *syncWatch) Checks() []protocols.CheckInfo { return nil }

// Observe implements [protocols.Observer].
func (s *syncWatch) Observe(m *protocols.Moment) {
	switch m.Kind {
	case protocols.Stepped:
		if m.Event.Kind == protocols.Request && m.Event.Command.Seq > s.seq {
			s.seq, s.synced = m.Event.Command.Seq, protocols.NodeSet{}
		}
	case protocols.Durable:
		if int(m.Node) <= s.replicas {
			s.synced = s.synced.With(m.Node)
		}
	case protocols.Replied:
		if m.Answer.Command.Seq == s.seq && m.Answer.Command.Kind == protocols.Write {
			if n := s.synced.Len(); s.least < 0 || n < s.least {
				s.least = n
			}
			s.answered++
		}
	}
}
