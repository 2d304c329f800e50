package protocols

// cell is the state of the machines that hold one value, under key 0.
type cell struct{ value Value }

func (m *cell) Install(changes []Change) {
	for _, ch := range changes {
		if ch.Kind == ChangeDelete {
			m.value = 0
		} else {
			m.value = ch.Value
		}
	}
}

func (m *cell) Read(c Command) Result {
	switch c.Op {
	case Noop:
		return Result{}
	case Get:
		return Result{Value: m.value}
	}
	return Result{Status: Unsupported}
}

func (m *cell) Hash() uint64 { return Mix64(Fold(HashSeed, uint64(m.value))) }

func (m *cell) Snapshot() any { return m.value }

func (m *cell) Restore(snapshot any) {
	m.value = 0
	if snapshot != nil {
		m.value = snapshot.(Value)
	}
}

// set returns the change that makes v the machine's value.
func set(v Value) Change { return Change{Kind: ChangeSet, Value: v} }
