package raft

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// What the invariants remember is bounded by the longest log, not by the length of the
// run, also while nodes crash.
func TestGhostForgetsWhatIsCompacted(t *testing.T) {
	p := DefaultParameters()
	p.SnapshotEvery, p.LogKept = 30, 10
	watch := invariants(protocols.Cluster{Replicas: 3}, p)
	cfg := sim.Config{
		Protocol: Protocol(), Parameters: p, Replicas: 3, Seed: 1, Observers: watch, MaxEvents: 1 << 40,
		Network:  sim.Network{Between: sim.Link{Latency: sim.Between(500_000, 1_000_000)}, Client: sim.Link{Latency: sim.Between(500_000, 1_000_000)}},
		Disk:     sim.Disk{Fsync: sim.Exactly(1_000_000)},
		Workload: sim.Workload{Clients: 4, Keys: 2, Think: sim.Exactly(36e6), Timeout: 300e6, GiveUp: 3e9, Mix: []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 1}}},
	}
	target, err := sim.ParseTarget("random")
	if err != nil {
		t.Fatal(err)
	}
	const second, length = protocols.Time(1e9), protocols.Time(120e9)
	for at := second; at < length; at += 5 * second {
		cfg.Faults = append(cfg.Faults, sim.Fault{Kind: protocols.FaultCrash, At: at, For: 500e6, Target: target})
	}
	w, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g := &watch[0].(*watcher).ghost
	most := 0
	for at := second; at <= length; at += second {
		if stop := w.Run(at); stop != sim.Reached {
			t.Fatal(stop, w.Violations())
		}
		held := g.committed.Len() + g.executions.Len() + len(g.configurations)
		for _, term := range g.terms {
			held += term.prefixes.Len()
		}
		for id := range g.nodes {
			held += len(g.nodes[id].log.runs)
		}
		most = max(most, held)
	}
	done := int(w.Stats().Done)
	t.Logf("%d operations, at most %d entries remembered", done, most)
	if done < 5000 || most > 2000 {
		t.Errorf("%d operations, at most %d entries remembered; want 5000 or more, and 2000 or fewer", done, most)
	}
}
