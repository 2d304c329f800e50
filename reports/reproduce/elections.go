package reproduce

import (
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
	"github.com/lockstep-sim/lockstep/sim"
)

// elected watches who leads. It costs little: it looks at notes only, and at views
// once there is a leader.
type elected struct {
	since  protocols.Time // what comes before does not count
	voters protocols.NodeSet
	leader protocols.NodeID
	epoch  uint64
	at     protocols.Time    // when the leader was elected
	heard  protocols.NodeSet // who follows it
	known  protocols.Time    // when all voters followed it; 0: not yet
}

func (o *elected) Moments() protocols.MomentKind { return protocols.Stepped }
func (o *elected) Checks() []protocols.CheckInfo { return nil }

// Observe implements [protocols.Observer].
func (o *elected) Observe(m *protocols.Moment) {
	if m.Now < o.since || o.known > 0 {
		return
	}
	for i := range m.Effects.Notes {
		if n := &m.Effects.Notes[i]; n.Kind == protocols.NoteLeader {
			o.leader, o.epoch, o.at, o.heard = m.Node, n.Epoch, m.Now, protocols.Nodes(m.Node)
		}
	}
	if o.leader == protocols.Nobody || o.voters.Len() == 0 || m.Event.Kind != protocols.Receive {
		return
	}
	var v protocols.View
	if m.Replica.View(&v); v.Leader == o.leader && v.Epoch == o.epoch {
		o.heard = o.heard.With(m.Node)
		if o.heard.Len() == o.voters.Len() {
			o.known = m.Now
		}
	}
}

// patience bounds the virtual time of an election.
const patience = protocols.Time(600_000_000_000)

// elections runs n elections from a fresh start, seeds 1 to n, and returns what of
// gives of each.
func (l *lab) elections(sc *scenarios.Scenario, n int, of func(*elected) int64) ([]int64, error) {
	raft, err := l.protocol("raft")
	if err != nil {
		return nil, err
	}
	out := make([]int64, n)
	l.figure.Runs += n
	return out, search.Worlds(l.ctx, n, l.Workers, func(w *sim.World, i int) error {
		cfg := sc.Config(raft, uint64(i+1))
		cfg.Workload = sim.Workload{}
		o := &elected{}
		cfg.Observers = []protocols.Observer{o}
		if err := w.Reset(cfg); err != nil {
			return err
		}
		if stop := w.RunUntil(patience, func() bool { return o.leader != protocols.Nobody }); stop != sim.Satisfied {
			return fmt.Errorf("seed %d: no leader: %s %v", i+1, stop, w.Violations())
		}
		out[i] = of(o)
		return nil
	})
}

// crashes runs n fail-overs of a leader, seeds 1 to n, and returns the times from the
// crash until all the others have heard of the next leader. The crash that the scenario
// plans comes later by a time uniform within spread. After limit it gives up, and the
// time is limit.
func (l *lab) crashes(sc *scenarios.Scenario, n int, spread, limit protocols.Duration) ([]int64, error) {
	raft, err := l.protocol("raft")
	if err != nil {
		return nil, err
	}
	out := make([]int64, n)
	l.figure.Runs += n
	return out, search.Worlds(l.ctx, n, l.Workers, func(w *sim.World, i int) error {
		cfg := sc.Config(raft, uint64(i+1))
		cfg.Faults = slices.Clone(cfg.Faults)
		crash := &cfg.Faults[0]
		crash.At, crash.For = crash.At.Add(protocols.Duration(uniform(uint64(i+1), uint64(spread)))), sim.Forever
		o := &elected{since: crash.At, voters: protocols.NodesUpTo(5).Minus(protocols.Nodes(1))}
		cfg.Observers = []protocols.Observer{o}
		if err := w.Reset(cfg); err != nil {
			return err
		}
		w.Run(crash.At - 1)
		if err := ready(w); err != nil {
			return fmt.Errorf("seed %d: %w", i+1, err)
		}
		out[i] = int64(limit)
		w.RunUntil(crash.At.Add(limit), func() bool { return o.known > 0 })
		if o.known > 0 {
			out[i] = int64(o.known.Sub(crash.At))
		}
		return nil
	})
}

// ready holds that before the crash n1 leads, and n4 and n5 have less than n2 and n3.
func ready(w *sim.World) error {
	last := func(id protocols.NodeID) protocols.Index { v, _ := w.View(id); return v.Last }
	if v, _ := w.View(1); !v.Leading || last(4) != last(5) || last(2) != last(3) || last(4) >= last(2) || last(1) != last(2) {
		return fmt.Errorf("the cluster is not as the figure wants it before the crash: n1 leading %v, logs end at %d %d %d %d %d",
			v.Leading, last(1), last(2), last(3), last(4), last(5))
	}
	return nil
}

// uniform returns a number below n that depends on seed alone. It is the finaliser of
// SplitMix64; n is far below 2^64, so that the bias of the remainder is not seen.
func uniform(seed, n uint64) uint64 {
	z := seed + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z ^ z>>31) % n
}
