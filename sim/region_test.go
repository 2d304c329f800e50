package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// abroad is a cluster of five with six clients in three regions. n4 and n5, and all
// clients but c1, are placed in turn: c, a, b, c, …
func abroad(fault Fault) Config {
	cfg := steady(3)
	cfg.Replicas = 5
	cfg.Workload.Clients = 6
	cfg.Network.Matrix = Matrix{Regions: []string{"a", "b", "c"}, RoundTrip: []protocols.Duration{0, ms, ms, ms, 0, ms, ms, ms, 0}}
	cfg.Network.Regions = []Region{{Name: "c", Members: target("n2 c1")}, {Name: "a", Members: target("n1")}, {Name: "b", Members: target("n3")}}
	fault.At, fault.For = at500, 500*ms
	cfg.Faults = []Fault{fault}
	return cfg
}

// A region is everybody who is in it, named or placed in turn.
func TestRegionsAsTargets(t *testing.T) {
	for text, want := range map[string]string{
		"region(c)":              "n2 n4 c1 c4",
		"region(a)":              "n1 n5 c2 c5",
		"region(a) region(b) n4": "n1 n3 n4 n5 c2 c5 c3 c6",
		"others of region(c)":    "n1 n3 n5",
	} {
		cfg := abroad(Fault{Kind: protocols.FaultPartition, Target: target(text)})
		w := run(t, cfg, second)
		r := w.FaultLog()[0]
		if r.Resolved.Names(w.cluster) != want || !r.Effective {
			t.Errorf("%s: %q is hit, want %q; %s", text, r.Resolved.Names(w.cluster), want, r.How())
		}
	}
	for _, c := range []struct{ text, want string }{{"region(d)", `no region "d"`}, {"n1 region(C)", `no region "C"`}} {
		for _, f := range []Fault{{Kind: protocols.FaultCrash, Target: target(c.text)}, {Kind: protocols.FaultPartition, Target: target("n1"), From: target(c.text)}} {
			if _, err := New(abroad(f)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v", c.text, err)
			}
		}
	}
	cfg := abroad(Fault{Kind: protocols.FaultCrash, Target: target("region(c)")})
	cfg.Network.Regions, cfg.Network.Matrix = nil, Matrix{}
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), `no region "c"`) {
		t.Errorf("without regions: %v", err)
	}
}

// A region without anybody is nobody: the fault strikes, and changes nothing.
func TestEmptyRegion(t *testing.T) {
	cfg := abroad(Fault{Kind: protocols.FaultCrash, Target: target("region(b)")})
	cfg.Network.Regions[0].Members = target("n1 n2 n3 n4 n5")
	cfg.Network.Regions[1].Members, cfg.Network.Regions[2].Members = Target{}, Target{}
	r := run(t, cfg, second).FaultLog()[0]
	if r.Effective || r.Killed != 0 || r.State != Over {
		t.Errorf("%+v", r)
	}
}

// ReplicasIn counts as the world places.
func TestReplicasIn(t *testing.T) {
	cfg := abroad(Fault{Kind: protocols.FaultCrash})
	n := &cfg.Network
	if c, a, none := n.ReplicasIn("c", 5), n.ReplicasIn("a", 5), n.ReplicasIn("d", 5); c != 2 || a != 2 || none != 0 {
		t.Errorf("%d in c, %d in a, %d in d", c, a, none)
	}
}
