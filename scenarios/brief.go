package scenarios

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Brief writes a scenario as a person would: what is as without the key is left out.
// list holds the protocols whose parameters it sets. [Parse] of the text gives the
// equal scenario, but that it may leave out parameters that are all as without them.
// note becomes a comment at the top, line by line.
func Brief(sc *Scenario, list []*protocols.Protocol, note string) []byte {
	plain := New("")
	plain.Machine = sc.Machine
	plain.Workload.Mix = DefaultMix(sc.Machine)
	for _, ps := range sc.Parameters {
		if p := find(list, ps.Protocol); p != nil && p.Parameters != nil {
			plain.Parameters = append(plain.Parameters, Parameters{Protocol: ps.Protocol, Values: p.Parameters()})
		}
	}
	plain.Machine = New("").Machine
	n := scenarioMapping().write(sc)
	prune(n, scenarioMapping().write(plain))
	if faults := valueOf(n, "faults"); faults != nil {
		for i := range sc.Faults {
			pruneFault(faults.Content[i], &sc.Faults[i])
		}
	}
	var b bytes.Buffer
	for l := range strings.SplitSeq(strings.TrimRight(note, "\n"), "\n") {
		if note != "" {
			b.WriteString(strings.TrimRight("# "+l, " ") + "\n")
		}
	}
	b.Write(dump(n))
	return b.Bytes()
}

// prune takes out of n what plain holds too. Lists stand or fall as a whole.
func prune(n, plain *yaml.Node) {
	if n.Kind != yaml.MappingNode || plain == nil || plain.Kind != yaml.MappingNode {
		return
	}
	var left []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if p := valueOf(plain, k.Value); p != nil {
			if flat(p) == flat(v) {
				continue
			}
			prune(v, p)
		}
		left = append(left, k, v)
	}
	n.Content = left
}

// valueOf returns the value of a key of a mapping, nil without it.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// pruneFault leaves out what the kind of fault has by default, and takes the short
// form where one value is left that it can say: crash: n1.
func pruneFault(n *yaml.Node, f *sim.Fault) {
	i := slices.IndexFunc(faultKinds, func(k faultKind) bool { return k.kind == f.Kind })
	k := &faultKinds[i]
	own := valueOf(n, string(f.Kind))
	if own == nil {
		return
	}
	plain := sim.Fault{Kind: k.kind}
	k.defaults(&plain)
	m := mapping[sim.Fault]{fields: k.fields}
	prune(own, m.write(&plain))
	if k.short == nil || len(own.Content) != 2 || own.Content[0].Value != k.short.key {
		return
	}
	*own = *own.Content[1]
}
