package protocols

// stamp stores the wall clock of the replica that executes the command, and so is
// not deterministic: replicas that each execute the log part ways, replicas that
// install what a primary executed do not. That is what it is for.
type stamp struct{ at Value }

func (m *stamp) Name() string { return "stamp" }

func (m *stamp) Hash() uint64 { return Mix64(uint64(m.at)) }

func (m *stamp) Apply(c Command, wall Time) Result {
	if c.Op != ReadClock {
		return m.Read(c)
	}
	m.at = Value(wall)
	return Result{Value: m.at}
}

func (m *stamp) Execute(c Command, wall Time, changes []Change) (Result, []Change) {
	if c.Op != ReadClock {
		return m.Read(c), changes
	}
	return Result{Value: Value(wall)}, append(changes, Change{Kind: ChangeSet, Value: Value(wall)})
}

func (m *stamp) Install(changes []Change) {
	for _, c := range changes {
		m.at = c.Value
	}
}

func (m *stamp) Read(c Command) Result {
	if c.Op != Get {
		return Result{Status: Unsupported}
	}
	return Result{Value: m.at}
}

func (m *stamp) Snapshot() any { return m.at }

func (m *stamp) Restore(snapshot any) { m.at, _ = snapshot.(Value) }
