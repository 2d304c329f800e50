package checker

import (
	"cmp"
	"slices"
)

// cycle looks for a cycle in demands over versions, and in real time if that is
// asked for, and returns one as short as the search happens to find it; nil if there
// is none. The initial version of a cell is older than all others.
//
// Real time would be quadratic as edges from version to version. It goes through a
// time line instead: every write leads to the node of its return, every node of the
// line to the next, and the node before a call to its write.
func (s *sessionScan) cycle(demands []demand, realTime bool) []demand {
	g := graph{scan: s, n: int32(len(s.versions))}
	for _, d := range demands {
		g.add(d)
	}
	initial := make([]int32, s.cells)
	for v := range s.versions {
		if s.versions[v].op < 0 {
			initial[s.versions[v].key] = int32(v)
		}
	}
	for v := range s.versions {
		if s.versions[v].op >= 0 {
			g.add(demand{initial[s.versions[v].key], int32(v), noValue})
		}
	}
	if realTime {
		g.timeLine()
	}
	return g.find()
}

// graph holds edges by their origin. Nodes from len(versions) up are points of time
// lines.
type graph struct {
	scan  *sessionScan
	n     int32
	edges []demand
	first []int32 // per node, into edges
}

func (g *graph) add(d demand) { g.edges = append(g.edges, d) }

// timeLine adds one time line per cell.
func (g *graph) timeLine() {
	type instant struct {
		key     int32
		at      int64
		version int32
		ret     bool
	}
	var all []instant
	for v := range g.scan.versions {
		w := &g.scan.versions[v]
		if w.op < 0 {
			continue
		}
		all = append(all, instant{w.key, w.call, int32(v), false})
		if w.ret != after {
			all = append(all, instant{w.key, w.ret, int32(v), true})
		}
	}
	slices.SortStableFunc(all, func(a, b instant) int {
		if by := cmp.Compare(a.key, b.key); by != 0 {
			return by
		}
		if by := cmp.Compare(a.at, b.at); by != 0 {
			return by
		}
		switch { // intervals are closed: calls first
		case a.ret == b.ret:
			return 0
		case b.ret:
			return -1
		}
		return 1
	})
	last := noValue
	for i, e := range all {
		if i == 0 || e.key != all[i-1].key {
			last = noValue
		}
		if !e.ret {
			if last >= 0 {
				g.add(demand{last, e.version, noValue})
			}
			continue
		}
		node := g.n
		g.n++
		g.add(demand{e.version, node, noValue})
		if last >= 0 {
			g.add(demand{last, node, noValue})
		}
		last = node
	}
}

// find walks the graph in depth, without recursion.
func (g *graph) find() []demand {
	slices.SortStableFunc(g.edges, func(a, b demand) int { return cmp.Compare(a.from, b.from) })
	g.first = make([]int32, g.n+1)
	for _, e := range g.edges {
		g.first[e.from+1]++
	}
	for i := range g.n {
		g.first[i+1] += g.first[i]
	}
	const fresh, open, closed = 0, 1, 2
	state := make([]uint8, g.n)
	next := slices.Clone(g.first[:g.n])
	var path []demand // edges from the root to the node at hand
	for root := range g.n {
		if state[root] != fresh {
			continue
		}
		state[root] = open
		for at := root; ; {
			if next[at] == g.first[at+1] {
				state[at] = closed
				if len(path) == 0 {
					break
				}
				at = path[len(path)-1].from
				path = path[:len(path)-1]
				continue
			}
			e := g.edges[next[at]]
			next[at]++
			switch state[e.to] {
			case open:
				return g.close(append(path, e), e.to)
			case fresh:
				state[e.to] = open
				path = append(path, e)
				at = e.to
			}
		}
	}
	return nil
}

// close cuts the path down to its cycle, which begins and ends at node, and takes
// the time line out of it.
func (g *graph) close(path []demand, node int32) []demand {
	from := len(path) - 1
	for path[from].from != node {
		from--
	}
	line := int32(len(g.scan.versions))
	cycle := path[from:]
	for len(cycle) > 0 && cycle[0].from >= line { // begin at a version
		cycle = append(slices.Clone(cycle[1:]), cycle[0])
	}
	var out []demand
	for _, e := range cycle {
		if n := len(out); e.from >= line && n > 0 {
			out[n-1].to = e.to
			continue
		}
		out = append(out, e)
	}
	return out
}
