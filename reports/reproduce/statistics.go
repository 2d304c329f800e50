package reproduce

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lockstep-sim/lockstep/reports"
)

//go:embed curves.csv
var curvesCSV string

// curve returns a published distribution.
func curve(figure, name string) (reports.Published, error) {
	out := reports.Published{Name: name + ", published"}
	rows, err := csv.NewReader(strings.NewReader(curvesCSV)).ReadAll()
	if err != nil {
		return out, fmt.Errorf("curves.csv: %w", err)
	}
	for _, r := range rows {
		if r[0] != figure || r[1] != name {
			continue
		}
		percent, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			return out, fmt.Errorf("curves.csv: %w", err)
		}
		ms, err := strconv.ParseFloat(r[3], 64)
		if err != nil {
			return out, fmt.Errorf("curves.csv: %w", err)
		}
		out.Points = append(out.Points, reports.Quantile{Q: percent / 100, Milliseconds: ms})
	}
	if len(out.Points) == 0 {
		return out, fmt.Errorf("curves.csv has no curve %s of figure %s", name, figure)
	}
	return out, nil
}

// at returns the published value of a percentile.
func at(c reports.Published, q float64) float64 {
	for _, p := range c.Points {
		if math.Abs(p.Q-q) < 1e-9 {
			return p.Milliseconds
		}
	}
	return math.NaN()
}

// fewest is the number of trials from which the tolerances of distributions are meant
// to hold as they are. Below it they are wider by the sampling error.
const fewest = 10_000

// sample is a distribution in milliseconds, sorted.
type sample []float64

func sampled(ns []int64) sample {
	out := make(sample, len(ns))
	for i, v := range ns {
		out[i] = float64(v) / 1e6
	}
	slices.Sort(out)
	return out
}

func (s sample) quantile(q float64) float64 {
	return s[min(max(int(math.Ceil(q*float64(len(s))-1e-9))-1, 0), len(s)-1)]
}

// deviates is the half-width, in standard errors, of the bounds that are set by
// chance alone: the share of correct runs outside both of them is in all.
func deviates(all float64) float64 { return distuv.UnitNormal.Quantile(1 - all/2) }

// chance is the probability with which a model that agrees exactly is reported as a
// miss, over all rows of a figure, where a bound is set by chance.
const chance = 0.01

// meanRow compares means; share is the tolerance.
func (s sample) meanRow(what string, published, share float64) Row {
	mean, deviation := stat.MeanStdDev(s, nil)
	tolerance, text := share*published, fmt.Sprintf("%g %%", 100*share)
	if len(s) < fewest {
		tolerance, text = tolerance+deviates(chance)*deviation/math.Sqrt(float64(len(s))), text+" + sampling"
	}
	return within(what, "ms", published, mean, tolerance, text)
}

// quantileRow compares quantiles; share is the tolerance, 0 for none.
func (s sample) quantileRow(what string, q, published, share float64) Row {
	ours := s.quantile(q)
	if share == 0 {
		return numbers(what, "ms", published, ours)
	}
	tolerance, text := share*published, fmt.Sprintf("%g %%", 100*share)
	if n := float64(len(s)); len(s) < fewest { // the order statistics that bound the quantile
		spread := deviates(chance) * math.Sqrt(q*(1-q)/n)
		tolerance += max(ours-s.quantile(max(q-spread, 0)), s.quantile(min(q+spread, 1))-ours)
		text += " + sampling"
	}
	return within(what, "ms", published, ours, tolerance, text)
}
