package scenarios_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// performed runs a play and prints it.
func performed(t *testing.T, sc *scenarios.Scenario) (*scenarios.Result, string) {
	t.Helper()
	p := named(t, sc.Protocols[0])
	r := scenarios.Run(sc, p, 1, scenarios.Options{})
	if r.Err != nil {
		t.Fatalf("%s: %v", sc.Name, r.Err)
	}
	var b strings.Builder
	for _, step := range r.Play {
		fmt.Fprintln(&b, step.Step)
		for _, l := range step.Lines {
			fmt.Fprintln(&b, "    "+l)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r)
	return r, b.String()
}

func named(t *testing.T, name string) *protocols.Protocol {
	t.Helper()
	for _, p := range all.List() {
		if p.Name == name {
			return p
		}
	}
	t.Skipf("%s is not linked", name)
	return nil
}

func load(t *testing.T, name string) *scenarios.Scenario {
	t.Helper()
	sc, warnings, err := scenarios.Load(name, all.List())
	if err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	return sc
}

// golden demands that text is what a file of testdata holds. UPDATE_GOLDEN=1 rewrites
// that.
func golden(t *testing.T, text string, path ...string) {
	t.Helper()
	file := filepath.Join(append([]string{"testdata"}, path...)...) + ".txt"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("the play differs (-want +got):\n%s", diff)
	}
}

// TestPlays: every shipped play comes to what it says, and prints what
// testdata/plays holds.
func TestPlays(t *testing.T) {
	for _, name := range scenarios.Plays() {
		t.Run(name, func(t *testing.T) {
			sc := load(t, name)
			if len(sc.Protocols) != 1 || !strings.HasPrefix(name, sc.Protocols[0]+"-") || sc.Name != name || sc.Why == "" {
				t.Errorf("want one protocol, in front of the name, and a why: got %v", sc.Protocols)
			}
			r, got := performed(t, sc)
			for _, missed := range r.Missed() {
				t.Errorf("missed: %+v", missed)
			}
			again, same := performed(t, sc)
			if got != same || r.Digest != again.Digest {
				t.Error("a second run differs")
			}
			golden(t, got, "plays", name)
		})
	}
}

// TestFigure8EndsBadly: the check by name comes first, and without it the clients see
// that an acknowledged write is gone or the logs differ.
func TestFigure8EndsBadly(t *testing.T) {
	sc := load(t, "raft-figure-8")
	sc.Checks = []scenarios.Check{{Name: "R-I7", Off: true}}
	r, _ := performed(t, sc)
	if r.Verdict != checker.Violation || r.Check == "R-I7" {
		t.Errorf("got %s", r)
	}
}

// play parses a Raft play with the given steps.
func play(t *testing.T, steps string) *scenarios.Scenario {
	t.Helper()
	text := "name: play\nprotocols: [raft]\nworkload: {clients: 2}\nscript:\n" + steps
	sc, _, err := scenarios.Parse("play.yaml", []byte(text), all.List())
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// TestUnplayableSteps: a step that cannot be done says where it stands, why, and what
// there is instead.
func TestUnplayableSteps(t *testing.T) {
	for _, c := range []struct{ steps, want string }{
		{"  - deliver RequestVote n1 -> n2\n", "play.yaml:5:5: script[1]: no message RequestVote n1 -> n2 is in flight; nothing is in flight (with raft)\n    5 |   - deliver RequestVote n1 -> n2\n      |     ^^^"},
		{"  - fire n1 election\n  - deliver 2nd PreVote n1 -> n2\n", "script[2]: no message 2nd PreVote n1 -> n2 is in flight; in flight: PreVote n1 -> n2, PreVote n1 -> n3"},
		{"  - fire n1 heartbeat\n", "the timer heartbeat is not armed at n1; armed: election"},
		{"  - crash n1\n  - fire n1 election\n", "n1 is down"},
		{"  - crash n1\n  - crash n1\n", "n1 is down"},
		{"  - restart n1\n", "n1 is up"},
		{"  - rot n1\n", "the disk of n1 has no record whose entries another disk holds as well"},
		{"  - clock n1 900ms\n", "900ms a second is 100000000 ppb off, and clock.drift declares at most"},
		{"  - resume n1\n", "n1 is not paused"},
		{"  - sync n1\n", "no fsync is under way at n1"},
		{"  - retry c1 n1\n", "c1 waits for nothing"},
		{"  - pause n1\n  - request c1 n1 put k1 1\n  - request c1 n1 put k1 2\n", "c1 still waits for put k1 1"},
		{"  - expect leader n1\n", "expected leader n1, got nobody"},
		{"  - expect n1 leader\n", "expected n1 leader, got n1 follower, term 0, log empty, commit 0"},
		{"  - expect n1 king 3\n", `unknown "king"`},
		{"  - expect c1 ok\n", "expected c1 ok, got idle"},
		{"  - expect message PreVote n1 -> n2\n", "expected message PreVote n1 -> n2; nothing is in flight"},
		{"  - fire n1 election\n  - expect no message PreVote n1 -> n2\n", "expected no message PreVote n1 -> n2; in flight"},
	} {
		r := scenarios.Run(play(t, c.steps), named(t, "raft"), 1, scenarios.Options{})
		if r.Err == nil || !strings.Contains(r.Err.Error(), c.want) {
			t.Errorf("%s got %v\nwant %s", c.steps, r.Err, c.want)
		}
		if r.Code() != scenarios.CodeUsage {
			t.Errorf("%s exit code %d", c.steps, r.Code())
		}
	}
}

// TestSteps: each verb does what it says.
func TestSteps(t *testing.T) {
	elected := "  - fire n1 election\n  - deliver all\n  - expect leader n1\n"
	for name, steps := range map[string]string{
		"nothing by itself": "  - wait 1h\n  - expect leader nobody\n  - expect no message n1 -> n2\n",
		"tick":              "  - tick 301ms\n  - expect message PreVote\n",
		"drop":              "  - fire n1 election\n  - drop PreVote n1 -> n2\n  - expect no message n1 -> n2\n  - expect message n1 -> n3\n",
		"duplicate":         "  - fire n1 election\n  - duplicate PreVote n1 -> n2\n  - deliver 2nd PreVote n1 -> n2\n  - deliver PreVote n1 -> n2\n  - expect message PreVoteResponse n2 -> n1\n  - deliver 2nd PreVoteResponse n2 -> n1\n",
		"delay":             "  - fire n1 election\n  - delay all n1 -> n2\n  - deliver all\n  - expect leader n1\n  - expect message delayed PreVote n1 -> n2\n  - deliver delayed\n  - expect no message delayed n1 -> n2\n",
		"pause":             elected + "  - pause n2\n  - request c1 n1 put k1 1\n  - deliver all n1 -> n2\n  - expect no message n2 -> n1\n  - resume n2\n  - expect message AppendEntriesResponse n2 -> n1\n",
		"manual disk":       "  - disk manual\n  - fire n1 election\n  - deliver all among n1 n2\n  - expect n1 candidate\n  - expect no message RequestVote n1 -> n2\n  - sync n1\n  - deliver all\n  - sync\n  - deliver all\n  - expect n1 leader\n",
		"lost in a crash":   "  - disk manual\n  - fire n1 election\n  - deliver all among n1 n2\n  - expect n1 term 1\n  - crash n1\n  - restart n1\n  - expect n1 follower term 0\n",
		"answers wait":      elected + "  - request c1 n1 put k1 1\n  - deliver all among n1 n2\n  - expect c1 waiting\n  - drop Answer n1 -> c1\n  - retry c1 n1\n  - deliver Answer n1 -> c1\n  - expect c1 ok\n",
		"refusal":           elected + "  - request c1 n2 put k1 1\n  - deliver Refusal n2 -> c1\n  - deliver Request c1 -> n1\n  - deliver all\n  - expect c1 ok\n  - request c2 n1 get k1\n  - deliver all\n  - expect c2 value 1\n",
		"wiped":             elected + "  - wipe n3\n  - expect n3 down\n  - restart n3\n  - expect n3 term 0\n",
		"rotten":            elected + "  - rot n2\n  - expect n2 up\n  - crash n2\n  - restart n2\n  - expect n2 down\n",
		"give up":           elected + "  - request c1 n1 put k1 1\n  - give-up c1\n  - expect c1 unknown\n",
		"then heal":         elected + "  - crash n1\n  - pause n2\nthen: heal\n",
	} {
		t.Run(name, func(t *testing.T) {
			if r := scenarios.Run(play(t, steps), named(t, "raft"), 1, scenarios.Options{}); r.Err != nil || r.Verdict != checker.OK {
				t.Errorf("got %s, %v", r, r.Err)
			}
		})
	}
}
