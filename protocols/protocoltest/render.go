package protocoltest

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/lockstep-sim/lockstep/protocols"
)

// render appends all of v's content in a canonical form: it follows pointers and
// never shows one. Equal contents give equal bytes in every process.
func render(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Invalid:
		return append(b, "nil"...)
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(b, v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return strconv.AppendFloat(b, v.Float(), 'g', -1, 64)
	case reflect.String:
		return strconv.AppendQuote(b, v.String())
	case reflect.Slice, reflect.Array:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ' ')
			}
			b = render(b, v.Index(i))
		}
		return append(b, ']')
	case reflect.Struct:
		return renderStruct(b, v)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return append(b, "nil"...)
		}
		return render(b, v.Elem())
	}
	return append(b, v.Type().String()...)
}

func renderStruct(b []byte, v reflect.Value) []byte {
	if v.Type() == reflect.TypeFor[protocols.NodeSet]() {
		b = append(b, "set"...)
	}
	b = append(b, '{')
	for i := range v.NumField() {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, v.Type().Field(i).Name...)
		b = append(b, ':')
		b = render(b, v.Field(i))
	}
	return append(b, '}')
}

// hashOf digests all of v's content.
func hashOf(v any) uint64 { return hashBytes(render(nil, reflect.ValueOf(v))) }

func hashBytes(b []byte) uint64 {
	h := protocols.Fold(protocols.HashSeed, uint64(len(b)))
	for len(b) >= 8 {
		h = protocols.Fold(h, uint64(b[0])|uint64(b[1])<<8|uint64(b[2])<<16|uint64(b[3])<<24|
			uint64(b[4])<<32|uint64(b[5])<<40|uint64(b[6])<<48|uint64(b[7])<<56)
		b = b[8:]
	}
	for _, c := range b {
		h = protocols.Fold(h, uint64(c))
	}
	return h
}

// typeName returns the name of the struct that v points to.
func typeName(v any) string {
	t := reflect.TypeOf(v)
	if t == nil {
		return "nil"
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// contentText prints a message or record as Name{Field:value …}.
func contentText(v any) string {
	const longest = 400
	text := typeName(v) + string(render(nil, reflect.ValueOf(v)))
	if len(text) > longest {
		text = text[:longest] + "…"
	}
	return text
}

// eventText says what happened to a node.
func eventText(ev *protocols.Event) string {
	switch ev.Kind {
	case protocols.Receive:
		return fmt.Sprintf("receive %s from %s", contentText(ev.Message), ev.From)
	case protocols.Fire:
		return fmt.Sprintf("fire timer %d", ev.Timer)
	case protocols.Request:
		return fmt.Sprintf("request %s %s seq %d from %s", ev.Command.Kind, ev.Command, ev.Command.Seq, ev.From)
	case protocols.AdminEvent:
		return fmt.Sprintf("admin %s members %s learners %s target %s", ev.Admin.Kind, ev.Admin.Members, ev.Admin.Learner, ev.Admin.Target)
	}
	return ev.Kind.String()
}

// effectText says what a node wants done.
func effectText(out *protocols.Effects, e *protocols.Effect) string {
	switch e.Kind {
	case protocols.EffectSend, protocols.EffectSendEarly:
		return fmt.Sprintf("%s to %s %s", e.Kind, e.To, contentText(e.Message))
	case protocols.EffectPersist, protocols.EffectSaveSnapshot:
		return fmt.Sprintf("%s %s", e.Kind, contentText(e.Record))
	case protocols.EffectReply, protocols.EffectReplyEarly, protocols.EffectRefuse:
		a := out.Answers[e.Answer]
		return fmt.Sprintf("%s %s %s: %s, hint %s", e.Kind, a.Command.Client, a.Command, a.Result, e.To)
	case protocols.EffectNote:
		return fmt.Sprintf("%s %s %s", e.Kind, out.Notes[e.Note].Kind, string(render(nil, reflect.ValueOf(out.Notes[e.Note]))))
	}
	return fmt.Sprintf("%s %d %s..%s", e.Kind, e.Timer, e.Min, e.Max)
}
