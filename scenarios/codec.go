package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// A codec says once how a type of value is read from a file, written to one and
// described to an editor.
type codec[T any] struct {
	read   func(d *decoder, n *yaml.Node, path string, v *T)
	write  func(v *T) *yaml.Node // nil: the key is left out
	schema func(list []*protocols.Protocol) object
	keys   func() []Key // of the mapping form, paths relative to it
	// simpler lists simpler values; plain is the default. Without it the default is
	// the one simpler value. See [Variants].
	simpler func(v, plain T) []step[T]
}

// object is a JSON object; encoding/json sorts its keys.
type object = map[string]any

// field is one key of a mapping that is decoded into P.
type field[P any] struct {
	key, doc string
	read     func(d *decoder, n *yaml.Node, path string, p *P)
	write    func(p *P) *yaml.Node
	schema   func(list []*protocols.Protocol) object
	keys     func() []Key
	simpler  func(p, plain P) []step[P]
}

// key makes a field of a codec and the place of its value in P.
func key[P, T any](name, doc string, at func(*P) *T, c codec[T]) field[P] {
	return field[P]{
		key: name, doc: doc,
		read:    func(d *decoder, n *yaml.Node, path string, p *P) { c.read(d, n, path, at(p)) },
		write:   func(p *P) *yaml.Node { return c.write(at(p)) },
		schema:  c.schema,
		keys:    c.keys,
		simpler: simplerField(at, c),
	}
}

// mapping is a table of fields. Aliases are other people's words for a key; they
// are accepted with a hint. Refused holds keys with an explanation of their own.
type mapping[P any] struct {
	what    string // in messages: "a scenario", "a fault"
	fields  []field[P]
	aliases map[string]string
	refused map[string]string
	flow    bool // written on one line
	// scalar, where set, reads and describes the short form.
	scalar *codec[P]
	// before fills in defaults that depend on what was read earlier.
	before func(d *decoder, p *P)
	// after checks or completes what was read. Problems are reported at n.
	after func(d *decoder, n *yaml.Node, path string, given []string, p *P)
}

func (m *mapping[P]) names() []string {
	names := make([]string, len(m.fields))
	for i, f := range m.fields {
		names[i] = f.key
	}
	return names
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// pairs visits the keys of a mapping node, refusing keys that are no plain text
// or come twice. It is false when n is no mapping.
func (d *decoder) pairs(n *yaml.Node, path, what string, visit func(key, value *yaml.Node)) bool {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%swant %s as key: value pairs, got %s", prefix(path), what, show(n))
		return false
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			d.fail(k, "%swant a key, got %s", prefix(path), show(k))
			continue
		}
		if line, twice := seen[k.Value]; twice {
			d.fail(k, "%sthe key %s stands twice; the first is in line %d", prefix(path), quote(k.Value), line)
			continue
		}
		seen[k.Value] = k.Line
		visit(k, v)
	}
	return true
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func (m *mapping[P]) read(d *decoder, n *yaml.Node, path string, p *P) {
	d.where[path] = n
	if m.scalar != nil && n.Kind == yaml.ScalarNode && !isNull(n) {
		m.scalar.read(d, n, path, p)
		return
	}
	if m.before != nil {
		m.before(d, p)
	}
	values := make([]*yaml.Node, len(m.fields))
	ok := d.pairs(n, path, m.what, func(k, v *yaml.Node) { m.place(d, k, v, path, values) })
	var given []string
	for i := range m.fields { // in the table's order, so that the file's does not matter
		if f := &m.fields[i]; values[i] != nil {
			given = append(given, f.key)
			d.where[join(path, f.key)] = values[i]
			f.read(d, values[i], join(path, f.key), p)
		}
	}
	if ok && m.after != nil {
		m.after(d, n, path, given, p)
	}
}

// place finds the field that a key of the file means.
func (m *mapping[P]) place(d *decoder, k, v *yaml.Node, path string, values []*yaml.Node) {
	name := k.Value
	if to, aliased := m.aliases[name]; aliased {
		d.warn(k, "%q is accepted for %q; lockstep writes %s", name, to, to)
		name = to
	}
	i := slices.IndexFunc(m.fields, func(f field[P]) bool { return f.key == name })
	switch {
	case i < 0:
		m.unknown(d, k, path)
	case values[i] != nil:
		d.fail(k, "%sthe key %q stands twice, once under another name", prefix(path), name)
	default:
		values[i] = v
	}
}

func (m *mapping[P]) unknown(d *decoder, k *yaml.Node, path string) {
	if why, refused := m.refused[k.Value]; refused {
		d.fail(k, "%s%s", prefix(path), why)
		return
	}
	in := ""
	if path != "" {
		in = " in " + path
	}
	text := fmt.Sprintf("unknown key %s%s", quote(k.Value), in)
	if c := nearest(k.Value, m.names()); c != "" {
		text += fmt.Sprintf("; did you mean %q?", c)
	} else if elsewhere := whereIs(k.Value); elsewhere != "" {
		text += "; did you mean " + elsewhere + "?"
	} else {
		text += "; want one of " + strings.Join(m.names(), ", ")
	}
	d.fail(k, "%s", text)
}

// whereIs looks for a key, or one much like it, anywhere in the table.
func whereIs(name string) string {
	last := func(path string) string { return path[strings.LastIndexAny(path, ".]")+1:] }
	var names []string
	for _, k := range Keys() {
		names = append(names, last(k.Path))
	}
	best := nearest(name, names)
	for _, k := range Keys() {
		if best != "" && last(k.Path) == best {
			if k.Path == best {
				return fmt.Sprintf("%q (top level)", best)
			}
			return fmt.Sprintf("%q (as %s)", best, k.Path)
		}
	}
	return ""
}

func (m *mapping[P]) write(p *P) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	if m.flow {
		n.Style = yaml.FlowStyle
	}
	for _, f := range m.fields {
		if v := f.write(p); v != nil {
			n.Content = append(n.Content, text(f.key), v)
		}
	}
	if len(n.Content) == 0 {
		return nil
	}
	return n
}

func (m *mapping[P]) schema(list []*protocols.Protocol) object {
	properties := object{}
	for _, f := range m.fields {
		s := f.schema(list)
		s["description"] = f.doc
		properties[f.key] = s
	}
	for alias, to := range m.aliases {
		if s, ok := properties[to].(object); ok {
			copied := object{"deprecated": true}
			for k, v := range s {
				copied[k] = v
			}
			properties[alias] = copied
		}
	}
	whole := object{"type": "object", "properties": properties, "additionalProperties": false}
	if m.scalar == nil {
		return whole
	}
	return object{"anyOf": []any{m.scalar.schema(list), whole}}
}

func (m *mapping[P]) keyList() []Key {
	var all []Key
	for _, f := range m.fields {
		all = append(all, Key{Path: f.key, Doc: f.doc})
		if f.keys == nil {
			continue
		}
		for _, k := range f.keys() {
			all = append(all, k.under(f.key))
		}
	}
	words := slices.Sorted(maps.Keys(m.aliases))
	for _, k := range all {
		for _, alias := range words {
			if rest, ok := strings.CutPrefix(k.Path, m.aliases[alias]); ok && k.Means == "" && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				all = append(all, Key{Path: alias + rest, Doc: k.Doc, Means: k.Path})
			}
		}
	}
	return all
}

func (m *mapping[P]) codec() codec[P] {
	return codec[P]{read: m.read, write: m.write, schema: m.schema, keys: m.keyList, simpler: m.simpler}
}

// text makes a scalar node that the emitter quotes where it must.
func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

// bare makes a scalar that stands without quotes: a number, a duration, true.
func bare(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

// scalar makes a codec of a parser and a printer. The parser's error completes
// the sentence "path: want WANT, got TEXT", or replaces it when it says more.
func scalar[T any](want string, parse func(string) (T, error), print func(T) string, schema object) codec[T] {
	return codec[T]{
		read: func(d *decoder, n *yaml.Node, path string, v *T) {
			d.where[path] = n
			if n.Kind != yaml.ScalarNode || isNull(n) {
				d.fail(n, "%s: want %s, got %s", path, want, show(n))
				return
			}
			got, err := parse(n.Value)
			switch {
			case errors.Is(err, errPlain):
				d.fail(n, "%s: want %s, got %s", path, want, show(n))
			case err != nil:
				d.fail(n, "%s: %s", path, err)
			default:
				*v = got
			}
		},
		write:  func(v *T) *yaml.Node { return scalarNode(print(*v)) },
		schema: func([]*protocols.Protocol) object { return clone(schema) },
	}
}

// scalarNode leaves quoting to the emitter, and keeps whole numbers and booleans
// free of it.
func scalarNode(s string) *yaml.Node {
	if _, err := strconv.ParseInt(s, 10, 64); err == nil || s == "true" || s == "false" {
		return bare(s)
	}
	return text(s)
}

func clone(o object) object {
	c := object{}
	for k, v := range o {
		c[k] = v
	}
	return c
}

// errPlain says that the text is not of the wanted form, without saying more.
var errPlain = errors.New("not of the wanted form")

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// whole is an integer in lo..hi. Leading zeros are refused: YAML 1.1 reads 010
// as eight.
func whole[T int | int64 | uint64](lo, hi int64) codec[T] {
	want := fmt.Sprintf("a whole number %d..%d", lo, hi)
	c := scalar(want, func(s string) (T, error) {
		if !wholeNumber.MatchString(s) {
			return 0, errPlain
		}
		i, err := strconv.ParseInt(s, 10, 64)
		if err != nil || i < lo || i > hi {
			return 0, errPlain
		}
		return T(i), nil
	}, func(v T) string { return strconv.FormatInt(int64(v), 10) },
		object{"type": "integer", "minimum": lo, "maximum": hi})
	c.simpler = func(v, _ T) []step[T] {
		if v <= T(lo) {
			return nil
		}
		return only(T(lo))
	}
	return c
}

// boolean is true or false, and nothing that YAML 1.1 would take for one.
func boolean() codec[bool] {
	return scalar("true or false", func(s string) (bool, error) {
		if s != "true" && s != "false" {
			return false, errPlain
		}
		return s == "true", nil
	}, strconv.FormatBool, object{"type": "boolean"})
}

// maxSpan bounds every time in a scenario: 2^53 ns, about 104 days, the last
// integer that every JSON reader keeps exact.
const maxSpan = protocols.Duration(1 << 53)

// readSpan reads a duration with its unit, from 0 to 2^53 ns (about 104 days).
func readSpan(s string) (protocols.Duration, error) {
	if s == "" {
		return 0, errPlain
	}
	if strings.TrimLeft(s, "0123456789.") == "" && s != "0" {
		return 0, fmt.Errorf("%s has no unit; write %sms or %ss", quote(s), s, s)
	}
	v, err := sim.ParseDuration(s)
	switch {
	case err != nil:
		return 0, err
	case v < 0:
		return 0, fmt.Errorf("want a duration that is not negative, got %s", quote(s))
	case v > maxSpan:
		return 0, fmt.Errorf("want at most %s (2^53 ns), got %s", sim.FormatDuration(maxSpan), quote(s))
	}
	return v, nil
}

const durationPattern = `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`

// span is a duration in lo..hi.
func span(lo, hi protocols.Duration) codec[protocols.Duration] {
	c := scalar("a duration such as 800ms or 1.5s", func(s string) (protocols.Duration, error) {
		v, err := readSpan(s)
		if err == nil && (v < lo || v > hi) {
			if v == 0 {
				return 0, fmt.Errorf("want a duration above 0s, got %s", quote(s))
			}
			return 0, fmt.Errorf("want a duration from %s to %s, got %s", sim.FormatDuration(lo), sim.FormatDuration(hi), quote(s))
		}
		return v, err
	}, sim.FormatDuration, object{"type": "string", "pattern": durationPattern})
	c.simpler = simplerSpan
	return c
}

// signedSpan is a duration that may be negative.
func signedSpan() codec[protocols.Duration] {
	c := scalar("a duration such as 200ms or -200ms", func(s string) (protocols.Duration, error) {
		rest, negative := strings.CutPrefix(s, "-")
		v, err := readSpan(rest)
		if negative {
			v = -v
		}
		return v, err
	}, sim.FormatDuration, object{"type": "string"})
	c.simpler = simplerSigned
	return c
}

// choice is one of a few words.
func choice[T ~string](words ...string) codec[T] {
	return scalar("one of "+strings.Join(words, ", "), func(s string) (T, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("want one of %s, got %s%s", strings.Join(words, ", "), quote(s), DidYouMean(s, words))
		}
		return T(s), nil
	}, func(v T) string { return string(v) }, object{"enum": words})
}

// listOf is a list of values of one codec. A single value that is no list is read
// as a list of one where single is set.
func listOf[T any](want string, single bool, item codec[T]) codec[[]T] {
	return codec[[]T]{
		read: func(d *decoder, n *yaml.Node, path string, v *[]T) {
			d.where[path] = n
			nodes := n.Content
			switch {
			case n.Kind == yaml.SequenceNode:
			case single && n.Kind == yaml.ScalarNode && !isNull(n):
				nodes = []*yaml.Node{n}
			default:
				d.fail(n, "%s: want %s, got %s", path, want, show(n))
				return
			}
			*v = nil
			for i, c := range nodes {
				var one T
				item.read(d, c, fmt.Sprintf("%s[%d]", path, i+1), &one)
				*v = append(*v, one)
			}
		},
		write: func(v *[]T) *yaml.Node {
			if len(*v) == 0 {
				return nil
			}
			n := &yaml.Node{Kind: yaml.SequenceNode}
			for i := range *v {
				n.Content = append(n.Content, item.write(&(*v)[i]))
			}
			if n.Content[0].Kind == yaml.ScalarNode {
				n.Style = yaml.FlowStyle
			}
			return n
		},
		schema: func(list []*protocols.Protocol) object {
			many := object{"type": "array", "items": item.schema(list)}
			if !single {
				return many
			}
			return object{"anyOf": []any{many, item.schema(list)}}
		},
		keys: func() []Key {
			if item.keys == nil {
				return nil
			}
			keys := item.keys()
			for i := range keys {
				keys[i] = keys[i].under("[]")
			}
			return keys
		},
		simpler: simplerList(item),
	}
}
