package cli_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
)

// The command line is a function of its arguments, its streams and the protocols
// that it is given.
func ExampleMain() {
	code := cli.Main([]string{"validate", "leader-crash"}, strings.NewReader(""), os.Stdout, os.Stderr, []*protocols.Protocol{raft.Protocol()})
	fmt.Println("exit code", code)
	// Output:
	// leader-crash: ok
	// exit code 0
}
