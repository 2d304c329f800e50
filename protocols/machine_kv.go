package protocols

import (
	"cmp"
	"slices"
)

// kv maps keys to cells. A cell is a sequence of values: Put makes it a sequence
// of one, AppendTo adds to it, Delete empties it.
//
// Get, Put, AppendTo, CAS and Delete answer what they saw: Value is the cell's
// last element or 0, List the whole sequence when it has two or more elements.
// CAS replaces a cell that is exactly the one value Old, or absent when Old is 0.
// Writing 0 with Put or CAS empties the cell, since 0 means absent.
type kv struct {
	cells []kvCell
	// low[k] is 1 + the position in cells of key k < lowKeys, 0 for none.
	low [lowKeys]int32
	// high is the same for the other keys. It is never ranged over.
	high map[Key]int32
	hash uint64 // sum over the cells of their hashes
}

// lowKeys is how many keys are found without a map.
const lowKeys = 64

type kvCell struct {
	key  Key
	last Value
	// count is the length of the sequence; list holds it from two elements on, so
	// that writing single values allocates nothing. Elements are never changed in
	// place: views of them are out.
	count int32
	list  []Value
	// roll is the hash of the sequence, folded element by element; hash is that of
	// the cell, 0 when it is empty.
	roll, hash uint64
}

func newKV() StateMachine { return &kv{} }

func (m *kv) Name() string { return "kv" }

// find returns the cell of key, or nil if it was never written.
func (m *kv) find(key Key) *kvCell {
	at := int32(0)
	if key < lowKeys {
		at = m.low[key]
	} else {
		at = m.high[key]
	}
	if at == 0 {
		return nil
	}
	return &m.cells[at-1]
}

func (m *kv) make(key Key) *kvCell {
	if c := m.find(key); c != nil {
		return c
	}
	m.cells = append(m.cells, kvCell{key: key})
	at := int32(len(m.cells))
	if key < lowKeys {
		m.low[key] = at
	} else {
		if m.high == nil {
			m.high = map[Key]int32{}
		}
		m.high[key] = at
	}
	return &m.cells[at-1]
}

// seal makes hash that of what the cell holds now.
func (c *kvCell) seal() {
	c.hash = 0
	if c.count > 0 {
		c.hash = Mix64(Fold(Fold(HashSeed, uint64(c.key)), c.roll))
	}
}

func (c *kvCell) saw() Result {
	if c == nil || c.count == 0 {
		return Result{}
	}
	r := Result{Value: c.last}
	if c.count >= 2 {
		r.List = slices.Clip(c.list)
	}
	return r
}

func (c *kvCell) holds(old Value) bool {
	if c == nil || c.count == 0 {
		return old == 0
	}
	return c.count == 1 && c.last == old
}

func (m *kv) Read(c Command) Result {
	switch c.Op {
	case Noop:
		return Result{}
	case Get:
		return m.find(c.Key).saw()
	}
	return Result{Status: Unsupported}
}

func (m *kv) Execute(c Command, _ Time, changes []Change) (Result, []Change) {
	cell := m.find(c.Key)
	r := cell.saw()
	if change, ok := m.decide(&c, cell, &r); ok {
		changes = append(changes, change)
	}
	return r, changes
}

// Apply is Execute and Install, looking for the cell once.
func (m *kv) Apply(c Command, _ Time) Result {
	cell := m.find(c.Key)
	r := cell.saw()
	if change, ok := m.decide(&c, cell, &r); ok {
		if cell == nil {
			cell = m.make(c.Key)
		}
		m.install(cell, change)
	}
	return r
}

// decide returns the change that c makes, if any. r is what c saw in cell, and is
// completed.
func (m *kv) decide(c *Command, cell *kvCell, r *Result) (Change, bool) {
	switch c.Op {
	case Put:
		return Change{ChangeSet, c.Key, Value(c.Arg)}, true
	case AppendTo:
		return Change{ChangeAppend, c.Key, Value(c.Arg)}, true
	case CAS:
		r.Swapped = cell.holds(Value(c.Old))
		return Change{ChangeSet, c.Key, Value(c.Arg)}, r.Swapped
	case Delete:
		return Change{Kind: ChangeDelete, Key: c.Key}, cell != nil && cell.count > 0
	}
	*r = m.Read(*c)
	return Change{}, false
}

func (m *kv) Install(changes []Change) {
	for _, change := range changes {
		m.install(m.make(change.Key), change)
	}
}

func (m *kv) install(c *kvCell, change Change) {
	m.hash -= c.hash
	switch {
	case change.Kind == ChangeAppend:
		c.push(change.Value)
	case change.Kind == ChangeSet && change.Value != 0:
		c.last, c.count, c.list, c.roll = change.Value, 1, nil, Fold(HashSeed, uint64(change.Value))
	default:
		c.last, c.count, c.list, c.roll = 0, 0, nil, 0
	}
	c.seal()
	m.hash += c.hash
}

func (c *kvCell) push(v Value) {
	switch c.count {
	case 0:
		c.roll = HashSeed
	case 1:
		c.list = append(make([]Value, 0, 4), c.last, v)
	default:
		c.list = append(c.list, v)
	}
	c.last = v
	c.count++
	c.roll = Fold(c.roll, uint64(v))
}

func (m *kv) Hash() uint64 { return Mix64(HashSeed ^ m.hash) }

// Snapshot holds the cells that are not empty, by key.
func (m *kv) Snapshot() any {
	cells := make([]kvCell, 0, len(m.cells))
	for _, c := range m.cells {
		if c.count > 0 {
			c.list = slices.Clip(c.list)
			cells = append(cells, c)
		}
	}
	slices.SortFunc(cells, func(a, b kvCell) int { return cmp.Compare(a.key, b.key) })
	return cells
}

func (m *kv) Restore(snapshot any) {
	*m = kv{}
	if snapshot == nil {
		return
	}
	for _, c := range snapshot.([]kvCell) {
		*m.make(c.key) = c
		m.hash += c.hash
	}
}

func (m *kv) Fork() StateMachine {
	f := &kv{}
	f.Restore(m.Snapshot())
	return f
}
