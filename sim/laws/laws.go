// Package laws measures what one operation costs in a world without failures, and holds
// that against a protocol's analytical model ([protocols.Law]), with zero tolerance.
package laws

import (
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

const (
	// Delay is the one-way delay of every link.
	Delay = protocols.Duration(1_000_000)
	// Fsync is the time of an fsync where disks take time; below twice Delay, as
	// [protocols.Cost] wants it.
	Fsync = protocols.Duration(300_000)
	// Operations is how many operations are measured, after a first one that finds the
	// right node.
	Operations = 20

	think    = 40 * Delay                        // all that an operation causes is over before the next
	patience = protocols.Time(1e15)              // no operation takes eleven days
	later    = protocols.Duration(7_300_000_000) // where a timer fires among the operations they begin so much later
	tries    = 8
)

// Measured is what some operations cost, all together but for their times.
type Measured struct {
	Took    []protocols.Duration // from call to return, by operation
	Sent    []sim.KindCount      // messages between nodes, by kind
	Busiest int                  // what the busiest node sent and received, requests and answers included

	fsync protocols.Duration
}

// World returns a world of the protocol in which laws hold: every message takes Delay,
// and nothing fails.
func World(p *protocols.Protocol) sim.Config {
	link := sim.Link{Latency: sim.Exactly(Delay)}
	return sim.Config{Protocol: p, Seed: 1, Network: sim.Network{Between: link, Client: link}}
}

// Measure runs one closed-loop client in a world like that of [World]. It writes or reads
// with n replicas under the law's parameters, between which no timer fires, on disks
// whose fsyncs take fsync. Measure returns nil where the law does not hold for n. An error says that operations do not
// end, or that timers fire all the time: a law's parameters want timeouts and intervals
// of minutes.
func Measure(world sim.Config, law protocols.Law, n int, fsync protocols.Duration) (*Measured, error) {
	parameters := law.Parameters(n)
	if parameters == nil {
		return nil, nil
	}
	world.Parameters, world.Replicas, world.Disk = parameters, n, sim.Disk{Fsync: sim.Exactly(fsync)}
	settled := 100 * protocols.Duration(1e9)
	if p := world.Protocol; p.MaxTimeout != nil {
		settled = max(settled, 8*p.MaxTimeout(parameters))
	}
	for try := range tries {
		r, err := newRun(world, law.Read, fsync, settled+protocols.Duration(try)*later)
		if err != nil {
			return nil, err
		}
		if m, err := r.measure(); err != nil || r.watch.fired == 0 {
			return m, err
		}
	}
	return nil, fmt.Errorf("timers fire all the time: the law's parameters want timeouts and intervals of minutes")
}

// Check measures and returns in which way the operations do not cost what the law says;
// "" where they do, or where it does not hold for n.
func Check(p *protocols.Protocol, law protocols.Law, n int, fsync protocols.Duration) string {
	m, err := Measure(World(p), law, n, fsync)
	switch {
	case err != nil:
		return err.Error()
	case m == nil:
		return ""
	}
	return m.differs(law.Cost(n))
}

// Messages returns how many messages between nodes the operations took.
func (m *Measured) Messages() (total uint64) {
	for _, k := range m.Sent {
		total += k.Messages
	}
	return total
}

// Time returns what every operation took; false where they differ.
func (m *Measured) Time() (protocols.Duration, bool) {
	for _, d := range m.Took[1:] {
		if d != m.Took[0] {
			return 0, false
		}
	}
	return m.Took[0], true
}

// run is one world with one client.
type run struct {
	world *sim.World
	watch *traffic
	fsync protocols.Duration
}

func newRun(cfg sim.Config, read bool, fsync, begin protocols.Duration) (*run, error) {
	share := sim.Share{Op: protocols.Put, Kind: protocols.Write, Weight: 1}
	if read {
		share = sim.Share{Op: protocols.Get, Kind: protocols.Read, Weight: 1}
	}
	watch := &traffic{}
	cfg.Observers = []protocols.Observer{watch}
	cfg.Workload = sim.Workload{
		Clients: 1, Keys: 1, Mix: []sim.Share{share}, Operations: 1 + Operations,
		Begin: protocols.Time(begin), Think: sim.Exactly(think), Timeout: 100e9, GiveUp: 1000e9,
	}
	w, err := sim.New(cfg)
	if err != nil {
		return nil, err
	}
	return &run{world: w, watch: watch, fsync: fsync}, nil
}

// measure runs the first operation, and then counts.
func (r *run) measure() (*Measured, error) {
	done := func(k uint64) func() bool { return func() bool { return r.world.Stats().Done >= k } }
	if stop := r.world.RunUntil(patience, done(1)); stop != sim.Satisfied {
		return nil, fmt.Errorf("the first operation did not end: %v %v", stop, r.world.Violations())
	}
	r.world.Run(r.world.Now() + protocols.Time(think/2))
	before := slices.Clone(r.world.Stats().ByKind)
	r.watch.begin()
	if stop := r.world.RunUntil(patience, done(1+Operations)); stop != sim.Satisfied {
		return nil, fmt.Errorf("only %d of %d operations ended: %v %v", r.world.Stats().Done, 1+Operations, stop, r.world.Violations())
	}
	r.world.Run(r.world.Now() + protocols.Time(think/2))
	m := &Measured{Sent: slices.Clone(r.world.Stats().ByKind), Busiest: r.watch.busiest(), fsync: r.fsync}
	for i := range before {
		m.Sent[i].Messages -= before[i].Messages
	}
	for _, o := range r.world.History()[1:] {
		m.Took = append(m.Took, o.Ended.Sub(o.Began))
	}
	return m, nil
}

// differs holds what was measured against a law.
func (m *Measured) differs(want protocols.Cost) string {
	took := protocols.Duration(want.Delays)*Delay + protocols.Duration(want.Writes)*m.fsync
	for i, got := range m.Took {
		if got != took {
			return fmt.Sprintf("operation %d took %v, want %v: %d delays of %v and %d writes of %v", i+2, got, took, want.Delays, Delay, want.Writes, m.fsync)
		}
	}
	for _, k := range m.Sent {
		each := 0
		for _, w := range want.Sent {
			if w.Name == k.Name {
				each = w.Messages
			}
		}
		if k.Messages != uint64(each*Operations) {
			return fmt.Sprintf("%d operations sent %d messages of kind %s, want %d each", Operations, k.Messages, k.Name, each)
		}
	}
	for _, w := range want.Sent {
		if !slices.ContainsFunc(m.Sent, func(k sim.KindCount) bool { return k.Name == w.Name }) {
			return fmt.Sprintf("the law speaks of messages of kind %q, which the protocol does not declare", w.Name)
		}
	}
	if m.Busiest != want.Busiest*Operations {
		return fmt.Sprintf("the busiest node sent and received %d messages in %d operations, want %d each", m.Busiest, Operations, want.Busiest)
	}
	return ""
}

// traffic counts what nodes send and receive, and the timers that fire meanwhile.
type traffic struct {
	fired int
	nodes [protocols.MaxNodes + 1]int
}

func (w *traffic) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Left | protocols.Replied
}

func (w *traffic) Checks() []protocols.CheckInfo { return nil }

func (w *traffic) begin() { *w = traffic{} }

func (w *traffic) Observe(m *protocols.Moment) {
	switch {
	case m.Kind == protocols.Left && m.To != m.Node, m.Kind == protocols.Replied:
		w.nodes[m.Node]++
	case m.Kind != protocols.Stepped:
	case m.Event.Kind == protocols.Fire:
		w.fired++
	case m.Event.Kind == protocols.Receive && m.Event.From != m.Node, m.Event.Kind == protocols.Request:
		w.nodes[m.Node]++
	}
}

func (w *traffic) busiest() int { return slices.Max(w.nodes[:]) }
