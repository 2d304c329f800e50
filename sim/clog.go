package sim

import "github.com/lockstep-sim/lockstep/protocols"

// A clogged link loses nothing: what reaches its end stays there until the link is
// free again, and then arrives at once, in order. Swizzle-clog, of FoundationDB's
// simulation, clogs nodes one by one in the first half of its interval and frees
// them in another order in the second.

// clog keeps what has reached the end of l.
func (w *World) clog(l *link, p *payload, cause uint64) {
	w.clogged = append(w.clogged, heldEvent{*p, cause})
	w.stats.Clogged++
	w.hit(int(l.clogger), 1)
}

// unclog lets what is on links that are free again arrive. Each arrival is an event
// of its own.
func (w *World) unclog() {
	if len(w.clogged) == 0 {
		return
	}
	w.clogged, w.freed = w.freed[:0], w.clogged
	for i := range w.freed {
		e := w.freed[i]
		if l := w.links.of(e.payload.from, e.payload.to); l.clogs > 0 && !l.clean || len(w.violations) > 0 {
			w.clogged = append(w.clogged, e)
		} else {
			w.dispatch(&e.payload, e.cause)
		}
	}
	clear(w.freed)
}

// clogsLink reports whether f clogs from→to while it clogs the nodes of set. Links
// of a client are touched only if the target names the client.
func (f *fault) clogsLink(from, to protocols.NodeID, set protocols.NodeSet) bool {
	out, in := f.Resolved.has(from), f.Resolved.has(to)
	if from < 0 && !out || to < 0 && !in {
		return false
	}
	if from > 0 {
		out = set.Has(from)
	}
	if to > 0 {
		in = set.Has(to)
	}
	switch f.Fault.OneWay {
	case In:
		return in
	case Out:
		return out
	}
	return in || out
}

// reclog makes fault i clog the links of set, and of the clients that it names,
// while it is on, and no others.
func (w *World) reclog(i int, set protocols.NodeSet, on bool) {
	f := &w.faults[i]
	w.links.each(func(from, to protocols.NodeID, l *link) {
		if l.clean {
			return
		}
		was := f.clogging && f.clogsLink(from, to, f.clogs)
		switch is := on && f.clogsLink(from, to, set); {
		case is && !was:
			l.clogs++
			l.clogger = int16(i)
		case was && !is:
			if l.clogs--; l.clogs > 0 && int(l.clogger) == i {
				l.clogger = w.anotherClogger(i, from, to)
			}
		}
	})
	f.clogs, f.clogging = set, on
	w.leadership()
}

// anotherClogger returns an active fault but i that clogs from→to.
func (w *World) anotherClogger(i int, from, to protocols.NodeID) int16 {
	for j := range w.faults {
		if f := &w.faults[j]; j != i && f.clogging && f.clogsLink(from, to, f.clogs) {
			return int16(j)
		}
	}
	panic("sim: a link is clogged by no fault")
}

// What an evSwizzle event says.
const (
	frees protocols.Kind = iota
	clogs
)

// swizzle plans when each node of fault i is clogged and freed.
func (w *World) swizzle(i int) {
	f := &w.faults[i]
	draws := stream{base: f.stream.sub(subSwizzle)}
	half := uint64(f.Fault.At.Add(f.Fault.For)-w.now) / 2
	for id := f.Resolved.Nodes.Next(protocols.Nobody); id != protocols.Nobody; id = f.Resolved.Nodes.Next(id) {
		for _, says := range [...]protocols.Kind{clogs, frees} {
			t := w.now + protocols.Time(below(draws.next(), half+1))
			if says == frees {
				t += protocols.Time(half)
			}
			p := w.queue.add(t, w.seq)
			p.kind, p.ref, p.to, p.says = evSwizzle, uint32(i), id, says
		}
	}
	w.reclog(i, protocols.NodeSet{}, true)
}

// swizzled clogs or frees one node of fault i.
func (w *World) swizzled(i int, id protocols.NodeID, on bool) {
	f := &w.faults[i]
	if w.healed || f.State != Active || f.clogs.Has(id) == on {
		return
	}
	w.begin(evSwizzle, id, protocols.Nobody, uint64(f.Fault.ID), 0)
	set, what := f.clogs.Without(id), "frees "
	if on {
		set, what = f.clogs.With(id), "clogs "
	}
	w.faultLine(f, what+w.cluster.Name(id))
	w.reclog(i, set, true)
	w.unclog()
}
