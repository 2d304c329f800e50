package scenarios

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// withCalls gives a drawn plan an explicit workload.
func withCalls(t *rapid.T, sc *Scenario) {
	shares := sharesOf(sc.Machine)
	for range rapid.IntRange(0, 5).Draw(t, "calls") {
		s := shares[rapid.IntRange(0, len(shares)-1).Draw(t, "share")]
		c := sim.Call{
			At:     protocols.Time(rapid.Int64Range(0, int64(sc.For)-1).Draw(t, "at")),
			Client: -protocols.NodeID(rapid.IntRange(1, sc.Workload.Clients).Draw(t, "client")),
			To:     protocols.NodeID(rapid.IntRange(0, sc.Replicas).Draw(t, "to")),
			Op:     s.Op, Kind: s.Kind,
		}
		if sc.Machine == "kv" && s.Kind != protocols.Follow {
			c.Key = protocols.Key(rapid.IntRange(1, sc.Workload.Keys).Draw(t, "key"))
		}
		sc.Workload.Calls = append(sc.Workload.Calls, c)
	}
}

// TestBrief: the brief form reads back as the equal scenario, as Format does, and is
// shorter.
func TestBrief(t *testing.T) {
	p := toys()[0]
	list := []*protocols.Protocol{p}
	rapid.Check(t, func(t *rapid.T) {
		sc := Draw(protocols.Mix64(rapid.Uint64().Draw(t, "seed")), p, nil)
		withCalls(t, sc)
		text := Brief(sc, list, "first line\n\nthird line")
		if len(text) >= len(Format(sc)) || !strings.HasPrefix(string(text), "# first line\n#\n# third line\n") {
			t.Fatalf("not brief:\n%s", text)
		}
		for _, text := range [][]byte{text, Format(sc)} {
			again, warnings, err := Parse("", text, list)
			if err != nil || len(warnings) > 0 {
				t.Fatalf("%v %v\n%s", warnings, err, text)
			}
			if diff := cmp.Diff(Resolved(sc, p), Resolved(again, p), equate...); diff != "" {
				t.Fatalf("differs:\n%s\n%s", diff, text)
			}
		}
	})
}

// TestVariantsEnd: whichever variant is taken, there comes an end, and nothing that
// a variant leaves alone changes.
func TestVariantsEnd(t *testing.T) {
	p := toys()[0]
	list := []*protocols.Protocol{p}
	rapid.Check(t, func(t *rapid.T) {
		sc := Draw(protocols.Mix64(rapid.Uint64().Draw(t, "seed")), p, nil)
		withCalls(t, sc)
		before := string(Format(sc))
		for steps := 0; ; steps++ {
			all := Variants(sc, p)
			first, tried := 0, 0
			if len(all) > 0 {
				first = rapid.IntRange(0, len(all)-1).Draw(t, "first")
			}
			for tried < len(all) && Validate(all[(first+tried)%len(all)].Scenario, list) != nil {
				tried++
			}
			if tried == len(all) {
				break
			}
			v := all[(first+tried)%len(all)]
			if cmp.Equal(v.Scenario, sc, equate...) || steps > 2000 {
				t.Fatalf("step %d: %s changes nothing, or there is no end", steps, v.Path)
			}
			sc = v.Scenario
		}
		if len(sc.Faults) > 0 || len(sc.Workload.Calls) > 1 || sc.Network.Between.Loss > 0 {
			t.Fatalf("more could go:\n%s\nfrom\n%s", Format(sc), before)
		}
	})
}

// TestCallsInFiles: what is wrong with a list of calls is said where it stands.
func TestCallsInFiles(t *testing.T) {
	for _, c := range []struct{ calls, want string }{
		{"{at: 1s, client: c1}", "want at, client and call"},
		{"{at: 1s, client: c1, call: put}", "want an operation and its key"},
		{"{at: 1s, client: c1, call: put k9}", "no key k9; this workload has k1..k5"},
		{"{at: 1s, client: c1, call: put key}", "want a key such as k1"},
		{"{at: 1s, client: c1, call: pot k1}", "the kv machine has no operation"},
		{"{at: 1s, client: c9, call: put k1}", `no client "c9"`},
		{"{at: 1s, client: n1, call: put k1}", `no client "n1"`},
		{"{at: 1s, client: c1, call: put k1, to: n7}", `no replica "n7"`},
		{"{at: 99s, client: c1, call: put k1}", "after the safety phase"},
		{"{at: 1s, client: c1, call: put k1, to: n2}", ""},
	} {
		_, _, err := Parse("x.yaml", []byte("name: x\nworkload: {calls: ["+c.calls+"]}\n"), nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.calls, err, c.want)
		}
	}
}

// TestSmallParameters: numbers become small one at a time and all together, none ever
// larger than it is in the latter, and the given scenario stays as it is.
func TestSmallParameters(t *testing.T) {
	type numbers struct {
		Every  int `swarm:"8..32"`
		Kept   int `swarm:"0..8"`
		Window int `swarm:"1..4"`
		Off    int `swarm:"6..20"` // 0: never
	}
	given := numbers{25, 4, 3, 0}
	own := given
	sc := New("small")
	sc.Parameters = []Parameters{{Protocol: "toy", Values: &own}}
	got := map[numbers]bool{}
	for _, small := range SmallParameters(sc, &protocols.Protocol{Name: "toy"}) {
		got[*small.Parameters[0].Values.(*numbers)] = true
	}
	for _, want := range []numbers{{1, 4, 3, 0}, {25, 0, 3, 0}, {25, 4, 2, 0}, {25, 4, 3, 6}, {1, 0, 1, 0}, {2, 0, 1, 0}, {8, 0, 1, 0}} {
		if !got[want] {
			t.Errorf("%+v is missing", want)
		}
	}
	if own != given || got[given] {
		t.Errorf("the given parameters are now %+v, or among the small ones", own)
	}
}
