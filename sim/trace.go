package sim

import (
	"bufio"
	"fmt"
	"io"

	"github.com/lockstep-sim/lockstep/protocols"
)

// TraceEvent is one line of the trace. Several lines may belong to one event:
// they share Seq.
type TraceEvent struct {
	Seq     uint64         // the event: its place in the order of handling, from 1
	Time    protocols.Time // true virtual time
	Cause   uint64         // the event that scheduled this one; 0: the start of the run or the fault plan
	Kind    TraceKind
	Node    protocols.NodeID // where; Nobody for the world
	Peer    protocols.NodeID // whom it came from or goes to
	Hint    protocols.NodeID // TraceRefused: whom to ask instead
	Life    uint32           // Node's restart count; of a message, its sender's
	Reason  string           // why something was dropped, a constant
	Message protocols.Message
	Timer   protocols.Timer
	Command protocols.Command
	Result  *protocols.Result // TraceReturn; nil: given up
	Outcome protocols.Outcome
	Answer  bool            // TraceDropped: it is an answer to Command, or a refusal
	Note    *protocols.Note // TraceNote
	Fault   int             // Fault.ID, or AdminStep.ID
	Count   int64           // Boot: records found; Crashed: records lost; Synced: records durable in all
	Detail  string          // boots, crashes, faults and violations: what
}

// TraceKind says what a TraceEvent tells.
type TraceKind uint8

const (
	TraceBoot       TraceKind = iota + 1 // a node has booted
	TraceDelivered                       // a message was handled
	TraceDropped                         // a message, or a request or answer, was dropped: Reason
	TraceTimer                           // a timer fired
	TraceRequest                         // a request reached a node
	TraceSynced                          // records became durable
	TraceNote                            // a node noted a milestone
	TraceCrashed                         // a node crashed
	TracePaused                          // a node paused
	TraceResumed                         // a node went on
	TraceCall                            // a client began an operation
	TraceAttempt                         // a client sent a request
	TraceRefused                         // a client was refused
	TraceReturn                          // a client's operation ended
	TraceFault                           // a fault struck, waits or ended
	TraceHeal                            // the world was healed
	TraceViolation                       // a check failed
	TraceFull                            // the trace has reached its bound
	TraceSubscriber                      // a subscriber crashed or booted
	TraceDiskFailed                      // an fsync failed
	TraceRefuses                         // a node's program refused to boot: Detail
	TraceAdmin                           // what the operator wants: put to a node, done or given up
	TracePhase                           // a phase of the run begins
)

// maxTrace bounds the lines of a trace, about 1 GiB. Past it only faults and
// violations are kept, so that a protocol which runs wild cannot fill the memory.
const maxTrace = 5_000_000

// record adds a line that belongs to the event being handled.
func (w *World) record(e TraceEvent) {
	if len(w.trace) >= maxTrace {
		if len(w.trace) == maxTrace {
			w.trace = append(w.trace, TraceEvent{Seq: w.seq, Time: w.now, Cause: w.cause, Kind: TraceFull, Detail: "the trace is full; from here on it has faults and violations only"})
		}
		if e.Kind != TraceFault && e.Kind != TraceViolation && e.Kind != TraceHeal && e.Kind != TracePhase {
			return
		}
	}
	e.Seq, e.Time, e.Cause = w.seq, w.now, w.cause
	w.trace = append(w.trace, e)
}

// WriteTrace writes the trace as text, one line for each TraceEvent: time in
// seconds, event, the event that caused it, who, and what happened.
func (w *World) WriteTrace(out io.Writer) error {
	buffered := bufio.NewWriter(out)
	fmt.Fprintf(buffered, "%14s %8s %8s  %-5s %s\n", "time", "event", "cause", "who", "what")
	for i := range w.trace {
		e := &w.trace[i]
		who := "world"
		if e.Node != protocols.Nobody {
			who = w.cluster.Name(e.Node)
		}
		fmt.Fprintf(buffered, "%4d.%09d %8d %8d  %-5s %s\n", int64(e.Time)/billion, int64(e.Time)%billion, e.Seq, e.Cause, who, w.TraceText(e))
	}
	return buffered.Flush()
}

// TraceText says in words what a line of the trace tells.
func (w *World) TraceText(e *TraceEvent) string {
	peer := w.cluster.Name(e.Peer)
	switch e.Kind {
	case TraceBoot:
		return fmt.Sprintf("boots, life %d, %d records", e.Life, e.Count) + behind(": ", e.Detail)
	case TraceDelivered:
		return "<- " + peer + " " + w.messageText(e.Message)
	case TraceDropped:
		return w.dropText(e, peer)
	case TraceTimer:
		return "timer " + w.timerName(e.Timer)
	case TraceRequest:
		return "<- " + peer + " request " + e.Command.String()
	case TraceSynced:
		return fmt.Sprintf("synced, %d records durable", e.Count)
	case TraceNote:
		return w.noteText(e.Note)
	case TraceCrashed:
		return fmt.Sprintf("crashes, %d records lost", e.Count) + behind(": ", e.Detail)
	case TracePaused:
		return "pauses"
	case TraceResumed:
		return "goes on"
	case TraceCall:
		return "calls " + e.Command.String()
	case TraceAttempt:
		return "-> " + peer + " request " + e.Command.String()
	case TraceRefused:
		return "refused by " + peer + ", hint " + w.cluster.Name(e.Hint)
	case TraceReturn:
		return w.returnText(e, peer)
	case TraceFault:
		return fmt.Sprintf("fault %d: %s", e.Fault, e.Detail)
	case TraceDiskFailed:
		return "disk fails: " + e.Detail
	case TraceRefuses:
		return fmt.Sprintf("does not boot, life %d: %s", e.Life, e.Detail)
	case TraceAdmin:
		return fmt.Sprintf("admin %d: %s", e.Fault, e.Detail)
	case TraceViolation:
		return "VIOLATION " + e.Detail
	}
	return e.Detail
}

// behind returns text behind a separator, and nothing for nothing.
func behind(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

func (w *World) dropText(e *TraceEvent, peer string) string {
	what := "request " + e.Command.String()
	switch {
	case e.Message != nil:
		what = w.messageText(e.Message)
	case e.Answer:
		what = "answer to " + e.Command.String()
	}
	return "x- " + peer + " " + what + " (" + e.Reason + ")"
}

func (w *World) returnText(e *TraceEvent, peer string) string {
	if e.Outcome == protocols.Done {
		return "returns " + e.Command.String() + " -> " + e.Result.String() + " from " + peer
	}
	return "returns " + e.Command.String() + " -> " + e.Outcome.String()
}

func (w *World) timerName(t protocols.Timer) string {
	if names := w.cfg.Protocol.Timers; int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("%d", t)
}

func (w *World) noteText(n *protocols.Note) string {
	s := n.Kind.String()
	if n.Epoch != 0 {
		word := epochWord(w.cfg.Protocol)
		s += " " + word + " " + w.epochText(n.Epoch)
	}
	if n.Index != 0 {
		s += fmt.Sprintf(" index %d", n.Index)
	}
	if n.State != 0 {
		s += fmt.Sprintf(" state %016x", n.State)
	}
	if n.Until != 0 {
		s += " until " + n.Until.String()
	}
	if !n.Members.Empty() {
		s += " " + n.Members.String()
	}
	if n.Text != "" {
		s += ": " + n.Text
	}
	return s
}

func epochWord(p *protocols.Protocol) string {
	if p.EpochWord == "" {
		return "epoch"
	}
	return p.EpochWord
}

// epochText prints an epoch as the protocol's paper writes it.
func (w *World) epochText(epoch uint64) string {
	if text := w.cfg.Protocol.EpochText; text != nil {
		return text(epoch)
	}
	return fmt.Sprintf("%d", epoch)
}

// messageText prints a message by its name and fields.
func (w *World) messageText(m protocols.Message) string {
	return w.kinds[m.Kind()].Name + fieldsText(m)
}
