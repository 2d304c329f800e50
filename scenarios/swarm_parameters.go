package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// swarmTag is what the tag swarm of a parameter says about how it is drawn: a range
// of whole numbers (1..4), choices between words or truth values (joint,single), or
// scaled: a time that is multiplied by what the drawn delays ask for, or drift: a bound
// of the clocks' rate errors in parts per billion, which is drawn with them.
type swarmTag struct {
	lo, hi  int64
	choices []string
	scaled  bool
	drift   bool
}

// parseSwarmTag reads the tag of a field of type t. Tags are written by programmers,
// so what is wrong with one is a panic.
func parseSwarmTag(tag string, t reflect.Type) (s swarmTag) {
	switch {
	case tag == "scaled" && (t == reflect.TypeFor[protocols.Duration]() || t == reflect.TypeFor[protocols.Range]()):
		s.scaled = true
		return s
	case tag == "drift" && t == reflect.TypeFor[int64]():
		s.drift = true
		return s
	case t.Kind() == reflect.String:
		s.choices = strings.Split(tag, ",")
		return s
	case t.Kind() == reflect.Bool && tag == "false,true":
		s.choices = strings.Split(tag, ",")
		return s
	}
	whole := t.Kind() == reflect.Int || t.Kind() == reflect.Int64 && t != reflect.TypeFor[protocols.Duration]()
	if _, err := fmt.Sscanf(tag, "%d..%d", &s.lo, &s.hi); err != nil || s.lo > s.hi || !whole {
		panic(fmt.Sprintf("scenarios: tag swarm:%q of a %s: want a range such as 1..4, words such as a,b, false,true, scaled or drift", tag, t))
	}
	return s
}

// number reports whether whole numbers are drawn.
func (s *swarmTag) number() bool { return !s.scaled && !s.drift && s.choices == nil }

// tagged calls visit for every field of parameters that has the tag swarm, except
// those that keep names.
func tagged(parameters any, keep []string, visit func(field reflect.Value, tag swarmTag)) {
	v := reflect.ValueOf(parameters).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if tag, ok := f.Tag.Lookup("swarm"); ok && !slices.Contains(keep, f.Name) {
			visit(v.Field(i), parseSwarmTag(tag, f.Type))
		}
	}
}

// copyOf returns a copy of parameters; slices are shared.
func copyOf(parameters any) any {
	c := reflect.New(reflect.TypeOf(parameters).Elem())
	c.Elem().Set(reflect.ValueOf(parameters).Elem())
	return c.Interface()
}

// small returns a copy of parameters with the tagged numbers drawn anew in half of
// all cases.
func (g *drawer) small(parameters any) any {
	drawn, small := copyOf(parameters), g.chance(50)
	tagged(drawn, nil, func(field reflect.Value, tag swarmTag) {
		if !tag.number() {
			return
		}
		if v := g.between(tag.lo, tag.hi); small {
			field.SetInt(v)
		}
	})
	return drawn
}

// variant returns a copy of parameters with each tagged number and choice drawn anew
// in half of all cases; numbers are the least of their range in a third of those.
// The fields that keep names stay. What the protocol refuses beside the others, for n
// replicas, is not taken.
func (g *drawer) variant(parameters any, n int, keep []string) any {
	drawn := copyOf(parameters)
	tagged(drawn, keep, func(field reflect.Value, tag swarmTag) {
		if tag.drift {
			return
		}
		own := g.part(g.next()) // a draw more or less does not move the next field
		if tag.scaled || !own.chance(50) {
			return
		}
		before := reflect.ValueOf(field.Interface())
		switch {
		case tag.number() && own.chance(33):
			field.SetInt(tag.lo)
		case tag.number():
			field.SetInt(own.between(tag.lo, tag.hi))
		case field.Kind() == reflect.Bool:
			field.SetBool(own.chance(50))
		default:
			field.SetString(own.pick(tag.choices...))
		}
		if g.protocol.Validate != nil && g.protocol.Validate(drawn, n) != nil {
			field.Set(before)
		}
	})
	return drawn
}

// stretch returns a copy of parameters with the times that are tagged as scaled
// multiplied by factor, except those that keep names.
func stretch(parameters any, factor int64, keep []string) any {
	drawn := copyOf(parameters)
	tagged(drawn, keep, func(field reflect.Value, tag swarmTag) {
		if !tag.scaled {
			return
		}
		switch v := field.Addr().Interface().(type) {
		case *protocols.Duration:
			*v *= protocols.Duration(factor)
		case *protocols.Range:
			v.Min, v.Max = v.Min*protocols.Duration(factor), v.Max*protocols.Duration(factor)
		}
	})
	return drawn
}

// drifting returns a copy of parameters with the bounds of the clocks' rates, except
// those that keep names, at drift.
func drifting(parameters any, drift int64, keep []string) any {
	drawn := copyOf(parameters)
	tagged(drawn, keep, func(field reflect.Value, tag swarmTag) {
		if tag.drift {
			field.SetInt(drift)
		}
	})
	return drawn
}

// given names the fields of own that are not as in plain.
func given(plain, own any) []string {
	var names []string
	a, b := reflect.ValueOf(plain).Elem(), reflect.ValueOf(own).Elem()
	for i := range a.NumField() {
		if f := a.Type().Field(i); f.IsExported() && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			names = append(names, f.Name)
		}
	}
	return names
}
