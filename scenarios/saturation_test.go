package scenarios_test

import (
	"fmt"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// TestThroughputSaturates: with the CPU costs of the preset lan-server, and more
// clients than can be served, a leader of n replicas that sends one broadcast and one
// answer for each write, and receives n messages, does 1 / (n·25us + 2·1us) of them a
// second, as the performance model of the Paxi study says. Raft does more: under load
// its followers acknowledge several entries at once.
func TestThroughputSaturates(t *testing.T) {
	const text = `name: x
replicas: %d
disk: {write: 0s, fsync: 0s}
network: {latency: 0.2ms, client: {latency: 0.2ms}}
cpu: lan-server
workload: {clients: 60, keys: 1000, mix: {put: 100%%}, think: 0s, timeout: 5s, give_up: 10s}
for: 2s
`
	for _, n := range []int64{3, 5} {
		sc, _, err := scenarios.Parse("x", fmt.Appendf(nil, text, n), all.List())
		if err != nil {
			t.Fatal(err)
		}
		bound := 1_000_000_000 / (n*25_000 + 2*1_000)
		for _, p := range all.List() {
			r := scenarios.Run(sc, p, 1, scenarios.Options{History: true})
			if r.Code() != scenarios.CodeOK {
				t.Errorf("%s", r)
			}
			done := int64(0)
			for _, op := range r.History {
				if op.Outcome == protocols.Done && op.Ended >= 1_000_000_000 && op.Ended < 2_000_000_000 {
					done++
				}
			}
			switch least, most := bound*98/100, bound*101/100; {
			case p.Name == "raft" && done < least || p.Name != "raft" && (done < least || done > most):
				t.Errorf("%s, %d replicas: %d writes per second, want %d", p.Name, n, done, bound)
			case p.Name == "raft" && done > 3*bound:
				t.Errorf("%s, %d replicas: %d writes per second, as if nothing had a cost", p.Name, n, done)
			}
			t.Logf("%s, %d replicas: %d writes per second, bound %d", p.Name, n, done, bound)
		}
	}
}
