package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Shape is how a partition divides the nodes.
type Shape uint8

const (
	// Isolate cuts the target off from everybody else, or from Fault.From.
	Isolate Shape = iota
	// Halves puts the target and as many others as fit into the smaller half.
	Halves
	// RandomSplit puts the target and a random number of others on one side.
	RandomSplit
	// Ring arranges the replicas in a random ring: each hears a majority, itself in its
	// middle, and no two hear the same one (Jepsen's majorities-ring).
	Ring
	// Bridge divides those that are not the target in two halves, which both see the
	// target and not each other (Jepsen's bridge).
	Bridge
	// Star leaves only the links of the target: every other replica sees it and nobody
	// else (the quorum-loss scenario of Omni-Paxos).
	Star
)

var shapes = [...]string{"isolate", "halves", "random", "ring", "bridge", "star"}

// ShapeNames lists what ParseShape reads.
func ShapeNames() []string { return shapes[:] }

// ParseShape reads isolate, halves, random, ring, bridge or star.
func ParseShape(s string) (Shape, error) {
	for i, name := range shapes {
		if s == name {
			return Shape(i), nil
		}
	}
	return 0, fmt.Errorf("shape %q: want %s", s, strings.Join(shapes[:], ", "))
}

// String prints what ParseShape reads.
func (s Shape) String() string {
	if int(s) < len(shapes) {
		return shapes[s]
	}
	return fmt.Sprintf("shape %d", uint8(s))
}

// ClientSide says where the clients are in a partition that has two sides. A client
// that the target names is on the target's side, always.
type ClientSide uint8

const (
	BothSides    ClientSide = iota // they reach everybody
	WithMajority                   // on the side with more replicas, the one without the target if there are as many
	SplitClients                   // each draws its side
)

var clientSides = [...]string{"both", "with-majority", "split"}

// ClientSideNames lists what ParseClientSide reads.
func ClientSideNames() []string { return clientSides[:] }

// ParseClientSide reads both, with-majority or split.
func ParseClientSide(s string) (ClientSide, error) {
	for i, name := range clientSides {
		if s == name {
			return ClientSide(i), nil
		}
	}
	return 0, fmt.Errorf("clients %q: want %s", s, strings.Join(clientSides[:], ", "))
}

// String prints what ParseClientSide reads.
func (c ClientSide) String() string {
	if int(c) < len(clientSides) {
		return clientSides[c]
	}
	return fmt.Sprintf("clients %d", uint8(c))
}

// side is where one end of a link is: on the first side, on the second, or on both,
// which sees everybody.
type side uint8

const (
	sideA side = 1 << iota
	sideB
)

// division is a partition's state while it is active. Two ends are cut off from
// each other if they have no side in common.
type division struct {
	a, b    protocols.NodeSet   // replicas and services; in both: sees both
	clients []side              // by client, from c1
	deaf    []protocols.NodeSet // ring and star: whom each node does not hear; nil otherwise
	open    bool                // flapping: for now it cuts nothing
}

// Streams within a fault's stream, besides that of its target, which is 0, and one
// for each link, which are far from these.
const (
	subShape = iota + 1
	subClients
	subSwizzle
	subFrom
)

// divide draws the sides of partition f, whose target has been resolved. from is
// whom it is cut off from, where that is not everybody.
func (w *World) divide(f *fault, from *Resolved) {
	d := &f.division
	*d = division{clients: d.clients[:0]}
	everybody := protocols.NodesUpTo(len(w.nodes))
	replicas := protocols.NodesUpTo(w.cluster.Replicas)
	target := f.Resolved.Nodes
	draws := stream{base: f.stream.sub(subShape)}
	rest := shuffled(replicas.Minus(target), &draws)
	switch f.Fault.Shape {
	case Isolate:
		d.a, d.b = target, everybody.Minus(target)
		if from != nil {
			d.a, d.b = everybody.Minus(from.Nodes.Minus(target)), everybody.Minus(target)
		}
	case Halves:
		d.a = target.Or(protocols.Nodes(rest[:min(len(rest), max(0, w.cluster.Replicas/2-target.Len()))]...))
		d.b = everybody.Minus(d.a)
	case RandomSplit:
		d.a = target
		if len(rest) > 1 {
			d.a = target.Or(protocols.Nodes(rest[:below(draws.next(), uint64(len(rest)))]...))
		}
		d.b = everybody.Minus(d.a)
	case Ring:
		w.hearAround(d, append(shuffled(target.And(replicas), &draws), rest...))
	case Bridge:
		d.a = everybody.Minus(protocols.Nodes(rest[len(rest)/2:]...))
		d.b = everybody.Minus(protocols.Nodes(rest[:len(rest)/2]...))
	case Star:
		d.deaf = make([]protocols.NodeSet, len(w.nodes)+1)
		for _, id := range rest {
			d.deaf[id] = replicas.Minus(target).Without(id)
		}
	}
	w.divideClients(f, from)
	f.Names = w.divided(f)
}

// shuffled returns the members of s in random order.
func shuffled(s protocols.NodeSet, draws *stream) []protocols.NodeID {
	ids := s.Slice()
	for i := range ids {
		j := i + int(below(draws.next(), uint64(len(ids)-i)))
		ids[i], ids[j] = ids[j], ids[i]
	}
	return ids
}

// hearAround lets every replica hear the smallest majority of the ring that has it
// in its middle.
func (w *World) hearAround(d *division, ring []protocols.NodeID) {
	n := len(ring)
	d.deaf = make([]protocols.NodeSet, len(w.nodes)+1)
	for i, id := range ring {
		heard := protocols.NodeSet{}
		for k := range n/2 + 1 {
			heard = heard.With(ring[(i-(n/2+1)/2+k+n)%n])
		}
		d.deaf[id] = protocols.Nodes(ring...).Minus(heard)
	}
}

// divideClients places the clients.
func (w *World) divideClients(f *fault, from *Resolved) {
	d := &f.division
	replicas := protocols.NodesUpTo(w.cluster.Replicas)
	larger := sideB
	if d.a.And(replicas).Len() > d.b.And(replicas).Len() {
		larger = sideA
	}
	draws := f.stream.sub(subClients)
	for i := range w.links.clients {
		id := protocols.NodeID(-i - 1)
		where := sideA | sideB
		switch {
		case f.Resolved.has(id):
			where = sideA
		case from != nil && from.has(id):
			where = sideB
		case f.Fault.Clients == WithMajority:
			where = larger
		case f.Fault.Clients == SplitClients:
			where = sideA << (draws.at(uint64(i)) >> 63)
		}
		d.clients = append(d.clients, where)
	}
}

// divided says in words who is where.
func (w *World) divided(f *fault) string {
	d := &f.division
	switch {
	case f.Fault.Shape == Isolate:
		return f.Resolved.Names(w.cluster)
	case d.deaf != nil:
		return f.Fault.Shape.String() + " of " + f.Resolved.Names(w.cluster)
	}
	var parts []string
	for _, nodes := range [...]protocols.NodeSet{d.a.Minus(d.b), d.a.And(d.b), d.b.Minus(d.a)} {
		if !nodes.Empty() {
			r := Resolved{Nodes: nodes}
			parts = append(parts, r.Names(w.cluster))
		}
	}
	return strings.Join(parts, " | ")
}

// side returns where one end of a link is.
func (d *division) side(id protocols.NodeID) (s side) {
	if id < 0 {
		return d.clients[-id-1]
	}
	if d.a.Has(id) {
		s = sideA
	}
	if d.b.Has(id) {
		s |= sideB
	}
	return s
}

// cuts reports whether the division, while it is not open, cuts from→to.
func (d *division) cuts(from, to protocols.NodeID, way Direction) bool {
	if d.deaf != nil {
		return from > 0 && to > 0 && d.deaf[to].Has(from)
	}
	out, in := d.side(from), d.side(to)
	switch {
	case out&in != 0:
		return false
	case way == In:
		return in == sideA
	case way == Out:
		return out == sideA
	}
	return true
}

// sever makes partition i cut its links, or cut them no more.
func (w *World) sever(i int, on bool) {
	f := &w.faults[i]
	f.division.open = !on
	w.links.each(func(from, to protocols.NodeID, l *link) {
		switch {
		case l.clean || !f.touches(from, to):
		case on:
			l.cut++
			l.cuts++
			l.cutter = int16(i)
		default:
			if l.cut--; l.cut > 0 && int(l.cutter) == i {
				l.cutter = w.anotherCutter(from, to)
			}
		}
	})
	w.leadership()
}

// anotherCutter returns an active partition that cuts from→to.
func (w *World) anotherCutter(from, to protocols.NodeID) int16 {
	for i := range w.faults {
		f := &w.faults[i]
		if f.State == Active && f.Fault.Kind == protocols.FaultPartition && !f.division.open && f.touches(from, to) {
			return int16(i)
		}
	}
	panic("sim: a link is cut by no fault")
}

// flapped opens or closes partition i, and plans the next time.
func (w *World) flapped(i int) {
	f := &w.faults[i]
	if w.healed || f.State != Active {
		return
	}
	w.begin(evFlap, protocols.Nobody, protocols.Nobody, uint64(f.Fault.ID), 0)
	what := "opens"
	if f.division.open {
		what = "closes"
	}
	w.faultLine(f, what)
	w.progress = true
	w.sever(i, f.division.open)
	w.plan(i, w.now.Add(f.Fault.Flap/2), evFlap)
}
