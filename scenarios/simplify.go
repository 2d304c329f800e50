package scenarios

import (
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Variant is a scenario with one thing in it made simpler.
type Variant struct {
	Path     string // what was made simpler: network.loss, faults[2]
	Scenario *Scenario
}

// kept are the keys of a scenario that no variant changes: what it is called, what
// it puts on trial, and what it expects.
var kept = []string{"version", "name", "why", "machine", "protocols", "parameters", "early", "lose", "then", "replicas", "for", "settle", "events", "checks", "expect", "sometimes"}

// Variants lists scenarios that differ from sc by one step towards the simpler:
// elements of lists removed, values as if the key were not there, distributions
// without spread, times with fewer digits, targets with fewer names. It walks the
// table of the language, so that a new key needs no word here. Each step is downhill
// in one order, so that taking one after the other ends. Not every variant is valid:
// see [Validate].
//
// p is the protocol whose parameters may change.
func Variants(sc *Scenario, p *protocols.Protocol) []Variant {
	var list []Variant
	plain := New("")
	plain.Workload.Mix = DefaultMix(sc.Machine)
	pinned := sc.Clone()
	Pin(pinned.Faults)
	for _, f := range scenarioMapping().fields {
		if f.simpler == nil || slices.Contains(kept, f.key) {
			continue
		}
		for _, v := range f.simpler(*pinned, *plain) {
			if c := v.value.finished(); f.key != "faults" || !reflect.DeepEqual(c.Faults, sc.Faults) {
				list = append(list, Variant{joined(f.key, v.path), c})
			}
		}
	}
	return append(list, parameterVariants(sc, p)...)
}

// finished gives what was taken apart its numbers again.
func (sc Scenario) finished() *Scenario {
	sc.Faults = slices.Clone(sc.Faults)
	Number(sc.Faults)
	sc.Admin = slices.Clone(sc.Admin)
	for i := range sc.Admin {
		sc.Admin[i].ID = i + 1
	}
	sc.places = nil
	return &sc
}

// Clone returns a copy whose lists can be changed. Parameters are shared: replace
// them, do not change them.
func (sc *Scenario) Clone() *Scenario {
	c := sc.finished()
	c.Workload.Calls = slices.Clone(c.Workload.Calls)
	c.Script = slices.Clone(c.Script)
	c.Checks = slices.Clone(c.Checks)
	c.Network.Links = slices.Clone(c.Network.Links)
	return c
}

// step is a simpler value of one type, and where in it something changed.
type step[T any] struct {
	path  string
	value T
}

func joined(key, path string) string {
	if path == "" || path[0] == '[' {
		return key + path
	}
	return key + "." + path
}

// simplerField lists the simpler values of P that differ in one field: what the
// codec knows, and the default.
func simplerField[P, T any](at func(*P) *T, c codec[T]) func(p, plain P) []step[P] {
	return func(p, plain P) []step[P] {
		value, def := *at(&p), *at(&plain)
		var list []step[P]
		if c.simpler != nil {
			for _, s := range c.simpler(value, def) {
				q := p
				*at(&q) = s.value
				list = append(list, step[P]{s.path, q})
			}
		} else if !reflect.DeepEqual(value, def) {
			q := p
			*at(&q) = def
			list = append(list, step[P]{"", q})
		}
		return list
	}
}

// simpler lists the simpler values of a mapping: field by field.
func (m *mapping[P]) simpler(p, plain P) []step[P] {
	var list []step[P]
	for _, f := range m.fields {
		if f.simpler == nil {
			continue
		}
		for _, s := range f.simpler(p, plain) {
			list = append(list, step[P]{joined(f.key, s.path), s.value})
		}
	}
	return list
}

// simplerList lists the lists with one element less, and with one element simpler.
func simplerList[T any](item codec[T]) func(v, plain []T) []step[[]T] {
	return func(v, plain []T) []step[[]T] {
		var list []step[[]T]
		for i := range v {
			list = append(list, step[[]T]{element(i), slices.Delete(slices.Clone(v), i, i+1)})
		}
		if item.simpler == nil {
			return list
		}
		var zero T
		for i := range v {
			for _, s := range item.simpler(v[i], zero) {
				changed := slices.Clone(v)
				changed[i] = s.value
				list = append(list, step[[]T]{joined(element(i), s.path), changed})
			}
		}
		return list
	}
}

func element(i int) string { return "[" + strconv.Itoa(i+1) + "]" }

// only makes steps of values without a path.
func only[T any](values ...T) []step[T] {
	list := make([]step[T], len(values))
	for i, v := range values {
		list[i].value = v
	}
	return list
}

// fewerDigits is a duration with one significant digit less, of more than one.
func fewerDigits(d protocols.Duration) (protocols.Duration, bool) {
	unit := protocols.Duration(1)
	for d%(unit*10) == 0 && unit*10 <= d {
		unit *= 10
	}
	if d < 10*unit { // one digit, or none
		return d, false
	}
	return (d + 5*unit) / (10 * unit) * (10 * unit), true
}

// simplerSpan knows the default, where there is one, and fewer digits.
func simplerSpan(v, plain protocols.Duration) (list []step[protocols.Duration]) {
	if v == plain || v == sim.Forever {
		return nil
	}
	if plain != 0 {
		list = only(plain)
	}
	if less, ok := fewerDigits(v); ok && less != plain {
		list = append(list, only(less)...)
	}
	return list
}

// simplerSigned is simplerSpan for a duration that may be negative.
func simplerSigned(v, _ protocols.Duration) []step[protocols.Duration] {
	if less, ok := fewerDigits(max(v, -v)); ok && v < 0 {
		return only(-less)
	} else if ok {
		return only(less)
	}
	return nil
}

// allOrNone knows that none is simpler than all, and all simpler than some.
func allOrNone(v, _ sim.Prob) []step[sim.Prob] {
	switch v {
	case 0:
		return nil
	case sim.Always:
		return only[sim.Prob](0)
	}
	return only(0, sim.Always)
}

// certain is the simplest probability of a fault: then it is no matter of luck.
func certain(v, _ sim.Prob) []step[sim.Prob] {
	if v == sim.Always {
		return nil
	}
	return only(sim.Always)
}

// simplerDist knows less spread: what is random becomes a span, and a span its
// lower end.
func simplerDist(v, plain sim.Dist) []step[sim.Dist] {
	switch {
	case v.Kind == sim.Constant:
		if less, ok := fewerDigits(v.A); ok && v != plain {
			return only(sim.Exactly(less))
		}
		return nil
	case v.Kind == sim.Uniform && v != plain:
		return only(sim.Exactly(v.A), sim.Exactly(v.B))
	case v.Kind == sim.Uniform:
		return only(sim.Exactly(v.A))
	}
	return only(sim.Exactly(v.A), plain)
}

// simplerTarget knows targets with one name less.
func simplerTarget(v, _ sim.Target) []step[sim.Target] {
	var list []step[sim.Target]
	for _, t := range v.Without() {
		list = append(list, step[sim.Target]{"", t})
	}
	return list
}

// parameterVariants lists the scenarios with one parameter of p at its default,
// bugs excepted.
func parameterVariants(sc *Scenario, p *protocols.Protocol) []Variant {
	i := slices.IndexFunc(sc.Parameters, func(ps Parameters) bool { return ps.Protocol == p.Name })
	if i < 0 {
		return nil
	}
	var list []Variant
	own, plain := reflect.ValueOf(sc.Parameters[i].Values).Elem(), reflect.ValueOf(p.Parameters()).Elem()
	for j := range own.NumField() {
		f := own.Type().Field(j)
		if !f.IsExported() || isBugs(f) || reflect.DeepEqual(own.Field(j).Interface(), plain.Field(j).Interface()) {
			continue
		}
		changed := reflect.New(own.Type())
		changed.Elem().Set(own)
		changed.Elem().Field(j).Set(plain.Field(j))
		list = append(list, Variant{"parameters." + p.Name + "." + snake(f.Name), sc.withParameters(i, changed.Interface())})
	}
	return list
}

// PlainParameters returns a copy of sc in which all parameters of p but its bugs are
// the defaults.
func PlainParameters(sc *Scenario, p *protocols.Protocol) *Scenario {
	i := slices.IndexFunc(sc.Parameters, func(ps Parameters) bool { return ps.Protocol == p.Name })
	if i < 0 {
		return sc.Clone()
	}
	plain, own := reflect.ValueOf(p.Parameters()), reflect.ValueOf(sc.Parameters[i].Values)
	for j := range plain.Elem().NumField() {
		if f := plain.Elem().Type().Field(j); f.IsExported() && isBugs(f) {
			plain.Elem().Field(j).Set(own.Elem().Field(j))
		}
	}
	return sc.withParameters(i, plain.Interface())
}

// SmallParameters lists copies of sc in which one parameter of p that plans draw
// (tag swarm) is 1, 2 or the least that is drawn, and then those in which all are:
// small windows and intervals need few operations.
func SmallParameters(sc *Scenario, p *protocols.Protocol) []*Scenario {
	i := slices.IndexFunc(sc.Parameters, func(ps Parameters) bool { return ps.Protocol == p.Name })
	if i < 0 {
		return nil
	}
	var list []*Scenario
	changed := copyOf(sc.Parameters[i].Values)
	tagged(changed, nil, func(field reflect.Value, tag swarmTag) {
		if !tag.number() {
			return
		}
		now := field.Int()
		for _, v := range []int64{1, 2, tag.lo} {
			if v >= now && now != 0 {
				continue
			}
			field.SetInt(v)
			list = append(list, sc.withParameters(i, copyOf(changed)))
		}
		field.SetInt(now)
	})
	for _, most := range []int64{1, 2, math.MaxInt64} {
		changed = copyOf(sc.Parameters[i].Values)
		tagged(changed, nil, func(field reflect.Value, tag swarmTag) {
			if tag.number() {
				field.SetInt(min(field.Int(), tag.lo, most))
			}
		})
		list = append(list, sc.withParameters(i, changed))
	}
	return list
}

func (sc *Scenario) withParameters(i int, values any) *Scenario {
	c := sc.Clone()
	c.Parameters = slices.Clone(sc.Parameters)
	c.Parameters[i].Values = values
	return c
}
