package checker_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/generate"
)

// TestDamaged: wherever another checker confirms the damage, it is found, and called
// what it is.
func TestDamaged(t *testing.T) {
	seeds := uint64(400)
	if testing.Short() {
		seeds = 80
	}
	for _, machine := range []string{"register", "log", "counter", "queue"} {
		for _, d := range generate.Damages {
			confirmed, named, shown := 0, 0, 0
			other := map[checker.Class]int{}
			for seed := range seeds {
				ops, ok := generate.Damaged(machine, seed, 80, 3, d)
				if !ok {
					continue
				}
				shown++
				opt := checker.Options{Machine: machine, Blind: true}
				r := checker.Linearizable(ops, opt)
				if checker.PlainPorcupine(ops, opt) {
					if r.Verdict != checker.OK {
						t.Fatalf("%s, %s, seed %d: porcupine finds an order, and the judge says %v: %s", machine, d, seed, r.Verdict, r.Counterexample.Text)
					}
					continue
				}
				confirmed++
				if r.Verdict != checker.Violation {
					t.Fatalf("%s, %s, seed %d: %v", machine, d, seed, r.Verdict)
				}
				if string(r.Counterexample.Class) == string(d) {
					named++
				} else {
					other[r.Counterexample.Class]++
					t.Logf("%s, %s, seed %d: %s", machine, d, seed, r.Counterexample.Text)
				}
			}
			if shown > 0 {
				t.Logf("%s, %s: %d damaged, %d confirmed, %d named %v", machine, d, shown, confirmed, named, other)
			}
			if named < confirmed {
				t.Errorf("%s, %s: %d of %d are called something else: %v", machine, d, confirmed-named, confirmed, other)
			}
		}
	}
}
