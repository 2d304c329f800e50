package protocols

import "reflect"

// WireSize returns the size in bytes of a message or record under the stated
// encoding: fixed-width numbers take their width, int and uint 8, bool 1, a
// string or slice 4 for its length and then its elements, an array or struct the
// sum of its parts (unexported fields too), a pointer or interface 1 for whether
// it is there and then what it holds. Size is asked where the type is [Sized];
// otherwise reflection measures, which is right but slow.
func WireSize(v any) int {
	if s, ok := v.(Sized); ok {
		return s.Size()
	}
	return MeasuredSize(v)
}

// MeasuredSize is WireSize by reflection alone: what Size must agree with. The
// pointer that a message is does not count.
func MeasuredSize(v any) int {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && !r.IsNil() {
		r = r.Elem()
	}
	return measure(r)
}

func measure(v reflect.Value) int {
	switch v.Kind() {
	case reflect.Bool, reflect.Int8, reflect.Uint8:
		return 1
	case reflect.Int16, reflect.Uint16:
		return 2
	case reflect.Int32, reflect.Uint32, reflect.Float32:
		return 4
	case reflect.String:
		return 4 + v.Len()
	case reflect.Struct:
		n := 0
		for i := range v.NumField() {
			n += measure(v.Field(i))
		}
		return n
	case reflect.Slice:
		return 4 + measureElements(v)
	case reflect.Array:
		return measureElements(v)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 1
		}
		return 1 + measure(v.Elem())
	}
	return 8
}

func measureElements(v reflect.Value) int {
	n := 0
	for i := range v.Len() {
		n += measure(v.Index(i))
	}
	return n
}

// CommandSize is the size of a Command under the encoding of [WireSize].
const CommandSize = 2 + 1 + 1 + 4 + 8 + 8 + 8
