package protocols

// EventKind says what happened to a node.
type EventKind uint8

const (
	Start      EventKind = iota + 1 // the node has booted: arm timers, say hello
	Receive                         // a message from another node, or from itself
	Fire                            // a timer
	Request                         // a client's command
	AdminEvent                      // an operator's wish
	DiskFailed                      // a write or fsync failed, or the disk is full
)

// Event is everything a node ever learns. It is valid during one Step.
type Event struct {
	Kind    EventKind
	Now     Time    // this node's monotone clock: drifts, never goes back, goes on across restarts
	Wall    Time    // this node's wall clock: drifts and steps, also backwards
	From    NodeID  // Receive, Request: who sent it
	Message Message // Receive
	Timer   Timer   // Fire
	Command Command // Request
	Admin   Admin   // AdminEvent
	Nonce   uint64  // Start only: fresh for each life of the node
	Life    uint32  // Receive, only under a declared session transport: the sender's restart count; else 0
	Err     error   // DiskFailed only: failed fsync, disk full
}

// AdminKind is what an operator asks for.
type AdminKind uint8

const (
	Reconfigure AdminKind = iota + 1
	TransferLeadership
)

// Admin is an operator's wish.
type Admin struct {
	Kind    AdminKind
	Members NodeSet // Reconfigure: the wanted voters
	Learner NodeSet // Reconfigure: the wanted non-voters
	Target  NodeID  // TransferLeadership: the wanted leader
}

// Message is what one node says to another: a pointer to a small struct, one
// struct per kind, named as in the paper. Its fields are plain values or
// immutable slices.
//
// Kind must be a constant of the type; it is also called on nil pointers.
type Message interface{ Kind() Kind }

// Record is one entry of a node's write-ahead log. One record is atomic, two
// are not. Kind is as in Message.
type Record interface{ Kind() Kind }

// Sized is implemented by messages and records that know their size in bytes
// under the encoding of [WireSize]. Those that do not are measured by
// reflection: right, but slow.
type Sized interface{ Size() int }

// Digested is implemented by messages whose content is to be part of the run's
// digest. Without it kind, size, route and time are.
type Digested interface{ Digest() uint64 }

// Node is one replica (or service) as a step function.
type Node interface {
	// Step takes one event and appends to out what is to be done. Equal nodes
	// given equal events become equal nodes with equal effects. Neither ev nor
	// out may be kept.
	Step(ev *Event, out *Effects)
	// View describes the node to targets, plots and checks. It must not change
	// the node. Every field of v is to be set.
	View(v *View)
}

// View is what a node shows of itself.
type View struct {
	Role       uint8  // index into Protocol.Roles
	Leading    bool   // believes that it leads Epoch: leader, primary
	Epoch      uint64 // term, view, ballot round, …
	Leader     NodeID // whom it believes to lead, or Nobody
	Commit     Index  // known committed
	Applied    Index  // executed
	First      Index  // first log position still held, 1 where nothing was compacted
	Last       Index  // last log position, durable or not
	Members    NodeSet
	Outgoing   NodeSet // joint consensus: members that go, of whom a majority is needed as well; else empty
	LeaseUntil Time    // on its monotone clock: may answer reads alone until then; 0 without a lease
	StateHash  uint64  // StateMachine.Hash at Applied, sessions included
}

// NoteKind names a milestone.
type NoteKind uint8

const (
	NoteLeader      NoteKind = iota + 1 // became leader or primary of Epoch
	NoteSteppedDown                     // stopped leading Epoch
	NoteNormal                          // reached normal operation in Epoch
	NoteCommit                          // learned that everything up to Index is committed
	NoteApplied                         // executed Index: Hash is the entry's hash, State the state hash after it, Command what was executed
	NoteInstalled                       // installed a snapshot that ends at Index; State as in NoteApplied
	NoteMembers                         // Members are in force from Index on
	NoteLease                           // may answer reads alone until Until (its monotone clock)
	NoteDropped                         // ignored an impossible message; Text says why
)

// Note is one milestone, flat and typed. Nodes write notes; nobody hands them
// back.
type Note struct {
	Kind    NoteKind
	Epoch   uint64
	Index   Index
	Hash    uint64
	State   uint64
	Until   Time
	Members NodeSet
	Command Command // NoteApplied; of client 0 where the entry holds no command
	Text    string  // a constant
}
