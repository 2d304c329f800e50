package protocoltest

import (
	"math"
	"reflect"

	"github.com/lockstep-sim/lockstep/protocols"
)

// filler makes values that a type allows: sensible ones, near misses and extremes.
type filler struct {
	draw *draws
	n    int      // replicas
	near []uint64 // numbers that mean something at the moment: epochs, positions
}

func newFiller(d *draws, n int) *filler { return &filler{draw: d, n: n} }

// fill sets v and all below it. Fields that cannot be set keep their value, but
// for node sets.
func (f *filler) fill(v reflect.Value, depth int) {
	if !v.CanSet() {
		return
	}
	switch v.Type() {
	case reflect.TypeFor[protocols.NodeID]():
		v.SetInt(int64(f.node()))
		return
	case reflect.TypeFor[protocols.NodeSet]():
		var s protocols.NodeSet
		for range f.draw.below(6) {
			s = s.With(protocols.NodeID(1 + f.draw.below(max(f.n, 127*f.draw.below(2)))))
		}
		v.Set(reflect.ValueOf(s))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(f.draw.chance(50))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.number()) << (64 - v.Type().Bits()) >> (64 - v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(f.number() << (64 - v.Type().Bits()) >> (64 - v.Type().Bits()))
	case reflect.String:
		v.SetString([]string{"", "x", "k1", "…"}[f.draw.below(4)])
	case reflect.Slice:
		f.fillSlice(v, depth)
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i), depth)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i), depth)
		}
	case reflect.Pointer:
		v.SetZero()
		if depth < 3 && f.draw.chance(60) {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem(), depth+1)
		}
	case reflect.Interface:
		v.SetZero() // what it may hold is known to the protocol alone
	}
}

func (f *filler) fillSlice(v reflect.Value, depth int) {
	lengths := []int{0, 1, 1, 2, 3, 9}
	if depth == 0 {
		lengths = append(lengths, 300)
	}
	n := lengths[f.draw.below(len(lengths))]
	if n == 0 && f.draw.chance(50) || depth > 3 {
		v.SetZero()
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		f.fill(v.Index(i), depth+1)
	}
}

func (f *filler) node() protocols.NodeID {
	if f.draw.chance(60) {
		return protocols.NodeID(1 + f.draw.below(f.n))
	}
	odd := []protocols.NodeID{0, -1, -2, protocols.NodeID(f.n + 1), protocols.NodeID(f.n + 2), protocols.MaxNodes, protocols.MaxNodes + 1, 127, 128, math.MaxInt16, math.MinInt16}
	return odd[f.draw.below(len(odd))]
}

func (f *filler) number() uint64 {
	switch choice := f.draw.below(10); {
	case choice < 5 && len(f.near) > 0:
		return f.near[f.draw.below(len(f.near))] + uint64(f.draw.below(5)) - 2
	case choice < 8:
		return uint64(f.draw.below(12))
	case choice < 9:
		odd := []uint64{math.MaxUint64, math.MaxInt64, 1 << 63, 1<<63 - 2, 1 << 62, 1 << 32, 1<<32 - 1, 1 << 31, 1<<31 - 1, 1 << 15, 1 << 7, 255, 65535}
		return odd[f.draw.below(len(odd))]
	}
	return f.draw.word()
}

// perturb changes one field of the struct v, chosen at random; slices are
// replaced, never changed in place.
func (f *filler) perturb(v reflect.Value) {
	if v.NumField() == 0 {
		return
	}
	field := v.Field(f.draw.below(v.NumField()))
	if field.Kind() == reflect.Slice && field.CanSet() && field.Len() > 0 && f.draw.chance(70) {
		field.Set(f.perturbedSlice(field))
		return
	}
	f.fill(field, 0)
}

// perturbedSlice returns a copy of s that is cut, doubled or has one element
// changed.
func (f *filler) perturbedSlice(s reflect.Value) reflect.Value {
	c := reflect.AppendSlice(reflect.MakeSlice(s.Type(), 0, 2*s.Len()), s)
	at := f.draw.below(c.Len())
	switch f.draw.below(4) {
	case 0:
		return c.Slice(0, at)
	case 1:
		return c.Slice(at, c.Len())
	case 2:
		return reflect.AppendSlice(c, s)
	}
	if e := c.Index(at); e.Kind() == reflect.Struct && e.Type() != reflect.TypeFor[protocols.NodeSet]() {
		f.perturb(e)
	} else {
		f.fill(e, 1)
	}
	return c
}
