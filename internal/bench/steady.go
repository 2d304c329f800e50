package main

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// steady is a cluster of the shipped scenario steady5, without the judge.
type steady struct {
	world    *sim.World
	cfg      sim.Config
	observed bool
	until    protocols.Time
}

// Times of one pass through the scenario.
const (
	settled protocols.Duration = 5_000_000_000  // long after the first election; buffers have grown
	passes  protocols.Duration = 20_000_000_000 // a pass is over: the length of the scenario
)

func newSteady(p *protocols.Protocol, observed bool) (*steady, error) {
	scenario, err := steady5(p)
	if err != nil {
		return nil, err
	}
	s := &steady{cfg: scenario.Config(p, 1), observed: observed}
	s.world, err = sim.New(s.config())
	return s, err
}

func steady5(p *protocols.Protocol) (*scenarios.Scenario, error) {
	scenario, _, err := scenarios.Load("steady5", []*protocols.Protocol{p})
	return scenario, err
}

// config returns the scenario's configuration with fresh observers.
func (s *steady) config() sim.Config {
	cfg := s.cfg
	cfg.MaxEvents = 1 << 40
	if s.observed {
		c := protocols.Cluster{Replicas: cfg.Replicas}
		cfg.Observers = append(checker.Generic(cfg.Protocol, c, cfg.Parameters), cfg.Protocol.Invariants(c, cfg.Parameters)...)
	}
	return cfg
}

// run goes on for d, and wants nothing to happen but the steady state.
func (s *steady) run(d protocols.Duration) error {
	s.until = s.until.Add(d)
	if stop := s.world.Run(s.until); stop != sim.Reached {
		return fmt.Errorf("steady5 stopped (%v) at %v: %v", stop, s.world.Now(), s.world.Violations())
	}
	return nil
}

// pass begins anew, as the next seed of a campaign does, and runs for the length of
// the scenario.
func (s *steady) pass() error {
	if err := s.world.Reset(s.config()); err != nil {
		return err
	}
	s.until = 0
	return s.run(passes)
}

// steps is a pass counted in steps of nodes.
func (s *steady) steps() (uint64, error) {
	err := s.pass()
	return s.world.Stats().Steps, err
}

// deliveries is a pass counted in messages delivered between replicas.
func (s *steady) deliveries() (uint64, error) {
	err := s.pass()
	return s.world.Stats().Delivered, err
}

// pending returns the mean length of the event queue in the steady state, looked
// at every millisecond or so.
func (s *steady) pending() (int, error) {
	if err := s.run(settled); err != nil {
		return 0, err
	}
	const looks, apart = 10_000, 1_000_003
	sum := 0
	for range looks {
		if err := s.run(apart); err != nil {
			return 0, err
		}
		sum += s.world.Pending()
	}
	return (sum + looks/2) / looks, nil
}
