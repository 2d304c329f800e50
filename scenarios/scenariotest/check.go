// Package scenariotest puts a replication protocol on trial inside go test.
//
// # One line
//
//	func TestMyProtocol(t *testing.T) { scenariotest.Check(t, mine.Protocol()) }
//
// Check runs drawn experiments: cluster, links, disks, clients and faults within the
// model that the protocol claims to survive. How many is said by -rapid.checks (100),
// which seeds by -rapid.seed; under -short it is a tenth.
//
// The flags of go test mean what they always do: -run picks tests, -count=2 draws
// twice, -parallel bounds tests that call t.Parallel. Before the time of -timeout is over
// a test ends with a word on how far it came, and a Step that does not return within a
// minute is named with its stack. The first experiment runs twice, so that a protocol
// which cannot be repeated is named as such.
//
// A target for go test -fuzz, with a corpus to begin with, is as short:
//
//	func FuzzMyProtocol(f *testing.F) { scenariotest.Fuzz(f, mine.Protocol()) }
//
// docs/tutorial takes a protocol of one's own through all of this, file by file.
//
// # When it fails
//
// The first failure is made as small as it can be (package shrink) and told: what led
// to it, what the nodes believed, which operations contradict each other. The small
// plan is saved under testdata/lockstep/<test>, with a space-time diagram beside it,
// and the report ends with the one command that repeats it. Commit the file: from then
// on every run of the test begins with it, and fails as long as the plan fails. It is
// judged by the verdict, so the protocol's code may change. A plan of a violation was cut
// where that showed: a protocol that now takes longer, so that nothing is decided before
// the plan ends, has passed it.
//
// # Your own experiments
//
//	scenariotest.Check(t, p, scenariotest.Machine("counter"))
//	scenariotest.Check(t, p, scenariotest.Set("workload.clients=2", "disk.fsync=5ms"))
//	scenariotest.Check(t, p, scenariotest.Invariants(mine.Observers))
//	scenariotest.Check(t, p, scenariotest.Generate(func(t *rapid.T) *scenarios.Scenario {
//		sc := scenarios.New("mine")
//		sc.Replicas = rapid.SampledFrom([]int{3, 5}).Draw(t, "replicas")
//		return sc
//	}))
//
// [Plan] makes a scenario of each seed without rapid, [Budget] bounds how long a failure
// is made smaller, [Command] is what the report says to type. [CheckScenario] runs one
// file or shipped scenario with many seeds, [CheckLibrary] all that lockstep ships for
// whole runs.
//
// The package imports rapid, which registers its flags (-rapid.checks and others) on
// the command line of the test binary.
package scenariotest

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// Option changes what Check does.
type Option func(*settings)

type settings struct {
	parameters any
	test       string // its name
	command    string // of a program with the protocol; "": the test itself
	generate   func(t *rapid.T, seed uint64) *scenarios.Scenario
	invariants func(protocols.Cluster, any) []protocols.Observer
	machine    string
	set        []scenarios.Assignment
	unread     error // of the first value that is no assignment
	folder     string
	budget     int
}

// Machine sets the state machine of every experiment, by name. Default: kv.
func Machine(name string) Option { return func(s *settings) { s.machine = name } }

// Set gives keys of every experiment other values when it is drawn, each as KEY=VALUE
// and read as in a scenario file, like --set of lockstep run:
// Set("workload.clients=2"). The rest stays as drawn, so a value that contradicts it
// fails the test: a mix goes with a [Machine].
func Set(assignments ...string) Option {
	return func(s *settings) {
		for _, text := range assignments {
			a, err := scenarios.ParseAssignment(text)
			if s.set = append(s.set, a); err != nil && s.unread == nil {
				s.unread = err
			}
		}
	}
}

// Invariants adds observers to those of the protocol; each run gets fresh ones.
func Invariants(fresh func(c protocols.Cluster, parameters any) []protocols.Observer) Option {
	return func(s *settings) { s.invariants = fresh }
}

// Generate replaces drawn plans by scenarios of one's own shape: generate draws what
// it likes from rapid, and must be a pure function of that. The seed of the run is
// drawn beside it.
func Generate(generate func(t *rapid.T) *scenarios.Scenario) Option {
	return func(s *settings) {
		s.generate = func(t *rapid.T, _ uint64) *scenarios.Scenario { return generate(t) }
	}
}

// Budget bounds in runs how long a failure is made smaller; 0: not at all. Default: 500.
func Budget(runs int) Option { return func(s *settings) { s.budget = runs } }

// Parameters sets the protocol's parameters, as Protocol.Parameters returns them.
func Parameters(parameters any) Option {
	return func(s *settings) { s.parameters = parameters }
}

// Command sets the command line of lockstep that has the protocol, as it is called in
// the root of the module: "go run ./cmd/mine" of a repository with its own main. The
// report then ends with a line for it. Without it, the line runs the test again, which
// begins with the plan that failed.
func Command(command string) Option {
	return func(s *settings) { s.command = command }
}

// Plan replaces [scenarios.Draw]: plan makes a scenario of a seed and must be a
// pure function.
func Plan(plan func(seed uint64) *scenarios.Scenario) Option {
	return func(s *settings) {
		s.generate = func(_ *rapid.T, seed uint64) *scenarios.Scenario { return plan(seed) }
	}
}

// Folder sets where failing plans are saved, relative to the test's package.
// Default: testdata/lockstep/<test>.
func Folder(folder string) Option {
	return func(s *settings) { s.folder = folder }
}

// Check runs drawn plans with the protocol, as many as -rapid.checks says (100; a
// tenth of them under -short), and fails with the story of the first one that does not
// meet its expectations. What failed before is run first.
func Check(t *testing.T, p *protocols.Protocol, options ...Option) {
	t.Helper()
	p, s, err := prepare(t.Name(), p, options)
	if err != nil {
		t.Fatal(err)
	}
	c := clockOf(t)
	for _, file := range s.saved(t) {
		s.again(t, c, p, file)
	}
	if t.Failed() {
		return
	}
	f := &trial{settings: s, p: p, short: testing.Short(), clock: c}
	defer f.tell(t)
	rapid.Check(t, f.one)
}

// Fuzz is [Check] as a target of go test -fuzz: the fuzzer chooses what rapid draws.
//
//	func FuzzMine(f *testing.F) { scenariotest.Fuzz(f, mine.Protocol()) }
func Fuzz(f *testing.F, p *protocols.Protocol, options ...Option) {
	f.Helper()
	p, s, err := prepare(f.Name(), p, options)
	if err != nil {
		f.Fatal(err)
	}
	for seed := range uint64(8) {
		f.Add(corpus(seed))
	}
	whole := &trial{settings: s, p: p}
	one := rapid.MakeFuzz(whole.one)
	f.Fuzz(func(t *testing.T, input []byte) {
		defer whole.tell(t)
		one(t, input)
	})
}

// corpus is an input that the fuzzer begins with. rapid takes eight bytes for each draw,
// 28 for a seed, and skips an input that ends too early.
func corpus(seed uint64) []byte {
	var data []byte
	for i := range uint64(32) {
		data = binary.LittleEndian.AppendUint64(data, protocols.Mix64(seed<<32+i))
	}
	return data
}

// prepare applies the options to a test's settings and to a copy of its protocol.
func prepare(test string, p *protocols.Protocol, options []Option) (*protocols.Protocol, *settings, error) {
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	s := &settings{test: test, folder: filepath.Join("testdata", "lockstep", fileName(test)), budget: 500}
	for _, o := range options {
		o(s)
	}
	if s.unread != nil {
		return nil, nil, s.unread
	}
	if s.generate == nil {
		s.generate = func(_ *rapid.T, seed uint64) *scenarios.Scenario { return scenarios.Draw(seed, p, s.parameters) }
	}
	if s.invariants != nil {
		own, more := p.Invariants, s.invariants
		watched := *p
		watched.Invariants = func(c protocols.Cluster, parameters any) []protocols.Observer {
			if own == nil {
				return more(c, parameters)
			}
			return append(own(c, parameters), more(c, parameters)...)
		}
		p = &watched
	}
	return p, s, nil
}

// trial is the property: it runs one experiment after the other. After the first
// failure every other experiment passes at no cost, so that rapid's own minimisation,
// which knows nothing of plans, ends at once.
type trial struct {
	*settings
	p       *protocols.Protocol
	short   bool // one experiment of two; rapid draws a fifth
	runner  scenarios.Runner
	count   int
	failing experiment
	line    string // what failed; "" as long as nothing has
	story   string // the whole report
	clock   clock
}

// tell ends a test that has failed with the story. The property itself says a line only:
// rapid prints twice what that says, and the story is long.
func (f *trial) tell(t *testing.T) {
	if t.Failed() && f.story != f.line {
		t.Log(f.story)
	}
}

// one draws an experiment and runs it. One call site and one text: rapid compares both.
func (f *trial) one(rt *rapid.T) {
	// Bytes, because a third of what rapid's Uint64 draws are duplicates.
	seed := hashed([8]byte(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(rt, "seed")))
	sc, err := f.draw(rt, f.p, seed)
	if err != nil {
		rt.Fatalf("%v", err)
	}
	if f.line == "" && f.clock.over() {
		f.failing = experimentOf(sc, seed)
		f.line = fmt.Sprintf("the time that -timeout gives is nearly over after %d experiments, none of which failed: "+
			"a larger -timeout or a smaller -rapid.checks would do", f.count)
		f.story = f.line
	}
	if f.count++; f.line == "" && (!f.short || f.count%2 == 1) {
		f.run(sc, seed)
	}
	if f.line != "" && f.failing == experimentOf(sc, seed) {
		rt.Fatalf("%s", f.line)
	}
}

// run runs an experiment, the first one twice, and keeps what is wrong with it.
func (f *trial) run(sc *scenarios.Scenario, seed uint64) {
	var r *scenarios.Result
	f.clock.watch(func() string { return f.unended(sc, f.p, seed) }, func() { r = f.runner.Run(sc, f.p, seed, scenarios.Options{History: true}) })
	failed, again := r.Code() != scenarios.CodeOK, r
	if (failed || f.count == 1) && r.Err == nil {
		f.clock.watch(func() string { return f.unended(sc, f.p, seed) }, func() { again = scenarios.Run(sc, f.p, seed, scenarios.Options{}) })
	}
	switch {
	case again.Digest != r.Digest:
		f.line = fmt.Sprintf("%s: two runs with seed %d differ, so the protocol is not deterministic: "+
			"it looks at a clock, a random number, the order of a map or a variable that nodes share; protocoltest.Run says where", f.p.Name, seed)
		f.story = f.line
	case failed:
		f.line, f.story = r.String(), f.report(f.clock, sc, f.p, r)
	default:
		return
	}
	f.failing = experimentOf(sc, seed)
}

// draw makes one experiment.
func (s *settings) draw(rt *rapid.T, p *protocols.Protocol, seed uint64) (*scenarios.Scenario, error) {
	sc := s.generate(rt, seed)
	if s.machine != "" {
		sc.Machine = s.machine
		sc.Workload.Mix = scenarios.DefaultMix(s.machine)
	}
	return sc, scenarios.Assign(sc, s.set, []*protocols.Protocol{p})
}

// experiment identifies a run. To write a scenario takes as long as to run a small
// one, so only a failure, and what rapid draws after it, is asked for its identity.
type experiment struct {
	seed uint64
	plan string
}

func experimentOf(sc *scenarios.Scenario, seed uint64) experiment {
	return experiment{seed, string(scenarios.Format(sc))}
}

// CheckScenario runs one scenario file, or a shipped scenario by name, with the
// protocol and the seeds 1 to seeds, and fails unless all expectations are met.
func CheckScenario(t *testing.T, p *protocols.Protocol, file string, seeds uint64) {
	t.Helper()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	list, _, err := scenarios.Resolve([]string{file}, []*protocols.Protocol{p})
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range list {
		check(t, p, sc, seeds)
	}
}

// CheckLibrary runs every shipped scenario of the library that is meant for the
// protocol with the seeds 1 to seeds, each as a subtest.
func CheckLibrary(t *testing.T, p *protocols.Protocol, seeds uint64) {
	t.Helper()
	for _, name := range scenarios.Library() {
		sc, _, err := scenarios.Load(name, []*protocols.Protocol{p})
		if err != nil || !sc.Runs(p.Name) {
			continue // speaks of what other protocols have
		}
		t.Run(name, func(t *testing.T) { check(t, p, sc, seeds) })
	}
}

func check(t *testing.T, p *protocols.Protocol, sc *scenarios.Scenario, seeds uint64) {
	t.Helper()
	var runner scenarios.Runner
	c := clockOf(t)
	for seed := uint64(1); seed <= seeds; seed++ {
		if c.over() {
			t.Fatalf("the time that -timeout gives is nearly over after %d of %d seeds, none of which failed", seed-1, seeds)
		}
		var r *scenarios.Result
		c.watch(func() string {
			return fmt.Sprintf("%s, %s with seed %d; repeat: %s", sc.Name, p.Name, seed, goTest(t.Name()))
		},
			func() { r = runner.Run(sc, p, seed, scenarios.Options{}) })
		if r.Code() != scenarios.CodeOK {
			t.Fatalf("%s", text(r, goTest(t.Name())))
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
func (s *settings) again(t *testing.T, c clock, p *protocols.Protocol, file string) {
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
	var r *scenarios.Result
	c.watch(func() string {
		return fmt.Sprintf("%s, %s with seed %d; repeat: %s", file, p.Name, seed, s.replay(file, p, seed))
	},
		func() { r = scenarios.Run(sc, p, seed, scenarios.Options{}) })
	if r.Code() == scenarios.CodeOK || r.Verdict == checker.Inconclusive && strings.Contains("\n"+string(data), "\n"+cutLine+"\n") {
		return
	}
	t.Errorf("%s", text(r, s.replay(file, p, seed)))
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
