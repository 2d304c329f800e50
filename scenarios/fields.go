package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Key is one key of the scenario language, for the reference and for hints.
type Key struct {
	Path    string // network.links[].latency
	Doc     string
	Means   string // where Path has another tool's word in it: the path as lockstep writes it
	Default string // what the key is without a word about it, as a file writes it; may be empty
}

// under puts a key into a mapping's key of that name.
func (k Key) under(name string) Key {
	into := func(path string) string {
		if path == "" || strings.HasPrefix(path, "[]") {
			return name + path
		}
		return name + "." + path
	}
	k.Path = into(k.Path)
	if k.Means != "" {
		k.Means = into(k.Means)
	}
	return k
}

// Keys lists every key of the scenario language in the order in which Format
// writes them. Parameters of protocols are listed by [ParametersList].
func Keys() []Key {
	return slices.DeleteFunc(everyKey(), func(k Key) bool { return k.Means != "" })
}

// everyKey lists the keys with other tools' words for them.
func everyKey() []Key {
	keys := scenarioMapping().keyList()
	plain := New("")
	tree := scenarioMapping().write(plain)
	for i := range keys {
		if n := nodeAt(tree, keys[i].Path); n != nil && !hasKeysInside(keys, keys[i].Path) {
			keys[i].Default = flat(n)
		}
	}
	return keys
}

// nodeAt returns the value of a key in a tree; nil where it is not in it.
func nodeAt(tree *yaml.Node, path string) *yaml.Node {
	for part := range strings.SplitSeq(path, ".") {
		i := 0
		for ; i+1 < len(tree.Content) && tree.Content[i].Value != part; i += 2 {
		}
		if tree.Kind != yaml.MappingNode || i+1 >= len(tree.Content) {
			return nil
		}
		tree = tree.Content[i+1]
	}
	return tree
}

func hasKeysInside(keys []Key, path string) bool {
	return slices.ContainsFunc(keys, func(k Key) bool {
		return strings.HasPrefix(k.Path, path+".") || strings.HasPrefix(k.Path, path+"[]")
	})
}

// scenarioMapping is the one table of the scenario language.
func scenarioMapping() *mapping[Scenario] {
	return &mapping[Scenario]{
		what: "a scenario",
		fields: []field[Scenario]{
			key("version", "Version of this language: 1.", func(s *Scenario) *int { return &s.Version }, whole[int](1, Version)),
			key("name", "Name in results and output folders: a-z, 0-9, dot, dash and underscore, at most 64 characters.", func(s *Scenario) *string { return &s.Name }, prose()),
			key("why", "What the scenario shows, in a sentence or two.", func(s *Scenario) *string { return &s.Why }, prose()),
			key("replicas", "Number of replicas, 1..101; they are called n1, n2 and so on.", func(s *Scenario) *int { return &s.Replicas }, whole[int](1, protocols.MaxNodes)),
			key("members", "The first members, n1 n2 n3 for example; without it every replica. The others boot without members, and join by a reconfiguration.", func(s *Scenario) *protocols.NodeSet { return &s.Members }, nodeSet()),
			key("machine", machineText(), func(s *Scenario) *string { return &s.Machine }, choice[string](protocols.MachineNames()...)),
			key("protocols", "Protocols that the scenario is meant for; without it, all.", func(s *Scenario) *[]string { return &s.Protocols }, listOf("a list of protocols", true, word())),
			key("parameters", "Settings by protocol, for example {raft: {pre_vote: true, bugs: [R-02]}}; see lockstep list protocols.", func(s *Scenario) *[]Parameters { return &s.Parameters }, parametersCodec()),
			key("network", "The links between replicas, and between clients and replicas.", func(s *Scenario) *sim.Network { return &s.Network }, networkMapping().codec()),
			key("cpu", "What handling costs a node's only processor: a preset (lockstep list cpus) or costs. Without it, steps take no time.", func(s *Scenario) *sim.CPU { return &s.CPU }, cpuCodec()),
			key("disk", "The write-ahead log's device at every node. What was not fsynced is lost in a crash.", func(s *Scenario) *sim.Disk { return &s.Disk }, diskMapping().codec()),
			key("clock", "How node clocks differ from true time; each node draws once.", func(s *Scenario) *sim.Clock { return &s.Clock }, clockMapping().codec()),
			key("workload", "What the clients do during the safety phase.", func(s *Scenario) *sim.Workload { return &s.Workload }, workloadMapping().codec()),
			phasesField(),
			key("faults", "The fault plan. Every fault is an interval with its own end; it is called by its position, from 1.", func(s *Scenario) *[]sim.Fault { return &s.Faults }, faultsCodec()),
			key("nemesis", "Faults that are drawn from the seed beside those of the plan; a run's report names each.", func(s *Scenario) *Nemesis { return &s.Nemesis }, nemesisCodec()),
			key("admin", "What an operator wants done, each step put to the leader at its time, and again until it is done or its interval ends.", func(s *Scenario) *[]sim.AdminStep { return &s.Admin }, adminCodec()),
			key("script", "A play: steps that are done one after the other while nothing happens by itself; see Scripts. Network, disk, workload and the length of the safety phase then play no part.", func(s *Scenario) *[]sim.ScriptStep { return &s.Script }, scriptCodec()),
			key("then", "What follows the script. stop: nothing; heal: the liveness phase.", func(s *Scenario) *string { return &s.Then }, thenCodec()),
			key("early", "Bug for anybody's protocol: message kinds that leave before what they claim is durable.", func(s *Scenario) *[]string { return &s.Early }, listOf("a list of message kinds", true, word())),
			key("lose", "Bug for anybody's protocol: record kinds that are never written.", func(s *Scenario) *[]string { return &s.Lose }, listOf("a list of record kinds", true, word())),
			key("for", "Length of the safety phase. The liveness phase follows.", func(s *Scenario) *protocols.Duration { return &s.For }, span(1, maxSpan)),
			key("settle", "Bound of each part of the liveness phase; 0s takes 50 times the largest election timeout. Convergence has longer by the round trips that what is lacking takes under small windows.", func(s *Scenario) *protocols.Duration { return &s.Settle }, span(0, maxSpan)),
			unlessZero("goodput", goodputText, func(s *Scenario) *sim.Prob { return &s.Goodput }, probability()),
			key("events", "Event budget of the safety phase, and again of the liveness phases; 0 takes 20 million. Spent before the heal: inconclusive; after it: a liveness violation.", func(s *Scenario) *uint64 { return &s.Events }, whole[uint64](0, 1_000_000_000)),
			key("checks", "Checks to switch off, for example {linearizability: off}; see lockstep list checks.", func(s *Scenario) *[]Check { return &s.Checks }, checkCodec()),
			key("matrix", "Keys with several values, for example {network.loss: [0%, 5%], replicas: [3, 5]}: each combination is a scenario of its own.", func(s *Scenario) *[]Axis { return &s.Matrix }, matrixCodec()),
			expectField(),
			key("sometimes", "Probes: what must have happened in the run, so that faults that no longer bite are noticed. A metric with a bound (retries >= 10; without a bound: at least 1), \"fault 2 effective\", \"every fault effective\", \"admin 1 effective\", \"every admin effective\", or the name of a rare situation (lockstep list probes), which only protocols that have it must come to.", func(s *Scenario) *[]Probe { return &s.Sometimes }, listOf("a list of probes", true, probeCodec())),
		},
		aliases: map[string]string{"nodes": "replicas", "thresholds": "expect"},
		refused: map[string]string{
			"seed":  "a scenario has no seed: give --seed N on the command line",
			"seeds": "a scenario has no seeds: give --seeds A..B on the command line",
		},
	}
}

// machineText names the machines with their operations.
func machineText() string {
	var all []string
	for _, name := range protocols.MachineNames() {
		all = append(all, name+" ("+strings.Join(shareNames(name), ", ")+")")
	}
	return "State machine that the log feeds, with the operations that a mix can hold: " + strings.Join(all, ", ") + "."
}

func linkFields[P any](at func(*P) *sim.Link) []field[P] {
	duplicate := probability()
	duplicate.simpler = allOrNone
	return append([]field[P]{
		key("latency", "Time one way: 1ms, 0.5ms..1ms, or a distribution.", func(p *P) *sim.Dist { return &at(p).Latency }, distribution()),
		key("loss", "Share of messages lost, each on its own.", func(p *P) *sim.Prob { return &at(p).Loss }, probability()),
		key("duplicate", "Share of messages delivered twice, each on its own.", func(p *P) *sim.Prob { return &at(p).Duplicate }, duplicate),
		key("order", "fifo: no message overtakes another; free: latency alone orders them.", func(p *P) *bool { return &at(p).FIFO }, order()),
	}, trafficFields(at)...)
}

func networkMapping() *mapping[sim.Network] {
	m := linksMapping()
	m.fields = append(m.fields, regionFields()...)
	return m
}

// linksMapping is a network without regions: what of it a phase may change.
func linksMapping() *mapping[sim.Network] {
	client := &mapping[sim.Link]{what: "a link", flow: true, fields: linkFields(func(l *sim.Link) *sim.Link { return l })}
	links := &mapping[sim.LinkRule]{
		what: "a link rule", flow: true,
		fields: append([]field[sim.LinkRule]{
			key("from", "The sending node or client.", func(l *sim.LinkRule) *protocols.NodeID { return &l.From }, nodeName()),
			key("to", "The receiving node or client.", func(l *sim.LinkRule) *protocols.NodeID { return &l.To }, nodeName()),
			unlessZero("both", "The rule holds the other way, too.", func(l *sim.LinkRule) *bool { return &l.Both }, boolean()),
		}, linkFields(func(l *sim.LinkRule) *sim.Link { return &l.Link })...),
		before: func(d *decoder, l *sim.LinkRule) { l.Link = d.network.Between },
		after: func(d *decoder, n *yaml.Node, path string, given []string, l *sim.LinkRule) {
			if !slices.Contains(given, "from") || !slices.Contains(given, "to") {
				d.fail(n, "%s: want from and to", path)
			}
		},
	}
	between := linkFields(func(n *sim.Network) *sim.Link { return &n.Between })
	rules := key("links", "Exceptions for single links, one way or both; what is not said is as between replicas, and the later wins.", func(n *sim.Network) *[]sim.LinkRule { return &n.Links }, listOf("a list of link rules", false, links.codec()))
	write := rules.write
	rules.write = func(n *sim.Network) *yaml.Node {
		list, base := write(n), (&mapping[sim.Network]{fields: between}).write(n)
		if list != nil {
			for _, rule := range list.Content {
				complete(rule, base)
			}
		}
		return list
	}
	return &mapping[sim.Network]{
		what:   "a network",
		before: func(d *decoder, n *sim.Network) { d.network = n },
		fields: slices.Concat(between, []field[sim.Network]{
			key("client", "The links between clients and replicas, both ways.", func(n *sim.Network) *sim.Link { return &n.Client }, client.codec()),
			rules,
		}),
		refused: map[string]string{"reorder": `reordering is on by default: write order: free (messages may overtake each other) or order: fifo`},
	}
}

func diskMapping() *mapping[sim.Disk] {
	return &mapping[sim.Disk]{
		what: "a disk", flow: true,
		fields: []field[sim.Disk]{
			key("write", "Time to write one record, before its fsync can start.", func(p *sim.Disk) *sim.Dist { return &p.Write }, distribution()),
			key("fsync", "Time of one fsync. One runs at a time; records that arrive meanwhile share the next.", func(p *sim.Disk) *sim.Dist { return &p.Fsync }, distribution()),
		},
	}
}

func clockMapping() *mapping[sim.Clock] {
	return &mapping[sim.Clock]{
		what: "clocks", flow: true,
		fields: []field[sim.Clock]{
			key("offset", "How far ahead a node's clocks start.", func(p *sim.Clock) *sim.Dist { return &p.Offset }, distribution()),
			key("drift", "Bound of the rate error, which is uniform within it: 50ppm.", func(p *sim.Clock) *int64 { return &p.Drift }, drift(false)),
		},
	}
}

// word is a plain name.
func word() codec[string] {
	return scalar("a name", func(s string) (string, error) {
		if s == "" || len(s) > 64 || strings.ContainsAny(s, " \t\r\n/\\") {
			return "", errPlain
		}
		return s, nil
	}, func(s string) string { return s }, object{"type": "string"})
}

// prose is text of one or more lines, at most 2,000 bytes.
func prose() codec[string] {
	return codec[string]{
		read: func(d *decoder, n *yaml.Node, path string, v *string) {
			if n.Kind != yaml.ScalarNode || isNull(n) || len(n.Value) > 2000 {
				d.fail(n, "%s: want text of at most 2000 characters, got %s", path, show(n))
				return
			}
			*v = strings.TrimSpace(n.Value)
		},
		write: func(v *string) *yaml.Node {
			if *v == "" {
				return nil
			}
			return text(*v)
		},
		schema: func([]*protocols.Protocol) object { return object{"type": "string"} },
	}
}

func order() codec[bool] {
	c := choice[string]("fifo", "free")
	return codec[bool]{
		read: func(d *decoder, n *yaml.Node, path string, v *bool) {
			var s string
			c.read(d, n, path, &s)
			*v = s == "fifo"
		},
		write: func(v *bool) *yaml.Node {
			if *v {
				return text("fifo")
			}
			return text("free")
		},
		schema: c.schema,
	}
}

// instant is a time since the start of the run.
func instant() codec[protocols.Time] {
	return converted(span(0, maxSpan),
		func(d protocols.Duration) protocols.Time { return protocols.Time(d) },
		func(t protocols.Time) protocols.Duration { return protocols.Duration(t) })
}

// converted makes a codec of another type's. A value that could not be read
// leaves v alone.
func converted[T, U any](c codec[U], to func(U) T, from func(T) U) codec[T] {
	return codec[T]{
		read: func(d *decoder, n *yaml.Node, path string, v *T) {
			u := from(*v)
			c.read(d, n, path, &u)
			*v = to(u)
		},
		write:  func(v *T) *yaml.Node { u := from(*v); return c.write(&u) },
		schema: c.schema,
		keys:   c.keys,
		simpler: func(v, plain T) []step[T] {
			var list []step[T]
			for _, s := range c.simpler(from(v), from(plain)) {
				list = append(list, step[T]{s.path, to(s.value)})
			}
			return list
		},
	}
}

// drift is a rate error in parts per billion, written 50ppm, 10ppb or 20%.
func drift(signed bool) codec[int64] {
	return scalar("a rate error such as 50ppm", func(s string) (int64, error) {
		number, unit, digits := s, "", 0
		sign := int64(1)
		if rest, minus := strings.CutPrefix(s, "-"); minus && signed {
			s, sign = rest, -1
		}
		for _, u := range []struct {
			suffix string
			digits int
		}{{"ppm", 3}, {"ppb", 0}, {"%", 7}} {
			if n, ok := strings.CutSuffix(s, u.suffix); ok {
				number, unit, digits = strings.TrimSpace(n), u.suffix, u.digits
				break
			}
		}
		v, err := parseFixed(number, digits)
		switch {
		case unit == "" && err == nil:
			return 0, fmt.Errorf("%s has no unit; write %sppm", quote(s), s)
		case err != nil:
			return 0, err
		case v > 500_000_000:
			return 0, fmt.Errorf("want at most 500000ppm (50%%), got %s", quote(s))
		}
		return sign * v, nil
	}, func(v int64) string {
		return trimZeros(Decimal(v).String()) + "ppm"
	}, object{"type": "string", "pattern": `^-?[0-9.]+ *(ppm|ppb|%)$`})
}

// rateCodec reads 200/s as exponential times between arrivals.
func rateCodec() codec[sim.Dist] {
	return scalar("a rate such as 200/s", func(s string) (sim.Dist, error) {
		v, err := UnitRate.parse(s)
		if err == nil && (v < 1 || v > math.MaxInt32) {
			err = fmt.Errorf("want a rate from 0.001/s to 2000000/s, got %s", quote(s))
		}
		if err != nil {
			return sim.Dist{}, err
		}
		return exponential(protocols.Duration(1_000_000_000_000 / v)), nil
	}, func(d sim.Dist) string { return d.String() }, object{"type": "string", "pattern": `^[0-9.]+/s$`})
}
