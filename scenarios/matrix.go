package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Assignment gives a key another value than the file does.
type Assignment struct {
	Key, Value string // as files write them: network.loss and 5%
}

// String prints KEY=VALUE.
func (a Assignment) String() string { return a.Key + "=" + a.Value }

// ParseAssignment reads KEY=VALUE.
func ParseAssignment(s string) (Assignment, error) {
	k, v, ok := strings.Cut(s, "=")
	if !ok || k == "" || v == "" {
		return Assignment{}, fmt.Errorf("want KEY=VALUE such as network.loss=5%%, got %s", quote(s))
	}
	return Assignment{k, v}, nil
}

// Axis is one key of a matrix with the values that it takes.
type Axis struct {
	Key    string
	Values []string // as files write them
}

// Bounds of a matrix.
const (
	maxAxisValues = 32  // of all keys together
	maxCells      = 256 // of the product
)

// Assign gives keys of sc other values, as [Set] does, and keeps them for the replay
// command. A key of the matrix then has that one value. sc is unchanged after an
// error, which names the assignment.
func Assign(sc *Scenario, set []Assignment, list []*protocols.Protocol) error {
	if len(set) == 0 {
		return nil
	}
	changed := *sc
	changed.Matrix = slices.Clone(sc.Matrix)
	if err := setAll(&changed, set, list); err != nil {
		return blame(set, err)
	}
	for _, a := range set {
		for i := range changed.Matrix {
			if changed.Matrix[i].Key == a.Key {
				changed.Matrix[i].Values = []string{a.Value}
			}
		}
	}
	changed.Given = append(slices.Clip(sc.Given), set...)
	*sc = changed
	return nil
}

// blame says for each problem which assignment has it: the one whose key it is about,
// or else all of them.
func blame(set []Assignment, err error) error {
	ps, ok := errors.AsType[Problems](err)
	if !ok {
		return err
	}
	all := make([]string, len(set))
	for i, a := range set {
		all[i] = a.String()
	}
	blamed := slices.Clone(ps)
	for i := range blamed {
		who := strings.Join(all, " ")
		for _, a := range set {
			if strings.HasPrefix(ps[i].Text, a.Key) {
				who = a.String()
			}
		}
		blamed[i].Text = "--set " + who + ": " + ps[i].Text
	}
	return blamed
}

// Cells returns the scenarios that the matrix of sc stands for, one for each
// combination of values, the last key changing fastest; without a matrix sc alone.
// Each is called after its values.
func Cells(sc *Scenario, list []*protocols.Protocol) ([]*Scenario, error) {
	if len(sc.Matrix) == 0 {
		return []*Scenario{sc}, nil
	}
	taken := map[string]bool{}
	var cells []*Scenario
	for i, set := range combinations(sc.Matrix) {
		cell, err := sc.cell(set, list)
		if err != nil {
			return nil, err
		}
		if validName(cell.Name) != nil || taken[cell.Name] {
			cell.Name = fmt.Sprintf("%.50s.cell-%d", sc.Name, i+1)
		}
		taken[cell.Name] = true
		cells = append(cells, cell)
	}
	return cells, nil
}

// combinations lists every choice of one value per axis, the last changing fastest.
func combinations(axes []Axis) [][]Assignment {
	all := [][]Assignment{nil}
	for _, axis := range axes {
		var next [][]Assignment
		for _, set := range all {
			for _, v := range axis.Values {
				next = append(next, append(slices.Clip(set), Assignment{axis.Key, v}))
			}
		}
		all = next
	}
	return all
}

// cell returns the scenario of one combination, called after it.
func (sc *Scenario) cell(set []Assignment, list []*protocols.Protocol) (*Scenario, error) {
	cell := *sc
	cell.Matrix = nil
	if err := setAll(&cell, set, list); err != nil {
		return nil, fmt.Errorf("the matrix of %s: %w", sc.Name, blame(set, err))
	}
	cell.Given = slices.Clip(sc.Given)
	for _, a := range set {
		if !slices.ContainsFunc(sc.Given, func(g Assignment) bool { return g.Key == a.Key }) {
			cell.Given = append(cell.Given, a)
		}
		cell.Name += "." + slug(a.Key[strings.LastIndex(a.Key, ".")+1:]+"-"+a.Value)
	}
	return &cell, nil
}

// slug makes a part of a name of any text.
func slug(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(strings.ReplaceAll(s, "%", "pct")))
	return strings.Trim(strings.ReplaceAll(s, "..", "-"), ".-")
}

// matrixCodec reads {network.loss: [0%, 1%], replicas: [3, 5]}.
func matrixCodec() codec[[]Axis] {
	return codec[[]Axis]{
		read: func(d *decoder, n *yaml.Node, path string, v *[]Axis) {
			*v = nil
			d.pairs(n, path, "keys and their values", func(k, value *yaml.Node) {
				at := join(path, k.Value)
				d.where[at] = value
				if value.Kind != yaml.SequenceNode || len(value.Content) == 0 {
					d.fail(value, "%s: want a list of values such as [0%%, 1%%, 5%%], got %s", at, show(value))
					return
				}
				axis := Axis{Key: k.Value}
				for i, c := range value.Content {
					d.where[fmt.Sprintf("%s[%d]", at, i+1)] = c
					axis.Values = append(axis.Values, flat(c))
				}
				*v = append(*v, axis)
			})
		},
		write: func(v *[]Axis) *yaml.Node {
			if len(*v) == 0 {
				return nil
			}
			n := &yaml.Node{Kind: yaml.MappingNode}
			for _, axis := range *v {
				list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
				for _, value := range axis.Values {
					list.Content = append(list.Content, scalarNode(value))
				}
				n.Content = append(n.Content, text(axis.Key), list)
			}
			return n
		},
		schema: func([]*protocols.Protocol) object {
			return object{"type": "object", "additionalProperties": object{"type": "array", "minItems": 1}}
		},
	}
}

// validateMatrix demands that each value is one that the key can have.
func validateMatrix(sc *Scenario, list []*protocols.Protocol, report reporter) {
	values, cells := 0, 1
	for _, axis := range sc.Matrix {
		values += len(axis.Values)
		cells = min(cells*max(1, len(axis.Values)), maxCells+1)
	}
	if values > maxAxisValues || cells > maxCells {
		report("matrix", "want at most %d values and %d combinations of them, got %d values", maxAxisValues, maxCells, values)
		return
	}
	for _, axis := range sc.Matrix {
		at := "matrix." + axis.Key
		if top, _, _ := strings.Cut(axis.Key, "."); top == "name" || top == "version" || top == "matrix" || top == "why" {
			report(at, "%s cannot vary", top)
			continue
		}
		for i, v := range axis.Values {
			one := *sc
			one.Matrix = nil
			err := Set(&one, axis.Key, v, list)
			if err != nil {
				err = together(sc, Assignment{axis.Key, v}, err, list)
			}
			if err != nil {
				report(fmt.Sprintf("%s[%d]", at, i+1), "%s", firstProblem(err))
			}
		}
	}
}

// together says what is wrong with a value that cannot be set alone: nothing where it
// goes with all values of the other keys, alone where it goes with none, else the first
// combination that does not go.
func together(sc *Scenario, a Assignment, alone error, list []*protocols.Protocol) error {
	var first error
	good := 0
	for _, set := range combinations(sc.Matrix) {
		if !slices.Contains(set, a) {
			continue
		}
		cell := *sc
		cell.Matrix = nil
		err := setAll(&cell, set, list)
		switch {
		case err == nil:
			good++
		case first == nil:
			others := slices.DeleteFunc(slices.Clone(set), func(b Assignment) bool { return b == a })
			texts := make([]string, len(others))
			for i, b := range others {
				texts[i] = b.String()
			}
			first = fmt.Errorf("with %s: %s", strings.Join(texts, ", "), firstProblem(err))
		}
	}
	if good == 0 {
		return alone
	}
	return first
}

// firstProblem is the first of several problems in one line.
func firstProblem(err error) string {
	if ps, ok := errors.AsType[Problems](err); ok {
		return ps[0].Text
	}
	return err.Error()
}
