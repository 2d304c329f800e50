package protocols

import "fmt"

// MomentKind names the moments at which observers look.
type MomentKind uint8

const (
	// Stepped: a node has taken a step. Node, Replica, Event, Effects are set;
	// the effects have not been carried out yet.
	Stepped MomentKind = 1 << iota
	// Left: a message has left for the wire, or for its own sender. Node, To,
	// Message are set.
	Left
	// Durable: Record of Node has become durable. Snapshot says that it came from
	// SaveSnapshot.
	Durable
	// Crashed: Node has crashed; Disk is what survived.
	Crashed
	// Booted: Node has booted from Disk. Replica is set.
	Booted
	// Replied: an answer has left for a client. Node, Answer are set.
	Replied
)

// Moment is what an observer is shown. It is valid during one Observe. Observers
// change nothing and keep copies, never pointers to messages; records are
// immutable but recycled after a snapshot replaces them, so they keep copies of
// those too.
type Moment struct {
	Kind     MomentKind
	Seq      uint64 // of the event being handled
	Now      Time   // true virtual time
	Node     NodeID
	Replica  Node
	Event    *Event
	Effects  *Effects
	To       NodeID
	Message  Message
	Record   Record
	Snapshot bool
	Disk     *Recovered
	Answer   *Answer

	// Past is a position below which no replica goes back any more, since a snapshot
	// covers it on every disk; only one that lags far behind might, or what was still
	// under way. What an observer knows of such positions it may forget, and must then
	// not judge. 0: nothing is past.
	Past Index

	// Found collects the violations of this moment.
	Found []Violation
}

// Violate reports that check (an invariant's id) does not hold, and how.
func (m *Moment) Violate(check, format string, args ...any) {
	m.Found = append(m.Found, Violation{Check: check, Text: fmt.Sprintf(format, args...), Seq: m.Seq, At: m.Now, Node: m.Node})
}

// Violation is one broken check.
type Violation struct {
	Check string // R-I1, linearizability, panic, …
	Text  string // canonical: no addresses, no map order
	Seq   uint64 // of the event that showed it
	At    Time   // true virtual time
	Node  NodeID // where, or Nobody
}

// String prints check and text.
func (v Violation) String() string { return v.Check + ": " + v.Text }

// Observer watches a run and changes nothing.
type Observer interface {
	// Moments returns the moments it wants to see, or'ed together.
	Moments() MomentKind
	// Checks names what it can report.
	Checks() []CheckInfo
	// Observe looks at one moment.
	Observe(m *Moment)
}

// CheckInfo describes one check for lists and reports.
type CheckInfo struct {
	ID   string // R-I1
	Text string // at most one leader per term, ever
}
