package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/diagram"
)

// traceFlags are the flags of trace.
type traceFlags struct {
	oneRun
	format   string
	nodes    []string
	from, to string
	grep     string
}

func (a *app) traceCommand() *cobra.Command {
	f := traceFlags{oneRun: newOneRun()}
	var names []string
	var docs strings.Builder
	for _, format := range diagram.Formats() {
		names = append(names, format.Name)
		fmt.Fprintf(&docs, "  %-9s %s\n", format.Name, format.Doc)
	}
	cmd := &cobra.Command{
		Use:   "trace FILE|NAME",
		Short: "Write everything that happened in one run",
		Long: `Run a scenario again and write what happened, line by line: messages, requests,
answers, timers, fsyncs, milestones, faults and violations. Every line names its
event and the event that caused it.

` + docs.String() + `
--node, --from, --to and --grep leave lines out; what is left keeps its events'
numbers and the order of the whole run.`,
		Example: `  lockstep trace leader-crash --seed 3 --from 2s --to 2.2s
  lockstep trace leader-crash --seed 3 --node n1,c2 --grep 'leader|AppendEntries'
  lockstep trace leader-crash --format perfetto > trace.json
  lockstep trace leader-crash --format jsonl | jq -r 'select(.kind == "note").text'`,
		Args:              exactlyOneScenario,
		ValidArgsFunction: a.completeScenarios,
		RunE:              func(_ *cobra.Command, args []string) error { return a.trace(args[0], f) },
	}
	a.addOneRunFlags(cmd, &f.oneRun)
	cmd.Flags().StringVar(&f.format, "format", "text", "`FORMAT`: "+strings.Join(names, ", "))
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)))
	cmd.Flags().StringSliceVar(&f.nodes, "node", nil, "nodes and clients `n1,c2` whose lines to write, with what others send them")
	cmd.Flags().StringVar(&f.from, "from", "", "`TIME` of the first line: 1.5s")
	cmd.Flags().StringVar(&f.to, "to", "", "`TIME` of the last line")
	cmd.Flags().StringVar(&f.grep, "grep", "", "regular expression `RE` that a line's text must match")
	return cmd
}

// oneRun says which run a command looks at.
type oneRun struct {
	protocol string
	seeds    seeds
	set      *assignments
}

func newOneRun() oneRun { return oneRun{seeds: seeds{1, 1}, set: &assignments{}} }

// addOneRunFlags adds the flags of commands that look at one run.
func (a *app) addOneRunFlags(cmd *cobra.Command, r *oneRun) {
	cmd.Flags().StringVar(&r.protocol, "protocol", "", "protocol `p` to run (default: the first that the scenario is for)")
	must(cmd.RegisterFlagCompletionFunc("protocol", cobra.FixedCompletions(a.protocolNames(), cobra.ShellCompDirectiveNoFileComp)))
	addSetFlag(cmd, r.set)
	cmd.Flags().Var(oneSeed{&r.seeds}, "seed", "the seed, a whole number (default 1)")
}

// one reads the one scenario that a command is about, and picks its protocol.
func (a *app) one(file string, r oneRun) (*scenarios.Scenario, *protocols.Protocol, error) {
	list, err := a.resolve([]string{file}, r.set.list...)
	if err != nil {
		return nil, nil, err
	}
	if len(list) != 1 {
		return nil, nil, fmt.Errorf("%s holds %d scenarios, want one", file, len(list))
	}
	p, err := a.pickFor(list[0], r.protocol)
	return list[0], p, err
}

// record runs one scenario with everything kept.
func (a *app) record(sc *scenarios.Scenario, p *protocols.Protocol, seed uint64) (*scenarios.Recording, error) {
	rec := scenarios.Record(sc, p, seed)
	rec.Result.Replay = scenarios.Replay(a.program, sc, p, seed)
	if rec.Result.Err != nil && len(rec.Result.Play) == 0 {
		return nil, rec.Result.Err
	}
	return rec, nil
}

func (a *app) trace(file string, f traceFlags) error {
	sc, p, err := a.one(file, f.oneRun)
	if err != nil {
		return err
	}
	rec, err := a.record(sc, p, f.seeds.first)
	if err != nil {
		return err
	}
	filter, err := f.filter(rec.World.Cluster(), sc)
	if err != nil {
		return err
	}
	if err := diagram.Export(a.stdout, drawn(rec), f.format, rec.Result.Replay, filter); err != nil {
		if a.stdout.Err != nil {
			return internal(err)
		}
		return fmt.Errorf("--format %s: %w", f.format, err)
	}
	return nil
}

// drawn is a recording as package diagram wants it.
func drawn(rec *scenarios.Recording) diagram.Run {
	run := diagram.Of(rec.World)
	for i := range rec.Seen {
		s := &rec.Seen[i]
		state := diagram.State{From: s.Time, Node: s.Node}
		if s.Up {
			state.Text = rec.World.RoleText(&s.View)
		}
		if rec.SameRole(i) {
			continue
		}
		run.States = append(run.States, state)
	}
	return run
}

// filter reads the flags that leave lines out.
func (f *traceFlags) filter(c protocols.Cluster, sc *scenarios.Scenario) (diagram.Filter, error) {
	var filter diagram.Filter
	var err error
	for _, name := range f.nodes {
		id, ok := nodeNamed(c, sc, name)
		if !ok {
			return filter, fmt.Errorf("--node %s: no such node or client; want n1..n%d, or c1..c%d", name, c.Replicas, sc.Workload.Clients)
		}
		filter.Nodes = append(filter.Nodes, id)
	}
	for _, t := range []struct {
		flag, text string
		to         *protocols.Time
	}{{"from", f.from, &filter.From}, {"to", f.to, &filter.To}} {
		if t.text == "" {
			continue
		}
		if *t.to, err = scenarios.ParseTime(t.text); err != nil {
			return filter, fmt.Errorf("--%s %s: want a time such as 1.5s", t.flag, t.text)
		}
	}
	if filter.To > 0 && filter.To < filter.From {
		return filter, errors.New("--to is before --from")
	}
	if f.grep != "" {
		if filter.Grep, err = regexp.Compile(f.grep); err != nil {
			return filter, fmt.Errorf("--grep: %w", err)
		}
	}
	return filter, nil
}

// nodeNamed finds a replica, service or client by its name.
func nodeNamed(c protocols.Cluster, sc *scenarios.Scenario, name string) (protocols.NodeID, bool) {
	for id := -sc.Workload.Clients - sc.Workload.Subscribers; id <= c.Nodes(); id++ {
		if id != 0 && c.Name(protocols.NodeID(id)) == name {
			return protocols.NodeID(id), true
		}
	}
	return protocols.Nobody, false
}
