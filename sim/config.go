package sim

import "github.com/lockstep-sim/lockstep/protocols"

// Config is everything that a run depends on. Equal configurations give equal
// runs, byte for byte, on any machine.
type Config struct {
	Protocol   *protocols.Protocol
	Parameters any    // as Protocol.Parameters returns; nil takes the defaults
	Replicas   int    // 1..101
	Machine    string // state machine by name; "" is kv
	Seed       uint64

	Network  Network
	CPU      CPU
	Disk     Disk
	Clock    Clock
	Workload Workload
	Phases   []Phase // what changes of Network and Workload, and when
	Faults   []Fault
	// Members is the first membership; empty: every replica. The others boot without
	// members and join later.
	Members protocols.NodeSet
	Admin   []AdminStep // what an operator wants done
	// Scripted: the world moves only by Do, until Release.
	Scripted bool

	// Early and Lose are two bugs for anybody's protocol: message kinds that leave
	// before what they claim is durable, and record kinds that are never written.
	// By name, as in Protocol.Messages and Protocol.Records.
	Early, Lose []string

	Observers []protocols.Observer // see all, change nothing
	Memory    protocols.MemoryMode // never changes what a run does
	Trace     bool                 // record every event; needs Memory Keep, and sets it
	MaxEvents uint64               // event budget; 0 takes DefaultMaxEvents

	// Checkpoints keeps digests on the way, for [World.Checkpoints].
	Checkpoints bool

	// Reseed gives the run another future.
	Reseed Reseed

	// Trusting lets subscribers report no violations: it switches their check off.
	Trusting bool
	// roles is for metamorphic tests: node i draws what node roles[i-1] would draw, and
	// chance meets it where it would meet that one. nil: everybody is themselves.
	roles []protocols.NodeID
	// slower is for metamorphic tests: the engine's own times are so many times
	// longer. 0 takes 1.
	slower int64

	// Recoveries keeps what every crash lost and every boot found, for
	// [World.Recoveries]. Trace does so too.
	Recoveries bool
}

// MaxReplicas, MaxClients and MaxSubscribers bound Config.Replicas,
// Workload.Clients and Workload.Subscribers.
const (
	MaxReplicas    = protocols.MaxNodes
	MaxClients     = 1000
	MaxSubscribers = 100
)

// DefaultMaxEvents bounds a run that names no bound: an hour of virtual time of a
// small cluster, and few enough that the logs of a huge one fit into memory.
const DefaultMaxEvents = 20_000_000

// Network describes the links. A link is directed.
type Network struct {
	Between Link       // replica to replica (and service)
	Client  Link       // client to replica and back
	Links   []LinkRule // exceptions, the later wins
	Regions []Region   // where nodes and clients are; empty: all in one place
	Matrix  Matrix     // how far the regions are from each other; needs Regions
}

// Link is how one directed link behaves when no fault touches it.
type Link struct {
	Latency   Dist // one way
	Loss      Prob // each message, independently
	Duplicate Prob // each message, independently; the copy draws its own latency
	FIFO      bool // no message overtakes another; otherwise latency alone orders them

	// Jitter is added to the latency. Every message draws it, or, with a Correlation,
	// every slice of time of that length: messages that leave in one slice share it.
	Jitter      Dist
	Correlation protocols.Duration

	Corrupt   Prob               // each message, independently: a checksum fails, and it is dropped
	Replay    Prob               // each message, independently: a copy arrives once more, later
	ReplayAge protocols.Duration // at most this much later; 0 takes DefaultReplayAge

	// Bandwidth is what the link carries, in bytes per second: a message takes size /
	// Bandwidth to leave, one after the other. Queue bounds, in bytes, what waits to
	// leave and is leaving; what finds no room is dropped. 0: no bound.
	Bandwidth, Queue int64
}

// DefaultReplayAge is how old a replayed message is at most where nothing is said.
const DefaultReplayAge = protocols.Duration(30_000_000_000)

// LinkRule replaces the Link of the directed pair From→To, and with Both that of
// To→From as well.
type LinkRule struct {
	From, To protocols.NodeID
	Both     bool
	Link     Link
}

// Disk is the write-ahead log's device at every node.
type Disk struct {
	Write Dist // per record, before the fsync can start
	Fsync Dist // one at a time; records that arrive meanwhile share the next (group commit)
}

// Clock is how node clocks differ from true time. Each node draws once.
type Clock struct {
	Offset Dist  // monotone and wall clock start this far ahead
	Drift  int64 // parts per billion: the rate error is uniform in ±Drift
}

// Workload is what the clients do during the safety phase.
type Workload struct {
	Clients    int                // 0..MaxClients
	Keys       int                // kv: keys are drawn from k1..kKeys; 0 takes 1
	Popularity Popularity         // kv: how often each key is drawn
	Mix        []Share            // what each operation is; empty: one write and one read of the machine, evenly
	Think      Dist               // closed loop: pause between a result and the next call
	Every      Dist               // open loop: time between arrivals, over all clients; zero: closed loop
	Burst      int                // open loop: operations that arrive at once, 1..MaxBurst; 0 is 1
	Payload    Sizes              // bytes that a written value takes on the wire beside its number
	Timeout    protocols.Duration // per attempt; then the same request goes to another node; 0 takes DefaultTimeout
	GiveUp     protocols.Duration // per operation; then its outcome is failed or unknown; 0 takes DefaultGiveUp
	Operations int                // stop after this many calls; 0: no limit
	Begin      protocols.Time     // first call not before
	// Calls, where there are any, are all that clients call: Keys bounds their keys,
	// Operations their number, and Mix, Think, Every and Begin play no part.
	Calls []Call

	// Subscribers is the number of clients, beside Clients and numbered after them,
	// that follow the log and feed derived tables, up to MaxSubscribers. They call no
	// operation, are in no history, and change nothing. They crash and boot at drawn
	// times until the heal.
	Subscribers int
}

// Sizes is a range of sizes in bytes, both ends included and equally likely.
type Sizes struct{ Min, Max protocols.Payload }

// MaxBurst and MaxPayload bound Workload.Burst and Workload.Payload; MaxSeen bounds
// clients times keys, since each client keeps what it saw under each key.
const (
	MaxBurst   = 10_000
	MaxPayload = 1 << 20
	MaxSeen    = 10_000_000
)

// Share is one kind of operation and its weight in the mix.
type Share struct {
	Op     protocols.Op
	Kind   protocols.CommandKind // Write, Read or Follow
	Weight int64
}
