package checker

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

func TestLostWrites(t *testing.T) {
	h := generate.New(generate.Config{Machine: "kv", Keys: 3, Seed: 4, N: 300, Clients: 4, Unknown: 100, WithLog: true})
	if lost := LostWrites(h.Operations, h.Log); len(lost.Writes) != 0 || lost.From != 0 || lost.To != 0 {
		t.Fatalf("nothing is lost, got %+v", lost)
	}
	// The last ten positions never reach the replicas that survive.
	cut := h.Log[len(h.Log)-10:]
	var want []int
	var from, to protocols.Time
	for i := range h.Operations {
		o := &h.Operations[i]
		if o.Outcome == protocols.Done && slices.ContainsFunc(cut, func(c protocols.LogCommand) bool { return c.Command.SameRequest(o.Command) }) {
			if want == nil {
				from = o.Ended
			}
			from, to = min(from, o.Ended), max(to, o.Ended)
			want = append(want, i)
		}
	}
	lost := LostWrites(h.Operations, h.Log[:len(h.Log)-10])
	if len(want) == 0 || !slices.Equal(lost.Writes, want) || lost.From != from || lost.To != to {
		t.Errorf("got %+v, want %v from %v to %v", lost, want, from, to)
	}
}
