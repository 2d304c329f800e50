package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/histories"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// checkFlags are the flags of check.
type checkFlags struct {
	model, format, convert, html string
	json                         bool
	steps, megabytes             int64
}

func (a *app) checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check FILE... --model MODEL",
		Short: "Judge recorded histories, also those of other systems",
		Long: `Judge recorded histories, also those of other systems. A file holds JSON lines,
one operation per line as run --out writes them, or a Jepsen history in EDN, one
map per line or one vector of maps, or the log that Jepsen prints. - is standard
input. docs/checking.md has the fields.

Models: ` + strings.Join(histories.Models, ", ") + `. Values [k v] of EDN and the field key of
JSON lines name independent keys; kv has them always.

Exit codes are those of run: 0 linearizable, 1 violation, 2 usage error or
malformed file (with file:line:column), 3 not decided within the budget, or
nothing to judge. A file without an operation is not decided.

Where a history is not linearizable, the report names what is wrong with it, shows
the fewest operations that cannot be put into one order, and says which weaker
guarantees hold.

--html OUT writes a page with porcupine's picture of those operations. --convert
edn prints the history as a Jepsen history, for Elle and Knossos, instead of
judging it.`,
		Example: `  lockstep check history.edn --model cas-register
  lockstep check lockstep-out/leader-crash/raft/seed-1/history.jsonl --model kv
  gunzip -c history.edn.gz | lockstep check - --model log --json
  lockstep check history.jsonl --model kv --convert edn > history.edn`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("want a history: a file, or - for standard input\nSee: %s --help", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("steps") && f.steps < 1 || cmd.Flags().Changed("memory") && f.megabytes < 1 || f.megabytes > 1<<20 {
				return errors.New("want a budget of 1 step and 1 MiB or more, and at most 1048576 MiB")
			}
			return a.check(cmd.Context(), args, f)
		},
	}
	cmd.Flags().StringVar(&f.model, "model", "", "the `MODEL` to judge by: "+strings.Join(histories.Models, ", ")+" (required)")
	cmd.Flags().StringVar(&f.format, "format", "", "the `FORMAT` of the files: json, edn or log (default: seen from their beginning)")
	cmd.Flags().StringVar(&f.convert, "convert", "", "print the history in another `FORMAT` instead of judging it: edn")
	cmd.Flags().StringVar(&f.html, "html", "", "write a page about the first violation to the file `OUT`")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object per file and line")
	cmd.Flags().Int64Var(&f.steps, "steps", 0, "budget of each search, in `N` steps (default 2000000)")
	cmd.Flags().Int64Var(&f.megabytes, "memory", 0, "budget of each search, in `MIB` of memory (default 256)")
	cmd.MarkFlagsMutuallyExclusive("convert", "json")
	cmd.MarkFlagsMutuallyExclusive("convert", "html")
	_ = cmd.RegisterFlagCompletionFunc("model", cobra.FixedCompletions(histories.Models, cobra.ShellCompDirectiveNoFileComp)) // fails for unknown flags only
	return cmd
}

// validate refuses flags that mean nothing.
func (f *checkFlags) validate() error {
	switch {
	case f.model == "":
		return errors.New("want --model: " + strings.Join(histories.Models, ", "))
	case !slices.Contains(histories.Models, f.model):
		return fmt.Errorf("model %q%s: want %s", f.model, scenarios.DidYouMean(f.model, histories.Models), strings.Join(histories.Models, ", "))
	case f.format != "" && f.format != string(histories.EDN) && f.format != string(histories.JSON) && f.format != string(histories.Log):
		return fmt.Errorf("format %q: want json, edn or log", f.format)
	case f.convert != "" && f.convert != string(histories.EDN):
		return fmt.Errorf("convert to %q: want edn", f.convert)
	}
	return nil
}

func (a *app) check(ctx context.Context, args []string, f checkFlags) error {
	if err := f.validate(); err != nil {
		return err
	}
	written := false // the page of --html
	for i, name := range args {
		if ctx.Err() != nil {
			return &failure{scenarios.CodeInterrupted, fmt.Errorf("interrupted after %d of %d histories", i, len(args))}
		}
		h, err := a.readHistory(name, f)
		if err != nil {
			return err
		}
		if f.convert != "" {
			if err := histories.WriteEDN(a.stdout, h); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		c := reports.CheckHistory(name, h, checker.Budget{Steps: f.steps, CacheBytes: f.megabytes << 20}, f.json)
		a.code = scenarios.Worst(a.code, c.Code())
		if err := a.emitChecked(c, f.json); err != nil {
			return internal(err)
		}
		if f.html != "" && !written && c.Verdict == checker.Violation {
			if err := a.writePage(f.html, c); err != nil {
				return internal(err)
			}
			written = true
		}
	}
	if f.html != "" && !written {
		fmt.Fprintf(a.stderr, "lockstep: no violation, so %s was not written\n", reports.Clean(f.html))
	}
	return nil
}

func (a *app) emitChecked(c *reports.CheckedHistory, json bool) error {
	if json {
		return c.WriteJSON(a.stdout)
	}
	return c.WriteText(a.stdout, a.paint())
}

// readHistory reads one history and says what was ignored in it.
func (a *app) readHistory(name string, f checkFlags) (*histories.History, error) {
	in, shown := a.stdin, "stdin"
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in, shown = file, name
	}
	h, err := histories.Read(in, shown, f.model, histories.Format(f.format))
	if err != nil {
		if _, ok := errors.AsType[*histories.Error](err); ok {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", shown, err)
	}
	for _, note := range h.Notes {
		fmt.Fprintf(a.stderr, "%s: %s\n", reports.Clean(shown), reports.Clean(note))
	}
	return h, nil
}

func (a *app) writePage(name string, c *reports.CheckedHistory) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := c.WriteHTML(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
