package protocols

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What these String methods print is what scenarios accept, traces show and
// reports say.

// nameOf returns names[i], or what(i) for a value that has no name.
func nameOf(names []string, i uint8, what string) string {
	if int(i) < len(names) && names[i] != "" {
		return names[i]
	}
	return what + "(" + strconv.Itoa(int(i)) + ")"
}

var opNames = []string{
	Noop: "noop", Get: "get", Put: "put", AppendTo: "append", CAS: "cas", Delete: "delete",
	Increment: "increment", Double: "double", ReadRange: "read", ReadClock: "clock",
}

// String returns the name of the operation as scenarios write it.
func (op Op) String() string { return nameOf(opNames, uint8(op), "op") }

// ParseOp reads what [Op.String] prints.
func ParseOp(s string) (Op, error) {
	if i := slices.Index(opNames, s); i >= 0 {
		return Op(i), nil
	}
	return 0, fmt.Errorf("unknown operation %q, want one of %s", s, strings.Join(opNames, ", "))
}

var commandKindNames = []string{Write: "write", Read: "read", Follow: "follow"}

// String returns write, read or follow.
func (k CommandKind) String() string { return nameOf(commandKindNames, uint8(k), "command") }

var outcomeNames = []string{Unknown: "unknown", Done: "ok", Failed: "failed"}

// String returns ok, failed or unknown.
func (o Outcome) String() string { return nameOf(outcomeNames, uint8(o), "outcome") }

var statusNames = []string{OK: "ok", Expired: "expired", Unsupported: "unsupported"}

// String returns ok, expired or unsupported.
func (s Status) String() string { return nameOf(statusNames, uint8(s), "status") }

var changeKindNames = []string{ChangeSet: "set", ChangeAppend: "append", ChangeDelete: "delete"}

// String returns set, append or delete.
func (k ChangeKind) String() string { return nameOf(changeKindNames, uint8(k), "change") }

var memoryModeNames = []string{Recycle: "recycle", Keep: "keep", Poison: "poison"}

// String returns recycle, keep or poison.
func (m MemoryMode) String() string { return nameOf(memoryModeNames, uint8(m), "memory") }

var eventKindNames = []string{
	Start: "start", Receive: "receive", Fire: "fire", Request: "request", AdminEvent: "admin", DiskFailed: "disk-failed",
}

// String returns start, receive, fire, request, admin or disk-failed.
func (k EventKind) String() string { return nameOf(eventKindNames, uint8(k), "event") }

var adminKindNames = []string{Reconfigure: "reconfigure", TransferLeadership: "transfer-leadership"}

// String returns reconfigure or transfer-leadership.
func (k AdminKind) String() string { return nameOf(adminKindNames, uint8(k), "admin") }

var effectKindNames = []string{
	EffectSend: "send", EffectSendEarly: "send-early", EffectPersist: "persist", EffectSaveSnapshot: "snapshot",
	EffectReply: "reply", EffectReplyEarly: "reply-early", EffectRefuse: "refuse", EffectSetTimer: "set-timer",
	EffectSetTimerWithin: "set-timer-within", EffectCancelTimer: "cancel-timer", EffectNote: "note",
}

// String returns send, send-early, persist, snapshot, reply, reply-early, refuse,
// set-timer, set-timer-within, cancel-timer or note.
func (k EffectKind) String() string { return nameOf(effectKindNames, uint8(k), "effect") }

var noteKindNames = []string{
	NoteLeader: "leader", NoteSteppedDown: "stepped-down", NoteNormal: "normal", NoteCommit: "commit",
	NoteApplied: "applied", NoteInstalled: "installed", NoteMembers: "members", NoteLease: "lease", NoteDropped: "dropped",
}

// String returns leader, stepped-down, normal, commit, applied, installed,
// members, lease or dropped.
func (k NoteKind) String() string { return nameOf(noteKindNames, uint8(k), "note") }

var momentKindNames = []string{"stepped", "left", "durable", "crashed", "booted", "replied"}

// String returns the names of the moments in k, joined by +.
func (k MomentKind) String() string {
	var names []string
	for i, name := range momentKindNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

var recordStateNames = []string{RecordOK: "ok", RecordTorn: "torn", RecordCorrupt: "corrupt", RecordMissing: "missing"}

// String returns ok, torn, corrupt or missing.
func (s RecordState) String() string { return nameOf(recordStateNames, uint8(s), "record") }

var sessionStateNames = []string{SessionNew: "new", SessionDone: "done", SessionStale: "stale"}

// String returns new, done or stale.
func (s SessionState) String() string { return nameOf(sessionStateNames, uint8(s), "session") }

// String prints k1. Key 0, which machines without keys use, prints k0.
func (k Key) String() string { return "k" + strconv.FormatUint(uint64(k), 10) }

// String prints the command without its client: "put k1 4", "get k1",
// "cas k1 3->4", "append k1 7", "delete k1", "+1", "*2", "append 7",
// "read 1..10", "clock", "follow 12". Key 0 is left out, since it is the key of
// machines that have none.
func (c Command) String() string {
	if c.Kind == Follow {
		return "follow " + span(c.Arg, c.Old)
	}
	name := c.Op.String()
	if c.Key != 0 {
		name += " " + c.Key.String()
	}
	switch c.Op {
	case Put, AppendTo:
		return name + " " + strconv.FormatInt(c.Arg, 10)
	case CAS:
		return name + " " + strconv.FormatInt(c.Old, 10) + "->" + strconv.FormatInt(c.Arg, 10)
	case Increment:
		return "+1"
	case Double:
		return "*2"
	case ReadRange:
		return "read " + span(c.Arg, c.Old)
	case ReadClock:
		return "clock"
	}
	return name
}

// span prints count positions from first on: 1..10, or just the first where there
// is no count or no end.
func span(first, count int64) string {
	s := strconv.FormatInt(first, 10)
	if last := first + (count - 1); count > 0 && last >= first {
		s += ".." + strconv.FormatInt(last, 10)
	}
	return s
}

// String prints the answer: "3 at 17", "[1 3] at 17", "swapped 3 at 17",
// "nothing at 17", "expired".
func (r Result) String() string { return r.text("") }

func (r Result) text(verb string) string {
	var b strings.Builder
	switch {
	case r.Status != OK:
		return r.Status.String()
	case r.Follow != nil:
		return r.Follow.String()
	}
	if r.Swapped {
		b.WriteString("swapped ")
	}
	b.WriteString(verb)
	switch {
	case len(r.List) > 0:
		fmt.Fprint(&b, r.List)
	case r.Value == 0:
		b.WriteString("nothing")
	default:
		b.WriteString(strconv.FormatInt(int64(r.Value), 10))
	}
	if r.Position > 0 {
		b.WriteString(" at ")
		b.WriteString(strconv.FormatUint(uint64(r.Position), 10))
	}
	return b.String()
}

// String prints "entries 5..9", with "snapshot, " before it where there is one.
func (f *FollowResult) String() string {
	text := "no entries from " + strconv.FormatUint(uint64(f.Start), 10)
	if len(f.Entries) > 0 {
		text = "entries " + span(int64(f.Start), int64(len(f.Entries)))
	}
	if f.Snapshot != nil {
		text = "snapshot, " + text
	}
	return text
}

// Result returns the answer as the state machine gave it.
func (o Operation) Result() Result {
	return Result{Swapped: o.Swapped, Value: o.Value, Position: o.Position, List: o.List}
}

// String prints who asked what and what came of it:
// "c2 put k1 4 -> saw 3 at 17", "c1 get k1 -> 4 at 18", "c3 +1 -> unknown".
func (o Operation) String() string {
	text := o.Client.String() + " " + o.Command.String() + " -> "
	if o.Outcome != Done {
		return text + o.Outcome.String()
	}
	verb := ""
	switch o.Op {
	case Put, CAS, Delete:
		verb = "saw "
	case AppendTo: // under key 0 it is the log's answer: the position it got
		if o.Key != 0 {
			verb = "saw "
		}
	}
	return text + o.Result().text(verb)
}

// String prints k1=4, k1+=4 or k1 deleted.
func (c Change) String() string {
	switch c.Kind {
	case ChangeSet:
		return fmt.Sprintf("%s=%d", c.Key, c.Value)
	case ChangeAppend:
		return fmt.Sprintf("%s+=%d", c.Key, c.Value)
	case ChangeDelete:
		return c.Key.String() + " deleted"
	}
	return c.Kind.String()
}
