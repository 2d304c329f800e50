package protocoltest

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// TB is the part of [testing.TB] that the suite needs.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Option changes how [Run] goes about it.
type Option func(*settings)

// settings is what a suite runs with.
type settings struct {
	protocol   *protocols.Protocol
	sizes      []int
	machine    string
	parameters func() any
	seeds      int
	steps      int
}

// Replicas sets the cluster sizes that are tried, in turn. The default is 3, 1
// and 5, as far as the protocol's Validate accepts them.
func Replicas(sizes ...int) Option { return func(s *settings) { s.sizes = sizes } }

// Machine sets the state machine by name. The default is the first of
// Protocol.Machines, or kv.
func Machine(name string) Option { return func(s *settings) { s.machine = name } }

// Parameters sets what makes the parameters. The default is the protocol's.
func Parameters(fresh func() any) Option { return func(s *settings) { s.parameters = fresh } }

// Seeds sets how many worlds each check runs. The default is 18.
func Seeds(n int) Option { return func(s *settings) { s.seeds = n } }

// Steps sets how many events each world handles under faults. The default is 600.
func Steps(n int) Option { return func(s *settings) { s.steps = n } }

// Run checks that p keeps to the contract. Each check reports its first failure.
func Run(t TB, p *protocols.Protocol, options ...Option) {
	t.Helper()
	s, err := newSettings(p, options)
	if err != nil {
		t.Fatalf("protocoltest: %v", err)
		return
	}
	known := map[string]bool{}
	for _, check := range checks {
		var f *failure
		if text := caught(func() { f = check.run(s) }); text != "" {
			f = failf("panic outside of a Step: %s", text)
		}
		if f == nil {
			continue
		}
		if first, _, _ := strings.Cut(f.text, "\n"); !known[first] { // say it once
			known[first] = true
			t.Errorf("%s: %s: %s", p.Name, check.name, f.text)
		}
	}
}

// checks in the order in which they run: what the later ones rest on comes first.
var checks = [...]struct {
	name string
	run  func(*settings) *failure
}{
	{"declared", checkDeclared},
	{"determinism", checkDeterminism},
	{"hand-over", checkHandOver},
	{"recovery", checkRecovery},
	{"agreement", checkAgreement},
	{"arbitrary", checkArbitrary},
	{"fork", checkFork},
	{"log", checkLog},
}

// failure is why a check failed.
type failure struct{ text string }

func failf(format string, args ...any) *failure { return &failure{fmt.Sprintf(format, args...)} }

func newSettings(p *protocols.Protocol, options []Option) (*settings, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	s := &settings{protocol: p, machine: "kv", seeds: 18, steps: 600, parameters: p.Parameters}
	if len(p.Machines) > 0 {
		s.machine = p.Machines[0]
	}
	if s.parameters == nil {
		s.parameters = func() any { return nil }
	}
	for _, o := range options {
		o(s)
	}
	if _, err := protocols.NewMachine(s.machine); err != nil {
		return nil, err
	}
	if s.sizes != nil {
		for _, n := range s.sizes {
			if err := s.validate(n); err != nil {
				return nil, fmt.Errorf("%s with %d replicas: %w", p.Name, n, err)
			}
		}
		return s, nil
	}
	for _, n := range []int{3, 1, 5} {
		if s.validate(n) == nil {
			s.sizes = append(s.sizes, n)
		}
	}
	if len(s.sizes) == 0 {
		return nil, fmt.Errorf("%s accepts none of 3, 1 and 5 replicas: choose with protocoltest.Replicas: %w", p.Name, s.validate(3))
	}
	return s, nil
}

func (s *settings) validate(n int) error {
	if s.protocol.Validate == nil {
		return nil
	}
	return s.protocol.Validate(s.parameters(), n)
}

// survives returns how many nodes at once may suffer the fault; -1 is any number.
func (s *settings) survives(fault protocols.FaultKind, n int) int {
	if s.protocol.Survives == nil {
		return -1
	}
	return s.protocol.Survives(fault, s.parameters(), n)
}

// worlds calls each with a world per seed until one fails.
func (s *settings) worlds(mode protocols.MemoryMode, each func(w *world) *failure) *failure {
	for seed := range s.seeds {
		if f := each(newWorld(s, uint64(seed), mode)); f != nil {
			return f
		}
	}
	return nil
}
