package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/reports/reproduce"
)

// reproduceFlags are the flags of reproduce.
type reproduceFlags struct {
	elections int
	workers   *workers
	out       string
	json      bool
}

// maxElections bounds -n. All times are kept for the plots.
const maxElections = 1_000_000

// codeMissedFigure is the exit code where a figure misses its tolerance.
const codeMissedFigure = 1

// everything is the argument that stands for all figures.
const everything = "all"

func (a *app) reproduceCommand() *cobra.Command {
	f := reproduceFlags{workers: newWorkers()}
	var list strings.Builder
	for _, name := range reproduce.Names() {
		fmt.Fprintf(&list, "  %-22s %s\n", name, reproduce.Title(name))
	}
	cmd := &cobra.Command{
		Use:   "reproduce NAME...|all",
		Short: "Reproduce published figures and laws",
		Long: `Reproduce what was published about these protocols, with shipped scenarios: for
each row the published value, ours, the difference and the tolerance, and each
published curve under ours. A miss is shown as a miss. NAME is one of

` + list.String() + `
-n is the number of elections in each distribution and in each cell of the split
votes. Tolerances hold for 10000 or more; with fewer they are wider by the sampling
error. Nothing depends on -j.

DIR gets all of it as the page validation.md, and in the folder validation the plots
as SVG and PNG, figures.csv and figures.json. --json prints one JSON array.

The exit code is 1 where a row misses its tolerance.`,
		Example: `  lockstep reproduce message-delays
  lockstep reproduce raft-election-wan -n 10000 --out figures
  lockstep reproduce all --out figures`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("want the name of a figure, or %s: %s\nSee: %s --help", everything, strings.Join(reproduce.Names(), ", "), cmd.CommandPath())
			}
			return nil
		},
		ValidArgs: append(reproduce.Names(), everything),
		RunE:      func(cmd *cobra.Command, args []string) error { return a.reproduce(cmd.Context(), args, f) },
	}
	cmd.Flags().IntVarP(&f.elections, "elections", "n", 100_000, "the number `N` of elections in each distribution")
	cmd.Flags().VarP(f.workers, "jobs", "j", "runs at a time (default: the number of CPUs)")
	cmd.Flags().StringVar(&f.out, "out", "", "folder `DIR` for plots and data")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON array")
	return cmd
}

func (a *app) reproduce(ctx context.Context, names []string, f reproduceFlags) error {
	if f.elections < 100 || f.elections > maxElections {
		return fmt.Errorf("-n: want a number of elections from 100 to %d, got %d", maxElections, f.elections)
	}
	given := strings.Join(names, " ")
	if len(names) == 1 && names[0] == everything {
		names = reproduce.Names()
	}
	var out *reports.Folder
	if f.out != "" {
		var err error
		if out, err = reports.OpenFolder(f.out); err != nil {
			return err
		}
		defer out.Close()
	}
	figures, err := a.figures(ctx, names, f)
	if err != nil {
		return err
	}
	if f.json {
		if err := reproduce.WriteJSON(a.stdout, figures); err != nil {
			return internal(err)
		}
	}
	if out == nil {
		return nil
	}
	files, err := reproduce.WriteAll(out, figures, fmt.Sprintf("%s reproduce %s -n %d", a.program, given, f.elections))
	if err != nil {
		return internal(err)
	}
	for i, name := range files {
		files[i] = filepath.Join(f.out, name)
	}
	if !f.json {
		fmt.Fprintf(a.stdout, "\nwrote %s\n", reports.Clean(strings.Join(files, " ")))
	}
	return nil
}

// figures makes the figures one after the other, each on all workers, and prints each
// when it is there.
func (a *app) figures(ctx context.Context, names []string, f reproduceFlags) ([]*reproduce.Figure, error) {
	var figures []*reproduce.Figure
	var text io.Writer = a.stdout
	if f.json {
		text = io.Discard
	}
	for i, name := range names {
		began := time.Now()
		figure, err := reproduce.Make(ctx, name, reproduce.Options{Elections: f.elections, Workers: f.workers.n, Protocols: a.protocols})
		if ended := ended(ctx, err, fmt.Sprintf("interrupted after %d of %d figures", i, len(names))); ended != nil {
			return nil, ended
		}
		fmt.Fprintf(a.stderr, "%s: %d runs in %s\n", name, figure.Runs, reports.Duration(int64(time.Since(began))))
		if i > 0 {
			fmt.Fprintln(text)
		}
		if err := figure.Write(text, a.paint()); err != nil {
			return nil, internal(err)
		}
		if figure.Missed() > 0 {
			a.code = codeMissedFigure
		}
		figures = append(figures, figure)
	}
	return figures, nil
}
