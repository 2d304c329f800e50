package scenarios

import (
	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
)

// Lost sums up the acknowledged writes that are not in the log on which all
// replicas agree in the end. It is a result, not a failure: only protocols whose
// guarantee allows the loss get one.
type Lost struct {
	Count  int      `json:"count"`
	FromNS int64    `json:"from_ns"` // the first acknowledgement of a lost write
	ToNS   int64    `json:"to_ns"`   // the last
	Writes []string `json:"writes"`  // the first ten, as operations
}

// lostShown is how many lost writes a result lists.
const lostShown = 10

// lost measures what the protocol's guarantee allows it to lose; nil when that is
// nothing.
func (r *run) lost(history []protocols.Operation) *Lost {
	if r.p.Guarantee == nil || !r.p.Guarantee(r.parameters).LosesAcknowledged {
		return nil
	}
	found := checker.LostWrites(history, r.applied.Log())
	lost := &Lost{Count: len(found.Writes), FromNS: int64(found.From), ToNS: int64(found.To), Writes: []string{}}
	for _, i := range found.Writes[:min(lostShown, len(found.Writes))] {
		lost.Writes = append(lost.Writes, history[i].String())
	}
	return lost
}

// lostCount returns how many acknowledged writes were lost.
func (r *Result) lostCount() int64 {
	if r.Lost == nil {
		return 0
	}
	return int64(r.Lost.Count)
}
