package reports

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// comparison is of raft, whose runs differ by value, and of vr, which also leads
// less and loses more than it should. The key is a setting of both.
func comparison(seeds int) *Comparison {
	sc := scenarios.New("leader-cut-off")
	sc.For = 20e9
	sc.Faults = []sim.Fault{{ID: 1, Kind: protocols.FaultCrash, At: 5e9, For: 2e9}, {ID: 2, Kind: protocols.FaultLoss, At: 12e9, For: sim.Forever}}
	full := scenarios.ClientGuarantee{Linearizable: true, Text: "linearizable"}
	weak := scenarios.ClientGuarantee{LosesAcknowledged: true, Text: "an acknowledged write may be lost when its only holder does not come back"}
	raft := scenarios.Profile{Protocol: "raft", Guarantee: full, Replicas: 3, Down: 1, Synced: 2, Detection: 300e6, Reads: "readindex"}
	vr := scenarios.Profile{Protocol: "vr", Guarantee: weak, Replicas: 3, Services: 1, Down: 2, Synced: -1, Detection: 200e6,
		Bounded: []scenarios.FaultBound{{Kind: "skew", Most: 0}, {Kind: "crash", Most: 1}}}
	c := NewComparison([]string{"network.loss"}, []Compared{{sc, nil, []string{"0%"}, raft}, {sc, nil, []string{"5%"}, raft}, {sc, nil, []string{"0%"}, vr}, {sc, nil, []string{"5%"}, vr}})
	for cell := range 4 {
		p, v := cell/2, cell%2
		for seed := 1; seed <= seeds; seed++ {
			r := okResult(uint64(seed))
			noise := int64(seed*7919%13-6) * 1000
			r.PerCommit.Messages += scenarios.Decimal(500 * v)
			r.Leaderless = int64(p) * 300_000_000 // raft: 0
			write := 2_104_000 + int64(v)*20_000_000 + noise
			r.History = []protocols.Operation{
				{Command: protocols.Command{Kind: protocols.Write}, Outcome: protocols.Done, Began: 1e9, Ended: protocols.Time(1e9 + write)},
				{Command: protocols.Command{Kind: protocols.Read}, Outcome: protocols.Done, Began: 4e9, Ended: protocols.Time(4e9 + 900_000 + noise)},
				{Command: protocols.Command{Kind: protocols.Follow}, Outcome: protocols.Done, Began: 5e9, Ended: 6e9},
				{Outcome: protocols.Unknown, Began: 2e9, Ended: 5e9},
				{Outcome: protocols.Done, Began: 19e9, Ended: 21e9}, // answered after the safety phase
			}
			if p == 1 && v == 1 && seed == 2 {
				r.Verdict, r.Operations.OK, r.History = checker.Unavailable, 0, nil
			}
			r.Judged.Strongest = scenarios.Linearizability
			if p == 1 {
				r.Lost = &scenarios.Lost{Count: seed}
			}
			if p == 1 && seed%3 == 0 {
				r.Judged.Strongest, r.Judged.Held = "causal consistency", []checker.Guarantee{checker.Causal, checker.ReadYourWrites}
			}
			c.Add(cell, r)
		}
	}
	return c
}

// TestStrongestOfRuns: of several runs, what held in every one of them is told.
func TestStrongestOfRuns(t *testing.T) {
	linearizable := scenarios.Judged{Strongest: scenarios.Linearizability}
	held := func(g ...checker.Guarantee) scenarios.Judged {
		return scenarios.Judged{Strongest: checker.StrongestOf(g), Held: g}
	}
	for _, c := range []struct {
		runs []scenarios.Judged
		want string
	}{
		{nil, "none"},
		{[]scenarios.Judged{{}, linearizable}, "linearizability"},
		{[]scenarios.Judged{linearizable, held(checker.Sequential, checker.Causal), linearizable}, "sequential consistency"},
		{[]scenarios.Judged{held(checker.Sequential, checker.Causal), held(checker.Causal)}, "causal consistency"},
		{[]scenarios.Judged{held(checker.Causal, checker.MonotonicReads), held(checker.ReadYourWrites, checker.MonotonicReads)}, "monotonic reads"},
		{[]scenarios.Judged{held(checker.Causal), held(checker.ReadYourWrites)}, "none of those looked for"},
		{[]scenarios.Judged{{Strongest: "not decided"}, linearizable}, "not decided"},
	} {
		var made cell
		for _, j := range c.runs {
			made.runs = append(made.runs, run{Result: &scenarios.Result{Judged: j}})
		}
		if got := made.strongest(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.runs, got, c.want)
		}
	}
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
		if len(cell.samples) != 6-i/3*2 {
			t.Errorf("cell %d has %d samples, want one write and one read per answered run", i, len(cell.samples))
		}
	}
}

func TestComparisonFiles(t *testing.T) {
	f, dir := openTemporary(t)
	names, err := comparison(3).WriteAll(f)
	if err != nil {
		t.Fatal(err)
	}
	want := "availability.csv availability.png availability.svg bench.txt comparison.json cost-per-commit.png cost-per-commit.svg election-times.png election-times.svg " +
		"latency-cdf.png latency-cdf.svg latency-over-time.png latency-over-time.svg latency-percentiles.png latency-percentiles.svg report.html runs.csv sweep.png sweep.svg table.md"
	slices.Sort(names)
	if got := strings.Join(names, " "); got != want {
		t.Errorf("wrote %s, want %s", got, want)
	}
	if got := namesIn(t, dir); got != want {
		t.Errorf("folder holds %s", got)
	}
}

// TestComparisonJSON: the object says what the table says.
func TestComparisonJSON(t *testing.T) {
	var b bytes.Buffer
	if err := comparison(12).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.json", b.Bytes())
	var back struct {
		Mixed   bool `json:"different_guarantees"`
		Columns []struct {
			Baseline *int
			Metrics  map[string]struct {
				Median      *float64
				Significant *bool
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	first, second := back.Columns[0], back.Columns[1]
	if !back.Mixed || first.Baseline != nil || second.Baseline == nil || *second.Baseline != 0 ||
		first.Metrics["commit_p50_ns"].Significant != nil || !*second.Metrics["commit_p50_ns"].Significant {
		t.Errorf("got %+v", back)
	}
	for _, m := range metrics {
		if _, there := first.Metrics[m.key]; !there {
			t.Errorf("%s is missing", m.key)
		}
	}
}

// TestEqualGuaranteesAreNotMarked: the mark is for mixes only.
func TestEqualGuaranteesAreNotMarked(t *testing.T) {
	sc := scenarios.New("x")
	columns := []Compared{{sc, nil, nil, scenarios.Profile{Protocol: "a", Guarantee: scenarios.ClientGuarantee{Linearizable: true, Text: "one text"}}},
		{sc, nil, nil, scenarios.Profile{Protocol: "b", Guarantee: scenarios.ClientGuarantee{Linearizable: true, Text: "another"}}}}
	for _, weak := range []bool{false, true} {
		columns[1].Profile.Guarantee.LosesAcknowledged = weak
		c := NewComparison(nil, columns)
		c.Add(0, okResult(1))
		c.Add(1, okResult(1))
		var b bytes.Buffer
		if err := c.Write(&b, false); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), mixedText); got != weak {
			t.Errorf("weaker guarantee %t, marked %t", weak, got)
		}
	}
}

// TestProfilesByProtocolOrByValue: where a value changes what a protocol gives, each
// value has a column.
func TestProfilesByProtocolOrByValue(t *testing.T) {
	sc := scenarios.New("x")
	columns := func(replicas int) []Compared {
		return []Compared{{sc, nil, nil, scenarios.Profile{Protocol: "a"}},
			{sc, nil, []string{"s"}, scenarios.Profile{Protocol: "b", Replicas: 3}}, {sc, nil, []string{"t"}, scenarios.Profile{Protocol: "b", Replicas: replicas}}}
	}
	for replicas, want := range map[int]string{3: "a|b", 4: "a|b s|b t"} {
		var names []string
		for _, p := range NewComparison([]string{"parameters.b.mode"}, columns(replicas)).profiles() {
			names = append(names, p.name)
		}
		if got := strings.Join(names, "|"); got != want {
			t.Errorf("%d replicas: columns %s, want %s", replicas, got, want)
		}
	}
}

func TestLongestOutage(t *testing.T) {
	for _, c := range []struct {
		answers []protocols.Time
		end     protocols.Time
		want    protocols.Duration
	}{
		{nil, 10, 0}, {[]protocols.Time{4}, 10, 6}, {[]protocols.Time{1, 2, 7, 9}, 10, 5}, {[]protocols.Time{1, 2}, 10, 8}, {[]protocols.Time{12}, 10, 0},
	} {
		if got := longestOutage(c.answers, c.end); got != c.want {
			t.Errorf("%v until %v: %v, want %v", c.answers, c.end, got, c.want)
		}
	}
}

func TestCSVKeepsFormulasOut(t *testing.T) {
	sc := scenarios.New("x")
	c := NewComparison([]string{"=cmd()"}, []Compared{{sc, nil, []string{"+1"}, scenarios.Profile{Protocol: "@raft"}}})
	c.Add(0, okResult(1))
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

// TestGapsHaveReasons: a gap is ten times as long as usual, and names what went with it.
func TestGapsHaveReasons(t *testing.T) {
	var answers []protocols.Time
	for at := protocols.Time(1e9); at < 10e9; at += 1e7 {
		if at < 4e9 || at > 5e9 {
			answers = append(answers, at)
		}
	}
	leaderless := []sim.Span{{From: 0, To: 9e8}, {From: 41e8, To: 48e8}}
	faults := []scenarios.Fault{{Kind: "crash", Resolved: "n2", StartNS: 4e9, EndNS: 6e9}, {Kind: "loss", StartNS: 4e9, EndNS: 5e9}, {Kind: "skew", Resolved: "n1", StartNS: 8e9, EndNS: 9e9}}
	gaps := gapsOf(answers, 10e9, 10e9, leaderless, faults)
	if len(gaps) != 2 || gaps[0].Reason != "first election" || gaps[1].Reason != "no leader for 700ms; crash n2" || gaps[1].From != 399e7 {
		t.Errorf("got %+v", gaps)
	}
	if silent := gapsOf(nil, 10e9, 10e9, nil, nil); len(silent) != 1 || silent[0].To != 10e9 || silent[0].Reason != "a leader, but no answer" {
		t.Errorf("without an answer: %+v", silent)
	}
}

func TestPositionsOnAnAxis(t *testing.T) {
	for value, want := range map[string]struct {
		x    float64
		unit AxisUnit
		ok   bool
	}{"5": {5, Plain, true}, "200/s": {200, Plain, true}, "2.5%": {0.025, Share, true}, "150ms..300ms": {150, Milliseconds, true}, "1s": {1000, Milliseconds, true},
		"sync": {0, Plain, false}, "true": {0, Plain, false}} {
		if x, unit, ok := position(value); x != want.x || unit != want.unit || ok != want.ok {
			t.Errorf("%s: %v, %v, %t, want %+v", value, x, unit, ok, want)
		}
	}
}

// TestPlacesAreTheRegionsOfClients: a region without a client has no row.
func TestPlacesAreTheRegionsOfClients(t *testing.T) {
	sc := scenarios.New("x")
	sc.For = 20e9
	members := func(text string) sim.Target {
		to, err := sim.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	sc.Network.Regions = []sim.Region{{Name: "near", Members: members("n1 c1")}, {Name: "far", Members: members("n2 c2")}, {Name: "empty", Members: members("n3")}}
	c := NewComparison(nil, []Compared{{Scenario: sc, Profile: scenarios.Profile{Protocol: "raft"}}})
	r := okResult(1)
	for client, latency := range map[protocols.NodeID]protocols.Time{-1: 1e6, -2: 5e6} {
		r.History = append(r.History, protocols.Operation{Command: protocols.Command{Kind: protocols.Write, Client: client}, Outcome: protocols.Done, Ended: latency})
	}
	c.Add(0, r)
	places := c.places(c.shown())
	if len(places) != 2 || places[0].Name != "near" || places[0].Writes[0][0] != 1e6 || places[1].Writes[0][0] != 5e6 {
		t.Errorf("got %+v", places)
	}
}
