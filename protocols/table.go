package protocols

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Table is the content of a state machine as rows. It is the dual of a changelog:
// changes applied in order make the table. It knows nothing of commands.
//
// The zero value is the empty table. A Table must not be copied and then changed.
type Table struct{ rows []Row }

// Row is one cell of a table: a key and the values under it, at least one. The
// machines without keys have one row, under key 0.
type Row struct {
	Key    Key     `json:"key"`
	Values []Value `json:"values"`
}

// String prints "k1 4" or "k1 [4 7]"; key 0 is left out.
func (r Row) String() string {
	var b strings.Builder
	if r.Key != 0 {
		b.WriteString(r.Key.String() + " ")
	}
	if len(r.Values) != 1 {
		b.WriteByte('[')
	}
	for i, v := range r.Values {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatInt(int64(v), 10))
	}
	if len(r.Values) != 1 {
		b.WriteByte(']')
	}
	return b.String()
}

// TableOf returns the content of a machine. It panics for a machine that does not
// show its rows; all machines of this package do.
func TableOf(m StateMachine) Table {
	shower, ok := m.(interface{ Rows() []Row })
	if !ok {
		panic("protocols: TableOf: machine " + m.Name() + " has no method Rows() []Row")
	}
	return Table{shower.Rows()}
}

// Rows returns the rows in the order of keys. They must not be changed.
func (t *Table) Rows() []Row { return t.rows }

// Row returns the values under a key, none where it is absent.
func (t *Table) Row(key Key) []Value {
	if i, found := t.find(key); found {
		return t.rows[i].Values
	}
	return nil
}

func (t *Table) find(key Key) (int, bool) {
	return slices.BinarySearchFunc(t.rows, key, func(r Row, k Key) int { return cmp.Compare(r.Key, k) })
}

// Apply makes changes. Setting a cell to 0 empties it, since 0 means absent.
func (t *Table) Apply(changes []Change) {
	for _, ch := range changes {
		i, found := t.find(ch.Key)
		switch {
		case ch.Kind == ChangeAppend && found:
			t.rows[i].Values = append(t.rows[i].Values, ch.Value)
		case ch.Kind != ChangeDelete && (ch.Kind == ChangeAppend || ch.Value != 0):
			row := Row{ch.Key, []Value{ch.Value}}
			if found {
				t.rows[i] = row
			} else {
				t.rows = slices.Insert(t.rows, i, row)
			}
		case found:
			t.rows = slices.Delete(t.rows, i, i+1)
		}
	}
}

// Rows returns the content, for [TableOf].
func (m *cell) Rows() []Row {
	if m.value == 0 {
		return nil
	}
	return []Row{{Values: []Value{m.value}}}
}

// Rows returns the content, for [TableOf].
func (m *kv) Rows() []Row {
	var rows []Row
	for _, c := range m.Snapshot().([]kvCell) {
		if c.count == 1 {
			rows = append(rows, Row{c.key, []Value{c.last}})
		} else {
			rows = append(rows, Row{c.key, slices.Clip(c.list)})
		}
	}
	return rows
}

// Rows returns the content, for [TableOf].
func (m *logMachine) Rows() []Row {
	if len(m.values) == 0 {
		return nil
	}
	return []Row{{Values: slices.Clip(m.values)}}
}
