package reproduce

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// Figure is what came of one published figure or law.
type Figure struct {
	Name      string   `json:"name"`
	Title     string   `json:"title"`
	Source    string   `json:"source"`
	Model     string   `json:"model"`     // what was simulated
	Scenarios []string `json:"scenarios"` // that it was simulated with
	Runs      int      `json:"runs"`      // simulations
	Rows      []Row    `json:"rows"`
	Remarks   []string `json:"remarks,omitempty"` // causes of misses, and what the rows do not say

	plots []reports.NamedFigure
}

// Verdict says whether a row is within its tolerance.
type Verdict string

// The verdicts.
const (
	Met    Verdict = "met"
	Missed Verdict = "MISSED"
	Shown  Verdict = "shown" // there is nothing to hold it to
)

// Row compares one published value with ours. Texts are for readers; Number and Theirs
// are in Unit, and absent where the values are no numbers.
type Row struct {
	What       string   `json:"what"`
	Published  string   `json:"published"`
	Ours       string   `json:"ours"`
	Difference string   `json:"difference,omitempty"`
	Tolerance  string   `json:"tolerance,omitempty"`
	Verdict    Verdict  `json:"verdict"`
	Unit       string   `json:"unit,omitempty"`
	Theirs     *float64 `json:"published_value,omitempty"`
	Number     *float64 `json:"our_value,omitempty"`
}

// Missed returns how many rows are outside their tolerance.
func (f *Figure) Missed() int {
	n := 0
	for _, r := range f.Rows {
		if r.Verdict == Missed {
			n++
		}
	}
	return n
}

// numbers is a row of two numbers without a verdict, with the difference in percent.
func numbers(what, unit string, published, ours float64) Row {
	r := Row{What: what, Published: figureText(published, unit), Ours: figureText(ours, unit), Verdict: Shown, Unit: unit, Theirs: &published, Number: &ours}
	if unit == "%" {
		r.Difference = fmt.Sprintf("%+.2f points", ours-published)
	} else if published != 0 {
		r.Difference = fmt.Sprintf("%+.1f %%", 100*(ours-published)/published)
	}
	return r
}

// within is a row that may differ by tolerance, in unit.
func within(what, unit string, published, ours, tolerance float64, text string) Row {
	r := numbers(what, unit, published, ours)
	r.Tolerance, r.Verdict = text, Missed
	if math.Abs(ours-published) <= tolerance {
		r.Verdict = Met
	}
	return r
}

// exactly is a row that may not differ.
func exactly(what, unit string, published, ours float64) Row {
	r := within(what, unit, published, ours, 0, "0")
	if ours == published {
		r.Difference = "0"
	}
	return r
}

// said is a row of words that are to be equal.
func said(what, published, ours string) Row {
	r := Row{What: what, Published: published, Ours: ours, Tolerance: "0", Verdict: Missed}
	if published == ours {
		r.Verdict = Met
	}
	return r
}

func figureText(v float64, unit string) string {
	decimals := 1
	switch {
	case unit == "%":
		decimals = 2
	case v == math.Trunc(v) && math.Abs(v) < 1e15 || math.Abs(v) >= 10_000:
		decimals = 0
	case math.Abs(v) < 10:
		decimals = 3
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if unit != "" {
		s += " " + unit
	}
	return s
}

// Options say how much is simulated.
type Options struct {
	Elections int // in each distribution
	Workers   int // at a time; no result depends on it
	Protocols []*protocols.Protocol
}

// lab is where one figure is made.
type lab struct {
	ctx context.Context
	Options
	figure *Figure
}

// protocol returns a protocol by name.
func (l *lab) protocol(name string) (*protocols.Protocol, error) {
	for _, p := range l.Protocols {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s needs the protocol %s, which this program does not have", l.figure.Name, name)
}

// load reads a shipped scenario, with other values for some keys, and notes that the
// figure is made with it.
func (l *lab) load(name string, set ...string) (*scenarios.Scenario, error) {
	sc, _, err := scenarios.Load(name, l.Protocols)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(set); i += 2 {
		if err := scenarios.Set(sc, set[i], set[i+1], l.Protocols); err != nil {
			return nil, err
		}
	}
	for _, known := range l.figure.Scenarios {
		if known == name {
			return sc, nil
		}
	}
	l.figure.Scenarios = append(l.figure.Scenarios, name)
	return sc, nil
}

func (l *lab) add(rows ...Row) { l.figure.Rows = append(l.figure.Rows, rows...) }

func (l *lab) remark(format string, args ...any) {
	l.figure.Remarks = append(l.figure.Remarks, fmt.Sprintf(format, args...))
}

// entry is one figure that can be made.
type entry struct {
	Figure
	make func(*lab) error
}

// Names lists what can be reproduced, in order.
func Names() []string {
	var names []string
	for _, e := range entries() {
		names = append(names, e.Name)
	}
	return names
}

// Title returns the title of what has that name.
func Title(name string) string {
	for _, e := range entries() {
		if e.Name == name {
			return e.Title
		}
	}
	return ""
}

// Make reproduces what has that name. Equal options, but for Workers, give the equal
// figure. Errors: an unknown name, a protocol that is not there, a setting that the
// engine refuses, the end of ctx.
func Make(ctx context.Context, name string, o Options) (*Figure, error) {
	for _, e := range entries() {
		if e.Name == name {
			f := e.Figure
			if err := e.make(&lab{ctx, o, &f}); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return &f, nil
		}
	}
	return nil, fmt.Errorf("nothing published is called %q%s (lockstep reproduce --help lists what is)", name, scenarios.DidYouMean(name, Names()))
}
