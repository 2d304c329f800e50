package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	protocols []string
	vary      string
	set       *assignments
	seeds     int
	workers   *workers
	out       string
	json      bool
}

// maxCells bounds the curves of one figure: more cannot be told apart.
const maxCells = 12

// maxCompared bounds -n. All latencies are kept for the plots.
const maxCompared = 10_000

func (a *app) compareCommand() *cobra.Command {
	f := compareFlags{set: &assignments{}, workers: newWorkers()}
	cmd := &cobra.Command{
		Use:   "compare FILE|NAME [--protocol a,b] [--vary KEY=a,b,c] -n SEEDS --out DIR",
		Short: "Compare protocols, and values of one setting, on the same seeds",
		Long: `Run one scenario with several protocols, or under several values of one key, or
both, on the seeds 1..n, and compare. Without --vary only protocols are compared.
KEY is a key of the scenario file, with dots: network.loss, workload.clients,
parameters.raft.pre_vote.

Plans are equal: the same seed gives every protocol and value the same faults and
equal link conditions per slice of time; draws for single messages match by index
only, since protocols send different messages. So runs are paired by seed, and the
differences are those of Wilcoxon's signed-rank test.

First comes what each protocol gives: its guarantee, the nodes it uses, how many
may be down, how many disks have synced a write before it is acknowledged (measured
without failures), the largest time-out until a failure is noticed, and how it
reads. Where the guarantees differ, a line says so. Then come medians of commit
latency (writes), read latency, throughput, availability (share of the operations
that returned), the longest time without any answer, the time without a leader,
and the cost of an operation that returned.

DIR gets latency-cdf, latency-over-time, availability and cost-per-commit as SVG
and PNG, runs.csv with one row per run, availability.csv, the table as
comparison.json, and the varied scenarios as variant-N.yaml. --json prints the
table as one JSON object.`,
		Example: `  lockstep compare leader-crash --protocol raft,primarybackup -n 30 --out compare
  lockstep compare steady-state --vary network.loss=0%,1%,5% -n 30 --out compare
  lockstep compare leader-cut-off --vary parameters.raft.heartbeat=20ms,50ms -n 20 --out compare`,
		Args:              exactlyOneScenario,
		ValidArgsFunction: a.completeScenarios,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.compare(cmd.Context(), args[0], f) },
	}
	a.addProtocolFlag(cmd, &f.protocols)
	addSetFlag(cmd, f.set)
	cmd.Flags().StringVar(&f.vary, "vary", "", "the key and its values, `KEY=a,b,c`: network.loss=0%,1%,5%")
	cmd.Flags().IntVarP(&f.seeds, "seeds", "n", 20, "the number `N` of seeds, from 1 up")
	cmd.Flags().VarP(f.workers, "jobs", "j", "runs at a time (default: the number of CPUs)")
	cmd.Flags().StringVar(&f.out, "out", "", "folder `DIR` for plots and data (required)")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	must(cmd.MarkFlagRequired("out"))
	return cmd
}

func exactlyOneScenario(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want one scenario, got %d arguments\nSee: %s --help", len(args), cmd.CommandPath())
	}
	return nil
}

func (a *app) compare(ctx context.Context, file string, f compareFlags) error {
	if f.seeds < 1 || f.seeds > maxCompared {
		return fmt.Errorf("-n: want a number of seeds from 1 to %d, got %d", maxCompared, f.seeds)
	}
	variants, key, values, err := a.variants(file, f)
	if err != nil {
		return err
	}
	picked, err := a.pick(f.protocols)
	if err != nil {
		return err
	}
	columns, jobs, err := compared(variants, key, values, picked, f.seeds)
	if err != nil {
		return err
	}
	out, err := reports.OpenFolder(f.out)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := writeVariants(out, f.out, variants, key); err != nil {
		return err
	}
	c := reports.NewComparison(key, columns)
	if err := a.compareRuns(ctx, c, jobs, f); err != nil {
		return err
	}
	return a.writeComparison(c, out, f)
}

// compared returns the columns of the comparison, protocol by protocol, and their
// runs, column by column. A protocol has one column where the key is a parameter of
// another one.
func compared(variants []*scenarios.Scenario, key string, values []string, picked []*protocols.Protocol, seeds int) ([]reports.Compared, []search.Job, error) {
	var columns []reports.Compared
	var jobs []search.Job
	for _, p := range picked {
		if !variants[0].Runs(p.Name) {
			continue
		}
		for i, sc := range variants {
			column := reports.Compared{Scenario: sc, Value: values[i]}
			if foreign(key, p.Name) {
				if i > 0 {
					break
				}
				column.Value = ""
			}
			var err error
			if column.Profile, err = scenarios.ProfileOf(sc, p); err != nil {
				return nil, nil, fmt.Errorf("%s with %s: %w", sc.Name, p.Name, err)
			}
			columns = append(columns, column)
			for seed := 1; seed <= seeds; seed++ {
				jobs = append(jobs, search.Job{Scenario: sc, Protocol: p, Seed: uint64(seed), Options: reports.HistoryOnly})
			}
		}
	}
	switch {
	case len(columns) == 0:
		return nil, nil, errors.New("the scenario is not meant for " + strings.Join(names(picked), ", "))
	case len(columns) == 1:
		return nil, nil, errors.New("nothing to compare: give --vary KEY=a,b or several protocols with --protocol a,b")
	case len(columns) > maxCells:
		return nil, nil, fmt.Errorf("%d curves in one figure cannot be told apart: want at most %d values times protocols", len(columns), maxCells)
	}
	return columns, jobs, nil
}

// foreign reports whether key is a parameter of another protocol.
func foreign(key, protocol string) bool {
	rest, parameter := strings.CutPrefix(key, "parameters.")
	return parameter && !strings.HasPrefix(rest, protocol+".")
}

// variants reads the scenario and makes one copy per value of --vary. Without
// --vary it returns the scenario and one empty value.
func (a *app) variants(file string, f compareFlags) (variants []*scenarios.Scenario, key string, values []string, err error) {
	vary := f.vary
	list, err := a.resolve([]string{file}, f.set.list...)
	if err != nil {
		return nil, "", nil, err
	}
	if len(list) != 1 {
		return nil, "", nil, fmt.Errorf("%s holds %d scenarios: want one", file, len(list))
	}
	if vary == "" {
		return list, "", []string{""}, nil
	}
	key, rest, found := strings.Cut(vary, "=")
	if !found || key == "" || rest == "" {
		return nil, "", nil, fmt.Errorf("--vary %q: want KEY=a,b,c such as network.loss=0%%,1%%,5%%", vary)
	}
	for value := range strings.SplitSeq(rest, ",") {
		value = strings.TrimSpace(value)
		varied := *list[0]
		if err := scenarios.Set(&varied, key, value, a.protocols); err != nil {
			return nil, "", nil, fmt.Errorf("--vary %s=%s: %w", key, value, err)
		}
		variants, values = append(variants, &varied), append(values, value)
	}
	return variants, key, values, nil
}

// writeVariants writes each varied scenario into the output folder, so that the
// command that repeats a run can name it.
func writeVariants(out *reports.Folder, dir string, variants []*scenarios.Scenario, key string) error {
	if key == "" {
		return nil
	}
	for i, sc := range variants {
		name := fmt.Sprintf("variant-%d.yaml", i+1)
		if err := out.WriteBytes(name, scenarios.Format(sc)); err != nil {
			return internal(err)
		}
		sc.File, sc.Given = filepath.Join(dir, name), nil
	}
	return nil
}

// compareRuns runs the jobs, which come column by column, seed by seed.
func (a *app) compareRuns(ctx context.Context, c *reports.Comparison, jobs []search.Job, f compareFlags) error {
	progress := newMeter(a.stderr, len(jobs))
	defer progress.stop()
	done := 0
	err := search.Run(ctx, jobs, f.workers.n, func(i int, r *scenarios.Result) error {
		if r.Err != nil {
			return r.Err // the engine refuses the scenario: a usage error
		}
		done++
		progress.add(r.Events, int64(r.Virtual))
		a.code = scenarios.Worst(a.code, r.Code())
		c.Add(i/f.seeds, r)
		return nil
	})
	progress.stop()
	progress.summary()
	return ended(ctx, err, fmt.Sprintf("interrupted after %d of %d runs; a comparison needs all of them", done, len(jobs)))
}

func (a *app) writeComparison(c *reports.Comparison, out *reports.Folder, f compareFlags) error {
	if f.json {
		if err := c.WriteJSON(a.stdout); err != nil {
			return internal(err)
		}
	} else if err := c.Write(a.stdout, a.paint()); err != nil {
		return internal(err)
	}
	files, err := c.WriteAll(out)
	if err != nil {
		return internal(err)
	}
	if f.json {
		return nil
	}
	for i, name := range files {
		files[i] = filepath.Join(f.out, name)
	}
	if _, err = fmt.Fprintf(a.stdout, "\nwrote %s\n", reports.Clean(strings.Join(files, " "))); err != nil {
		return internal(err)
	}
	return nil
}
