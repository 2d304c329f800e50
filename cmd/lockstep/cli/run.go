package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
)

// runFlags are the flags of run.
type runFlags struct {
	protocols []string
	set       *assignments
	seeds     seeds
	workers   *workers
	out       string
	json      bool
	noShrink  bool
	probes    bool
}

func (a *app) runCommand() *cobra.Command {
	f := runFlags{set: &assignments{}, seeds: seeds{1, 1}, workers: newWorkers()}
	cmd := &cobra.Command{
		Use:   "run FILE|DIR|NAME...",
		Short: "Run scenarios and judge every run",
		Long: `Run scenarios and judge every run. A scenario is a file, a folder of files, or
the name of a shipped scenario (lockstep list scenarios).

One scenario and seed prints, for each protocol, the run's figures, the fault
timeline and the command that repeats it. Otherwise, and for several protocols
at the end, there is one line per scenario and protocol, and each distinct
failure with the command that repeats it. Percentiles and leaderless times of several
runs are medians over the runs.

The first failure of each kind (protocol and check) is made small, as lockstep
shrink does it but in at most ` + fmt.Sprint(campaignRuns) + ` runs, and its story told; --no-shrink turns that
off, and so does --json without --out.

--json prints one object per run and line: scenario, protocol, seed, verdict,
check and reason where not ok, digest, events, virtual_seconds, operations,
latency_ns, per_commit, leaderless_ns, lost_writes where the protocol may lose
acknowledged ones, strongest (the strongest model that held), and replay.

--set KEY=VALUE gives a key of the file another value, read as in the file:
--set network.loss=5%, --set parameters.raft.pre_vote=true, --set faults[1].for=2s.
A scenario with a matrix is run once for each combination of its values; a key that
is set has that value only.

--probes counts how often the runs came to each rare situation (lockstep list
probes), prints the counts over all runs and lists those never reached. With --json
they are in each run's object, as reached. The runs themselves stay the same.

--out DIR gets SCENARIO/PROTOCOL/seed-N/ with result.json and the resolved
scenario.yaml of every run. history.jsonl and trace.txt are written too for every
run of a command of at most ` + fmt.Sprint(reports.FewRuns) + `, and in larger ones for the first ` + fmt.Sprint(reports.TracedFailures) + ` runs of each
scenario and protocol that are not as expected. Those of them that are not as
expected have report.html as well, a page that needs nothing else, and those whose
clients' history is not linearizable picture.html, a drawing of the operations that
have no order, with the faults and leaders of the time. Each file appears whole or not at all. A failure that was made small has repro.yaml and the
story beside its result.json. Without --out nothing is written.

The first interrupt stops after the runs in progress, keeps what is finished and
exits with 130. A second one ends at once.`,
		Example: `  lockstep run leader-cut-off
  lockstep run my-scenario.yaml --protocol raft --seed 17
  lockstep run leader-cut-off --set network.loss=5% --set replicas=3
  lockstep run scenarios/library --seeds 1..200 -j 2
  lockstep run leader-cut-off --seeds 1..20 --json | jq -r .verdict
  lockstep run leader-cut-off --seed 17 --out lockstep-out`,
		Args:              atLeastOne,
		ValidArgsFunction: a.completeScenarios,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), args, f) },
	}
	a.addProtocolFlag(cmd, &f.protocols)
	addSetFlag(cmd, f.set)
	cmd.Flags().Var(oneSeed{&f.seeds}, "seed", "the seed, a whole number (default 1)")
	cmd.Flags().Var(seedRange{&f.seeds}, "seeds", "a range of seeds, both ends included: 1..200")
	cmd.MarkFlagsMutuallyExclusive("seed", "seeds")
	cmd.Flags().VarP(f.workers, "jobs", "j", "runs at a time (default: the number of CPUs)")
	cmd.Flags().StringVar(&f.out, "out", "", "folder `DIR` for results, histories and traces")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object per run and line")
	cmd.Flags().BoolVar(&f.probes, "probes", false, "count rare situations, and say which were never reached")
	cmd.Flags().BoolVar(&f.noShrink, "no-shrink", false, "leave failures as they are")
	return cmd
}

// completeScenarios offers shipped names; the shell adds files.
func (a *app) completeScenarios(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return scenarios.Shipped(), cobra.ShellCompDirectiveDefault
}

// resolve reads the scenarios that args name, with other values for some keys, and
// prints warnings.
func (a *app) resolve(args []string, set ...scenarios.Assignment) ([]*scenarios.Scenario, error) {
	list, warnings, err := scenarios.ResolveWith(args, set, a.protocols)
	for _, w := range warnings {
		fmt.Fprintln(a.stderr, reports.CleanLines(w.String()))
	}
	return list, err
}

func (a *app) run(ctx context.Context, args []string, f runFlags) error {
	list, err := a.resolve(args, f.set.list...)
	if err != nil {
		return err
	}
	if err := distinct(list); err != nil {
		return err
	}
	picked, err := a.pick(f.protocols)
	if err != nil {
		return err
	}
	jobs, err := jobs(list, picked, f.seeds)
	if err != nil {
		return err
	}
	for i := range jobs {
		jobs[i].Options.Probes, jobs[i].Options.Program = f.probes, a.program
	}
	var out *reports.RunFolder
	if f.out != "" {
		if out, err = reports.OpenRunFolder(f.out, len(jobs)); err != nil {
			return err
		}
		defer out.Close()
		for i := range jobs {
			jobs[i].Options.Checkpoints = true
		}
	}
	return a.campaign(ctx, jobs, f, out)
}

// distinct refuses two scenarios of one name: their results could not be told
// apart.
func distinct(list []*scenarios.Scenario) error {
	files := map[string]string{}
	for _, sc := range list {
		if other, taken := files[sc.Name]; taken {
			return fmt.Errorf("two scenarios are called %q: %s and %s", sc.Name, other, sc.File)
		}
		files[sc.Name] = sc.File
	}
	return nil
}

// jobs lists the runs: scenario by scenario, protocol by protocol, seed by seed.
// A scenario is run with the picked protocols that it is meant for.
func jobs(list []*scenarios.Scenario, picked []*protocols.Protocol, s seeds) ([]search.Job, error) {
	if s.count() > maxRuns/len(list)/len(picked) {
		return nil, fmt.Errorf("want at most %d runs in one command: %d scenarios, %d protocols, %d seeds", maxRuns, len(list), len(picked), s.count())
	}
	jobs := search.Jobs(list, picked, s.first, s.last)
	if len(jobs) == 0 {
		return nil, errors.New("no scenario is meant for " + strings.Join(names(picked), ", ") + ": see the key protocols in the scenario file")
	}
	return jobs, nil
}

func names(list []*protocols.Protocol) []string {
	var n []string
	for _, p := range list {
		n = append(n, p.Name)
	}
	return n
}

// campaign runs the jobs and prints what came of them.
func (a *app) campaign(ctx context.Context, jobs []search.Job, f runFlags, out *reports.RunFolder) error {
	sum := &reports.Campaign{Planned: len(jobs)}
	whole := sideBySide(jobs)
	kinds := &firsts{}
	progress := newMeter(a.stderr, len(jobs))
	defer progress.stop()
	err := search.Run(ctx, jobs, f.workers.n, func(i int, r *scenarios.Result) error {
		if r.Err != nil {
			return r.Err // the engine refuses the scenario: a usage error
		}
		sum.Add(r)
		a.code = scenarios.Worst(a.code, r.Code())
		kinds.add(jobs[i].Scenario, jobs[i].Protocol, r)
		progress.add(r.Events, int64(r.Virtual))
		if whole && i > 0 && !f.json {
			fmt.Fprintln(a.stdout) // between runs
		}
		if err := a.emit(jobs[i], r, f, whole, out); err != nil {
			return internal(err)
		}
		return nil
	})
	progress.stop()
	if !f.json && len(jobs) > 1 {
		if whole {
			fmt.Fprintln(a.stdout) // between the last run and the table
		}
		if err := sum.Write(a.stdout, a.paint()); err != nil {
			return internal(err)
		}
	}
	if f.probes && !f.json {
		fmt.Fprintln(a.stdout)
		if err := sum.WriteProbes(a.stdout, a.paint()); err != nil {
			return internal(err)
		}
	}
	progress.summary()
	if err == nil && !f.noShrink && (!f.json || out != nil) {
		if err := a.shrinkFirsts(ctx, kinds, f.workers.n, f.json, out); err != nil {
			return err
		}
	}
	return ended(ctx, err, fmt.Sprintf("interrupted after %d of %d runs", sum.Runs(), len(jobs)))
}

// sideBySide reports whether the jobs are one plan, by one protocol or by several.
// Then each run is printed whole.
func sideBySide(jobs []search.Job) bool {
	for _, j := range jobs {
		if j.Scenario != jobs[0].Scenario || j.Seed != jobs[0].Seed {
			return false
		}
	}
	return true
}

// ended tells an interrupt from the other reasons for which search.Run stops.
func ended(ctx context.Context, err error, interrupted string) error {
	if err != nil && ctx.Err() != nil {
		return &failure{scenarios.CodeInterrupted, errors.New(interrupted)}
	}
	return err
}

// emit prints and writes one result.
func (a *app) emit(job search.Job, r *scenarios.Result, f runFlags, whole bool, out *reports.RunFolder) error {
	if f.json {
		if err := reports.WriteLine(a.stdout, r); err != nil {
			return err
		}
	} else if whole {
		if err := reports.WriteRun(a.stdout, r, job.Scenario.Why, a.paint()); err != nil {
			return err
		}
	}
	if out == nil {
		return nil
	}
	return out.Add(job.Scenario, job.Protocol, r)
}
