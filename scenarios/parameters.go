package scenarios

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Parameter is one setting of a protocol, for lists and the schema.
type Parameter struct {
	Name    string // as scenarios write it: election_timeout
	Type    string // duration, range, whole number, true or false, text, list
	Default string // as scenarios write it
	Doc     string
}

// ParametersList describes the parameters of p in the order of its struct. A
// parameter is an exported field of the struct that Protocol.Parameters returns.
// Its tags are `param:"name"` (default: the field's name in snake_case; "-": not
// settable) and `doc:"one line"`. Its type is bool, int, int64, uint64,
// protocols.Duration, protocols.Range, string or []string.
func ParametersList(p *protocols.Protocol) []Parameter {
	if p.Parameters == nil {
		return nil
	}
	values := p.Parameters()
	var list []Parameter
	for _, f := range parameterFields(p, values) {
		n := f.write(values)
		value := ""
		if n != nil {
			value = flat(n)
		}
		list = append(list, Parameter{Name: f.key, Type: f.kind, Default: value, Doc: f.doc})
	}
	return list
}

// parameterField reads and writes one field of a parameter struct.
type parameterField struct {
	key, doc, kind string
	read           func(d *decoder, n *yaml.Node, path string, values any)
	write          func(values any) *yaml.Node
	schema         object
}

func parameterFields(p *protocols.Protocol, values any) []parameterField {
	t := reflect.TypeOf(values)
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("scenarios: %s.Parameters returns %s, want a pointer to a struct", p.Name, t))
	}
	var fields []parameterField
	for i := range t.Elem().NumField() {
		f := t.Elem().Field(i)
		name := f.Tag.Get("param")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = snake(f.Name)
		}
		pf := reflectField(p, f, i)
		pf.key, pf.doc = name, f.Tag.Get("doc")
		fields = append(fields, pf)
	}
	return fields
}

// reflectField picks the codec for the type of field i.
func reflectField(p *protocols.Protocol, f reflect.StructField, i int) parameterField {
	switch f.Type.Kind() {
	case reflect.Bool:
		return adapt(i, "true or false", boolean())
	case reflect.Int, reflect.Int64:
		if f.Type == reflect.TypeFor[protocols.Duration]() {
			return adapt(i, "duration", span(0, maxSpan))
		}
		if f.Type.Kind() == reflect.Int {
			return adapt(i, "whole number", whole[int](0, math.MaxInt32))
		}
		return adapt(i, "whole number", whole[int64](0, 1<<53))
	case reflect.Uint64:
		return adapt(i, "whole number", whole[uint64](0, 1<<53))
	case reflect.String:
		return adapt(i, "text", word())
	case reflect.Slice:
		if f.Type.Elem().Kind() == reflect.String {
			item := word()
			if f.Type == reflect.TypeFor[[]string]() && isBugs(f) {
				item = bugOf(p)
			}
			return adapt(i, "list", listOf("a list", true, item))
		}
	case reflect.Struct:
		if f.Type == reflect.TypeFor[protocols.Range]() {
			return adapt(i, "range", interval())
		}
	}
	panic(fmt.Sprintf("scenarios: parameter %s of %s has type %s, which cannot be set from a file (tag it param:\"-\")", f.Name, p.Name, f.Type))
}

func isBugs(f reflect.StructField) bool {
	return f.Name == "Bugs" || f.Tag.Get("param") == "bugs"
}

// bugOf is the id of a known bug of p.
func bugOf(p *protocols.Protocol) codec[string] {
	ids := make([]string, len(p.Bugs))
	for i, b := range p.Bugs {
		ids[i] = b.ID
	}
	if len(ids) == 0 {
		return scalar("a known bug", func(s string) (string, error) {
			return "", fmt.Errorf("%s has no known bugs to switch on, got %s", p.Name, quote(s))
		}, func(s string) string { return s }, object{"enum": []string{}})
	}
	return choice[string](ids...)
}

// adapt makes a typed codec work on field i of a parameter struct.
func adapt[T any](i int, kind string, c codec[T]) parameterField {
	at := func(values any) *T {
		v := reflect.ValueOf(values).Elem().Field(i)
		return v.Addr().Convert(reflect.TypeFor[*T]()).Interface().(*T)
	}
	return parameterField{
		kind:   kind,
		read:   func(d *decoder, n *yaml.Node, path string, values any) { c.read(d, n, path, at(values)) },
		write:  func(values any) *yaml.Node { return c.write(at(values)) },
		schema: c.schema(nil),
	}
}

// interval is a range of durations: 150ms..300ms, or one duration for both ends.
func interval() codec[protocols.Range] {
	return scalar("a range of durations such as 150ms..300ms", func(s string) (protocols.Range, error) {
		low, high, two := strings.Cut(s, "..")
		if !two {
			high = low
		}
		lo, err := readSpan(strings.TrimSpace(low))
		if err != nil {
			return protocols.Range{}, err
		}
		hi, err := readSpan(strings.TrimSpace(high))
		if err == nil && lo > hi {
			err = fmt.Errorf("the range %s ends before it begins", quote(s))
		}
		return protocols.Range{Min: lo, Max: hi}, err
	}, func(r protocols.Range) string {
		if r.Min == r.Max {
			return sim.FormatDuration(r.Min)
		}
		return sim.FormatDuration(r.Min) + ".." + sim.FormatDuration(r.Max)
	}, object{"type": "string"})
}

// snake turns ElectionTimeout into election_timeout and PreVote into pre_vote.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) {
			if i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// find returns the protocol of a name from a list.
func find(list []*protocols.Protocol, name string) *protocols.Protocol {
	for _, p := range list {
		if p.Name == name {
			return p
		}
	}
	return nil
}

func protocolNames(list []*protocols.Protocol) []string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Name
	}
	return names
}

// parametersCodec reads parameters: {raft: {pre_vote: true}}.
func parametersCodec() codec[[]Parameters] {
	return codec[[]Parameters]{
		read: func(d *decoder, n *yaml.Node, path string, v *[]Parameters) {
			*v = nil
			d.pairs(n, path, "parameters by protocol", func(k, value *yaml.Node) {
				p := find(d.protocols, k.Value)
				if p == nil && slices.Contains(shipped, k.Value) {
					return // for a protocol that this program does not link
				}
				if p == nil {
					d.fail(k, "%s: unknown protocol %s%s (lockstep list protocols)", path, quote(k.Value), DidYouMean(k.Value, protocolNames(d.protocols)))
					return
				}
				if p.Parameters == nil {
					d.fail(k, "%s: %s has no parameters", path, p.Name)
					return
				}
				values := p.Parameters()
				d.where[join(path, p.Name)] = value
				readParameters(d, value, join(path, p.Name), p, values)
				*v = append(*v, Parameters{Protocol: p.Name, Values: values})
			})
		},
		write: func(v *[]Parameters) *yaml.Node { return writeParameters(*v) },
		schema: func(list []*protocols.Protocol) object {
			properties := object{}
			for _, name := range shipped { // also those that this program does not link
				properties[name] = object{"type": "object"}
			}
			for _, p := range list {
				if p.Parameters == nil {
					continue
				}
				own := object{}
				for _, f := range parameterFields(p, p.Parameters()) {
					s := clone(f.schema)
					s["description"] = f.doc
					own[f.key] = s
				}
				properties[p.Name] = object{"type": "object", "properties": own, "additionalProperties": false}
			}
			return object{"type": "object", "properties": properties, "additionalProperties": false}
		},
	}
}

func readParameters(d *decoder, n *yaml.Node, path string, p *protocols.Protocol, values any) {
	fields := parameterFields(p, values)
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	d.pairs(n, path, "the parameters of "+p.Name, func(k, value *yaml.Node) {
		for _, f := range fields {
			if f.key == k.Value {
				f.read(d, value, join(path, f.key), values)
				return
			}
		}
		hint := DidYouMean(k.Value, names)
		if hint == "" {
			hint = "; want one of " + strings.Join(names, ", ")
		}
		d.fail(k, "unknown key %s in %s%s", quote(k.Value), path, hint)
	})
}

func writeParameters(list []Parameters) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, ps := range list {
		own := &yaml.Node{Kind: yaml.MappingNode}
		for _, f := range parameterFields(&protocols.Protocol{Name: ps.Protocol}, ps.Values) {
			if v := f.write(ps.Values); v != nil {
				own.Content = append(own.Content, text(f.key), v)
			}
		}
		if len(own.Content) == 0 {
			own.Style = yaml.FlowStyle
		}
		n.Content = append(n.Content, text(ps.Protocol), own)
	}
	if len(n.Content) == 0 {
		return nil
	}
	return n
}

// flat writes a node on one line.
func flat(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		items := make([]string, len(n.Content))
		for i, c := range n.Content {
			items[i] = flat(c)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case yaml.MappingNode:
		var items []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			items = append(items, n.Content[i].Value+": "+flat(n.Content[i+1]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	return n.Value
}
