package protocoltest

import (
	"reflect"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// checkLog looks at the logs of nodes that show them: positions without gaps, all
// that is executed, and a replay that gives the state that the node has. Notes and
// answers to followers must say what the log holds.
func checkLog(s *settings) *failure {
	return s.worlds(protocols.Recycle, func(w *world) *failure {
		w.watch.stepped = func(h *host, _ *protocols.Event) {
			reader, ok := h.node.(protocols.LogReader)
			if !ok {
				return
			}
			w.checkNotes(reader)
			w.checkFollowed(reader)
			if w.steps%17 == 0 {
				w.readLog(h, reader)
			}
		}
		w.start()
		return w.run(s.steps)
	})
}

// entryAt returns the entry at a position, if the log still holds it.
func entryAt(reader protocols.LogReader, at protocols.Index) (protocols.LogEntry, bool) {
	entries := reader.ReadLog(at, 1, nil)
	if len(entries) == 0 || entries[0].Position != at {
		return protocols.LogEntry{}, false
	}
	return entries[0], true
}

// checkNotes compares the commands that a step says it executed with the log.
func (w *world) checkNotes(reader protocols.LogReader) {
	for i := range w.out.Notes {
		n := &w.out.Notes[i]
		if n.Kind != protocols.NoteApplied {
			continue
		}
		if e, held := entryAt(reader, n.Index); held && e.Command != n.Command {
			w.fail("a note says that position %d held %s, the log holds %s", n.Index, shown(n.Command), shown(e.Command))
		}
	}
}

// checkFollowed compares answers to followers of the log with the log.
func (w *world) checkFollowed(reader protocols.LogReader) {
	for i := range w.out.Answers {
		f := w.out.Answers[i].Result.Follow
		if f == nil {
			continue
		}
		x := &protocols.Executor{}
		if !x.Accepts(f.Snapshot) {
			w.fail("a follower gets a snapshot of type %T, want what Executor.Snapshot gives", f.Snapshot)
			continue
		}
		for j := range f.Entries {
			got := protocols.LogEntry{Position: f.Entries[j].Position, Command: f.Entries[j].Command, Effect: f.Entries[j].Effect}
			want, held := entryAt(reader, f.Start+protocols.Index(j))
			if got.Text = want.Text; !held || !got.Equal(&want) {
				w.fail("a follower gets %s as entry %d of %s, the log holds %s", shown(got), j+1, f, shown(want))
				break
			}
		}
	}
}

// shown prints every field of v.
func shown(v any) []byte { return render(nil, reflect.ValueOf(v)) }

func (w *world) readLog(h *host, reader protocols.LogReader) {
	v := w.view(h, protocols.View{})
	before, hashed := forkHash(h.node)
	x := w.replayBase(reader, &v)
	entries := reader.ReadLog(0, 1<<30, nil)
	if w.failure != nil || !w.checkPositions(reader, entries, &v) {
		return
	}
	for i := range entries {
		if e := &entries[i]; e.Position <= v.Applied {
			x.Replay(e.Position, e.Command, e.Effect, nil)
		}
	}
	// A replay has no replica's clock, which is what the stamp machine looks at.
	if w.s.machine != "stamp" && x.Applied == v.Applied && x.Hash() != v.StateHash {
		w.fail("replaying the log up to position %d gives state %x, View shows %x", v.Applied, x.Hash(), v.StateHash)
	}
	if after, _ := forkHash(h.node); hashed && after != before || v != w.view(h, protocols.View{}) {
		w.fail("reading the log changes the node")
	}
}

// replayBase returns the state that a log begins with.
func (w *world) replayBase(reader protocols.LogReader, v *protocols.View) *protocols.Executor {
	machine, err := protocols.NewMachine(w.s.machine)
	if err != nil {
		panic("protocoltest: " + err.Error()) // newSettings has made one
	}
	x := &protocols.Executor{Machine: machine}
	base, state := reader.LogBase()
	switch {
	case base != v.First-1:
		w.fail("LogBase is at position %d, but View.First is %d", base, v.First)
	case !x.Accepts(state):
		w.fail("LogBase gives a state of type %T, want what Executor.Snapshot gives", state)
	default:
		if x.Restore(state); x.Applied != base {
			w.fail("LogBase is at position %d, its state at %d", base, x.Applied)
		}
	}
	return x
}

// checkPositions checks what ReadLog gives, as a whole and in part.
func (w *world) checkPositions(reader protocols.LogReader, entries []protocols.LogEntry, v *protocols.View) bool {
	last := v.First - 1
	for i := range entries {
		if last++; entries[i].Position != last {
			w.fail("ReadLog gives position %d where %d comes next", entries[i].Position, last)
			return false
		}
	}
	if last > v.Last || last < v.Applied {
		w.fail("ReadLog ends at position %d, View has applied %d and ends at %d", last, v.Applied, v.Last)
		return false
	}
	middle := len(entries) / 2
	want := entries[middle:min(middle+2, len(entries))]
	mark := []protocols.LogEntry{{Text: "mark"}}
	got := reader.ReadLog(v.First+protocols.Index(middle), 2, mark)
	if len(got) == 0 || got[0].Text != "mark" || !slices.EqualFunc(got[1:], want, func(a, b protocols.LogEntry) bool { return a.Equal(&b) }) {
		w.fail("ReadLog of 2 from position %d on does not append what ReadLog of all has there", v.First+protocols.Index(middle))
		return false
	}
	return true
}

// forkHash digests a node that can be forked; false: it cannot.
func forkHash(n protocols.Node) (uint64, bool) {
	if f, ok := n.(protocols.Forker); ok {
		return f.Hash(), true
	}
	return 0, false
}
