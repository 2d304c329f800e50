package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// placement says in which region of a network everybody is, as a position in
// Network.Regions.
type placement struct {
	replicas, services, clients []int // by number, from 0
}

// placement works out where everybody is. Who is named by no region is placed in
// turn, the replicas, the services and the clients each from the first region on.
func (n *Network) placement(replicas, services, clients int) placement {
	p := placement{make([]int, replicas), make([]int, services), make([]int, clients)}
	for _, list := range [...][]int{p.replicas, p.services, p.clients} {
		for i := range list {
			list[i] = i % len(n.Regions)
		}
	}
	for i := range n.Regions {
		for _, name := range strings.Fields(n.Regions[i].Members.items) {
			letter, number, _ := parseName(name)
			list := map[byte][]int{'n': p.replicas, 's': p.services, 'c': p.clients}[letter]
			if number <= len(list) {
				list[number-1] = i
			}
		}
	}
	return p
}

// RegionIndex returns the position of a region in n.Regions, or -1.
func (n *Network) RegionIndex(name string) int {
	for i := range n.Regions {
		if n.Regions[i].Name == name {
			return i
		}
	}
	return -1
}

// ReplicasIn returns how many of the first replicas are in a region.
func (n *Network) ReplicasIn(name string, replicas int) (count int) {
	if len(n.Regions) == 0 {
		return 0
	}
	region := n.RegionIndex(name)
	for _, r := range n.placement(replicas, 0, 0).replicas {
		if r == region {
			count++
		}
	}
	return count
}

// place gives every link the distance of its ends.
func (w *World) place() {
	n := &w.cfg.Network
	w.placed = placement{}
	if len(n.Regions) == 0 {
		return
	}
	w.placed = n.placement(w.cluster.Replicas, w.cluster.Services, w.links.clients)
	rows := make([]int, len(n.Regions)) // in the matrix
	for i := range n.Regions {
		rows[i] = n.Matrix.index(n.Regions[i].Name)
	}
	w.links.each(func(from, to protocols.NodeID, l *link) {
		l.far = n.Matrix.RoundTrip[rows[w.region(from)]*len(n.Matrix.Regions)+rows[w.region(to)]] / 2
	})
}

// region returns the position of the region that a node or client is in.
func (w *World) region(id protocols.NodeID) int {
	switch {
	case id < 0:
		return w.placed.clients[-id-1]
	case int(id) > w.cluster.Replicas:
		return w.placed.services[int(id)-w.cluster.Replicas-1]
	}
	return w.placed.replicas[id-1]
}

// addRegion adds everybody who is in a region.
func (w *World) addRegion(name string, r *Resolved) {
	region := w.cfg.Network.RegionIndex(name)
	for i := range w.nodes {
		if id := w.nodes[i].id; w.region(id) == region {
			r.Nodes = r.Nodes.With(id)
		}
	}
	for i := range w.placed.clients {
		if id := protocols.NodeID(-i - 1); w.region(id) == region {
			r.addClient(id)
		}
	}
}

// RegionNamed returns JP for region(JP), an item of a target.
func RegionNamed(item string) (name string, ok bool) {
	inside, opened := strings.CutPrefix(item, "region(")
	name, closed := strings.CutSuffix(inside, ")")
	return name, opened && closed && name != ""
}

// checkRegionOf says what is wrong with a region that a target names.
func (t Target) checkRegionOf(n *Network) error {
	for _, item := range strings.Fields(t.items) {
		if name, ok := RegionNamed(item); ok && n.RegionIndex(name) < 0 {
			return fmt.Errorf("target %q: there is no region %q", t, name)
		}
	}
	return nil
}
