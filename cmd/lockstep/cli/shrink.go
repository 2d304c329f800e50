package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/shrink"
)

// shrinkFlags are the flags of shrink.
type shrinkFlags struct {
	oneRun
	runs       int
	workers    *workers
	out        string
	inevitable bool
	verbose    bool
}

func (a *app) shrinkCommand() *cobra.Command {
	f := shrinkFlags{oneRun: newOneRun(), workers: newWorkers()}
	cmd := &cobra.Command{
		Use:   "shrink FILE|NAME",
		Short: "Make a failing scenario small, and tell what happens in it",
		Long: `Make a failing scenario as small as it can be while the same check is violated
with the same seed: faults, client operations, clients, keys and replicas are
removed, the run is cut short, chance is switched off and numbers are rounded.

The result is the story of the violation and a scenario file. It is 1-minimal:
nothing that lockstep tries makes it smaller; docs/shrinking.md lists what it
tries. --max-runs bounds the search; then "budget spent" says that more might be
possible. Equal arguments give the equal result, with any -j.

--out DIR gets repro.yaml (the scenario), story.txt, and, where it is not too
large to draw, the causal past of the violation as story.svg and as a Mermaid
diagram for issue trackers, story.mmd. Each file appears whole or not at all. From
the first step on repro.yaml holds the smallest scenario so far, so that a search
that is killed leaves it behind.

--inevitable finds the event after which each of ` + fmt.Sprint(shrink.Futures) + ` futures with other luck ends in
the same violation.

Exit code 1: the violation was found and made small. An interrupt prints the best
so far and exits with 130. A run without a violation is an error, exit code 2.`,
		Example: `  lockstep shrink my-scenario.yaml --seed 17
  lockstep shrink my-scenario.yaml --protocol raft --seed 17 --out repro
  lockstep shrink repro/repro.yaml --seed 17 --inevitable`,
		Args:              exactlyOneScenario,
		ValidArgsFunction: a.completeScenarios,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.shrink(cmd.Context(), args[0], f) },
	}
	a.addOneRunFlags(cmd, &f.oneRun)
	cmd.Flags().IntVar(&f.runs, "max-runs", shrink.DefaultRuns, "the number `N` of runs after which to stop")
	cmd.Flags().VarP(f.workers, "jobs", "j", "runs at a time (default: the number of CPUs)")
	cmd.Flags().StringVar(&f.out, "out", "", "folder `DIR` for the scenario, the story and its diagrams")
	cmd.Flags().BoolVar(&f.inevitable, "inevitable", false, "find the event after which no future escapes")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "say on stderr what became smaller")
	return cmd
}

func (a *app) shrink(ctx context.Context, file string, f shrinkFlags) error {
	if f.runs < 1 || f.runs > maxRuns {
		return fmt.Errorf("--max-runs %d: want 1..%d", f.runs, maxRuns)
	}
	sc, p, err := a.one(file, f.oneRun)
	if err != nil {
		return err
	}
	var folder *reports.Folder
	if f.out != "" {
		if folder, err = reports.OpenFolder(f.out); err != nil {
			return err
		}
		defer folder.Close()
	}
	o := shrink.Options{MaxRuns: f.runs, Workers: f.workers.n}
	var unsaved error
	o.Progress = func(step shrink.Progress) {
		if folder != nil && unsaved == nil {
			unsaved = saveStep(folder, step, p, f.seeds.first)
		}
		if f.verbose {
			fmt.Fprintln(a.stderr, step)
		}
	}
	r, err := shrink.Minimise(ctx, sc, p, f.seeds.first, o)
	if err != nil {
		return err
	}
	a.code = scenarios.Worst(a.code, scenarios.CodeViolation)
	story, err := a.tell(r, a.stdout)
	if err != nil {
		return err
	}
	if unsaved != nil {
		return internal(unsaved)
	}
	if folder != nil {
		if err := writeStory(folder, "", story); err != nil {
			return internal(err)
		}
		fmt.Fprintf(a.stdout, "\nwrote %s\n", strings.Join(storyFiles(f.out, story), " "))
	}
	if r.End == shrink.Interrupted {
		return interrupted(r)
	}
	if f.inevitable {
		return a.inevitable(ctx, r, f.workers.n)
	}
	return nil
}

// saveStep keeps the smallest scenario so far, without a story: one of an earlier
// search would be of another run.
func saveStep(folder *reports.Folder, step shrink.Progress, p *protocols.Protocol, seed uint64) error {
	note := fmt.Sprintf("repeat it with --protocol %s --seed %d\nthe smallest after %d runs; the search went on", p.Name, seed, step.Runs)
	return writeStory(folder, "", &shrink.Story{Scenario: scenarios.Brief(step.Scenario, []*protocols.Protocol{p}, note)})
}

func interrupted(r *shrink.Result) error {
	return &failure{scenarios.CodeInterrupted, fmt.Errorf("interrupted after %d runs; this is the best so far", r.Runs)}
}

// tell prints what a search found, and its story.
func (a *app) tell(r *shrink.Result, w io.Writer) (*shrink.Story, error) {
	repeat := fmt.Sprintf("--protocol %s --seed %d", r.Protocol.Name, r.Seed)
	note := fmt.Sprintf("%s is violated with %s\nfrom %s, %s after %d runs", r.After.Check, repeat, r.Before.Scenario, r.End, r.Runs)
	story, err := shrink.Tell(r.Scenario, r.Protocol, r.Seed, note)
	if err != nil {
		return nil, internal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s, %s, seed %d: %s in %d runs\n", reports.Clean(r.Before.Scenario), r.Protocol.Name, r.Seed, r.End, r.Runs)
	fmt.Fprintf(&b, "  %s\n\n", r.Sizes())
	b.WriteString(reports.CleanLines(story.Text))
	b.WriteString("\nthe scenario\n\n")
	for l := range strings.SplitSeq(strings.TrimRight(string(story.Scenario), "\n"), "\n") {
		b.WriteString(strings.TrimRight("  "+reports.Clean(l), " ") + "\n")
	}
	fmt.Fprintf(&b, "\nrepeat it from a file: %s run FILE %s\n", a.program, repeat)
	if _, err := w.Write(b.Bytes()); err != nil {
		return nil, internal(err)
	}
	return story, nil
}

// storyPart is one file of a story.
type storyPart struct {
	name string
	data []byte
}

func storyParts(s *shrink.Story) []storyPart {
	var text []byte
	if s.Text != "" {
		text = []byte(s.Text)
	}
	return []storyPart{{"repro.yaml", s.Scenario}, {"story.txt", text}, {"story.svg", s.SVG}, {"story.mmd", s.Mermaid}}
}

// writeStory puts a story into a folder, below prefix, all files or none.
func writeStory(folder *reports.Folder, prefix string, s *shrink.Story) error {
	b := folder.Batch()
	for _, part := range storyParts(s) {
		if part.data == nil {
			b.Remove(prefix + part.name)
			continue
		}
		if err := b.Write(prefix+part.name, func(w io.Writer) error {
			_, err := w.Write(part.data)
			return err
		}); err != nil {
			return err
		}
	}
	return b.Commit()
}

func storyFiles(dir string, s *shrink.Story) []string {
	var names []string
	for _, part := range storyParts(s) {
		if part.data != nil {
			names = append(names, dir+"/"+part.name)
		}
	}
	return names
}

// inevitable prints when the violation became inevitable.
func (a *app) inevitable(ctx context.Context, r *shrink.Result, workers int) error {
	fate, err := shrink.Inevitable(ctx, r.Scenario, r.Protocol, r.Seed, workers)
	switch {
	case errors.Is(err, context.Canceled):
		return &failure{scenarios.CodeInterrupted, errors.New("interrupted before the inevitable event was found")}
	case err != nil:
		return err
	case fate.Event == 0:
		fmt.Fprintf(a.stdout, "\ninevitable from the start: %d other seeds fail as well (%d runs)\n", shrink.Futures, fate.Runs)
	default:
		fmt.Fprintf(a.stdout, "\ninevitable after event %d at %s (%d futures of %d fail from there, %d runs)\n  %s\n",
			fate.Event, scenarios.FormatTime(fate.Time), shrink.Futures, shrink.Futures, fate.Runs, reports.CleanLines(fate.What))
	}
	return nil
}

// firsts are the first failures of each class in a campaign.
type firsts struct {
	list []failed
}

// failed is one failing run.
type failed struct {
	scenario *scenarios.Scenario
	protocol *protocols.Protocol
	result   *scenarios.Result
}

// add keeps a run that violates a check as no run before it.
func (f *firsts) add(sc *scenarios.Scenario, p *protocols.Protocol, r *scenarios.Result) {
	if r.Code() != scenarios.CodeViolation {
		return
	}
	for _, other := range f.list {
		if other.protocol == p && other.result.Check == r.Check {
			return
		}
	}
	f.list = append(f.list, failed{sc, p, r})
}

// campaignRuns is the budget for one failure of a campaign: lockstep shrink goes on.
const campaignRuns = 500

// shrinkFirsts makes the first failures of each class small and tells them.
func (a *app) shrinkFirsts(ctx context.Context, f *firsts, workers int, quiet bool, out *reports.RunFolder) error {
	for _, first := range f.list {
		if ctx.Err() != nil {
			return &failure{scenarios.CodeInterrupted, errors.New("interrupted before every kind of failure was made small")}
		}
		r, err := shrink.Minimise(ctx, first.scenario, first.protocol, first.result.Seed, shrink.Options{MaxRuns: campaignRuns, Workers: workers})
		if err != nil {
			return err
		}
		w := io.Writer(a.stdout)
		if quiet {
			w = io.Discard
		} else {
			fmt.Fprintln(a.stdout, "\nmade small: the first failure of its kind")
		}
		story, err := a.tell(r, w)
		if err != nil {
			return err
		}
		if out != nil {
			if err := writeStory(out.Folder, reports.RunPath(first.result)+"/", story); err != nil {
				return internal(err)
			}
		}
		if r.End == shrink.Interrupted {
			return interrupted(r)
		}
	}
	return nil
}
