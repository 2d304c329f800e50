package checker

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Names gives clients, keys and values the names that reports print. Histories of
// other systems bring their own.
type Names interface {
	Client(op *protocols.Operation) string
	// Operation returns what an operation is called; "" for this project's name.
	Operation(op protocols.Op) string
	Key(k protocols.Key) string
	Value(v int64) string
}

// plainNames are this project's own: c2, k1, 4.
type plainNames struct{}

func (plainNames) Client(op *protocols.Operation) string { return op.Client.String() }
func (plainNames) Operation(protocols.Op) string         { return "" }
func (plainNames) Value(v int64) string                  { return strconv.FormatInt(v, 10) }
func (plainNames) Key(k protocols.Key) string {
	if k == 0 {
		return ""
	}
	return k.String()
}

// FormatOperation prints an operation as reports show it, for example
//
//	c2 put k1 4 -> saw 3 [17, 25]
//	c1 get k1 -> 3 [26, 30]
//	c3 cas k1 4 5 -> unknown [31, …]
func FormatOperation(op *protocols.Operation) string {
	return formatOperation(op, kvMachine, Options{Names: plainNames{}})
}

// formatOperation prints an operation of a machine under the names of opt.
func formatOperation(op *protocols.Operation, kind machineKind, opt Options) string {
	var b strings.Builder
	b.WriteString(opt.Names.Client(op) + " " + cmp.Or(opt.Names.Operation(op.Op), opName(op.Op, kind)))
	if key := opt.Names.Key(op.Key); key != "" {
		b.WriteString(" " + key)
	}
	value := opt.Names.Value
	switch op.Op {
	case protocols.Put, protocols.AppendTo:
		b.WriteString(" " + value(op.Arg))
	case protocols.Increment:
		if opt.Blind {
			fmt.Fprintf(&b, " %d", op.Arg)
		}
	case protocols.CAS:
		b.WriteString(" " + value(op.Old) + " " + value(op.Arg))
	case protocols.ReadRange:
		if op.Old <= maxOperations {
			fmt.Fprintf(&b, " from %d at most %d", op.Arg, op.Old)
		}
	}
	b.WriteString(" -> " + formatAnswer(op, kind, opt))
	if op.Return == protocols.Infinity {
		fmt.Fprintf(&b, " [%d, …]", op.Call)
	} else {
		fmt.Fprintf(&b, " [%d, %d]", op.Call, op.Return)
	}
	return b.String()
}

var opNames = [...]string{"noop", "get", "put", "append", "cas", "delete", "increment", "double", "read", "clock", "operation?"}

func opName(op protocols.Op, kind machineKind) string {
	if kind == queueMachine {
		switch op {
		case protocols.AppendTo:
			return "enqueue"
		case protocols.Delete:
			return "dequeue"
		}
	}
	return opNames[min(int(op), len(opNames)-1)]
}

func formatAnswer(op *protocols.Operation, kind machineKind, opt Options) string {
	switch {
	case op.Outcome == protocols.Unknown:
		return "unknown"
	case op.Outcome == protocols.Failed:
		return "failed"
	}
	value := opt.Names.Value(int64(op.Value))
	answersNothing := opt.Blind || kind == queueMachine && op.Op == protocols.AppendTo
	switch op.Op {
	case protocols.Noop:
		return "done"
	case protocols.CAS:
		if op.Swapped {
			return "swapped, saw " + value
		}
		return "refused, saw " + value
	case protocols.Put, protocols.AppendTo, protocols.Delete, protocols.Increment, protocols.Double:
		switch {
		case kind == queueMachine && op.Op == protocols.Delete && op.Value == 0:
			return "empty"
		case kind == logMachine && opt.Seated:
			return "ok"
		case answersNothing && !(kind == queueMachine && op.Op == protocols.Delete):
			return "ok"
		case kind == kvMachine && op.Op == protocols.AppendTo && len(op.List) > 1:
			return formatList(op.List, opt)
		case kind != queueMachine && (op.Op == protocols.Put || op.Op == protocols.Delete):
			return "saw " + value
		case kind == logMachine || kind == counterMachine:
			return strconv.FormatInt(int64(op.Value), 10)
		}
	case protocols.ReadRange:
		return fmt.Sprintf("length %d %s", op.Value, formatList(op.List, opt))
	case protocols.Get:
		if len(op.List) > 1 {
			return formatList(op.List, opt)
		}
		if kind == counterMachine {
			return strconv.FormatInt(int64(op.Value), 10)
		}
	}
	return value
}

// formatList prints at most the last eight values.
func formatList(list []protocols.Value, opt Options) string {
	var b strings.Builder
	b.WriteByte('[')
	from := max(0, len(list)-8)
	if from > 0 {
		b.WriteString("… ")
	}
	for i, v := range list[from:] {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(opt.Names.Value(int64(v)))
	}
	b.WriteByte(']')
	return b.String()
}

// Describe prints an operation under the names of opt, as it is called on its
// machine.
func Describe(op *protocols.Operation, opt Options) string {
	opt = opt.filled()
	kind, _ := machineNamed(opt.Machine)
	return formatOperation(op, kind, opt)
}
