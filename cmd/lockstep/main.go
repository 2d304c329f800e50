// Command lockstep puts replicated logs on trial: it runs them in a simulated
// world of failing machines, disks, clocks and networks and judges every run.
package main

import (
	"os"

	"github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
	"github.com/lockstep-sim/lockstep/protocols/all"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, all.List()))
}
