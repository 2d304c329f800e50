package protocols

import "slices"

// logMachine is a list that only grows. AppendTo answers the position in the list
// that the value got, from 1. ReadRange answers in List the values from position
// Arg on (below 1 counts as 1), at most Old of them, and in Value the length of
// the list that it saw.
type logMachine struct {
	// values are never changed in place: views of them are out.
	values []Value
	roll   uint64 // hash of values less HashSeed, so that the zero value is right
}

func newLogMachine() StateMachine { return &logMachine{} }

func (m *logMachine) Name() string { return "log" }

func (m *logMachine) Read(c Command) Result {
	switch c.Op {
	case Noop:
		return Result{}
	case ReadRange:
		n := int64(len(m.values))
		r := Result{Value: Value(n)}
		from := max(c.Arg, 1)
		if from <= n && c.Old > 0 {
			end := from - 1 + min(c.Old, n-from+1)
			r.List = m.values[from-1 : end : end]
		}
		return r
	}
	return Result{Status: Unsupported}
}

func (m *logMachine) Execute(c Command, _ Time, changes []Change) (Result, []Change) {
	if c.Op != AppendTo {
		return m.Read(c), changes
	}
	at := Value(len(m.values)) + 1
	return Result{Value: at}, append(changes, Change{Kind: ChangeAppend, Value: Value(c.Arg)})
}

func (m *logMachine) Apply(c Command, wall Time) Result {
	var buffer [1]Change
	r, changes := m.Execute(c, wall, buffer[:0])
	m.Install(changes)
	return r
}

// Install makes changes. A list that only grows makes appends only; the other
// kinds empty it first, as they do a cell of kv.
func (m *logMachine) Install(changes []Change) {
	for _, ch := range changes {
		if ch.Kind != ChangeAppend {
			*m = logMachine{}
		}
		if ch.Kind == ChangeDelete {
			continue
		}
		m.values = append(m.values, ch.Value)
		m.roll = Fold(m.roll+HashSeed, uint64(ch.Value)) - HashSeed
	}
}

func (m *logMachine) Hash() uint64 { return Mix64(m.roll + HashSeed) }

func (m *logMachine) Snapshot() any { return m.fork() }

func (m *logMachine) Restore(snapshot any) {
	*m = logMachine{}
	if snapshot != nil {
		*m = snapshot.(logMachine)
	}
}

func (m *logMachine) Fork() StateMachine { f := m.fork(); return &f }

// fork shares the values: they are clipped, so the next append to the copy moves.
func (m *logMachine) fork() logMachine { return logMachine{slices.Clip(m.values), m.roll} }
