package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain WORD",
		Short: "Say what a word means: a fault, check, key, target, event, metric, bug or protocol",
		Long: `Say what a word means that scenarios and reports use: a kind of fault, a check, a
key of the scenario file with its default, a target, an event, a metric, a verdict,
the id of a known bug, a step of a script, an operation, a matrix of regions, a CPU
preset, a shipped scenario, a protocol, and a protocol's parameters, messages, roles
and timers. Everything comes from the tables that read scenario files. Several things
may have one name; all are told.

Of a protocol it says the paper, what is in and out, the parameters, the fault model,
the known bugs, and the laws: what an operation costs in delays, fsyncs and messages,
by the same table that the tests measure.`,
		Example: `  lockstep explain raft
  lockstep explain partition
  lockstep explain successor
  lockstep explain network.loss
  lockstep explain R-01
  lockstep explain parameters.raft.pre_vote`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("want a word to explain; lockstep list names what there is\nSee: %s --help", cmd.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, t := range scenarios.Topics(a.protocols) {
				names = append(names, t.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if p := a.protocol(strings.Join(args, " ")); p != nil {
				if err := reports.WriteProtocol(a.stdout, p, a.paint()); err != nil {
					return internal(err)
				}
				return nil
			}
			topics, err := scenarios.Explain(strings.Join(args, " "), a.protocols)
			if err != nil {
				return err
			}
			for i := range topics {
				topics[i].Example = a.named(topics[i].Example)
				for j := range topics[i].Details {
					topics[i].Details[j] = a.named(topics[i].Details[j])
				}
			}
			if err := reports.WriteTopics(a.stdout, topics, a.paint()); err != nil {
				return internal(err)
			}
			return nil
		},
	}
}
