package protocols

// Value is what a state machine stores under a key. 0 means absent: workloads
// write values from 1 up, each at most once where a check needs that.
type Value int64

// Key names a cell of the kv machine. The other machines use key 0.
type Key uint32

// CommandKind says how a command is to be treated, whatever it does to the
// state machine.
type CommandKind uint8

const (
	// Write changes the state: it goes through the log and is executed exactly
	// once per (client, seq).
	Write CommandKind = iota + 1
	// Read changes nothing. It must be linearizable unless the protocol's
	// parameters ask for weaker reads.
	Read
	// Follow asks any replica for committed log entries from position Arg on, at
	// most Old of them (see [FollowResult]).
	Follow
)

// Command is one client operation. It is a plain value: it is copied, never
// shared.
type Command struct {
	Client NodeID      // who asks, below 0
	Kind   CommandKind // how to treat it
	Op     Op          // what it does to the state machine
	Key    Key         // kv only
	Seq    uint64      // the client's request number, from 1; a retry repeats it
	Arg    int64       // value to write or append; first position to read or follow
	Old    int64       // cas: the value expected; log read and follow: how many at most

	Payload Payload // how large the value is beside Arg; changes nothing but sizes
}

// Payload stands for so many bytes of content that nobody looks at. It takes
// itself on the wire, see [WireSize].
type Payload uint32

// SameRequest reports whether c and d are the same request of the same client.
func (c Command) SameRequest(d Command) bool { return c.Client == d.Client && c.Seq == d.Seq }

// Result is what the state machine, or the protocol, answers.
type Result struct {
	Status   Status
	Swapped  bool  // cas: the value was as expected and has been replaced
	Value    Value // what the operation saw, or for counter and log what it made; see each machine
	Position Index // log position at which a write took effect; the position whose state a read saw
	List     []Value
	Follow   *FollowResult // Follow commands only
}

// Status tells an executed operation from one that the replicated state refused.
type Status uint8

const (
	// OK means executed; the other fields hold the answer.
	OK Status = iota
	// Expired means that the client's session is unknown to the replicated state
	// (thesis §6.3): the command was not executed by this request.
	Expired
	// Unsupported means that the state machine has no such operation; nothing was
	// executed.
	Unsupported
)

// FollowResult answers a Follow command: what a changelog subscriber receives.
type FollowResult struct {
	Snapshot any          // set when the log no longer reaches back: the state at Start-1 as Executor.Snapshot gives it, sessions included
	Start    Index        // position of Entries[0], or the next position when there is none
	Entries  []LogCommand // committed commands from Start on, without gaps
}

// LogCommand is one committed log position as a follower sees it. Positions
// that hold no client command (no-ops, configurations) have Command.Client 0.
type LogCommand struct {
	Position Index
	Command  Command
	Effect   *LogEffect // what executing it did, where the log ships that (followers then install it); else nil
}

// Outcome says how an operation ended for its client.
type Outcome uint8

const (
	// Unknown: nobody can say whether it was executed, or ever will be.
	Unknown Outcome = iota
	// Done: the client got its result.
	Done
	// Failed: it was not executed, and no copy of it still can be.
	Failed
)

// Infinity is the Return of an operation that never returned.
const Infinity int64 = 1<<63 - 1

// Operation is one entry of a client history: from the call to what came of it.
// Call and Return order operations; they are event sequence numbers, never
// times, since equal times would count as concurrent.
type Operation struct {
	Command
	Outcome  Outcome
	Swapped  bool
	Value    Value   // Result.Value
	Position Index   // Result.Position
	Call     int64   // sequence number of the invocation
	Return   int64   // sequence number of the response; Infinity when Unknown
	Began    Time    // true virtual time of the invocation
	Ended    Time    // true virtual time of the response or of giving up
	Attempts int32   // requests sent, including retries
	Node     NodeID  // who answered
	List     []Value // Result.List
}
