package checker

import "github.com/lockstep-sim/lockstep/protocols"

// Lost says which acknowledged writes a system has lost. A linearizable one loses
// none; for the others, such as asynchronous replication, this is the result.
type Lost struct {
	// Writes are the lost ones, by their place in the history.
	Writes []int
	// From and To span, in true virtual time, the acknowledgements of lost writes:
	// the window in which the system said yes and meant no. Both 0 if none is lost.
	From, To protocols.Time
}

// LostWrites compares what clients were told with the log that all replicas agree
// on in the end: a write that was answered, but whose command is not in the log,
// is lost. The log must reach back to position 1. O(n).
func LostWrites(history []protocols.Operation, log []protocols.LogCommand) Lost {
	kept := make(map[requestID]bool, len(log)) // looked up, never ranged over
	for i := range log {
		kept[requestID{log[i].Command.Client, log[i].Command.Seq}] = true
	}
	var lost Lost
	for i := range history {
		op := &history[i]
		if op.Outcome != protocols.Done || op.Kind != protocols.Write || kept[requestID{op.Client, op.Seq}] {
			continue
		}
		if len(lost.Writes) == 0 {
			lost.From, lost.To = op.Ended, op.Ended
		}
		lost.From, lost.To = min(lost.From, op.Ended), max(lost.To, op.Ended)
		lost.Writes = append(lost.Writes, i)
	}
	return lost
}
