package scenarios

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// distribution is what sim.ParseDist reads.
func distribution() codec[sim.Dist] {
	c := scalar("a time or a distribution of times", func(s string) (sim.Dist, error) {
		if strings.TrimLeft(s, "0123456789.") == "" && s != "0" && s != "" {
			return sim.Dist{}, fmt.Errorf("%s has no unit; write %sms or %ss", quote(s), s, s)
		}
		v, err := sim.ParseDist(s)
		if err != nil && strings.Contains(s, "(") && !strings.HasSuffix(s, ")") {
			err = fmt.Errorf("%w (inside {…} a comma ends a value: quote it)", err)
		}
		return v, err
	}, sim.Dist.String, object{"type": "string"})
	c.simpler = simplerDist
	return c
}

func exponential(mean protocols.Duration) sim.Dist {
	return sim.Dist{Kind: sim.Exponential, A: mean}
}

// probability is what sim.ParseProb reads, with a hint for a missing percent
// sign.
func probability() codec[sim.Prob] {
	return scalar("a probability such as 5%", func(s string) (sim.Prob, error) {
		v, err := sim.ParseProb(s)
		if _, outside := strconv.ParseFloat(s, 64); err != nil && outside == nil {
			return 0, fmt.Errorf("%s has no unit; write %s%%", quote(s), s)
		}
		return v, err
	}, sim.Prob.String, object{"type": []string{"string", "number"}})
}

// nodeName is n1 or c1. Whether the run has such a node is checked at the end.
func nodeName() codec[protocols.NodeID] {
	return scalar("a node such as n1 or a client such as c1", parseNode, protocols.NodeID.String, object{"type": "string", "pattern": "^[nc][1-9][0-9]*$"})
}

func parseNode(s string) (protocols.NodeID, error) {
	if len(s) < 2 || len(s) > 5 || s[0] != 'n' && s[0] != 'c' || !wholeNumber.MatchString(s[1:]) {
		return 0, errPlain
	}
	i, err := strconv.Atoi(s[1:])
	if err != nil || i < 1 || i > 1000 || s[0] == 'n' && i > protocols.MaxNodes {
		return 0, errPlain
	}
	if s[0] == 'c' {
		i = -i
	}
	return protocols.NodeID(i), nil
}

// follow is the word for reading the committed log of any replica, which every
// machine allows.
const follow = "follow"

// shareName is the word for a share of a mix.
func shareName(s sim.Share) string {
	if s.Kind == protocols.Follow {
		return follow
	}
	return s.Op.String()
}

// operationText says what a word of a mix does.
func operationText(name string) string {
	for op, text := range map[protocols.Op]string{
		protocols.Get:       "Reads a value.",
		protocols.Put:       "Writes a value, which no other operation writes.",
		protocols.AppendTo:  "Appends a value to a key's sequence, or to the log.",
		protocols.CAS:       "Replaces a value if it is the one that the client expects.",
		protocols.Delete:    "Removes a key's value.",
		protocols.Increment: "Adds one to the counter.",
		protocols.Double:    "Doubles the counter.",
		protocols.ReadRange: "Reads a part of the log.",
		protocols.ReadClock: "Stores the wall clock of the replica that executes it: not deterministic.",
	} {
		if op.String() == name {
			return text
		}
	}
	return "Reads committed entries of the log from any replica."
}

// sharesOf lists what clients of a machine can call, without weights: what the
// machine itself does not refuse.
func sharesOf(machine string) []sim.Share {
	m, err := protocols.NewMachine(machine)
	if err != nil {
		return nil
	}
	var shares []sim.Share
	for op := protocols.Get; op <= protocols.ReadClock; op++ {
		c := protocols.Command{Kind: protocols.Read, Op: op, Key: 1}
		if m.Read(c).Status == protocols.OK {
			shares = append(shares, sim.Share{Op: op, Kind: protocols.Read})
		} else if r, _ := m.Execute(c, 0, nil); r.Status == protocols.OK {
			shares = append(shares, sim.Share{Op: op, Kind: protocols.Write})
		}
	}
	return append(shares, sim.Share{Kind: protocols.Follow})
}

// shareNames are the words for what clients of a machine can call.
func shareNames(machine string) []string {
	var names []string
	for _, s := range sharesOf(machine) {
		names = append(names, shareName(s))
	}
	return names
}

// shareNamed returns the share of a word, without weight.
func shareNamed(machine, name string) (sim.Share, bool) {
	for _, s := range sharesOf(machine) {
		if shareName(s) == name {
			return s, true
		}
	}
	return sim.Share{}, false
}

// mixCodec reads {get: 50%, put: 40%, cas: 10%}. Weights are millionths.
func mixCodec() codec[[]sim.Share] {
	return codec[[]sim.Share]{
		read: func(d *decoder, n *yaml.Node, path string, v *[]sim.Share) {
			*v = nil
			sum := int64(0)
			bad := len(d.problems)
			d.pairs(n, path, "operations and their shares", func(k, value *yaml.Node) {
				machine := d.scenario.Machine
				share, ok := shareNamed(machine, k.Value)
				if !ok {
					names := shareNames(machine)
					d.fail(k, "%s: the %s machine has no operation %s; it has %s%s", path, machine, quote(k.Value), strings.Join(names, ", "), DidYouMean(k.Value, names))
					return
				}
				w, err := UnitPercent.parse(value.Value)
				if value.Kind != yaml.ScalarNode || err != nil {
					d.fail(value, "%s: want a share such as 50%%, got %s", join(path, k.Value), show(value))
					return
				}
				sum += w
				share.Weight = w
				*v = append(*v, share)
			})
			if sum != 1_000_000 && len(d.problems) == bad {
				d.fail(n, "%s: the shares add up to %s, want 100%%", path, UnitPercent.Format(sum))
			}
		},
		write: func(v *[]sim.Share) *yaml.Node {
			n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
			for _, s := range *v {
				n.Content = append(n.Content, text(shareName(s)), text(UnitPercent.Format(s.Weight)))
			}
			return n
		},
		schema: func([]*protocols.Protocol) object {
			properties := object{}
			for _, machine := range protocols.MachineNames() {
				for _, name := range shareNames(machine) {
					properties[name] = object{"type": "string", "pattern": "^[0-9.]+%$"}
				}
			}
			return object{"type": "object", "properties": properties, "additionalProperties": false}
		},
	}
}
