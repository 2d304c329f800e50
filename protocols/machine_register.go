package protocols

// register is one value. Get, Put and CAS answer the value they saw; CAS replaces
// it when it is Old. Keys are ignored.
type register struct{ cell }

func newRegister() StateMachine { return &register{} }

func (m *register) Name() string { return "register" }

func (m *register) Execute(c Command, _ Time, changes []Change) (Result, []Change) {
	r := Result{Value: m.value}
	switch c.Op {
	case Put:
		changes = append(changes, set(Value(c.Arg)))
	case CAS:
		if r.Swapped = m.value == Value(c.Old); r.Swapped {
			changes = append(changes, set(Value(c.Arg)))
		}
	default:
		r = m.Read(c)
	}
	return r, changes
}

func (m *register) Apply(c Command, wall Time) Result {
	var buffer [1]Change
	r, changes := m.Execute(c, wall, buffer[:0])
	m.Install(changes)
	return r
}

func (m *register) Fork() StateMachine { f := *m; return &f }
