package protocoltest

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// checkDeterminism runs the same world twice. In one of the two, nodes are looked
// at more often, which must make no difference.
func checkDeterminism(s *settings) *failure {
	for seed := range s.seeds {
		a, b := newWorld(s, uint64(seed), protocols.Recycle), newWorld(s, uint64(seed), protocols.Recycle)
		b.strict = true
		if f := lockstep(s, a, b, "equal nodes were given equal events (View was called more often in one world)"); f != nil {
			return f
		}
	}
	return nil
}

// checkHandOver runs the same world with released messages kept, recycled and
// poisoned: a protocol that looks at one does something else. At the same time
// all that was handed over is compared with what it was then.
func checkHandOver(s *settings) *failure {
	for seed := range s.seeds {
		other := protocols.Recycle
		if seed%2 == 0 {
			other = protocols.Poison
		}
		why := fmt.Sprintf("the only difference is that released messages are kept in one world and in mode %s in the other: a message was kept beyond its Step", other)
		a, b := newWorld(s, uint64(seed), protocols.Keep), newWorld(s, uint64(seed), other)
		a.rehash, b.rehash = true, true
		if f := lockstep(s, a, b, why); f != nil {
			return f
		}
		if a.checkKept(); a.failure != nil {
			return a.failure
		}
	}
	return nil
}

// lockstep runs two worlds side by side and reports the first divergence.
func lockstep(s *settings, a, b *world, why string) *failure {
	for _, w := range [...]*world{a, b} {
		w.compare = true
		w.start()
	}
	for a.steps < s.steps && len(a.pending) > 0 {
		if a.failure != nil {
			return a.failure
		}
		if b.failure != nil {
			return failf("%s\n\t(%s)", b.failure.text, why)
		}
		if !bytes.Equal(a.last.render, b.last.render) {
			return diverged(a, b, why)
		}
		a.advance()
		b.advance()
	}
	return a.failure
}

func diverged(a, b *world, why string) *failure {
	left, right := strings.Split(string(a.last.render), "\n"), strings.Split(string(b.last.render), "\n")
	for i := range max(len(left), len(right)) {
		x, y := "(nothing)", "(nothing)"
		if i < len(left) {
			x = strings.TrimSpace(left[i])
		}
		if i < len(right) {
			y = strings.TrimSpace(right[i])
		}
		if x != y {
			return failf("%s, and they do different things\n\tone:   %s\n\tother: %s\n\tseed %d, %d replicas, step %d, %s at %s",
				why, shorten(x), shorten(y), a.seed, a.n, a.steps, a.cluster.Name(a.last.node), &a.last)
		}
	}
	return failf("%s, and they do different things", why)
}

func shorten(s string) string {
	if len(s) > 500 {
		return s[:500] + "…"
	}
	return s
}

// keptSlice is the content of a slice at some moment.
type keptSlice struct {
	value reflect.Value
	sum   uint64
}

func (k keptSlice) changed() bool { return hashBytes(render(nil, k.value)) != k.sum }

// slicesIn collects the slices in v. Each has a header of its own, so that
// shortening a field of one's own copy of a message is no change.
func slicesIn(list []keptSlice, v reflect.Value) []keptSlice {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return slicesIn(list, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			list = slicesIn(list, v.Field(i))
		}
	case reflect.Slice:
		if v.Len() > 0 {
			own := v.Slice(0, v.Len())
			list = append(list, keptSlice{own, hashBytes(render(nil, own))})
		}
	}
	return list
}

type keptAnswer struct {
	answer protocols.Answer
	sum    uint64
}

func (w *world) keep(a protocols.Answer) {
	if a.Result.List != nil || a.Result.Follow != nil {
		w.answers = append(w.answers, keptAnswer{a, hashOf(a)})
	}
}

// checkKept compares all records and answers with what they were when they were
// handed over.
func (w *world) checkKept() {
	for _, h := range w.hosts[1:] {
		for _, e := range h.disk.entries {
			if hashOf(e.record) != e.sum {
				w.last.node = h.id
				w.fail("a record changed after it was persisted: it is now %s", contentText(e.record))
			}
		}
	}
	for _, k := range w.answers {
		if hashOf(k.answer) != k.sum {
			w.fail("an answer changed after it was given: %s is now %s", k.answer.Command, k.answer.Result)
		}
	}
}
