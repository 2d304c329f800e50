package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
)

func (a *app) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE|DIR|NAME...",
		Short: "Check scenarios without running them",
		Long: `Check scenarios without running them. Every error of every file is printed at
once, each with file:line:column, the line, and what was wanted.`,
		Example: `  lockstep validate my-scenario.yaml
  lockstep validate scenarios/`,
		Args:              atLeastOne,
		ValidArgsFunction: a.completeScenarios,
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := a.resolve(args)
			if err != nil {
				return err
			}
			for _, sc := range list {
				fmt.Fprintf(a.stdout, "%s: ok\n", reports.Clean(sc.Name))
			}
			return nil
		},
	}
}

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [NAME]",
		Short: "Write a commented scenario to start from",
		Long: `Write NAME.yaml into the current folder: a commented scenario that runs. NAME is
my-scenario without an argument. A file that exists is left alone.`,
		Example: `  lockstep init
  lockstep init slow-disk && lockstep run slow-disk.yaml`,
		Args: atMostOne,
		RunE: func(_ *cobra.Command, args []string) error {
			name := "my-scenario"
			if len(args) == 1 {
				name = args[0]
			}
			return a.writeTemplate(name)
		},
	}
}

func (a *app) writeTemplate(name string) error {
	if !scenarios.ValidName(name) {
		return fmt.Errorf("name %q: want 1 to 64 of a-z, 0-9, dot, dash and underscore, beginning with a letter or digit", name)
	}
	file := name + ".yaml"
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists and is left alone; give another name", file)
	}
	here, err := reports.OpenFolder(".")
	if err != nil {
		return err
	}
	defer here.Close()
	if err := here.WriteBytes(file, []byte(a.named(string(scenarios.Template(name))))); err != nil {
		return internal(err)
	}
	fmt.Fprintf(a.stdout, "wrote %s; run it with: %s run %s\n", file, a.program, file)
	return nil
}

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Long: `Print the JSON Schema of scenario files. Editors with a YAML language server use
it for completion and hints when a scenario begins with the line

  # yaml-language-server: $schema=./lockstep.schema.json`,
		Example: "  lockstep schema > lockstep.schema.json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if _, err := a.stdout.Write(scenarios.Schema(a.protocols)); err != nil {
				return internal(err)
			}
			return nil
		},
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  lockstep version",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintln(a.stdout, versionLine())
			return nil
		},
	}
}

func versionLine() string {
	return fmt.Sprintf("lockstep %s %s %s/%s", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// buildVersion is the module's version, or the commit that was built.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version, revision, modified := info.Main.Version, "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+changes"
		}
	}
	switch {
	case version != "" && version != "(devel)":
		return version
	case revision != "":
		return revision[:min(12, len(revision))] + modified
	}
	return "devel"
}

func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Example: `  source <(lockstep completion bash)
  lockstep completion zsh > "${fpath[1]}/_lockstep"
  lockstep completion fish > ~/.config/fish/completions/lockstep.fish`,
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("want one shell: bash, zsh, fish or powershell")
			}
			var err error
			switch root := cmd.Root(); args[0] {
			case "bash":
				err = root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				err = root.GenZshCompletion(a.stdout)
			case "fish":
				err = root.GenFishCompletion(a.stdout, true)
			case "powershell":
				err = root.GenPowerShellCompletionWithDesc(a.stdout)
			default:
				return fmt.Errorf("unknown shell %q%s; want bash, zsh, fish or powershell", args[0], scenarios.DidYouMean(args[0], shells))
			}
			if err != nil {
				return internal(err)
			}
			return nil
		},
	}
}
