package cli

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// maxRuns bounds the runs of one command, maxWorkers the value of -j. Both are
// far beyond use; what exceeds them is a slip of the finger.
const (
	maxRuns    = 10_000_000
	maxWorkers = 1024
)

// flagError adds the flag that was meant, and where to read on.
func flagError(cmd *cobra.Command, err error) error {
	text := err.Error()
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		text += scenarios.DidYouMean("--"+unknown.GetSpecifiedName(), names)
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok && bad.GetFlag() != nil {
		switch bad.GetFlag().Value.Type() {
		case "int", "int64": // the reason is the library's
			text = fmt.Sprintf("--%s %s: want a whole number that fits into %d bits", bad.GetFlag().Name, bad.GetValue(), strconv.IntSize)
		case "duration":
			text = fmt.Sprintf("--%s %s: want a time such as 10m or 1h30m", bad.GetFlag().Name, bad.GetValue())
		}
	}
	return fmt.Errorf("%s\nSee: %s --help", text, cmd.CommandPath())
}

// exclusive is where cobra notes the groups of flags of which one may be given.
const exclusive = "cobra_annotation_mutually_exclusive"

// refuseFlags refuses a flag that is given without a value, and flags that cannot be
// given together.
func refuseFlags(cmd *cobra.Command, _ []string) (err error) {
	first := map[string]string{} // flag by group; looked up, never ranged over
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if text := f.Value.String(); err == nil && (f.Value.Type() == "string" && text == "" || f.Value.Type() == "stringSlice" && text == "[]") {
			err = fmt.Errorf("--%s: want a value, got nothing\nSee: %s --help", f.Name, cmd.CommandPath())
		}
		for _, group := range f.Annotations[exclusive] {
			if other, two := first[group]; two && err == nil {
				err = fmt.Errorf("--%s and --%s cannot be given together\nSee: %s --help", other, f.Name, cmd.CommandPath())
			}
			first[group] = f.Name
		}
	})
	return err
}

// atMostOne is the Args of a command that wants one name or none.
func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%s takes one name, got %d\nSee: %s --help", cmd.CommandPath(), len(args), cmd.CommandPath())
	}
	return nil
}

// atLeastOne is the Args of a command that wants files, folders or names.
func atLeastOne(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("want a scenario: a file, a folder, or a name from lockstep list scenarios\nSee: %s --help", cmd.CommandPath())
	}
	return nil
}

// noArguments refuses every argument.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no argument, got %q\nSee: %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return nil
}

// seeds is a range of seeds, both ends included.
type seeds struct{ first, last uint64 }

// count is at most maxRuns.
func (s seeds) count() int { return int(s.last-s.first) + 1 }

// oneSeed is the value of --seed. Every whole number of 64 bits is a seed, 0 as
// well.
type oneSeed struct{ to *seeds }

func (v oneSeed) String() string { return "" }
func (v oneSeed) Type() string   { return "N" }
func (v oneSeed) Set(s string) error {
	n, err := parseSeed(s)
	*v.to = seeds{n, n}
	return err
}

// seedRange is the value of --seeds.
type seedRange struct{ to *seeds }

func (v seedRange) String() string { return "" }
func (v seedRange) Type() string   { return "A..B" }
func (v seedRange) Set(s string) error {
	from, to, two := strings.Cut(s, "..")
	if !two {
		return errors.New("want a range such as 1..200 (for one seed use --seed)")
	}
	first, err := parseSeed(from)
	if err != nil {
		return err
	}
	last, err := parseSeed(to)
	switch {
	case err != nil:
		return err
	case last < first:
		return fmt.Errorf("the range ends before it begins; did you mean %d..%d?", last, first)
	case last-first >= maxRuns:
		return fmt.Errorf("want at most %d seeds in one command", maxRuns)
	}
	*v.to = seeds{first, last}
	return nil
}

func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("seed %q: want a whole number from 0 to %d", s, uint64(math.MaxUint64))
	}
	return n, nil
}

// workers is the value of -j.
type workers struct{ n int }

func newWorkers() *workers { return &workers{min(runtime.GOMAXPROCS(0), maxWorkers)} }

func (w *workers) String() string { return "" }
func (w *workers) Type() string   { return "N" }
func (w *workers) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxWorkers {
		return fmt.Errorf("want a number of workers from 1 to %d", maxWorkers)
	}
	w.n = n
	return nil
}

// addProtocolFlag adds --protocol, with completion.
func (a *app) addProtocolFlag(cmd *cobra.Command, names *[]string) {
	cmd.Flags().StringSliceVar(names, "protocol", nil, "protocols `a,b` to run (default: all that the scenario is for)")
	must(cmd.RegisterFlagCompletionFunc("protocol", cobra.FixedCompletions(a.protocolNames(), cobra.ShellCompDirectiveNoFileComp)))
}

// assignments is the value of --set, which may be given several times.
type assignments struct{ list []scenarios.Assignment }

func (v *assignments) String() string { return "" }
func (v *assignments) Type() string   { return "KEY=VALUE" }
func (v *assignments) Set(s string) error {
	a, err := scenarios.ParseAssignment(s)
	v.list = append(v.list, a)
	return err
}

// addSetFlag adds --set.
func addSetFlag(cmd *cobra.Command, to *assignments) {
	cmd.Flags().Var(to, "set", "another value for a key of the file, read as in the file: network.loss=5%; may be repeated")
}

// pick returns the protocols of the given names, in that order; all for none.
func (a *app) pick(names []string) ([]*protocols.Protocol, error) {
	if len(names) == 0 {
		return a.protocols, nil
	}
	var picked []*protocols.Protocol
	for _, name := range names {
		p := a.protocol(name)
		if p == nil {
			hint := scenarios.DidYouMean(name, a.protocolNames())
			if hint == "" {
				hint = "; want one of " + strings.Join(a.protocolNames(), ", ")
			}
			return nil, fmt.Errorf("unknown protocol %q%s (lockstep list protocols)", name, hint)
		}
		for _, q := range picked {
			if p == q {
				return nil, fmt.Errorf("protocol %q is given twice", name)
			}
		}
		picked = append(picked, p)
	}
	return picked, nil
}

func (a *app) protocol(name string) *protocols.Protocol {
	for _, p := range a.protocols {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// must panics on an error that only a slip in this package can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
