package scenarios

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// PhaseResult is what clients saw in one phase of a run.
type PhaseResult struct {
	Name       string     `json:"name"`
	StartNS    int64      `json:"start_ns"`
	EndNS      int64      `json:"end_ns"`
	Operations Operations `json:"operations"` // that were called in it, by what came of them in the end
	Answers    uint64     `json:"answers"`    // that clients got in it
	Latency    Latency    `json:"latency_ns"` // of these answers
	QuietNS    int64      `json:"quiet_ns"`   // the longest time in it without an answer
}

// measurePhases parts the history by phases. A phase that the run did not reach is
// left out.
func (r *run) measurePhases(history []protocols.Operation) {
	res := r.result
	for i := range r.sc.Phases {
		p := &r.sc.Phases[i]
		end := res.safetyEnd
		if i+1 < len(r.sc.Phases) {
			end = min(end, r.sc.Phases[i+1].At)
		}
		if p.At >= end {
			return
		}
		res.Phases = append(res.Phases, phaseOf(p.Name, p.At, end, history))
	}
}

func phaseOf(name string, from, to protocols.Time, history []protocols.Operation) PhaseResult {
	out := PhaseResult{Name: name, StartNS: int64(from), EndNS: int64(to)}
	var latencies []int64
	answers := []protocols.Time{from}
	for i := range history {
		op := &history[i]
		if op.Began >= from && op.Began < to {
			out.Operations.count(op.Outcome)
		}
		if op.Outcome == protocols.Done && op.Ended >= from && op.Ended < to {
			out.Answers++
			latencies = append(latencies, int64(op.Ended.Sub(op.Began)))
			answers = append(answers, op.Ended)
		}
	}
	out.Latency = latencyOfAll(latencies)
	answers = append(answers, to)
	slices.Sort(answers)
	for i := range answers[1:] {
		out.QuietNS = max(out.QuietNS, int64(answers[i+1].Sub(answers[i])))
	}
	return out
}

// count adds one operation.
func (o *Operations) count(outcome protocols.Outcome) {
	switch outcome {
	case protocols.Done:
		o.OK++
	case protocols.Failed:
		o.Failed++
	default:
		o.Unknown++
	}
}
