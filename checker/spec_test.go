package checker

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// TestSpecIsTheMachines runs random commands through every state machine that the
// protocols replicate and through the judge's own definition: each answer must be
// accepted, and any other refused.
func TestSpecIsTheMachines(t *testing.T) {
	ops := map[string][]protocols.Op{
		"kv":       {protocols.Get, protocols.Put, protocols.AppendTo, protocols.CAS, protocols.Delete},
		"register": {protocols.Get, protocols.Put, protocols.CAS},
		"counter":  {protocols.Get, protocols.Increment, protocols.Double},
		"log":      {protocols.AppendTo, protocols.ReadRange},
		"stamp":    {protocols.Get, protocols.ReadClock},
	}
	for _, name := range protocols.MachineNames() {
		r := rand.New(rand.NewPCG(1, 2))
		kind, ok := machineNamed(name)
		if !ok {
			t.Fatalf("the judge does not know the %s machine", name)
		}
		refused := 0
		for range 200 {
			machine, err := protocols.NewMachine(name)
			if err != nil {
				t.Fatal(err)
			}
			sp, st := newSpec(kind, false), state{}
			for at := range 30 {
				op := protocols.Operation{Outcome: protocols.Done}
				op.Op = ops[name][r.IntN(len(ops[name]))]
				op.Arg, op.Old = r.Int64N(5), r.Int64N(5)-1
				result := machine.Apply(op.Command, protocols.Time(at))
				if result.Status != protocols.OK {
					t.Fatalf("%s refuses %s", name, FormatOperation(&op))
				}
				op.Value, op.Swapped, op.List = result.Value, result.Swapped, result.List
				next, ok := sp.step(st, &op)
				if !ok {
					t.Fatalf("%s: the judge refuses %s", name, FormatOperation(&op))
				}
				for _, wrong := range otherAnswers(op) {
					if _, ok := sp.step(st, &wrong); ok {
						t.Fatalf("%s: the judge accepts %s instead of %s", name, FormatOperation(&wrong), FormatOperation(&op))
					}
					refused++
				}
				st = next
			}
		}
		if refused < 1000 {
			t.Errorf("%s: only %d wrong answers tried", name, refused)
		}
	}
}

// otherAnswers returns op with answers that differ from its own.
func otherAnswers(op protocols.Operation) []protocols.Operation {
	if op.Op == protocols.ReadClock {
		return nil // may answer anything
	}
	value, list := op, op
	value.Value++
	list.List = append(slices.Clone(op.List), 77)
	all := []protocols.Operation{value}
	switch op.Op {
	case protocols.CAS:
		swapped := op
		swapped.Swapped = !op.Swapped
		all = append(all, swapped, list)
	case protocols.Get, protocols.Put, protocols.Delete:
		// Lists are answered by kv only, and only there looked at.
	case protocols.ReadRange:
		all = append(all, list)
	}
	if len(op.List) > 0 {
		content, short := op, op
		content.List = slices.Clone(op.List)
		content.List[len(op.List)/2]++
		short.List = op.List[1:]
		all = append(all, content, short)
	}
	return all
}
