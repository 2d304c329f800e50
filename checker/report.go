package checker

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Report is the judgement over one history.
type Report struct {
	Verdict Verdict // OK, Violation or Inconclusive
	// Parts are the judgements over the partitions, in order of their keys.
	Parts []PartReport
	// CrossChecks counts the second judgements; CrossExhausted those of them that
	// ran out of budget, which leaves the verdict as it is.
	CrossChecks, CrossExhausted int
	// Counterexample explains a violation: that of the first violated part.
	Counterexample *Counterexample
	// Reason explains an inconclusive verdict.
	Reason string
}

// PartReport is the judgement over one partition: one key of kv, or the whole
// history of another machine.
type PartReport struct {
	Key            protocols.Key
	Operations     int // judged: without failed ones, follows and unanswered reads
	Verdict        Verdict
	DecidedBy      Decider
	Steps          int64 // taken by searches
	CrossChecked   bool  // a second, independent check looked at it or its beginning
	CrossExhausted bool  // that check ran out of budget
	Counterexample *Counterexample
	Reason         string // of an inconclusive verdict
}

// Counterexample shows operations that cannot all be right.
type Counterexample struct {
	Key   protocols.Key
	Check Decider // who found it
	// Operations contradict each other, in order of their calls. There are few of
	// them, but not always as few as possible.
	Operations []protocols.Operation
	// Text says in one paragraph why: canonical, for terminal and report.
	Text string
}

// Join makes one report from those of all parts, in the order of [Plan].
func Join(parts []PartReport) Report {
	r := Report{Verdict: OK, Parts: parts}
	for i := range parts {
		p := &parts[i]
		if p.CrossChecked {
			r.CrossChecks++
		}
		if p.CrossExhausted {
			r.CrossExhausted++
		}
		switch {
		case p.Verdict == Violation && r.Verdict != Violation:
			r.Verdict, r.Counterexample, r.Reason = Violation, p.Counterexample, ""
		case p.Verdict == Inconclusive && r.Verdict == OK:
			r.Verdict, r.Reason = Inconclusive, p.Reason
		}
	}
	return r
}

// Decided counts the parts that d decided.
func (r *Report) Decided(d Decider) int {
	n := 0
	for i := range r.Parts {
		if r.Parts[i].DecidedBy == d {
			n++
		}
	}
	return n
}

// FormatOperation prints an operation as reports show it, for example
//
//	c2 put k1 4 -> saw 3 [17, 25]
//	c1 get k1 -> 3 [26, 30]
//	c3 cas k1 4 5 -> unknown [31, …]
func FormatOperation(op *protocols.Operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", op.Client, opNames[min(int(op.Op), len(opNames)-1)])
	if op.Key != 0 {
		fmt.Fprintf(&b, " k%d", op.Key)
	}
	switch op.Op {
	case protocols.Put, protocols.AppendTo:
		fmt.Fprintf(&b, " %d", op.Arg)
	case protocols.CAS:
		fmt.Fprintf(&b, " %d %d", op.Old, op.Arg)
	case protocols.ReadRange:
		fmt.Fprintf(&b, " from %d at most %d", op.Arg, op.Old)
	}
	b.WriteString(" -> ")
	b.WriteString(formatAnswer(op))
	if op.Return == protocols.Infinity {
		fmt.Fprintf(&b, " [%d, …]", op.Call)
	} else {
		fmt.Fprintf(&b, " [%d, %d]", op.Call, op.Return)
	}
	return b.String()
}

var opNames = [...]string{"noop", "get", "put", "append", "cas", "delete", "increment", "double", "read", "clock", "operation?"}

func formatAnswer(op *protocols.Operation) string {
	switch {
	case op.Outcome == protocols.Unknown:
		return "unknown"
	case op.Outcome == protocols.Failed:
		return "failed"
	}
	switch op.Op {
	case protocols.Noop:
		return "done"
	case protocols.CAS:
		if op.Swapped {
			return fmt.Sprintf("swapped, saw %d", op.Value)
		}
		return fmt.Sprintf("refused, saw %d", op.Value)
	case protocols.Put, protocols.Delete:
		return fmt.Sprintf("saw %d", op.Value)
	case protocols.ReadRange:
		return fmt.Sprintf("length %d %s", op.Value, formatList(op.List))
	case protocols.Get, protocols.AppendTo:
		if len(op.List) > 1 {
			return formatList(op.List)
		}
	}
	return fmt.Sprintf("%d", op.Value)
}

// formatList prints at most the last eight values.
func formatList(list []protocols.Value) string {
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
		fmt.Fprintf(&b, "%d", v)
	}
	b.WriteByte(']')
	return b.String()
}
