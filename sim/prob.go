package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Prob is a probability in parts per billion, 0..Always. It is an integer so
// that a decision never depends on how a machine rounds.
type Prob int64

// Always is certainty.
const Always Prob = 1_000_000_000

// ParseProb reads a percentage ("5%", "0.1%") or a fraction ("0.05"). At most
// nine decimals of a fraction, seven of a percentage, can be kept; more is an
// error, as is anything outside 0..100%.
func ParseProb(text string) (Prob, error) {
	s := strings.TrimSpace(text)
	decimals := 9
	if t, ok := strings.CutSuffix(s, "%"); ok {
		s, decimals = strings.TrimSpace(t), 7
	}
	n, err := parseDecimal(s, decimals)
	switch {
	case err != nil:
		return 0, fmt.Errorf("probability %q: %w; want one such as 5%% or 0.05", text, err)
	case n < 0 || n > int64(Always):
		return 0, fmt.Errorf("probability %q is outside 0%%..100%%", text)
	}
	return Prob(n), nil
}

// String prints a percentage that ParseProb reads back unchanged.
func (p Prob) String() string { return formatDecimal(int64(p), 7) + "%" }

// hit decides with the random word u whether something of probability p occurs.
func (p Prob) hit(u uint64) bool { return below(u, uint64(Always)) < uint64(p) }

// valid reports whether p is a probability.
func (p Prob) valid() bool { return p >= 0 && p <= Always }

// parseDecimal reads a decimal number as an integer count of 10^-decimals.
func parseDecimal(s string, decimals int) (int64, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	fraction = strings.TrimRight(fraction, "0")
	switch {
	case whole == "" && (!point || strings.TrimLeft(digits, ".") == ""):
		return 0, fmt.Errorf("%q is no number", s)
	case len(fraction) > decimals:
		return 0, fmt.Errorf("%q has more than %d decimals", s, decimals)
	}
	var n int64
	for _, c := range whole + fraction + strings.Repeat("0", decimals-len(fraction)) {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is no number", s)
		}
		if n > (1<<62)/10 {
			return 0, fmt.Errorf("%q is too large", s)
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, nil
}

// formatDecimal prints n·10^-decimals without trailing zeros.
func formatDecimal(n int64, decimals int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	unit := int64(1)
	for range decimals {
		unit *= 10
	}
	s := fmt.Sprintf("%s%d", sign, n/unit)
	if rest := n % unit; rest != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%0*d", decimals, rest), "0")
	}
	return s
}

// ParseDuration reads a span of time: a number with a unit (ns, us, ms, s, m,
// h), or several without spaces between ("1m30s"). It decides by integers only,
// unlike time.ParseDuration, and needs whole nanoseconds.
func ParseDuration(text string) (protocols.Duration, error) {
	rest := strings.TrimSpace(text)
	rest, negative := strings.CutPrefix(rest, "-")
	if rest == "0" {
		return 0, nil
	}
	if rest == "" {
		return 0, fmt.Errorf("duration %q: nothing there; want a number and a unit, such as 5ms", text)
	}
	var sum int64
	for rest != "" {
		end := strings.IndexFunc(rest, func(c rune) bool { return (c < '0' || c > '9') && c != '.' })
		if end < 0 {
			return 0, fmt.Errorf("duration %q: no unit; want a number and a unit, such as 5ms", text)
		}
		number := rest[:end]
		rest = rest[end:]
		unit, length := unitOf(rest)
		if unit == 0 {
			if rest[0] == ' ' {
				return 0, fmt.Errorf("duration %q: want no space between number and unit, as in 5ms", text)
			}
			return 0, fmt.Errorf("duration %q: unknown unit at %q; units are ns, us, ms, s, m, h", text, rest)
		}
		rest = rest[length:]
		n, err := parseSpan(number, unit)
		if err != nil {
			return 0, fmt.Errorf("duration %q: %w", text, err)
		}
		if sum += n; sum > maxSpan {
			return 0, fmt.Errorf("duration %q is too large; the largest is %s", text, FormatDuration(maxSpan))
		}
	}
	if negative {
		sum = -sum
	}
	return protocols.Duration(sum), nil
}

// maxSpan is the largest span that can be written: about 31 years.
const maxSpan = 1_000_000_000 * 1_000_000_000

// unitOf returns the unit that s begins with, in nanoseconds, and its length.
func unitOf(s string) (unit int64, length int) {
	for _, u := range [...]struct {
		name string
		ns   int64
	}{{"ns", 1}, {"us", 1_000}, {"µs", 1_000}, {"ms", 1_000_000}, {"s", 1_000_000_000}, {"m", 60_000_000_000}, {"h", 3_600_000_000_000}} {
		if strings.HasPrefix(s, u.name) {
			return u.ns, len(u.name)
		}
	}
	return 0, 0
}

// parseSpan returns number·unit in nanoseconds; it must be whole.
func parseSpan(number string, unit int64) (int64, error) {
	whole, fraction, _ := strings.Cut(number, ".")
	n, err := parseDecimal(number, 9)
	if err != nil {
		return 0, err
	}
	w, err := parseDecimal("0"+whole, 0)
	if err != nil {
		return 0, err
	}
	if w > maxSpan/unit {
		return 0, fmt.Errorf("%s is too large; the largest is %s", number, FormatDuration(maxSpan))
	}
	part := n - w*1_000_000_000 // billionths of the unit
	if fraction != "" && unit < 1_000_000_000 && part%(1_000_000_000/unit) != 0 {
		return 0, fmt.Errorf("%s is no whole number of nanoseconds", number)
	}
	if unit < 1_000_000_000 {
		return w*unit + part/(1_000_000_000/unit), nil
	}
	return w*unit + part*(unit/1_000_000_000), nil
}

// FormatDuration prints d so that [ParseDuration] reads it back unchanged, with
// "us" for microseconds and "forever" for [Forever].
func FormatDuration(d protocols.Duration) string {
	if d == Forever {
		return "forever"
	}
	s := strings.Replace(d.String(), "µ", "u", 1)
	if t, ok := strings.CutSuffix(s, "m0s"); ok {
		s = t + "m"
	}
	if t, ok := strings.CutSuffix(s, "h0m"); ok {
		s = t + "h"
	}
	return s
}
