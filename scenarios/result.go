package scenarios

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Decimal is a number with three decimals, kept in thousandths so that no float
// enters a result.
type Decimal int64

// String prints 8.020.
func (d Decimal) String() string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	return fmt.Sprintf("%s%d.%03d", sign, int64(d)/1000, int64(d)%1000)
}

// MarshalJSON writes a JSON number.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	v, err := parseDecimal(string(b))
	if err != nil {
		return fmt.Errorf("want a number with at most three decimals, got %s", b)
	}
	*d = Decimal(v)
	return nil
}

// per returns a/b in thousandths, rounded down; 0 when b is 0.
func per(a, b uint64) Decimal {
	if b == 0 {
		return 0
	}
	return Decimal(a/b*1000 + a%b*1000/b)
}

// Operations counts client operations by outcome.
type Operations struct {
	OK      uint64 `json:"ok"`
	Failed  uint64 `json:"failed"`
	Unknown uint64 `json:"unknown"`
}

// Total is the number of operations called.
func (o Operations) Total() uint64 { return o.OK + o.Failed + o.Unknown }

// Latency holds exact percentiles by nearest rank over the operations that
// returned, in nanoseconds; all 0 when none did.
type Latency struct {
	P50 int64 `json:"p50"`
	P90 int64 `json:"p90"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// PerCommit is the cost of one operation that returned, over the safety phase.
type PerCommit struct {
	Messages Decimal `json:"messages"`
	Bytes    Decimal `json:"bytes"`
	Fsyncs   Decimal `json:"fsyncs"`
}

// Fault is one fault of the plan as it struck.
type Fault struct {
	ID        int    `json:"id"`             // position in the plan, from 1
	Kind      string `json:"kind"`           // partition
	Target    string `json:"target"`         // as the scenario says it: leader
	When      string `json:"when,omitempty"` // the event that it waited for: 200ms after leader-elected
	Resolved  string `json:"resolved"`       // who was hit: n2; "" when nobody was
	StartNS   int64  `json:"start_ns"`       // when it struck
	EndNS     int64  `json:"end_ns"`         // when it ended, by itself or by a heal; the end of the run for one that did not
	State     string `json:"state"`          // over, active, missed, cancelled, waiting, planned or not triggered
	Effective bool   `json:"effective"`      // it changed something
	How       string `json:"how"`            // what it changed, in words
}

// Checked is one expectation or probe with what the run gave.
type Checked struct {
	Text string `json:"text"` // latency.p99 < 400ms
	Got  string `json:"got"`  // 48.2ms
	Met  bool   `json:"met"`
}

// Broken is one violation.
type Broken struct {
	Check string `json:"check"`
	Text  string `json:"text"`
	AtNS  int64  `json:"at_ns"`
	Event uint64 `json:"event"`
	Node  string `json:"node,omitempty"`
}

// Checkpoint is the digest over all events before one event.
type Checkpoint struct {
	Event  uint64 `json:"event"`
	Digest string `json:"digest"` // 16 hex digits
}

// Judged sums up who decided the history.
type Judged struct {
	Deciders    []string `json:"deciders"`      // witness, zones, log, porcupine: those that decided something
	Partitions  int      `json:"partitions"`    // keys, or 1
	OutOfBudget int      `json:"out_of_budget"` // cross-checks that gave up; the run is ok none the less
	// Strongest names the strongest model that the history keeps: linearizability, a
	// weaker one, or session guarantees; "" where nothing was put on trial. Of a history
	// that is not linearizable, or need not be, Stale and StaleNS say how far answers
	// lagged, and Effects counts what became of writes.
	Strongest string              `json:"strongest,omitempty"`
	Held      []checker.Guarantee `json:"-"` // those that hold, where Strongest is weaker than linearizability
	Stale     int                 `json:"stale_reads,omitempty"`
	StaleNS   int64               `json:"stale_ns,omitempty"`
	Effects   *checker.Effects    `json:"effects,omitempty"`
}

// Linearizability is [Judged.Strongest] of a history that is linearizable.
const Linearizability = "linearizability"

// Liveness says how a run was judged after its heals.
type Liveness struct {
	Core string `json:"core"` // the nodes that were healed first: {n1 n3}
	// Judged: the core did in time all that was asked of it, or is found to have failed;
	// then all nodes likewise.
	Judged bool `json:"judged"`
	// Excuse says why the core need not have done so: a reason that was looked up in the
	// true state. All nodes together have no such excuse.
	Excuse string `json:"excuse,omitempty"`
}

// Result is everything that one run of a scenario showed. Equal scenario,
// protocol and seed give the equal result, byte for byte.
type Result struct {
	Scenario   string          `json:"scenario"`
	Protocol   string          `json:"protocol"`
	Seed       uint64          `json:"seed"`
	Verdict    checker.Verdict `json:"verdict"`
	Check      string          `json:"check,omitempty"`  // the first broken check
	Reason     string          `json:"reason,omitempty"` // why the verdict is not ok
	Met        bool            `json:"met"`              // all that the scenario expects
	Digest     string          `json:"digest"`           // 16 hex digits over every event
	Events     uint64          `json:"events"`
	Virtual    Decimal         `json:"virtual_seconds"`
	Operations Operations      `json:"operations"`
	Latency    Latency         `json:"latency_ns"`
	Throughput Decimal         `json:"throughput"` // operations that returned per virtual second of the safety phase
	PerCommit  PerCommit       `json:"per_commit"`
	Leaderless int64           `json:"leaderless_ns"`         // time of the safety phase in which nobody led a quorum, the first election included
	Gaps       []Gap           `json:"gaps,omitempty"`        // of the safety phase, in order
	Goodput    *Goodput        `json:"goodput,omitempty"`     // where the scenario asks for it, and it could be judged
	Recovery   int64           `json:"recovery_ns"`           // from the heal of the core until all that was asked of it was done
	Liveness   *Liveness       `json:"liveness,omitempty"`    // nil: the run did not come to its heal
	Lost       *Lost           `json:"lost_writes,omitempty"` // where the guarantee allows to lose acknowledged writes
	Violations []Broken        `json:"violations,omitempty"`
	Phases     []PhaseResult   `json:"phases,omitempty"`
	Faults     []Fault         `json:"faults,omitempty"`
	Admin      []Fault         `json:"admin,omitempty"` // what the operator wanted, as faults are told
	Play       []Played        `json:"play,omitempty"`  // the script with what came of each step
	Expected   []Checked       `json:"expected,omitempty"`
	Probes     []Checked       `json:"probes,omitempty"`
	Reached    []ProbeCount    `json:"reached,omitempty"` // every probe, where Options ask for them
	Judged     Judged          `json:"judged"`
	Replay     string          `json:"replay"` // the command that repeats the run

	// Checkpoints are digests on the way, at most 64, where Options ask for them.
	Checkpoints []Checkpoint `json:"checkpoints,omitempty"`

	// Err says why the scenario cannot be run with the protocol; nothing was run.
	Err error `json:"-"`

	// Kept only where Options ask for it; never part of the JSON.
	History []protocols.Operation `json:"-"`
	Trace   []sim.TraceEvent      `json:"-"`
	// FaultLog and Cluster go with Trace.
	FaultLog []sim.FaultRecord `json:"-"`
	Cluster  protocols.Cluster `json:"-"`
	Report   *checker.Report   `json:"-"`

	stats               sim.Stats // of the safety phase
	safetyEnd           protocols.Time
	attempts            uint64
	killed, recordsLost uint64 // by crashes
	expected            checker.Verdict
}

// Stats returns what the engine counted in the safety phase.
func (r *Result) Stats() *sim.Stats { return &r.stats }

// SafetyJudged reports whether the clients' history and the invariants were judged: some
// operation returned, and the judge came to a decision within the model.
func (r *Result) SafetyJudged() bool {
	switch r.Verdict {
	case checker.Violation:
		return true
	case checker.OK, checker.Unavailable:
		return r.Operations.OK > 0
	}
	return false
}

// LivenessJudged reports whether progress after the heals was judged, without an
// excuse.
func (r *Result) LivenessJudged() bool {
	return r.Liveness != nil && r.Liveness.Judged && r.Verdict != checker.OutsideModel
}

// Code returns the exit code of this result alone.
func (r *Result) Code() int {
	switch {
	case r.Err != nil:
		return CodeUsage
	case r.Verdict == checker.Inconclusive:
		return CodeInconclusive
	case r.Verdict == checker.Violation && r.expected != checker.Violation:
		return CodeViolation
	case !r.Met:
		return CodeMissed
	}
	return CodeOK
}

// Missed lists the expectations and probes that were not met, for one line of
// text each.
func (r *Result) Missed() []Checked {
	var missed []Checked
	for _, list := range [][]Checked{r.Expected, r.Probes} {
		for _, c := range list {
			if !c.Met {
				missed = append(missed, c)
			}
		}
	}
	return missed
}

func faultOf(f *sim.FaultRecord, now protocols.Time) Fault {
	out := Fault{
		ID: f.Fault.ID, Kind: string(f.Fault.Kind), Target: f.Fault.Target.String(), Resolved: f.Names,
		State: f.State.String(), Effective: f.Effective, How: f.How(), When: whenText(f.Fault.When, f.Fault.After),
	}
	switch f.State {
	case sim.Active:
		out.StartNS, out.EndNS = int64(f.Struck), int64(now)
	case sim.Over:
		out.StartNS, out.EndNS = int64(f.Struck), int64(f.Ended)
	}
	return out
}

// whenText says which event something waited for; "" where a time decided.
func whenText(when sim.Trigger, after protocols.Duration) string {
	switch {
	case !when.Set():
		return ""
	case after == 0:
		return "at " + when.String()
	}
	return sim.FormatDuration(after) + " after " + when.String()
}

// adminOf tells a step of the operator's plan like a fault: Kind reconfigure, Target
// what was wanted, Resolved who was asked, and for which members.
func adminOf(r *sim.AdminRecord, now protocols.Time) Fault {
	out := Fault{
		ID: r.Step.ID, Kind: r.Step.Kind.String(), Target: r.Step.String(), Resolved: r.Resolved(),
		State: r.State.String(), Effective: r.Effective, How: r.How(), When: whenText(r.Step.When, r.Step.After),
	}
	switch r.State {
	case sim.Active:
		out.StartNS, out.EndNS = int64(r.Struck), int64(now)
	case sim.Over:
		out.StartNS, out.EndNS = int64(r.Struck), int64(r.Ended)
	}
	return out
}

func hex(digest uint64) string { return fmt.Sprintf("%016x", digest) }

func decimalSeconds(t protocols.Time) Decimal { return Decimal(int64(t) / 1_000_000) }
