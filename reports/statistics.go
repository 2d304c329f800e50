package reports

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Median returns the middle of values, or the lower of the two middle ones; 0 for
// none. values is not changed.
func Median(values []int64) int64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[(len(sorted)-1)/2]
}

// confidence is that of the intervals of medians.
const confidence = 0.95

// MedianInterval returns a confidence interval of the median of what values were
// drawn from: the two order statistics between which it lies with a probability of
// at least 95 %, whatever the distribution is (Conover, Practical Nonparametric
// Statistics, section 3.2). known is false for fewer than 6 values: not even the
// smallest and the largest enclose it so surely.
func MedianInterval(values []int64) (low, high int64, known bool) {
	n := len(values)
	coin := distuv.Binomial{N: float64(n), P: 0.5}
	outside := -1 // the largest k with P(fewer than k+1 of n below the median) <= 2.5 %
	for outside+1 < (n+1)/2 && coin.CDF(float64(outside+1)) <= (1-confidence)/2 {
		outside++
	}
	if outside < 0 {
		return 0, 0, false
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[outside], sorted[n-1-outside], true
}

// exactLimit bounds the pairs for which the distribution of the signed-rank sum
// is counted out; beyond it the normal distribution is close.
const exactLimit = 60

// SignedRank returns the two-sided p-value of Wilcoxon's signed-rank test: how
// likely differences as lopsided as these are when neither side tends to be
// larger. Runs of the same seed see the same faults and link conditions, so pairs
// by seed say more than two unpaired samples.
//
// Pairs without a difference are dropped and ties share their mean rank. Up to 60
// pairs the probability is exact, also under ties; above that it is the normal
// approximation with the tie and continuity corrections. Without any difference
// it is 1.
func SignedRank(a, b []int64) float64 {
	var differences []int64
	for i := range min(len(a), len(b)) {
		if d := b[i] - a[i]; d != 0 {
			differences = append(differences, d)
		}
	}
	n := len(differences)
	if n == 0 {
		return 1
	}
	ranks, ties := doubledRanks(differences)
	positive, total := 0, 0
	for i, r := range ranks {
		total += r
		if differences[i] > 0 {
			positive += r
		}
	}
	low := min(positive, total-positive) // the distribution is symmetric
	if n <= exactLimit {
		return min(1, 2*lowerTail(ranks, total, low))
	}
	count := float64(n)
	deviation := math.Sqrt(count*(count+1)*(2*count+1)/24 - ties/48)
	z := (float64(low)/2 + 0.5 - count*(count+1)/4) / deviation
	return min(1, 2*distuv.UnitNormal.CDF(z))
}

// doubledRanks ranks the absolute differences, twice over so that the mean rank
// of a tie is a whole number, and sums t³-t over the ties. It orders differences
// by size.
func doubledRanks(differences []int64) (ranks []int, ties float64) {
	slices.SortFunc(differences, func(x, y int64) int { return cmp.Compare(magnitude(x), magnitude(y)) })
	for i := 0; i < len(differences); {
		j := i
		for j < len(differences) && magnitude(differences[j]) == magnitude(differences[i]) {
			j++
		}
		for range j - i {
			ranks = append(ranks, i+1+j)
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return ranks, ties
}

func magnitude(d int64) uint64 {
	if d < 0 {
		return -uint64(d)
	}
	return uint64(d)
}

// lowerTail returns the probability that the doubled ranks of the positive
// differences sum to at most low when every sign is a fair coin.
func lowerTail(ranks []int, total, low int) float64 {
	probability := make([]float64, total+1)
	probability[0] = 1
	reached := 0
	for _, r := range ranks {
		reached += r
		for s := reached; s >= 0; s-- {
			p := probability[s] / 2
			if s >= r {
				p += probability[s-r] / 2
			}
			probability[s] = p
		}
	}
	sum := 0.0
	for s := 0; s <= low; s++ {
		sum += probability[s]
	}
	return sum
}
