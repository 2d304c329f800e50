package protocoltest

import (
	"cmp"
	"reflect"

	"github.com/lockstep-sim/lockstep/protocols"
)

func checkDeclared(s *settings) *failure {
	p := s.protocol
	if f := checkKinds("message", p.Messages, kindOfMessage); f != nil {
		return f
	}
	if f := checkKinds("record", p.Records, kindOfRecord); f != nil {
		return f
	}
	if len(p.Timers) > protocols.MaxTimers {
		return failf("%d timers, want at most %d", len(p.Timers), protocols.MaxTimers)
	}
	if f := checkNames("timer", p.Timers); f != nil {
		return f
	}
	if f := checkNames("role", p.Roles); f != nil {
		return f
	}
	if a, b := s.parameters(), s.parameters(); a != nil {
		if t := reflect.TypeOf(a); t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
			return failf("Parameters returns a %T, want a pointer to a struct", a)
		}
		if a == b {
			return failf("Parameters returns the same pointer twice, want a fresh struct each time")
		}
		if hashOf(a) != hashOf(b) {
			return failf("Parameters returns different defaults each time")
		}
	}
	return s.worlds(protocols.Recycle, func(w *world) *failure {
		w.strict = true
		w.start()
		return w.run(s.steps / 2)
	})
}

func checkNames(what string, names []string) *failure {
	for i, name := range names {
		if name == "" {
			return failf("%s %d has no name", what, i)
		}
		for _, other := range names[:i] {
			if other == name {
				return failf("two %ss are called %s", what, name)
			}
		}
	}
	return nil
}

func kindOfMessage(v any) (protocols.Kind, bool) {
	m, ok := v.(protocols.Message)
	if !ok {
		return 0, false
	}
	return m.Kind(), true
}

func kindOfRecord(v any) (protocols.Kind, bool) {
	r, ok := v.(protocols.Record)
	if !ok {
		return 0, false
	}
	return r.Kind(), true
}

// checkKinds checks what is declared of messages or records.
func checkKinds(what string, infos []protocols.KindInfo, kindOf func(any) (protocols.Kind, bool)) *failure {
	var names []string
	var seen [protocols.MaxKinds]bool
	for _, info := range infos {
		names = append(names, info.Name)
		if info.Kind < 1 || info.Kind >= protocols.MaxKinds {
			return failf("%s %s has kind %d, want 1..%d", what, info.Name, info.Kind, protocols.MaxKinds-1)
		}
		if seen[info.Kind] {
			return failf("two %ss have kind %d", what, info.Kind)
		}
		seen[info.Kind] = true
		if info.New == nil {
			return failf("%s %s has no New", what, info.Name)
		}
		if f := checkKind(what, info, kindOf); f != nil {
			return f
		}
	}
	return checkNames(what, names)
}

func checkKind(what string, info protocols.KindInfo, kindOf func(any) (protocols.Kind, bool)) *failure {
	v := info.New()
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return failf("%s %s: New returns a %T, want a pointer to a struct", what, info.Name, v)
	}
	if _, ok := kindOf(v); !ok {
		return failf("%s %s: %s has no Kind", what, info.Name, t)
	}
	f := newFiller(newDraws(uint64(info.Kind), 1), 3)
	for i := range 200 {
		var kind protocols.Kind
		value := v
		if i == 0 {
			value = reflect.Zero(t).Interface()
		}
		if text := caught(func() { kind, _ = kindOf(value) }); text != "" {
			return failf("%s %s: Kind panics on %s: %s", what, info.Name, contentText(value), text)
		}
		if kind != info.Kind {
			return failf("%s %s: Kind is %d for %s, want always %d", what, info.Name, kind, contentText(value), info.Kind)
		}
		if i > 0 {
			var why string
			if text := caught(func() { why = cmp.Or(wrongSize(v), wrongDigest(v)) }); text != "" {
				why = "its size or digest cannot be taken: " + text
			}
			if why != "" {
				return failf("%s %s: %s", what, info.Name, why)
			}
		}
		v = info.New()
		f.fill(reflect.ValueOf(v).Elem(), 0)
	}
	return nil
}

// wrongDigest says whether the digest is not a function of the content.
func wrongDigest(v any) string {
	d, ok := v.(protocols.Digested)
	if !ok {
		return ""
	}
	twin := reflect.New(reflect.TypeOf(v).Elem())
	twin.Elem().Set(reflect.ValueOf(v).Elem())
	if was := d.Digest(); was != d.Digest() || was != twin.Interface().(protocols.Digested).Digest() {
		return typeName(v) + ".Digest differs for equal contents: " + contentText(v)
	}
	return ""
}
