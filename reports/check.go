package reports

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/histories"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// shownOperations is how many operations of a minimal set are printed.
const shownOperations = 20

// CheckedHistory is a history from a file with its judgement.
type CheckedHistory struct {
	File    string
	Verdict checker.Verdict
	Report  checker.Report
	// Reason says why the verdict is inconclusive.
	Reason string
	// Minimal explains a violation, where there is one.
	Minimal *checker.Minimal
	Holds   checker.Holds

	history *histories.History
}

// CheckHistory judges a history: linearizability first and, if that does not hold or
// they are asked for, which weaker guarantees do. A history without an operation is
// not decided.
func CheckHistory(file string, h *histories.History, budget checker.Budget, guarantees bool) *CheckedHistory {
	c := &CheckedHistory{File: file, history: h}
	opt := h.Options()
	opt.Budget = budget
	if len(h.Operations) == 0 {
		c.Verdict, c.Reason = checker.Inconclusive, "no operation: nothing was put on trial"
		return c
	}
	parts := checker.Plan(h.Operations, opt)
	reports := make([]checker.PartReport, len(parts))
	for i := range parts {
		reports[i] = parts[i].Check()
	}
	c.Report = checker.Join(reports)
	c.Verdict, c.Reason = c.Report.Verdict, c.Report.Reason
	for i := range parts {
		if reports[i].Verdict == checker.Violation {
			if m, ok := parts[i].Minimise(reports[i].Counterexample); ok {
				c.Minimal = &m
			}
			break
		}
	}
	if c.Verdict == checker.OK && !guarantees {
		return c
	}
	sessions := make([]int32, len(h.Operations))
	for i := range h.Operations {
		sessions[i] = h.Processes[h.Operations[i].Seq-1]
	}
	opt.Linearizable = c.Verdict == checker.OK
	c.Holds = checker.WhatHolds(h.Operations, sessions, opt)
	return c
}

// Code returns the exit code of the verdict.
func (c *CheckedHistory) Code() int {
	switch c.Verdict {
	case checker.OK:
		return scenarios.CodeOK
	case checker.Violation:
		return scenarios.CodeViolation
	}
	return scenarios.CodeInconclusive
}

// WriteText writes the judgement as plain text.
func (c *CheckedHistory) WriteText(w io.Writer, paint Paint) error {
	b := bufio.NewWriter(w)
	verdict := c.Verdict.String()
	switch c.Verdict {
	case checker.OK:
		verdict = paint.Good(verdict)
	case checker.Violation:
		verdict = paint.Bad(verdict)
	default:
		verdict = paint.Odd(verdict)
	}
	fmt.Fprintf(b, "%s  %s: %s", paint.Strong(Clean(c.File)), c.history.Model, verdict)
	x := c.Report.Counterexample
	if x != nil {
		fmt.Fprintf(b, " (%s)", x.Class)
	}
	b.WriteByte('\n')
	if c.Reason != "" {
		writeBlock(b, "  ", text.WrapSoft(CleanLines(c.Reason), 96))
	}
	if x != nil {
		fmt.Fprintf(b, "  %s%s\n", paint.Bad(scenarios.CheckLinearizability), where(c.history.Key(x.Key)))
		writeBlock(b, "    ", text.WrapSoft(CleanLines(x.Text), 96))
		c.writeMinimal(b, paint)
	}
	b.WriteByte('\n')
	t := plainTable()
	outcomes := c.outcomes()
	t.AppendRow(table.Row{"operations", fmt.Sprintf("%d ok, %d failed, %d unknown", outcomes.OK, outcomes.Failed, outcomes.Unknown)})
	if len(c.Report.Parts) > 0 {
		t.AppendRow(table.Row{"judged by", judged(c.judged())})
	}
	if len(c.Holds.Findings) > 0 {
		t.AppendRow(table.Row{"strongest", Clean(c.Holds.Strongest())})
		for _, line := range findings(c.Holds.Findings) {
			t.AppendRow(table.Row{"", line})
		}
		if s := c.Holds.Staleness; s.Decided {
			behind := fmt.Sprintf("%d of %d answers; at most %s behind", s.Stale, s.Reads, plural(int(s.Versions), "write"))
			if c.history.Timed {
				behind += ", " + Duration(s.Nanoseconds)
			}
			t.AppendRow(table.Row{"staleness", behind})
		}
		if effects := c.Holds.Effects.String(); effects != "" {
			t.AppendRow(table.Row{"last answers", effects})
		}
	}
	writeTable(b, t, "  ")
	return b.Flush()
}

func where(key string) string {
	if key == "" {
		return ""
	}
	return "  key " + Clean(key)
}

// findings says what was found of each guarantee, and once what keeps neighbours from
// being decided.
func findings(all []checker.Finding) []string {
	var lines []string
	for i := 0; i < len(all); {
		f := all[i]
		names := []string{f.Guarantee.String()}
		for i++; i < len(all) && f.Verdict == checker.Inconclusive && all[i].Verdict == f.Verdict && all[i].Text == f.Text; i++ {
			names = append(names, all[i].Guarantee.String())
		}
		lines = append(lines, strings.Join(names, ", ")+": "+finding(f))
	}
	return lines
}

func finding(f checker.Finding) string {
	switch f.Verdict {
	case checker.OK:
		return "holds"
	case checker.Violation:
		return "broken: " + Clean(f.Text)
	}
	return "not decided: " + Clean(f.Text)
}

// minimalOptions says how the operations of the minimal set are judged and printed.
func (c *CheckedHistory) minimalOptions() checker.Options {
	opt := c.history.Options()
	opt.Blind = c.Minimal.Blind
	return opt
}

// writeMinimal writes the operations that cannot be put into one order.
func (c *CheckedHistory) writeMinimal(b *bufio.Writer, paint Paint) {
	m := c.Minimal
	if m == nil {
		return
	}
	if m.Explained > 0 && c.Report.Counterexample.Check != checker.ByPorcupine { // whose text says so
		fmt.Fprintf(b, "    Of the %d operations up to the contradiction the longest possible order has %d.\n", m.Prefix, m.Explained)
	}
	title := "no order for these"
	if m.Proven {
		title += ", and none of them can be left out"
	}
	b.WriteString("\n" + paint.Strong(title) + "\n")
	opt := c.minimalOptions()
	for i := range m.Operations[:min(len(m.Operations), shownOperations)] {
		fmt.Fprintf(b, "  %s\n", Clean(checker.Describe(&m.Operations[i], opt)))
	}
	if more := len(m.Operations) - shownOperations; more > 0 {
		fmt.Fprintf(b, "  and %d more\n", more)
	}
	for _, u := range m.Unwritten {
		fmt.Fprintf(b, "  %s\n", Clean(u.Text(opt)))
	}
	if c.history.Counted() {
		b.WriteString("  Instants count the events of clients in the file, from 1.\n")
	}
}

func (c *CheckedHistory) outcomes() scenarios.Operations {
	var o scenarios.Operations
	for i := range c.history.Operations {
		switch c.history.Operations[i].Outcome {
		case protocols.Done:
			o.OK++
		case protocols.Failed:
			o.Failed++
		default:
			o.Unknown++
		}
	}
	return o
}

func (c *CheckedHistory) judged() scenarios.Judged {
	j := scenarios.Judged{Partitions: len(c.Report.Parts), OutOfBudget: c.Report.CrossExhausted}
	for _, by := range checker.Deciders() {
		if c.Report.Decided(by) > 0 {
			j.Deciders = append(j.Deciders, by.String())
		}
	}
	return j
}

// checkedLine is the object that --json prints for one history. Its keys are fixed:
// scripts depend on them.
type checkedLine struct {
	File       string               `json:"file"`
	Model      string               `json:"model"`
	Verdict    checker.Verdict      `json:"verdict"`
	Class      checker.Class        `json:"class,omitempty"`
	Reason     string               `json:"reason,omitempty"`
	Key        string               `json:"key,omitempty"`
	Operations scenarios.Operations `json:"operations"`
	Parts      int                  `json:"parts"`
	Deciders   []string             `json:"deciders"`
	Steps      int64                `json:"steps"`
	Minimal    []string             `json:"minimal,omitempty"`
	Proven     bool                 `json:"minimal_proven,omitempty"`
	Unwritten  []string             `json:"unwritten,omitempty"`
	Prefix     int                  `json:"prefix,omitempty"`
	Longest    int                  `json:"longest_order,omitempty"`
	Strongest  string               `json:"strongest,omitempty"`
	Guarantees []guaranteeLine      `json:"guarantees,omitempty"`
	Staleness  *stalenessLine       `json:"staleness,omitempty"`
	Effects    *checker.Effects     `json:"effects,omitempty"`
}

type guaranteeLine struct {
	Name    checker.Guarantee `json:"name"`
	Verdict checker.Verdict   `json:"verdict"`
	Reason  string            `json:"reason,omitempty"`
}

type stalenessLine struct {
	Reads    int    `json:"reads"`
	Stale    int    `json:"stale"`
	Versions int64  `json:"versions"`
	TimeNS   *int64 `json:"time_ns,omitempty"` // where the history has times
}

// WriteJSON writes the judgement as one JSON object on one line.
func (c *CheckedHistory) WriteJSON(w io.Writer) error {
	l := checkedLine{File: c.File, Model: c.history.Model, Verdict: c.Verdict, Reason: c.Reason, Operations: c.outcomes(),
		Parts: len(c.Report.Parts), Deciders: c.judged().Deciders}
	for i := range c.Report.Parts {
		l.Steps += c.Report.Parts[i].Steps
	}
	if x := c.Report.Counterexample; x != nil {
		l.Class, l.Reason, l.Key = x.Class, x.Text, c.history.Key(x.Key)
	}
	if m := c.Minimal; m != nil {
		l.Proven, l.Prefix, l.Longest = m.Proven, m.Prefix, m.Explained
		opt := c.minimalOptions()
		for i := range m.Operations {
			l.Minimal = append(l.Minimal, checker.Describe(&m.Operations[i], opt))
		}
		for _, u := range m.Unwritten {
			l.Unwritten = append(l.Unwritten, u.Text(opt))
		}
	}
	if len(c.Holds.Findings) > 0 {
		if l.Strongest = c.Holds.Strongest(); c.Verdict == checker.OK {
			l.Strongest = scenarios.Linearizability
		}
		for _, f := range c.Holds.Findings {
			l.Guarantees = append(l.Guarantees, guaranteeLine{f.Guarantee, f.Verdict, f.Text})
		}
	}
	if s := c.Holds.Staleness; s.Decided {
		l.Staleness = &stalenessLine{Reads: s.Reads, Stale: s.Stale, Versions: s.Versions}
		if c.history.Timed {
			l.Staleness.TimeNS = &s.Nanoseconds
		}
	}
	if len(c.Holds.Findings) > 0 {
		l.Effects = &c.Holds.Effects
	}
	return encode(w, l, "")
}

// WriteHTML writes a page with the picture of a violation.
func (c *CheckedHistory) WriteHTML(w io.Writer) error {
	x := c.Report.Counterexample
	if x == nil {
		return fmt.Errorf("%s: no violation to draw", Clean(c.File))
	}
	ops, opt := x.Operations, c.history.Options()
	if c.Minimal != nil {
		ops, opt = c.Minimal.Operations, c.minimalOptions()
	}
	title := fmt.Sprintf("%s: %s: %s", c.File, x.Class, x.Text)
	return checker.WritePicture(w, ops, c.history.Marks, Clean(title), opt)
}
