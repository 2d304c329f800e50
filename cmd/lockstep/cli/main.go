// Package cli is the lockstep command line: commands, flags, exit codes and the
// terminal, and nothing else. What a command does is in package scenarios, how it
// reads in package reports.
//
// [Main] takes the list of protocols, so that another program gets the whole
// command line with its own protocols in it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/checker/histories"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// Main runs the command that args (without the program's name) ask for and
// returns its exit code: 0 all expectations met, 1 violation, 2 usage error or
// bad scenario, 3 inconclusive, 4 expectation missed, 5 replay not identical, 70
// internal error, 130 interrupted; the worst wins in the order 130, 70, 2, 5, 1,
// 3, 4, 0.
//
// Results go to stdout and depend on nothing but the arguments and the files they
// name; errors, progress and timings go to stderr. Colours and a progress bar
// appear only where stdout or stderr is a terminal. The first interrupt stops
// between runs and keeps what is finished, the second ends the process.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, list []*protocols.Protocol) int {
	return execute("lockstep", args, stdin, stdout, stderr, list)
}

// execute is Main of a program of any name.
func execute(program string, args []string, stdin io.Reader, stdout, stderr io.Writer, list []*protocols.Protocol) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // from the second interrupt on the system's own handling counts
	a := &app{stdin: stdin, stdout: &reports.StickyWriter{W: stdout}, stderr: stderr, protocols: list, program: program}
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(stderr, "lockstep: internal error: %s\n%s\nThis is a bug of lockstep. Please report it with the command: %s %s\n",
				reports.CleanLines(fmt.Sprint(p)), debug.Stack(), a.program, reports.Clean(strings.Join(args, " ")))
			code = scenarios.CodeInternal
		}
	}()
	for _, p := range list {
		if err := p.Check(); err != nil {
			return a.finish(err)
		}
	}
	root := a.root()
	root.SetArgs(args)
	return a.finish(root.ExecuteContext(ctx))
}

// Exit is all of a program that has every command, with its own protocols in it: it
// runs [Main] with the process's arguments and streams, and ends the process. Help and
// the lines that repeat a failure call the program by its own name.
func Exit(list ...*protocols.Protocol) {
	info, _ := debug.ReadBuildInfo()
	os.Exit(execute(programOf(os.Args[0], info), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, list))
}

// app is one invocation.
type app struct {
	stdin     io.Reader
	stdout    *reports.StickyWriter
	stderr    io.Writer
	protocols []*protocols.Protocol
	program   string // what a user types to run it
	code      int    // of the results, apart from errors
}

// finish prints err and returns the exit code.
func (a *app) finish(err error) int {
	code := a.code
	if err != nil {
		own := scenarios.CodeUsage
		var failed *failure
		if errors.As(err, &failed) {
			own = failed.code
		}
		prefix := "lockstep: "
		_, scenario := errors.AsType[scenarios.Problems](err)
		if _, history := errors.AsType[*histories.Error](err); scenario || history {
			prefix = "" // they begin with file:line:column, where editors look for it
		}
		fmt.Fprintln(a.stderr, prefix+a.hints(reports.CleanLines(err.Error())))
		code = scenarios.Worst(code, own)
	}
	if a.stdout.Err != nil && !errors.Is(err, a.stdout.Err) {
		fmt.Fprintf(a.stderr, "lockstep: writing to standard output: %v\n", a.stdout.Err)
		code = scenarios.Worst(code, scenarios.CodeInternal)
	}
	return code
}

// failure is an error with an exit code of its own. Errors without one are usage
// errors: most come from flags, arguments and scenario files.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func internal(err error) error { return &failure{scenarios.CodeInternal, err} }

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:         path.Base(a.program),
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: a.program},
		Short:       "Put replicated logs on trial",
		Long: `lockstep runs replicated logs (` + strings.Join(a.protocolNames(), ", ") + `) in a simulated world of machines, disks,
clocks and networks that fail, and judges every run by the protocol's
invariants and by whether its clients saw a linearizable history.

Equal scenario, protocol and seed give the equal run, byte for byte, on any
machine. Every failure ends with the one command that repeats it.

Exit codes: 0 all expectations met, 1 violation, 2 usage error or bad scenario,
3 inconclusive, 4 an expectation missed, 5 replay not identical, 70 internal
error or output that cannot be written, 130 interrupted.`,
		Example: `  lockstep run leader-cut-off
  lockstep run scenarios/library --seeds 1..200
  lockstep list scenarios
  lockstep init my-scenario`,
		Version:                    versionLine(),
		Args:                       a.group,
		PersistentPreRunE:          refuseFlags,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpCommand(a.helpCommand(root))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.runCommand(), a.fuzzCommand(), a.compareCommand(), a.reproduceCommand(), a.logCommand(), a.checkCommand(), a.traceCommand(), a.shrinkCommand(), a.replayCommand(), a.validateCommand(), a.listCommand(), a.explainCommand(),
		a.initCommand(), a.schemaCommand(), a.versionCommand(), a.completionCommand())
	a.rename(root)
	return root
}

// helpCommand is lockstep help COMMAND.
func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || cmd == nil {
				return a.group(root, args)
			}
			if len(rest) > 0 {
				return a.group(cmd, rest)
			}
			return cmd.Help()
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, c := range root.Commands() {
				names = append(names, c.Name())
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// group is the Args of a command that only has subcommands: it names the one that
// was meant.
func (a *app) group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
		hint = fmt.Sprintf("; did you mean %q?", meant[0])
	}
	return fmt.Errorf("unknown command %q for %q%s\nSee: %s --help", args[0], cmd.CommandPath(), hint, cmd.CommandPath())
}

func (a *app) protocolNames() []string {
	names := make([]string, len(a.protocols))
	for i, p := range a.protocols {
		names[i] = p.Name
	}
	return names
}
