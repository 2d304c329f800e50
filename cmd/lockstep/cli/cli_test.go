package cli_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lockstep": func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, all.List())) },
		"solo":     func() { cli.Exit(solo()) },
		"missing": func() {
			os.Exit(cli.Main([]string{"list", "protocols"}, os.Stdin, os.Stdout, os.Stderr, []*protocols.Protocol{nil}))
		},
		"broken": func() {
			p := &protocols.Protocol{Parameters: func() any { panic("no defaults") }}
			os.Exit(cli.Main([]string{"list", "protocols"}, os.Stdin, os.Stdout, os.Stderr, []*protocols.Protocol{p}))
		},
	})
}

// TestScripts runs testdata/script/*.txt, which read as documentation of the
// command line. The command exits compares an exit code.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"same":  same,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "")
			return nil
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// exits CODE COMMAND ARG... runs a command and compares its exit code; stdout and
// stderr are there for the next commands.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if exit, ok := err.(*exec.ExitError); ok {
		got = strings.TrimPrefix(exit.Error(), "exit status ")
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// same FILE FILE... compares files byte by byte.
func same(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args[1:] {
		if equal := ts.ReadFile(args[0]) == ts.ReadFile(name); equal == neg {
			ts.Fatalf("%s and %s: equal is %v", args[0], name, equal)
		}
	}
}

// main runs a command in this process.
func main(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.Main(args, strings.NewReader(""), &out, &errs, []*protocols.Protocol{solo()})
	return code, out.String(), errs.String()
}

// Every --help shows examples.
func TestHelpHasExamples(t *testing.T) {
	commands := [][]string{{}, {"run"}, {"compare"}, {"validate"}, {"list"}, {"explain"}, {"init"}, {"schema"}, {"version"}, {"completion"}, {"shrink"}, {"replay"}, {"trace"}, {"fuzz"}}
	for _, what := range []string{"scenarios", "protocols", "checks", "faults", "bugs", "targets", "events", "metrics", "matrices", "cpus", "keys"} {
		commands = append(commands, []string{"list", what})
	}
	for _, c := range commands {
		code, stdout, stderr := main(append(c, "--help")...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Examples:\n  ") {
			t.Errorf("%v --help: code %d, stderr %q, stdout:\n%s", c, code, stderr, stdout)
		}
	}
}

// fullDisk fails like a disk without room.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// Results that cannot be written are an internal error, never a success.
func TestStdoutOnAFullDisk(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"list", "faults"}, {"schema"}, {"--help"}, {"completion", "bash"}} {
		var errs bytes.Buffer
		if code := cli.Main(args, nil, fullDisk{}, &errs, []*protocols.Protocol{solo()}); code != 70 || errs.Len() == 0 {
			t.Errorf("%v on a full disk: code %d, stderr %q", args, code, errs.String())
		}
	}
}

// Nothing but a terminal gets escape sequences.
func TestNoEscapesOffTerminals(t *testing.T) {
	for _, args := range [][]string{{"list", "protocols"}, {"list", "checks"}, {"run", "nothing\x1b[31m"}, {"run", "--\x1b[31m"}, {"\x1b[31m"}, {"list", "\x1b[31m"}} {
		_, stdout, stderr := main(args...)
		if strings.Contains(stdout+stderr, "\x1b") {
			t.Errorf("%q: output holds an escape sequence: %q", args, stdout+stderr)
		}
	}
}
