package protocols

import "fmt"

// Protocol is what a protocol says of itself, so that engine, judge and reports
// need no special case. Name, New and Messages are required; every other field
// has a documented zero value. Build it once, as a package variable or by a
// function, and put it into the list given to the command line or to a test.
type Protocol struct {
	Name  string // raft: lower case, as scenarios and flags write it
	Title string // Raft
	Paper string // where it was published
	Doc   string // one paragraph: what is in, what is out

	EpochWord string   // the paper's word for an epoch: term, view, ballot. Default "epoch"
	Roles     []string // View.Role indexes it, e.g. follower, pre-candidate, candidate, leader
	Timers    []string // Timer indexes it
	Messages  []KindInfo
	Records   []KindInfo

	// Parameters returns a pointer to a fresh struct that holds the defaults. Its
	// exported fields are the parameters; see package scenarios for the field
	// types and tags that can be set from a file. nil means no parameters.
	Parameters func() any
	// Validate says what is wrong with parameters for a cluster of n replicas.
	Validate func(parameters any, n int) error
	// Bugs lists the known bugs that the parameter `bugs` can switch on.
	Bugs []Bug

	// New boots a node: a replica, or the service Config.ID names.
	New func(Config, Recovered) (Node, error)
	// Services returns how many service nodes the parameters ask for. nil: none.
	Services func(parameters any) int

	// MaxTimeout returns the largest election or view-change timeout under the
	// parameters. The liveness phase is bounded by 50 of them. nil: 1 s.
	MaxTimeout func(parameters any) Duration
	// Pace returns how many positions of the log a replica that lags gets in one round
	// trip at least, where the parameters limit it, as windows and batches do. The bound
	// of convergence grows by the round trips that what is lacking takes. nil or 0: what
	// is lacking comes in a few round trips, however much it is.
	Pace func(parameters any) int64
	// Survives returns how many nodes at once may suffer a fault for the protocol
	// to stay within its model: 0 outside the model, -1 any number. It is about
	// safety: a protocol that stops while too many are down survives that. nil:
	// every fault kind of this package at any number, except those of a disk that
	// lies and a clock that breaks its bound.
	Survives func(fault FaultKind, parameters any, n int) int
	// ClockBound returns the rate error of each clock, in parts per billion, that the
	// parameters rely on, as leases do; -1: none. A cluster whose clocks are declared
	// to drift more is refused. nil: they rely on no clock.
	ClockBound func(parameters any) int64
	// CanProgress reports whether a quorum of what the protocol needs is
	// reachable, and why not. nil: a majority of the replicas is live and connected
	// both ways.
	CanProgress func(*Facts) (bool, string)

	// Durability returns what the protocol's messages assert about their sender's
	// disk under the parameters, for the durability oracle, which judges every
	// message that leaves. nil, or a nil result (a diskless variant): no claims.
	Durability func(parameters any) *Durability

	// Invariants returns fresh observers, typed on the protocol's own node.
	Invariants func(c Cluster, parameters any) []Observer

	// Probes returns a fresh observer that counts the protocol's rare situations. nil:
	// only the generic ones are counted.
	Probes func(c Cluster) Prober

	// LinearizableReads says whether the parameters promise linearizable reads.
	// nil: always.
	LinearizableReads func(parameters any) bool
	// Blind says that a put, append or delete does not answer what it saw, as in the
	// register of Attiya, Bar-Noy and Dolev (1995), whose writes read no value. The judge
	// then does not look at the Value of their results.
	Blind bool
	// Once says that a request which comes again may be executed again, as where nothing
	// that is replicated remembers clients. Clients then send a request once, unless it was
	// refused; without an answer in time its outcome is unknown. The network may still
	// deliver it twice.
	Once bool
	// Machines names the state machines that the protocol can replicate, the usual one
	// first; nil: all, as it leaves the commands to Config.Machine.
	Machines []string
	// Operations are those of the state machines' operations that the protocol executes;
	// clients call no other, and follow no log. nil: all.
	Operations []Op
	// Guarantee says what the parameters promise to clients, where that is less than
	// linearizability. nil: linearizable where LinearizableReads says so, and no
	// acknowledged write is ever lost within the model.
	Guarantee func(parameters any) Guarantee
	// SessionLimit returns how many client sessions the replicas keep under the
	// parameters ([Sessions.Limit]): who follows the log has to expire the same ones.
	// nil: they keep all.
	SessionLimit func(parameters any) int
	// Admin lists what an operator can ask of a node (Event.Admin); nil: nothing.
	// Learners says that a Reconfigure may name members that do not vote.
	Admin    []AdminKind
	Learners bool
	// Laws is the protocol's analytical model, which tests hold it to and which reports
	// print. nil: none is stated.
	Laws func() []Law
	// EpochText prints an epoch as the paper writes it; nil prints the number.
	EpochText func(epoch uint64) string
	// SessionTransport declares that messages carry the sender's life (restart
	// count) in Event.Life.
	SessionTransport bool
}

// Guarantee is what a protocol, under some parameters, promises to its clients. A
// result that the guarantee allows is no violation and no surprise: it is measured.
type Guarantee struct {
	// Linearizable: the history of the clients is linearizable.
	Linearizable bool
	// LosesAcknowledged: a write that was acknowledged may be gone after a failover,
	// and its position, or a retry of it, may then be given away once more.
	LosesAcknowledged bool
	// Text says it in one sentence, for reports.
	Text string
}

// MessageName returns the name of a message kind, and its number where p does not
// declare it.
func (p *Protocol) MessageName(k Kind) string {
	for _, m := range p.Messages {
		if m.Kind == k {
			return m.Name
		}
	}
	return fmt.Sprintf("message kind %d", k)
}

// KindInfo describes one message or record type.
type KindInfo struct {
	Kind Kind
	Name string // as in the paper
	// New returns a pointer to a zero value of the type; for messages a conformance
	// suite fills it with arbitrary values.
	New func() any
}

// BugClass says what a known bug gets wrong.
type BugClass string

// The classes of known bugs.
const (
	ClassDurable    BugClass = "durability"    // told before it is on disk, or on too few disks
	ClassRecovery   BugClass = "recovery"      // what a restart, a damaged or a lost disk makes a node forget
	ClassQuorum     BugClass = "quorum"        // who must agree, and what a new leader takes over from them
	ClassStale      BugClass = "stale message" // late, repeated or reordered messages that count
	ClassRead       BugClass = "read path"     // reads that are answered without a round, or beyond a lease
	ClassSession    BugClass = "session"       // a client's requests and their answers
	ClassSnapshot   BugClass = "snapshot"      // what a snapshot leaves out or stands for
	ClassMembership BugClass = "membership"    // changes of who takes part
	ClassLiveness   BugClass = "liveness"      // something that must happen never does
)

// BugClasses lists the classes in the order of documentation.
func BugClasses() []BugClass {
	return []BugClass{ClassDurable, ClassRecovery, ClassQuorum, ClassStale, ClassRead, ClassSession, ClassSnapshot, ClassMembership, ClassLiveness}
}

// Bug is a known bug that can be switched on.
type Bug struct {
	ID     string
	Class  BugClass
	Title  string // what the code then does wrong
	Source string // who reported it
	Caught string // the checks that see it
}

// Config is what a node is told when it boots.
type Config struct {
	ID         NodeID
	Cluster    Cluster
	Members    NodeSet // the first membership; empty: this node joins later
	Parameters any     // as Protocol.Parameters, filled in
	Machine    StateMachine
}

// RecordState is what the disk says of one record after a crash.
type RecordState uint8

const (
	RecordOK      RecordState = iota
	RecordTorn                // partly written: the last of the log
	RecordCorrupt             // written, but its checksum does not match
	RecordMissing             // lost although something later survived
)

// RecoveredRecord is one entry of the write-ahead log as found at boot. Record is
// nil unless State is RecordOK.
type RecoveredRecord struct {
	Record Record
	State  RecordState
}

// Recovered is what a node finds on its disk. The records are immutable and may
// be kept.
type Recovered struct {
	First    bool   // this identity boots for the first time; a wiped or diskless replica gets false
	Wiped    bool   // what was durable on this disk was lost, and the operator knows; set until something is durable again
	Snapshot Record // the last durable checkpoint, or nil
	Records  []RecoveredRecord
}

// FaultKind names a kind of fault.
type FaultKind string

const (
	FaultCrash     FaultKind = "crash"       // stop and restart; un-synced writes are lost
	FaultPause     FaultKind = "pause"       // stop and go on, with old timers and messages
	FaultPartition FaultKind = "partition"   // links cut, both ways or one way
	FaultLoss      FaultKind = "loss"        // messages lost at random
	FaultDuplicate FaultKind = "duplicate"   // messages delivered twice
	FaultReorder   FaultKind = "reorder"     // messages overtake each other
	FaultDelay     FaultKind = "delay"       // links slow
	FaultSlowDisk  FaultKind = "slow-disk"   // writes and fsyncs slow
	FaultClock     FaultKind = "clock"       // offset, drift within the declared bound
	FaultSkew      FaultKind = "skew"        // a clock beyond the declared bound
	FaultDiskError FaultKind = "fsync-error" // fsyncs fail
	FaultTorn      FaultKind = "torn-write"  // a crash leaves a half-written last record
	FaultCorrupt   FaultKind = "bit-rot"     // a durable record no longer matches its checksum
	FaultWipe      FaultKind = "wipe"        // the disk is lost, the identity kept

	FaultPowerLoss  FaultKind = "power-loss"        // everybody at one instant, disk caches too
	FaultAttrition  FaultKind = "attrition"         // crashes and restarts at random
	FaultCrashPoint FaultKind = "crash-point"       // a crash right before or after something
	FaultSlowNode   FaultKind = "slow-node"         // steps take time
	FaultStall      FaultKind = "fsync-stall"       // fsyncs do not complete
	FaultReordered  FaultKind = "reordered-writes"  // a crash loses any un-synced records, not a suffix
	FaultLying      FaultKind = "lying-fsync"       // fsyncs that a power loss shows to have done nothing
	FaultMisdirect  FaultKind = "misdirected-write" // a record lands in the place of another
	FaultDiskFull   FaultKind = "disk-full"         // writes fail
	FaultStrobe     FaultKind = "strobe"            // the wall clock jumps to and fro
)

// Facts is what CanProgress decides on: true state, not anybody's belief.
type Facts struct {
	Cluster    Cluster
	Parameters any
	Live       NodeSet   // up and not paused
	Stalled    NodeSet   // up, and no fsync of their disk completes
	Hears      []NodeSet // Hears[i] is whom node i can receive from; index 0 is unused
	Views      []View    // Views[i] of node i, zero when it is down
}

// Connected returns the largest set of live replicas that can all talk to each
// other both ways, found greedily from each replica in order.
func (f *Facts) Connected() NodeSet {
	var best NodeSet
	for first := NodeID(1); int(first) <= f.Cluster.Replicas; first++ {
		if !f.Live.Has(first) {
			continue
		}
		group := Nodes(first)
		for id := NodeID(1); int(id) <= f.Cluster.Replicas; id++ {
			if id == first || !f.Live.Has(id) {
				continue
			}
			fits := true
			for g := group.Next(Nobody); g != Nobody && fits; g = group.Next(g) {
				fits = f.Hears[id].Has(g) && f.Hears[g].Has(id)
			}
			if fits {
				group = group.With(id)
			}
		}
		if group.Len() > best.Len() {
			best = group
		}
	}
	return best
}

// Durability is the protocol's side of the durability oracle.
type Durability struct {
	// Claims appends what m, sent by from, asserts about the sender's disk.
	Claims func(from NodeID, m Message, facts []DurableFact) []DurableFact
	// Image returns an empty model of the durable state of one node.
	Image func(id NodeID) DurableImage
}

// FactKind says what a DurableFact asserts.
type FactKind uint8

const (
	FactEpoch FactKind = iota + 1 // the durable epoch is at least Epoch
	FactVote                      // the durable vote of Epoch is for Node (or the durable epoch is higher)
	FactEntry                     // the durable log holds, or once held, entry Index of Epoch with Hash (0: any content)
	FactLog                       // the durable log matches a log whose entry Index has Epoch, up to Index
)

// DurableFact is one thing that a message asserts about its sender's disk. It
// speaks of what has ever been durable: a newer leader may since have replaced
// it, and the message be none the less true.
type DurableFact struct {
	Kind  FactKind
	Epoch uint64
	Index Index
	Node  NodeID
	Hash  uint64
}

// DurableImage models the durable state of one node from its durable records.
type DurableImage interface {
	// Persisted adds a record that has become durable; snapshot says that it came
	// from SaveSnapshot.
	Persisted(r Record, snapshot bool)
	// Lost says that the disk was wiped.
	Lost()
	// Holds reports whether the fact is true, and what is there instead.
	Holds(f DurableFact) (bool, string)
}
