package generate_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/generate"
)

// A thousand operations that are linearizable, and the same with one stale read.
func ExampleNew() {
	for _, stale := range []int{0, 500} {
		h := generate.New(generate.Config{Machine: "register", Seed: 1, N: 1000, Clients: 4, Stale: stale})
		report := checker.Linearizable(h.Operations, checker.Options{Machine: "register"})
		fmt.Println(len(h.Operations), "operations:", report.Verdict)
	}
	// Output:
	// 1000 operations: ok
	// 1000 operations: violation
}
