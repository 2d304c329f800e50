package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// logFlags are the flags of log.
type logFlags struct {
	oneRun
	node      string
	at        []string
	positions string
	changelog string
	diff      string
	json      bool
}

// tail is how many positions are shown where none are asked for.
const tail = 20

func (a *app) logCommand() *cobra.Command {
	f := logFlags{oneRun: newOneRun()}
	cmd := &cobra.Command{
		Use:   "log FILE|NAME",
		Short: "Show the replicas' logs, tables and changelogs of one run",
		Long: `Run a scenario again and look at the logs of its replicas: at the end of the run,
or stopped at a time (--at 2.5s).

The summary has one line per replica: role, epoch in the protocol's own word, the
positions that the log holds, up to where it is durable, committed and applied,
and whether replaying the log gives the state that the replica has. Durable is
what a replica booted from the disk at that moment would find. A replica that is
down shows the log on its disk.

Without more flags the end of the first live replica's log follows, position by
position, and what crashes lost and boots found there. --node picks another
replica, --positions J..K other positions. --at POSITION rebuilds the table as of a
position by replaying the log, --changelog J..K shows what changed after position J
up to position K: the table at J and these changes make the table at K. --diff
n1,n3 shows where two logs part.`,
		Example: `  lockstep log leader-crash --seed 3
  lockstep log leader-crash --seed 3 --at 2.2s --node n2 --positions 1..12
  lockstep log leader-crash --seed 3 --at 40 --changelog 40..50
  lockstep log leader-cut-off --at 2.4s --diff n1,n3
  lockstep log leader-crash --seed 3 --at 40 --json | jq .table`,
		Args:              exactlyOneScenario,
		ValidArgsFunction: a.completeScenarios,
		RunE:              func(_ *cobra.Command, args []string) error { return a.log(args[0], f) },
	}
	a.addOneRunFlags(cmd, &f.oneRun)
	cmd.Flags().StringVar(&f.node, "node", "", "replica `n2` to look at (default: the first live one)")
	cmd.Flags().StringSliceVar(&f.at, "at", nil, "`POSITION|TIME`: rebuild the table as of a position (40), or stop the run at a time (2.5s); both may be given")
	cmd.Flags().StringVar(&f.positions, "positions", "", "positions `J..K` of the log to show (default: the last "+strconv.Itoa(tail)+")")
	cmd.Flags().StringVar(&f.changelog, "changelog", "", "show what changed after position J up to K: `J..K`")
	cmd.Flags().StringVar(&f.diff, "diff", "", "two replicas `n1,n3` whose logs to compare")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	return cmd
}

func (a *app) log(file string, f logFlags) error {
	when, position, err := parseAt(f.at)
	if err != nil {
		return err
	}
	sc, p, err := a.one(file, f.oneRun)
	if err != nil {
		return err
	}
	x, err := scenarios.Examine(sc, p, f.seeds.first, when)
	if err != nil {
		if when > 0 {
			err = fmt.Errorf("--at %s: %w", scenarios.FormatTime(when), err)
		}
		return err
	}
	v, err := f.view(x, position)
	if err != nil {
		return err
	}
	if f.json {
		err = reports.WriteLogJSON(a.stdout, v)
	} else {
		err = reports.WriteLog(a.stdout, v, a.paint())
	}
	if err != nil {
		return internal(err)
	}
	return nil
}

// pickFor returns the protocol called name, or the first that a scenario is for.
func (a *app) pickFor(sc *scenarios.Scenario, name string) (*protocols.Protocol, error) {
	picked := a.protocols
	if name != "" {
		var err error
		if picked, err = a.pick([]string{name}); err != nil {
			return nil, err
		}
	}
	for _, p := range picked {
		if sc.Runs(p.Name) {
			return p, nil
		}
	}
	return nil, errors.New("the scenario is not meant for " + strings.Join(names(picked), ", ") + ": see the key protocols in the scenario file")
}

// parseAt reads --at: a time to stop at and a position, each at most once.
func parseAt(list []string) (when protocols.Time, position *protocols.Index, err error) {
	for _, s := range list {
		if n, wrong := strconv.ParseUint(s, 10, 62); wrong == nil {
			if position != nil {
				return 0, nil, fmt.Errorf("--at %s: a position is given already, %d", s, *position)
			}
			at := protocols.Index(n)
			position = &at
			continue
		}
		t, wrong := scenarios.ParseTime(s)
		switch {
		case wrong != nil || t == 0:
			return 0, nil, fmt.Errorf("--at %s: want a position such as 40, or a time above 0 such as 2.5s", s)
		case when != 0:
			return 0, nil, fmt.Errorf("--at %s: a time is given already, %s", s, scenarios.FormatTime(when))
		}
		when = t
	}
	return when, position, nil
}

// parseSpan reads J..K, both positions.
func parseSpan(flag, s string) (first, last protocols.Index, err error) {
	from, to, two := strings.Cut(s, "..")
	a, wrong := strconv.ParseUint(from, 10, 62)
	b, bad := strconv.ParseUint(to, 10, 62)
	switch {
	case !two || wrong != nil || bad != nil:
		return 0, 0, fmt.Errorf("--%s %s: want two positions such as 12..40", flag, s)
	case b < a:
		return 0, 0, fmt.Errorf("--%s %s: the range ends before it begins; did you mean %d..%d?", flag, s, b, a)
	}
	return protocols.Index(a), protocols.Index(b), nil
}

// view picks what the flags ask for.
func (f *logFlags) view(x *scenarios.Examination, position *protocols.Index) (*reports.LogView, error) {
	v := &reports.LogView{Of: x, Node: x.FirstLive()}
	var err error
	if f.node != "" {
		if v.Node, err = x.Node(f.node); err != nil {
			return nil, fmt.Errorf("--node: %w", err)
		}
	}
	n := v.Node
	if position != nil {
		if v.Table, err = n.Table(*position); err != nil {
			return nil, fmt.Errorf("--at: %w", err)
		}
	}
	if f.changelog != "" {
		c := &reports.Changelog{}
		if c.From, c.To, err = parseSpan("changelog", f.changelog); err != nil {
			return nil, err
		}
		if c.Steps, err = n.Changelog(c.From, c.To); err != nil {
			return nil, fmt.Errorf("--changelog: %w", err)
		}
		v.Changelog = c
	}
	if f.diff != "" {
		if v.Parting, err = parting(x, f.diff); err != nil {
			return nil, err
		}
	}
	v.Rows = f.positions != "" || v.Table == nil && v.Changelog == nil && v.Parting == nil
	return v, f.rows(v)
}

// rows picks the positions to show.
func (f *logFlags) rows(v *reports.LogView) error {
	n := v.Node
	v.First, v.Last = n.First, n.Last
	if f.positions == "" {
		if n.Last >= n.First+tail {
			v.First = n.Last - tail + 1
		}
		return nil
	}
	var err error
	if v.First, v.Last, err = parseSpan("positions", f.positions); err != nil {
		return err
	}
	for _, at := range []protocols.Index{v.First, v.Last} {
		if _, err := n.Entry(at); err != nil {
			return fmt.Errorf("--positions: %w", err)
		}
	}
	return nil
}

// parting compares the logs of the two replicas that --diff names.
func parting(x *scenarios.Examination, pair string) (*reports.Parting, error) {
	left, right, two := strings.Cut(pair, ",")
	if !two || left == right {
		return nil, fmt.Errorf("--diff %s: want two different replicas such as n1,n3", pair)
	}
	a, err := x.Node(left)
	if err != nil {
		return nil, fmt.Errorf("--diff: %w", err)
	}
	b, err := x.Node(right)
	if err != nil {
		return nil, fmt.Errorf("--diff: %w", err)
	}
	return &reports.Parting{A: a, B: b, Parting: scenarios.Part(a, b)}, nil
}

func exactlyOneScenario(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want one scenario, got %d arguments\nSee: %s --help", len(args), cmd.CommandPath())
	}
	return nil
}
