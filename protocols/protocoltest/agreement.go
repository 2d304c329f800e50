package protocoltest

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// agreed is what was executed at each position, by whoever got there first.
type agreed struct {
	first []executed // by position, from 1
}

type executed struct {
	by          protocols.NodeID
	hash, state uint64
	hashed      bool // a snapshot shows the state alone
	stated      bool
}

// checkAgreement runs worlds with many restarts, short ones above all, and
// compares what nodes say that they executed.
func checkAgreement(s *settings) *failure {
	return s.worlds(protocols.Recycle, func(w *world) *failure {
		var a agreed
		w.watch.stepped = func(h *host, _ *protocols.Event) {
			for i := range w.out.Notes {
				a.note(w, h, &w.out.Notes[i])
			}
		}
		w.start()
		return w.run(s.steps)
	})
}

func (a *agreed) note(w *world, h *host, n *protocols.Note) {
	if n.Kind != protocols.NoteApplied && n.Kind != protocols.NoteInstalled {
		return
	}
	const longest = 1 << 20
	if n.Index < 1 || n.Index > longest {
		w.fail("a note says that position %d was executed", n.Index)
		return
	}
	if grow := int(n.Index) + 1 - len(a.first); grow > 0 {
		a.first = append(a.first, make([]executed, grow)...)
	}
	e := &a.first[n.Index]
	if n.Kind == protocols.NoteApplied {
		if e.hashed && e.hash != n.Hash {
			w.fail("position %d holds two contents: %s executed one with hash %x, %s one with hash %x", n.Index, e.by, e.hash, h.id, n.Hash)
		}
		e.hash, e.hashed = n.Hash, true
	}
	// The stamp machine differs between replicas by design.
	if w.s.machine != "stamp" {
		if e.stated && e.state != n.State {
			w.fail("position %d leads to two states: %x at %s, %x at %s", n.Index, e.state, e.by, n.State, h.id)
		}
		e.state, e.stated = n.State, true
	}
	if e.by == protocols.Nobody {
		e.by = h.id
	}
}

// landmarks returns numbers that mean something to the cluster at the moment.
func (w *world) landmarks() []uint64 {
	var list []uint64
	for _, h := range w.hosts[1:] {
		if !h.up() {
			continue
		}
		v := w.view(h, protocols.View{})
		list = append(list, v.Epoch, uint64(v.Commit), uint64(v.Last), uint64(v.First))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
