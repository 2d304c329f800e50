package trial_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/internal/trial"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/sim"
)

func cluster(t testing.TB, seed uint64, bugs ...string) sim.Config {
	p := raft.DefaultParameters()
	p.Bugs = bugs
	return trial.Cluster(t, raft.Protocol(), p, seed, []int{3}, "leader", "follower")
}

// failures runs a few seeds, and returns what was wrong with them.
func failures(t *testing.T, seeds uint64, bugs ...string) (wrong []string) {
	for seed := range seeds {
		if w := trial.Judge(t, cluster(t, seed, bugs...)); w != "" {
			wrong = append(wrong, w)
		}
	}
	return wrong
}

// TestJudge: a correct protocol passes, and each kind of failure is told.
func TestJudge(t *testing.T) {
	if wrong := failures(t, 10); wrong != nil {
		t.Errorf("without a bug: got %q, want nothing wrong", wrong)
	}
	for bug, want := range map[string]string{
		"R-46":   "R-I7",
		"R-02":   "DUR",
		"R-LOST": "liveness",
	} {
		if wrong := failures(t, 20, bug); !strings.Contains(strings.Join(wrong, "\n"), want) {
			t.Errorf("%s: got %q, want one about %s", bug, wrong, want)
		}
	}
}

// TestUnavailable: where a majority has lost its disks, nothing is wrong and the protocol's
// own account says why it stands.
func TestUnavailable(t *testing.T) {
	cfg := cluster(t, 1)
	cfg.Faults = nil
	for _, node := range []string{"n1", "n2"} {
		target, err := sim.ParseTarget(node)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Faults = append(cfg.Faults, sim.Fault{Kind: protocols.FaultWipe, At: 1e9, For: 1e9, Target: target})
	}
	if o := trial.Run(t, cfg); o.Wrong != "" || o.Unavailable == "" {
		t.Errorf("got wrong %q, unavailable %q; want nothing wrong and a reason", o.Wrong, o.Unavailable)
	}
}

// TestSize: the size that is drawn alone is that of the cluster.
func TestSize(t *testing.T) {
	for seed := range uint64(20) {
		cfg := trial.Cluster(t, raft.Protocol(), raft.DefaultParameters(), seed, []int{3, 5, 7}, "all")
		if got := trial.Size(seed, 3, 5, 7); got != cfg.Replicas {
			t.Errorf("seed %d: got %d, want %d", seed, got, cfg.Replicas)
		}
	}
}
