package protocols

// StateMachine is what a replicated log feeds. Equal commands applied in equal
// order give equal states, results and hashes on every replica; stamp is the
// deliberate exception.
//
// There are two ways to drive it. Active-active: every replica calls Apply.
// Active-passive: the primary calls Execute, ships the changes, and every
// replica, the primary included, calls Install. Apply is Execute and Install.
type StateMachine interface {
	// Name is the machine's name in scenarios.
	Name() string
	// Apply executes c. wall is the executing replica's wall clock, which only
	// stamp looks at.
	Apply(c Command, wall Time) Result
	// Execute appends the changes that c makes, and returns its result, without
	// making them.
	Execute(c Command, wall Time, changes []Change) (Result, []Change)
	// Install makes changes.
	Install(changes []Change)
	// Read answers a command that changes nothing.
	Read(c Command) Result
	// Hash is a digest of the state, kept up to date at O(1) per change.
	Hash() uint64
	// Snapshot returns the state as an immutable value that shares no mutable
	// memory with the machine.
	Snapshot() any
	// Restore replaces the state by a Snapshot of the same machine; nil is the
	// initial state.
	Restore(snapshot any)
}

// ChangeKind says what a Change does to its cell.
type ChangeKind uint8

const (
	ChangeSet    ChangeKind = iota + 1 // the cell becomes the one value
	ChangeAppend                       // the value is appended to the cell
	ChangeDelete                       // the cell becomes absent
)

// Change is one row of a changelog, the dual of the table: applied in order they
// make the table, and the table's changes in order are the log.
type Change struct {
	Kind  ChangeKind
	Key   Key
	Value Value
}

// Op is one operation of a state machine.
type Op uint8

const (
	Noop      Op = iota // changes nothing, answers nothing
	Get                 // kv, register: the value
	Put                 // kv, register: replaces the value; answers what it saw
	AppendTo            // kv, log: kv appends to the cell's sequence and answers what it saw; log answers the position it got
	CAS                 // kv, register: replaces Old by Arg; answers what it saw
	Delete              // kv: removes; answers what it saw
	Increment           // counter: +1; answers the new value
	Double              // counter: *2; answers the new value
	ReadRange           // log: values from position Arg on, at most Old; Value is the length seen
	ReadClock           // stamp: stores the executing replica's wall clock; answers it
)
