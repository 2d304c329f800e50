package checker_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

// porcupineByKey has porcupine judge every key by itself, as linearizability is local.
func porcupineByKey(ops []protocols.Operation, opt checker.Options) bool {
	var keys []protocols.Key
	for i := range ops {
		if !slices.Contains(keys, ops[i].Key) {
			keys = append(keys, ops[i].Key)
		}
	}
	for _, key := range keys {
		of := slices.DeleteFunc(slices.Clone(ops), func(op protocols.Operation) bool { return op.Key != key })
		if !checker.PlainPorcupine(of, opt) {
			return false
		}
	}
	return true
}

// TestDamaged: wherever another checker confirms the damage, it is found, and called
// what it is.
func TestDamaged(t *testing.T) {
	seeds := uint64(400)
	if testing.Short() {
		seeds = 80
	}
	for _, machine := range []string{"register", "cas-register", "kv", "log", "counter", "queue"} {
		for _, d := range generate.Damages {
			confirmed, named, shown := 0, 0, 0
			other := map[checker.Class]int{}
			for seed := range seeds {
				ops, ok := generate.Damaged(machine, seed, 80, 3, d)
				if !ok {
					continue
				}
				shown++
				opt := checker.Options{Machine: strings.TrimPrefix(machine, "cas-"), Blind: true}
				r := checker.Linearizable(ops, opt)
				if porcupineByKey(ops, opt) {
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
