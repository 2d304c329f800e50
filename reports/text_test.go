package reports

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares text with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (go test -update writes it):\n%s", file, diff)
	}
	for i, line := range strings.Split(string(got), "\n") {
		if strings.TrimRight(line, " ") != line {
			t.Errorf("line %d ends with spaces", i+1)
		}
	}
}

func okResult(seed uint64) *scenarios.Result {
	s := int64(seed)
	return &scenarios.Result{
		Scenario: "leader-cut-off", Protocol: "raft", Seed: seed, Verdict: checker.OK, Met: true,
		Digest: fmt.Sprintf("%016x", seed*0x9e3779b97f4a7c15), Events: 48_000 + seed, Virtual: 24_500,
		Operations: scenarios.Operations{OK: 2400, Failed: 1, Unknown: 3},
		Latency:    scenarios.Latency{P50: 2_104_000 + s, P90: 3_900_000, P99: 48_210_000 + 1000*s, Max: 412_000_000},
		Throughput: 120_004, PerCommit: scenarios.PerCommit{Messages: 8_021, Bytes: 612_500, Fsyncs: 3_004},
		Leaderless: 301_000_000 + s, Recovery: 210_000_000,
		Faults: []scenarios.Fault{
			{ID: 1, Kind: "partition", Target: "leader", Resolved: "n2", StartNS: 5e9, EndNS: 7e9, State: "over", Effective: true, How: "635 messages cut"},
			{ID: 2, Kind: "crash", Target: "leader", State: "missed"},
			{ID: 3, Kind: "loss", Target: "n1", Resolved: "n1", StartNS: 12e9, EndNS: 125e8, State: "over", How: "0 messages lost"},
		},
		Expected: []scenarios.Checked{{Text: "verdict ok", Got: "ok", Met: true}, {Text: "latency.p99 < 400ms", Got: "48.21ms", Met: true}},
		Probes:   []scenarios.Checked{{Text: "fault 1 effective", Got: "1 of 1", Met: true}},
		Judged:   scenarios.Judged{Deciders: []string{"witness", "zones"}, Partitions: 3, OutOfBudget: 1},
		Replay:   fmt.Sprintf("lockstep run leader-cut-off --protocol raft --seed %d", seed),
	}
}

func badResult(seed uint64) *scenarios.Result {
	r := okResult(seed)
	r.Verdict, r.Met = checker.Violation, false
	r.Check, r.Reason = "R-I1", "two leaders in term 4: n1 and n3"
	r.Violations = []scenarios.Broken{
		{Check: "R-I1", Text: "two leaders in term 4: n1 and n3", AtNS: 2_390_000_000, Event: 4711, Node: "n3"},
		{Check: "linearizability", Text: "c1 get k1 -> 3 [26, 30]\nc2 put k1 4 -> saw 3 [17, 25]\nthe get must answer 4", AtNS: 24e9, Event: 48_000},
	}
	r.Expected[0].Got, r.Expected[0].Met = "violation", false
	return r
}

func missedResult(seed uint64) *scenarios.Result {
	r := okResult(seed)
	r.Met = false
	r.Probes[0] = scenarios.Checked{Text: "fault 1 effective", Got: "0 of 1"}
	return r
}

func TestRunText(t *testing.T) {
	for name, r := range map[string]*scenarios.Result{"run-ok.txt": okResult(1), "run-violation.txt": badResult(17), "run-missed.txt": missedResult(3)} {
		var b bytes.Buffer
		if err := WriteRun(&b, r, "The leader is cut off for two seconds while clients go on; the others elect a new one and nothing that was acknowledged is lost.", false); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

func TestCampaignText(t *testing.T) {
	c := Campaign{Planned: 50}
	for seed := uint64(1); seed <= 40; seed++ {
		switch {
		case seed == 5:
			c.Add(missedResult(seed))
		case seed%3 == 0:
			c.Add(badResult(seed))
		default:
			c.Add(okResult(seed))
		}
	}
	other := okResult(1)
	other.Protocol, other.Verdict, other.Reason, other.Met = "vr", checker.Unavailable, "no quorum: n1 and n2 are down", false
	c.Add(other)
	var b bytes.Buffer
	if err := c.Write(&b, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "campaign.txt", b.Bytes())

	var coloured bytes.Buffer
	if err := c.Write(&coloured, true); err != nil {
		t.Fatal(err)
	}
	if plain := stripColour(coloured.String()); plain != b.String() {
		t.Errorf("colour moves text:\n%s", cmp.Diff(b.String(), plain))
	}
	if !strings.Contains(coloured.String(), "\x1b[") {
		t.Error("Paint(true) colours nothing")
	}
}

// stripColour removes SGR sequences.
func stripColour(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, s, _ = strings.Cut(after, "m")
	}
}

func TestControlCharactersDoNotReachTheTerminal(t *testing.T) {
	r := badResult(1)
	const evil = "\x1b[2Jx\x07\r\u009b"
	r.Scenario, r.Protocol, r.Replay, r.Digest = evil, evil, evil, evil
	r.Violations[0].Check, r.Violations[0].Text, r.Violations[0].Node = evil, evil, evil
	r.Faults[0].Kind, r.Faults[0].Target, r.Faults[0].Resolved = evil, evil, evil
	r.Expected[0].Text, r.Expected[0].Got = evil, evil
	var b bytes.Buffer
	if err := WriteRun(&b, r, evil, false); err != nil {
		t.Fatal(err)
	}
	var c Campaign
	c.Add(r)
	if err := c.Write(&b, false); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\x07", "\r", "\u009b"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("output holds %q", bad)
		}
	}
}

func TestJSONLineHasExactlyTheseKeys(t *testing.T) {
	keys := func(r *scenarios.Result) string {
		var b bytes.Buffer
		if err := WriteLine(&b, r); err != nil {
			t.Fatal(err)
		}
		if strings.Count(b.String(), "\n") != 1 || !strings.HasSuffix(b.String(), "\n") {
			t.Errorf("not one line: %q", b.String())
		}
		d := json.NewDecoder(&b)
		var names []string
		depth := 0
		for key := true; d.More() || depth > 0; {
			token, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			switch token {
			case json.Delim('{'):
				depth, key = depth+1, true
				continue
			case json.Delim('}'):
				depth, key = depth-1, true
				continue
			}
			if key {
				names = append(names, strings.Repeat(".", depth-1)+token.(string))
			}
			key = !key
		}
		return strings.Join(names, " ")
	}
	const rest = "digest events virtual_seconds operations .ok .failed .unknown latency_ns .p50 .p90 .p99 .max per_commit .messages .bytes .fsyncs leaderless_ns replay"
	if got, want := keys(okResult(1)), "scenario protocol seed verdict "+rest; got != want {
		t.Errorf("ok run:\n got %s\nwant %s", got, want)
	}
	if got, want := keys(badResult(1)), "scenario protocol seed verdict check reason "+rest; got != want {
		t.Errorf("violation:\n got %s\nwant %s", got, want)
	}
	if got, want := keys(missedResult(1)), "scenario protocol seed verdict reason "+rest; got != want {
		t.Errorf("missed probe:\n got %s\nwant %s", got, want)
	}
}

func TestJSONDecimalsHaveFixedDigits(t *testing.T) {
	var b bytes.Buffer
	if err := WriteLine(&b, okResult(1)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"virtual_seconds":24.500,`, `"per_commit":{"messages":8.021,"bytes":612.500,"fsyncs":3.004}`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s holds no %s", b.String(), want)
		}
	}
}

func TestHistoryLines(t *testing.T) {
	history := []protocols.Operation{
		{Command: protocols.Command{Client: -2, Kind: protocols.Write, Op: protocols.CAS, Key: 3, Seq: 7, Arg: 5, Old: 4}, Outcome: protocols.Done,
			Swapped: true, Value: 4, Position: 12, Call: 100, Return: 140, Began: 1e9, Ended: 1_004_000_000, Attempts: 2, Node: 3},
		{Command: protocols.Command{Client: -1, Kind: protocols.Read, Op: protocols.Get, Key: 3, Seq: 1}, Outcome: protocols.Unknown,
			Call: 120, Return: protocols.Infinity, Began: 11e8, Ended: 21e8, Attempts: 4},
	}
	var b bytes.Buffer
	if err := WriteHistory(&b, history); err != nil {
		t.Fatal(err)
	}
	golden(t, "history.jsonl", b.Bytes())
}
