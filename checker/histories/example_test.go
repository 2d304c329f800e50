package histories_test

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/histories"
)

// A history of another tool, as Jepsen writes it: process 1 reads 1 after 2 was
// written.
func ExampleRead() {
	const file = `
{:index 0, :type :invoke, :process 0, :f :write, :value 1}
{:index 1, :type :ok,     :process 0, :f :write, :value 1}
{:index 2, :type :invoke, :process 0, :f :write, :value 2}
{:index 3, :type :ok,     :process 0, :f :write, :value 2}
{:index 4, :type :invoke, :process 1, :f :read,  :value nil}
{:index 5, :type :ok,     :process 1, :f :read,  :value 1}
`
	h, err := histories.Read(strings.NewReader(file), "history.edn", "register", histories.Detect)
	if err != nil {
		fmt.Println(err)
		return
	}
	report := checker.Linearizable(h.Operations, h.Options())
	fmt.Println(len(h.Operations), "operations:", report.Verdict)
	fmt.Println(report.Counterexample.Text)
	// Output:
	// 3 operations: violation
	// p0 write 1 -> ok [1, 2] had returned before p0 write 2 -> ok [3, 4] was called, and that before p1 read -> 1 [5, 6]; by the values seen nothing can come between the first and the last of these
}
