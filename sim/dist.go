package sim

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// DistKind is the shape of a [Dist].
type DistKind uint8

const (
	Constant    DistKind = iota // A
	Uniform                     // A..B, both included
	Exponential                 // mean A
	Normal                      // mean A, standard deviation B; cut at 0 and at mean+6·B
	LogNormal                   // median A, 99th percentile B
	Pareto                      // heavy tail: minimum A, cut at B, shape Shape/1000
)

// Dist is a distribution of spans of time. It draws by integers only, so equal
// draws are equal on any machine. The zero value is the constant 0. Make one
// with ParseDist or the functions below, which check it.
type Dist struct {
	Kind  DistKind
	A, B  protocols.Duration // 0..MaxDist; see DistKind
	Shape int64              // Pareto: thousandths; LogNormal: σ in bits, 32.32 fixed point (derived)
}

// MaxDist is the largest span that a distribution may name. Tails that would
// pass it many times over are cut at 1000 times that.
const MaxDist = protocols.Duration(3_600_000_000_000)

// Exactly returns the distribution that is always d.
func Exactly(d protocols.Duration) Dist { return Dist{Kind: Constant, A: d} }

// Between returns the uniform distribution on min..max.
func Between(min, max protocols.Duration) Dist { return Dist{Kind: Uniform, A: min, B: max} }

// Zero reports whether d is always 0.
func (d Dist) Zero() bool { return d.A == 0 && (d.Kind != Uniform && d.Kind != Normal || d.B == 0) }

// Validate says what is wrong with d.
func (d Dist) Validate() error {
	if d.A < 0 || d.B < 0 {
		return errors.New("want times that are not negative")
	}
	if d.A > MaxDist || d.B > MaxDist {
		return fmt.Errorf("too large; the largest span is %s", FormatDuration(MaxDist))
	}
	switch d.Kind {
	case Uniform:
		if d.A > d.B {
			return fmt.Errorf("the minimum %s is above the maximum %s", FormatDuration(d.A), FormatDuration(d.B))
		}
	case LogNormal:
		if d.A <= 0 || d.B < d.A {
			return errors.New("want 0 < median <= 99th percentile")
		}
		if d.Shape != sigmaOf(d.A, d.B) {
			return errors.New("the shape does not fit median and 99th percentile; use ParseDist")
		}
	case Pareto:
		if d.A <= 0 || d.B < d.A {
			return errors.New("want 0 < minimum <= cut")
		}
		if d.Shape < 100 || d.Shape > 100_000 {
			return errors.New("the shape must be within 0.1..100")
		}
	}
	if d.Kind > Pareto {
		return fmt.Errorf("unknown kind %d", d.Kind)
	}
	return nil
}

// distForms is what errors say is wanted.
const distForms = "want a span (1ms), a range (1ms..2ms), exp(mean), normal(mean,sd), lognormal(median,p99) or pareto(min,shape[,cut])"

// ParseDist reads what String prints: "1ms", "1ms..2ms", "exp(5ms)",
// "normal(1ms,200us)", "lognormal(1ms,5ms)", "pareto(1ms,1.5,1s)" (without a cut
// it is 1000 times the minimum).
func ParseDist(text string) (Dist, error) {
	d, err := parseDist(strings.TrimSpace(text))
	if err == nil {
		err = d.Validate()
	}
	if err != nil {
		return Dist{}, fmt.Errorf("distribution %q: %w", text, err)
	}
	return d, nil
}

func parseDist(s string) (Dist, error) {
	if from, to, ok := strings.Cut(s, ".."); ok {
		a, b, err := parseTwo(from, to)
		return Dist{Kind: Uniform, A: a, B: b}, err
	}
	name, inner, ok := strings.Cut(s, "(")
	if !ok {
		a, err := ParseDuration(s)
		if err != nil {
			err = fmt.Errorf("%w; %s", err, distForms)
		}
		return Dist{Kind: Constant, A: a}, err
	}
	inner, ok = strings.CutSuffix(inner, ")")
	args := strings.Split(inner, ",")
	switch name = strings.TrimSpace(name); {
	case !ok:
		return Dist{}, errors.New("the closing parenthesis is missing")
	case name == "exp" && len(args) == 1:
		a, err := ParseDuration(args[0])
		return Dist{Kind: Exponential, A: a}, err
	case name == "normal" && len(args) == 2:
		a, b, err := parseTwo(args[0], args[1])
		return Dist{Kind: Normal, A: a, B: b}, err
	case name == "lognormal" && len(args) == 2:
		a, b, err := parseTwo(args[0], args[1])
		return Dist{Kind: LogNormal, A: a, B: b, Shape: sigmaOf(a, b)}, err
	case name == "pareto" && (len(args) == 2 || len(args) == 3):
		return parsePareto(args)
	}
	return Dist{}, errors.New(distForms)
}

func parsePareto(args []string) (Dist, error) {
	a, err := ParseDuration(args[0])
	if err != nil {
		return Dist{}, err
	}
	shape, err := parseDecimal(strings.TrimSpace(args[1]), 3)
	if err != nil {
		return Dist{}, err
	}
	d := Dist{Kind: Pareto, A: a, B: MaxDist, Shape: shape}
	if a < MaxDist/1000 {
		d.B = a * 1000
	}
	if len(args) == 3 {
		d.B, err = ParseDuration(args[2])
	}
	return d, err
}

func parseTwo(from, to string) (a, b protocols.Duration, err error) {
	if a, err = ParseDuration(from); err == nil {
		b, err = ParseDuration(to)
	}
	return a, b, err
}

// String prints the exact form that ParseDist reads back unchanged.
func (d Dist) String() string {
	a, b := FormatDuration(d.A), FormatDuration(d.B)
	switch d.Kind {
	case Uniform:
		return a + ".." + b
	case Exponential:
		return "exp(" + a + ")"
	case Normal:
		return "normal(" + a + "," + b + ")"
	case LogNormal:
		return "lognormal(" + a + "," + b + ")"
	case Pareto:
		return "pareto(" + a + "," + formatDecimal(d.Shape, 3) + "," + b + ")"
	}
	return a
}

// Draw returns the value that the random word u stands for, in nanoseconds,
// never below 0.
func (d *Dist) Draw(u uint64) protocols.Duration {
	switch d.Kind {
	case Uniform:
		return d.A + protocols.Duration(below(u, uint64(d.B-d.A)+1))
	case Exponential:
		// mean · -ln(u), with -ln(u) = -log2(u) · ln 2
		e, _ := bits.Mul64(negLog2(u)<<24, ln2<<8)
		hi, lo := bits.Mul64(uint64(d.A), e)
		return protocols.Duration(hi<<32 | lo>>32)
	case Normal:
		return max(0, d.A+protocols.Duration(int64(d.B)*gauss(u)>>16))
	case LogNormal:
		return scale(d.A, mulShift16(d.Shape, gauss(u)))
	case Pareto:
		return min(d.B, scale(d.A, int64(negLog2(u)*1000/uint64(d.Shape))))
	}
	return d.A
}
