package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
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
	vary      []string
	set       *assignments
	seeds     int
	workers   *workers
	out       string
	format    string
	json      bool
}

// maxColumns bounds the columns of one comparison: values times protocols.
const maxColumns = 256

// maxVaried is how many keys may be varied: heat maps have two axes.
const maxVaried = 2

// maxCompared bounds -n. All latencies are kept for the plots.
const maxCompared = 10_000

func (a *app) compareCommand() *cobra.Command {
	f := compareFlags{set: &assignments{}, workers: newWorkers()}
	cmd := &cobra.Command{
		Use:   "compare FILE|NAME... [--protocol a,b] [--vary KEY=a,b,c] [-n SEEDS] [--out DIR]",
		Short: "Compare protocols, and values of one setting, on the same seeds",
		Long: `Run a scenario with several protocols, or under several values of one or two keys,
or both, on the seeds 1..n, and compare. Without --vary only protocols are compared.
KEY is a key of the scenario file, with dots: network.loss, workload.clients,
parameters.raft.pre_vote. Several scenarios are compared one after the other.

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

--format prints the comparison as text, as markdown, as json (one object; the same
as --json), as csv (one row per run), or as benchfmt, which benchstat reads.

DIR gets report.html, a page with everything that needs no network and no script;
the plots as SVG and PNG: latency-cdf, latency-percentiles, latency-over-time,
availability, election-times, cost-per-commit; where there are regions also
latency-by-region, with --vary of one key with numbers sweep, and with --vary twice
heat-latency, heat-throughput and heat-outage;
runs.csv with one row per run, availability.csv, the table as comparison.json and
table.md, bench.txt for benchstat, and the varied scenarios as variant-N.yaml.
Several scenarios have a folder each.`,
		Example: `  lockstep compare leader-crash --protocol raft,primarybackup -n 30 --out compare
  lockstep compare steady-state --vary network.loss=0%,1%,5% -n 30 --out compare
  lockstep compare steady-state --vary workload.clients=1,2,4,8,16 -n 10 --out compare
  lockstep compare steady-state --vary replicas=3,5,7 --vary network.loss=0%,1%,5% -n 10 --out compare
  lockstep compare leader-cut-off leader-crash -n 20 --format markdown`,
		Args:              atLeastOne,
		ValidArgsFunction: a.completeScenarios,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.compareAll(cmd.Context(), args, f) },
	}
	a.addProtocolFlag(cmd, &f.protocols)
	addSetFlag(cmd, f.set)
	cmd.Flags().StringArrayVar(&f.vary, "vary", nil, "a key and its values, `KEY=a,b,c`: network.loss=0%,1%,5%; at most twice")
	cmd.Flags().IntVarP(&f.seeds, "seeds", "n", 20, "the number `N` of seeds, from 1 up")
	cmd.Flags().VarP(f.workers, "jobs", "j", "runs at a time (default: the number of CPUs)")
	cmd.Flags().StringVar(&f.out, "out", "", "folder `DIR` for report, plots and data")
	cmd.Flags().StringVar(&f.format, "format", "text", "what to print: "+strings.Join(reports.ComparisonFormats(), ", "))
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(reports.ComparisonFormats(), cobra.ShellCompDirectiveNoFileComp)))
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object per scenario")
	cmd.MarkFlagsMutuallyExclusive("json", "format")
	return cmd
}

// compareAll compares each of the scenarios.
func (a *app) compareAll(ctx context.Context, files []string, f compareFlags) error {
	if f.seeds < 1 || f.seeds > maxCompared {
		return fmt.Errorf("-n: want a number of seeds from 1 to %d, got %d", maxCompared, f.seeds)
	}
	if f.json {
		f.format = "json"
	}
	if !slices.Contains(reports.ComparisonFormats(), f.format) {
		return fmt.Errorf("--format %q: want one of %s%s", f.format, strings.Join(reports.ComparisonFormats(), ", "), scenarios.DidYouMean(f.format, reports.ComparisonFormats()))
	}
	picked, err := a.pick(f.protocols)
	if err != nil {
		return err
	}
	list, err := a.resolve(files, f.set.list...)
	if err != nil {
		return err
	}
	if err := distinct(list); err != nil {
		return err
	}
	for i, sc := range list {
		if i > 0 && f.format == "text" {
			fmt.Fprintln(a.stdout)
		}
		of := f
		if len(list) > 1 && f.out != "" {
			of.out = filepath.Join(f.out, reports.PathName(sc.Name))
		}
		if err := a.compare(ctx, sc, picked, of); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) compare(ctx context.Context, sc *scenarios.Scenario, picked []*protocols.Protocol, f compareFlags) error {
	variants, err := a.variants(sc, f.vary)
	if err != nil {
		return err
	}
	columns, jobs, err := compared(variants, picked, f.seeds)
	if err != nil {
		return err
	}
	var out *reports.Folder
	if f.out != "" {
		if out, err = reports.OpenFolder(f.out); err != nil {
			return err
		}
		defer out.Close()
	}
	if err := writeVariants(out, f.out, variants); err != nil {
		return err
	}
	c := reports.NewComparison(variants.keys, columns)
	if err := a.compareRuns(ctx, c, jobs, f); err != nil {
		return err
	}
	return a.writeComparison(c, out, f)
}

// compared returns the columns of the comparison, protocol by protocol, and their
// runs, column by column. A protocol has one column where the only key is a parameter
// of another one.
func compared(v *variants, picked []*protocols.Protocol, seeds int) ([]reports.Compared, []search.Job, error) {
	var columns []reports.Compared
	var jobs []search.Job
	for _, p := range picked {
		if !v.list[0].Runs(p.Name) {
			continue
		}
		for i, sc := range v.list {
			column := reports.Compared{Scenario: sc, Protocol: p, Values: v.values[i]}
			if len(v.keys) == 1 && foreign(v.keys[0], p.Name) {
				if i > 0 {
					break
				}
				column.Values = nil
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
	case len(columns) > maxColumns:
		return nil, nil, fmt.Errorf("%d columns are too many: want at most %d values times protocols", len(columns), maxColumns)
	}
	return columns, jobs, nil
}

// foreign reports whether key is a parameter of another protocol.
func foreign(key, protocol string) bool {
	rest, parameter := strings.CutPrefix(key, "parameters.")
	return parameter && !strings.HasPrefix(rest, protocol+".")
}

// variants are copies of a scenario, one for each combination of the values of the
// keys, the last key changing fastest. Without keys it is the scenario itself.
type variants struct {
	keys   []string
	list   []*scenarios.Scenario
	values [][]string // by variant and key
}

// variants makes the copies that the flags --vary ask for.
func (a *app) variants(sc *scenarios.Scenario, vary []string) (*variants, error) {
	v := &variants{list: []*scenarios.Scenario{sc}, values: [][]string{nil}}
	if len(vary) > maxVaried {
		return nil, fmt.Errorf("--vary: want at most %d keys, got %d", maxVaried, len(vary))
	}
	for _, flag := range vary {
		key, rest, found := strings.Cut(flag, "=")
		if !found || key == "" || rest == "" {
			return nil, fmt.Errorf("--vary %q: want KEY=a,b,c such as network.loss=0%%,1%%,5%%", flag)
		}
		if slices.Contains(v.keys, key) {
			return nil, fmt.Errorf("--vary: the key %s is given twice", key)
		}
		next := &variants{keys: append(v.keys, key)}
		for i := range v.list {
			for value := range strings.SplitSeq(rest, ",") {
				value = strings.TrimSpace(value)
				varied := *v.list[i]
				if err := scenarios.Set(&varied, key, value, a.protocols); err != nil {
					return nil, fmt.Errorf("--vary %s=%s: %w", key, value, err)
				}
				next.list, next.values = append(next.list, &varied), append(next.values, append(slices.Clone(v.values[i]), value))
			}
		}
		v = next
	}
	return v, nil
}

// writeVariants writes each varied scenario into the output folder, so that the
// command that repeats a run can name it. Without a folder it names the files that
// --out would have written.
func writeVariants(out *reports.Folder, dir string, v *variants) error {
	if len(v.keys) == 0 {
		return nil
	}
	for i, sc := range v.list {
		name := fmt.Sprintf("variant-%d.yaml", i+1)
		sc.File, sc.Given = filepath.Join("DIR", name), nil
		if out == nil {
			continue
		}
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
	if err := c.WriteFormat(a.stdout, f.format, a.paint()); err != nil {
		return internal(err)
	}
	if out == nil {
		return nil
	}
	files, err := c.WriteAll(out)
	if err != nil {
		return internal(err)
	}
	if f.format != "text" {
		return nil
	}
	if _, err = fmt.Fprintf(a.stdout, "\nwrote %s: %s\n", reports.Clean(f.out), reports.Clean(strings.Join(files, " "))); err != nil {
		return internal(err)
	}
	return nil
}
