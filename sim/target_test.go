package sim

import (
	"strings"
	"testing"
)

func TestTargetText(t *testing.T) {
	for _, text := range []string{"leader", "n1 n3", "others of leader", "c1", "leader c1 c2", "minority", "s1", "all", "others of n1 n2", "clients", "random", "followers", "follower", "majority"} {
		tg, err := ParseTarget(text)
		if err != nil || tg.String() != text {
			t.Errorf("%q reads as %q, %v", text, tg, err)
		}
	}
	if tg, err := ParseTarget(" n1,n2 , n3 "); err != nil || tg.String() != "n1 n2 n3" {
		t.Errorf("commas: %q, %v", tg, err)
	}
	for _, bad := range []string{"", "n0", "n01", "nobody", "leader leader", "others of", "x1", "n-1", "n99999999999", "n+1", "boss"} {
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
