// Package scenariotest puts a replication protocol on trial inside go test.
//
//	func TestMyProtocol(t *testing.T) { scenariotest.Check(t, mine.Protocol()) }
//
// Check runs many drawn plans as one property; Scenario runs one scenario file. A
// failure is saved as a scenario under testdata/lockstep, which is run first from
// then on, and ends with the one command that repeats it.
//
// It imports rapid, which registers its flags (-rapid.checks and others) on the
// command line of the test binary.
package scenariotest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// Option changes what Check does.
type Option func(*settings)

type settings struct {
	parameters any
	command    string
	plan       func(seed uint64) *scenarios.Scenario
	folder     string
}

// Parameters sets the protocol's parameters, as Protocol.Parameters returns them.
func Parameters(parameters any) Option {
	return func(s *settings) { s.parameters = parameters }
}

// Command sets the command that repeats failures, run in the root of the module,
// for example "go run ./cmd/mine" of a repository with its own main. Default:
// lockstep.
func Command(command string) Option {
	return func(s *settings) { s.command = command }
}

// Plan replaces [scenarios.Draw]: plan makes a scenario of a seed and must be a
// pure function.
func Plan(plan func(seed uint64) *scenarios.Scenario) Option {
	return func(s *settings) { s.plan = plan }
}

// Folder sets where failing plans are saved, relative to the test's package.
// Default: testdata/lockstep/<test>.
func Folder(folder string) Option {
	return func(s *settings) { s.folder = folder }
}

// Check runs drawn plans with the protocol, as many as -rapid.checks says (100),
// and fails with the report of the first one that does not meet its expectations.
// What failed before is run first.
func Check(t *testing.T, p *protocols.Protocol, options ...Option) {
	t.Helper()
	s := &settings{command: "lockstep", folder: filepath.Join("testdata", "lockstep", fileName(t.Name()))}
	for _, o := range options {
		o(s)
	}
	if s.plan == nil {
		s.plan = func(seed uint64) *scenarios.Scenario { return scenarios.Draw(seed, p, s.parameters) }
	}
	for _, file := range s.saved(t) {
		s.again(t, p, file)
	}
	if t.Failed() {
		return
	}
	var runner scenarios.Runner
	var failing *[8]byte // the seed of the first failure
	var report string
	rapid.Check(t, func(rt *rapid.T) {
		// Bytes, because a third of what rapid's Uint64 draws are duplicates.
		drawn := [8]byte(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(rt, "seed"))
		if failing == nil {
			seed := hashed(drawn)
			sc := s.plan(seed)
			if r := runner.Run(sc, p, seed, scenarios.Options{History: true}); r.Code() != scenarios.CodeOK {
				failing, report = &drawn, s.report(sc, p, r)
			}
		}
		// Every other seed passes at no cost, so that rapid's own minimisation, which
		// knows nothing of plans, ends at once. One call site and one text: rapid
		// compares both.
		if failing != nil && drawn == *failing {
			rt.Fatalf("%s", report)
		}
	})
}

// Scenario runs one scenario file, or a shipped scenario by name, with the
// protocol and the seeds 1 to seeds, and fails unless all expectations are met.
func Scenario(t *testing.T, p *protocols.Protocol, file string, seeds uint64) {
	t.Helper()
	list, _, err := scenarios.Resolve([]string{file}, []*protocols.Protocol{p})
	if err != nil {
		t.Fatal(err)
	}
	var runner scenarios.Runner
	for _, sc := range list {
		for seed := uint64(1); seed <= seeds; seed++ {
			if r := runner.Run(sc, p, seed, scenarios.Options{}); r.Code() != scenarios.CodeOK {
				t.Fatalf("%s", text(r, r.Replay))
			}
		}
	}
}

// hashed makes a seed of drawn bytes: rapid prefers small ones.
func hashed(drawn [8]byte) uint64 {
	return protocols.Mix64(binary.LittleEndian.Uint64(drawn[:]))
}

// saved lists the plans that failed before, by name.
func (s *settings) saved(t *testing.T) []string {
	files, err := filepath.Glob(filepath.Join(s.folder, "*.yaml"))
	if err != nil {
		t.Fatalf("%s: %v", s.folder, err)
	}
	return files
}

// again runs a saved plan. Its first line names the seed.
func (s *settings) again(t *testing.T, p *protocols.Protocol, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	var seed uint64
	first, _, _ := strings.Cut(string(data), "\n")
	if _, err := fmt.Sscanf(first, seedLine, &seed); err != nil {
		t.Errorf("%s:1: want the line %q, got %q", file, fmt.Sprintf(seedLine, 7), first)
		return
	}
	sc, _, err := scenarios.Parse(file, data, []*protocols.Protocol{p})
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	if r := scenarios.Run(sc, p, seed, scenarios.Options{}); r.Code() != scenarios.CodeOK {
		t.Errorf("%s", text(r, s.replay(file, p, seed)))
	}
}

const seedLine = "# seed %d"

// report saves a failing plan and says how to repeat it.
func (s *settings) report(sc *scenarios.Scenario, p *protocols.Protocol, r *scenarios.Result) string {
	plan := scenarios.Format(scenarios.Resolved(sc, p))
	data := append(fmt.Appendf(nil, seedLine+"\n", r.Seed), plan...)
	file := filepath.Join(s.folder, fmt.Sprintf("%x", sha256.Sum256(data))[:8]+".yaml")
	if err := save(file, data); err != nil {
		return text(r, fmt.Sprintf("the plan could not be saved (%v); it is:\n%s", err, data))
	}
	return text(r, s.replay(file, p, r.Seed))
}

func (s *settings) replay(file string, p *protocols.Protocol, seed uint64) string {
	return fmt.Sprintf("%s run %s --protocol %s --seed %d", s.command, filepath.ToSlash(fromRoot(file)), p.Name, seed)
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

// fileName makes a folder of a test's name.
func fileName(test string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, test)
}
