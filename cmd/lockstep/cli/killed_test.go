package cli_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// ends are the two ways in which a user stops a program.
var ends = []struct {
	name   string
	signal os.Signal
}{{"interrupt", os.Interrupt}, {"kill", os.Kill}}

// process is lockstep as a program of its own.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner // of its standard output, or of its standard error
}

// start starts lockstep in a folder; stderr says which of its streams to read.
func start(t *testing.T, dir string, stderr bool, args ...string) *process {
	t.Helper()
	cmd := exec.Command("lockstep", args...)
	cmd.Dir = dir
	pipe := cmd.StdoutPipe
	if stderr {
		pipe = cmd.StderrPipe
	}
	out, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, bufio.NewScanner(out)}
	p.lines.Buffer(nil, 1<<20)
	return p
}

// stop sends a signal and waits for the end. It returns the lines that were under way.
func (p *process) stop(t *testing.T, s os.Signal) (rest []string) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	for p.lines.Scan() {
		rest = append(rest, p.lines.Text())
	}
	var exit *exec.ExitError
	if err := p.Wait(); !errors.As(err, &exit) {
		t.Fatalf("the program ended by itself: %v", err)
	}
	if code := exit.ExitCode(); s == os.Interrupt && code != scenarios.CodeInterrupted {
		t.Errorf("exit code %d, want %d", code, scenarios.CodeInterrupted)
	}
	return rest
}

// buggy is a scenario whose every plan has a good chance to fail.
const buggy = `
name: buggy
protocols: [raft]
parameters: {raft: {bugs: [R-11]}}
for: 3s
faults:
  - {at: 1s, for: 200ms, crash: leader}
  - {at: 1500ms, for: 200ms, pause: leader}
  - {at: 2s, for: 200ms, partition: leader}
`

func folderWith(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// verdict runs a saved scenario again.
func verdict(t *testing.T, file string, seed uint64) *scenarios.Result {
	t.Helper()
	raft := all.List()[:1]
	sc, _, err := scenarios.ReadFile(file, raft)
	if err != nil {
		t.Fatalf("what was saved cannot be read: %v", err)
	}
	return scenarios.Run(sc, raft[0], seed, scenarios.Options{})
}

// told is what a line of fuzz --json says of a run.
type told struct {
	Verdict, Check, Digest string
	Seed                   uint64
}

// TestStoppedFuzz: however fuzz is stopped, each failure that it told of is saved, and
// fails again.
func TestStoppedFuzz(t *testing.T) {
	for _, end := range ends {
		t.Run(end.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && end.signal == os.Interrupt {
				t.Skip("no SIGINT to a process of choice")
			}
			dir := folderWith(t, "buggy.yaml", buggy)
			p := start(t, dir, false, "fuzz", "--base", "buggy.yaml", "-n", "1000000", "--json", "--out", "found", "-j", "2")
			var failed []told
			hear := func(line []byte) {
				var r told
				if err := json.Unmarshal(line, &r); err != nil {
					return // the last line of a process that was killed
				}
				if r.Verdict == "violation" {
					failed = append(failed, r)
				}
			}
			for len(failed) < 3 && p.lines.Scan() {
				hear(p.lines.Bytes())
			}
			for _, line := range p.stop(t, end.signal) {
				hear([]byte(line))
			}
			if len(failed) < 3 {
				t.Fatal("the campaign found too little to lose")
			}
			for _, r := range failed[:min(len(failed), 20)] {
				file := filepath.Join(dir, "found", "raft", r.Check, "seed-"+jsonNumber(r.Seed)+".yaml")
				if again := verdict(t, file, r.Seed); again.Check != r.Check {
					t.Errorf("%s fails with %q, and failed with %q", file, again.Check, r.Check)
				}
			}
		})
	}
}

func jsonNumber(n uint64) string {
	b, err := json.Marshal(n)
	if err != nil {
		panic(err) // numbers have a form
	}
	return string(b)
}

// TestStoppedShrink: however shrink is stopped, the smallest scenario that it told of
// is saved, and fails again. An interrupt leaves its story as well.
func TestStoppedShrink(t *testing.T) {
	for _, end := range ends {
		t.Run(end.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && end.signal == os.Interrupt {
				t.Skip("no SIGINT to a process of choice")
			}
			dir := folderWith(t, "buggy.yaml", buggy)
			file := filepath.Join(dir, "small", "repro.yaml")
			before := verdict(t, filepath.Join(dir, "buggy.yaml"), 3)
			p := start(t, dir, true, "shrink", "buggy.yaml", "--seed", "3", "-j", "1", "-v", "--out", "small")
			for range 2 {
				if !p.lines.Scan() {
					t.Fatal("the search ended before it could be stopped")
				}
			}
			p.stop(t, end.signal)
			if again := verdict(t, file, 3); before.Check == "" || again.Check != before.Check || len(again.Faults) >= len(before.Faults) {
				t.Errorf("saved: %s with %d faults; before: %s with %d", again, len(again.Faults), before, len(before.Faults))
			}
			_, err := os.Stat(filepath.Join(dir, "small", "story.txt"))
			if told := err == nil; told != (end.signal == os.Interrupt) {
				t.Errorf("a story is there: %v (%v)", told, err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "small", "*.yaml"))
			if err != nil || !slices.Equal(files, []string{file}) {
				t.Errorf("got %v (%v), want the scenario alone", files, err)
			}
		})
	}
}
