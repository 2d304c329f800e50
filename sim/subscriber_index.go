package sim

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// valueIndex is a derived table of another shape than the state machine's: which
// keys hold a value. It is fed by changes alone, so it keeps what each key holds to
// know what a change replaces.
type valueIndex struct {
	cells map[protocols.Key][]protocols.Value
	keys  map[protocols.Value][]protocols.Key // a key as often as it holds the value
}

// indexOf returns the index of a table.
func indexOf(t protocols.Table) valueIndex {
	x := valueIndex{cells: map[protocols.Key][]protocols.Value{}, keys: map[protocols.Value][]protocols.Key{}}
	for _, row := range t.Rows() {
		for _, v := range row.Values {
			x.add(row.Key, v)
		}
	}
	return x
}

// apply makes changes.
func (x *valueIndex) apply(changes []protocols.Change) {
	for _, ch := range changes {
		if ch.Kind != protocols.ChangeAppend {
			for _, v := range x.cells[ch.Key] {
				x.remove(ch.Key, v)
			}
			delete(x.cells, ch.Key)
		}
		if ch.Kind == protocols.ChangeAppend || ch.Kind == protocols.ChangeSet && ch.Value != 0 {
			x.add(ch.Key, ch.Value)
		}
	}
}

func (x *valueIndex) add(key protocols.Key, v protocols.Value) {
	x.cells[key] = append(x.cells[key], v)
	x.keys[v] = append(x.keys[v], key)
}

func (x *valueIndex) remove(key protocols.Key, v protocols.Value) {
	list := x.keys[v]
	for i, k := range list {
		if k == key {
			list[i] = list[len(list)-1]
			list = list[:len(list)-1]
			break
		}
	}
	if len(list) == 0 {
		delete(x.keys, v)
	} else {
		x.keys[v] = list
	}
}

// difference says how x differs from the index of a table; "" when it does not.
func (x *valueIndex) difference(t protocols.Table) string {
	fresh := indexOf(t)
	if len(fresh.keys) != len(x.keys) {
		return fmt.Sprintf("the index by value has %d values, the table %d", len(x.keys), len(fresh.keys))
	}
	for _, row := range t.Rows() {
		for _, v := range row.Values {
			if got, want := len(x.keys[v]), len(fresh.keys[v]); got != want {
				return fmt.Sprintf("the index by value finds %d %d times, the table has it %d times", v, got, want)
			}
			if got, want := count(x.keys[v], row.Key), count(fresh.keys[v], row.Key); got != want {
				return fmt.Sprintf("the index by value finds %d under %s %d times, the table has it %d times", v, row.Key, got, want)
			}
		}
	}
	return ""
}

func count(list []protocols.Key, key protocols.Key) (n int) {
	for _, k := range list {
		if k == key {
			n++
		}
	}
	return n
}
