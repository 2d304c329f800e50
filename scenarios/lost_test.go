package scenarios_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// TestLostWritesAgainstTheFinalState compares the count of lost acknowledged
// writes, which comes from the log, with a plain oracle that knows no log: every
// client appends values of its own, and what was acknowledged but is not in the
// final state is lost.
func TestLostWritesAgainstTheFinalState(t *testing.T) {
	p := primarybackup.Protocol()
	total := 0
	for _, name := range []string{"async-failover", "semisync-failover"} {
		for seed := uint64(1); seed <= 15; seed++ {
			sc, _, err := scenarios.Load(name, []*protocols.Protocol{p})
			if err != nil {
				t.Fatal(err)
			}
			// The log machine overwrites nothing: its table is all that ever took effect.
			sc.Machine = "log"
			sc.Workload.Mix = []sim.Share{{Op: protocols.AppendTo, Kind: protocols.Write, Weight: 1}}
			r := scenarios.Run(sc, p, seed, scenarios.Options{History: true})
			if r.Lost == nil {
				t.Fatalf("%s seed %d: lost writes were not measured", name, seed)
			}
			x, err := scenarios.Examine(sc, p, seed, 0)
			if err != nil {
				t.Fatal(err)
			}
			n := x.FirstLive()
			table, err := n.Table(n.View.Applied)
			if err != nil {
				t.Fatal(err)
			}
			kept := map[int64]bool{}
			for _, row := range table.Table.Rows() {
				for _, v := range row.Values {
					kept[int64(v)] = true
				}
			}
			if len(kept) < 1000 {
				t.Errorf("%s seed %d: only %d values in the final table", name, seed, len(kept))
			}
			want := 0
			for _, op := range r.History {
				if op.Outcome == protocols.Done && op.Op == protocols.AppendTo && !kept[op.Arg] {
					want++
				}
			}
			if r.Lost.Count != want {
				t.Errorf("%s seed %d: %d lost writes counted, the final table lacks %d", name, seed, r.Lost.Count, want)
			}
			total += want
		}
	}
	if total == 0 {
		t.Error("nothing was lost in any run: the test shows nothing")
	}
}
