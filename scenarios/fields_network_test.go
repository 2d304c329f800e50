package scenarios

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sim/lockstep/sim"
)

// TestNetworkText: what a network, a CPU and the faults of a network can say is read,
// written and read again.
func TestNetworkText(t *testing.T) {
	const text = `name: x
replicas: 5
network:
  latency: 0s
  jitter: exp(2ms)
  correlation: 500ms
  corrupt: 0.1%
  replay: 1%
  replay_age: 5s
  bandwidth: 100Mbit/s
  queue: 64KiB
  client: {bandwidth: 1.5kB/s}
  links: [{from: n1, to: n2, both: true, loss: 5%}]
  regions: {VA: n1 c1, OR: n2 c2, CA: n3 c3}
  matrix: {VA: {OR: 86ms, CA: 65ms}, OR: {CA: 28ms, VA: 90ms}}
cpu: {receive: 25us, send: 1us, kilobyte: 300ns, apply: 2us, broadcast: true}
faults:
  - {at: 1s, for: 1s, partition: {shape: halves, clients: split, flap: 100ms}}
  - {at: 1s, for: 1s, partition: {target: n1, from: n2 n3}}
  - {at: 2s, for: 1s, clog: {target: leader, direction: in}}
  - {at: 2s, for: 1s, swizzle-clog: all}
  - {at: 3s, for: 1s, bandwidth: {target: n1, rate: 8kbit/s, queue: 1MB}}
  - {at: 3s, for: 1s, replay: {probability: 5%, age: 10s}}
  - {at: 3s, for: 1s, corrupt-message: 5%}
`
	sc, warnings, err := Parse("x", []byte(text), toys())
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	again, _, err := Parse("x", Format(sc), toys())
	if err != nil {
		t.Fatalf("%v\n%s", err, Format(sc))
	}
	if diff := cmp.Diff(sc, again, equate...); diff != "" {
		t.Errorf("Parse(Format(s)) differs:\n%s", diff)
	}
	n := &sc.Network
	if n.Between.Bandwidth != 12_500_000 || n.Between.Queue != 65_536 || n.Client.Bandwidth != 1500 || sc.Faults[4].Rate != 1000 {
		t.Errorf("rates: %d %d %d %d", n.Between.Bandwidth, n.Between.Queue, n.Client.Bandwidth, sc.Faults[4].Rate)
	}
	there, _ := n.Matrix.Between("VA", "OR")
	back, _ := n.Matrix.Between("OR", "VA")
	alike, ok := n.Matrix.Between("CA", "VA")
	if there != 86_000_000 || back != 90_000_000 || alike != 65_000_000 || !ok {
		t.Errorf("round trips %s %s %s", there, back, alike)
	}
	if sc.Faults[0].Target.String() != "random" || sc.Faults[5].Target.String() != "all" {
		t.Errorf("default targets %s, %s", sc.Faults[0].Target, sc.Faults[5].Target)
	}
}

// TestPresetsByName: presets and built-in matrices are read and written by name.
func TestPresetsByName(t *testing.T) {
	for _, p := range sim.CPUPresets() {
		sc, _, err := Parse("x", []byte("name: x\ncpu: "+p.Name+"\n"), toys())
		if err != nil || sc.CPU != p.CPU {
			t.Errorf("%s: %+v %v", p.Name, sc, err)
		} else if !strings.Contains(string(Format(sc)), "\ncpu: "+p.Name+"\n") {
			t.Errorf("%s is not written by its name:\n%s", p.Name, Format(sc))
		}
	}
	for _, m := range sim.Matrices() {
		sc, _, err := Parse("x", []byte("name: x\nnetwork: {regions: ["+strings.Join(m.Regions, ", ")+"], matrix: "+m.Name+"}\n"), toys())
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		again, _, err := Parse("x", Format(sc), toys())
		if err != nil || !cmp.Equal(sc, again, equate...) || !strings.Contains(string(Format(sc)), "matrix: "+m.Name) {
			t.Errorf("%s: %v\n%s", m.Name, err, Format(sc))
		}
	}
}

// What a fault on a region hits at most counts those who are placed there in turn.
func TestSizesOfRegions(t *testing.T) {
	sc, _, err := Parse("x", []byte("name: x\nreplicas: 5\nnetwork: {regions: {VA: n1 c1, JP: n2 n4}, matrix: paxi-aws}\n"), toys())
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]int{"region(VA)": 3, "region(JP)": 2, "region(JP) n1": 3, "others of region(VA)": 2, "region(VA) leader region(JP)": 5} {
		if got := targetSize(target, sc); got != want {
			t.Errorf("%s: %d replicas, want %d", target, got, want)
		}
	}
}

// manyRegions is a row of a matrix.
func manyRegions(n int) string {
	var row []string
	for i := range n {
		row = append(row, fmt.Sprintf("r%d: 1ms", i))
	}
	return strings.Join(row, ", ")
}

func TestBadNetworks(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"network: {bandwidth: 10}", "want a rate such as 1MB/s"},
		{"network: {bandwidth: 1bit/s}", "whole number of bytes a second"},
		{"network: {queue: 64KiB}", "a queue needs a bandwidth"},
		{"network: {queue: 64}", "no unit; write 64B"},
		{"faults: [{at: 1s, for: 1s, crash: region(VA)}]", `x:2:35: faults[1].crash.target: no region "VA"; network.regions says which there are, and this scenario has none`},
		{"network: {regions: [VA, OR], matrix: paxi-aws}\nfaults:\n  - {at: 1s, for: 1s, partition: {target: leader, from: n1 region(RO)}}", `x:4:57: faults[1].partition.from: no region "RO"; network.regions has VA, OR`},
		{"network: {regions: [VA, OR], matrix: paxi-aws}\nnemesis: {target: [leader, others of region(JP)]}", `nemesis.target[2]: no region "JP"`},
		{"faults: [{at: 1s, for: 1s, crash: region()}]", `target "region()": unknown "region()"; want names`},
		{"network: {regions: [VA, OR]}", "want a matrix"},
		{"network: {matrix: paxi-aws}", "want regions"},
		{"network: {regions: [VA, VA], matrix: paxi-aws}", "stands twice"},
		{"network: {regions: [a, b, c, d, e, f], matrix: paxi-aws}", "6 regions are more than the matrix has"},
		{"network: {regions: [VA, ORR], matrix: paxi-aws}", `no region "ORR"`},
		{"network: {regions: {VA: leader}, matrix: paxi-aws}", "want names such as n1"},
		{"network: {regions: {VA: n1, OR: n1 n2}, matrix: paxi-aws}", "n1 is in VA, too"},
		{"network: {regions: {VA: n9}, matrix: paxi-aws}", `no node "n9"`},
		{"network: {regions: [a, b, c], matrix: {a: {b: 1ms, c: 2ms}}}", "no round trip between b and c"},
		{"network: {matrix: paxi-asw, regions: [VA]}", `did you mean "paxi-aws"`},
		{"network: {matrix: {r: {" + manyRegions(200) + "}}}", "at most 128 regions"},
		{"cpu: lan-sever", `did you mean "lan-server"`},
		{"cpu: {receive: 2h}", "from 0s to 1h"},
		{"faults: [{at: 1s, for: 1s, partition: {shape: ring, direction: in}}]", "a ring cuts both ways"},
		{"faults: [{at: 1s, for: 1s, partition: {shape: star, clients: split}}]", "no two sides"},
		{"faults: [{at: 1s, for: 1s, partition: {shape: isolate}}]", "want a target"},
		{"faults: [{at: 1s, for: 1s, partition: {target: n1, from: n7}}]", `no node "n7"`},
		{"faults: [{at: 1s, for: forever, swizzle-clog: all}]", "an interval with an end"},
		{"faults: [{at: 1s, for: 1s, bandwidth: {target: n1}}]", "needs a rate"},
		{"faults: [{at: 1s, for: 1s, replay: {target: n1}}]", "needs a probability"},
	} {
		if _, _, err := Parse("x", []byte("name: x\n"+c.text+"\n"), toys()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.text[:min(len(c.text), 100)], err, c.want)
		}
	}
}
