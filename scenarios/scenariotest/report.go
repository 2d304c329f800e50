package scenariotest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/shrink"
)

const (
	seedLine = "# seed %d"
	cutLine  = "# cut where the violation showed"
)

// ended says why a plan is not as small as it could be.
var ended = map[shrink.End]string{
	shrink.Spent:       ", which is the budget",
	shrink.Interrupted: ", until the time that -timeout gives was nearly over",
}

// unended saves the plan of a run that does not end, and names it.
func (s *settings) unended(sc *scenarios.Scenario, p *protocols.Protocol, seed uint64) string {
	data := append(fmt.Appendf(nil, seedLine+"\n", seed), scenarios.Format(scenarios.Resolved(sc, p))...)
	file := s.fileOf(data)
	if err := save(file, data); err != nil {
		return fmt.Sprintf("%s with seed %d (its plan could not be saved: %v)", p.Name, seed, err)
	}
	return fmt.Sprintf("%s with seed %d; repeat: %s", p.Name, seed, s.replay(file, p, seed))
}

// fileOf names the file of a plan by what is in it.
func (s *settings) fileOf(data []byte) string {
	return filepath.Join(s.folder, fmt.Sprintf("%x", sha256.Sum256(data))[:8]+".yaml")
}

// report makes a failing plan small, saves it, and says what happens in it and how to
// repeat it.
func (s *settings) report(c clock, sc *scenarios.Scenario, p *protocols.Protocol, r *scenarios.Result) string {
	sc = scenarios.Resolved(sc, p)
	plan, told, drawing, head := scenarios.Format(sc), "", []byte(nil), fmt.Sprintf(seedLine+"\n", r.Seed)
	if r.Verdict == checker.Violation && s.budget > 0 {
		ctx, cancel := c.context()
		defer cancel()
		if small, err := shrink.Minimise(ctx, sc, p, r.Seed, shrink.Options{MaxRuns: s.budget, Fixed: s.set}); err == nil {
			if story, err := shrink.Tell(small.Scenario, p, r.Seed, ""); err == nil {
				told = fmt.Sprintf("made small in %d runs%s: %s\n\n%s\n", small.Runs, ended[small.End], small.Sizes(), story.Text)
				plan, drawing, head = story.Scenario, story.SVG, head+cutLine+"\n"
			}
		}
	}
	data := append([]byte(head), plan...)
	file := s.fileOf(data)
	err := save(file, data)
	if err == nil && drawing != nil {
		err = save(strings.TrimSuffix(file, ".yaml")+".svg", drawing)
	}
	if told != "" {
		told += "found in a run with " + counted(len(r.Faults)) + ": "
		r.Faults = nil // of the whole plan: the story has those that mattered
	}
	if err != nil {
		return told + text(r, fmt.Sprintf("the plan could not be saved (%v); it is:\n%s", err, data))
	}
	return told + text(r, s.replay(file, p, r.Seed))
}

func (s *settings) replay(file string, p *protocols.Protocol, seed uint64) string {
	if s.command == "" {
		return goTest(s.test)
	}
	return fmt.Sprintf("%s run %s --protocol %s --seed %d", s.command, filepath.ToSlash(fromRoot(file)), p.Name, seed)
}

// goTest is the command that runs a test again, in the root of the module.
func goTest(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	folder := filepath.ToSlash(fromRoot("."))
	if folder != "." {
		folder = "./" + folder
	}
	return fmt.Sprintf("go test %s -run '%s'", folder, strings.Join(parts, "/"))
}

// fromRoot returns the name of a file as seen from the root of the module, where
// commands are run; tests run in their package's folder.
func fromRoot(file string) string {
	here, err := os.Getwd()
	if err != nil || filepath.IsAbs(file) {
		return file
	}
	for root := here; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			if name, err := filepath.Rel(root, filepath.Join(here, file)); err == nil {
				return name
			}
		}
		if root == filepath.Dir(root) {
			return file
		}
	}
}

func save(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

// text is the canonical report of a failed run: no addresses, no times of the
// machine.
func text(r *scenarios.Result, replay string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r)
	for _, f := range r.Faults {
		fmt.Fprintf(&b, "  fault %d: %s %s", f.ID, f.Kind, f.Target)
		if f.Resolved != "" && f.Resolved != f.Target {
			fmt.Fprintf(&b, " (%s)", f.Resolved)
		}
		fmt.Fprintf(&b, ", %s to %s: %s\n", protocols.Time(f.StartNS), protocols.Time(f.EndNS), f.How)
	}
	for _, m := range r.Missed() {
		fmt.Fprintf(&b, "  expected %s, got %s\n", m.Text, m.Got)
	}
	fmt.Fprintf(&b, "repeat: %s", replay)
	return b.String()
}

// counted says how many faults a plan had.
func counted(faults int) string {
	if faults == 1 {
		return "1 fault"
	}
	return fmt.Sprintf("%d faults", faults)
}
