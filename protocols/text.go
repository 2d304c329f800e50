package protocols

import (
	"fmt"
	"strconv"
	"strings"
)

// One vocabulary: what String prints is what scenarios accept, traces show and
// reports say.

var opNames = [...]string{
	Noop: "noop", Get: "get", Put: "put", AppendTo: "append", CAS: "cas", Delete: "delete",
	Increment: "increment", Double: "double", ReadRange: "read", ReadClock: "clock",
}

// OpNames lists the operations as scenarios write them, without noop.
func OpNames() []string { return append([]string(nil), opNames[Get:]...) }

// String returns the operation's name.
func (o Op) String() string { return nameOf(opNames[:], int(o), "op") }

// ParseOp returns the operation of that name.
func ParseOp(name string) (Op, error) {
	for o, n := range opNames {
		if n == name {
			return Op(o), nil
		}
	}
	return 0, fmt.Errorf("unknown operation %q; want one of %s", name, strings.Join(OpNames(), ", "))
}

// OpsOf returns the operations of a state machine, reads last; nil when there is
// no such machine.
func OpsOf(machine string) []Op {
	switch machine {
	case "kv":
		return []Op{Put, AppendTo, CAS, Delete, Get}
	case "register":
		return []Op{Put, CAS, Get}
	case "counter":
		return []Op{Increment, Double, Get}
	case "log":
		return []Op{AppendTo, ReadRange}
	case "stamp":
		return []Op{ReadClock, Get}
	}
	return nil
}

// ReadOnly reports whether the operation leaves the state as it is.
func (o Op) ReadOnly() bool { return o == Get || o == ReadRange || o == Noop }

// String returns write, read or follow.
func (k CommandKind) String() string {
	return nameOf([]string{"none", "write", "read", "follow"}, int(k), "kind")
}

// String returns unknown, ok or failed.
func (o Outcome) String() string {
	return nameOf([]string{"unknown", "ok", "failed"}, int(o), "outcome")
}

// String returns ok, expired or unsupported.
func (s Status) String() string {
	return nameOf([]string{"ok", "expired", "unsupported"}, int(s), "status")
}

// String returns the event's name.
func (k EventKind) String() string {
	return nameOf([]string{"none", "start", "receive", "fire", "request", "admin", "disk-failed"}, int(k), "event")
}

// String returns the effect's name.
func (k EffectKind) String() string {
	return nameOf([]string{"none", "send", "send-early", "persist", "save-snapshot", "reply", "reply-early",
		"refuse", "set-timer", "set-timer-within", "cancel-timer", "note"}, int(k), "effect")
}

// String returns the milestone's name.
func (k NoteKind) String() string {
	return nameOf([]string{"none", "leader", "stepped-down", "normal", "commit", "applied", "installed",
		"members", "lease", "dropped"}, int(k), "note")
}

// String returns recycle, keep or poison.
func (m MemoryMode) String() string {
	return nameOf([]string{"recycle", "keep", "poison"}, int(m), "memory")
}

// String returns ok, torn, corrupt or missing.
func (s RecordState) String() string {
	return nameOf([]string{"ok", "torn", "corrupt", "missing"}, int(s), "record")
}

func nameOf(names []string, i int, what string) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", what, i)
}

// String returns k1 for key 1; key 0, the only one of most machines, prints as
// k0.
func (k Key) String() string { return "k" + strconv.FormatUint(uint64(k), 10) }

// String prints the command as a history shows it: put k1 4, cas k1 3->4, +1,
// append k2 7, read 1..10, follow 12.
func (c Command) String() string {
	switch {
	case c.Kind == Follow:
		return fmt.Sprintf("follow %d", c.Arg)
	case c.Op == Put || c.Op == AppendTo:
		return fmt.Sprintf("%v %v %d", c.Op, c.Key, c.Arg)
	case c.Op == CAS:
		return fmt.Sprintf("cas %v %d->%d", c.Key, c.Old, c.Arg)
	case c.Op == Get || c.Op == Delete:
		return fmt.Sprintf("%v %v", c.Op, c.Key)
	case c.Op == Increment:
		return "+1"
	case c.Op == Double:
		return "*2"
	case c.Op == ReadRange:
		return fmt.Sprintf("read %d..%d", c.Arg, c.Arg+c.Old-1)
	}
	return c.Op.String()
}

// String prints the operation with what came of it: c2 put k1 4 -> saw 3.
func (o *Operation) String() string {
	return fmt.Sprintf("%v %v -> %s", o.Client, o.Command.String(), o.Answer())
}

// Answer prints what the client learned: a value, [values], "saw 3", "swapped,
// saw 3", or unknown or failed.
func (o *Operation) Answer() string {
	if o.Outcome != Done {
		return o.Outcome.String()
	}
	seen := strconv.FormatInt(int64(o.Value), 10)
	if o.List != nil {
		seen = fmt.Sprint(o.List)
	} else if o.Value == 0 {
		seen = "nothing"
	}
	switch o.Op {
	case Put, Delete, AppendTo:
		if o.Kind == Write && o.Op == AppendTo && o.Key == 0 {
			return "at " + seen
		}
		return "saw " + seen
	case CAS:
		if o.Swapped {
			return "swapped, saw " + seen
		}
		return "kept " + seen
	case Increment, Double:
		return strconv.FormatInt(int64(o.Value), 10)
	case ReadRange:
		return fmt.Sprintf("%v of %d", o.List, o.Value)
	}
	return seen
}
