package primarybackup

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// With snapshots neither logs nor what the invariants remember grow with the run, also
// while replicas crash, in every mode.
func TestSnapshotsBoundMemoryUnderFaults(t *testing.T) {
	for _, mode := range []string{ModeSync, ModeSemisync, ModeAsync} {
		t.Run(mode, func(t *testing.T) {
			p := DefaultParameters()
			p.Mode, p.SnapshotEvery = mode, 30
			c := protocols.Cluster{Replicas: 3, Services: 1}
			watch := invariants(c, p)
			w, err := sim.New(compacting(t, p, watch))
			if err != nil {
				t.Fatal(err)
			}
			g := &watch[0].(*watcher).ghost
			longest, most := protocols.Index(0), 0
			for at := protocols.Time(1e9); at <= 120e9; at += 1e9 {
				if stop := w.Run(at); stop != sim.Reached {
					t.Fatal(stop, w.Violations())
				}
				for id := protocols.NodeID(1); id <= 3; id++ {
					if v, up := w.View(id); up {
						longest = max(longest, v.Last+1-v.First)
					}
				}
				held := g.committed.Len() + g.states.Len() + g.acked.Len()
				for _, v := range g.views {
					held += len(v.prefixes)
				}
				most = max(most, held)
			}
			done := w.Stats().Done
			t.Logf("%d operations, logs of at most %d entries, at most %d remembered", done, longest, most)
			if done < 5000 || longest > 200 || most > 3000 {
				t.Errorf("%d operations, logs of at most %d entries, at most %d remembered; want 5000 or more, 200 and 3000 or fewer", done, longest, most)
			}
		})
	}
}

// compacting is two minutes of four clients, with a crash every five seconds.
func compacting(t *testing.T, p *Parameters, watch []protocols.Observer) sim.Config {
	t.Helper()
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
	for at := protocols.Time(1e9); at < 120e9; at += 5e9 {
		cfg.Faults = append(cfg.Faults, sim.Fault{Kind: protocols.FaultCrash, At: at, For: 500e6, Target: target})
	}
	return cfg
}
