package protocoltest

import (
	"reflect"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// checkFork applies to nodes that are Forkers only.
func checkFork(s *settings) *failure {
	return s.worlds(protocols.Keep, func(w *world) *failure {
		known := map[uint64]state{}
		w.watch.stepped = func(h *host, _ *protocols.Event) {
			if n, ok := h.node.(protocols.Forker); ok {
				w.checkHash(h.id, n, known)
				if w.steps%16 == 0 {
					w.checkIndependence(h, n)
				}
			}
		}
		w.start()
		return w.run(s.steps / 3)
	})
}

// state is a node's state, field by field.
type state struct{ names, fields []string }

// stateOf renders a node's fields, but for those whose tag says that Hash leaves
// them out.
func stateOf(n protocols.Forker) state {
	v := reflect.ValueOf(n)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	var s state
	s.add("", v)
	return s
}

func (s *state) add(path string, v reflect.Value) {
	if v.Kind() != reflect.Struct || v.Type().PkgPath() == reflect.TypeFor[protocols.Node]().PkgPath() {
		s.names = append(s.names, path)
		s.fields = append(s.fields, string(renderState(nil, v)))
		return
	}
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Tag.Get("hash") != "-" {
			s.add(strings.TrimPrefix(path+"."+f.Name, "."), v.Field(i))
		}
	}
}

// renderState is render, but of a Log only what it holds: chunks have room behind
// the end.
func renderState(b []byte, v reflect.Value) []byte {
	if v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[protocols.Node]().PkgPath() && strings.HasPrefix(v.Type().Name(), "Log[") {
		start, count, chunks := v.FieldByName("start").Uint(), v.FieldByName("count").Int(), v.FieldByName("chunks")
		b = render(b, v.FieldByName("start"))
		for p := start; p < start+uint64(count); p++ {
			chunk := chunks.Index(int(p>>8 - start>>8)).Elem()
			b = render(append(b, ' '), chunk.Index(int(p&255)))
		}
		return b
	}
	return render(b, v)
}

// checkHash looks for two different states with one hash, and for a hash that is
// not a function of the state.
func (w *world) checkHash(id protocols.NodeID, n protocols.Forker, known map[uint64]state) {
	hash, is := n.Hash(), stateOf(n)
	if hash != n.Hash() {
		w.fail("Hash answers differently each time")
		return
	}
	// What is fixed at boot need not be in the hash, and differs between nodes.
	key := protocols.Fold(hash, uint64(id))
	was, ok := known[key]
	if !ok {
		known[key] = is
		return
	}
	var missed []string
	for i := range is.fields {
		if is.fields[i] != was.fields[i] {
			missed = append(missed, is.names[i])
		}
	}
	if len(missed) > 0 {
		w.fail("two different states have one Hash: it misses %s", strings.Join(missed, ", "))
	}
}

// checkIndependence lets a fork and its origin go separate ways.
func (w *world) checkIndependence(h *host, n protocols.Forker) {
	before, hash := stateOf(n), n.Hash()
	twin, ok := n.Fork().(protocols.Forker)
	if !ok {
		w.fail("Fork returns a node that is no Forker")
		return
	}
	if twin.Hash() != hash {
		w.fail("a fork's Hash is not that of its origin")
		return
	}
	c := newWorldOf(w.s, w.n, w.seed+uint64(w.steps), protocols.Keep)
	c.calm = true
	c.now, c.hosts[h.id].node, c.hosts[h.id].life = w.now, twin, 1
	x := &liar{world: c, filler: newFiller(c.draw, w.n)}
	x.near = w.landmarks()
	for range 20 {
		if ev := x.event(c.hosts[h.id]); ev.Kind != protocols.DiskFailed {
			c.handle(c.hosts[h.id], ev)
		}
		if c.failure != nil {
			w.fail("a fork: %s", c.failure.text)
			return
		}
	}
	after := stateOf(n)
	for i := range after.fields {
		if after.fields[i] != before.fields[i] {
			w.fail("Fork shares memory: what a fork did changed %s of its origin", after.names[i])
			return
		}
	}
	if n.Hash() != hash {
		w.fail("Fork shares memory: what a fork did changed its origin's Hash")
	}
}
