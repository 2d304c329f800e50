package docs_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	tutorial = "docs/tutorial/"
	finished = "examples/yourprotocol/"
)

// TestTutorial follows the tutorial to the letter in a module outside the repository.
// A block such as
//
//	```go register/register.go
//
// is that file, or its next part where the chapter has begun it; the commands of the
// console blocks are run there, and what they print is compared. In the end the module
// is the finished example.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and runs programs")
	}
	s := &student{T: t, folder: t.TempDir()}
	s.begin()
	names, err := filepath.Glob(filepath.Join(root, tutorial, "[1-6]-*.md"))
	if err != nil || len(names) != 6 {
		t.Fatalf("want six chapters, got %v (%v)", names, err)
	}
	for _, name := range names {
		text := read(t, tutorial+filepath.Base(name))
		made := s.chapter(text)
		switch {
		case made == text:
		case *update:
			if err := os.WriteFile(name, []byte(made), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s shows other output than the commands print; run go test ./internal/docs -run Tutorial -update\n%s", filepath.Base(name), firstDifference(text, made))
		}
	}
	for _, name := range s.written {
		if got, want := s.read(name), read(t, finished+name); got != want {
			t.Errorf("the tutorial ends with another %s than %s has\n%s", name, finished, firstDifference(want, got))
		}
	}
}

// student is somebody who does what the tutorial says.
type student struct {
	*testing.T
	folder  string
	written []string
	ran     int
}

// begin makes the module: with what the example requires, and this repository.
func (s *student) begin() {
	here, err := filepath.Abs(root)
	if err != nil {
		s.Fatal(err)
	}
	requires := strings.Replace(read(s.T, finished+"go.mod"), "=> ../..", "=> "+strconv.Quote(filepath.ToSlash(here)), 1)
	s.write("go.mod", requires)
	s.write("go.sum", read(s.T, finished+"go.sum"))
}

func (s *student) read(name string) string {
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

func (s *student) write(name, text string) {
	full := filepath.Join(s.folder, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
}

var fileBlock = regexp.MustCompile("^```(?:go|yaml) (\\S+)$")

// chapter writes the files and runs the commands of one chapter, and returns its text
// with what they really print.
func (s *student) chapter(text string) string {
	var out, part []string
	begun := map[string]bool{}
	file, console := "", false
	for line := range strings.SplitSeq(text, "\n") {
		m := fileBlock.FindStringSubmatch(line)
		switch {
		case m != nil:
			file, part = m[1], nil
		case line == "```console":
			console = true
		case line == "```" && file != "":
			s.part(file, part, begun)
			file = ""
		case line == "```":
			console = false
		case console && strings.HasPrefix(line, "$ "):
			command := s.saved(strings.TrimPrefix(line, "$ "))
			out = append(append(out, "$ "+command), s.run(command)...)
			continue
		case console:
			continue // what was printed before
		case file != "":
			part = append(part, line)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// part writes the first part of a file, or adds the next one.
func (s *student) part(file string, lines []string, begun map[string]bool) {
	text := strings.Join(lines, "\n") + "\n"
	if begun[file] {
		text = s.read(file) + "\n" + text
	}
	begun[file] = true
	s.write(file, text)
	if !slices.Contains(s.written, file) {
		s.written = append(s.written, file)
	}
}

var (
	savedPlan = regexp.MustCompile(`register/testdata/lockstep/TestRegister/[0-9a-f]+\.yaml`)
	seedOf    = regexp.MustCompile(`--seed [0-9]+`)
)

// saved puts the name of the plan that the test saved, and its seed, into a command.
func (s *student) saved(command string) string {
	if !savedPlan.MatchString(command) {
		return command
	}
	plans, err := filepath.Glob(filepath.Join(s.folder, "register/testdata/lockstep/TestRegister/*.yaml"))
	if err != nil || len(plans) != 1 {
		s.Fatalf("want one saved plan, got %v (%v)", plans, err)
	}
	name := "register/testdata/lockstep/TestRegister/" + filepath.Base(plans[0])
	seed, _, _ := strings.Cut(strings.TrimPrefix(s.read(name), "# seed "), "\n")
	return seedOf.ReplaceAllString(savedPlan.ReplaceAllString(command, name), "--seed "+seed)
}

var testTime = regexp.MustCompile(`\b[0-9]+\.[0-9]+s(\)?)$`)

// run runs a go command in the module and returns the lines that it prints, without the
// times that tests took.
func (s *student) run(line string) []string {
	lines := -1
	if m := head.FindStringSubmatch(line); m != nil {
		line = m[1]
		lines, _ = strconv.Atoi(m[2])
	}
	args := strings.Fields(line)
	if args[0] != "go" {
		s.Fatalf("the tutorial has the command %q: want go …", line)
	}
	var stdout, stderr bytes.Buffer
	command := exec.Command("go", args[1:]...)
	command.Dir, command.Stdout, command.Stderr = s.folder, &stdout, &stderr
	if err := command.Run(); err != nil {
		var failed *exec.ExitError
		if !errors.As(err, &failed) || stdout.Len() == 0 {
			s.Fatalf("%s: %v\n%s", line, err, &stderr)
		}
	}
	s.ran++
	printed := strings.Split(strings.TrimRight(stdout.String(), "\n"), "\n")
	if lines >= 0 {
		printed = printed[:min(lines, len(printed))]
	}
	for i, l := range printed {
		if args[1] == "test" && (strings.HasPrefix(l, "ok") || strings.HasPrefix(l, "---") || strings.HasPrefix(l, "FAIL")) {
			printed[i] = testTime.ReplaceAllString(strings.ReplaceAll(l, "(cached)", "0.0s"), "…s$1")
		}
	}
	return printed
}

// TestFinishedExampleIsShort: the working protocol with the whole command line is at
// most 150 lines, and the property test that the tutorial begins with below 30.
func TestFinishedExampleIsShort(t *testing.T) {
	t.Parallel()
	lines := 0
	for _, name := range files(t) {
		if strings.HasPrefix(name, finished) && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			lines += strings.Count(read(t, name), "\n")
		}
	}
	if lines == 0 || lines > 150 {
		t.Errorf("%s has %d lines of Go that are not tests, want 1..150", finished, lines)
	}
	_, test, found := strings.Cut(read(t, tutorial+"2-a-test-that-finds-it.md"), "```go register/register_test.go\n")
	if test, _, _ = strings.Cut(test, "```"); !found || strings.Count(test, "\n") >= 30 {
		t.Errorf("the tutorial's first test has %d lines, want below 30", strings.Count(test, "\n"))
	}
}
