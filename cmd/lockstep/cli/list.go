package cli

import (
	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/reports"
)

func (a *app) listCommand() *cobra.Command {
	list := &cobra.Command{
		Use:   "list WHAT",
		Short: "List scenarios, protocols, checks, faults, known bugs and words",
		Example: `  lockstep list scenarios
  lockstep list protocols
  lockstep list bugs`,
		Args: a.group,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	for _, l := range reports.Lists {
		list.AddCommand(&cobra.Command{
			Use:     l.Name,
			Short:   l.Short,
			Example: "  lockstep list " + l.Name,
			Args:    noArguments,
			RunE: func(*cobra.Command, []string) error {
				if err := l.Write(a.stdout, a.protocols, a.paint()); err != nil {
					return internal(err)
				}
				return nil
			},
		})
	}
	return list
}
