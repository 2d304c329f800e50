package protocols

// counter is one number, at first 0. Increment adds 1, Double doubles; both
// answer the new value, so the order of commands shows. It wraps around as int64
// does: doubling often enough makes it 0 for good, which is why workloads mix in
// increments.
type counter struct{ cell }

func newCounter() StateMachine { return &counter{} }

func (m *counter) Name() string { return "counter" }

func (m *counter) Execute(c Command, _ Time, changes []Change) (Result, []Change) {
	var made Value
	switch c.Op {
	case Increment:
		made = m.value + 1
	case Double:
		made = m.value * 2
	default:
		return m.Read(c), changes
	}
	return Result{Value: made}, append(changes, set(made))
}

func (m *counter) Apply(c Command, wall Time) Result {
	var buffer [1]Change
	r, changes := m.Execute(c, wall, buffer[:0])
	m.Install(changes)
	return r
}

func (m *counter) Fork() StateMachine { f := *m; return &f }
