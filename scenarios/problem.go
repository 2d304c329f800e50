package scenarios

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is one thing that is wrong with a scenario, or worth a hint.
type Problem struct {
	File    string // as given to the reader; "" for a scenario made in code
	Line    int    // from 1; 0: no position, because there is no text
	Column  int    // from 1, in characters
	Width   int    // of the offending text, in characters, at least 1
	Text    string // what is wrong and what was wanted
	Source  string // the line of the file
	Warning bool   // a hint: the scenario is used none the less
}

// maxExcerpt bounds the characters of a source line that a problem shows.
const maxExcerpt = 160

// String prints file:line:column and the text, then the source line with a caret
// under the offending text.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(printable(p.File) + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", p.Line, p.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Text)
	if p.Line > 0 && p.Source != "" && p.Column <= maxExcerpt {
		line := []rune(printable(p.Source))
		if len(line) > maxExcerpt {
			line = line[:maxExcerpt]
		}
		width := max(1, min(p.Width, len(line)-p.Column+1))
		number := fmt.Sprintf("%5d", p.Line)
		fmt.Fprintf(&b, "\n%s | %s\n%s | %s%s", number, string(line),
			strings.Repeat(" ", len(number)), strings.Repeat(" ", p.Column-1), strings.Repeat("^", width))
	}
	return b.String()
}

// printable replaces what could move a terminal's cursor or turn the direction of
// writing, one character by one.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

// Problems is a list of problems. As an error it holds at least one that is not a
// warning.
type Problems []Problem

// Error prints all problems and how many errors there are.
func (ps Problems) Error() string {
	var b strings.Builder
	errors := 0
	for _, p := range ps {
		b.WriteString(p.String())
		b.WriteByte('\n')
		if !p.Warning {
			errors++
		}
	}
	if errors == 1 {
		b.WriteString("1 error")
	} else {
		fmt.Fprintf(&b, "%d errors", errors)
	}
	return b.String()
}

// split parts warnings from errors; errors is nil when there is none.
func (ps Problems) split() (warnings Problems, errors error) {
	var bad Problems
	for _, p := range ps {
		if p.Warning {
			warnings = append(warnings, p)
		} else {
			bad = append(bad, p)
		}
	}
	if len(bad) > 0 {
		return warnings, bad
	}
	return warnings, nil
}

// sortProblems orders problems by their place in the file; those without a place
// come last.
func sortProblems(ps Problems) {
	place := func(p Problem) int {
		if p.Line == 0 {
			return math.MaxInt32
		}
		return p.Line
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Column, b.Column))
	})
}
