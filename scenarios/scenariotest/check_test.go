package scenariotest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/scenariotest"
)

func TestRaft(t *testing.T) {
	scenariotest.Check(t, raft.Protocol())
}

func TestRaftSteadyState(t *testing.T) {
	scenariotest.CheckScenario(t, raft.Protocol(), "steady-state", 2)
}

func TestRaftLibrary(t *testing.T) {
	scenariotest.CheckLibrary(t, raft.Protocol(), 1)
}

// FuzzRaft shows Check as a fuzz target.
func FuzzRaft(f *testing.F) { scenariotest.Fuzz(f, raft.Protocol()) }

// counter counts the steps that it is shown.
type counter struct{ steps *int }

func (c counter) Moments() protocols.MomentKind { return protocols.Stepped }
func (c counter) Checks() []protocols.CheckInfo {
	return []protocols.CheckInfo{{ID: "MINE", Text: "no step is taken"}}
}
func (c counter) Observe(*protocols.Moment) { *c.steps++ }

// TestOwnShapes: scenarios of one's own shape, another machine and more observers.
func TestOwnShapes(t *testing.T) {
	steps, sizes := 0, map[int]bool{}
	scenariotest.Check(t, raft.Protocol(), scenariotest.Machine("counter"),
		scenariotest.Invariants(func(protocols.Cluster, any) []protocols.Observer { return []protocols.Observer{counter{&steps}} }),
		scenariotest.Generate(func(rt *rapid.T) *scenarios.Scenario {
			sc := scenarios.New("mine")
			sc.Replicas, sc.For = rapid.SampledFrom([]int{1, 3}).Draw(rt, "replicas"), 1e9
			sizes[sc.Replicas] = true
			return sc
		}))
	if steps == 0 || len(sizes) != 2 {
		t.Errorf("the observer saw %d steps, the sizes were %v", steps, sizes)
	}
}

// What TestBroken, run as a process of its own, is told: to fail and to save its plan
// in a folder, made small in at most so many runs.
const (
	folderVariable = "SCENARIOTEST_FOLDER"
	budgetVariable = "SCENARIOTEST_BUDGET"
)

// TestBroken is the subject of TestFailure.
func TestBroken(t *testing.T) {
	folder := os.Getenv(folderVariable)
	if folder == "" {
		t.Skip("run by TestFailure")
	}
	parameters := raft.DefaultParameters()
	parameters.Bugs = []string{"R-46"}
	options := []scenariotest.Option{scenariotest.Parameters(parameters), scenariotest.Folder(folder), scenariotest.Command("go run ./cmd/mine")}
	if runs, err := strconv.Atoi(os.Getenv(budgetVariable)); err == nil {
		options = append(options, scenariotest.Budget(runs))
	}
	scenariotest.Check(t, raft.Protocol(), options...)
}

// broken runs TestBroken and returns what it prints.
func broken(t *testing.T, folder string, flags ...string) string {
	t.Helper()
	command := exec.Command(os.Args[0], append([]string{"-test.run=^TestBroken$", "-rapid.nofailfile"}, flags...)...)
	command.Env = append(os.Environ(), folderVariable+"="+folder)
	out, err := command.CombinedOutput()
	if err == nil {
		t.Fatalf("a broken protocol passed:\n%s", out)
	}
	return string(out)
}

// TestFailure: a broken protocol fails, its plan is saved, the report ends with
// the command that repeats the failure, and the next run begins with it.
func TestFailure(t *testing.T) {
	folder := t.TempDir()
	first := broken(t, folder)
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("want one saved plan, got %v (%v)\n%s", files, err, first)
	}
	for _, want := range []string{"made small in ", "what led to it", "violation (R-I7)", "repeat: go run ./cmd/mine run " + filepath.ToSlash(files[0]) + " --protocol raft --seed "} {
		if !strings.Contains(first, want) {
			t.Errorf("the report lacks %q:\n%s", want, first)
		}
	}
	if strings.Contains(first, "flaky") {
		t.Errorf("rapid could not repeat the failure:\n%s", first)
	}
	sc, _, err := scenarios.ReadFile(files[0], []*protocols.Protocol{raft.Protocol()})
	if err != nil {
		t.Fatal(err)
	}
	command := first[strings.Index(first, "--seed ")+len("--seed "):]
	seed, _, _ := strings.Cut(command, "\n")
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(data), "# seed "+strings.TrimSpace(seed)+"\n") {
		t.Errorf("the saved plan begins with %q, the command names seed %s", strings.SplitN(string(data), "\n", 2)[0], seed)
	}
	if !sc.Runs("raft") || sc.Runs("other") {
		t.Error("the saved plan is for the protocol that failed")
	}
	if second := broken(t, folder); strings.Contains(second, "[rapid]") || !strings.Contains(second, "repeat: go run ./cmd/mine run") {
		t.Errorf("the saved plan was not run first:\n%s", second)
	}
}

// TestFlags: the flags of rapid and of go test say how much is run, here of each test
// twice. A fuzz target without -fuzz runs its corpus.
func TestFlags(t *testing.T) {
	for _, c := range []struct {
		test, want string
		times      int
	}{
		{"TestPlanIsRun", "[rapid] OK, passed 12 tests", 2},
		{"FuzzRaft", "=== RUN   FuzzRaft/seed#", 16},
		{"FuzzRaft", "--- PASS: FuzzRaft/seed#", 16}, // none is skipped
	} {
		out, err := exec.Command(os.Args[0], "-test.run=^"+c.test+"$", "-test.v", "-test.count=2", "-rapid.checks=12", "-rapid.seed=5").CombinedOutput()
		if n := strings.Count(string(out), c.want); err != nil || n != c.times {
			t.Errorf("%s: %q stands there %d times, want %d (%v)\n%s", c.test, c.want, n, c.times, err, out)
		}
	}
}

// TestPlanIsRun: the scenarios are those that Plan makes, of the seeds that were drawn.
func TestPlanIsRun(t *testing.T) {
	seeds, steps := map[uint64]bool{}, 0
	scenariotest.Check(t, raft.Protocol(),
		scenariotest.Invariants(func(protocols.Cluster, any) []protocols.Observer { return []protocols.Observer{counter{&steps}} }),
		scenariotest.Plan(func(seed uint64) *scenarios.Scenario {
			seeds[seed] = true
			sc := scenarios.New("planned")
			sc.Replicas, sc.For = 1, 5e8
			return sc
		}))
	if len(seeds) < 10 || steps == 0 {
		t.Errorf("Plan was asked for %d seeds, and %d steps were taken", len(seeds), steps)
	}
}

// TestSmallerWithinBudget: no more runs than the budget allows, none without one, and
// with more of them the saved plan is smaller.
func TestSmallerWithinBudget(t *testing.T) {
	sizes := map[string]int{}
	for _, runs := range []string{"0", "3", "500"} {
		folder := t.TempDir()
		t.Setenv(budgetVariable, runs)
		out := broken(t, folder, "-rapid.seed=1")
		files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
		if err != nil || len(files) != 1 {
			t.Fatalf("budget %s: want one saved plan, got %v (%v)\n%s", runs, files, err, out)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		sizes[runs] = strings.Count(string(data), "- {")
		if made := strings.Contains(out, "made small in "); made != (runs != "0") {
			t.Errorf("budget %s: made small: %v\n%s", runs, made, out)
		}
		if spent := strings.Contains(out, "made small in 3 runs"); spent != (runs == "3") {
			t.Errorf("budget %s: the report says otherwise\n%s", runs, out)
		}
		if cut := strings.Contains(string(data), "# cut where the violation showed\n"); cut != (runs != "0") {
			t.Errorf("budget %s: the saved plan says that it was cut: %v", runs, cut)
		}
	}
	if sizes["500"] >= sizes["0"] {
		t.Errorf("with 500 runs the plan has %d faults and calls, with none %d", sizes["500"], sizes["0"])
	}
}

// TestSavedPlanThatDecidesNothing: a plan that was cut where a violation showed passes
// when nothing returns before its end. Any other that decides nothing fails.
func TestSavedPlanThatDecidesNothing(t *testing.T) {
	t.Setenv(budgetVariable, "0")
	const plan = "name: short\nreplicas: 3\nfor: 1ms\nchecks: {liveness: off}\n"
	for head, passes := range map[string]bool{"# seed 7\n# cut where the violation showed\n": true, "# seed 7\n": false} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "short.yaml"), []byte(head+plan), 0o600); err != nil {
			t.Fatal(err)
		}
		out := broken(t, folder) // goes on to drawn plans if the saved one passes
		if strings.Contains(out, "[rapid]") != passes || strings.Contains(out, "inconclusive") == passes {
			t.Errorf("with the head %q, want that the plan passes: %v\n%s", head, passes, out)
		}
	}
}

func TestSavedPlanWithoutSeed(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "bad.yaml"), []byte("name: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := broken(t, folder); !strings.Contains(out, `want the line "# seed 7"`) {
		t.Errorf("got:\n%s", out)
	}
}

// TestCommandNamesTheFileFromTheRoot: without a folder of its own, the saved plan
// is named as seen from the module's root.
func TestCommandNamesTheFileFromTheRoot(t *testing.T) {
	folder := filepath.Join("testdata", "lockstep", "TestBroken")
	t.Cleanup(func() {
		os.RemoveAll(folder)
		os.Remove(filepath.Dir(folder)) // only if empty
		os.Remove("testdata")
	})
	out := broken(t, folder)
	if want := "run scenarios/scenariotest/testdata/lockstep/TestBroken/"; !strings.Contains(out, want) {
		t.Errorf("the report lacks %q:\n%s", want, out)
	}
}
