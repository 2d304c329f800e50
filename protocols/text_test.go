package protocols

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestParseOpReadsWhatStringPrints(t *testing.T) {
	for op := Noop; op <= ReadClock; op++ {
		got, err := ParseOp(op.String())
		if err != nil || got != op {
			t.Errorf("ParseOp(%q) = %v, %v; want %v", op.String(), got, err, op)
		}
	}
	for _, text := range []string{"", "Get", "op(3)", "appendto"} {
		if op, err := ParseOp(text); err == nil || !strings.Contains(err.Error(), "append") {
			t.Errorf("ParseOp(%q) = %v, %v; want an error that lists the names", text, op, err)
		}
	}
}

func TestCommandsInWords(t *testing.T) {
	for want, c := range map[string]Command{
		"put k1 4":              {Kind: Write, Op: Put, Key: 1, Arg: 4},
		"put 4":                 {Kind: Write, Op: Put, Arg: 4},
		"get k1":                {Kind: Read, Op: Get, Key: 1},
		"cas k1 3->4":           {Kind: Write, Op: CAS, Key: 1, Old: 3, Arg: 4},
		"append k1 7":           {Kind: Write, Op: AppendTo, Key: 1, Arg: 7},
		"append 7":              {Kind: Write, Op: AppendTo, Arg: 7},
		"delete k1":             {Kind: Write, Op: Delete, Key: 1},
		"+1":                    {Kind: Write, Op: Increment},
		"*2":                    {Kind: Write, Op: Double},
		"read 1..10":            {Kind: Read, Op: ReadRange, Arg: 1, Old: 10},
		"read 5":                {Kind: Read, Op: ReadRange, Arg: 5},
		"clock":                 {Kind: Write, Op: ReadClock},
		"follow 12":             {Kind: Follow, Arg: 12},
		"follow 12..21":         {Kind: Follow, Arg: 12, Old: 10},
		"noop":                  {},
		"op(77) k4294967295":    {Op: 77, Key: math.MaxUint32},
		"read -1..9":            {Op: ReadRange, Arg: -1, Old: 11},
		"read 9223372036854775": {Op: ReadRange, Arg: 9223372036854775, Old: -4},
	} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOperationsInWords(t *testing.T) {
	op := func(c Command, r Result) Operation {
		c.Client = -2
		return Operation{Command: c, Outcome: Done, Swapped: r.Swapped, Value: r.Value, Position: r.Position, List: r.List}
	}
	unknown := op(Command{Op: Increment}, Result{})
	unknown.Outcome = Unknown
	for want, o := range map[string]Operation{
		"c2 put k1 4 -> saw 3 at 17":            op(Command{Op: Put, Key: 1, Arg: 4}, Result{Value: 3, Position: 17}),
		"c2 put k1 4 -> saw nothing at 17":      op(Command{Op: Put, Key: 1, Arg: 4}, Result{Position: 17}),
		"c2 get k1 -> 4 at 18":                  op(Command{Op: Get, Key: 1}, Result{Value: 4, Position: 18}),
		"c2 get k1 -> [4 5] at 18":              op(Command{Op: Get, Key: 1}, Result{Value: 5, List: []Value{4, 5}, Position: 18}),
		"c2 cas k1 3->4 -> swapped saw 3 at 19": op(Command{Op: CAS, Key: 1, Old: 3, Arg: 4}, Result{Value: 3, Swapped: true, Position: 19}),
		"c2 append 7 -> 5 at 20":                op(Command{Op: AppendTo, Arg: 7}, Result{Value: 5, Position: 20}),
		"c2 append k1 7 -> saw 5 at 20":         op(Command{Op: AppendTo, Key: 1, Arg: 7}, Result{Value: 5, Position: 20}),
		"c2 +1 -> unknown":                      unknown,
	} {
		if got := o.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := fmt.Sprint(&o); got != want {
			t.Errorf("a pointer prints %q, want %q", got, want)
		}
	}
	follow := Result{Follow: &FollowResult{Start: 5, Entries: make([]LogCommand, 3), Snapshot: 1}}
	if got, want := follow.String(), "snapshot, entries 5..7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (Result{Status: Expired, Value: 3}).String(); got != "expired" {
		t.Errorf("got %q, want expired", got)
	}
}

// TestEveryKindHasAName finds a kind that was added without a name, and names
// that two kinds share.
func TestEveryKindHasAName(t *testing.T) {
	check := func(from, to int, name func(uint8) string) {
		t.Helper()
		seen := map[string]bool{}
		for i := from; i <= to; i++ {
			text := name(uint8(i))
			if strings.Contains(text, "(") || seen[text] {
				t.Errorf("value %d is called %q", i, text)
			}
			seen[text] = true
		}
		if text := name(uint8(to + 1)); !strings.HasSuffix(text, fmt.Sprintf("(%d)", to+1)) {
			t.Errorf("value %d after the last is called %q", to+1, text)
		}
	}
	check(int(Noop), int(ReadClock), func(i uint8) string { return Op(i).String() })
	check(int(Write), int(Follow), func(i uint8) string { return CommandKind(i).String() })
	check(int(Unknown), int(Failed), func(i uint8) string { return Outcome(i).String() })
	check(int(OK), int(Unsupported), func(i uint8) string { return Status(i).String() })
	check(int(ChangeSet), int(ChangeDelete), func(i uint8) string { return ChangeKind(i).String() })
	check(int(Recycle), int(Poison), func(i uint8) string { return MemoryMode(i).String() })
	check(int(Start), int(DiskFailed), func(i uint8) string { return EventKind(i).String() })
	check(int(Reconfigure), int(TransferLeadership), func(i uint8) string { return AdminKind(i).String() })
	check(int(EffectSend), int(EffectNote), func(i uint8) string { return EffectKind(i).String() })
	check(int(NoteLeader), int(NoteDropped), func(i uint8) string { return NoteKind(i).String() })
	check(int(RecordOK), int(RecordMissing), func(i uint8) string { return RecordState(i).String() })
	check(int(SessionNew), int(SessionStale), func(i uint8) string { return SessionState(i).String() })
	if got, want := (Stepped | Booted).String(), "stepped+booted"; got != want {
		t.Errorf("moments print %q, want %q", got, want)
	}
	for want, c := range map[string]Change{"k1=4": {ChangeSet, 1, 4}, "k1+=4": {ChangeAppend, 1, 4}, "k1 deleted": {ChangeDelete, 1, 0}} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
