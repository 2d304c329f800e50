package checker

import "github.com/lockstep-sim/lockstep/protocols"

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
	Class Class   // what is wrong, as clients could see it
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
