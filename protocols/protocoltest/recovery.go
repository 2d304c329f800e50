package protocoltest

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// checkRecovery boots nodes from every prefix of what they had on disk, and
// demands that clusters go on working after their faults have ended.
func checkRecovery(s *settings) *failure {
	f := s.worlds(protocols.Recycle, func(w *world) *failure {
		w.start()
		for range 3 {
			if f := w.run(s.steps / 3); f != nil {
				return f
			}
			for _, h := range w.hosts[1:] {
				if f := w.bootPrefixes(h); f != nil {
					return f
				}
			}
		}
		if f := w.goOnAlone(); f != nil {
			return f
		}
		return w.recovers()
	})
	if f != nil {
		return f
	}
	return bootEmpty(s)
}

// bootEmpty boots from an empty disk: a new node must, a wiped one may refuse.
func bootEmpty(s *settings) *failure {
	w := newWorld(s, 0, protocols.Keep)
	for id := 1; id < len(w.hosts); id++ {
		for _, first := range []bool{true, false} {
			if f := w.tryBoot(protocols.NodeID(id), protocols.Recovered{First: first}, first, fmt.Sprintf("an empty disk, First %v", first)); f != nil {
				return f
			}
		}
	}
	return nil
}

// prefixes returns which lengths of n records are tried: all of the last ones and
// a spread of the others.
func prefixes(n int) []int {
	const dense, spread = 12, 24
	var list []int
	step := max(1, n/spread)
	for k := 0; k <= n; k++ {
		if k%step == 0 || k > n-dense {
			list = append(list, k)
		}
	}
	return list
}

// bootPrefixes boots copies of h from every prefix of its disk, with nothing,
// a torn, a corrupt or a missing record behind it.
func (w *world) bootPrefixes(h *host) *failure {
	d := h.disk
	if n := len(d.entries); n > 0 && d.entries[n-1].torn { // h is down
		d.entries = d.entries[:n-1]
	}
	for _, k := range prefixes(len(d.entries)) {
		cut := disk{base: d.base, entries: d.entries[:k]}
		if k == 0 && d.base > 0 {
			continue // a snapshot replaced what was before; it cannot be lost
		}
		whole := cut.recovered(false)
		what := fmt.Sprintf("the first %d of its %d records (snapshot: %v)", k, len(d.entries), whole.Snapshot != nil)
		whole.First = k == 0
		if f := w.tryBoot(h.id, whole, true, what); f != nil {
			return f
		}
		for _, state := range []protocols.RecordState{protocols.RecordTorn, protocols.RecordCorrupt, protocols.RecordMissing} {
			damaged := whole
			damaged.First = false
			damaged.Records = append(append([]protocols.RecoveredRecord(nil), whole.Records...), protocols.RecoveredRecord{State: state})
			must := state == protocols.RecordTorn && w.s.survives(protocols.FaultTorn, w.n) != 0
			if state == protocols.RecordMissing && k < len(d.entries) && !d.entries[k].snapshot {
				damaged.Records = append(damaged.Records, protocols.RecoveredRecord{Record: d.entries[k].record})
			}
			if f := w.tryBoot(h.id, damaged, must, what+" and a "+state.String()+" one"); f != nil {
				return f
			}
		}
	}
	return nil
}

// tryBoot boots a copy of a node and lets it take some steps alone. must says that
// it may not refuse.
func (w *world) tryBoot(id protocols.NodeID, disk protocols.Recovered, must bool, what string) *failure {
	c := newWorldOf(w.s, w.n, w.seed, protocols.Keep)
	var node protocols.Node
	var err error
	text := caught(func() { node, err = w.s.protocol.New(c.config(id), disk) })
	where := fmt.Sprintf("%s boots from %s, after step %d of seed %d with %d replicas", w.cluster.Name(id), what, w.steps, w.seed, w.n)
	switch {
	case text != "":
		return failf("New panics: %s\n\t%s", text, where)
	case err != nil && must:
		return failf("New refuses: %v\n\t%s", err, where)
	case err != nil:
		return nil
	case node == nil:
		return failf("New returns neither a node nor an error\n\t%s", where)
	}
	h := c.hosts[id]
	h.node, h.life = node, 1
	c.calm = true
	c.handle(h, &protocols.Event{Kind: protocols.Start, Nonce: c.draw.word()})
	if c.failure == nil {
		c.checkView(h)
	}
	c.run(12)
	if c.failure != nil {
		return failf("%s\n\t%s", c.failure.text, where)
	}
	return nil
}

// goOnAlone continues a cluster of one from prefixes of its disk: there each of
// them is a state in which the whole cluster may once have been.
func (w *world) goOnAlone() *failure {
	if w.n != 1 || w.cluster.Services > 0 {
		return nil
	}
	d := &w.hosts[1].disk
	list := prefixes(len(d.entries))
	for i := 0; i < 6 && len(list) > 0; i++ {
		k := list[w.draw.below(len(list))]
		if k == 0 && d.base > 0 {
			continue
		}
		c := newWorldOf(w.s, 1, w.seed, protocols.Recycle)
		c.hosts[1].disk = disk{base: d.base, entries: append([]written(nil), d.entries[:k]...)}
		for _, client := range c.clients {
			client.command.Seq = 1 << 20 // not to be taken for one that the records know
		}
		c.start()
		if f := c.recovers(); f != nil {
			return failf("%s\n\tbooted from the first %d of the %d records that it had after step %d of seed %d", f.text, k, len(d.entries), w.steps, w.seed)
		}
	}
	return nil
}
