package vr_test

import (
	"testing"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/sim"
	"github.com/lockstep-sim/lockstep/vr"
)

// delay is the constant one-way delay in these runs.
const delay = time.Millisecond

// calm is a group without faults or disk time, with one closed-loop client.
func calm(n int, p *vr.Parameters, op sim.Share) sim.Config {
	return sim.Config{
		Protocol: vr.Protocol(), Parameters: p, Replicas: n, Seed: 1, Trace: true,
		Network: sim.Network{Between: sim.Link{Latency: sim.Exactly(delay)}, Client: sim.Link{Latency: sim.Exactly(delay)}},
		Workload: sim.Workload{
			Clients: 1, Keys: 1, Timeout: 10e9, GiveUp: 100e9, Mix: []sim.Share{op},
		},
	}
}

var writes = sim.Share{Op: protocols.Put, Kind: protocols.Write, Weight: 1}

func world(t *testing.T, cfg sim.Config) *sim.World {
	t.Helper()
	w, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The costs of operations are those of the analytical model, exactly, in every variant.
func TestLaws(t *testing.T) {
	protocoltest.Laws(t, vr.Protocol(), protocoltest.Replicas(1, 3, 4, 5, 7))
}

// Across a wide area a write takes, at the primary, the floor(n/2)-th smallest round
// trip to the others.
func TestLawOfWideAreaWrites(t *testing.T) {
	to := []protocols.Duration{0, 0, 40e6, 5e6, 90e6, 17e6} // from n1, by node id
	from := []protocols.Duration{0, 0, 41e6, 9e6, 70e6, 20e6}
	p := vr.DefaultParameters()
	p.ViewTimeout, p.CommitInterval = protocols.Range{Min: 1000e9, Max: 1000e9}, 900e9
	cfg := calm(5, p, writes)
	for id := protocols.NodeID(2); id <= 5; id++ {
		cfg.Network.Links = append(cfg.Network.Links,
			sim.LinkRule{From: 1, To: id, Link: sim.Link{Latency: sim.Exactly(to[id])}},
			sim.LinkRule{From: id, To: 1, Link: sim.Link{Latency: sim.Exactly(from[id])}})
	}
	w := world(t, cfg)
	w.Run(5 * second)
	want := 2*delay + 37e6 // n5, the second of 14, 37, 81 and 160 ms
	for i, op := range w.History() {
		if i > 0 && op.Outcome == protocols.Done && op.Ended.Sub(op.Began) != want {
			t.Fatalf("write %d took %v, want %v", i, op.Ended.Sub(op.Began), want)
		}
	}
	if w.Stats().Done < 50 {
		t.Errorf("only %d writes", w.Stats().Done)
	}
}

// When the timers of all backups were reset together, the next primary is normal
// two delays after they fire, and the other backups are three delays after.
func TestLawOfViewChanges(t *testing.T) {
	for _, n := range []int{3, 5, 7} {
		p := vr.DefaultParameters()
		cfg := calm(n, p, writes)
		cfg.Workload.Clients = 0
		cfg.Faults = []sim.Fault{{Kind: protocols.FaultCrash, At: protocols.Time(p.CommitInterval) + 1000, For: sim.Forever, Target: target(t, "n1")}}
		w := world(t, cfg)
		w.Run(second)
		fired := protocols.Time(p.CommitInterval).Add(delay + p.ViewTimeout.Min)
		normal := map[protocols.NodeID]protocols.Time{}
		for _, e := range w.Trace() {
			if e.Kind == sim.TraceNote && e.Note.Kind == protocols.NoteNormal && e.Note.Epoch == 1 {
				normal[e.Node] = e.Time
			}
		}
		for id := protocols.NodeID(2); int(id) <= n; id++ {
			want := fired.Add(3 * delay)
			if id == 2 {
				want = fired.Add(2 * delay)
			}
			if normal[id] != want {
				t.Errorf("n=%d: %v is normal in view 1 at %v, want %v", n, id, normal[id], want)
			}
		}
	}
}
