package protocols

// EffectKind is the kind of one effect.
type EffectKind uint8

const (
	EffectSend           EffectKind = iota + 1 // To, Message; gated by what was persisted before
	EffectSendEarly                            // To, Message
	EffectPersist                              // Record
	EffectSaveSnapshot                         // Record
	EffectReply                                // Answer; gated
	EffectReplyEarly                           // Answer
	EffectRefuse                               // Answer (command), To is the hint
	EffectSetTimer                             // Timer, Min = Max
	EffectSetTimerWithin                       // Timer, Min..Max
	EffectCancelTimer                          // Timer
	EffectNote                                 // Note
)

// Effect is one thing a node wants done. Answer and Note index
// [Effects.Answers] and [Effects.Notes].
type Effect struct {
	Kind     EffectKind
	Timer    Timer
	To       NodeID
	Answer   int32
	Note     int32
	Min, Max Duration
	Message  Message
	Record   Record
}

// Answer is a command together with its result.
type Answer struct {
	Command Command
	Result  Result
}

// Effects collects what a node wants done in one Step, in order. The caller owns
// it and resets it between steps.
type Effects struct {
	List    []Effect
	Answers []Answer
	Notes   []Note
	memory  *Memory
}

// NewEffects returns an empty buffer whose messages and records come from mem.
func NewEffects(mem *Memory) *Effects { return &Effects{memory: mem} }

// Reset empties the buffer for the next Step. It does not release messages.
func (e *Effects) Reset() {
	e.List, e.Answers, e.Notes = e.List[:0], e.Answers[:0], e.Notes[:0]
}

// add returns a new effect, zeroed, to be filled in where it lies.
func (e *Effects) add(kind EffectKind) *Effect {
	e.List = append(e.List, Effect{})
	f := &e.List[len(e.List)-1]
	f.Kind = kind
	return f
}

// Memory returns where the buffer's messages and records come from.
func (e *Effects) Memory() *Memory { return e.memory }

type messagePointer[T any] interface {
	*T
	Message
}

type recordPointer[T any] interface {
	*T
	Record
}

// Send sends m to another node, or to the sender itself. It leaves once
// everything this node persisted before this call is durable; a crash before
// that takes it along. A message to oneself crosses no network and is neither
// lost nor counted, but is gated like any other: that is how a leader counts its
// own durable write.
func Send[T any, M messagePointer[T]](out *Effects, to NodeID, m T) {
	f := out.add(EffectSend)
	f.To, f.Message = to, newMessage[T, M](out.memory, m)
}

// SendEarly sends m at once. It is for what claims nothing about this node's
// disk; a comment at the call says why.
func SendEarly[T any, M messagePointer[T]](out *Effects, to NodeID, m T) {
	f := out.add(EffectSendEarly)
	f.To, f.Message = to, newMessage[T, M](out.memory, m)
}

// Persist appends r to this node's write-ahead log. It is durable after the
// disk's next fsync; the world starts that at the end of the Step.
func Persist[T any, R recordPointer[T]](out *Effects, r T) {
	out.add(EffectPersist).Record = newRecord[T, R](out.memory, r)
}

// SaveSnapshot writes a full checkpoint, in the same order as Persist and gating
// what follows in the same way. Once durable it replaces everything persisted
// before it; a torn one leaves that in force.
func (e *Effects) SaveSnapshot(r Record) {
	e.add(EffectSaveSnapshot).Record = r
}

// Reply answers c, gated like Send: "my own disk has it".
func (e *Effects) Reply(c Command, r Result) { e.answer(EffectReply, Nobody, c, r) }

// ReplyEarly answers c at once: for what a quorum has, and for reads.
func (e *Effects) ReplyEarly(c Command, r Result) { e.answer(EffectReplyEarly, Nobody, c, r) }

// Refuse says that this delivery of c has not been executed and never will be,
// and whom to ask instead (or Nobody). Silence means unknown.
func (e *Effects) Refuse(c Command, hint NodeID) { e.answer(EffectRefuse, hint, c, Result{}) }

func (e *Effects) answer(kind EffectKind, to NodeID, c Command, r Result) {
	f := e.add(kind)
	f.To, f.Answer = to, int32(len(e.Answers))
	e.Answers = append(e.Answers, Answer{c, r})
}

// SetTimer arms t to fire after exactly d on the node's monotone clock. It
// replaces what was armed.
func (e *Effects) SetTimer(t Timer, d Duration) {
	f := e.add(EffectSetTimer)
	f.Timer, f.Min, f.Max = t, d, d
}

// SetTimerWithin arms t to fire after a time in [min, max] that the world draws.
// The draw is kept, and used again when t is re-armed, until the timer fires, is
// cancelled or its range changes.
func (e *Effects) SetTimerWithin(t Timer, min, max Duration) {
	f := e.add(EffectSetTimerWithin)
	f.Timer, f.Min, f.Max = t, min, max
}

// CancelTimer disarms t and forgets its draw.
func (e *Effects) CancelTimer(t Timer) {
	e.add(EffectCancelTimer).Timer = t
}

// Note records a milestone for observers, plots and targets.
func (e *Effects) Note(n Note) {
	e.add(EffectNote).Note = int32(len(e.Notes))
	e.Notes = append(e.Notes, n)
}
