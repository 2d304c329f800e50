package cli

import (
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// own is the package of lockstep itself.
const own = "github.com/lockstep-sim/lockstep/cmd/lockstep"

// programOf is what a user types to run this program: the name of its file, or
// go run and the package where go run has built it. Whatever the file of lockstep itself
// is called, it is lockstep, so that its output is the same everywhere.
func programOf(file string, info *debug.BuildInfo) string {
	if info != nil && info.Path == own {
		return "lockstep"
	}
	name := strings.TrimSuffix(filepath.Base(file), ".exe")
	built := strings.Contains(filepath.ToSlash(file), "/go-build")
	if built && info != nil && strings.Contains(info.Path, "/") {
		return "go run " + info.Path
	}
	return name
}

// rename lets the examples of a command and of those below call the program by its name.
func (a *app) rename(cmd *cobra.Command) {
	cmd.Example = a.named(cmd.Example)
	for _, c := range cmd.Commands() {
		a.rename(c)
	}
}

// named puts the program's name into the commands of a text.
func (a *app) named(commands string) string {
	return strings.ReplaceAll(commands, "lockstep ", a.program+" ")
}

// hints puts the program's name where an error says which command knows more.
func (a *app) hints(text string) string {
	return strings.ReplaceAll(text, "lockstep list ", a.program+" list ")
}
