package checker

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Budget bounds one search. It is counted in the search itself, so that equal
// histories get equal verdicts on any machine.
type Budget struct {
	// Steps is the number of times a search may try an operation. 0: 2,000,000. The
	// window search gets 100 more for every operation of the part.
	Steps int64
	// CacheBytes bounds the memory of the search, by an estimate from above of
	// what its cache holds. 0: 256 MiB.
	CacheBytes int64
}

// Options says how a history is to be judged. The zero value judges kv
// histories with the default budget and without a witness.
type Options struct {
	// Machine is the state machine's name: kv, register, counter, log, stamp or
	// queue. Empty: kv.
	Machine string
	// Budget bounds every single search.
	Budget Budget
	// Prefix is how many operations of each key are always judged by a check that
	// does not know the system's positions. 0: 2,000.
	Prefix int
	// Small is the length up to which the whole of a key's history is. 0: 2,000.
	Small int
	// Positions says that Operation.Position is set, so that the witness is worth
	// a try.
	Positions bool
	// Log is the committed log, from which the witness learns where operations
	// with unknown outcome were executed, if at all. It is evidence to be checked,
	// not to be trusted. May be nil.
	Log []protocols.LogCommand
	// Blind says that put, append, delete and increment do not answer what they saw
	// or made, or that it is not to be checked; increments then add their Arg. For histories of other systems.
	Blind bool
	// Seated says that appends to logs got their positions from [Seat] and answered none, so
	// that positions are not printed, and a part of the history gets its own.
	Seated bool
	// Keyed says that machines other than kv are many too, one per key.
	Keyed bool
	// Linearizable says that the history is known to be linearizable, so that [WhatHolds]
	// need not look for the models which that implies.
	Linearizable bool
	// Names prints clients, keys and values. Nil: as this project prints them.
	Names Names
}

const (
	defaultSteps      = 2_000_000
	defaultCacheBytes = 256 << 20
	defaultPrefix     = 2_000
)

func (o Options) filled() Options {
	if o.Machine == "" {
		o.Machine = "kv"
	}
	if o.Names == nil {
		o.Names = plainNames{}
	}
	if o.Budget.Steps == 0 {
		o.Budget.Steps = defaultSteps
	}
	if o.Budget.CacheBytes == 0 {
		o.Budget.CacheBytes = defaultCacheBytes
	}
	if o.Prefix == 0 {
		o.Prefix = defaultPrefix
	}
	if o.Small == 0 {
		o.Small = defaultPrefix
	}
	return o
}

// Validate says whether a history can be judged at all: it names the first
// operation that no client could have recorded, or an unknown machine. Histories
// written by this project pass; those of others should be validated before
// [Linearizable], which panics on what Validate refuses.
func Validate(history []protocols.Operation, opt Options) error {
	kind, err := checkSize(history, opt.filled())
	if err != nil {
		return err
	}
	for i := range history {
		if err := validateOperation(kind, &history[i]); err != nil {
			return operationError(i, &history[i], err)
		}
	}
	return nil
}

func checkSize(history []protocols.Operation, opt Options) (machineKind, error) {
	kind, ok := machineNamed(opt.Machine)
	if !ok {
		return 0, fmt.Errorf("machine %q: want kv, register, counter, log, stamp or queue", opt.Machine)
	}
	if int64(len(history)) > maxOperations {
		return 0, fmt.Errorf("history of %d operations: want at most %d", len(history), int64(maxOperations))
	}
	return kind, nil
}

func operationError(i int, op *protocols.Operation, err error) error {
	return fmt.Errorf("operation %d (%s): %w", i, FormatOperation(op), err)
}

const maxOperations = 1 << 30

func validateOperation(kind machineKind, op *protocols.Operation) error {
	switch {
	case op.Outcome > protocols.Failed:
		return fmt.Errorf("outcome %d: want unknown, done or failed", op.Outcome)
	case op.Call < 0:
		return fmt.Errorf("call at %d: want 0 or more", op.Call)
	case op.Outcome == protocols.Done && (op.Return < op.Call || op.Return == protocols.Infinity):
		return fmt.Errorf("called at %d and returned at %d: want a return after the call", op.Call, op.Return)
	case op.Outcome == protocols.Unknown && op.Return != protocols.Infinity:
		return fmt.Errorf("outcome unknown and returned at %d: want no return", op.Return)
	case op.Kind != protocols.Follow && !kind.has(op.Op):
		return fmt.Errorf("the %s machine has no such operation", machineNames[kind])
	}
	return nil
}
