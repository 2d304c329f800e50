package vr

import (
	"fmt"
	"math/bits"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Parameters are the settings of a VR group. All replicas of a run have the same.
type Parameters struct {
	// Variant says what a replica keeps over a crash, and so how it comes back.
	Variant string `param:"variant" swarm:"durable,crash-vectors" doc:"durable: views and log are on disk before they are promised; diskless: nothing is, as in the paper; crash-vectors: diskless with crash vectors (DISC 2017)."`
	// ViewTimeout is the range from which the time is drawn after which a backup that
	// hears no primary starts a view change (§4.2). Its lower end is what read leases
	// rest on. Equal ends are fine: views need no luck, since the next primary is known.
	ViewTimeout protocols.Range `param:"view_timeout" swarm:"scaled" doc:"A backup that hears no primary for a time drawn from this range starts a view change."`
	// CommitInterval is the time between Commit messages; below ViewTimeout.Min.
	CommitInterval protocols.Duration `param:"commit_interval" swarm:"scaled" doc:"Time between a primary's Commit messages; below the minimum view timeout."`
	// Resend is the time after which an unanswered message of a view change, recovery
	// or state transfer is sent again.
	Resend protocols.Duration `param:"resend" swarm:"scaled" doc:"Time after which messages of view changes, recoveries and state transfers are sent again."`
	// MaxBatch is the largest number of entries in one Prepare that is sent again.
	MaxBatch int `param:"max_batch" swarm:"1..4" doc:"Largest number of entries in one Prepare that is sent again."`
	// CheckpointInterval is the number of operations between checkpoints; 0: none.
	CheckpointInterval int `param:"checkpoint_interval" swarm:"8..60" doc:"Operations between two checkpoints of the application state; 0: never."`
	// Reads is how a Read is answered: round, lease or log.
	Reads string `param:"reads" swarm:"round,lease,log" doc:"round: a round of Commit messages per read; lease: none while the lease lasts; log: through the log."`
	// MaxDrift bounds the rate error of each clock for lease reads, in parts per
	// billion, below 1e9.
	MaxDrift int64 `param:"max_drift" swarm:"drift" doc:"Bound of each clock's rate error that lease reads rely on, in parts per billion."`
	// LeaderWrite says when a Prepare leaves: parallel, while the primary writes its own
	// log, or serial, once that is durable. Without a disk both are the same.
	LeaderWrite string `param:"leader_write" swarm:"parallel,serial" doc:"parallel: a Prepare leaves while the primary writes its own log; serial: once that is durable."`
	// Bugs are known bugs to switch on, by id.
	Bugs []string `param:"bugs" doc:"Known bugs to switch on."`
}

// The values of Parameters.Variant.
const (
	Durable      = "durable"
	Diskless     = "diskless"
	CrashVectors = "crash-vectors"
)

// The values of Parameters.Reads.
const (
	ReadsRound = "round"
	ReadsLease = "lease"
	ReadsLog   = "log"
)

// The values of Parameters.LeaderWrite.
const (
	LeaderWriteParallel = "parallel"
	LeaderWriteSerial   = "serial"
)

// DefaultParameters returns the defaults: the durable variant, a fixed view
// timeout, reads confirmed by a round.
func DefaultParameters() *Parameters {
	return &Parameters{
		Variant:            Durable,
		ViewTimeout:        protocols.Range{Min: 200e6, Max: 200e6},
		CommitInterval:     50e6,
		Resend:             50e6,
		MaxBatch:           64,
		CheckpointInterval: 1000,
		Reads:              ReadsRound,
		MaxDrift:           500_000,
		LeaderWrite:        LeaderWriteParallel,
	}
}

// Validate says what is wrong with the parameters for n replicas.
func (p *Parameters) Validate(n int) error {
	switch {
	case n < 1 || n > protocols.MaxNodes:
		return fmt.Errorf("replicas: got %d, want 1..%d", n, protocols.MaxNodes)
	case p.Variant != Durable && p.Variant != Diskless && p.Variant != CrashVectors:
		return fmt.Errorf("variant: got %q, want durable, diskless or crash-vectors", p.Variant)
	case p.ViewTimeout.Min <= 0 || p.ViewTimeout.Max < p.ViewTimeout.Min:
		return fmt.Errorf("view_timeout: got %v, want a range above 0s", p.ViewTimeout)
	case p.CommitInterval <= 0 || p.CommitInterval >= p.ViewTimeout.Min:
		return fmt.Errorf("commit_interval: got %v, want above 0s and below the minimum view timeout %v", p.CommitInterval, p.ViewTimeout.Min)
	case p.Resend <= 0:
		return fmt.Errorf("resend: got %v, want above 0s", p.Resend)
	case p.MaxBatch < 1:
		return fmt.Errorf("max_batch: got %d, want 1 or more", p.MaxBatch)
	case p.CheckpointInterval < 0:
		return fmt.Errorf("checkpoint_interval: got %d, want 0 or more", p.CheckpointInterval)
	case p.Reads != ReadsRound && p.Reads != ReadsLease && p.Reads != ReadsLog:
		return fmt.Errorf("reads: got %q, want round, lease or log", p.Reads)
	case p.MaxDrift < 0 || p.MaxDrift >= billion:
		return fmt.Errorf("max_drift: got %d, want 0..%d parts per billion", p.MaxDrift, int64(billion-1))
	}
	if p.LeaderWrite != LeaderWriteParallel && p.LeaderWrite != LeaderWriteSerial {
		return fmt.Errorf("leader_write: got %q, want parallel or serial", p.LeaderWrite)
	}
	_, err := knownBugs().Parse(p.Bugs)
	return err
}

const billion = 1_000_000_000

// variant is Parameters.Variant as a number.
type variant uint8

const (
	durable variant = iota
	diskless
	crashVectors
)

// variant returns how replicas come back. The known bug V-04 is the diskless
// variant under another name.
func (p *Parameters) variant() variant {
	for _, id := range p.Bugs {
		if id == bugForgetPromise {
			return diskless
		}
	}
	switch p.Variant {
	case Diskless:
		return diskless
	case CrashVectors:
		return crashVectors
	}
	return durable
}

// lease returns how long a lease lasts on the primary's clock from the sending of
// the round that a quorum acknowledged: T·(1-rho)/(1+rho) for the minimum view
// timeout T and the clock bound rho. In that time no backup's clock, fast by rho,
// has counted T while the primary's, slow by rho, counts the lease. Rounded down.
func (p *Parameters) lease() protocols.Duration {
	return scale(p.ViewTimeout.Min, billion-p.MaxDrift, billion+p.MaxDrift)
}

// scale returns d·numerator/denominator, rounded down, for d >= 0 and
// 0 <= numerator <= denominator.
func scale(d protocols.Duration, numerator, denominator int64) protocols.Duration {
	high, low := bits.Mul64(uint64(d), uint64(numerator))
	quotient, _ := bits.Div64(high, low, uint64(denominator))
	return protocols.Duration(quotient)
}

// clockBound returns the rate error of each clock that leases rely on, in parts per
// billion; -1: there are none.
func (p *Parameters) clockBound() int64 {
	if p.Reads == ReadsLease {
		return p.MaxDrift
	}
	return -1
}
