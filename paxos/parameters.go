package paxos

import (
	"fmt"
	"math/bits"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Parameters are the settings of a Paxos cluster. All nodes of a run have the same.
type Parameters struct {
	// ElectionTimeout is the range from which a node that hears no leader draws how
	// long it waits before it starts phase 1, and how long it backs off when a higher
	// ballot stopped it. Its lower end is also how long an acceptor that hears a
	// leader ignores other candidates: the length of a master lease (PML §5.2).
	ElectionTimeout protocols.Range `param:"election_timeout" swarm:"scaled" doc:"A node that hears no leader, or was stopped by a higher ballot, starts phase 1 after a time drawn from this range."`
	// Heartbeat is the time between heartbeats; below ElectionTimeout.Min.
	Heartbeat protocols.Duration `param:"heartbeat" swarm:"scaled" doc:"Time between a leader's heartbeats; below the minimum election timeout."`
	// Window is the largest number of slots proposed beyond what the leader has
	// executed, 1..1024. It is also alpha: a configuration chosen in slot s governs
	// the slots from s+Window on (PMMC §4.2).
	Window int `param:"window" swarm:"1..16" doc:"Largest number of open slots; a configuration chosen in slot s is in force from slot s+window on."`
	// Q1 and Q2 are the sizes of the quorums of phase 1 and phase 2; 0 is a majority.
	// Every Q1 must meet every Q2: Q1+Q2 is above the number of members (Howard,
	// Malkhi and Spiegelman, OPODIS 2016).
	Q1 int `param:"q1" doc:"Size of a phase 1 quorum; 0 is a majority. q1+q2 must be above the number of replicas."`
	Q2 int `param:"q2" doc:"Size of a phase 2 quorum; 0 is a majority."`
	// Decide is how followers learn what is chosen: piggyback or explicit.
	Decide string `param:"decide" swarm:"piggyback,explicit" doc:"piggyback: the commit index rides on Accept and Heartbeat; explicit: a Decide message as soon as a slot is chosen."`
	// Reads is how a Read is answered: quorum, lease or log.
	Reads string `param:"reads" swarm:"quorum,lease,log" doc:"quorum: a round of heartbeats per read; lease: none while the master lease lasts; log: through the log."`
	// MaxDrift bounds the rate error of each clock for lease reads, in parts per
	// billion, below 1e9.
	MaxDrift int64 `param:"max_drift" swarm:"drift" doc:"Bound of each clock's rate error that lease reads rely on, in parts per billion."`
	// SnapshotEvery is after how many executed slots a node takes a snapshot and
	// forgets them; 0 is never.
	SnapshotEvery int `param:"snapshot_every" swarm:"8..32" doc:"Executed slots after which a node takes a snapshot and compacts its log; 0 is never."`
	// LeaderWrite is whether the leader's Accepts wait for its own disk: parallel or
	// serial.
	LeaderWrite string `param:"leader_write" swarm:"parallel,serial" doc:"parallel: what the leader proposes leaves while its own disk writes it; serial: once its own disk has it."`
	// Bugs are known bugs to switch on, by id.
	Bugs []string `param:"bugs" doc:"Known bugs to switch on."`
}

// The values of Parameters.Reads.
const (
	ReadsQuorum = "quorum"
	ReadsLease  = "lease"
	ReadsLog    = "log"
)

// The values of Parameters.Decide.
const (
	DecidePiggyback = "piggyback"
	DecideExplicit  = "explicit"
)

// The values of Parameters.LeaderWrite.
const (
	LeaderWriteParallel = "parallel"
	LeaderWriteSerial   = "serial"
)

// DefaultParameters returns the defaults: majorities, quorum reads, the commit index
// on other messages, and the timeouts that package raft uses too.
func DefaultParameters() *Parameters {
	return &Parameters{
		ElectionTimeout: protocols.Range{Min: 150e6, Max: 300e6},
		Heartbeat:       50e6,
		Window:          64,
		Decide:          DecidePiggyback,
		Reads:           ReadsQuorum,
		MaxDrift:        500_000,
		SnapshotEvery:   1000,
		LeaderWrite:     LeaderWriteParallel,
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
		return fmt.Errorf("election_timeout: got %v, want a range whose end is above its start, or candidates stop each other again and again", p.ElectionTimeout)
	case p.Heartbeat <= 0 || p.Heartbeat >= p.ElectionTimeout.Min:
		return fmt.Errorf("heartbeat: got %v, want above 0s and below the minimum election timeout %v", p.Heartbeat, p.ElectionTimeout.Min)
	case p.Window < 1 || p.Window > maxWindow:
		return fmt.Errorf("window: got %d, want 1..%d", p.Window, maxWindow)
	case p.MaxDrift < 0 || p.MaxDrift >= billion:
		return fmt.Errorf("max_drift: got %d, want 0..%d parts per billion", p.MaxDrift, int64(billion-1))
	case p.SnapshotEvery < 0:
		return fmt.Errorf("snapshot_every: got %d, want 0 (never) or more", p.SnapshotEvery)
	case p.Decide != DecidePiggyback && p.Decide != DecideExplicit:
		return fmt.Errorf("decide: got %q, want piggyback or explicit", p.Decide)
	case p.Reads != ReadsQuorum && p.Reads != ReadsLease && p.Reads != ReadsLog:
		return fmt.Errorf("reads: got %q, want quorum, lease or log", p.Reads)
	case p.LeaderWrite != LeaderWriteParallel && p.LeaderWrite != LeaderWriteSerial:
		return fmt.Errorf("leader_write: got %q, want parallel or serial", p.LeaderWrite)
	}
	if err := p.checkQuorums(n); err != nil {
		return err
	}
	_, err := knownBugs().Parse(p.Bugs)
	return err
}

// checkQuorums says why the quorum sizes do not do for n members.
func (p *Parameters) checkQuorums(n int) error {
	for _, q := range [...]struct {
		name string
		size int
	}{{"q1", p.Q1}, {"q2", p.Q2}} {
		if q.size < 0 || q.size > n {
			return fmt.Errorf("%s: got %d, want 1..%d, or 0 for a majority", q.name, q.size, n)
		}
	}
	members := protocols.NodesUpTo(n)
	q1, q2 := p.sizes(n)
	if !(protocols.Threshold{Of: members, Size: q1}).Meets(protocols.Threshold{Of: members, Size: q2}) {
		return fmt.Errorf("q1, q2: got %d and %d of %d replicas, want q1+q2 of %d or more, or two quorums need not share a node", q1, q2, n, n+1)
	}
	return nil
}

// sizes returns the sizes of the quorums of n members.
func (p *Parameters) sizes(n int) (q1, q2 int) {
	q1, q2 = p.Q1, p.Q2
	if q1 == 0 {
		q1 = protocols.MajoritySize(n)
	}
	if q2 == 0 {
		q2 = protocols.MajoritySize(n)
	}
	return q1, q2
}

const (
	maxWindow = 1024
	billion   = 1_000_000_000
)

// lease returns how long a lease lasts on the leader's clock from the sending of
// the round that a quorum acknowledged: T·(1-rho)/(1+rho) for the time T in which
// acceptors ignore other candidates and the clock bound rho. In that time no
// acceptor's clock, fast by rho, has counted T while the leader's, slow by rho,
// counts the lease. Rounded down.
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
