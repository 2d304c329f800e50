package scenarios

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

const grid = `name: grid
matrix:
  network.loss: [0%, 5%]
  workload.mix: [{get: 50%, put: 50%}, {put: 100%}]
  parameters.toy.window: [3]
`

// Every combination is a scenario with a name of its own, the values in it and a
// replay command that names them.
func TestCells(t *testing.T) {
	sc, _, err := Parse("grid.yaml", []byte(grid), toys())
	if err != nil {
		t.Fatal(err)
	}
	cells, err := Cells(sc, toys())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range cells {
		names = append(names, c.Name)
		if len(c.Matrix) > 0 || len(c.Given) != 3 || c.ParametersOf(toys()[0]).(*toyParameters).Window != 3 {
			t.Errorf("%s: matrix %v, given %v", c.Name, c.Matrix, c.Given)
		}
	}
	want := []string{
		"grid.loss-0pct.mix--get--50pct--put--50pct.window-3", "grid.loss-0pct.mix--put--100pct.window-3",
		"grid.loss-5pct.mix--get--50pct--put--50pct.window-3", "grid.loss-5pct.mix--put--100pct.window-3",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if last := cells[3]; last.Network.Between.Loss != 50_000_000 || len(last.Workload.Mix) != 1 {
		t.Errorf("the last cell has loss %s and the mix %v", last.Network.Between.Loss, last.Workload.Mix)
	}
	const command = `lockstep run grid.yaml --set 'network.loss=5%' --set 'workload.mix={put: 100%}' --set 'parameters.toy.window=3' --protocol toy --seed 7`
	if got := Replay("", cells[3], toys()[0], 7); got != command {
		t.Errorf("replay: %s", got)
	}
}

// A value that does not go alone goes where the other keys go with it.
func TestCellsTogether(t *testing.T) {
	text := "name: x\nfor: 2s\nfaults: [{at: 1s, for: 500ms, crash: n1}]\nmatrix:\n  \"faults[1].at\": [1s, %s]\n  for: [%s]\n"
	for _, c := range []struct{ at, length, wrong string }{
		{"5s", "6s, 8s", ""},
		{"5s", "3s, 8s", "matrix.faults[1].at[2]: with for=3s: faults[1].at: the fault strikes at 5s"},
		{"9s", "3s, 8s", "matrix.faults[1].at[2]: faults[1].at: the fault strikes at 9s"},
	} {
		_, _, err := Parse("x.yaml", fmt.Appendf(nil, text, c.at, c.length), toys())
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("at %s for %s: %v, want %q", c.at, c.length, err, c.wrong)
		}
	}
}

// Names that are too long or not unique give way to numbers.
func TestCellsHaveNames(t *testing.T) {
	sc, _, err := Parse("", []byte("name: "+strings.Repeat("x", 60)+"\nmatrix: {network.loss: [1%, 2%]}\n"), toys())
	if err != nil {
		t.Fatal(err)
	}
	cells, err := Cells(sc, toys())
	if err != nil || cells[1].Name != strings.Repeat("x", 50)+".cell-2" || Validate(cells[1], toys()) != nil {
		t.Errorf("%v %v", cells[1].Name, err)
	}
}

// What is set replaces the values of the matrix, and the one cell that is left has
// the name that it had among the others.
func TestAssign(t *testing.T) {
	sc, _, err := Parse("grid.yaml", []byte(grid), toys())
	if err != nil {
		t.Fatal(err)
	}
	set := []Assignment{{"network.loss", "5%"}, {"workload.mix", "{put: 100%}"}, {"replicas", "5"}}
	if err := Assign(sc, set, toys()); err != nil {
		t.Fatal(err)
	}
	cells, err := Cells(sc, toys())
	if err != nil || len(cells) != 1 {
		t.Fatalf("%d cells, %v", len(cells), err)
	}
	c := cells[0]
	if c.Name != "grid.loss-5pct.mix--put--100pct.window-3" || c.Replicas != 5 || len(c.Given) != 4 {
		t.Errorf("%s, %d replicas, %v", c.Name, c.Replicas, c.Given)
	}
	before := string(Format(sc))
	for _, a := range []struct{ set, want string }{
		{"network.los=1%", `--set network.los=1%: unknown key "los" in network; did you mean "loss"?`},
		{"network.loss=7", `--set network.loss=7: network.loss: "7" has no unit; write 7%`},
		{"parameters.toy.windw=7", `--set parameters.toy.windw=7: unknown key "windw" in parameters.toy; did you mean "window"?`},
	} {
		one, err := ParseAssignment(a.set)
		if err != nil {
			t.Fatal(err)
		}
		if err := Assign(sc, []Assignment{one}, toys()); err == nil || !strings.Contains(err.Error(), a.want) {
			t.Errorf("got %v, want %q", err, a.want)
		}
	}
	if string(Format(sc)) != before {
		t.Error("a failed Assign changed the scenario")
	}
	for _, s := range []string{"", "x", "=1", "x="} {
		if _, err := ParseAssignment(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

const stormy = `name: stormy
faults: [{at: 1s, for: 1s, crash: n1}]
nemesis: {faults: [kill, pause, partition, packet, clock, disk], every: 100ms..500ms, for: exp(300ms), from: 2s, until: 9s}
`

// A nemesis is a pure function of scenario and seed, it becomes faults that a file
// can hold, within its bounds, and other seeds give other plans.
func TestExpand(t *testing.T) {
	sc, _, err := Parse("", []byte(stormy), toys())
	if err != nil {
		t.Fatal(err)
	}
	kinds, plans := map[string]int{}, map[string]bool{}
	for seed := range uint64(50) {
		x := Expand(sc, seed)
		if len(x.Nemesis.Faults) > 0 || len(x.Faults) < 10 || Expand(x, seed+1) != x {
			t.Fatalf("seed %d: %d faults, nemesis %v", seed, len(x.Faults), x.Nemesis)
		}
		for i := range x.Faults[1:] {
			f := &x.Faults[1+i]
			kinds[string(f.Kind)]++
			if f.At < 2e9 || f.At >= 9e9 || f.ID != i+2 {
				t.Errorf("seed %d: fault %d strikes at %s", seed, f.ID, f.At)
			}
		}
		text := string(Format(x))
		if plans[text] {
			t.Errorf("seed %d repeats a plan", seed)
		}
		plans[text] = true
		again, _, err := Parse("", []byte(text), toys())
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if diff := cmp.Diff(x, again, equate...); diff != "" || string(Format(Expand(sc, seed))) != text {
			t.Fatalf("seed %d: the plan is not what is written: %s", seed, diff)
		}
	}
	for _, c := range nemesisFaults([]string{"kill", "pause", "partition", "packet", "clock", "disk"}) {
		if kinds[string(c.kind)] < 50 {
			t.Errorf("%s was drawn %d times", c.kind, kinds[string(c.kind)])
		}
	}
	if len(sc.Faults) != 1 || len(sc.Nemesis.Faults) != 6 {
		t.Error("Expand changed its scenario")
	}
}

// The kinds of every word exist, so that a nemesis never draws what is none.
func TestNemesisWords(t *testing.T) {
	for _, w := range NemesisWords() {
		for _, c := range nemesisFaults([]string{w}) {
			if exampleFault(c.kind).Kind != c.kind {
				t.Errorf("%s stands for %s, which has no example", w, c.kind)
			}
		}
	}
	if len(exampleFaults()) != len(sim.FaultKinds()) {
		t.Errorf("%d examples for %d kinds", len(exampleFaults()), len(sim.FaultKinds()))
	}
}

// Every shape of partitions has a word, and a nemesis draws all of them, each around
// one random replica, and writes them as faults that a file can hold.
func TestNemesisShapes(t *testing.T) {
	var words []string
	for _, s := range nemesisShapes {
		words = append(words, s.word)
	}
	text := "name: shapes\nreplicas: 5\nnemesis: {faults: [" + strings.Join(words, ", ") + "], every: 500ms, for: 200ms, target: [leader]}\nfor: 30s\n"
	sc, _, err := Parse("", []byte(text), toys())
	if err != nil {
		t.Fatal(err)
	}
	x := Expand(sc, 1)
	drawn := map[sim.Shape]int{}
	for i := range x.Faults {
		f := &x.Faults[i]
		drawn[f.Shape]++
		if f.Kind != protocols.FaultPartition || f.Target.String() != "random" {
			t.Errorf("fault %d: %s of %s", f.ID, f.Kind, f.Target)
		}
	}
	for _, name := range sim.ShapeNames() {
		shape, err := sim.ParseShape(name)
		if err != nil || drawn[shape] == 0 {
			t.Errorf("no nemesis draws a partition of shape %s: %v", name, err)
		}
	}
	if _, _, err := Parse("", Format(x), toys()); err != nil {
		t.Error(err)
	}
}
