package scenarios

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// TestDrawnAdminAndScripts: Parse(Format(s)) == s for first memberships, operators'
// plans and scripts.
func TestDrawnAdminAndScripts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sc := New("drawn")
		sc.Workload.Mix = DefaultMix(sc.Machine)
		sc.Protocols = []string{"mover"}
		sc.Replicas = 5
		some := func(what string) (s protocols.NodeSet) {
			for _, id := range rapid.SliceOfDistinct(rapid.IntRange(1, 5), rapid.ID).Draw(t, what) {
				s = s.With(protocols.NodeID(id))
			}
			return s
		}
		sc.Members = some("members")
		if rapid.Bool().Draw(t, "script") {
			for range rapid.IntRange(1, 4).Draw(t, "steps") {
				text := rapid.SampledFrom([]string{"tick 5ms", "deliver all n1 -> *", "request c1 n2 cas k1 3->4", "note n1: #1 -> 'x' \"y\"", "reconfigure n1 to n1 n2", "expect leader nobody"}).Draw(t, "step")
				step, err := sim.ParseScriptStep(text)
				if err != nil {
					t.Fatal(err)
				}
				sc.Script = append(sc.Script, step)
			}
			sc.Then = rapid.SampledFrom([]string{"", ThenStop, ThenHeal}).Draw(t, "then")
		} else {
			for i := range rapid.IntRange(1, 4).Draw(t, "wishes") {
				s := sim.AdminStep{ID: i + 1, Kind: protocols.TransferLeadership, At: protocols.Time(rapid.Int64Range(0, 9e9).Draw(t, "at")), For: sim.Forever, To: 3}
				if rapid.Bool().Draw(t, "for") {
					s.For = protocols.Duration(rapid.Int64Range(1, 9e9).Draw(t, "span"))
				}
				if rapid.Bool().Draw(t, "kind") {
					s.Kind, s.To = protocols.Reconfigure, protocols.Nobody
					s.Add = some("add").With(1)
					s.Remove = some("remove").Minus(s.Add)
					s.Learners = some("learners").Minus(s.Add).Minus(s.Remove)
				}
				sc.Admin = append(sc.Admin, s)
			}
			sc.Sometimes = []Probe{{Admin: 1}, {Admin: everyFault}}
		}
		sc.Expect.Check = rapid.SampledFrom([]string{"", "liveness"}).Draw(t, "check")
		again, warnings, err := Parse("", Format(sc), toys())
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%v %v\n%s", warnings, err, Format(sc))
		}
		if diff := cmp.Diff(sc, again, equate...); diff != "" {
			t.Fatalf("Parse(Format(s)) differs:\n%s", diff)
		}
	})
}

// TestReplaceIsRemoveAndAdd: the short form is read, and written as what it means.
func TestReplaceIsRemoveAndAdd(t *testing.T) {
	sc, _, err := Parse("x", []byte("name: x\nprotocols: [mover]\nadmin: [{at: 1s, reconfigure: {replace: n2 -> n3}}]\n"), toys())
	if err != nil {
		t.Fatal(err)
	}
	if text := string(Format(sc)); !strings.Contains(text, "{at: 1s, for: forever, reconfigure: {add: n3, remove: n2}}") {
		t.Error(text)
	}
}

// TestExpectedCheck: a check that is expected stands for a violation, and another one
// misses it.
func TestExpectedCheck(t *testing.T) {
	for text, want := range map[string]string{
		"expect: {check: liveness}":                                    "violation liveness",
		"expect: {verdict: ok}":                                        "ok ",
		"expect: {check: liveness, toy: {check: panic}}":               "violation panic",
		"expect: {check: liveness, toy: {verdict: ok}}":                "ok ",
		"expect: {verdict: violation, toy: {check: panic}}":            "violation panic",
		"expect: {verdict: violation, toy: {verdict: outside-model}}":  "outside-model ",
		"expect: {check: liveness, other: {check: panic, retries: 0}}": "violation liveness",
	} {
		sc, _, err := Parse("x", []byte("name: x\n"+text+"\n"), toys())
		if err != nil {
			t.Fatal(err)
		}
		e := sc.Expected("toy")
		if got := fmt.Sprint(e.Verdict, " ", e.Check); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
