package raft

import (
	"fmt"
	"math/bits"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Parameters are the settings of a Raft cluster. All nodes of a run have the same.
type Parameters struct {
	// ElectionTimeout is the range from which each election timeout is drawn
	// (§3.4). Its lower end is the minimum election timeout of leases and PreVote,
	// its upper end the time in which CheckQuorum wants to hear a quorum.
	ElectionTimeout protocols.Range `param:"election_timeout" swarm:"scaled" doc:"A follower that hears no leader for a time drawn from this range starts an election."`
	// Heartbeat is the time between heartbeats; below ElectionTimeout.Min.
	Heartbeat protocols.Duration `param:"heartbeat" swarm:"scaled" doc:"Time between a leader's heartbeats; below the minimum election timeout."`
	// PreVote asks before it disturbs (§9.6).
	PreVote bool `param:"pre_vote" swarm:"false,true" doc:"Ask whether an election could be won before starting one."`
	// CheckQuorum makes a leader without a quorum step down, and a voter that hears
	// a leader ignore other candidates (§6.2, §4.2.3).
	CheckQuorum bool `param:"check_quorum" doc:"A leader that hears no quorum steps down; a voter that hears a leader ignores candidates."`
	// MaxBatch is the largest number of entries in one AppendEntries, from 1.
	MaxBatch int `param:"max_batch" swarm:"1..4" doc:"Largest number of entries in one AppendEntries."`
	// Window is the largest number of AppendEntries, or of InstallSnapshots, in flight to
	// one follower, 1..1024.
	Window int `param:"window" swarm:"1..16" doc:"Largest number of AppendEntries, or of InstallSnapshots, in flight to one follower."`
	// Reads is how a Read is answered: readindex, lease, log or local.
	Reads string `param:"reads" swarm:"readindex,lease,log" doc:"readindex: a round of heartbeats per read; lease: none while the lease lasts; log: through the log; local: from any replica, not linearizable."`
	// MaxDrift bounds the rate error of each clock for lease reads, in parts per
	// billion, below 1e9.
	MaxDrift int64 `param:"max_drift" swarm:"drift" doc:"Bound of each clock's rate error that lease reads rely on, in parts per billion."`
	// SnapshotEvery is after how many executed entries a node takes a snapshot; 0 is
	// never. LogKept is how many more it executes before it forgets the log that the
	// snapshot covers, so that followers which are less far behind get entries.
	SnapshotEvery int `param:"snapshot_every" swarm:"8..32" doc:"Executed entries after which a node takes a snapshot and compacts its log; 0 is never."`
	LogKept       int `param:"log_kept" swarm:"0..8" doc:"Executed entries that stay in the log for slow followers when it is compacted."`
	// ChunkSize is the largest number of rows in one InstallSnapshot, from 1.
	ChunkSize int `param:"chunk_size" swarm:"1..8" doc:"Largest number of rows of the state, cells and client sessions, in one InstallSnapshot."`
	// Membership is how the configuration changes: joint or single.
	Membership string `param:"membership" swarm:"joint,single" doc:"joint: to any configuration by joint consensus; single: one server at a time."`
	// LeaderWrite is when a leader sends an entry: parallel or serial.
	LeaderWrite string `param:"leader_write" swarm:"parallel,serial" doc:"parallel: a leader sends entries while its disk writes them; serial: after."`
	// Sessions bounds the client sessions whose last result is kept; 0 is no bound. The
	// one that was used least recently, by its place in the log, expires (§6.3).
	Sessions int `param:"sessions" swarm:"6..20" doc:"Client sessions that are kept; with one more, that which was used least recently expires. 0 is no bound."`
	// FollowerReads lets followers answer reads by an index that they ask the leader
	// for (§6.4).
	FollowerReads bool `param:"follower_reads" swarm:"false,true" doc:"A follower asks the leader for a read index and answers a read itself, under reads: readindex and lease."`
	// ElectionTimer is when the election timer starts anew: each-term or heard.
	ElectionTimer string `param:"election_timer" swarm:"each-term,heard" doc:"each-term: the election timer starts anew with every change of term, and each term draws once; heard: only when the leader is heard, a vote is granted or an election begins, and each time with a new draw, as in the paper."`
	// Bugs are known bugs to switch on, by id.
	Bugs []string `param:"bugs" doc:"Known bugs to switch on."`
}

// The values of Parameters.Reads.
const (
	ReadsReadIndex = "readindex"
	ReadsLease     = "lease"
	ReadsLog       = "log"
	ReadsLocal     = "local"
)

// The values of Parameters.Membership.
const (
	MembershipJoint  = "joint"
	MembershipSingle = "single"
)

// The values of Parameters.LeaderWrite.
const (
	LeaderWriteParallel = "parallel"
	LeaderWriteSerial   = "serial"
)

// The values of Parameters.ElectionTimer.
const (
	ElectionTimerEachTerm = "each-term"
	ElectionTimerHeard    = "heard"
)

// DefaultParameters returns the defaults: timeouts of the paper's example (§3.4),
// PreVote and CheckQuorum on, ReadIndex reads.
func DefaultParameters() *Parameters {
	return &Parameters{
		ElectionTimeout: protocols.Range{Min: 150e6, Max: 300e6},
		Heartbeat:       50e6,
		PreVote:         true,
		CheckQuorum:     true,
		MaxBatch:        64,
		Window:          16,
		Reads:           ReadsReadIndex,
		MaxDrift:        500_000,
		SnapshotEvery:   10_000,
		LogKept:         100,
		ChunkSize:       64,
		Membership:      MembershipJoint,
		LeaderWrite:     LeaderWriteParallel,
		ElectionTimer:   ElectionTimerEachTerm,
	}
}

// Validate says what is wrong with the parameters for n replicas.
func (p *Parameters) Validate(n int) error {
	switch {
	case n < 1 || n > protocols.MaxNodes:
		return fmt.Errorf("replicas: got %d, want 1..%d", n, protocols.MaxNodes)
	case p.ElectionTimeout.Min <= 0:
		return fmt.Errorf("election_timeout: got %v, want above 0s", p.ElectionTimeout)
	case p.ElectionTimeout.Max <= p.ElectionTimeout.Min:
		return fmt.Errorf("election_timeout: got %v, want a range whose end is above its start, or candidates collide again and again", p.ElectionTimeout)
	case p.Heartbeat <= 0 || p.Heartbeat >= p.ElectionTimeout.Min:
		return fmt.Errorf("heartbeat: got %v, want above 0s and below the minimum election timeout %v", p.Heartbeat, p.ElectionTimeout.Min)
	case p.MaxBatch < 1:
		return fmt.Errorf("max_batch: got %d, want 1 or more", p.MaxBatch)
	case p.Window < 1 || p.Window > maxWindow:
		return fmt.Errorf("window: got %d, want 1..%d", p.Window, maxWindow)
	case p.MaxDrift < 0 || p.MaxDrift >= billion:
		return fmt.Errorf("max_drift: got %d, want 0..%d parts per billion", p.MaxDrift, int64(billion-1))
	case p.SnapshotEvery < 0:
		return fmt.Errorf("snapshot_every: got %d, want 0 (never) or more", p.SnapshotEvery)
	case p.LogKept < 0:
		return fmt.Errorf("log_kept: got %d, want 0 or more", p.LogKept)
	case p.ChunkSize < 1:
		return fmt.Errorf("chunk_size: got %d, want 1 or more", p.ChunkSize)
	case p.Sessions < 0:
		return fmt.Errorf("sessions: got %d, want 0 (no bound) or more", p.Sessions)
	case p.FollowerReads && p.Reads != ReadsReadIndex && p.Reads != ReadsLease:
		return fmt.Errorf("follower_reads: got true with reads %q, want reads readindex or lease", p.Reads)
	case p.Membership != MembershipJoint && p.Membership != MembershipSingle:
		return fmt.Errorf("membership: got %q, want joint or single", p.Membership)
	case p.LeaderWrite != LeaderWriteParallel && p.LeaderWrite != LeaderWriteSerial:
		return fmt.Errorf("leader_write: got %q, want parallel or serial", p.LeaderWrite)
	case p.ElectionTimer != ElectionTimerEachTerm && p.ElectionTimer != ElectionTimerHeard:
		return fmt.Errorf("election_timer: got %q, want each-term or heard", p.ElectionTimer)
	}
	switch p.Reads {
	case ReadsReadIndex, ReadsLog, ReadsLocal:
	case ReadsLease:
		if !p.CheckQuorum {
			return fmt.Errorf("reads: got lease without check_quorum, want check_quorum: true: a lease holds only while voters ignore other candidates")
		}
	default:
		return fmt.Errorf("reads: got %q, want readindex, lease, log or local", p.Reads)
	}
	_, err := knownBugs().Parse(p.Bugs)
	return err
}

const (
	maxWindow = 1024
	billion   = 1_000_000_000
)

// pace returns how many positions of the log a follower gets in a round trip, by entries
// or by rows of a snapshot.
func (p *Parameters) pace() int64 { return int64(p.Window) * int64(min(p.MaxBatch, p.ChunkSize)) }

// lease returns how long a lease lasts on the leader's clock from the sending of
// the round that a quorum acknowledged: T·(1-rho)/(1+rho) for the minimum election
// timeout T and the clock bound rho (§6.4.1). In that time no voter's clock, fast
// by rho, has counted T while the leader's, slow by rho, counts the lease.
// Rounded down.
func (p *Parameters) lease() protocols.Duration {
	return scale(p.ElectionTimeout.Min, billion-p.MaxDrift, billion+p.MaxDrift)
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
