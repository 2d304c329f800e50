package protocols

import "testing"

// A snapshot that is cut and joined again is the same, whatever the size of the parts.
func TestPartsMakeTheSnapshot(t *testing.T) {
	for _, c := range []struct {
		machine string
		op      Op
		rows    uint64 // of the machine
	}{{"kv", Put, 7}, {"log", AppendTo, 9}, {"register", Put, 1}, {"counter", Increment, 1}} {
		m, _ := NewMachine(c.machine)
		x := Executor{Machine: m}
		for i := range Index(9) {
			key := Key(0)
			if c.machine == "kv" {
				key = Key(i%7) + 1
			}
			x.Apply(i+1, Command{Client: -NodeID(i%4) - 1, Kind: Write, Op: c.op, Key: key, Seq: uint64(i) + 1, Arg: int64(i)}, 0)
		}
		snapshot := x.Snapshot()
		if got := Rows(snapshot); got != c.rows+5 {
			t.Errorf("%s: %d rows, want %d and 5 of sessions", c.machine, got, c.rows)
		}
		for size := uint64(1); size <= 20; size++ {
			var parts []Part
			for at := uint64(0); at < Rows(snapshot); at += size {
				p := Cut(snapshot, at, size)
				if p.Applied() != 9 || p.Rows() != min(size, Rows(snapshot)-at) {
					t.Fatalf("%s: part of %d rows at position %d", c.machine, p.Rows(), p.Applied())
				}
				parts = append(parts, p)
			}
			n, _ := NewMachine(c.machine)
			y := Executor{Machine: n}
			y.Restore(Join(parts))
			if y.Hash() != x.Hash() || y.Applied != x.Applied {
				t.Errorf("%s in parts of %d: hash %x at %d, want %x at %d", c.machine, size, y.Hash(), y.Applied, x.Hash(), x.Applied)
			}
		}
	}
}

// Parts that are not of one snapshot make none.
func TestPartsOfDifferentSnapshots(t *testing.T) {
	snapshot := func(machine string, applied Index) any {
		m, _ := NewMachine(machine)
		x := Executor{Machine: m, Applied: applied}
		return x.Snapshot()
	}
	a, b, c := Cut(snapshot("register", 3), 0, 1), Cut(snapshot("register", 4), 0, 1), Cut(snapshot("counter", 3), 0, 1)
	for name, parts := range map[string][]Part{"none": nil, "empty": {{}}, "positions": {a, b}, "machines": {a, c}} {
		if Join(parts) != nil {
			t.Errorf("%s: joined", name)
		}
	}
	if Rows(nil) != 0 || Cut(nil, 0, 9).Rows() != 0 || Cut(snapshot("register", 3), 5, 9).Rows() != 0 {
		t.Error("rows of nothing")
	}
}
