package histories_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/histories"
)

// TestWrittenForm: every model is written as the checkers that it is for take it, and
// read back as it was. Knossos' cas-register has :read, :write and :cas [old new], where
// a refused cas is a :fail; its fifo-queue has no dequeue of nothing; Jepsen's counter
// has :add and :read; and Elle's list-append has transactions.
func TestWrittenForm(t *testing.T) {
	for _, c := range []struct{ model, json, want string }{
		{"cas-register", `{"client":1,"op":"write","arg":"x","call":1,"return":2}
{"client":1,"op":"cas","old":"y","arg":"z","swapped":false,"value":"x","call":3,"return":4}
{"client":2,"op":"read","value":"x","call":5,"return":6}
{"client":2,"op":"write","arg":7,"call":7,"return":null}`,
			`{:index 0, :time 0, :type :invoke, :process 0, :f :write, :value "x"}
{:index 1, :time 0, :type :ok, :process 0, :f :write, :value "x"}
{:index 2, :time 0, :type :invoke, :process 0, :f :cas, :value ["y" "z"]}
{:index 3, :time 0, :type :fail, :process 0, :f :cas, :value ["y" "z"]}
{:index 4, :time 0, :type :invoke, :process 1, :f :read, :value nil}
{:index 5, :time 0, :type :ok, :process 1, :f :read, :value "x"}
{:index 6, :time 0, :type :invoke, :process 1, :f :write, :value 7}
{:index 7, :time 0, :type :info, :process 1, :f :write, :value 7}
`},
		{"queue", `{"client":1,"op":"enqueue","arg":5,"call":1,"return":2}
{"client":2,"op":"dequeue","value":5,"call":3,"return":4}
{"client":2,"op":"dequeue","value":null,"call":5,"return":6}`,
			`{:index 0, :time 0, :type :invoke, :process 0, :f :enqueue, :value 5}
{:index 1, :time 0, :type :ok, :process 0, :f :enqueue, :value 5}
{:index 2, :time 0, :type :invoke, :process 1, :f :dequeue, :value nil}
{:index 3, :time 0, :type :ok, :process 1, :f :dequeue, :value 5}
{:index 4, :time 0, :type :invoke, :process 1, :f :dequeue, :value nil}
{:index 5, :time 0, :type :fail, :process 1, :f :dequeue, :value nil, :saw nil}
`},
		{"counter", `{"client":1,"op":"add","arg":3,"call":1,"return":2,"began_ns":10,"ended_ns":20}
{"client":1,"op":"read","value":3,"call":3,"return":4,"began_ns":30,"ended_ns":40}`,
			`{:index 0, :time 10, :type :invoke, :process 0, :f :add, :value 3}
{:index 1, :time 20, :type :ok, :process 0, :f :add, :value 3}
{:index 2, :time 30, :type :invoke, :process 0, :f :read, :value nil}
{:index 3, :time 40, :type :ok, :process 0, :f :read, :value 3}
`},
		{"log", `{"client":1,"op":"append","arg":3,"call":1,"return":2}
{"client":2,"op":"read","list":[3],"call":3,"return":4}`,
			`{:index 0, :time 0, :type :invoke, :process 0, :f :txn, :value [[:append 0 3]]}
{:index 1, :time 0, :type :ok, :process 0, :f :txn, :value [[:append 0 3]]}
{:index 2, :time 0, :type :invoke, :process 1, :f :txn, :value [[:r 0 nil]]}
{:index 3, :time 0, :type :ok, :process 1, :f :txn, :value [[:r 0 [3]]]}
`},
		{"kv", `{"client":1,"op":"put","key":"a","arg":3,"call":1,"return":2}
{"client":2,"op":"get","key":"b","value":null,"call":3,"return":4}`,
			`{:index 0, :time 0, :type :invoke, :process 0, :f :write, :value ["a" 3]}
{:index 1, :time 0, :type :ok, :process 0, :f :write, :value ["a" 3]}
{:index 2, :time 0, :type :invoke, :process 1, :f :read, :value ["b" nil]}
{:index 3, :time 0, :type :ok, :process 1, :f :read, :value ["b" nil]}
`},
	} {
		h := read(t, c.model, c.json)
		var out bytes.Buffer
		if err := histories.WriteEDN(&out, h); err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(out.String(), `, :saw "x"`, ""); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.model, out.String(), c.want)
		}
		again := read(t, c.model, out.String())
		if len(again.Operations) != len(h.Operations) || verdict(again) != checker.OK {
			t.Errorf("%s: read back as %d operations, %v", c.model, len(again.Operations), verdict(again))
		}
	}
}
