package histories_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
)

// TestLogExplained: appends of other systems answer no position. None is printed, and a
// minimal set holds the read that shows in which order they stand.
func TestLogExplained(t *testing.T) {
	appends := event(0, "invoke", "append", "1") + event(0, "ok", "append", "1") + event(1, "invoke", "append", "2") + event(1, "ok", "append", "2")
	for list, want := range map[string]struct {
		text, set string
		unwritten int
	}{
		"[2 1]": {"the positions are those of p2 read -> length 2 [2 1] [5, 6]",
			"p0 append 1 -> ok [1, 2]; p1 append 2 -> ok [3, 4]; p2 read -> length 2 [2 1] [5, 6]", 0},
		"[1]":   {"had returned before p2 read -> length 1 [1]", "p0 append 1 -> ok [1, 2]; p1 append 2 -> ok [3, 4]; p2 read -> length 1 [1] [5, 6]", 0},
		"[1 7]": {"although nobody wrote 7", "p0 append 1 -> ok [1, 2]; p2 read -> length 2 [1 7] [5, 6]", 1},
		"[1 1]": {"shows 1 twice", "p0 append 1 -> ok [1, 2]; p2 read -> length 2 [1 1] [5, 6]", 0},
	} {
		h := read(t, "log", appends+event(2, "invoke", "read", "nil")+event(2, "ok", "read", list))
		p := checker.Plan(h.Operations, h.Options())[0]
		r := p.Check()
		if r.Counterexample == nil || !strings.Contains(r.Counterexample.Text, want.text) {
			t.Fatalf("%s: %v, %+v, want %q", list, r.Verdict, r.Counterexample, want.text)
		}
		m, ok := p.Minimise(r.Counterexample)
		if !ok || len(m.Unwritten) != want.unwritten {
			t.Fatalf("%s: minimised %v, %d unwritten", list, ok, len(m.Unwritten))
		}
		var set []string
		for i := range m.Operations {
			set = append(set, checker.Describe(&m.Operations[i], h.Options()))
		}
		if got := strings.Join(set, "; "); got != want.set {
			t.Errorf("%s: the set is %s, want %s", list, got, want.set)
		}
	}
}
