package histories_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
)

// TestJepsenFile: a file in the form in which Jepsen stores the test of a register
// of etcd with independent keys, with a nemesis that cuts and kills.
func TestJepsenFile(t *testing.T) {
	text, err := os.ReadFile("testdata/etcd.edn")
	if err != nil {
		t.Fatal(err)
	}
	h := read(t, "cas-register", string(text))
	if len(h.Operations) != 10 || !h.Keyed || h.Skipped != 8 || len(h.Notes) != 0 {
		t.Fatalf("%d operations, keyed %v, %d skipped, notes %q", len(h.Operations), h.Keyed, h.Skipped, h.Notes)
	}
	if got := verdict(h); got != checker.OK {
		t.Errorf("%v, want ok", got)
	}
	want := "[:nemesis :start-partition :majority 5-14 :nemesis :kill :all 17-20]"
	var got []string
	for _, m := range h.Marks {
		got = append(got, fmt.Sprintf("%s %s %d-%d", m.Row, m.Text, m.Start, m.End))
	}
	if fmt.Sprint(got) != want {
		t.Errorf("marks %v, want %s", got, want)
	}
	stale := strings.Replace(string(text), ":value [3 4], :process 12, :time 12000000", ":value [3 2], :process 12, :time 12000000", 1)
	if stale == string(text) {
		t.Fatal("nothing was damaged")
	}
	h = read(t, "cas-register", stale)
	r := checker.Linearizable(h.Operations, h.Options())
	if r.Verdict != checker.Violation || h.Key(r.Counterexample.Key) != "3" {
		t.Errorf("a stale read of key 3: %v", r.Verdict)
	}
}

// TestNemesisMarks: faults last from what begins them to what ends them, also where
// nobody ends them.
func TestNemesisMarks(t *testing.T) {
	n := func(f string) string { return "{:type :info, :f :" + f + ", :value nil, :process :nemesis}\n" }
	w := event(0, "invoke", "read", "nil") + event(0, "ok", "read", "nil")
	for _, c := range []struct{ text, want string }{
		{n("start") + n("start") + w + n("stop") + n("stop") + w, ":start 1-3"},
		{n("kill") + n("kill") + w + n("start") + n("start") + w, ":kill 1-3"},
		{n("pause") + n("pause") + w, ":pause 1-3"},
		{w + n("bump-clock") + w + n("bump-clock") + w, ":bump-clock 3-5"},
		{w + n("start") + n("start") + w + n("stop") + n("stop") + w + n("start") + n("start") + w, ":start 3-5 :start 7-9"},
	} {
		var got []string
		for _, m := range read(t, "register", c.text).Marks {
			got = append(got, fmt.Sprintf("%s %d-%d", m.Text, m.Start, m.End))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s\ngot %v, want %s", c.text, got, c.want)
		}
	}
}

// TestNemesisText: what a nemesis did stands in its mark as the file has it, cut where it
// is long.
func TestNemesisText(t *testing.T) {
	for value, want := range map[string]string{
		`[:isolated "n1"]`: `:start-partition [:isolated "n1"]`,
		`"Cut off n1"`:     `:start-partition Cut off n1`,
		`"ééééééééééééééééééééééééé"`: `:start-partition éééééééééééééééééééé…`,
	} {
		h := read(t, "register", "{:type :info, :f :start-partition, :process :nemesis, :value "+value+"}\n"+event(0, "invoke", "read", "nil"))
		if len(h.Marks) != 1 || h.Marks[0].Text != want {
			t.Errorf("%s: %v, want %s", value, h.Marks, want)
		}
	}
}
