package protocols

// counter is one number, 0 at first, that +1 and *2 change: the simplest machine
// in which order matters. It wraps around at the ends of int64.
type counter struct{ n Value }

func (m *counter) Name() string { return "counter" }

func (m *counter) Hash() uint64 { return Mix64(uint64(m.n)) }

func (m *counter) next(c Command) (Value, bool) {
	switch c.Op {
	case Increment:
		return m.n + 1, true
	case Double:
		return m.n * 2, true
	}
	return 0, false
}

func (m *counter) Apply(c Command, wall Time) Result {
	if n, ok := m.next(c); ok {
		m.n = n
		return Result{Value: n}
	}
	return m.Read(c)
}

func (m *counter) Execute(c Command, _ Time, changes []Change) (Result, []Change) {
	if n, ok := m.next(c); ok {
		return Result{Value: n}, append(changes, Change{Kind: ChangeSet, Value: n})
	}
	return m.Read(c), changes
}

func (m *counter) Install(changes []Change) {
	for _, c := range changes {
		m.n = c.Value
	}
}

func (m *counter) Read(c Command) Result {
	if c.Op != Get {
		return Result{Status: Unsupported}
	}
	return Result{Value: m.n}
}

func (m *counter) Snapshot() any { return m.n }

func (m *counter) Restore(snapshot any) { m.n, _ = snapshot.(Value) }
