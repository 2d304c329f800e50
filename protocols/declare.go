package protocols

import (
	"reflect"
	"strings"
	"unicode"
)

// Kinds declares messages or records, one zero value of each type, for
// Protocol.Messages and Protocol.Records:
//
//	Messages: protocols.Kinds(new(Prepare), new(AppendEntries)),
//
// The number is what Kind says, and the name is the type's, in lower case and with
// dashes: prepare, append-entries. Who wants other names writes the list of
// [KindInfo] in full. A nil value, or one that is no pointer to a struct, is declared
// without New, which whoever checks the protocol reports.
func Kinds(values ...interface{ Kind() Kind }) []KindInfo {
	list := make([]KindInfo, 0, len(values))
	for _, v := range values {
		var info KindInfo
		if t := reflect.TypeOf(v); t != nil && t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
			info = KindInfo{Kind: v.Kind(), Name: dashed(t.Elem().Name()), New: func() any { return reflect.New(t.Elem()).Interface() }}
		}
		list = append(list, info)
	}
	return list
}

// dashed turns AppendEntries into append-entries.
func dashed(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// SendAll sends a copy of m to each node of to, in order, like [Send].
func SendAll[T any, M messagePointer[T]](out *Effects, to NodeSet, m T) {
	for id := to.Next(Nobody); id != Nobody; id = to.Next(id) {
		Send[T, M](out, id, m)
	}
}
