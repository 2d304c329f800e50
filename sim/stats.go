package sim

import "github.com/lockstep-sim/lockstep/protocols"

// Stats counts what happened in a run so far. Self-sends count in no message or
// byte figure. Lost, Cut and Copied count on the links of clients, too.
type Stats struct {
	Events    uint64 // events handled
	Steps     uint64 // of them, steps of nodes
	Messages  uint64 // that left a node for another
	Bytes     uint64 // the same, under the encoding of protocols.WireSize
	ByKind    []KindCount
	Delivered uint64 // messages that reached a live node, copies included
	Lost      uint64 // dropped by a link: its loss or a fault's
	Cut       uint64 // dropped by a partition, on departure or in flight
	Missed    uint64 // arrived at a node that was down
	Copied    uint64 // duplicates made by links and faults

	Corrupted  uint64 // dropped because a checksum failed
	Overflowed uint64 // dropped because a link's queue was full
	Queued     uint64 // had to wait until a link had carried what went before
	Clogged    uint64 // held back at the end of a clogged link
	Replayed   uint64 // copies of old messages that links and faults made

	Busiest protocols.Duration // CPU time of the node that used most

	Requests uint64 // attempts that clients sent
	Replies  uint64 // answers and refusals that nodes sent to clients

	Records uint64 // appended to write-ahead logs, snapshots included
	Fsyncs  uint64 // one per flush; a disk without latency has one per step that writes

	Done, Failed, Unknown uint64 // operations by outcome; pending ones are in none
	// Followed counts what subscribers took over, entries and snapshots, Switches how
	// often that came from another replica than before.
	Followed, Switches, SubscriberRestarts uint64
	Committed                              protocols.Index // the highest position that any node said was committed
	Leaders                                uint64          // times that a node became leader
	Leaderless                             protocols.Duration
	// Leaderless is the time during which nobody leads enough nodes to make progress:
	// a leader counts while it is up, not paused, in the highest epoch of all that it
	// can talk to both ways, and these are enough by [protocols.Protocol.CanProgress].
	// LeaderlessSpans are the intervals that it sums, in order.
	LeaderlessSpans []Span
}

// Span is an interval of true virtual time.
type Span struct{ From, To protocols.Time }

// KindCount counts the messages of one kind.
type KindCount struct {
	Name            string
	Messages, Bytes uint64
}
