package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// nodeSet is a set of replicas: n1 n3, or a list of names.
func nodeSet() codec[protocols.NodeSet] {
	one := scalar("replicas such as n1 n3", parseNodes, sim.NodeNames, object{"type": "string", "pattern": "^n[1-9][0-9]*([ ,]+n[1-9][0-9]*)*$"})
	read, write, schema := one.read, one.write, one.schema
	one.read = func(d *decoder, n *yaml.Node, path string, v *protocols.NodeSet) {
		if n.Kind != yaml.SequenceNode {
			read(d, n, path, v)
			return
		}
		d.where[path] = n
		for i, c := range n.Content {
			var s protocols.NodeSet
			read(d, c, fmt.Sprintf("%s[%d]", path, i+1), &s)
			*v = v.Or(s)
		}
	}
	one.write = func(v *protocols.NodeSet) *yaml.Node {
		if v.Empty() {
			return nil
		}
		return write(v)
	}
	one.schema = func(list []*protocols.Protocol) object {
		return object{"anyOf": []any{schema(list), object{"type": "array", "items": object{"type": "string"}}}}
	}
	return one
}

func parseNodes(s string) (protocols.NodeSet, error) {
	var set protocols.NodeSet
	words := strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || c == ',' })
	if len(words) == 0 {
		return set, errPlain
	}
	for _, w := range words {
		id, err := parseNode(w)
		switch {
		case err != nil || id < 0:
			return set, fmt.Errorf("want replicas such as n1 n3, got %s", quote(w))
		case set.Has(id):
			return set, fmt.Errorf("%s is named twice", w)
		}
		set = set.With(id)
	}
	return set, nil
}

// replacement reads n2 -> n4: n2 is removed and n4 added. It is written as both.
func replacement() field[sim.AdminStep] {
	return field[sim.AdminStep]{
		key: "replace",
		doc: "One replica by another: n2 -> n4. Short for remove and add.",
		read: func(d *decoder, n *yaml.Node, path string, s *sim.AdminStep) {
			left, right, ok := strings.Cut(n.Value, "->")
			from, err1 := parseNode(strings.TrimSpace(left))
			to, err2 := parseNode(strings.TrimSpace(right))
			if n.Kind != yaml.ScalarNode || !ok || err1 != nil || err2 != nil || from < 0 || to < 0 || from == to {
				d.fail(n, "%s: want one replica and another, as in n2 -> n4, got %s", path, show(n))
				return
			}
			s.Remove, s.Add = s.Remove.With(from), s.Add.With(to)
		},
		write:  func(*sim.AdminStep) *yaml.Node { return nil },
		schema: func([]*protocols.Protocol) object { return object{"type": "string"} },
	}
}

// adminKindField makes the key of a kind of step: its value is read by inner.
func adminKindField(kind protocols.AdminKind, doc string, inner codec[sim.AdminStep]) field[sim.AdminStep] {
	return field[sim.AdminStep]{
		key: kind.String(), doc: doc,
		read: func(d *decoder, n *yaml.Node, path string, s *sim.AdminStep) {
			if s.Kind == 0 { // otherwise reported once, when the step is complete
				s.Kind = kind
				inner.read(d, n, path, s)
			}
		},
		write: func(s *sim.AdminStep) *yaml.Node {
			if s.Kind != kind {
				return nil
			}
			return inner.write(s)
		},
		schema: inner.schema,
		keys:   inner.keys,
	}
}

func adminMapping() *mapping[sim.AdminStep] {
	change := &mapping[sim.AdminStep]{
		what: "a reconfiguration", flow: true,
		fields: []field[sim.AdminStep]{
			key("add", "Replicas that become members.", func(s *sim.AdminStep) *protocols.NodeSet { return &s.Add }, nodeSet()),
			key("remove", "Members that leave.", func(s *sim.AdminStep) *protocols.NodeSet { return &s.Remove }, nodeSet()),
			key("learner", "Replicas that become members without a vote, where the protocol has such.", func(s *sim.AdminStep) *protocols.NodeSet { return &s.Learners }, nodeSet()),
			replacement(),
		},
	}
	node := nodeName()
	successor := codec[sim.AdminStep]{
		read:   func(d *decoder, n *yaml.Node, path string, s *sim.AdminStep) { node.read(d, n, path, &s.To) },
		write:  func(s *sim.AdminStep) *yaml.Node { return node.write(&s.To) },
		schema: node.schema,
	}
	kinds := []string{protocols.Reconfigure.String(), protocols.TransferLeadership.String()}
	return &mapping[sim.AdminStep]{
		what: "a step", flow: true,
		fields: append(append([]field[sim.AdminStep]{
			key("at", "When it is put to the leader first, from the start of the run.", func(s *sim.AdminStep) *protocols.Time { return &s.At }, instant()),
			key("for", "How long it is put to leaders again until it is done; forever, the default: until the heal of the liveness phase.", func(s *sim.AdminStep) *protocols.Duration { return &s.For }, spanOrForever()),
		}, occasionFields(func(s *sim.AdminStep) *sim.Trigger { return &s.When }, func(s *sim.AdminStep) *protocols.Duration { return &s.After }, func(s *sim.AdminStep) *protocols.Time { return &s.Until })...),
			adminKindField(protocols.Reconfigure, "Other members, for the protocols that have it.", change.codec()),
			adminKindField(protocols.TransferLeadership, "The leader is to hand over to this replica, for the protocols that have it.", successor),
		),
		aliases: map[string]string{"transfer": protocols.TransferLeadership.String()},
		before:  func(_ *decoder, s *sim.AdminStep) { s.For = sim.Forever },
		after: func(d *decoder, n *yaml.Node, path string, given []string, s *sim.AdminStep) {
			d.occasion(path, given, "step")
			if !slices.Contains(given, "at") && !slices.Contains(given, "when") {
				d.fail(n, "%s: want at: when it is put to the leader", path)
			}
			switch a, b := slices.Contains(given, kinds[0]), slices.Contains(given, kinds[1]); {
			case a && b:
				d.fail(d.at(join(path, kinds[1])), "%s: want one of %s, got both", path, strings.Join(kinds, " and "))
			case !a && !b:
				d.fail(n, "%s: want one of %s", path, strings.Join(kinds, ", "))
			}
		},
	}
}

// adminCodec numbers the steps by position.
func adminCodec() codec[[]sim.AdminStep] {
	c := listOf("a list of steps", false, adminMapping().codec())
	read := c.read
	c.read = func(d *decoder, n *yaml.Node, path string, v *[]sim.AdminStep) {
		read(d, n, path, v)
		for i := range *v {
			(*v)[i].ID = i + 1
		}
	}
	return c
}

// validateAdmin checks the first membership and the operator's plan, for every
// protocol that the scenario is meant for.
func validateAdmin(sc *Scenario, list []*protocols.Protocol, report reporter) {
	all := protocols.NodesUpTo(min(max(sc.Replicas, 0), protocols.MaxNodes))
	if outside := sc.Members.Minus(all); !outside.Empty() {
		report("members", "no replica %s; this cluster has n1..n%d", sim.NodeNames(outside), sc.Replicas)
	} else if !sc.Members.Empty() && sc.Members != all {
		if err := sc.supported(list, func(p *protocols.Protocol) error { return sim.Supports(p, protocols.Reconfigure) }); err != nil {
			report("members", "%s", err)
		}
	}
	for i := range sc.Admin {
		s := &sc.Admin[i]
		in := fmt.Sprintf("admin[%d].%s", i+1, s.Kind)
		if s.Kind != protocols.Reconfigure && s.Kind != protocols.TransferLeadership {
			continue // reported where it stands
		}
		if err := sc.supported(list, func(p *protocols.Protocol) error { return s.Validate(p, sc.Replicas) }); err != nil {
			report(in, "%s", err)
		}
		validateOccasion(sc, fmt.Sprintf("admin[%d]", i+1), s.When, s.Until, fmt.Sprintf("admin %d", i+1), report)
		if len(sc.Script) > 0 {
			report(in, "a script has no times: write %s as a step of the script", s.Kind)
		} else if int64(s.At) >= int64(sc.For) {
			report(fmt.Sprintf("admin[%d].at", i+1), "the step comes at %s, but the safety phase ends at %s", s.At, sim.FormatDuration(sc.For))
		}
	}
}

// supported asks ok of every protocol that the scenario is meant for, and adds to
// the first refusal which protocols would do.
func (sc *Scenario) supported(list []*protocols.Protocol, ok func(*protocols.Protocol) error) error {
	var refusal error
	var able []string
	for _, p := range list {
		if err := ok(p); err == nil {
			able = append(able, p.Name)
		} else if sc.Runs(p.Name) && refusal == nil {
			refusal = err
		}
	}
	if refusal != nil && len(able) > 0 && len(sc.Protocols) == 0 {
		return fmt.Errorf("%w; name the protocols that it is meant for: protocols: [%s]", refusal, strings.Join(able, ", "))
	}
	return refusal
}
