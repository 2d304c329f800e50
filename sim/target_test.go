package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func TestTargetText(t *testing.T) {
	for _, text := range []string{"leader", "n1 n3", "others of leader", "c1", "leader c1 c2", "minority", "s1", "all", "others of n1 n2", "clients", "random", "followers", "follower", "majority", "region(eu-west-1) n1", "others of region(JP)"} {
		tg, err := ParseTarget(text)
		if err != nil || tg.String() != text {
			t.Errorf("%q reads as %q, %v", text, tg, err)
		}
	}
	if tg, err := ParseTarget(" n1,n2 , n3 "); err != nil || tg.String() != "n1 n2 n3" {
		t.Errorf("commas: %q, %v", tg, err)
	}
	for _, bad := range []string{"", "n0", "n01", "nobody", "leader leader", "others of", "x1", "n-1", "n99999999999", "n+1", "boss", "region", "region(", "region()", "(JP)", "region(a) region(a)"} {
		if tg, err := ParseTarget(bad); err == nil {
			t.Errorf("%q is accepted as %q", bad, tg)
		} else if !strings.Contains(err.Error(), "want names") && !strings.Contains(err.Error(), "twice") {
			t.Errorf("%q: the error does not say what was wanted: %v", bad, err)
		}
	}
	for d := Both; d <= Out; d++ {
		if back, err := ParseDirection(d.String()); err != nil || back != d {
			t.Errorf("%s reads as %s, %v", d, back, err)
		}
	}
}

// minority-third is below a third of the voters: two of seven, nobody of three.
func TestMinorityThird(t *testing.T) {
	for replicas, want := range map[int]int{3: 0, 4: 1, 5: 1, 7: 2, 10: 3} {
		cfg := steady(1)
		cfg.Replicas = replicas
		cfg.Faults = []Fault{{Kind: protocols.FaultPause, At: 300_000_000, For: 100 * ms, Target: target("minority-third")}}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.Run(second)
		if r := w.FaultLog()[0]; r.Resolved.Nodes.Len() != want || r.Effective != (want > 0) {
			t.Errorf("%d replicas: %s is hit, want %d of them", replicas, r.Names, want)
		}
	}
}
