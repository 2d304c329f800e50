package scenarios

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// fragile survives few things, so that plans must respect limits.
func fragile() *protocols.Protocol {
	p := toys()[0]
	p.Survives = func(kind protocols.FaultKind, parameters any, n int) int {
		switch kind {
		case protocols.FaultCrash, protocols.FaultPause:
			return (n - 1) / 2
		case protocols.FaultClock, protocols.FaultSkew:
			return 0
		}
		return -1
	}
	return p
}

// TestDrawnPlans: every drawn plan is valid, within the model, a pure function of
// its seed, and unchanged by Format and Parse.
func TestDrawnPlans(t *testing.T) {
	for _, p := range []*protocols.Protocol{toys()[0], fragile(), toys()[2]} {
		list := []*protocols.Protocol{p}
		rapid.Check(t, func(t *rapid.T) {
			seed := protocols.Mix64(rapid.Uint64().Draw(t, "seed"))
			sc := Draw(seed, p, nil)
			if err := Validate(sc, list); err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, Format(sc))
			}
			if why := sc.OutsideModel(p); why != "" {
				t.Fatalf("seed %d: %s", seed, why)
			}
			if diff := cmp.Diff(sc, Draw(seed, p, nil), equate...); diff != "" {
				t.Fatalf("seed %d draws two plans:\n%s", seed, diff)
			}
			again, warnings, err := Parse("", Format(sc), list)
			if err != nil || len(warnings) > 0 {
				t.Fatalf("seed %d: %v %v\n%s", seed, warnings, err, Format(sc))
			}
			if diff := cmp.Diff(sc, again, equate...); diff != "" {
				t.Fatalf("seed %d: Parse(Format(s)) differs:\n%s", seed, diff)
			}
		})
	}
}

// TestDrawnPlansVary: every kind of fault, cluster size and machine that can be
// drawn is drawn, and half of the plans are short.
func TestDrawnPlansVary(t *testing.T) {
	seen := map[string]int{}
	const n = 2000
	p := toys()[0]
	p.Survives = func(protocols.FaultKind, any, int) int { return -1 }
	for seed := range uint64(n) {
		sc := Draw(seed, p, nil)
		seen["replicas "+string(rune('0'+sc.Replicas))]++
		seen["machine "+sc.Machine]++
		if w := sc.ParametersOf(p).(*toyParameters).Window; w > 0 {
			seen["drawn windows"]++
		}
		if len(sc.Faults) <= 6 {
			seen["short"]++
		}
		for _, f := range sc.Faults {
			seen[string(f.Kind)]++
			if f.For == sim.Forever {
				seen["forever"]++
			}
		}
	}
	for _, k := range sim.FaultKinds() {
		if want := slices.Contains(drawable, k.Kind) || isNodeFault(k.Kind); want != (seen[string(k.Kind)] > 0) {
			t.Errorf("%s: drawn %d times", k.Kind, seen[string(k.Kind)])
		}
	}
	for _, what := range []string{"replicas 1", "replicas 2", "replicas 3", "replicas 4", "replicas 5", "replicas 7", "machine kv", "machine log", "machine register", "forever"} {
		if seen[what] == 0 {
			t.Errorf("%s was never drawn", what)
		}
	}
	if share := seen["drawn windows"] * 100 / n; share < 45 || share > 55 {
		t.Errorf("%d%% of the plans draw the tagged parameter", share)
	}
	if share := seen["short"] * 100 / n; share < 45 || share > 75 {
		t.Errorf("%d%% of the plans are short", share)
	}
}

func TestOutsideModel(t *testing.T) {
	p := fragile()
	for _, c := range []struct{ faults, want string }{
		{"[{at: 1s, for: 1s, crash: majority}]", "toy survives crash while at most 1 of its nodes are hit at once, and the plan may hit 2"},
		{"[{at: 1s, for: 1s, crash: n1}, {at: 1500ms, for: 1s, crash: n2}]", "may hit 2"},
		{"[{at: 1s, for: 1s, crash: n1}, {at: 2s, for: 1s, crash: n2}]", ""},
		{"[{at: 1s, for: forever, pause: n1}, {at: 8s, for: 1s, pause: leader}]", "pause"},
		{"[{at: 1s, for: 1s, skew: {target: n1, drift: 20%}}]", "does not claim to survive skew"},
		{"[{at: 1s, for: 1s, partition: majority}]", ""},
		{"[{at: 1s, for: 1s, crash: others of leader}]", "may hit 2"},
		{"[{at: 1s, for: 1s, crash: minority}]", ""},
	} {
		sc, _, err := Parse("x", []byte("name: x\nfaults: "+c.faults+"\n"), []*protocols.Protocol{p})
		if err != nil {
			t.Fatal(err)
		}
		got := sc.OutsideModel(p)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.faults, got, c.want)
		}
	}
}

func TestWorst(t *testing.T) {
	order := []int{130, 70, 2, 5, 1, 3, 4, 0}
	for i, a := range order {
		for _, b := range order[i:] {
			if Worst(a, b) != a || Worst(b, a) != a {
				t.Errorf("Worst(%d, %d): want %d", a, b, a)
			}
		}
	}
	if Worst() != 0 || Worst(99, 0) != 70 {
		t.Error("no code is ok, an unknown one an internal error")
	}
}

// TestUnits: what a unit prints, it reads.
func TestUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(0, 1_000_000).Draw(t, "v")
		for u := UnitCount; u <= UnitRate; u++ {
			if got, err := u.parse(u.Format(v)); err != nil || got != v {
				t.Fatalf("unit %d: %d prints %s, which reads %d (%v)", u, v, u.Format(v), got, err)
			}
		}
	})
	for _, bad := range []string{"", "-1", "1.", ".5", "1e3", "+1", "1.2.3", "1_000", "99999999999999999999"} {
		if v, err := UnitDecimal.parse(bad); err == nil {
			t.Errorf("%q reads %d", bad, v)
		}
	}
}

func TestPercentilesByNearestRank(t *testing.T) {
	all := make([]int64, 100)
	for i := range all {
		all[i] = int64(100 - i)
	}
	if got, want := latencyOfAll(all), (Latency{50, 90, 99, 100}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := latencyOfAll([]int64{7}), (Latency{7, 7, 7, 7}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := latencyOfAll([]int64{1, 2, 3}), (Latency{2, 3, 3, 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	for _, name := range slices.Concat(Library(), FaultScenarios(), Figures()) {
		text, err := LibraryText(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, bad := range []string{"", "[", "a: &b [*b]", "name: {a: [1, {b: c}]}", "faults: [{at: 1s, for: forever, crash: n1}]", "\x00", "name: a\n---\n"} {
		f.Add([]byte(bad))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sc, _, err := Parse("fuzz.yaml", data, toys())
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without text")
			}
			return
		}
		again, _, err := Parse("fuzz.yaml", Format(sc), toys())
		if err != nil {
			t.Fatalf("what Format writes is refused: %v\n%s", err, Format(sc))
		}
		if diff := cmp.Diff(sc, again, equate...); diff != "" {
			t.Fatalf("Parse(Format(s)) differs:\n%s", diff)
		}
	})
}
