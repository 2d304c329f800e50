package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
	"github.com/lockstep-sim/lockstep/scenarios/shrink"
)

// fuzzFlags are the flags of fuzz.
type fuzzFlags struct {
	protocols []string
	seeds     seeds
	runs      int
	span      time.Duration
	base      string
	out       string
	beyond    bool
	noShrink  bool
	json      bool
	probes    bool
	workers   *workers

	rangeGiven, outGiven bool
}

// fuzzRuns is how many seeds are run where nothing is said.
const fuzzRuns = 1000

// defaultFuzzOut is the folder of failures where none is named.
const defaultFuzzOut = "lockstep-fuzz"

// savedPerClass bounds the failures of one kind that are saved.
const savedPerClass = 20

func (a *app) fuzzCommand() *cobra.Command {
	f := fuzzFlags{seeds: seeds{1, 1}, workers: newWorkers()}
	cmd := &cobra.Command{
		Use:   "fuzz",
		Short: "Draw experiments from seeds, run them and judge every run",
		Long: `Draw experiments from seeds, run them and judge every run. Each seed draws the
cluster, the network, disks, clocks, the workload, the protocol's parameters, a
plan of faults and, where the protocol has them, membership changes and leadership
transfers. Which features exist at all is drawn first, then how strong they are.
Half of the plans have at most six faults, most of them at the leader; others have
many faults at once, or links with delays so unequal that some messages are late by
many rounds. docs/swarm.md lists all of it.

Faults stay within what the protocol claims to survive. --beyond-model adds the
others: a plan that goes beyond gets the verdict outside-model, which is never
counted as ok.

--base FILE fixes what the file sets to something else than the default; drawn
faults follow its own.

The table counts the verdicts of each protocol, and which share of the runs was
judged for safety and for liveness. Below are the causes of all that is not ok.
excused: the healed core had a reason not to make progress in time, which was
looked up in the true state.

--probes counts how often the runs came to each rare situation (lockstep list
probes), and lists those never reached. With --json each run's object has them
under reached instead.

Every failure, up to ` + fmt.Sprint(savedPerClass) + ` of each kind (protocol and check), is written as it happens
to DIR/PROTOCOL/CHECK/seed-N.yaml, with the command that repeats it. The first of
each kind is made small and its story told; --no-shrink turns that off. Nothing is
written where nothing fails.

Exit codes: 1 a violation; 3 an inconclusive run; 4 more than ` + fmt.Sprint(reports.MostUnavailable) + ` % of a protocol's runs
unavailable or excused. The first interrupt stops after the runs in progress, prints
the table and exits with 130.`,
		Example: `  lockstep fuzz --protocol raft -n 500
  lockstep fuzz --protocol vr,paxos --for 10m
  lockstep fuzz --protocol raft --seed 17 --json
  lockstep fuzz --protocol raft --base my-scenario.yaml --seeds 1..200`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("for") && f.span <= 0 {
				return fmt.Errorf("--for %s: want a time above 0", f.span)
			}
			f.rangeGiven, f.outGiven = cmd.Flags().Changed("seeds") || cmd.Flags().Changed("seed") && !cmd.Flags().Changed("number") && f.span == 0, cmd.Flags().Changed("out")
			return a.fuzz(cmd.Context(), f)
		},
	}
	a.addProtocolFlag(cmd, &f.protocols)
	cmd.Flags().Lookup("protocol").Usage = "protocols `a,b` to run (default: all)"
	cmd.Flags().IntVarP(&f.runs, "number", "n", fuzzRuns, "seeds `K` for each protocol")
	cmd.Flags().DurationVar(&f.span, "for", 0, "go on for this `TIME`: 10m")
	cmd.Flags().Var(oneSeed{&f.seeds}, "seed", "the only seed or, with -n or --for, the first (default 1)")
	cmd.Flags().Var(seedRange{&f.seeds}, "seeds", "a range of seeds, both ends included: 1..200")
	cmd.MarkFlagsMutuallyExclusive("seed", "seeds")
	cmd.MarkFlagsMutuallyExclusive("number", "for", "seeds")
	cmd.Flags().StringVar(&f.base, "base", "", "scenario `FILE` that fixes what is not to be drawn")
	cmd.Flags().BoolVar(&f.beyond, "beyond-model", false, "draw faults that the protocol does not claim to survive, too")
	cmd.Flags().StringVar(&f.out, "out", defaultFuzzOut, "folder `DIR` for failures")
	cmd.Flags().BoolVar(&f.noShrink, "no-shrink", false, "leave failures as they are")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object per run and line instead of the table")
	cmd.Flags().BoolVar(&f.probes, "probes", false, "count rare situations, and say which were never reached")
	cmd.Flags().VarP(f.workers, "jobs", "j", "runs at a time (default: the number of CPUs)")
	return cmd
}

func (a *app) fuzz(ctx context.Context, f fuzzFlags) error {
	picked, err := a.pick(f.protocols)
	if err != nil {
		return err
	}
	c := &fuzzing{app: a, flags: f, kinds: &firsts{}, saved: map[string]int{}}
	c.space.Beyond = f.beyond
	if f.base != "" {
		if c.space.Base, picked, err = a.fuzzBase(f.base, picked, len(f.protocols) > 0); err != nil {
			return err
		}
	}
	if err := c.bounds(len(picked)); err != nil {
		return err
	}
	if f.outGiven {
		if err := c.open(); err != nil {
			return err
		}
	}
	defer c.close()
	return c.run(ctx, picked)
}

// fuzzBase reads a base, and returns the picked protocols that it is for.
func (a *app) fuzzBase(file string, picked []*protocols.Protocol, named bool) (*scenarios.Scenario, []*protocols.Protocol, error) {
	list, err := a.resolve([]string{file})
	if err != nil {
		return nil, nil, err
	}
	if len(list) != 1 {
		return nil, nil, fmt.Errorf("--base %s: want one scenario, got %d", file, len(list))
	}
	sc := list[0]
	if len(sc.Script) > 0 {
		return nil, nil, fmt.Errorf("--base %s: a script cannot be varied: want a scenario without one", file)
	}
	var fit []*protocols.Protocol
	for _, p := range picked {
		switch {
		case sc.Runs(p.Name):
			fit = append(fit, p)
		case named:
			return nil, nil, fmt.Errorf("--base %s is not meant for %s: see its key protocols", file, p.Name)
		}
	}
	if len(fit) == 0 {
		return nil, nil, fmt.Errorf("--base %s is meant for no protocol of this program", file)
	}
	return sc, fit, nil
}

// fuzzing is one campaign.
type fuzzing struct {
	*app
	flags  fuzzFlags
	space  scenarios.Space
	sum    reports.Fuzz
	probes []scenarios.ProbeCount // over all runs
	kinds  *firsts
	saved  map[string]int // failures written, by kind
	folder *reports.Folder
	meter  *meter
}

// bounds works out the last seed, and the number of runs where there is one.
func (c *fuzzing) bounds(protocols int) error {
	f := &c.flags
	switch {
	case f.span > 0:
		f.seeds.last = math.MaxUint64
		return nil
	case !f.rangeGiven:
		if f.runs < 1 || f.runs > maxRuns {
			return fmt.Errorf("-n %d: want 1..%d", f.runs, maxRuns)
		}
		f.seeds.last = f.seeds.first + uint64(f.runs) - 1
		if f.seeds.last < f.seeds.first {
			return fmt.Errorf("--seed %d: %d seeds from there go beyond the largest", f.seeds.first, f.runs)
		}
	}
	if f.seeds.count() > maxRuns/protocols {
		return fmt.Errorf("want at most %d runs in one command: %d protocols, %d seeds", maxRuns, protocols, f.seeds.count())
	}
	c.sum.Planned = f.seeds.count() * protocols
	return nil
}

// fuzzBatch is how many seeds of one protocol are drawn and run before the next one's
// turn.
const fuzzBatch = 250

// run goes through the seeds, and through the protocols for each batch of them.
func (c *fuzzing) run(ctx context.Context, picked []*protocols.Protocol) error {
	timed := ctx
	if c.flags.span > 0 {
		var stop context.CancelFunc
		timed, stop = context.WithTimeout(ctx, c.flags.span)
		defer stop()
	}
	c.meter = newMeter(c.stderr, c.sum.Planned)
	defer c.meter.stop()
	var err error
	for first, more := c.flags.seeds.first, true; more && err == nil; first += fuzzBatch {
		last := c.flags.seeds.last
		if more = last-first >= fuzzBatch; more {
			last = first + fuzzBatch - 1
		}
		for _, p := range picked {
			if err = c.batch(timed, p, first, last); err != nil {
				break
			}
		}
	}
	c.meter.stop()
	if !c.flags.json {
		if err := c.table(); err != nil {
			return internal(err)
		}
	}
	c.meter.summary()
	c.code = c.sum.Code()
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil // the time is over, as asked
	}
	if err == nil && !c.flags.noShrink {
		err = c.small(ctx)
	}
	return ended(ctx, err, fmt.Sprintf("interrupted after %d runs", c.sum.Runs()))
}

// table prints what the runs came to.
func (c *fuzzing) table() error {
	if err := c.sum.Write(c.stdout, c.paint()); err != nil || !c.flags.probes {
		return err
	}
	fmt.Fprintln(c.stdout)
	return reports.WriteProbes(c.stdout, c.probes, c.paint())
}

// batch draws and runs the seeds from first to last.
func (c *fuzzing) batch(ctx context.Context, p *protocols.Protocol, first, last uint64) error {
	jobs := make([]search.Job, 0, last-first+1)
	for i := range last - first + 1 {
		job := search.Job{Scenario: scenarios.Swarm(first+i, p, c.space), Protocol: p, Seed: first + i}
		job.Options.Probes, job.Options.Program = c.flags.probes, c.program
		jobs = append(jobs, job)
	}
	return search.Run(ctx, jobs, c.flags.workers.n, func(i int, r *scenarios.Result) error {
		if r.Err != nil {
			return r.Err
		}
		c.sum.Add(r)
		c.probes = scenarios.AddProbes(c.probes, r.Reached)
		c.meter.add(r.Events, int64(r.Virtual))
		if r.Verdict == checker.Violation { // saved before it is told, should somebody kill the program
			if err := c.save(&jobs[i], r); err != nil {
				return internal(err)
			}
		}
		if c.flags.json {
			if err := reports.WriteLine(c.stdout, r); err != nil {
				return internal(err)
			}
		}
		return nil
	})
}

// save writes a failing experiment as a scenario file, and keeps the first of its kind.
func (c *fuzzing) save(job *search.Job, r *scenarios.Result) error {
	kind := path.Join(reports.PathName(r.Protocol), reports.PathName(r.Check))
	if c.saved[kind] == savedPerClass {
		return nil
	}
	c.saved[kind]++
	if err := c.open(); err != nil {
		return err
	}
	sc := scenarios.Expand(scenarios.Resolved(job.Scenario, job.Protocol), r.Seed)
	name := path.Join(kind, fmt.Sprintf("seed-%d.yaml", r.Seed))
	sc.Why = fmt.Sprintf("Drawn from a seed. Violates %s; repeat it: %s run FILE --protocol %s --seed %d", r.Check, c.program, r.Protocol, r.Seed)
	if err := c.folder.WriteBytes(name, scenarios.Format(sc)); err != nil {
		return err
	}
	c.kinds.add(job.Scenario, job.Protocol, r)
	if c.saved[kind] > 1 {
		return nil
	}
	fmt.Fprintf(c.stderr, "%s\n  repeat: %s run %s --protocol %s --seed %d\n", reports.Clean(r.String()), c.program, reports.Clean(path.Join(c.flags.out, name)), r.Protocol, r.Seed)
	return nil
}

// small makes the first failure of each kind small and tells its story.
func (c *fuzzing) small(ctx context.Context) error {
	for _, first := range c.kinds.list {
		if ctx.Err() != nil {
			return &failure{scenarios.CodeInterrupted, errors.New("interrupted before every kind of failure was made small")}
		}
		r, err := shrink.Minimise(ctx, first.scenario, first.protocol, first.result.Seed, shrink.Options{MaxRuns: campaignRuns, Workers: c.flags.workers.n})
		if err != nil {
			return err
		}
		out := io.Writer(c.stdout)
		if c.flags.json {
			out = io.Discard
		} else {
			fmt.Fprintln(c.stdout, "\nmade small: the first failure of its kind")
		}
		story, err := c.tell(r, out)
		if err != nil {
			return err
		}
		prefix := path.Join(reports.PathName(first.result.Protocol), reports.PathName(first.result.Check)) + "/"
		if err := writeStory(c.folder, prefix, story); err != nil {
			return internal(err)
		}
		if r.End == shrink.Interrupted {
			return interrupted(r)
		}
	}
	return nil
}

// open opens the folder of failures, once.
func (c *fuzzing) open() (err error) {
	if c.folder == nil {
		c.folder, err = reports.OpenFolder(c.flags.out)
	}
	return err
}

func (c *fuzzing) close() {
	if c.folder != nil {
		c.folder.Close()
	}
}
