package reports

import (
	"math"
	"testing"
)

// bruteForce tries every choice of signs.
func bruteForce(a, b []int64) float64 {
	var differences []int64
	for i := range a {
		if d := b[i] - a[i]; d != 0 {
			differences = append(differences, d)
		}
	}
	if len(differences) == 0 {
		return 1
	}
	ranks, _ := doubledRanks(differences)
	observed, total := 0, 0
	for i, r := range ranks {
		total += r
		if differences[i] > 0 {
			observed += r
		}
	}
	extreme := 0
	for signs := range 1 << len(ranks) {
		sum := 0
		for i, r := range ranks {
			if signs>>i&1 == 1 {
				sum += r
			}
		}
		if math.Abs(float64(2*sum-total)) >= math.Abs(float64(2*observed-total)) {
			extreme++
		}
	}
	return float64(extreme) / float64(int(1)<<len(ranks))
}

func TestSignedRankAgreesWithEnumeration(t *testing.T) {
	state := uint64(7)
	next := func(n uint64) int64 {
		state = state*6364136223846793005 + 1442695040888963407
		return int64(state >> 33 % n)
	}
	for round := range 300 {
		n := 1 + round%12
		a, b := make([]int64, n), make([]int64, n)
		for i := range a {
			a[i], b[i] = next(6), next(9) // small numbers: many ties and zeros
		}
		if got, want := SignedRank(a, b), bruteForce(a, b); math.Abs(got-want) > 1e-12 {
			t.Fatalf("SignedRank(%v, %v) = %v, want %v", a, b, got, want)
		}
		if got, want := SignedRank(b, a), SignedRank(a, b); got != want {
			t.Fatalf("SignedRank is not symmetric for %v, %v: %v and %v", a, b, got, want)
		}
	}
}

func TestSignedRankKnownValues(t *testing.T) {
	shifted := func(n int) (a, b []int64) {
		for i := range n {
			a, b = append(a, 100), append(b, int64(101+i))
		}
		return a, b
	}
	for n, want := range map[int]float64{5: 0.0625, 6: 0.03125, 8: 0.0078125} {
		if got := SignedRank(shifted(n)); got != want {
			t.Errorf("%d pairs, all one way: p = %v, want %v", n, got, want)
		}
	}
	if p := SignedRank([]int64{1, 2}, []int64{1, 2}); p != 1 {
		t.Errorf("no difference at all: p = %v, want 1", p)
	}
	if p := SignedRank(nil, nil); p != 1 {
		t.Errorf("no pairs: p = %v, want 1", p)
	}
}

// Just above exactLimit the normal approximation takes over; it must be close to
// the exact value.
func TestSignedRankApproximation(t *testing.T) {
	n := exactLimit + 1
	a, b := make([]int64, n), make([]int64, n)
	for i := range b {
		b[i] = int64(i + 1)
		if i%3 == 0 {
			b[i] = -b[i]
		}
	}
	differences := append([]int64(nil), b...)
	ranks, _ := doubledRanks(differences)
	positive, total := 0, 0
	for i, r := range ranks {
		total += r
		if differences[i] > 0 {
			positive += r
		}
	}
	exact := 2 * lowerTail(ranks, total, min(positive, total-positive))
	if got := SignedRank(a, b); math.Abs(got-exact) > 0.002 {
		t.Errorf("approximation %v, exact %v", got, exact)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []int64
		want   int64
	}{{nil, 0}, {[]int64{5}, 5}, {[]int64{9, 1, 5}, 5}, {[]int64{4, 1, 3, 2}, 2}} {
		if got := Median(c.values); got != c.want {
			t.Errorf("Median(%v) = %d, want %d", c.values, got, c.want)
		}
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "0s", 1: "1ns", 999: "999ns", 1000: "1.00us", 12_345: "12.3us", 350_000: "350us", 999_499: "999us", 999_500: "1.00ms",
		9_994_999: "9.99ms", 9_995_000: "10.0ms", 48_210_000: "48.2ms", 412_000_000: "412ms", 999_999_999: "1.00s", 2_104_000_000: "2.10s",
		59_949_000_000: "59.9s", 999_994_000_000: "1000s", 1_000_000_000_000: "16m40s", 43_200_150_000_000: "12h0m0.2s", -48_210_000: "-48.2ms",
	} {
		if got := Duration(ns); got != want {
			t.Errorf("Duration(%d) = %s, want %s", ns, got, want)
		}
	}
}

// TestSignedRankAgreesWithPublishedTables: the two-sided 5 % critical values of the
// smaller rank sum, as in Siegel, Nonparametric Statistics (1956), table G.
func TestSignedRankAgreesWithPublishedTables(t *testing.T) {
	for n, critical := range map[int]int{6: 0, 7: 2, 8: 3, 9: 5, 10: 8, 11: 10, 12: 13, 13: 17, 14: 21, 15: 25, 16: 29, 17: 34, 18: 40, 19: 46, 20: 52, 25: 89} {
		for sum, significantly := range map[int]bool{critical: true, critical + 1: false} {
			a, b := make([]int64, n), make([]int64, n)
			rest := sum
			for rank := n; rank > 0; rank-- { // the negative ranks sum to sum
				b[rank-1] = int64(rank)
				if rank <= rest {
					b[rank-1], rest = -b[rank-1], rest-rank
				}
			}
			if p := SignedRank(a, b); rest != 0 || p <= 0.05 != significantly {
				t.Errorf("%d pairs with a rank sum of %d: p = %.4f, want significance at 5 %% to be %t", n, sum, p, significantly)
			}
		}
	}
}

// TestMedianInterval: the order statistics of published tables (Conover, table A3).
func TestMedianInterval(t *testing.T) {
	for n, want := range map[int][2]int64{6: {1, 6}, 10: {2, 9}, 20: {6, 15}, 25: {8, 18}, 30: {10, 21}, 100: {40, 61}} {
		values := make([]int64, n)
		for i := range values {
			values[i] = int64(n - i)
		}
		if low, high, known := MedianInterval(values); !known || [2]int64{low, high} != want {
			t.Errorf("%d values: got %d..%d (%t), want %d..%d", n, low, high, known, want[0], want[1])
		}
	}
	for n := range 6 {
		if _, _, known := MedianInterval(make([]int64, n)); known {
			t.Errorf("%d values have an interval", n)
		}
	}
}

// TestSignedRankAgreesWithR: the example of R's wilcox.test, depression scores at two
// visits (Hollander and Wolfe, 1973, p. 29 f.): V = 40, and a two-sided p-value of 0.03906.
func TestSignedRankAgreesWithR(t *testing.T) {
	first := []int64{1830, 500, 1620, 2480, 1680, 1880, 1550, 3060, 1300}
	second := []int64{878, 647, 598, 2050, 1060, 1290, 1060, 3140, 1290}
	if p := SignedRank(first, second); math.Abs(p-0.0390625) > 1e-12 {
		t.Errorf("p = %v, want 0.0390625", p)
	}
}
