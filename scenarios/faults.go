package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// FaultExample returns one entry of a plan with the kind of fault, or "" for a
// kind that a plan cannot hold. [sim.FaultKinds] lists and describes the kinds.
func FaultExample(kind protocols.FaultKind) string {
	for i := range faultKinds {
		if faultKinds[i].kind == kind {
			return faultKinds[i].example
		}
	}
	return ""
}

// faultKind is one row of the table of fault kinds.
type faultKind struct {
	kind    protocols.FaultKind
	example string
	target  string // default target where the short form gives something else
	fields  []field[sim.Fault]
	short   *shortened
	set     func(*sim.Fault)                   // defaults; nil: none but the target
	after   func(given []string, f *sim.Fault) // completes what was read
}

// doc is the engine's description of the kind.
func (k *faultKind) doc() string {
	for _, info := range sim.FaultKinds() {
		if info.Kind == k.kind {
			return sentence(info.Text)
		}
	}
	panic("scenarios: the engine has no fault " + string(k.kind))
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func targetField() field[sim.Fault] {
	return key("target", "Who is hit: names (n1 n3) and words (lockstep list targets) that are resolved when the fault strikes.", func(f *sim.Fault) *sim.Target { return &f.Target }, target())
}

func probabilityOf(f *sim.Fault) *sim.Prob { return &f.Prob }
func latencyOf(f *sim.Fault) *sim.Dist     { return &f.Latency }
func targetOf(f *sim.Fault) *sim.Target    { return &f.Target }

// shortened is the form crash: leader, which stands for the value of one key. Only
// [Brief] writes it.
type shortened struct {
	codec[sim.Fault]
	key string
}

func shortForm[T any](name string, at func(*sim.Fault) *T, c codec[T]) *shortened {
	return &shortened{codec[sim.Fault]{
		read: func(d *decoder, n *yaml.Node, path string, f *sim.Fault) {
			if _, err := sim.ParseTarget(n.Value); err == nil && name != "target" {
				d.fail(n, "%s: want the %s, which stands alone where all are hit, or both as in {target: %s, %s: …}, got the target %s", path, name, n.Value, name, quote(n.Value))
				return
			}
			c.read(d, n, path, at(f))
		},
		schema: c.schema,
	}, name}
}

var faultKinds = slices.Concat([]faultKind{
	{
		kind: protocols.FaultCrash, example: "{at: 2s, for: 500ms, crash: leader}",
		fields: []field[sim.Fault]{targetField(), key("cut", "Crash inside the next step that has effects, after this many of them; 0: between steps.", func(f *sim.Fault) *int { return &f.Cut }, whole[int](0, 1000))},
		short:  shortForm("target", targetOf, target()),
	},
	{
		kind: protocols.FaultPause, example: "{at: 2s, for: 1s, pause: leader}",
		fields: []field[sim.Fault]{targetField()},
		short:  shortForm("target", targetOf, target()),
	},
	partitionKind(),
	{
		kind: protocols.FaultLoss, target: "all", example: "{at: 2s, for: 3s, loss: {target: all, probability: 20%}}",
		fields: []field[sim.Fault]{targetField(), probabilityField(), directionField()},
		short:  shortForm("probability", probabilityOf, probability()),
	},
	{
		kind: protocols.FaultDuplicate, target: "all", example: "{at: 2s, for: 3s, duplicate: {target: all, probability: 20%}}",
		fields: []field[sim.Fault]{targetField(), probabilityField(), directionField()},
		short:  shortForm("probability", probabilityOf, probability()),
	},
	{
		kind: protocols.FaultReorder, target: "all", example: "{at: 2s, for: 3s, reorder: {target: all, latency: 0ms..20ms}}",
		fields: []field[sim.Fault]{targetField(), latencyField(), directionField()},
		short:  shortForm("latency", latencyOf, distribution()),
	},
	{
		kind: protocols.FaultDelay, target: "all", example: "{at: 2s, for: 3s, delay: {target: n1, latency: 50ms..200ms}}",
		fields: []field[sim.Fault]{targetField(), latencyField(), directionField()},
		short:  shortForm("latency", latencyOf, distribution()),
	},
	{
		kind: protocols.FaultSlowDisk, example: "{at: 2s, for: 3s, slow-disk: {target: leader, factor: 20}}",
		fields: []field[sim.Fault]{targetField(), key("factor", "How many times slower, 2..1000; without it 10.", func(f *sim.Fault) *int64 { return &f.Factor }, whole[int64](2, 1000))},
		short:  shortForm("target", targetOf, target()),
		set:    func(f *sim.Fault) { f.Factor = 10 },
	},
	{
		kind: protocols.FaultClock, example: "{at: 2s, for: 3s, clock: {target: n1, step: -200ms}}",
		fields: []field[sim.Fault]{targetField(), key("step", "The wall clock jumps by this, also backwards, and back at the end.", func(f *sim.Fault) *protocols.Duration { return &f.Step }, signedSpan()), driftField()},
	},
	{
		kind: protocols.FaultSkew, example: "{at: 2s, for: 3s, skew: {target: leader, drift: 20%}}",
		fields: []field[sim.Fault]{targetField(), driftField()},
	},
}, networkKinds(), nodeFaultKinds())

func directionField() field[sim.Fault] {
	return key("direction", "Which way, seen from the target: both, in (towards it) or out.", func(f *sim.Fault) *sim.Direction { return &f.OneWay }, direction())
}

func probabilityField() field[sim.Fault] {
	c := probability()
	c.simpler = certain
	return key("probability", "Of each message, on its own.", probabilityOf, c)
}

func latencyField() field[sim.Fault] {
	return key("latency", "Added to each message.", latencyOf, distribution())
}

func driftField() field[sim.Fault] {
	return key("drift", "Rate error of the target's clock meanwhile: 100ppm, -100ppm, 20%.", func(f *sim.Fault) *int64 { return &f.Drift }, drift(true))
}

func target() codec[sim.Target] {
	c := scalar("a target", func(s string) (sim.Target, error) {
		t, err := sim.ParseTarget(s)
		if err != nil {
			var words []string
			for _, w := range sim.TargetWords() {
				words = append(words, w.Word)
			}
			return t, fmt.Errorf("%w%s", err, DidYouMean(s, words))
		}
		return t, nil
	}, sim.Target.String, object{"type": "string"})
	c.simpler = simplerTarget
	return c
}

func direction() codec[sim.Direction] {
	return scalar("both, in or out", sim.ParseDirection, sim.Direction.String, object{"enum": []string{"both", "in", "out"}})
}

// field makes the key of a fault: crash: {target: leader}.
func (k *faultKind) field() field[sim.Fault] {
	m := &mapping[sim.Fault]{what: "a " + string(k.kind), fields: k.fields, flow: true, after: k.completing}
	if k.short != nil {
		m.scalar = &k.short.codec
	}
	inner := m.codec()
	return field[sim.Fault]{
		key: string(k.kind),
		doc: k.doc(),
		read: func(d *decoder, n *yaml.Node, path string, f *sim.Fault) {
			if f.Kind != "" {
				return // reported once, when the fault is complete
			}
			f.Kind = k.kind
			k.defaults(f)
			inner.read(d, n, path, f)
		},
		write: func(f *sim.Fault) *yaml.Node {
			if f.Kind != k.kind {
				return nil
			}
			return inner.write(f)
		},
		schema: inner.schema,
		keys:   inner.keys,
		simpler: func(f, _ sim.Fault) []step[sim.Fault] {
			if f.Kind != k.kind {
				return nil
			}
			plain := sim.Fault{Kind: k.kind}
			k.defaults(&plain)
			return m.simpler(f, plain)
		},
	}
}

func (k *faultKind) defaults(f *sim.Fault) {
	if k.target != "" {
		f.Target = Target(k.target)
	}
	if k.set != nil {
		k.set(f)
	}
}

func faultNames() []string {
	names := make([]string, len(faultKinds))
	for i, k := range faultKinds {
		names[i] = string(k.kind)
	}
	return names
}

func faultMapping() *mapping[sim.Fault] {
	fields := append([]field[sim.Fault]{
		key("at", "When it strikes, from the start of the run.", func(f *sim.Fault) *protocols.Time { return &f.At }, instant()),
		key("for", "How long it lasts, or forever: until the heal of the liveness phase.", func(f *sim.Fault) *protocols.Duration { return &f.For }, spanOrForever()),
		key("stream", "Which of the seed's random streams it draws from; without it, that of its position. Two faults of one stream draw alike.", func(f *sim.Fault) *int { return &f.Stream }, streamCodec()),
	}, occasionFields(func(f *sim.Fault) *sim.Trigger { return &f.When }, func(f *sim.Fault) *protocols.Duration { return &f.After }, func(f *sim.Fault) *protocols.Time { return &f.Until })...)
	fields = append(fields, key("count", fmt.Sprintf("With when: at how many events it strikes, 1..%d, one strike for each; without it 1.", sim.MaxCount), func(f *sim.Fault) *int { return &f.Count }, omitted(whole[int](1, sim.MaxCount), 0)))
	for i := range faultKinds {
		fields = append(fields, faultKinds[i].field())
	}
	return &mapping[sim.Fault]{
		what: "a fault", flow: true, fields: fields,
		aliases: map[string]string{"kill": "crash"},
		refused: map[string]string{
			"heal":   "there is no heal: every fault carries its own end, write for: 2s or for: forever",
			"target": "the target belongs to the kind of fault, as in crash: leader or partition: {target: leader}",
		},
		after: func(d *decoder, n *yaml.Node, path string, given []string, f *sim.Fault) {
			var kinds []string
			for _, g := range given {
				if slices.Contains(faultNames(), g) {
					kinds = append(kinds, g)
				}
			}
			switch len(kinds) {
			case 0:
				d.fail(n, "%s: want a kind of fault, as in crash: leader (lockstep list faults)", path)
			case 1:
			default:
				d.fail(d.at(join(path, kinds[1])), "%s: want one kind of fault, got %s", path, strings.Join(kinds, " and "))
			}
			d.occasion(path, given, "fault")
			for _, must := range []string{"at", "for"} {
				if must == "at" && slices.Contains(given, "when") {
					continue
				}
				if !slices.Contains(given, must) {
					d.fail(n, "%s: want %s: a fault says when it strikes and how long it lasts", path, must)
				}
			}
		},
	}
}

// streamCodec is a whole number that is left out where it is 0.
func streamCodec() codec[int] {
	c := whole[int](0, 1_000_000)
	write := c.write
	c.write = func(v *int) *yaml.Node {
		if *v == 0 {
			return nil
		}
		return write(v)
	}
	return c
}

// faultsCodec numbers the faults by position: the number names a fault's random
// stream.
func faultsCodec() codec[[]sim.Fault] {
	c := listOf("a list of faults", false, faultMapping().codec())
	read := c.read
	c.read = func(d *decoder, n *yaml.Node, path string, v *[]sim.Fault) {
		read(d, n, path, v)
		Number(*v)
	}
	return c
}

// Target returns the target that s names, for plans made in code. It panics on
// what [sim.ParseTarget] refuses.
func Target(s string) sim.Target {
	t, err := sim.ParseTarget(s)
	if err != nil {
		panic("scenarios: " + err.Error())
	}
	return t
}

// Number gives every fault of a plan its position as ID. A stream of that number
// needs no mention.
func Number(faults []sim.Fault) {
	for i := range faults {
		faults[i].ID = i + 1
		if faults[i].Stream == i+1 {
			faults[i].Stream = 0
		}
	}
}

// Pin names the random stream of every fault, so that it stays when positions change.
// [Number] takes away the names that are not needed.
func Pin(faults []sim.Fault) {
	for i := range faults {
		if f := &faults[i]; f.Stream == 0 {
			f.Stream = f.ID
		}
	}
}

// spanOrForever is a duration or the word forever.
func spanOrForever() codec[protocols.Duration] {
	c := span(1, maxSpan)
	read, schema := c.read, c.schema
	c.read = func(d *decoder, n *yaml.Node, path string, v *protocols.Duration) {
		if n.Kind == yaml.ScalarNode && n.Value == "forever" {
			d.where[path] = n
			*v = sim.Forever
			return
		}
		read(d, n, path, v)
	}
	c.schema = func(list []*protocols.Protocol) object {
		return object{"anyOf": []any{object{"const": "forever"}, schema(list)}}
	}
	return c
}
