package protocols

import (
	"fmt"
	"reflect"
)

// WireSize returns the size of a message or record in bytes under the encoding
// that this package states, so that bandwidth and bytes per commit mean the same
// for every protocol and on every machine:
//
//   - a bool takes 1 byte, a fixed-width number its width, int, uint and uintptr 8
//   - a string or slice takes 4 bytes of length and then its elements
//   - a [Payload] takes the bytes that it stands for
//   - a struct or array takes the sum of its fields, unexported ones included
//   - a pointer or interface takes 1 byte, and then what it holds unless it is nil
//
// Framing, type tags and the pointer of the message itself take nothing. It uses
// [Sized] where v implements it. Maps, channels and functions are no message
// content: they panic.
func WireSize(v any) int {
	if s, ok := v.(Sized); ok {
		return s.Size()
	}
	return ReflectedSize(v)
}

// ReflectedSize is [WireSize] always by reflection: what a Size method has to
// agree with.
func ReflectedSize(v any) int {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		r = r.Elem()
	}
	if !r.IsValid() {
		return 0
	}
	return sizeOf(r)
}

func sizeOf(v reflect.Value) int {
	switch v.Kind() {
	case reflect.Int, reflect.Uint, reflect.Uintptr:
		return 8
	case reflect.Uint32:
		if v.Type() == reflect.TypeFor[Payload]() {
			return int(v.Uint())
		}
		return 4
	case reflect.Bool,
		reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint8, reflect.Uint16, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return int(v.Type().Size())
	case reflect.String:
		return 4 + v.Len()
	case reflect.Slice:
		return 4 + sizeOfElements(v)
	case reflect.Array:
		return sizeOfElements(v)
	case reflect.Struct:
		n := 0
		for i := range v.NumField() {
			n += sizeOf(v.Field(i))
		}
		return n
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 1
		}
		return 1 + sizeOf(v.Elem())
	}
	panic(fmt.Sprintf("protocols: WireSize: a %s cannot be sent or stored", v.Type()))
}

func sizeOfElements(v reflect.Value) int {
	if even(v.Type().Elem()) && v.Len() > 0 { // without a look at each of what may be millions of bytes
		return v.Len() * sizeOf(v.Index(0))
	}
	n := 0
	for i := range v.Len() {
		n += sizeOf(v.Index(i))
	}
	return n
}

// even reports whether all values of a type have one size.
func even(t reflect.Type) bool {
	k := t.Kind()
	return k >= reflect.Bool && k <= reflect.Complex128 && t != reflect.TypeFor[Payload]()
}
