package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	oneRun
	at      string
	step    bool
	verbose bool

	seedGiven bool
}

func (a *app) replayCommand() *cobra.Command {
	f := replayFlags{oneRun: newOneRun()}
	cmd := &cobra.Command{
		Use:   "replay FILE|NAME",
		Short: "Run a scenario again and walk through it, or check that a result repeats",
		Long: `FILE is a scenario, or a result.json that lockstep run --out wrote.

A scenario is run, and its turning points are listed: faults, crashes, leadership,
violations. -v lists everything.

A result.json is checked: the scenario.yaml beside it is run again with the same
protocol and seed, and the digests on the way are compared. Where the runs part,
the first event that differs is named, from the trace.txt beside it if there is
one, and the exit code is 5. That happens only where the code that ran was another.

--at shows one event, by number or by time: what happened, what caused it, what
it caused, and how each node showed itself after it. --step reads commands from
standard input, a line each: n (or an empty line) next, p previous, c to the
cause, a number or a time to that event, q quit. -v shows the events around it in
full, and the hash of each node's state.`,
		Example: `  lockstep replay leader-crash --seed 3
  lockstep replay leader-crash --seed 3 --at 2.2s
  lockstep replay leader-crash --seed 3 --at 4254 -v
  lockstep replay lockstep-out/leader-crash/raft/seed-3/result.json
  printf 'n\nn\nc\nq\n' | lockstep replay leader-crash --at 2s --step`,
		Args:              exactlyOneScenario,
		ValidArgsFunction: a.completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seedGiven = cmd.Flags().Changed("seed")
			return a.replay(args[0], f)
		},
	}
	a.addOneRunFlags(cmd, &f.oneRun)
	cmd.Flags().StringVar(&f.at, "at", "", "`EVENT|TIME` to look at: 4254, or 2.5s")
	cmd.Flags().BoolVar(&f.step, "step", false, "walk by commands from standard input")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show more")
	return cmd
}

func (a *app) replay(file string, f replayFlags) error {
	if filepath.Ext(file) == ".json" {
		return a.replayResult(file, f)
	}
	sc, p, err := a.one(file, f.oneRun)
	if err != nil {
		return err
	}
	rec, err := a.record(sc, p, f.seeds.first)
	if err != nil {
		return err
	}
	return a.walk(rec, f)
}

// replayResult repeats a stored run and compares.
func (a *app) replayResult(file string, f replayFlags) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	stored, err := reports.ReadResult(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	switch {
	case f.protocol != "" && f.protocol != stored.Protocol:
		return fmt.Errorf("--protocol %s: the result is of %s", f.protocol, reports.Clean(stored.Protocol))
	case f.seedGiven && f.seeds.first != stored.Seed:
		return fmt.Errorf("--seed %d: the result is of seed %d", f.seeds.first, stored.Seed)
	case len(f.set.list) > 0:
		return errors.New("--set: a result is repeated as it was; for another run give the scenario beside it")
	}
	beside := filepath.Dir(file)
	sc, p, err := a.one(filepath.Join(beside, "scenario.yaml"), oneRun{protocol: stored.Protocol, set: &assignments{}})
	if err != nil {
		return err
	}
	rec, err := a.record(sc, p, stored.Seed)
	if err != nil {
		return err
	}
	var trace io.Reader
	if t, err := os.Open(filepath.Join(beside, "trace.txt")); err == nil {
		defer t.Close()
		trace = t
	}
	if d := reports.Verify(stored, rec, trace); d != nil {
		return notIdentical(rec.Result.Events, d)
	}
	fmt.Fprintf(a.stdout, "identical: %s, %s, seed %d, %d events, digest %s\n", reports.Clean(stored.Scenario), p.Name, stored.Seed, stored.Events, rec.Result.Digest)
	if f.at == "" && !f.step && !f.verbose {
		return nil
	}
	return a.walk(rec, f)
}

func notIdentical(events uint64, d *reports.Departure) error {
	var b strings.Builder
	fmt.Fprintf(&b, "not identical: the runs are equal up to event %d and differ by event %d (of %d)", d.After, d.By, events)
	if d.Stored != "" {
		fmt.Fprintf(&b, "\nthen  %s\nnow   %s", d.Stored, d.Now)
	} else if d.Now != "" {
		fmt.Fprintf(&b, "\nthe first event after the equal ones is now %s", reports.Clean(d.Now))
	}
	return &failure{scenarios.CodeReplay, errors.New(b.String())}
}

// walk shows what the flags ask for.
func (a *app) walk(rec *scenarios.Recording, f replayFlags) error {
	w := reports.NewWalk(rec)
	if w.Len() == 0 {
		return errors.New("nothing happened in this run")
	}
	if f.at == "" && !f.step {
		return output(w.WriteTurns(a.stdout, f.verbose))
	}
	at := 0
	if f.at != "" {
		var err error
		if at, err = w.Find(f.at); err != nil {
			return fmt.Errorf("--at: %w", err)
		}
	}
	if err := w.Write(a.stdout, at, f.verbose); err != nil || !f.step {
		return output(err)
	}
	return a.steps(w, at, f.verbose)
}

// output makes an internal error of one that comes from writing.
func output(err error) error {
	if err != nil {
		return internal(err)
	}
	return nil
}

// steps walks by commands, until q or the end of the input.
func (a *app) steps(w *reports.Walk, at int, long bool) error {
	in := bufio.NewScanner(a.stdin)
	for {
		if isTerminal(a.stdout) {
			fmt.Fprint(a.stdout, "n(ext) p(revious) c(ause) EVENT TIME q(uit) > ")
		}
		if !in.Scan() {
			return output(in.Err())
		}
		switch command := strings.TrimSpace(in.Text()); command {
		case "q":
			return nil
		case "n", "":
			at = min(at+1, w.Len()-1)
		case "p":
			at = max(at-1, 0)
		case "c":
			at = w.Cause(at)
		default:
			to, err := w.Find(command)
			if err != nil {
				fmt.Fprintf(a.stdout, "%s; or n, p, c, q\n", reports.Clean(err.Error()))
				continue
			}
			at = to
		}
		fmt.Fprintln(a.stdout)
		if err := w.Write(a.stdout, at, long); err != nil {
			return internal(err)
		}
	}
}
