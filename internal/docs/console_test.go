package docs_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
	"github.com/lockstep-sim/lockstep/protocols/all"
)

var update = flag.Bool("update", false, "write the real outputs into the documents")

// lockstep runs the command line in this process.
func lockstep(args ...string) (stdout, stderr string, code int) {
	var out, problems bytes.Buffer
	code = cli.Main(args, strings.NewReader(""), &out, &problems, all.List())
	return out.String(), problems.String(), code
}

// TestConsoleBlocks runs the commands of every block
//
//	```console
//	$ go run ./cmd/lockstep run …
//	output
//	```
//
// and compares what they print. Standard error is shown where the command fails
// with usage errors (code 2). `| head -n N` cuts, `echo $?` prints the last code.
// Commands run in a folder that holds the scenarios of this repository, so that
// what they write goes nowhere.
func TestConsoleBlocks(t *testing.T) {
	type document struct{ name, text string }
	var documents []document
	for _, name := range markdown(t) {
		if !strings.HasPrefix(name, "examples/") && !strings.HasPrefix(name, tutorial) { // modules of their own, with tests of their own
			documents = append(documents, document{name, read(t, name)})
		}
	}
	home, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	here := t.TempDir()
	for _, folder := range []string{"scenarios/library", "docs/examples"} {
		if err := os.CopyFS(filepath.Join(here, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(here)
	blocks := 0
	for _, d := range documents {
		t.Run(d.name, func(t *testing.T) {
			made, n := runBlocks(t, d.text)
			blocks += n
			if made == d.text {
				return
			}
			if *update {
				if err := os.WriteFile(filepath.Join(home, d.name), []byte(made), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s shows other output than the commands print; run go test ./internal/docs -update\n%s", d.name, firstDifference(d.text, made))
		})
	}
	if blocks == 0 {
		t.Error("no console block was found: does the search still work?")
	}
}

// runBlocks returns text with the outputs that its commands really print, and
// the number of blocks.
func runBlocks(t *testing.T, text string) (made string, blocks int) {
	var out []string
	inside := false
	code := 0
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case line == "```console":
			inside = true
			blocks++
			out = append(out, line)
		case inside && line == "```":
			inside = false
			out = append(out, line)
		case inside && strings.HasPrefix(line, "$ "):
			var printed string
			printed, code = shell(t, strings.TrimPrefix(line, "$ "), code)
			out = append(out, line)
			if printed = strings.TrimRight(printed, "\n"); printed != "" {
				out = append(out, strings.Split(printed, "\n")...)
			}
		case !inside:
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n"), blocks
}

var (
	command = regexp.MustCompile(`^(?:go run \./cmd/lockstep|lockstep) (.*)$`)
	head    = regexp.MustCompile(`^(.*) \| head -n (\d+)$`)
)

// shell runs one command of a block. last is the code of the one before.
func shell(t *testing.T, line string, last int) (printed string, code int) {
	if line == "echo $?" {
		return strconv.Itoa(last), 0
	}
	lines := -1
	if m := head.FindStringSubmatch(line); m != nil {
		line = m[1]
		lines, _ = strconv.Atoi(m[2])
	}
	m := command.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("a console block has the command %q: want lockstep …, go run ./cmd/lockstep … or echo $?", line)
	}
	stdout, stderr, code := lockstep(strings.Fields(m[1])...)
	printed = stdout
	if code == 2 {
		printed += stderr
	}
	if lines >= 0 {
		printed = strings.Join(strings.Split(printed, "\n")[:min(lines, strings.Count(printed, "\n"))], "\n")
	}
	return printed, code
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d\n  document: %s\n  command:  %s", i+1, as[i], bs[i])
		}
	}
	return fmt.Sprintf("the document has %d lines, with real output %d", len(as), len(bs))
}

var (
	call   = regexp.MustCompile("(?m)(?:go run \\./cmd/lockstep|go run \\.|\\blockstep) ((?:run|validate|list|init|schema|version|completion|compare|log)\\b[^`\n#|>&;]*)")
	option = regexp.MustCompile(`(?:^|\s)(--?[a-z][a-z-]*)`)
)

// TestMentionedFlagsExist looks up every flag that a document gives to a command.
func TestMentionedFlagsExist(t *testing.T) {
	t.Parallel()
	calls := 0
	for _, name := range markdown(t) {
		for _, m := range call.FindAllStringSubmatch(read(t, name), -1) {
			calls++
			for _, flag := range unknownFlags(t, m[1]) {
				t.Errorf("%s: %q: lockstep has no flag %s there", name, strings.TrimSpace(m[0]), flag)
			}
		}
	}
	if calls == 0 {
		t.Error("no command was found: does the search still work?")
	}
	if got := unknownFlags(t, "run x --seed 1 --no-such-flag -z"); !slices.Equal(got, []string{"--no-such-flag", "-z"}) {
		t.Errorf("unknown flags: got %v", got)
	}
}

func unknownFlags(t *testing.T, args string) (unknown []string) {
	help, _, code := lockstep(strings.Fields(args)[0], "--help")
	if code != 0 {
		t.Fatalf("lockstep %s --help: code %d", strings.Fields(args)[0], code)
	}
	for _, m := range option.FindAllStringSubmatch(args, -1) {
		if !regexp.MustCompile(`(?m)^ .*` + regexp.QuoteMeta(m[1]) + `\b`).MatchString(help) {
			unknown = append(unknown, m[1])
		}
	}
	return unknown
}

// TestEveryCommandAndFieldIsDocumented: docs/cli.md has every command, every flag
// and every field of --json.
func TestEveryCommandAndFieldIsDocumented(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/cli.md")
	help, _, _ := lockstep("--help")
	_, commands, _ := strings.Cut(help, "Available Commands:\n")
	commands, _, _ = strings.Cut(commands, "\n\n")
	for line := range strings.SplitSeq(commands, "\n") {
		name := strings.Fields(line)[0]
		if name != "help" && !strings.Contains(text, "## lockstep "+name+"\n") {
			t.Errorf("docs/cli.md has no section on %s", name)
		}
	}
	line, problems, code := lockstep("run", "steady-state", "--json")
	if code != 0 {
		t.Fatalf("run steady-state --json: code %d: %s", code, problems)
	}
	fields := regexp.MustCompile(`"([a-z_0-9]+)":`).FindAllStringSubmatch(line, -1)
	if len(fields) < 15 {
		t.Errorf("only %d fields in %s", len(fields), line)
	}
	for _, m := range fields {
		if !strings.Contains(text, "`"+m[1]+"`") {
			t.Errorf("docs/cli.md does not explain the field %s", m[1])
		}
	}
}
