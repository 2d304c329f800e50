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

// TestPlays: every shipped play comes to what it says, and prints what
// testdata/plays holds. UPDATE_GOLDEN=1 rewrites that.
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
			file := filepath.Join("testdata", "plays", name+".txt")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the play differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlaysWithoutTheBug: the same scripts break nothing where the rule that they
// put on trial is kept.
func TestPlaysWithoutTheBug(t *testing.T) {
	for _, c := range []struct{ play, key, value string }{
		{"raft-figure-8", "parameters.raft.bugs", "[]"},
		{"raft-bare-snapshot", "parameters.raft.bugs", "[]"},
		{"raft-configuration-on-apply", "parameters.raft.bugs", "[]"},
		{"raft-counts-itself", "parameters.raft.bugs", "[]"},
		{"raft-early-change", "parameters.raft.bugs", "[]"},
		{"raft-half-a-snapshot", "parameters.raft.bugs", "[]"},
		{"raft-joint-forever", "parameters.raft.bugs", "[]"},
		{"raft-lease-kept", "parameters.raft.bugs", "[]"},
		{"raft-one-majority", "parameters.raft.bugs", "[]"},
		{"raft-snapshot-off-by-one", "parameters.raft.bugs", "[]"},
		{"raft-truncated-configuration", "parameters.raft.bugs", "[]"},
		{"paxos-first-reported", "parameters.paxos.bugs", "[]"},
		{"paxos-shared-ballot", "parameters.paxos.bugs", "[]"},
		{"paxos-early-accepted", "parameters.paxos.bugs", "[]"},
		{"paxos-early-proposal", "parameters.paxos.bugs", "[]"},
		{"paxos-half-quorums", "parameters.paxos.bugs", "[]"},
		{"paxos-lease-from-receipt", "parameters.paxos.bugs", "[]"},
		{"paxos-lease-kept", "parameters.paxos.bugs", "[]"},
		{"paxos-omitted-slots", "parameters.paxos.bugs", "[]"},
		{"paxos-other-ballot", "parameters.paxos.bugs", "[]"},
		{"paxos-snapshot-without-members", "parameters.paxos.bugs", "[]"},
		{"paxos-snapshot-without-table", "parameters.paxos.bugs", "[]"},
		{"paxos-stale-snapshot", "parameters.paxos.bugs", "[]"},
		{"paxos-volatile-promise", "parameters.paxos.bugs", "[]"},
		{"paxos-without-alpha", "parameters.paxos.bugs", "[]"},
		{"primarybackup-early-holder", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-no-fencing", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-no-rewind", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-read-alone", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-silent-degrade", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-transfer-without-table", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-unknown-log", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-visible-early", "parameters.primarybackup.bugs", "[]"},
		{"paxos-compacted-slots", "parameters.paxos.bugs", "[]"},
		{"paxos-duel", "parameters.paxos.bugs", "[]"},
		{"paxos-executed-twice", "parameters.paxos.bugs", "[]"},
		{"paxos-late-accepted", "parameters.paxos.bugs", "[]"},
		{"paxos-lease-forgotten", "parameters.paxos.bugs", "[]"},
		{"paxos-lost-accept", "parameters.paxos.bugs", "[]"},
		{"paxos-read-alone", "parameters.paxos.bugs", "[]"},
		{"paxos-read-too-soon", "parameters.paxos.bugs", "[]"},
		{"paxos-reused-ballot", "parameters.paxos.bugs", "[]"},
		{"paxos-same-round", "parameters.paxos.bugs", "[]"},
		{"primarybackup-answer-alone", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-early-match", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-empty-table", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-ended-wait", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-forgotten-view", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-late-promise", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-one-confirms", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-same-view", "parameters.primarybackup.bugs", "[]"},
		{"primarybackup-uncut-commit", "parameters.primarybackup.bugs", "[]"},
		{"vr-forgotten-promise", "parameters.vr.variant", "durable"},
		{"vr-forgotten-promise", "parameters.vr.variant", "crash-vectors"},
		{"vr-broken-lease", "parameters.vr.bugs", "[]"},
		{"vr-early-epoch", "parameters.vr.bugs", "[]"},
		{"vr-early-log", "parameters.vr.bugs", "[]"},
		{"vr-early-promise", "parameters.vr.bugs", "[]"},
		{"vr-kept-tail", "parameters.vr.bugs", "[]"},
		{"vr-late-request", "parameters.vr.bugs", "[]"},
		{"vr-lonely-quorum", "parameters.vr.bugs", "[]"},
		{"vr-longest-log", "parameters.vr.bugs", "[]"},
		{"vr-recovery-without-primary", "parameters.vr.bugs", "[]"},
		{"vr-stale-client-table", "parameters.vr.bugs", "[]"},
		{"vr-stale-nonce", "parameters.vr.bugs", "[]"},
	} {
		t.Run(c.play+" "+c.value, func(t *testing.T) {
			sc := load(t, c.play)
			if r, _ := performed(t, sc); r.Verdict != checker.Violation {
				t.Fatalf("as shipped: %s", r)
			}
			if err := scenarios.Set(sc, c.key, c.value, all.List()); err != nil {
				t.Fatal(err)
			}
			r, text := performed(t, sc)
			if r.Verdict != checker.OK || len(r.Play) != len(sc.Script) {
				t.Errorf("got %s after %d of %d steps\n%s", r, len(r.Play), len(sc.Script), text)
			}
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
