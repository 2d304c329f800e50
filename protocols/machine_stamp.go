package protocols

// stamp holds one reading of a wall clock. ReadClock stores the clock of the
// replica that executes it and answers that; Get reads what is stored. Executed
// by every replica it makes them differ; executed by a primary that ships the
// change it does not. That difference is what it is for.
type stamp struct{ cell }

func newStamp() StateMachine { return &stamp{} }

func (m *stamp) Name() string { return "stamp" }

func (m *stamp) Execute(c Command, wall Time, changes []Change) (Result, []Change) {
	if c.Op != ReadClock {
		return m.Read(c), changes
	}
	return Result{Value: Value(wall)}, append(changes, set(Value(wall)))
}

func (m *stamp) Apply(c Command, wall Time) Result {
	var buffer [1]Change
	r, changes := m.Execute(c, wall, buffer[:0])
	m.Install(changes)
	return r
}

func (m *stamp) Fork() StateMachine { f := *m; return &f }
