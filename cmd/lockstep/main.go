// Command lockstep puts replicated logs on trial: it runs them in a simulated
// world of failing machines, disks, clocks and networks and judges every run.
package main

import (
	"github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
	"github.com/lockstep-sim/lockstep/protocols/all"
)

func main() { cli.Exit(all.List()...) }
