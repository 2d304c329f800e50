package scenariotest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// single is a protocol in a module of its own: the first node serves, from its disk. By
// the variable WRONG it forgets what it has, panics, or never returns from a step.
const single = `package single

import (
	"os"

	"github.com/lockstep-sim/lockstep/protocols"
)

type Saved struct{ State any }

func (*Saved) Kind() protocols.Kind { return 1 }

type node struct {
	protocols.Config
	state protocols.Executor
}

func Protocol() *protocols.Protocol {
	return &protocols.Protocol{
		Name: "single", Roles: []string{"replica"}, Messages: protocols.Kinds(new(Saved)), Records: protocols.Kinds(new(Saved)), New: boot,
		CanProgress: func(f *protocols.Facts) (bool, string) { return f.Live.Has(1) && !f.Stalled.Has(1), "n1 is down" },
	}
}

func boot(cfg protocols.Config, found protocols.Recovered) (protocols.Node, error) {
	n := &node{Config: cfg, state: protocols.Executor{Machine: cfg.Machine}}
	if last, ok := found.Snapshot.(*Saved); ok && os.Getenv("WRONG") != "forgets" {
		n.state.Restore(last.State)
	}
	return n, nil
}

func (n *node) Step(ev *protocols.Event, out *protocols.Effects) {
	switch {
	case ev.Kind != protocols.Request:
	case n.ID != 1:
		out.Refuse(ev.Command, 1)
	default:
		for os.Getenv("WRONG") == "loops" && ev.Command.Seq > 3 {
		}
		if os.Getenv("WRONG") == "panics" {
			panic("ouch")
		}
		answer := n.state.Answer(ev.Command, ev.Wall)
		out.SaveSnapshot(&Saved{n.state.Snapshot()})
		out.Reply(ev.Command, answer)
	}
}

func (n *node) View(v *protocols.View) { *v = protocols.View{Members: n.Members, First: 1} }
`

const singleTest = `package single

import (
	"testing"

	"github.com/lockstep-sim/lockstep/scenarios/scenariotest"
)

func TestSingle(t *testing.T) { t.Parallel(); scenariotest.Check(t, Protocol()) }
func TestOther(t *testing.T)  { t.Parallel(); scenariotest.Check(t, Protocol()) }
func FuzzSingle(f *testing.F) { scenariotest.Fuzz(f, Protocol()) }
`

// module writes the protocol and its tests into a module of its own, which requires what
// the example requires.
func module(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	example := filepath.Join("..", "..", "examples", "yourprotocol")
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"single.go": single, "single_test.go": singleTest, "go.mod": "", "go.sum": ""} {
		if text == "" {
			data, err := os.ReadFile(filepath.Join(example, name))
			if err != nil {
				t.Fatal(err)
			}
			text = strings.Replace(string(data), "=> ../..", "=> "+strconv.Quote(filepath.ToSlash(root)), 1)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestGoTest: the flags of go test, fuzzing included, mean in a module of somebody else
// what they always do, and a test whose time is nearly over, or that hangs, says so.
func TestGoTest(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds programs")
	}
	folder := module(t)
	for _, c := range []struct {
		flags, wrong string
		want         []string // each so often: "2 text"; \n: at the start of a line, where no subtest stands
	}{
		{"-v -run ^TestSingle$ -count=2 -rapid.checks=12 -rapid.seed=5", "", []string{"2 OK, passed 12 tests", "2 --- PASS: TestSingle", "0 TestOther", "1 ok  "}},
		{"-v -short -run ^Test -parallel=1 -rapid.seed=5", "", []string{"2 OK, passed 20 tests", "2 --- PASS", "1 ok  "}},
		{"-v -run ^TestSingle$ -timeout=2s -rapid.checks=1000000", "", []string{"1 --- FAIL: TestSingle", "2 none of which failed", "0 panic:", "0 flaky"}},
		{"-run ^TestSingle$ -timeout=5s -rapid.nofailfile", "loops", []string{"1 a run does not end", "1 single with seed", "1 repeat: go test . -run '^TestSingle$'", "1 yourprotocol.(*node).Step", "0 panic:"}},
		{"-run ^TestSingle$ -timeout=5s -rapid.nofailfile", "loops", []string{"1 a run does not end", "1 testdata/lockstep/TestSingle/"}},
		{"-run ^TestOther$ -rapid.nofailfile", "forgets", []string{"1 --- FAIL: TestOther", "1 made small in", "1 repeat: go test . -run '^TestOther$'", "0 flaky"}},
		{"-run ^TestOther$ -rapid.nofailfile", "forgets", []string{"1 --- FAIL: TestOther", "0 made small in", "1 repeat: go test . -run '^TestOther$'"}},
		{"-run ^TestOther$ -rapid.seed=5 -rapid.checks=5", "", []string{"1 ok  "}},
		{"-run ^$ -fuzz ^FuzzSingle$ -fuzztime=20x -parallel=1", "", []string{"1 ok  ", "0 FAIL"}},
		{"-run ^$ -fuzz ^FuzzSingle$ -fuzztime=20x -parallel=1", "panics", []string{"1 \n--- FAIL: FuzzSingle (", "1 panic is violated", "0 goroutine "}},
	} {
		command := exec.Command("go", append([]string{"test"}, strings.Fields(c.flags)...)...)
		command.Dir = folder
		command.Env = append(os.Environ(), "WRONG="+c.wrong, "GOFLAGS=-mod=mod")
		out, _ := command.CombinedOutput()
		for _, want := range c.want {
			times, text, _ := strings.Cut(want, " ")
			if n := strconv.Itoa(strings.Count("\n"+string(out), text)); n != times {
				t.Errorf("go test %s, wrong %q: %q stands there %s times, want %s\n%.6000s", c.flags, c.wrong, text, n, times, out)
			}
		}
	}
}
