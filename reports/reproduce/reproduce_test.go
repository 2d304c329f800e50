package reproduce

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
)

// known are the rows that miss at any number of trials, and whose cause is a remark.
var known = []string{"150-151ms: the typical election takes longer than a second"}

func made(t *testing.T, name string, workers int, list []*protocols.Protocol) *Figure {
	t.Helper()
	f, err := Make(t.Context(), name, Options{Elections: 500, Workers: workers, Protocols: list})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFigures: with few trials, every row is within its tolerance, widened by the
// sampling error, but for those that are known to miss; and nothing depends on the
// number of workers.
func TestFigures(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			f := made(t, name, 2, all.List())
			if len(f.Rows) < 3 && name != "network-card" || len(f.Scenarios) == 0 || f.Runs == 0 {
				t.Errorf("an empty figure: %+v", f)
			}
			for _, r := range f.Rows {
				if (r.Verdict == Missed) != slices.Contains(known, r.What) {
					t.Errorf("%s: published %s, ours %s (%s, tolerance %s): %s", r.What, r.Published, r.Ours, r.Difference, r.Tolerance, r.Verdict)
				}
			}
			if f.Missed() > 0 && !strings.HasPrefix(strings.Join(f.Remarks, "\n"), "The miss: ") {
				t.Error("a miss without its cause")
			}
			var one, two bytes.Buffer
			if err := WriteJSON(&one, []*Figure{f}); err != nil {
				t.Fatal(err)
			}
			if err := WriteJSON(&two, []*Figure{made(t, name, 3, all.List())}); err != nil {
				t.Fatal(err)
			}
			if one.String() != two.String() {
				t.Error("the figure depends on the number of workers")
			}
		})
	}
}

// TestMisses: what is not as published is shown as a miss.
func TestMisses(t *testing.T) {
	slow := *all.List()[0]
	if slow.Name != "raft" {
		t.Fatal("want Raft first")
	}
	laws := slow.Laws
	slow.Laws = func() []protocols.Law {
		list := laws()
		cost := list[0].Cost
		list[0].Cost = func(n int) protocols.Cost { c := cost(n); c.Delays, c.Writes = c.Delays+1, c.Writes+1; return c }
		return list
	}
	list := append([]*protocols.Protocol{&slow}, all.List()[1:]...)
	for _, name := range []string{"message-delays", "disk-writes"} {
		if n := made(t, name, 2, list).Missed(); n != 1 {
			t.Errorf("%s: a law with one delay too many misses %d times, want 1", name, n)
		}
	}
	l := &lab{t.Context(), Options{Elections: 2000, Workers: 2, Protocols: all.List()}, &Figure{}}
	times, err := l.failovers("150ms..300ms", "75ms", 2000, patience.Sub(0), "parameters.raft.election_timer", "each-term")
	if err != nil {
		t.Fatal(err)
	}
	if r := sampled(times).meanRow("mean", 181, 0.05); r.Verdict != Missed {
		t.Errorf("another rule for the election timer is within the tolerance: %+v", r)
	}
	if r := within("x", "ms", 100, 101.1, 1, "1 %"); r.Verdict != Missed || r.Difference != "+1.1 %" {
		t.Errorf("%+v", r)
	}
	if r := exactly("x", "d", 4, 4.000001); r.Verdict != Missed {
		t.Errorf("%+v", r)
	}
}

// TestSplitVotesElsewhere: the binomial bound sees a latency that is off by a tenth.
func TestSplitVotesElsewhere(t *testing.T) {
	l := &lab{t.Context(), Options{Elections: 20_000, Workers: 2, Protocols: all.List()}, &Figure{}}
	sc, err := l.load("raft-split-vote", "network.latency", "44ms")
	if err != nil {
		t.Fatal(err)
	}
	terms, err := l.elections(sc, l.Elections, func(o *elected) int64 { return int64(min(o.epoch, 2)) })
	if err != nil {
		t.Fatal(err)
	}
	split := 0.0
	for _, term := range terms {
		split += float64(term - 1)
	}
	share := split / float64(len(terms))
	p := splitProbability(5, 3, 0.2)
	if bound := deviates(chance/16) * math.Sqrt(p*(1-p)/float64(len(terms))); math.Abs(share-p) <= bound {
		t.Errorf("%.3f is within %.3f of %.3f", share, bound, p)
	}
	if p := splitProbability(5, 3, 0.22); math.Abs(share-p) > 0.02 {
		t.Errorf("with l = 0.22 the closed form gives %.3f, and %.3f were split", p, share)
	}
}

// TestSplitProbability holds the closed form to the table of the dissertation.
func TestSplitProbability(t *testing.T) {
	for _, c := range []struct {
		n, s int
		l    float64
		want float64
	}{{3, 2, 0.05, 9.75}, {5, 4, 0.2, 18.1}, {5, 3, 0.2, 48.8}, {5, 3, 0.3, 65.7}, {7, 6, 0.2, 9.9}} {
		if got := 100 * splitProbability(c.n, c.s, c.l); math.Abs(got-c.want) > 0.05 {
			t.Errorf("n=%d s=%d l=%g: %.2f %%, want %.1f %%", c.n, c.s, c.l, got, c.want)
		}
	}
}

// TestTolerances: below 10,000 trials a tolerance is wider by what chance explains, and
// from there on it is as it is said.
func TestTolerances(t *testing.T) {
	few, many := make([]int64, 100), make([]int64, fewest)
	for i := range many {
		many[i] = int64(100+i%21-10) * 1_000_000 // mean 100 ms, within 10 ms
	}
	copy(few, many)
	for _, c := range []struct {
		times []int64
		want  Verdict
	}{{few, Met}, {many, Missed}} {
		s := sampled(c.times)
		if r := s.meanRow("mean", 98.5, 0.01); r.Verdict != c.want {
			t.Errorf("%d trials: %+v, want %s", len(s), r, c.want)
		}
		if r := s.quantileRow("p50", 0.5, 98.5, 0.01); r.Verdict != c.want {
			t.Errorf("%d trials: %+v, want %s", len(s), r, c.want)
		}
	}
	if r := sampled(few).meanRow("mean", 90, 0.01); r.Verdict != Missed {
		t.Errorf("few trials explain everything: %+v", r)
	}
}

func TestCurves(t *testing.T) {
	c, err := curve("raft-fig16-top", "150-200ms")
	if err != nil || at(c, 0.999) != 512.4 || at(c, 0.5) != 146.5 || !math.IsNaN(at(c, 0.33)) {
		t.Errorf("%v %v", c, err)
	}
	if _, err := curve("raft-fig16-top", "1-2ms"); err == nil {
		t.Error("a curve that does not exist")
	}
}

func TestUnknown(t *testing.T) {
	if _, err := Make(t.Context(), "raft-figure-15", Options{Elections: 100, Protocols: all.List()}); err == nil || !strings.Contains(err.Error(), "raft-figure-16") {
		t.Errorf("got %v", err)
	}
	if _, err := Make(t.Context(), "raft-split-vote", Options{Elections: 100}); err == nil {
		t.Error("a figure without its protocol")
	}
}

// TestOutputs: text, page, tables and plots hold every row.
func TestOutputs(t *testing.T) {
	f := made(t, "raft-collapse", 2, all.List())
	var page, table bytes.Buffer
	if err := WriteMarkdown(&page, []*Figure{f}, "lockstep reproduce raft-collapse"); err != nil {
		t.Fatal(err)
	}
	if err := WriteCSV(&table, []*Figure{f}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(table.String(), "\n"); n != 1+len(f.Rows) {
		t.Errorf("%d lines of CSV for %d rows", n, len(f.Rows))
	}
	for _, want := range []string{"**missed**", "(validation/raft-collapse.svg)", "The miss: ", "## raft-collapse", "1 miss it"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, page.String())
		}
	}
	svg, err := f.plots[0].Figure.SVG()
	if err != nil || !bytes.Contains(svg, []byte("150-151ms, published")) || !bytes.Contains(svg, []byte("150-151ms, ours")) {
		t.Errorf("a plot without its curves: %v", err)
	}
}
