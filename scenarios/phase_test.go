package scenarios

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// A phase counts the operations that were called in it, and the answers that came in
// it, and how long there was none.
func TestPhaseResults(t *testing.T) {
	op := func(began, ended protocols.Time, outcome protocols.Outcome) protocols.Operation {
		return protocols.Operation{Began: began, Ended: ended, Outcome: outcome}
	}
	got := phaseOf("x", 100, 200, []protocols.Operation{
		op(50, 110, protocols.Done), op(110, 130, protocols.Done), op(190, 260, protocols.Done), op(150, 170, protocols.Failed), op(120, 0, protocols.Unknown), op(10, 20, protocols.Done),
	})
	want := PhaseResult{Name: "x", StartNS: 100, EndNS: 200, Operations: Operations{2, 1, 1}, Answers: 2, Latency: Latency{20, 60, 60, 60}, QuietNS: 70}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if quiet := phaseOf("y", 300, 400, nil); quiet.QuietNS != 100 {
		t.Errorf("a phase without answers: %+v", quiet)
	}
}
