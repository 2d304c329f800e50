package histories_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/checker/histories"
	"github.com/lockstep-sim/lockstep/protocols"
)

var million = flag.String("histories.million", "", "write histories of a million operations to this folder, for measurements")

// correct makes a history that is linearizable, of any model.
func correct(model string, n int) []protocols.Operation {
	switch model {
	case "cas-register":
		return generate.New(generate.Config{Machine: "register", Seed: 1, N: n, Clients: 16, Unknown: 1, Mix: generate.Mix{Read: 2, Put: 2, CAS: 1}}).Operations
	case "kv":
		return generate.New(generate.Config{Machine: "kv", Keys: 100, Seed: 1, N: n, Clients: 64, Unknown: 5, Mix: generate.Mix{Read: 2, Put: 2, CAS: 1}}).Operations
	case "counter":
		return generate.New(generate.Config{Machine: "counter", Seed: 1, N: n, Clients: 16, Mix: generate.Mix{Read: 1, Increment: 1}}).Operations
	case "queue":
		return correctQueue(n)
	}
	return generate.New(generate.Config{Machine: model, Seed: 1, N: n, Clients: 64, Unknown: 5}).Operations
}

// correctQueue has 16 clients whose operations overlap, and take effect in the order of
// the history. One in three dequeues, and the queue is emptied now and then.
func correctQueue(n int) []protocols.Operation {
	const clients, apart = 16, 10
	ops := make([]protocols.Operation, n)
	oldest, next := int64(1), int64(1)
	for i := range ops {
		op := &ops[i]
		op.Client, op.Seq, op.Kind, op.Outcome = protocols.NodeID(-1-i%clients), uint64(i+1), protocols.Write, protocols.Done
		middle := int64(i+clients) * apart
		op.Call, op.Return = middle-apart*(clients/2-1)-int64(i%3), middle+apart*(clients/2-1)+int64(i%5)
		if i%3 != 2 && i%1000 < 500 {
			op.Op, op.Arg = protocols.AppendTo, next
			next++
			continue
		}
		op.Op = protocols.Delete
		if oldest < next {
			op.Value = protocols.Value(oldest)
			oldest++
		}
	}
	return ops
}

// TestMillion: large histories of every model that are correct raise no alarm. With a
// folder, files of a million operations are written there for lockstep check.
func TestMillion(t *testing.T) {
	n := 20_000
	if *million != "" {
		n = 1_000_000
	}
	for _, model := range histories.Models {
		ops := correct(model, n)
		text := jsonLines(model, ops)
		if *million != "" {
			if err := os.WriteFile(*million+"/"+model+".jsonl", []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		h := read(t, model, text)
		r := checker.Linearizable(h.Operations, h.Options())
		if r.Verdict != checker.OK || len(h.Operations) < n {
			t.Errorf("%s: %d operations, %v: %s", model, len(h.Operations), r.Verdict, r.Reason)
		}
		var out bytes.Buffer
		if err := histories.WriteEDN(&out, h); err != nil {
			if model != "log" { // its reads are of parts
				t.Errorf("%s: %v", model, err)
			}
			continue
		}
		if again := read(t, model, out.String()); verdict(again) != checker.OK {
			t.Errorf("%s, as EDN: %v", model, verdict(again))
		}
	}
}
