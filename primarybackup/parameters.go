package primarybackup

import (
	"fmt"
	"math/bits"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Parameters are the settings of a primary-backup group. All nodes of a run have
// the same.
type Parameters struct {
	// Mode is what a write waits for before it is answered: see the Mode constants.
	Mode string `param:"mode" swarm:"sync,semisync,async" doc:"What a write waits for: sync: all backups of the view; semisync: k of them; async: the primary's own disk."`
	// K is how many backups must hold a write under semisync, 1..replicas-1; a group
	// of one has none to wait for.
	K int `param:"k" swarm:"1..2" doc:"semisync: how many backups must hold a write durably before it is answered."`
	// Visible is when other clients see a write under semisync.
	Visible string `param:"visible" swarm:"after_sync,after_commit" doc:"semisync: after_sync: reads see a write once k backups hold it; after_commit: once the primary's own disk has it."`
	// OnTimeout is what semisync does when k backups have not answered in Timeout.
	OnTimeout string `param:"on_timeout" swarm:"block,refuse,degrade" doc:"semisync, when k backups stay silent: block: go on waiting; refuse: also refuse further writes; degrade: answer as async does until they have caught up."`
	// Timeout is how long a write waits under semisync before OnTimeout applies.
	Timeout protocols.Duration `param:"timeout" swarm:"scaled" doc:"semisync: how long to wait for k backups before on_timeout applies."`
	// Log is what is shipped: results or commands.
	Log string `param:"log" swarm:"physical,logical" doc:"physical: the primary executes and ships results and changes; logical: it ships commands, and every replica executes."`
	// Reads is how the primary makes sure that it still is one.
	Reads string `param:"reads" swarm:"round,lease" doc:"round: ask all backups for each read; lease: answer alone while the view service's promise lasts, else by a round."`
	// Ping is the time between pings to the view service, and between heartbeats to
	// the backups.
	Ping protocols.Duration `param:"ping" swarm:"scaled" doc:"Time between pings to the view service, and between heartbeats to the backups."`
	// DeadAfter is the silence after which a node is taken for dead; above 2 Ping.
	DeadAfter protocols.Duration `param:"dead_after" swarm:"scaled" doc:"Silence after which a node is taken for dead; more than two pings."`
	// MaxDrift bounds the rate error of each clock for lease reads, in parts per
	// billion, below 1e9.
	MaxDrift int64 `param:"max_drift" swarm:"drift" doc:"Bound of each clock's rate error that lease reads rely on, in parts per billion."`
	// MaxBatch is the largest number of entries in one Replicate, from 1.
	MaxBatch int `param:"max_batch" swarm:"1..4" doc:"Largest number of entries in one Replicate."`
	// Window is the largest number of entries sent and not yet acknowledged, from 1.
	Window int `param:"window" swarm:"1..8" doc:"Largest number of entries sent to one backup and not yet acknowledged."`
	// CatchUp is how many committed entries a replica may lack, from 0, before it gets
	// the whole state instead.
	CatchUp int `param:"catch_up" swarm:"0..6" doc:"A replica that lacks more committed entries than this gets the whole state instead of the log."`
	// SnapshotEvery is after how many committed entries a replica takes a snapshot and
	// compacts its log; 0 is never.
	SnapshotEvery int `param:"snapshot_every" doc:"Committed entries after which a replica takes a snapshot and compacts its log; 0 is never."`
	// LeaderWrite is whether what the primary ships waits for its own disk: parallel or
	// serial.
	LeaderWrite string `param:"leader_write" swarm:"parallel,serial" doc:"parallel: what the primary ships leaves while its own disk writes it; serial: once its own disk has it."`
	// Bugs are known bugs to switch on, by id.
	Bugs []string `param:"bugs" doc:"Known bugs to switch on."`
}

// The values of Parameters.Mode.
const (
	ModeSync     = "sync"
	ModeSemisync = "semisync"
	ModeAsync    = "async"
)

// The values of Parameters.Visible.
const (
	AfterSync   = "after_sync"
	AfterCommit = "after_commit"
)

// The values of Parameters.OnTimeout.
const (
	Block   = "block"
	Refuse  = "refuse"
	Degrade = "degrade"
)

// The values of Parameters.Log.
const (
	Physical = "physical"
	Logical  = "logical"
)

// The values of Parameters.Reads.
const (
	ReadsRound = "round"
	ReadsLease = "lease"
)

// The values of Parameters.LeaderWrite.
const (
	LeaderWriteParallel = "parallel"
	LeaderWriteSerial   = "serial"
)

// DefaultParameters returns the defaults: sync, physical, reads by a round.
func DefaultParameters() *Parameters {
	return &Parameters{
		Mode:        ModeSync,
		K:           1,
		Visible:     AfterSync,
		OnTimeout:   Block,
		Timeout:     100e6,
		Log:         Physical,
		Reads:       ReadsRound,
		Ping:        50e6,
		DeadAfter:   200e6,
		MaxDrift:    500_000,
		MaxBatch:    64,
		Window:      1024,
		CatchUp:     128,
		LeaderWrite: LeaderWriteParallel,
	}
}

const billion = 1_000_000_000

// Validate says what is wrong with the parameters for n replicas.
func (p *Parameters) Validate(n int) error {
	// The view service takes one id.
	if n < 1 || n > protocols.MaxNodes-1 {
		return fmt.Errorf("replicas: got %d, want 1..%d", n, protocols.MaxNodes-1)
	}
	for _, c := range []struct {
		name, got string
		want      []string
	}{
		{"mode", p.Mode, []string{ModeSync, ModeSemisync, ModeAsync}},
		{"visible", p.Visible, []string{AfterSync, AfterCommit}},
		{"on_timeout", p.OnTimeout, []string{Block, Refuse, Degrade}},
		{"log", p.Log, []string{Physical, Logical}},
		{"reads", p.Reads, []string{ReadsRound, ReadsLease}},
		{"leader_write", p.LeaderWrite, []string{LeaderWriteParallel, LeaderWriteSerial}},
	} {
		if err := oneOf(c.name, c.got, c.want); err != nil {
			return err
		}
	}
	if err := p.validateNumbers(n); err != nil {
		return err
	}
	_, err := knownBugs().Parse(p.Bugs)
	return err
}

func oneOf(name, got string, want []string) error {
	text := ""
	for i, w := range want {
		if w == got {
			return nil
		}
		if i > 0 {
			text += ", "
		}
		text += w
	}
	return fmt.Errorf("%s: got %q, want one of %s", name, got, text)
}

func (p *Parameters) validateNumbers(n int) error {
	const longest = protocols.Duration(1) << 40 // 18 minutes: sums and products stay small
	switch {
	case p.K < 1 || p.K > max(1, n-1):
		return fmt.Errorf("k: got %d, want 1..%d, one less than the replicas", p.K, max(1, n-1))
	case p.Timeout <= 0 || p.Timeout > longest:
		return fmt.Errorf("timeout: got %v, want above 0s and at most %v", p.Timeout, longest)
	case p.Ping <= 0:
		return fmt.Errorf("ping: got %v, want above 0s", p.Ping)
	case p.DeadAfter <= 2*p.Ping || p.DeadAfter > longest:
		return fmt.Errorf("dead_after: got %v, want more than two pings, that is %v, and at most %v", p.DeadAfter, 2*p.Ping, longest)
	case p.MaxDrift < 0 || p.MaxDrift >= billion:
		return fmt.Errorf("max_drift: got %d, want 0..%d parts per billion", p.MaxDrift, int64(billion-1))
	case p.MaxBatch < 1:
		return fmt.Errorf("max_batch: got %d, want 1 or more", p.MaxBatch)
	case p.Window < 1:
		return fmt.Errorf("window: got %d, want 1 or more", p.Window)
	case p.CatchUp < 0:
		return fmt.Errorf("catch_up: got %d, want 0 or more", p.CatchUp)
	case p.SnapshotEvery < 0:
		return fmt.Errorf("snapshot_every: got %d, want 0 (never) or more", p.SnapshotEvery)
	}
	return nil
}

// deafAfter is how long the view service waits for a sign that a replica hears it,
// which takes a whole round where a ping takes one way.
func (p *Parameters) deafAfter() protocols.Duration { return 3 * p.DeadAfter }

// stuckAfter is how long the primary waits for an acknowledgement of a backup that
// answers its heartbeats: the slowest write of a disk that works takes less.
func (p *Parameters) stuckAfter() protocols.Duration { return 3 * p.DeadAfter }

// lease returns how long a lease lasts on the primary's clock from the sending of
// the ping that the view service answered: T·(1-rho)/(1+rho) for T = DeadAfter and
// the clock bound rho. In that time the service's clock, fast by rho, has not
// counted T while the primary's, slow by rho, counts the lease. Rounded down.
func (p *Parameters) lease() protocols.Duration {
	return scale(p.DeadAfter, billion-p.MaxDrift, billion+p.MaxDrift)
}

// scale returns d·numerator/denominator, rounded down, for d >= 0 and
// 0 <= numerator <= denominator.
func scale(d protocols.Duration, numerator, denominator int64) protocols.Duration {
	high, low := bits.Mul64(uint64(d), uint64(numerator))
	quotient, _ := bits.Div64(high, low, uint64(denominator))
	return protocols.Duration(quotient)
}

// guarantee says what the parameters promise.
func (p *Parameters) guarantee() protocols.Guarantee {
	switch {
	case p.Mode == ModeSync:
		return protocols.Guarantee{Linearizable: true, Text: "linearizable; an acknowledged write is durable on every member of the view"}
	case p.Mode == ModeAsync:
		return protocols.Guarantee{LosesAcknowledged: true, Text: "an acknowledged write is durable on the primary only: a failover may lose what was acknowledged last"}
	case p.OnTimeout == Degrade:
		return protocols.Guarantee{LosesAcknowledged: true, Text: fmt.Sprintf("an acknowledged write is durable on the primary and, unless they are silent for %v, on %d backups: a failover may lose it", p.Timeout, p.K)}
	case p.Visible == AfterCommit:
		return protocols.Guarantee{LosesAcknowledged: true, Text: fmt.Sprintf("an acknowledged write is durable on the primary and %d backups, a failover to another may lose it, and reads may see writes that are never acknowledged and then lost", p.K)}
	}
	return protocols.Guarantee{LosesAcknowledged: true, Text: fmt.Sprintf("an acknowledged write is durable on the primary and %d backups: a failover to another may lose it", p.K)}
}

// clockBound returns the rate error of each clock that leases rely on, in parts per
// billion; -1: there are none.
func (p *Parameters) clockBound() int64 {
	if p.Reads == ReadsLease {
		return p.MaxDrift
	}
	return -1
}
