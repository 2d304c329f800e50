package scenariotest_test

import (
	"os"
	"os/exec"
	"path/filepath"
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

// folderVariable asks TestBroken, run as a process of its own, to fail and to
// save there.
const folderVariable = "SCENARIOTEST_FOLDER"

// TestBroken is the subject of TestFailure.
func TestBroken(t *testing.T) {
	folder := os.Getenv(folderVariable)
	if folder == "" {
		t.Skip("run by TestFailure")
	}
	parameters := raft.DefaultParameters()
	parameters.Bugs = []string{"R-46"}
	scenariotest.Check(t, raft.Protocol(), scenariotest.Parameters(parameters),
		scenariotest.Folder(folder), scenariotest.Command("go run ./cmd/mine"))
}

// broken runs TestBroken and returns what it prints.
func broken(t *testing.T, folder string) string {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^TestBroken$", "-rapid.nofailfile")
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
	for _, want := range []string{"made small in ", "what led to it", "violation (linearizability)", "repeat: go run ./cmd/mine run " + filepath.ToSlash(files[0]) + " --protocol raft --seed "} {
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
