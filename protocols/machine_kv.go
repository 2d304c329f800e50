package protocols

// kv is a table of cells. A cell is a sequence of values: put makes it a sequence
// of one, append lengthens it, delete empties it, and an empty cell is absent.
// Every operation answers what it saw: Value is the last element or 0, List the
// whole sequence where it has two or more.
//
// The register machine is the same table with one cell and without append and
// delete.
type kv struct {
	register bool
	slots    map[Key]int32 // looked up, never ranged over
	cells    []kvCell      // in the order in which keys first appeared
	hash     uint64        // sum over cells of the mixed (key, rolling hash of the sequence)
}

type kvCell struct {
	key    Key
	values []Value // a view handed out is clipped, so appending in place never changes it
	rolled uint64  // Fold of the values in order; 0 when absent
}

func newKV(register bool) *kv { return &kv{register: register, slots: map[Key]int32{}} }

func (m *kv) Name() string {
	if m.register {
		return "register"
	}
	return "kv"
}

func (m *kv) Hash() uint64 { return m.hash }

// cell returns the cell of k, or nil when k has never been written.
func (m *kv) cell(k Key) *kvCell {
	if slot, ok := m.slots[k]; ok {
		return &m.cells[slot]
	}
	return nil
}

// saw is the answer of an operation that found the sequence of k.
func (m *kv) saw(k Key) Result {
	c := m.cell(k)
	if c == nil || len(c.values) == 0 {
		return Result{}
	}
	n := len(c.values)
	r := Result{Value: c.values[n-1]}
	if n > 1 {
		r.List = c.values[:n:n]
	}
	return r
}

// holds reports whether the cell of k is exactly the one value v, or absent
// where v is 0.
func (m *kv) holds(k Key, v Value) bool {
	c := m.cell(k)
	if c == nil || len(c.values) == 0 {
		return v == 0
	}
	return len(c.values) == 1 && c.values[0] == v
}

// plan says what c answers and which change it makes, if any.
func (m *kv) plan(c Command) (Result, Change, bool) {
	r := m.saw(c.Key)
	switch {
	case m.register && c.Key != 0:
	case c.Op == Get:
		return r, Change{}, false
	case c.Op == Put:
		return r, Change{Kind: ChangeSet, Key: c.Key, Value: Value(c.Arg)}, true
	case c.Op == CAS:
		r.Swapped = m.holds(c.Key, Value(c.Old))
		return r, Change{Kind: ChangeSet, Key: c.Key, Value: Value(c.Arg)}, r.Swapped
	case c.Op == AppendTo && !m.register:
		return r, Change{Kind: ChangeAppend, Key: c.Key, Value: Value(c.Arg)}, true
	case c.Op == Delete && !m.register:
		return r, Change{Kind: ChangeDelete, Key: c.Key}, true
	}
	return Result{Status: Unsupported}, Change{}, false
}

func (m *kv) Apply(c Command, _ Time) Result {
	r, change, changes := m.plan(c)
	if changes {
		m.install(change)
	}
	return r
}

func (m *kv) Execute(c Command, _ Time, changes []Change) (Result, []Change) {
	r, change, any := m.plan(c)
	if any {
		changes = append(changes, change)
	}
	return r, changes
}

func (m *kv) Install(changes []Change) {
	for _, c := range changes {
		m.install(c)
	}
}

func (m *kv) install(ch Change) {
	c := m.cell(ch.Key)
	if c == nil {
		m.slots[ch.Key] = int32(len(m.cells))
		m.cells = append(m.cells, kvCell{key: ch.Key})
		c = &m.cells[len(m.cells)-1]
	}
	m.hash -= c.digest()
	switch ch.Kind {
	case ChangeSet:
		// A view of the old sequence may be out: only a sequence of one that nobody
		// was given may be overwritten, and sequences of one are never given out.
		if ch.Value == 0 {
			c.values, c.rolled = nil, 0
			break
		}
		if len(c.values) == 1 && cap(c.values) == 1 {
			c.values[0] = ch.Value
		} else {
			c.values = []Value{ch.Value}
		}
		c.rolled = Fold(1, uint64(ch.Value))
	case ChangeAppend:
		if len(c.values) == 0 {
			c.rolled = 1
		}
		c.values = append(c.values, ch.Value)
		c.rolled = Fold(c.rolled, uint64(ch.Value))
	case ChangeDelete:
		c.values, c.rolled = nil, 0
	}
	m.hash += c.digest()
}

func (c *kvCell) digest() uint64 {
	if len(c.values) == 0 {
		return 0
	}
	return Mix64(Fold(c.rolled, uint64(c.key)))
}

func (m *kv) Read(c Command) Result {
	if c.Op != Get || m.register && c.Key != 0 {
		return Result{Status: Unsupported}
	}
	return m.saw(c.Key)
}

func (m *kv) Snapshot() any {
	cells := make([]kvCell, len(m.cells))
	for i, c := range m.cells {
		cells[i] = kvCell{key: c.key, values: append([]Value(nil), c.values...), rolled: c.rolled}
	}
	return cells
}

func (m *kv) Restore(snapshot any) {
	*m = *newKV(m.register)
	cells, _ := snapshot.([]kvCell)
	for i, c := range cells {
		m.slots[c.key] = int32(i)
		m.cells = append(m.cells, kvCell{key: c.key, values: append([]Value(nil), c.values...), rolled: c.rolled})
		m.hash += m.cells[i].digest()
	}
}
