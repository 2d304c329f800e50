package scenarios

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
)

// parse reads a scenario, with everything that is wrong with it.
func (d *decoder) parse(data []byte) (*Scenario, Problems, error) {
	d.where = map[string]*yaml.Node{}
	sc := New("")
	sc.File = d.file
	if root := d.load(data); root != nil {
		d.decode(root, sc)
	}
	sortProblems(d.problems)
	warnings, err := d.problems.split()
	if err != nil {
		return nil, warnings, err
	}
	return sc, warnings, nil
}

// decode reads a tree into sc and validates what it could read.
func (d *decoder) decode(root *yaml.Node, sc *Scenario) {
	d.scenario = sc
	d.where[""] = root
	scenarioMapping().read(d, root, "", sc)
	if root.Kind != yaml.MappingNode {
		return
	}
	if _, given := d.where["workload.mix"]; !given {
		sc.Workload.Mix = DefaultMix(sc.Machine)
	}
	if _, bad := d.problems.split(); bad != nil {
		sc.Matrix = nil // values of a matrix are tried on what could be read, which is not whole
	}
	validate(sc, d.protocols, func(path, format string, args ...any) {
		if n, given := d.where[path]; given && d.faulty(n) {
			return // follows from what is reported already
		}
		d.fail(d.at(path), "%s%s", prefix(path), fmt.Sprintf(format, args...))
	})
}

// faulty reports whether something inside n is reported as an error.
func (d *decoder) faulty(n *yaml.Node) bool {
	for _, p := range d.problems {
		if !p.Warning && p.Line > 0 && p.Line == n.Line && p.Column == n.Column {
			return true
		}
	}
	return slices.ContainsFunc(n.Content, d.faulty)
}

// Format writes the resolved scenario: every default is filled in, and [Parse] of
// the text gives the equal scenario.
func Format(sc *Scenario) []byte { return dump(scenarioMapping().write(sc)) }

func dump(n *yaml.Node) []byte {
	var b bytes.Buffer
	dumper, err := yaml.NewDumper(&b, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err == nil {
		err = dumper.Dump(n)
	}
	if err == nil {
		err = dumper.Close()
	}
	if err != nil {
		panic("scenarios: a tree of plain scalars cannot be written: " + err.Error())
	}
	return b.Bytes()
}

// Resolved returns a copy of sc for one protocol: its parameters are written out
// with every default, and those of other protocols are left out. Format of it is
// the whole truth about a run.
func Resolved(sc *Scenario, p *protocols.Protocol) *Scenario {
	c := *sc
	c.Matrix = nil
	c.Protocols = []string{p.Name}
	c.Parameters = nil
	if values := sc.ParametersOf(p); values != nil {
		c.Parameters = []Parameters{{Protocol: p.Name, Values: values}}
	}
	c.ExpectOf = nil
	c.Expect = sc.Expected(p.Name)
	return &c
}

// Set changes one value by its dotted key, as --vary and compare do:
// network.loss, workload.clients, faults[1].for, parameters.raft.pre_vote,
// expect.latency.p99. The value is read as in a file, and the whole scenario is
// validated again; sc is unchanged when that fails.
func Set(sc *Scenario, path, value string, list []*protocols.Protocol) error {
	return setAll(sc, []Assignment{{path, value}}, list)
}

// setAll gives keys other values at once: the scenario is validated when all are
// there.
func setAll(sc *Scenario, set []Assignment, list []*protocols.Protocol) error {
	root := scenarioMapping().write(sc)
	d := &decoder{protocols: list, where: map[string]*yaml.Node{}}
	for _, a := range set {
		var v yaml.Node
		if err := yaml.Load([]byte(a.Value), &v); err != nil || len(v.Content) != 1 {
			v = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{text(a.Value)}}
		}
		if !d.plain(v.Content[0], 0) || !d.put(root, a.Key, "", v.Content[0]) {
			return d.problems
		}
	}
	clearPositions(root)
	changed := New("")
	changed.File, changed.Given = sc.File, sc.Given
	d.decode(root, changed)
	if _, err := d.problems.split(); err != nil {
		return err
	}
	*sc = *changed
	return nil
}

// put replaces the value at path under n, adding keys on the way. done is the
// path of n.
func (d *decoder) put(n *yaml.Node, path, done string, v *yaml.Node) bool {
	segment, rest, nested := strings.Cut(path, ".")
	if done == "expect" && metricNamed(path) != nil {
		segment, rest, nested = path, "", false // metrics have dots in their names
	}
	name, index, indexed := strings.Cut(segment, "[")
	if name == "" || n.Kind != yaml.MappingNode {
		d.fail(nil, "%s: want a key such as network.loss or faults[1].for", quote(join(done, path)))
		return false
	}
	at := -1
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			at = i + 1
		}
	}
	if at < 0 {
		n.Content = append(n.Content, text(name), &yaml.Node{Kind: yaml.MappingNode})
		at = len(n.Content) - 1
	}
	slot := &n.Content[at]
	if indexed {
		list := *slot
		var i int
		if _, err := fmt.Sscanf(index, "%d]", &i); err != nil || list.Kind != yaml.SequenceNode || i < 1 || i > len(list.Content) {
			d.fail(nil, "%s: want a position from 1 to %d", join(done, segment), len(list.Content))
			return false
		}
		slot = &list.Content[i-1]
	}
	if nested {
		return d.put(*slot, rest, join(done, segment), v)
	}
	*slot = v
	return true
}

// clearPositions makes messages about a tree made in code free of positions.
func clearPositions(n *yaml.Node) {
	n.Line, n.Column = 0, 0
	for _, c := range n.Content {
		clearPositions(c)
	}
}
