package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Forever is a fault's For that only a heal ends.
const Forever = protocols.Duration(1<<63 - 1)

// Fault is one item of a fault plan: an interval that ends by itself. Removing
// one leaves the run unchanged up to that fault's first effect; its own line in
// the trace counts as one.
type Fault struct {
	ID int // names its random stream, from 1; 0 takes the position in the plan
	// Stream names its random stream in place of ID, so that a fault draws the same when
	// others of its plan are gone; 0: ID does.
	Stream int
	Kind   protocols.FaultKind
	At     protocols.Time     // when it strikes; with When: the event counts from then on
	For    protocols.Duration // Forever: until healed; a clock step of 0 stays
	// Target says who is hit; it is resolved when the fault strikes. A role that
	// nobody holds then (leader) is waited for until the interval ends.
	Target Target

	When  Trigger            // the event after which it strikes; zero: it strikes at At
	After protocols.Duration // with When: so long after the event
	Until protocols.Time     // with When: the event counts up to then; 0: always
	Count int                // with When: it strikes at so many events, 1..MaxCount; 0 is 1

	OneWay  Direction          // partition, clog and what disturbs links: which way
	Prob    Prob               // loss, duplicate, replay, corrupt-message: of each message
	Latency Dist               // delay, reorder: added to each message
	Factor  int64              // slow-disk, slow-node: times slower, 2..1000
	Cut     int                // crash: at the next step with effects, after this many of them; 0: between steps
	Step    protocols.Duration // clock, strobe: the wall clock jumps by this, also backwards; back again at the end
	Drift   int64              // clock, skew: rate error meanwhile, parts per billion
	Point   CrashPoint         // crash-point: when it crashes
	Nth     int                // crash-point: at which time that the point comes, from 1; 0 is 1
	Every   protocols.Duration // strobe: between two jumps; attrition: mean time between two crashes of an idle node
	Down    Dist               // attrition: how long a crash lasts

	Shape   Shape              // partition: how it divides the nodes
	From    Target             // partition that isolates: from whom; empty: from everybody else
	Clients ClientSide         // partition with two sides: where the clients are
	Flap    protocols.Duration // partition: opens and closes, half of this each; 0: stays closed
	Rate    int64              // bandwidth: bytes per second
	Queue   int64              // bandwidth: bytes that may wait at each link; 0: any number
	Age     protocols.Duration // replay: at most this much later; 0 takes DefaultReplayAge
}

// streamName is the number of f's random stream.
func (f *Fault) streamName() int {
	if f.Stream != 0 {
		return f.Stream
	}
	return f.ID
}

// Direction says which way a fault works on the links between its target and
// the rest.
type Direction uint8

const (
	Both Direction = iota // to and from the target
	In                    // towards the target: a cut target hears nobody
	Out                   // from the target: nobody hears it
)

var directions = [...]string{"both", "in", "out"}

// ParseDirection reads both, in or out.
func ParseDirection(s string) (Direction, error) {
	for i, d := range directions {
		if s == d {
			return Direction(i), nil
		}
	}
	return 0, fmt.Errorf("direction %q: want %s", s, strings.Join(directions[:], ", "))
}

// String prints what ParseDirection reads.
func (d Direction) String() string {
	if int(d) < len(directions) {
		return directions[d]
	}
	return fmt.Sprintf("direction %d", uint8(d))
}

// FaultInfo describes a kind of fault that the engine can inject.
type FaultInfo struct {
	Kind protocols.FaultKind
	Text string
	Uses string // the fields of Fault that it reads, besides ID, At, For and Target
}

// FaultKinds lists what the engine can inject, in the order of documentation.
func FaultKinds() []FaultInfo {
	return append([]FaultInfo{
		{protocols.FaultCrash, "stop, lose un-synced writes and what waits for them, restart at the end", "Cut"},
		{protocols.FaultPause, "stop, then go on with old timers and messages", ""},
		{protocols.FaultPartition, "cut the links between the target and the rest, or in another shape, with what is in flight on them", "OneWay, Shape, From, Clients, Flap"},
		{protocols.FaultLoss, "lose messages of the target's links at random", "Prob, OneWay"},
		{protocols.FaultDuplicate, "deliver messages of the target's links twice, at random", "Prob, OneWay"},
		{protocols.FaultReorder, "let messages of the target's links overtake each other, FIFO or not", "Latency, OneWay"},
		{protocols.FaultDelay, "slow the target's links down", "Latency, OneWay"},
		{protocols.FaultSlowDisk, "multiply the time of writes and fsyncs", "Factor"},
		{protocols.FaultClock, "step the wall clock, or change the clock's rate within the declared bound", "Step, Drift"},
		{protocols.FaultSkew, "change the clock's rate beyond the declared bound", "Drift"},
		{protocols.FaultStrobe, "let the wall clock jump forward and back, over and over", "Step, Every"},
		{protocols.FaultPowerLoss, "stop everybody at one instant, lose un-synced writes and the caches of lying disks, restart at the end", ""},
		{protocols.FaultWipe, "stop, lose the disk, restart at the end under the same identity", ""},
		{protocols.FaultAttrition, "crash at random, ten times as likely while a write is not durable, and restart after a drawn time", "Every, Down"},
		{protocols.FaultCrashPoint, "stop before or after a record, fsync, message, leader change, view change or executed entry, restart at the end", "Point, Nth"},
		{protocols.FaultSlowNode, "let each step take time; what arrives meanwhile queues", "Factor"},
		{protocols.FaultStall, "let no fsync complete", ""},
		{protocols.FaultTorn, "let a crash leave a part of the un-synced log, with its last record torn", ""},
		{protocols.FaultReordered, "let a crash leave any of the un-synced records, not just the first ones", ""},
		{protocols.FaultDiskError, "let fsyncs fail at random; a program that was told starts again at the end", "Prob"},
		{protocols.FaultDiskFull, "let every write fail for want of space; a program that was told starts again at the end", ""},
		{protocols.FaultLying, "let fsyncs complete that reach only a cache, which a power-loss loses", ""},
		{protocols.FaultCorrupt, "damage one durable record of which another node has a good copy; the next boot finds it", ""},
		{protocols.FaultMisdirect, "let one record land in the place of another of which another node has a good copy", ""},
	}, networkFaults()...)
}

// FaultRecord is what became of one fault.
type FaultRecord struct {
	Fault    Fault
	State    FaultState
	Firing   int            // with When: which of its events this is, from 0
	Resolved Resolved       // whom it hit
	Names    string         // the same in words, "" while nobody
	Struck   protocols.Time // when it struck; meaningless while planned or waiting
	Ended    protocols.Time // when it ended; meaningless while active

	// Effective says whether it changed anything. Count says how much: messages
	// lost, copied, delayed, overtaking, cut,
	// held back, slowed, replayed or corrupted; events deferred and sends held by a
	// pause; records lost by a crash; flushes slowed, stalled or failed; crashes that
	// left a damaged log; records damaged or lost by a lying disk; events that a slow
	// node let wait; clocks that changed.
	Effective bool
	Count     uint64
	Killed    uint64            // of kinds that stop nodes: live nodes that stopped
	Refused   protocols.NodeSet // whose programs did not boot from what this fault left of their disks
}

// FaultState is where a fault is in its life.
type FaultState uint8

const (
	Planned   FaultState = iota // has not struck yet
	Waiting                     // its time has come, its target has not
	Active                      // has struck and goes on
	Over                        // has struck and ended
	Missed                      // its target never existed during its interval
	Cancelled                   // a heal came first
	Armed                       // the event that it waits for has not come
)

var faultStates = [...]string{"planned", "waiting", "active", "over", "missed", "cancelled", "not triggered"}

// String prints the state in a word.
func (s FaultState) String() string { return faultStates[s] }

// How says in words what the fault did.
func (r *FaultRecord) How() string {
	switch {
	case r.State == Planned || r.State == Waiting || r.State == Missed || r.State == Cancelled || r.State == Armed:
		return "did not strike (" + r.State.String() + ")"
	case !r.Effective:
		return "changed nothing"
	}
	text := fmt.Sprintf("%d %s", r.Count, effectOf(r.Fault.Kind))
	if Stops(r.Fault.Kind) {
		text = fmt.Sprintf("%d stopped, %d records lost", r.Killed, r.Count)
	}
	if !r.Refused.Empty() {
		text += fmt.Sprintf("; %v did not boot from it", r.Refused)
	}
	return text
}

// effectOf says what FaultRecord.Count counts.
func effectOf(k protocols.FaultKind) string {
	switch k {
	case protocols.FaultPause:
		return "events and sends held back"
	case protocols.FaultPartition:
		return "messages cut"
	case protocols.FaultLoss:
		return "messages lost"
	case protocols.FaultDuplicate:
		return "messages copied"
	case protocols.FaultReorder:
		return "messages out of order"
	case protocols.FaultDelay:
		return "messages delayed"
	case protocols.FaultSlowDisk:
		return "flushes slowed"
	case protocols.FaultStall:
		return "fsyncs stalled"
	case protocols.FaultDiskError, protocols.FaultDiskFull:
		return "fsyncs failed"
	case protocols.FaultTorn, protocols.FaultReordered:
		return "crashes left a damaged log"
	case protocols.FaultLying:
		return "records lost"
	case protocols.FaultCorrupt, protocols.FaultMisdirect:
		return "records damaged"
	case protocols.FaultSlowNode:
		return "events kept waiting"
	case protocols.FaultClog, protocols.FaultSwizzleClog:
		return "messages held back"
	case protocols.FaultBandwidth:
		return "messages slowed or dropped"
	case protocols.FaultReplay:
		return "messages replayed"
	case protocols.FaultCorruptMessage:
		return "messages corrupted"
	}
	return "clocks changed"
}
