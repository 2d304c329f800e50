package sim

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"pgregory.net/rapid"
)

// quantiles draws n values and returns mean, median and 99th percentile.
func quantiles(d Dist, n int) (mean, median, high protocols.Duration) {
	values := make([]protocols.Duration, n)
	sum := protocols.Duration(0)
	for k := range values {
		values[k] = d.Draw(at(11, 12, uint64(k)))
		sum += values[k]
	}
	slices.Sort(values)
	return sum / protocols.Duration(n), values[n/2], values[n*99/100]
}

func TestDistributions(t *testing.T) {
	const us = protocols.Duration(1000)
	for _, c := range []struct {
		text               string
		mean, median, high protocols.Duration
	}{
		{"1ms", 1000 * us, 1000 * us, 1000 * us},
		{"1ms..3ms", 2000 * us, 2000 * us, 2980 * us},
		{"exp(5ms)", 5000 * us, 3466 * us, 23026 * us},
		{"normal(10ms,2ms)", 10000 * us, 10000 * us, 14653 * us},
		{"lognormal(1ms,5ms)", 1270 * us, 1000 * us, 5000 * us},
		{"pareto(1ms,2,1s)", 1990 * us, 1414 * us, 10000 * us},
	} {
		d, err := ParseDist(c.text)
		if err != nil {
			t.Fatal(err)
		}
		mean, median, high := quantiles(d, 200_000)
		for _, q := range []struct {
			what      string
			got, want protocols.Duration
		}{{"mean", mean, c.mean}, {"median", median, c.median}, {"p99", high, c.high}} {
			if off := (q.got - q.want).Abs(); off > q.want/33 {
				t.Errorf("%s: %s is %s, want %s", c.text, q.what, q.got, q.want)
			}
		}
	}
}

func TestDistTextIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.Int64Range(1, int64(MaxDist))
		a, b := protocols.Duration(span.Draw(t, "a")), protocols.Duration(span.Draw(t, "b"))
		a, b = min(a, b), max(a, b)
		d := Dist{Kind: DistKind(rapid.IntRange(0, int(Pareto)).Draw(t, "kind")), A: a}
		switch d.Kind {
		case Uniform, Normal:
			d.B = b
		case LogNormal:
			d.B, d.Shape = b, sigmaOf(a, b)
		case Pareto:
			d.B, d.Shape = b, rapid.Int64Range(100, 100_000).Draw(t, "shape")
		}
		back, err := ParseDist(d.String())
		if err != nil || back != d {
			t.Fatalf("%+v prints as %s, which reads as %+v, %v", d, d, back, err)
		}
		u := rapid.Uint64().Draw(t, "u")
		if v := d.Draw(u); v < 0 || v > 1000*MaxDist {
			t.Fatalf("%s drew %d", d, v)
		}
	})
}

func TestDistErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"5", "no unit"}, {"", "nothing there"}, {"-1ms", "negative"}, {"5ms..1ms", "above the maximum"},
		{"2h", "too large"}, {"9999999999999h", "too large"}, {"5parsec", "unknown unit"}, {"exp(5ms", "parenthesis"},
		{"exp(1ms,2ms)", "want a span"}, {"weird(1ms)", "want a span"}, {"normal(1ms)", "want a span"},
		{"lognormal(5ms,1ms)", "median"}, {"lognormal(0s,1ms)", "median"}, {"pareto(1ms,0,1s)", "shape"},
		{"pareto(1ms,1.5,1us)", "cut"}, {"0.5ns", "whole number of nanoseconds"}, {"1..2ms", "no unit"}, {"1.2.3ms", "no number"},
		{"exp(-5ms)", "negative"},
	} {
		if _, err := ParseDist(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one about %q", c.text, err, c.want)
		}
	}
	if d, err := ParseDist("pareto(1ms,1.5)"); err != nil || d.String() != "pareto(1ms,1.5,1s)" {
		t.Errorf("without a cut: %s, %v", d, err)
	}
}

// The logarithm is monotone over its whole range and right to 2^-20.
func TestLog2(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Uint64Min(1).Draw(t, "a")
		b := rapid.Uint64Min(a).Draw(t, "b")
		if log2(a) > log2(b) {
			t.Fatalf("log2(%d) > log2(%d)", a, b)
		}
		if a < 1<<63 && log2(2*a)-log2(a) != 1<<32 {
			t.Fatalf("log2(2·%d) is not 1 more", a)
		}
	})
	for i := 1; i < len(log2Table); i++ {
		if log2Table[i] <= log2Table[i-1] || exp2Table[i] <= exp2Table[i-1] {
			t.Fatalf("a table does not rise at %d", i)
		}
	}
	// 3 = 2^1.5849625007…
	if got, want := log2(3), uint64(6807362106); got < want-4096 || got > want+4096 {
		t.Errorf("log2(3) = %d, want about %d", got, want)
	}
}

// Entry i of the power table is 2^(i/1024): its 1024th power is 2^i, exactly
// enough in big integers.
func TestExp2Table(t *testing.T) {
	for _, i := range []int{1, 100, 512, 777, 1023} {
		x := new(big.Float).SetPrec(200).SetUint64(exp2Table[i])
		x.SetMantExp(x, -62)
		for range 10 { // to the power of 1024
			x.Mul(x, x)
		}
		x.SetMantExp(x, -i)
		off := new(big.Float).Sub(x, big.NewFloat(1))
		if off.Abs(off).Cmp(big.NewFloat(1e-12)) > 0 {
			t.Errorf("entry %d: its 1024th power is off by a factor of 1±%g", i, off)
		}
	}
}

func TestGauss(t *testing.T) {
	sum, squares := int64(0), int64(0)
	const n = 100_000
	for k := range uint64(n) {
		z := gauss(at(5, 6, k)) >> 6 // in 1024ths
		sum += z
		squares += z * z
	}
	if m := sum / n; m < -15 || m > 15 {
		t.Errorf("mean %d/1024, want 0", m)
	}
	if v := squares / n; v < 1024*1024*97/100 || v > 1024*1024*103/100 {
		t.Errorf("variance %d, want %d", v, 1024*1024)
	}
}

func TestProb(t *testing.T) {
	for _, c := range []struct {
		text string
		want Prob
		back string
	}{{"5%", 50_000_000, "5%"}, {"0.1%", 1_000_000, "0.1%"}, {"0.05", 50_000_000, "5%"}, {"0", 0, "0%"}, {"1", Always, "100%"}, {"0.0000001%", 1, "0.0000001%"}, {" 30 % ", 300_000_000, "30%"}} {
		p, err := ParseProb(c.text)
		if err != nil || p != c.want || p.String() != c.back {
			t.Errorf("%q: %d %q %v, want %d %q", c.text, p, p, err, c.want, c.back)
		}
	}
	for _, bad := range []string{"150%", "-1%", "", "%", "half", "1.5", "0.00000000001", "99999999999999999999%", ".", "-"} {
		if p, err := ParseProb(bad); err == nil {
			t.Errorf("%q is accepted as %s", bad, p)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := Prob(rapid.Int64Range(0, int64(Always)).Draw(t, "p"))
		if back, err := ParseProb(p.String()); err != nil || back != p {
			t.Fatalf("%d prints as %s, which reads as %d, %v", p, p, back, err)
		}
	})
	if Prob(0).hit(0) || !Always.hit(1<<64-1) {
		t.Error("never and always are not certain")
	}
}

func TestDurations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := protocols.Duration(rapid.Int64Range(-maxSpan, maxSpan).Draw(t, "d"))
		if back, err := ParseDuration(FormatDuration(d)); err != nil || back != d {
			t.Fatalf("%d prints as %s, which reads as %d, %v", d, FormatDuration(d), back, err)
		}
	})
	for text, want := range map[string]protocols.Duration{"1m30s": 90_000_000_000, "1.5ms": 1_500_000, "0": 0, "200µs": 200_000, "1h": 3_600_000_000_000} {
		if d, err := ParseDuration(text); err != nil || d != want {
			t.Errorf("%q: %d, %v", text, d, err)
		}
	}
}
