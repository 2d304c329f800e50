// Command yourprotocol is the whole lockstep command line with one more protocol in it.
package main

import (
	"example.com/yourprotocol/register"
	"github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
)

func main() { cli.Exit(register.Protocol()) }
