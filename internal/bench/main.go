package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"

	"github.com/lockstep-sim/lockstep/internal/bench/floor"
	"github.com/lockstep-sim/lockstep/paxos"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/vr"
)

// The goals.
const (
	goalEngine      = 2.0
	goalStep        = 4.5
	goalObserved    = 6.0
	goalObservers   = 1.5
	goalProtocols   = 1.5
	goalAllocations = 0.01
	goalVirtual     = 400
)

func main() {
	rounds := flag.Int("rounds", 11, "rounds per ratio, from 1")
	flag.Parse()
	if *rounds < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "bench: want -rounds N with N from 1, and no arguments")
		os.Exit(2)
	}
	rows, err := measure(*rounds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Printf("steady5: %s, %s/%s, %s, medians of %d rounds\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, floor.ClockName, *rounds)
	for _, r := range rows {
		fmt.Println(r)
	}
}

// measure fills the table.
func measure(rounds int) ([]row, error) {
	engine, err := engineRatio(rounds)
	if err != nil {
		return nil, err
	}
	cluster, err := newSteady(raft.Protocol(), false)
	if err != nil {
		return nil, err
	}
	pending, err := cluster.pending()
	if err != nil {
		return nil, err
	}
	plain, err := stepRatio(rounds, false, pending)
	if err != nil {
		return nil, err
	}
	observed, err := stepRatio(rounds, true, pending)
	if err != nil {
		return nil, err
	}
	watched, err := observersRatio(rounds)
	if err != nil {
		return nil, err
	}
	allocated, err := allocationsPerMessage(200_000_000_000)
	if err != nil {
		return nil, err
	}
	virtual, err := virtualPerSecond(rounds)
	if err != nil {
		return nil, err
	}
	others, err := protocolRows(rounds)
	if err != nil {
		return nil, err
	}
	against := func(c compared) string { return fmt.Sprintf("(%.0f ns against %.0f ns)", c.a, c.b) }
	return append([]row{
		{what: "engine event, relay nodes, 1,000 pending / floor", got: engine.ratio, goal: goalEngine, unit: "x", absolute: against(engine)},
		{what: fmt.Sprintf("Raft step, observers off, %d pending / floor", pending), got: plain.ratio, goal: goalStep, unit: "x", absolute: against(plain)},
		{what: fmt.Sprintf("Raft step, all observers, %d pending / floor", pending), got: observed.ratio, goal: goalObserved, unit: "x", absolute: against(observed)},
		{what: "Raft step, all observers / observers off", got: watched.ratio, goal: goalObservers, unit: "x", absolute: against(watched)},
		{what: "allocations per delivered message", got: allocated, goal: goalAllocations},
		{what: "virtual seconds per second, whole scenario, judged", got: virtual, goal: goalVirtual, atLeast: true},
	}, others...), nil
}

// engineRatio compares an event of the engine, whose nodes pass messages on, with
// the floor at 1,000 pending.
func engineRatio(rounds int) (compared, error) {
	const pending = 1000
	world, err := relayWorld(pending)
	if err != nil {
		return compared{}, err
	}
	var until protocols.Time
	return alternate(rounds, func() (uint64, error) {
		until = until.Add(20_000_000)
		before := world.Events()
		world.Run(until)
		return world.Events() - before, nil
	}, holds(pending))
}

// stepRatio compares a step of Raft, with all that the engine does for it, with
// the floor at equal pending.
func stepRatio(rounds int, observed bool, pending int) (compared, error) {
	s, err := newSteady(raft.Protocol(), observed)
	if err != nil {
		return compared{}, err
	}
	return alternate(rounds, s.steps, holds(pending))
}

// observersRatio compares a step of Raft that all invariants and the durability
// oracle watch with one that nobody does.
func observersRatio(rounds int) (compared, error) {
	on, err := newSteady(raft.Protocol(), true)
	if err != nil {
		return compared{}, err
	}
	off, err := newSteady(raft.Protocol(), false)
	if err != nil {
		return compared{}, err
	}
	return alternate(rounds, on.steps, off.steps)
}

// protocolRows compares what a delivered message costs in other protocols with what
// one costs in Raft, everything that comes with it counted: timers, the disk, clients.
func protocolRows(rounds int) ([]row, error) {
	var rows []row
	for _, p := range []*protocols.Protocol{paxos.Protocol(), vr.Protocol()} {
		other, err := newSteady(p, false)
		if err != nil {
			return nil, err
		}
		own, err := newSteady(raft.Protocol(), false)
		if err != nil {
			return nil, err
		}
		c, err := alternate(rounds, other.deliveries, own.deliveries)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{
			what: "delivered message, " + p.Name + " / raft", got: c.ratio, goal: goalProtocols, unit: "x",
			absolute: fmt.Sprintf("(%.0f ns against %.0f ns)", c.a, c.b),
		})
	}
	return rows, nil
}

func holds(pending int) side {
	f := floor.New(pending)
	var sum uint64
	return func() (uint64, error) {
		const n = 200_000
		sum += f.Hold(n)
		if sum == 0 {
			return 0, fmt.Errorf("the floor did no work")
		}
		return n, nil
	}
}

// allocationsPerMessage runs steady5 on for d with observers off and returns
// objects allocated per message delivered between replicas.
func allocationsPerMessage(d protocols.Duration) (float64, error) {
	s, err := newSteady(raft.Protocol(), false)
	if err != nil {
		return 0, err
	}
	if err := s.run(settled); err != nil {
		return 0, err
	}
	before := s.world.Stats().Delivered
	objects, err := allocations(func() error { return s.run(d) })
	if err != nil {
		return 0, err
	}
	delivered := s.world.Stats().Delivered - before
	if delivered == 0 {
		return 0, fmt.Errorf("steady5 delivered no message in %v", d)
	}
	return float64(objects) / float64(delivered), nil
}

// virtualPerSecond runs the scenario with everything on, as the command line
// does.
func virtualPerSecond(rounds int) (float64, error) {
	p := raft.Protocol()
	scenario, err := steady5(p)
	if err != nil {
		return 0, err
	}
	var runner scenarios.Runner
	var speeds []float64
	for round := range rounds + 1 {
		began := floor.Clock()
		r := runner.Run(scenario, p, 1, scenarios.Options{})
		spent := floor.Clock() - began
		if r.Code() != scenarios.CodeOK {
			return 0, fmt.Errorf("%v", r)
		}
		if round > 0 {
			speeds = append(speeds, float64(r.Virtual)/1000/spent.Seconds())
		}
	}
	return median(speeds), nil
}
