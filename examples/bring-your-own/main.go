// Command mine is the whole lockstep command line with one more protocol in it.
package main

import (
	"os"

	"github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
	"github.com/lockstep-sim/lockstep/protocols"

	"example.com/bring-your-own/fixedleader"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, []*protocols.Protocol{fixedleader.Protocol()}))
}
