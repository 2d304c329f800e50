package sim

import (
	"fmt"
	"reflect"
	"strings"
)

// textDepth and textItems bound what fieldsText prints of one message.
const (
	textDepth = 8
	textItems = 6
)

// fieldsText prints a struct as {Name:value …}, leaving out zero fields. It
// prints no address, so equal messages have equal texts.
func fieldsText(v any) string {
	var b strings.Builder
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && !r.IsNil() {
		r = r.Elem()
	}
	writeText(&b, r, textDepth)
	return b.String()
}

func writeText(b *strings.Builder, v reflect.Value, depth int) {
	if v.IsValid() && v.CanInterface() && depth < textDepth {
		if s, ok := v.Interface().(fmt.Stringer); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
			b.WriteString(s.String())
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		writeStruct(b, v, depth)
	case reflect.Pointer, reflect.Interface:
		switch {
		case v.IsNil():
			b.WriteString("nil")
		case depth == 0:
			b.WriteString("…")
		default:
			writeText(b, v.Elem(), depth-1)
		}
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			if i == textItems || depth == 0 {
				fmt.Fprintf(b, "… %d more", v.Len()-i)
				break
			}
			writeText(b, v.Index(i), depth-1)
		}
		b.WriteByte(']')
	case reflect.Bool:
		fmt.Fprint(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		fmt.Fprint(b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		fmt.Fprint(b, v.Uint())
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	case reflect.Invalid:
		b.WriteString("nil")
	default:
		b.WriteString(v.Kind().String())
	}
}

func writeStruct(b *strings.Builder, v reflect.Value, depth int) {
	if depth == 0 {
		b.WriteString("{…}")
		return
	}
	b.WriteByte('{')
	first := true
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		if !first {
			b.WriteByte(' ')
		}
		first = false
		b.WriteString(v.Type().Field(i).Name)
		b.WriteByte(':')
		writeText(b, f, depth-1)
	}
	b.WriteByte('}')
}
