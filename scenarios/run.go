package scenarios

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Options change what a run keeps. All but Reseed leave alone what it does.
type Options struct {
	History bool                 // keep Result.History and Result.Report
	Trace   bool                 // record Result.Trace
	TraceTo io.Writer            // gets the trace as text, and keeps its own errors; sets Trace
	Memory  protocols.MemoryMode // of released messages; Trace needs and sets Keep
	// Checkpoints keeps Result.Checkpoints, by which a replay finds where it departs.
	Checkpoints bool

	// Program is what Result.Replay calls: a program that has the protocol. "": lockstep.
	Program string

	// Probes fills Result.Reached. A scenario that demands a probe has it anyway.
	Probes bool

	// Reseed gives the run another future, to see whether its end could be another.
	Reseed sim.Reseed

	recoveries bool // keep what crashes lost and boots found
}

// Names of the checks that belong to no observer.
const (
	CheckLinearizability = "linearizability"
	CheckLiveness        = "liveness"
	CheckConvergence     = "convergence"
	CheckGoodput         = "goodput"
	CheckPanic           = sim.CheckPanic
	CheckSubscriber      = sim.CheckSubscriber
)

// runChecks describes those that need a whole run; the engine describes its own.
var runChecks = []protocols.CheckInfo{
	{ID: CheckLinearizability, Text: "the clients' history is that of one machine that executes one operation at a time"},
	{ID: CheckLiveness, Text: "after the heal of a core that can make progress, pending and fresh operations complete in time"},
	{ID: CheckConvergence, Text: "after the heal, replicas reach equal applied positions and state hashes"},
	{ID: CheckGoodput, Text: "after the heal of all, the scenario's share of the operations per second returns again"},
}

// Checks lists what runs of the protocols can report, each id once.
func Checks(list []*protocols.Protocol, replicas int) []protocols.CheckInfo {
	all := slices.Concat(runChecks, sim.EngineChecks())
	for _, p := range list {
		var parameters any
		if p.Parameters != nil {
			parameters = p.Parameters()
		}
		c := protocols.Cluster{Replicas: replicas}
		if p.Services != nil {
			c.Services = p.Services(parameters)
		}
		for _, o := range observers(p, c, parameters) {
			for _, info := range o.Checks() {
				if !slices.ContainsFunc(all, func(i protocols.CheckInfo) bool { return i.ID == info.ID }) {
					all = append(all, info)
				}
			}
		}
	}
	return all
}

func observers(p *protocols.Protocol, c protocols.Cluster, parameters any) []protocols.Observer {
	list := checker.Generic(p, c, parameters)
	if p.Invariants != nil {
		list = append(list, p.Invariants(c, parameters)...)
	}
	return list
}

// Runner runs scenarios one after the other in the same memory. The zero value is
// ready. It is not safe for concurrent use: each worker has its own.
type Runner struct {
	world *sim.World
	watch protocols.Observer // one more observer; nil: none
}

// Run runs one scenario with one protocol and one seed. The scenario must be
// valid. Result.Err says what only the engine can refuse, such as a service node
// that the protocol does not have; nothing was run then.
func Run(sc *Scenario, p *protocols.Protocol, seed uint64, opt Options) *Result {
	var r Runner
	return r.Run(sc, p, seed, opt)
}

// run is the state of one run.
type run struct {
	sc         *Scenario
	p          *protocols.Protocol
	parameters any
	world      *sim.World
	applied    checker.Applied // for the witness
	result     *Result
	off        []string // checks that are switched off
	probers    []protocols.Prober
	settle     protocols.Duration
	voters     protocols.NodeSet // the members at the heal of the core
	since      protocols.Time    // when the part of the liveness phase that goes on began
	limit      protocols.Time    // and when it has to be done
	probed     bool              // the fresh operations have been asked for
	until      protocols.Time    // stop there to look; 0: run to the end
	stopped    bool              // it has been reached
	idle       idleness          // why nothing returned, in the safety phase
}

// Run is like the function [Run] and reuses the memory of the previous run.
func (runner *Runner) Run(sc *Scenario, p *protocols.Protocol, seed uint64, opt Options) *Result {
	r := runner.begin(sc, p, seed, opt)
	if r.result.Err != nil {
		return r.result
	}
	r.phases()
	if r.result.Err != nil {
		return r.result
	}
	r.measure()
	r.countProbes()
	r.judge(opt)
	r.expect()
	if opt.Trace {
		r.result.Trace, r.result.FaultLog, r.result.Cluster = r.world.Trace(), r.world.FaultLog(), r.world.Cluster()
	}
	if opt.TraceTo != nil {
		_ = r.world.WriteTrace(opt.TraceTo) // the writer is the caller's, who sees its errors
	}
	return r.result
}

// begin makes a run of a scenario, at time 0. Where the engine refuses it, the
// result has an error.
func (runner *Runner) begin(sc *Scenario, p *protocols.Protocol, seed uint64, opt Options) *run {
	sc = Expand(sc, seed)
	r := &run{sc: sc, p: p, parameters: sc.ParametersOf(p), settle: sc.Settle}
	if r.settle == 0 {
		r.settle = 50 * maxTimeout(p, r.parameters)
	}
	for _, c := range sc.Checks {
		if c.Off {
			r.off = append(r.off, c.Name)
		}
	}
	r.result = &Result{Scenario: sc.Name, Protocol: p.Name, Seed: seed, Replay: Replay(opt.Program, sc, p, seed)}
	if err := runner.prepare(r, seed, opt); err != nil {
		r.result.Err = fmt.Errorf("%s with %s: %w", sc.Name, p.Name, err)
		r.result.Verdict, r.result.Reason = checker.Inconclusive, r.result.Err.Error()
	}
	r.world = runner.world
	return r
}

func (runner *Runner) prepare(r *run, seed uint64, opt Options) error {
	c := protocols.Cluster{Replicas: r.sc.Replicas, Members: r.sc.Members}
	if r.p.Services != nil {
		c.Services = r.p.Services(r.parameters)
	}
	cfg := r.sc.Config(r.p, seed)
	cfg.Observers = append(r.observers(c), &r.applied)
	r.startProbes(c, opt)
	for _, p := range r.probers {
		cfg.Observers = append(cfg.Observers, p)
	}
	if runner.watch != nil {
		cfg.Observers = append(cfg.Observers, runner.watch)
	}
	cfg.Checkpoints, cfg.Reseed = opt.Checkpoints, opt.Reseed
	cfg.Trusting = r.isOff(CheckSubscriber)
	cfg.Recoveries = opt.recoveries
	if !drives(r.p, r.sc.Machine) {
		return fmt.Errorf("%s replicates %s, not the machine %s of the scenario", r.p.Name, strings.Join(r.p.Machines, ", "), r.sc.Machine)
	}
	if len(cfg.Workload.Mix) == 0 && len(r.sc.Workload.Mix) > 0 {
		return fmt.Errorf("the workload asks for nothing that %s executes, which is %v", r.p.Name, r.p.Operations)
	}
	cfg.Memory, cfg.Trace = opt.Memory, opt.Trace || opt.TraceTo != nil || cfg.Scripted
	if runner.world == nil {
		w, err := sim.New(cfg)
		if err == nil {
			runner.world = w
		}
		return err
	}
	return runner.world.Reset(cfg)
}

// observers are all that watch the run, without those whose every check is off.
func (r *run) observers(c protocols.Cluster) []protocols.Observer {
	var list []protocols.Observer
	for _, o := range observers(r.p, c, r.parameters) {
		off := 0
		for _, info := range o.Checks() {
			if r.isOff(info.ID) {
				off++
			}
		}
		switch off {
		case 0:
			list = append(list, o)
		case len(o.Checks()):
		default:
			list = append(list, &muted{o, r})
		}
	}
	return list
}

// muted is an observer some of whose checks are switched off. They must not reach
// the engine, which stops at the first violation.
type muted struct {
	protocols.Observer
	run *run
}

func (o *muted) Observe(m *protocols.Moment) {
	before := len(m.Found)
	o.Observer.Observe(m)
	kept := m.Found[:before]
	for _, v := range m.Found[before:] {
		if !o.run.isOff(v.Check) {
			kept = append(kept, v)
		}
	}
	m.Found = kept
}

func (r *run) isOff(check string) bool { return slices.Contains(r.off, check) }

// Config is what the engine is told, without observers.
func (sc *Scenario) Config(p *protocols.Protocol, seed uint64) sim.Config {
	sc = Expand(sc, seed)
	cfg := sim.Config{
		Protocol: p, Parameters: sc.ParametersOf(p),
		Replicas: sc.Replicas, Machine: sc.Machine, Seed: seed,
		Network: sc.Network, CPU: sc.CPU, Disk: sc.Disk, Clock: sc.Clock, Workload: sc.Workload, Phases: sc.Phases,
		Faults: sc.Faults, Members: sc.Members, Admin: sc.Admin, Early: sc.kindsOf(p.Messages, sc.Early), Lose: sc.kindsOf(p.Records, sc.Lose),
		MaxEvents: sc.Events,
	}
	offer(p, &cfg.Workload)
	for i := range cfg.Phases {
		if i == 0 {
			cfg.Phases = slices.Clone(cfg.Phases)
		}
		offer(p, &cfg.Phases[i].Workload)
	}
	if len(sc.Script) > 0 { // messages take the time that the script gives them, and nothing happens by chance
		cfg.Scripted, cfg.Network, cfg.Disk = true, sim.Network{}, sim.Disk{}
	}
	return cfg
}

// drives reports whether the protocol can replicate a state machine.
func drives(p *protocols.Protocol, machine string) bool {
	return p.Machines == nil || slices.Contains(p.Machines, machine)
}

// follows reports whether clients may follow the protocol's log, as they may where it
// does not name the operations that it executes.
func follows(p *protocols.Protocol) bool { return p.Operations == nil }

// offer keeps of a workload what the protocol executes.
func offer(p *protocols.Protocol, w *sim.Workload) {
	if follows(p) {
		return
	}
	w.Subscribers = 0
	w.Mix = slices.DeleteFunc(slices.Clone(w.Mix), func(s sim.Share) bool {
		return s.Kind == protocols.Follow || !slices.Contains(p.Operations, s.Op)
	})
}

// kindsOf keeps the names that the protocol has: a scenario may name kinds of
// several protocols.
func (sc *Scenario) kindsOf(kinds []protocols.KindInfo, names []string) []string {
	var known []string
	for _, name := range names {
		if slices.ContainsFunc(kinds, func(k protocols.KindInfo) bool { return k.Name == name }) {
			known = append(known, name)
		}
	}
	return known
}

// Replay is the command line that repeats a run with a program that has the
// protocol; "" is lockstep.
func Replay(program string, sc *Scenario, p *protocols.Protocol, seed uint64) string {
	if program == "" {
		program = "lockstep"
	}
	file := sc.File
	if file == "" {
		file = sc.Name
	}
	set := ""
	for _, a := range sc.Given {
		set += " --set " + shellQuote(a.String())
	}
	return fmt.Sprintf("%s run %s%s --protocol %s --seed %d", program, shellQuote(file), set, p.Name, seed)
}

// violate records a violation that no observer sees.
func (r *run) violate(check, format string, args ...any) {
	if r.isOff(check) {
		return
	}
	r.result.Violations = append(r.result.Violations, Broken{
		Check: check, Text: fmt.Sprintf(format, args...), AtNS: int64(r.world.Now()), Event: r.world.Events(),
	})
}

// decide gives the run its verdict unless it has one: the first reason stands,
// but a violation replaces what is weaker.
func (r *run) decide(v checker.Verdict, reason string) {
	if r.result.Verdict == checker.Violation || r.result.Reason != "" && v != checker.Violation {
		return
	}
	r.result.Verdict, r.result.Reason = v, reason
}

// shellQuote quotes a file name for a POSIX shell where it needs it.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r == '/' || r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
