package reports

import (
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// Paint colours text where the reader's terminal can show it. The zero value
// leaves text plain.
type Paint bool

func (p Paint) with(color text.Color, s string) string {
	if !p {
		return s
	}
	return text.Escape(s, color.EscapeSeq())
}

// Good paints what is as it should be.
func (p Paint) Good(s string) string { return p.with(text.FgGreen, s) }

// Bad paints what is wrong.
func (p Paint) Bad(s string) string { return p.with(text.FgRed, s) }

// Odd paints what needs a look.
func (p Paint) Odd(s string) string { return p.with(text.FgYellow, s) }

// Strong paints headings.
func (p Paint) Strong(s string) string { return p.with(text.Bold, s) }

func (p Paint) verdict(r *scenarios.Result) string {
	switch {
	case r.Code() == scenarios.CodeOK:
		return p.Good(r.Verdict.String())
	case r.Verdict == checker.Violation:
		return p.Bad(r.Verdict.String())
	case r.Verdict == checker.OK:
		return p.Odd("ok, but not all that was expected")
	}
	return p.Odd(r.Verdict.String())
}

func (p Paint) met(ok bool) string {
	if ok {
		return p.Good("✓")
	}
	return p.Bad("✗")
}

// Duration prints nanoseconds with three significant digits and a unit: 2.10s,
// 48.2ms, 412ms, 350us. It rounds half up. From 1000 s on it prints hours, minutes and
// tenths of a second: 12h0m0.2s.
func Duration(ns int64) string {
	if ns < 0 {
		return "-" + Duration(-ns)
	}
	if ns == 0 {
		return "0s"
	}
	if ns >= 1_000_000_000_000 {
		return time.Duration(ns).Round(100 * time.Millisecond).String()
	}
	if ns < 1000 {
		return strconv.FormatInt(ns, 10) + "ns"
	}
	for _, u := range []struct {
		size int64
		name string
	}{{1e3, "us"}, {1e6, "ms"}, {1e9, "s"}} {
		digits, decimals := ns/(u.size/100), 2 // in hundredths of the unit
		rounding := ns % (u.size / 100) * 2
		if rounding >= u.size/100 {
			digits++
		}
		for digits >= 1000 && decimals > 0 { // 12.34 shows as 12.3
			decimals--
			scale := u.size / pow10(decimals)
			digits = (ns + scale/2) / scale
		}
		if digits < 1000 || u.name == "s" {
			return fixed(digits, decimals) + u.name
		}
	}
	panic("unreachable: the last unit always returns")
}

// Instant prints a time of a run to the microsecond: 2.180355s, 12h0m0.15s.
func Instant(ns int64) string { return time.Duration(ns).Round(time.Microsecond).String() }

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// fixed prints v / 10^decimals.
func fixed(v int64, decimals int) string {
	s := strconv.FormatInt(v, 10)
	if decimals == 0 {
		return s
	}
	for len(s) <= decimals {
		s = "0" + s
	}
	return s[:len(s)-decimals] + "." + s[len(s)-decimals:]
}
