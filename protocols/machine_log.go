package protocols

// list is the log as a state machine: append answers the position that the value
// got, from 1; a range read answers the length that it saw and the values.
type list struct {
	values []Value // views handed out are clipped
	rolled uint64
}

func (m *list) Name() string { return "log" }

func (m *list) Hash() uint64 { return m.rolled }

func (m *list) Apply(c Command, _ Time) Result {
	if c.Op != AppendTo {
		return m.Read(c)
	}
	m.append(Value(c.Arg))
	return Result{Value: Value(len(m.values))}
}

func (m *list) Execute(c Command, _ Time, changes []Change) (Result, []Change) {
	if c.Op != AppendTo {
		return m.Read(c), changes
	}
	return Result{Value: Value(len(m.values) + 1)}, append(changes, Change{Kind: ChangeAppend, Value: Value(c.Arg)})
}

func (m *list) Install(changes []Change) {
	for _, c := range changes {
		m.append(c.Value)
	}
}

func (m *list) append(v Value) {
	m.values = append(m.values, v)
	m.rolled = Fold(m.rolled, uint64(v))
}

// Read answers a range: values from position Arg (at least 1) on, at most Old.
func (m *list) Read(c Command) Result {
	if c.Op != ReadRange {
		return Result{Status: Unsupported}
	}
	n := int64(len(m.values))
	r := Result{Value: Value(n)}
	lo := max(c.Arg, 1) - 1
	if lo < n && c.Old > 0 {
		hi := lo + min(c.Old, n-lo)
		r.List = m.values[lo:hi:hi]
	}
	return r
}

func (m *list) Snapshot() any { return list{append([]Value(nil), m.values...), m.rolled} }

func (m *list) Restore(snapshot any) {
	s, _ := snapshot.(list)
	*m = list{append([]Value(nil), s.values...), s.rolled}
}
