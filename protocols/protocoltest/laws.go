package protocoltest

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Laws holds p to what Protocol.Laws states, with zero tolerance: for 1, 3, 5 and 7
// replicas, with disks that take no time and with disks that do, the time of every
// operation, the number of messages by kind and the load of the busiest node. Other
// sizes are set by [Replicas]; the other options play no part.
func Laws(t TB, p *protocols.Protocol, options ...Option) {
	t.Helper()
	if p.Laws == nil {
		t.Fatalf("%s states no laws", p.Name)
		return
	}
	s := &settings{sizes: []int{1, 3, 5, 7}}
	for _, o := range options {
		o(s)
	}
	for _, law := range p.Laws() {
		held := 0
		for _, n := range s.sizes {
			for _, fsync := range []protocols.Duration{0, lawFsync} {
				parameters := law.Parameters(n)
				if parameters == nil {
					continue
				}
				held++
				if f := lawHolds(p, law, n, parameters, fsync); f != nil {
					t.Errorf("%s: law %q (%s), %d replicas, fsync %v: %s", p.Name, law.Name, law.Setting, n, fsync, f.text)
				}
			}
		}
		if held == 0 {
			t.Errorf("%s: law %q holds for none of %v replicas", p.Name, law.Name, s.sizes)
		}
	}
}

const (
	lawDelay      = protocols.Duration(1_000_000) // one way, on every link
	lawFsync      = protocols.Duration(300_000)
	lawThink      = 40 * lawDelay // all that an operation causes is over before the next
	lawOperations = 20
)

// lawHolds measures lawOperations operations between which no timer fires.
func lawHolds(p *protocols.Protocol, law protocols.Law, n int, parameters any, fsync protocols.Duration) *failure {
	settled := 100 * protocols.Duration(1e9)
	if p.MaxTimeout != nil {
		settled = max(settled, 8*p.MaxTimeout(parameters))
	}
	for try := range 8 {
		m, f := newLawRun(p, law, n, parameters, fsync, settled+protocols.Duration(try)*7_300_000_000)
		if f == nil {
			f = m.measure()
		}
		switch {
		case f != nil:
			return f
		case m.watch.fired == 0:
			return m.compare(law.Cost(n))
		}
	}
	return failf("timers fire all the time: the law's parameters want timeouts and intervals of minutes")
}

// lawRun is one world with one client.
type lawRun struct {
	world *sim.World
	watch *traffic
	fsync protocols.Duration
	sent  []sim.KindCount // by the operations measured
}

func newLawRun(p *protocols.Protocol, law protocols.Law, n int, parameters any, fsync, begin protocols.Duration) (*lawRun, *failure) {
	share := sim.Share{Op: protocols.Put, Kind: protocols.Write, Weight: 1}
	if law.Read {
		share = sim.Share{Op: protocols.Get, Kind: protocols.Read, Weight: 1}
	}
	link := sim.Link{Latency: sim.Exactly(lawDelay)}
	watch := &traffic{}
	w, err := sim.New(sim.Config{
		Protocol: p, Parameters: parameters, Replicas: n, Seed: 1,
		Network: sim.Network{Between: link, Client: link},
		Disk:    sim.Disk{Fsync: sim.Exactly(fsync)},
		Workload: sim.Workload{
			Clients: 1, Keys: 1, Mix: []sim.Share{share}, Operations: 1 + lawOperations,
			Begin: protocols.Time(begin), Think: sim.Exactly(lawThink), Timeout: 100e9, GiveUp: 1000e9,
		},
		Observers: []protocols.Observer{watch},
	})
	if err != nil {
		return nil, failf("%v", err)
	}
	return &lawRun{world: w, watch: watch, fsync: fsync}, nil
}

// measure runs the first operation, which finds the right node, and then counts.
func (r *lawRun) measure() *failure {
	done := func(k uint64) func() bool { return func() bool { return r.world.Stats().Done >= k } }
	const patience = protocols.Duration(1e15)
	if stop := r.world.RunUntil(protocols.Time(patience), done(1)); stop != sim.Satisfied {
		return failf("the first operation did not end: %v %v", stop, r.world.Violations())
	}
	r.world.Run(r.world.Now() + protocols.Time(lawThink/2))
	before := slices.Clone(r.world.Stats().ByKind)
	r.watch.begin()
	if stop := r.world.RunUntil(protocols.Time(patience), done(1+lawOperations)); stop != sim.Satisfied {
		return failf("only %d of %d operations ended: %v %v", r.world.Stats().Done, 1+lawOperations, stop, r.world.Violations())
	}
	r.world.Run(r.world.Now() + protocols.Time(lawThink/2))
	r.sent = slices.Clone(r.world.Stats().ByKind)
	for i := range before {
		r.sent[i].Messages -= before[i].Messages
	}
	return nil
}

// compare holds what was measured against the law.
func (r *lawRun) compare(want protocols.Cost) *failure {
	took := protocols.Duration(want.Delays)*lawDelay + protocols.Duration(want.Writes)*r.fsync
	for i, o := range r.world.History() {
		if got := o.Ended.Sub(o.Began); i > 0 && got != took {
			return failf("operation %d took %v, want %v: %d delays of %v and %d writes of %v", i+1, got, took, want.Delays, lawDelay, want.Writes, r.fsync)
		}
	}
	for _, k := range r.sent {
		each := 0
		for _, w := range want.Sent {
			if w.Name == k.Name {
				each = w.Messages
			}
		}
		if k.Messages != uint64(each*lawOperations) {
			return failf("%d operations sent %d messages of kind %s, want %d each", lawOperations, k.Messages, k.Name, each)
		}
	}
	for _, w := range want.Sent {
		if !slices.ContainsFunc(r.sent, func(k sim.KindCount) bool { return k.Name == w.Name }) {
			return failf("the law speaks of messages of kind %q, which the protocol does not declare", w.Name)
		}
	}
	if got := r.watch.busiest(); got != want.Busiest*lawOperations {
		return failf("the busiest node sent and received %d messages in %d operations, want %d each", got, lawOperations, want.Busiest)
	}
	return nil
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
