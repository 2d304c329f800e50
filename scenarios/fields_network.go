package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// unlessZero leaves a key out of what Format writes while its value is the zero value.
func unlessZero[P any, T comparable](name, doc string, at func(*P) *T, c codec[T]) field[P] {
	f := key(name, doc, at, c)
	write := f.write
	f.write = func(p *P) *yaml.Node {
		var zero T
		if *at(p) == zero {
			return nil
		}
		return write(p)
	}
	return f
}

// trafficFields are the keys of a link beyond latency, loss, duplication and order.
func trafficFields[P any](at func(*P) *sim.Link) []field[P] {
	return []field[P]{
		unlessZero("jitter", "Added to the latency: drawn by each message, or by each slice of time, see correlation.", func(p *P) *sim.Dist { return &at(p).Jitter }, distribution()),
		unlessZero("correlation", "How long a link's jitter stays the same: messages that leave within one slice of this length share it. 0s: each draws its own.", func(p *P) *protocols.Duration { return &at(p).Correlation }, span(0, sim.MaxDist)),
		unlessZero("corrupt", "Probability that a message is damaged: a checksum catches it, and it is dropped.", func(p *P) *sim.Prob { return &at(p).Corrupt }, probability()),
		unlessZero("replay", "Probability that a message arrives once more, later.", func(p *P) *sim.Prob { return &at(p).Replay }, probability()),
		unlessZero("replay_age", "How much later a replay arrives at most; 0s takes 30s.", func(p *P) *protocols.Duration { return &at(p).ReplayAge }, span(0, sim.MaxDist)),
		unlessZero("bandwidth", "What a link carries: 1MB/s, 100Mbit/s. Messages leave one after the other, each after size / bandwidth. Without it, any number at once.", func(p *P) *int64 { return &at(p).Bandwidth }, byteRate()),
		unlessZero("queue", "What may wait before a link with a bandwidth: 64KiB. What finds no room is dropped. Without it, anything.", func(p *P) *int64 { return &at(p).Queue }, byteSize()),
	}
}

// units of bytes, the largest first.
var byteUnits = []struct {
	name string
	size int64
}{{"TB", 1e12}, {"GB", 1e9}, {"GiB", 1 << 30}, {"MB", 1e6}, {"MiB", 1 << 20}, {"kB", 1e3}, {"KiB", 1 << 10}, {"B", 1}}

const maxBytes = int64(1e12)

// byteSize reads 64KiB, 1.5MB or 100B.
func byteSize() codec[int64] {
	return scalar("a size such as 64KiB", parseBytes, formatBytes, object{"type": "string", "pattern": `^[0-9.]+ *(B|kB|KiB|MB|MiB|GB|GiB|TB)$`})
}

func parseBytes(s string) (int64, error) {
	for _, u := range byteUnits {
		number, ok := strings.CutSuffix(s, u.name)
		if !ok || strings.TrimRight(number, "0123456789. ") != "" {
			continue
		}
		v, err := parseFixed(strings.TrimSpace(number), 6)
		switch {
		case err != nil:
			return 0, err
		case v > maxBytes*1e6/u.size || v*u.size/1e6 > maxBytes:
			return 0, fmt.Errorf("want at most 1TB, got %s", quote(s))
		case v*u.size%1e6 != 0:
			return 0, fmt.Errorf("want whole bytes, got %s", quote(s))
		}
		return v * u.size / 1e6, nil
	}
	if strings.TrimLeft(s, "0123456789.") == "" && s != "" {
		return 0, fmt.Errorf("%s has no unit; write %sB or %skB", quote(s), s, s)
	}
	return 0, errPlain
}

// formatBytes writes a size in the largest unit that keeps it whole.
func formatBytes(v int64) string {
	for _, u := range byteUnits {
		if v%u.size == 0 && v > 0 {
			return fmt.Sprintf("%d%s", v/u.size, u.name)
		}
	}
	return "0B"
}

// byteRate reads 1MB/s or 100Mbit/s, and writes bytes per second.
func byteRate() codec[int64] {
	return scalar("a rate such as 1MB/s or 100Mbit/s", func(s string) (int64, error) {
		size, ok := strings.CutSuffix(s, "/s")
		if !ok {
			return 0, errPlain
		}
		bits := int64(1)
		for _, u := range [...]struct{ bit, byte string }{{"Gbit", "GB"}, {"Mbit", "MB"}, {"kbit", "kB"}, {"bit", "B"}} {
			if number, ok := strings.CutSuffix(size, u.bit); ok {
				size, bits = number+u.byte, 8
				break
			}
		}
		v, err := parseBytes(size)
		if err != nil {
			return 0, err
		}
		if v != 0 && v/bits == 0 || v%bits != 0 {
			return 0, fmt.Errorf("want a whole number of bytes a second, at least 1B/s, got %s", quote(s))
		}
		return v / bits, nil
	}, func(v int64) string { return formatBytes(v) + "/s" }, object{"type": "string", "pattern": `^[0-9.]+ *(B|kB|KiB|MB|MiB|GB|GiB|TB|bit|kbit|Mbit|Gbit)/s$`})
}

// regionFields are the keys of where everybody is. One says nothing without the other,
// so that a simpler network has neither.
func regionFields() []field[sim.Network] {
	regions := key("regions", "Where everybody is: {VA: n1 c1, OR: n2 c2}, or names alone: [VA, OR]. Who is not named is placed in turn, replicas, service nodes and clients each from the first region on.", func(n *sim.Network) *[]sim.Region { return &n.Regions }, regionsCodec())
	matrix := key("matrix", "How far regions are from each other: a built-in matrix (lockstep list matrices), or round trips: {VA: {OR: 86ms}}. Half of it is added to the latency of each message.", func(n *sim.Network) *sim.Matrix { return &n.Matrix }, roundTripsCodec())
	regions.simpler = func(n, _ sim.Network) []step[sim.Network] {
		if len(n.Regions) == 0 {
			return nil
		}
		n.Regions, n.Matrix = nil, sim.Matrix{}
		return []step[sim.Network]{{"", n}}
	}
	matrix.simpler = nil
	return []field[sim.Network]{regions, matrix}
}

// regionsCodec reads {VA: n1 c1, OR: n2 c2} or [VA, OR].
func regionsCodec() codec[[]sim.Region] {
	name, members := word(), target()
	return codec[[]sim.Region]{
		read: func(d *decoder, n *yaml.Node, path string, v *[]sim.Region) {
			d.where[path] = n
			*v = nil
			if n.Kind == yaml.SequenceNode {
				for i, c := range n.Content {
					var r sim.Region
					name.read(d, c, fmt.Sprintf("%s[%d]", path, i+1), &r.Name)
					*v = append(*v, r)
				}
				return
			}
			d.pairs(n, path, "regions and who is in each", func(k, value *yaml.Node) {
				r := sim.Region{Name: k.Value}
				name.read(d, k, path, &r.Name)
				members.read(d, value, join(path, k.Value), &r.Members)
				*v = append(*v, r)
			})
		},
		write: func(v *[]sim.Region) *yaml.Node {
			switch {
			case len(*v) == 0:
				return nil
			case !slices.ContainsFunc(*v, func(r sim.Region) bool { return !r.Members.Empty() }):
				n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
				for _, r := range *v {
					n.Content = append(n.Content, text(r.Name))
				}
				return n
			}
			n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
			for _, r := range *v {
				n.Content = append(n.Content, text(r.Name), text(r.Members.String()))
			}
			return n
		},
		schema: func([]*protocols.Protocol) object {
			return object{"anyOf": []any{
				object{"type": "array", "items": object{"type": "string"}},
				object{"type": "object", "additionalProperties": object{"type": "string"}},
			}}
		},
	}
}

// roundTripsCodec reads the name of a built-in matrix, or {VA: {OR: 86ms}}: round trips,
// in both directions unless the other is given, too.
func roundTripsCodec() codec[sim.Matrix] {
	var names []string
	for _, m := range sim.Matrices() {
		names = append(names, m.Name)
	}
	trip := span(0, sim.MaxDist)
	return codec[sim.Matrix]{
		read: func(d *decoder, n *yaml.Node, path string, v *sim.Matrix) {
			d.where[path] = n
			if n.Kind == yaml.ScalarNode && !isNull(n) {
				m, ok := sim.MatrixNamed(n.Value)
				if !ok {
					d.fail(n, "%s: want one of %s, or round trips such as {VA: {OR: 86ms}}, got %s%s", path, strings.Join(names, ", "), show(n), DidYouMean(n.Value, names))
				}
				*v = m
				return
			}
			*v = readMatrix(d, n, path, trip)
		},
		write: writeMatrix,
		schema: func(list []*protocols.Protocol) object {
			row := object{"type": "object", "additionalProperties": trip.schema(list)}
			return object{"anyOf": []any{object{"enum": names}, object{"type": "object", "additionalProperties": row}}}
		},
	}
}

func readMatrix(d *decoder, n *yaml.Node, path string, trip codec[protocols.Duration]) (m sim.Matrix) {
	given := map[[2]string]protocols.Duration{}
	region := func(name string) {
		if len(m.Regions) <= sim.MaxRegions && !slices.Contains(m.Regions, name) {
			m.Regions = append(m.Regions, name)
		}
	}
	d.pairs(n, path, "regions and their round trips", func(k, row *yaml.Node) {
		region(k.Value)
		d.pairs(row, join(path, k.Value), "regions and round trips", func(to, value *yaml.Node) {
			var t protocols.Duration
			trip.read(d, value, join(join(path, k.Value), to.Value), &t)
			region(to.Value)
			given[[2]string{k.Value, to.Value}] = t
		})
	})
	if len(m.Regions) > sim.MaxRegions {
		d.fail(n, "%s: want at most %d regions", path, sim.MaxRegions)
		return sim.Matrix{}
	}
	for _, from := range m.Regions {
		for _, to := range m.Regions {
			t, ok := given[[2]string{from, to}]
			if !ok {
				t, ok = given[[2]string{to, from}]
			}
			if !ok && from != to {
				d.fail(n, "%s: no round trip between %s and %s", path, from, to)
			}
			m.RoundTrip = append(m.RoundTrip, t)
		}
	}
	return m
}

func writeMatrix(v *sim.Matrix) *yaml.Node {
	switch {
	case len(v.Regions) == 0:
		return nil
	case v.Name != "":
		return text(v.Name)
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, from := range v.Regions {
		row := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, to := range v.Regions {
			t, _ := v.Between(from, to)
			row.Content = append(row.Content, text(to), text(sim.FormatDuration(t)))
		}
		n.Content = append(n.Content, text(from), row)
	}
	return n
}

// cpuCodec reads the name of a preset, or the costs. All zero is not written.
func cpuCodec() codec[sim.CPU] {
	var names []string
	for _, p := range sim.CPUPresets() {
		names = append(names, p.Name)
	}
	preset := scalar("one of "+strings.Join(names, ", ")+", or costs", func(s string) (sim.CPU, error) {
		for _, p := range sim.CPUPresets() {
			if p.Name == s {
				return p.CPU, nil
			}
		}
		return sim.CPU{}, fmt.Errorf("want one of %s, or costs such as {receive: 25us, send: 1us}, got %s%s", strings.Join(names, ", "), quote(s), DidYouMean(s, names))
	}, func(c sim.CPU) string {
		for _, p := range sim.CPUPresets() {
			if p.CPU == c {
				return p.Name
			}
		}
		return ""
	}, object{"enum": names})
	cost := span(0, sim.MaxCost)
	m := &mapping[sim.CPU]{
		what: "costs of a CPU", flow: true, scalar: &preset,
		fields: []field[sim.CPU]{
			unlessZero("receive", "Per message from another node and per request.", func(c *sim.CPU) *protocols.Duration { return &c.Receive }, cost),
			unlessZero("send", "Per message to another node and per answer.", func(c *sim.CPU) *protocols.Duration { return &c.Send }, cost),
			unlessZero("kilobyte", "Per 1000 bytes received or sent.", func(c *sim.CPU) *protocols.Duration { return &c.Kilobyte }, cost),
			unlessZero("apply", "Per log entry executed.", func(c *sim.CPU) *protocols.Duration { return &c.Apply }, cost),
			unlessZero("broadcast", "A message of one kind that a step sends to several nodes costs send once.", func(c *sim.CPU) *bool { return &c.Broadcast }, boolean()),
		},
	}
	c := m.codec()
	c.write = func(v *sim.CPU) *yaml.Node {
		for _, p := range sim.CPUPresets() {
			if p.CPU == *v {
				return text(p.Name)
			}
		}
		return m.write(v)
	}
	return c
}

// validateNetwork says what is wrong with links, regions and matrix.
func validateNetwork(sc *Scenario, report reporter) {
	n := &sc.Network
	if err := n.Between.Validate(); err != nil {
		report("network", "%s", err)
	}
	if err := n.Client.Validate(); err != nil {
		report("network.client", "%s", err)
	}
	for i := range n.Links {
		if err := n.Links[i].Link.Validate(); err != nil {
			report(fmt.Sprintf("network.links[%d]", i+1), "%s", err)
		}
	}
	switch {
	case len(n.Regions) > 0 && len(n.Matrix.Regions) == 0:
		report("network.matrix", "want a matrix that says how far the regions of network.regions are from each other")
		return
	case len(n.Regions) == 0 && len(n.Matrix.Regions) > 0:
		report("network.matrix", "want regions: who is where, as in {VA: n1 c1, OR: n2 c2}, or their names alone")
	case len(n.Regions) > len(n.Matrix.Regions):
		report("network.regions", "%d regions are more than the matrix has: %s", len(n.Regions), strings.Join(n.Matrix.Regions, ", "))
		return
	}
	seen := map[string]string{}
	for i := range n.Regions {
		r := &n.Regions[i]
		if slices.ContainsFunc(n.Regions[:i], func(s sim.Region) bool { return s.Name == r.Name }) {
			report("network.regions", "the region %s stands twice", quote(r.Name))
		}
		if !slices.Contains(n.Matrix.Regions, r.Name) {
			report("network.regions", "the matrix has no region %s; it has %s%s", quote(r.Name), strings.Join(n.Matrix.Regions, ", "), DidYouMean(r.Name, n.Matrix.Regions))
		}
		if r.Members.Empty() {
			continue
		}
		if missing := unknownNode(r.Members.String(), sc); missing != "" {
			report("network.regions."+r.Name, "no node %q; this cluster has n1..n%d and clients c1..c%d", missing, sc.Replicas, sc.clients())
		}
		for _, name := range strings.Fields(r.Members.String()) {
			if isWord(name) {
				report("network.regions."+r.Name, "want names such as n1 and c1, got %s: a region is for the whole run", quote(name))
			} else if other, twice := seen[name]; twice {
				report("network.regions."+r.Name, "%s is in %s, too", name, other)
			}
			seen[name] = r.Name
		}
	}
}

// validateRegionOf demands that the scenario has the regions that a target names.
func validateRegionOf(sc *Scenario, path string, t sim.Target, report reporter) {
	for _, item := range strings.Fields(t.String()) {
		name, ok := sim.RegionNamed(item)
		if !ok || sc.Network.RegionIndex(name) >= 0 {
			continue
		}
		var names []string
		for _, r := range sc.Network.Regions {
			names = append(names, r.Name)
		}
		if len(names) == 0 {
			report(path, "no region %s; network.regions says which there are, and this scenario has none", quote(name))
		} else {
			report(path, "no region %s; network.regions has %s%s", quote(name), strings.Join(names, ", "), DidYouMean(name, names))
		}
	}
}

// isWord reports whether an item of a target is no name.
func isWord(item string) bool {
	return strings.TrimLeft(item[1:], "0123456789") != "" || !strings.ContainsRune("nsc", rune(item[0]))
}
