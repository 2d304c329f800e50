package protocols

import (
	"errors"
	"fmt"
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

// Check says all that is wrong with what p declares, one line each; nil when nothing is.
// Whatever runs a protocol asks first. What only shows in a run, package protocoltest
// finds.
func (p *Protocol) Check() error {
	if p == nil {
		return errors.New("protocol: none given")
	}
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("protocol %q: %s", p.Name, fmt.Sprintf(format, args...)))
	}
	if !plainName(p.Name) {
		wrong("needs a Name of a-z, 0-9 and dash, as scenarios write it")
	}
	if p.New == nil {
		wrong("needs New, which boots a node")
	}
	if len(p.Messages) == 0 {
		wrong("needs Messages, what nodes say to each other: see protocols.Kinds")
	}
	checkKinds("message", p.Messages, wrong)
	checkKinds("record", p.Records, wrong)
	if len(p.Timers) > MaxTimers {
		wrong("declares %d timers, want at most %d", len(p.Timers), MaxTimers)
	}
	if p.Parameters != nil {
		if t := reflect.TypeOf(p.Parameters()); t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
			wrong("Parameters returns %T, want a pointer to a struct of defaults", p.Parameters())
		}
	}
	return errors.Join(problems...)
}

// checkKinds reports kinds and names that are missing, impossible or given twice.
func checkKinds(what string, list []KindInfo, wrong func(string, ...any)) {
	var names [MaxKinds]string
	for i, k := range list {
		switch {
		case k.New == nil:
			wrong("%s no. %d, %q, has no New: declare it as new(T), where T is a struct", what, i+1, k.Name)
		case k.Kind == 0 || k.Kind >= MaxKinds:
			wrong("%s %s has kind %d, want 1..%d", what, k.Name, k.Kind, MaxKinds-1)
		case names[k.Kind] != "":
			wrong("%ss %s and %s both have kind %d", what, names[k.Kind], k.Name, k.Kind)
		default:
			names[k.Kind] = k.Name
		}
		for _, other := range list[:i] {
			if other.Name == k.Name && k.New != nil {
				wrong("two %ss are called %q", what, k.Name)
			}
		}
	}
}

func plainName(name string) bool {
	for i, r := range name {
		if (r < 'a' || r > 'z') && (i == 0 || r != '-' && (r < '0' || r > '9')) {
			return false
		}
	}
	return name != ""
}
