package checker_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
)

// Two writes return one after the other; then a client still reads the first
// value.
func ExampleLinearizable() {
	put := func(value int64, saw protocols.Value, call, ret int64) protocols.Operation {
		return protocols.Operation{Outcome: protocols.Done, Value: saw, Call: call, Return: ret,
			Command: protocols.Command{Client: -1, Kind: protocols.Write, Op: protocols.Put, Key: 1, Arg: value}}
	}
	get := protocols.Operation{Outcome: protocols.Done, Value: 3, Call: 5, Return: 6,
		Command: protocols.Command{Client: -2, Kind: protocols.Read, Op: protocols.Get, Key: 1}}

	report := checker.Linearizable([]protocols.Operation{put(3, 0, 1, 2), put(4, 3, 3, 4), get}, checker.Options{Machine: "kv"})
	fmt.Println(report.Verdict, "by", report.Parts[0].DecidedBy)
	fmt.Println(report.Counterexample.Text)
	// Output:
	// violation by zones
	// c1 put k1 4 -> saw 3 [3, 4] had returned before c2 get k1 -> 3 [5, 6] was called, although by the values seen it comes after that
}
