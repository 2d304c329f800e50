package trial

import (
	"runtime"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Steady runs five nodes with fsync, one closed-loop client and links of 0.5 to 1 ms,
// with every check or with none. One operation is 100 ms of virtual time. It reports
// the time of a step, virtual seconds per second, and allocations per message.
func Steady(b *testing.B, p *protocols.Protocol, watched bool) {
	cfg := sim.Config{
		Protocol: p, Replicas: 5, Seed: 1, MaxEvents: 1 << 60,
		Network: sim.Network{
			Between: sim.Link{Latency: sim.Between(500_000, 1_000_000)},
			Client:  sim.Link{Latency: sim.Between(500_000, 1_000_000)},
		},
		Disk:     sim.Disk{Fsync: sim.Exactly(1_000_000)},
		Workload: sim.Workload{Clients: 1, Keys: 1, Timeout: 1e9, GiveUp: 3e9, Mix: []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 1}}},
	}
	if watched {
		cfg.Observers = Observers(p, protocols.Cluster{Replicas: cfg.Replicas}, p.Parameters())
	}
	w, err := sim.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	w.Run(5 * second)
	steps, delivered := w.Stats().Steps, w.Stats().Delivered
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if stop := w.Run(w.Now() + second/10); stop != sim.Reached {
			b.Fatal(stop, w.Violations())
		}
	}
	runtime.ReadMemStats(&after)
	steps, delivered = w.Stats().Steps-steps, w.Stats().Delivered-delivered
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
	b.ReportMetric(float64(b.N)/10/b.Elapsed().Seconds(), "virtual-s/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(delivered), "allocs/message")
}
