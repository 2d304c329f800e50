package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

func comparison(seeds int) *Comparison {
	sc := scenarios.New("leader-cut-off")
	sc.For = 20e9
	c := NewComparison(sc, "network.loss", []string{"0%", "5%"}, []string{"raft", "vr"})
	for p := range 2 {
		for v := range 2 {
			for seed := 1; seed <= seeds; seed++ {
				r := okResult(uint64(seed))
				noise := int64(seed*7919%13-6) * 1000
				r.Latency.P50 += noise
				r.Latency.P99 += int64(v)*20_000_000 + noise
				r.PerCommit.Messages += scenarios.Decimal(500 * v)
				r.Leaderless = int64(p) * 300_000_000 // raft: 0
				if p == 1 && v == 1 && seed == 2 {
					r.Verdict, r.Operations.OK, r.Latency = checker.Unavailable, 0, scenarios.Latency{}
				}
				r.History = []protocols.Operation{
					{Outcome: protocols.Done, Began: 1e9, Ended: protocols.Time(1e9 + r.Latency.P50)},
					{Outcome: protocols.Unknown, Began: 2e9, Ended: 5e9},
					{Outcome: protocols.Done, Began: 30e9, Ended: 31e9}, // after the safety phase
				}
				c.Add(p, v, r)
			}
		}
	}
	return c
}

func TestComparisonTable(t *testing.T) {
	var b bytes.Buffer
	if err := comparison(12).Write(&b, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.txt", b.Bytes())
}

// With five seeds no difference can be significant, and the table says so.
func TestFewSeedsShowNoDifference(t *testing.T) {
	var b bytes.Buffer
	if err := comparison(5).Write(&b, false); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "(p=") || !strings.Contains(b.String(), "raise -n") {
		t.Errorf("five seeds:\n%s", b.String())
	}
}

func TestComparisonPlotsOnlyWhatWasAnsweredInTheSafetyPhase(t *testing.T) {
	for i, cell := range comparison(3).cells {
		if len(cell.samples) != 3 {
			t.Errorf("cell %d has %d samples, want one per seed", i, len(cell.samples))
		}
	}
}

func TestComparisonFiles(t *testing.T) {
	f, dir := openTemporary(t)
	names, err := comparison(3).WriteAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(names, " "), "latency-cdf.svg latency-cdf.png latency-over-time.svg latency-over-time.png runs.csv"; got != want {
		t.Errorf("wrote %s, want %s", got, want)
	}
	if got := namesIn(t, dir); got != "latency-cdf.png latency-cdf.svg latency-over-time.png latency-over-time.svg runs.csv" {
		t.Errorf("folder holds %s", got)
	}
}

func TestCSVKeepsFormulasOut(t *testing.T) {
	sc := scenarios.New("x")
	c := NewComparison(sc, "=cmd()", []string{"+1", "b"}, []string{"@raft"})
	c.Add(0, 0, okResult(1))
	var b bytes.Buffer
	if err := c.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if row := strings.Split(b.String(), "\n")[1]; !strings.Contains(row, "'=cmd(),'+1,") {
		t.Errorf("row %s", row)
	}
}

func TestChange(t *testing.T) {
	for want, pair := range map[string][2]int64{
		"-0.3%": {7930, 7903}, "+0.3%": {7903, 7930}, "+0.0%": {1000000, 1000001}, "-50.0%": {10, 5}, "-99.9%": {1000, 1}, "+100%": {5, 10}, "+1900%": {1, 20},
	} {
		if got := change(pair[0], pair[1]); got != want {
			t.Errorf("change(%d, %d) = %s, want %s", pair[0], pair[1], got, want)
		}
	}
}
