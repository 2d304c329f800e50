package generate_test

import (
	"reflect"
	"testing"

	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

func TestEqualConfigEqualHistory(t *testing.T) {
	cfg := generate.Config{Machine: "kv", Keys: 3, Seed: 9, N: 2000, Clients: 8, Unknown: 100, WithLog: true,
		Mix: generate.Mix{Read: 3, Put: 2, CAS: 2, Delete: 1, Append: 1}}
	a, b := generate.New(cfg), generate.New(cfg)
	if !reflect.DeepEqual(a, b) {
		t.Error("two histories of one configuration differ")
	}
	cfg.Seed++
	if reflect.DeepEqual(a, generate.New(cfg)) {
		t.Error("two seeds make one history")
	}
}

// TestShape: the history is what its configuration asks for.
func TestShape(t *testing.T) {
	const n, clients = 20_000, 16
	h := generate.New(generate.Config{Seed: 1, N: n, Clients: clients, Unknown: 100, Stale: 500})
	reads, unknown, busy := 0, 0, int64(0)
	for i := range h.Operations {
		o := &h.Operations[i]
		switch {
		case o.Op == protocols.Get:
			reads++
		case o.Outcome == protocols.Unknown:
			unknown++
		}
		if o.Outcome == protocols.Done {
			if o.Return <= o.Call {
				t.Fatalf("operation %d: %d..%d", i, o.Call, o.Return)
			}
			busy += o.Return - o.Call
		}
	}
	if len(h.Operations) != n || reads < n*45/100 || reads > n*55/100 {
		t.Errorf("%d operations, %d reads", len(h.Operations), reads)
	}
	if unknown < n*4/100 || unknown > n*6/100 {
		t.Errorf("%d of unknown outcome, want about 5 %% of all", unknown)
	}
	// 1 ms and an exponential of mean 1 ms.
	if mean := busy / int64(n-unknown); mean < 1_900_000 || mean > 2_100_000 {
		t.Errorf("mean latency %d ns, want about 2 ms", mean)
	}
	if h.Stale < n/2 || h.Operations[h.Stale].Op != protocols.Get {
		t.Errorf("stale read at %d", h.Stale)
	}
	if len(h.Log) != 0 {
		t.Error("a log nobody asked for")
	}
}
