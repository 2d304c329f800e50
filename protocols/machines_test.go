package protocols

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func machine(t testing.TB, name string) StateMachine {
	t.Helper()
	m, err := NewMachine(name)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name() != name {
		t.Fatalf("machine %q calls itself %q", name, m.Name())
	}
	return m
}

func forEachMachine(t *testing.T, test func(t *testing.T, name string)) {
	for _, name := range MachineNames() {
		t.Run(name, func(t *testing.T) { test(t, name) })
	}
}

// anyCommand draws a command of any kind, also ones that no machine knows.
func anyCommand(r *rand.Rand) Command {
	keys := []Key{0, 1, 2, lowKeys - 1, lowKeys, 1 << 31, 1<<32 - 1}
	return Command{
		Client: -1, Kind: Write, Op: Op(r.IntN(int(ReadClock) + 2)), Key: keys[r.IntN(len(keys))],
		Seq: 1, Arg: int64(r.IntN(6)) - 1, Old: int64(r.IntN(5)) - 1,
	}
}

func TestApplyIsExecuteAndInstall(t *testing.T) {
	forEachMachine(t, func(t *testing.T, name string) {
		r := rand.New(rand.NewPCG(1, 1))
		for range 50 {
			active, primary, backup := machine(t, name), machine(t, name), machine(t, name)
			for range 80 {
				c, wall := anyCommand(r), Time(r.IntN(9))
				before := primary.Hash()
				want, changes := primary.Execute(c, wall, nil)
				if primary.Hash() != before {
					t.Fatalf("%s: Execute changed the state", c)
				}
				if len(changes) > 0 && (want.Status != OK || primary.Read(c).Status == OK) {
					t.Fatalf("%s: a read, or what is unsupported, makes changes %v", c, changes)
				}
				primary.Install(changes)
				backup.Install(changes)
				got := active.Apply(c, wall)
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s: Apply answers %+v, Execute %+v", c, got, want)
				}
				if active.Hash() != primary.Hash() || backup.Hash() != primary.Hash() {
					t.Fatalf("%s: hashes differ", c)
				}
			}
			if !reflect.DeepEqual(active.Snapshot(), backup.Snapshot()) {
				t.Fatal("states differ although the hashes agree")
			}
		}
	})
}

func TestSnapshotIsImmutableAndRestores(t *testing.T) {
	forEachMachine(t, func(t *testing.T, name string) {
		r := rand.New(rand.NewPCG(2, 1))
		for range 50 {
			m := machine(t, name)
			for range r.IntN(60) {
				m.Apply(anyCommand(r), Time(r.IntN(9)))
			}
			hash, snapshot := m.Hash(), m.Snapshot()
			fork := m.(interface{ Fork() StateMachine }).Fork()
			for range 60 {
				m.Apply(anyCommand(r), Time(r.IntN(9)))
			}
			a, b := machine(t, name), machine(t, name)
			a.Apply(anyCommand(r), 1)
			a.Restore(snapshot)
			b.Restore(snapshot)
			if a.Hash() != hash || fork.Hash() != hash {
				t.Fatal("the snapshot or fork changed with the machine, or Restore lost something")
			}
			of := fmt.Sprint(m.Snapshot(), b.Snapshot())
			for range 60 { // what is done to a shows in neither m, b nor the snapshot
				a.Apply(anyCommand(r), Time(r.IntN(9)))
			}
			if fmt.Sprint(m.Snapshot(), b.Snapshot()) != of {
				t.Fatal("what was done to a restored machine shows in another")
			}
			c := machine(t, name)
			c.Restore(snapshot)
			if b.Hash() != hash || c.Hash() != hash || !reflect.DeepEqual(b.Snapshot(), c.Snapshot()) {
				t.Fatal("two machines restored from one snapshot are not independent")
			}
			c.Restore(nil)
			if c.Hash() != machine(t, name).Hash() {
				t.Fatal("Restore(nil) is not the initial state")
			}
		}
	})
}

func TestAnswersNeverChange(t *testing.T) {
	forEachMachine(t, func(t *testing.T, name string) {
		r := rand.New(rand.NewPCG(3, 1))
		m := machine(t, name)
		var got, then [][]Value
		for range 3000 {
			c := anyCommand(r)
			if r.IntN(2) == 0 {
				c.Op = AppendTo
			}
			if list := m.Apply(c, 0).List; list != nil {
				got, then = append(got, list), append(then, slices.Clone(list))
				if cap(list) != len(list) {
					t.Fatalf("%s answers a list that is not clipped", c)
				}
			}
		}
		if !reflect.DeepEqual(got, then) {
			t.Fatal("a list changed after it was answered")
		}
	})
}

// TestRestoredSequencesGoSeparateWays appends where a snapshot's array has room.
func TestRestoredSequencesGoSeparateWays(t *testing.T) {
	add := func(v int64) Command { return Command{Op: AppendTo, Key: 1, Arg: v} }
	m, a, b := machine(t, "kv"), machine(t, "kv"), machine(t, "kv")
	for v := range int64(3) {
		m.Apply(add(v), 0)
	}
	a.Restore(m.Snapshot())
	b.Restore(m.Snapshot())
	m.Apply(add(7), 0)
	a.Apply(add(8), 0)
	b.Apply(add(9), 0)
	for i, k := range []StateMachine{m, a, b} {
		if got, want := k.Read(Command{Op: Get, Key: 1}).List, []Value{0, 1, 2, Value(7 + i)}; !slices.Equal(got, want) {
			t.Errorf("machine %d holds %v, want %v", i, got, want)
		}
	}
}

// TestTableAndChangelog makes the table from the changelog, and a changelog from
// the table.
func TestTableAndChangelog(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	m := machine(t, "kv")
	var changelog []Change
	for range 500 {
		_, changes := m.Execute(anyCommand(r), 0, nil)
		m.Install(changes)
		changelog = append(changelog, changes...)
	}
	table := machine(t, "kv")
	table.Install(changelog)
	if table.Hash() != m.Hash() {
		t.Fatal("the changelog does not make the table")
	}
	var back []Change
	for _, c := range table.Snapshot().([]kvCell) {
		back = append(back, Change{ChangeDelete, c.key, 0})
		if c.count == 1 {
			back = append(back, Change{ChangeAppend, c.key, c.last})
		}
		for _, v := range c.list {
			back = append(back, Change{ChangeAppend, c.key, v})
		}
	}
	again := machine(t, "kv")
	again.Install(back)
	if again.Hash() != m.Hash() {
		t.Fatal("the table's changelog does not make the table again")
	}
}

func TestHashFollowsContent(t *testing.T) {
	apply := func(name string, ops ...Command) uint64 {
		m := machine(t, name)
		for _, c := range ops {
			m.Apply(c, 0)
		}
		return m.Hash()
	}
	inc, double := Command{Op: Increment}, Command{Op: Double}
	if apply("counter", inc, double, inc) == apply("counter", inc, inc, double) {
		t.Error("counter: the order of commands does not show")
	}
	put := func(k Key, v int64) Command { return Command{Op: Put, Key: k, Arg: v} }
	add := func(k Key, v int64) Command { return Command{Op: AppendTo, Key: k, Arg: v} }
	if apply("kv", put(1, 1), put(2, 2)) != apply("kv", put(2, 2), put(1, 3), put(1, 1)) {
		t.Error("kv: equal tables have different hashes")
	}
	if apply("kv", put(1, 1), put(2, 2)) == apply("kv", put(1, 2), put(2, 1)) {
		t.Error("kv: swapped cells have equal hashes")
	}
	if apply("kv", add(1, 1), add(1, 2)) == apply("kv", add(1, 2), add(1, 1)) {
		t.Error("kv: the order within a sequence does not show")
	}
	if apply("kv", put(1, 1), Command{Op: Delete, Key: 1}) != apply("kv") || apply("kv", put(1, 0)) != apply("kv") {
		t.Error("kv: an emptied cell leaves a trace in the hash")
	}
	if apply("log", add(0, 1), add(0, 2)) == apply("log", add(0, 2), add(0, 1)) {
		t.Error("log: the order does not show")
	}
}

func TestMachineAnswers(t *testing.T) {
	type step struct {
		c    Command
		wall Time
		want Result
	}
	for name, steps := range map[string][]step{
		"kv": {
			{c: Command{Op: Get, Key: 1}},
			{c: Command{Op: Put, Key: 1, Arg: 4}},
			{c: Command{Op: AppendTo, Key: 1, Arg: 7}, want: Result{Value: 4}},
			{c: Command{Op: Get, Key: 1}, want: Result{Value: 7, List: []Value{4, 7}}},
			{c: Command{Op: CAS, Key: 1, Old: 7, Arg: 8}, want: Result{Value: 7, List: []Value{4, 7}}},
			{c: Command{Op: Put, Key: 1, Arg: 9}, want: Result{Value: 7, List: []Value{4, 7}}},
			{c: Command{Op: CAS, Key: 1, Old: 8, Arg: 3}, want: Result{Value: 9}},
			{c: Command{Op: CAS, Key: 1, Old: 9, Arg: 3}, want: Result{Value: 9, Swapped: true}},
			{c: Command{Op: Delete, Key: 1}, want: Result{Value: 3}},
			{c: Command{Op: CAS, Key: 1, Old: 0, Arg: 5}, want: Result{Swapped: true}},
			{c: Command{Op: Get, Key: 1}, want: Result{Value: 5}},
			{c: Command{Op: Increment, Key: 1}, want: Result{Status: Unsupported}},
		},
		"register": {
			{c: Command{Op: Put, Arg: 4}},
			{c: Command{Op: CAS, Old: 4, Arg: 5}, want: Result{Value: 4, Swapped: true}},
			{c: Command{Op: CAS, Old: 4, Arg: 6}, want: Result{Value: 5}},
			{c: Command{Op: Get}, want: Result{Value: 5}},
			{c: Command{Op: AppendTo}, want: Result{Status: Unsupported}},
		},
		"counter": {
			{c: Command{Op: Increment}, want: Result{Value: 1}},
			{c: Command{Op: Double}, want: Result{Value: 2}},
			{c: Command{Op: Increment}, want: Result{Value: 3}},
			{c: Command{Op: Get}, want: Result{Value: 3}},
			{c: Command{Op: Put}, want: Result{Status: Unsupported}},
		},
		"log": {
			{c: Command{Op: ReadRange, Arg: 1, Old: 5}},
			{c: Command{Op: AppendTo, Arg: 11}, want: Result{Value: 1}},
			{c: Command{Op: AppendTo, Arg: 12}, want: Result{Value: 2}},
			{c: Command{Op: AppendTo, Arg: 13}, want: Result{Value: 3}},
			{c: Command{Op: ReadRange, Arg: 2, Old: 1}, want: Result{Value: 3, List: []Value{12}}},
			{c: Command{Op: ReadRange, Arg: 2, Old: 1<<63 - 1}, want: Result{Value: 3, List: []Value{12, 13}}},
			{c: Command{Op: ReadRange, Arg: -1 << 63, Old: 1}, want: Result{Value: 3, List: []Value{11}}},
			{c: Command{Op: ReadRange, Arg: 4, Old: 1}, want: Result{Value: 3}},
			{c: Command{Op: ReadRange, Arg: 1, Old: -1}, want: Result{Value: 3}},
			{c: Command{Op: Get}, want: Result{Status: Unsupported}},
		},
		"stamp": {
			{c: Command{Op: ReadClock}, wall: 77, want: Result{Value: 77}},
			{c: Command{Op: Get}, wall: 99, want: Result{Value: 77}},
			{c: Command{Op: Put}, want: Result{Status: Unsupported}},
		},
	} {
		m := machine(t, name)
		for _, s := range steps {
			if got := m.Apply(s.c, s.wall); !reflect.DeepEqual(got, s.want) {
				t.Errorf("%s: %s answers %+v, want %+v", name, s.c, got, s.want)
			}
		}
	}
}

func TestCounterWraps(t *testing.T) {
	m := machine(t, "counter")
	m.Install([]Change{set(1<<63 - 1)})
	if got := m.Apply(Command{Op: Increment}, 0).Value; got != -1<<63 {
		t.Errorf("the largest counter + 1 is %d, want %d", got, int64(-1<<63))
	}
}

func TestUnknownMachine(t *testing.T) {
	_, err := NewMachine("kvv")
	if err == nil || !strings.Contains(err.Error(), `"kvv"`) || !strings.Contains(err.Error(), "kv, register, counter, log, stamp") {
		t.Errorf("got error %v, want the name and the list", err)
	}
}

func TestSteadyCommandsDoNotAllocate(t *testing.T) {
	for name, op := range map[string]Op{"kv": Put, "register": CAS, "counter": Double, "stamp": ReadClock} {
		m := machine(t, name)
		c := Command{Client: -1, Op: op, Key: 1, Arg: 1}
		m.Apply(c, 1)
		if allocs := testing.AllocsPerRun(100, func() { m.Apply(c, 2) }); allocs != 0 {
			t.Errorf("%s: %s allocates %v times", name, c, allocs)
		}
	}
}

func BenchmarkApplyPut(b *testing.B) {
	m := machine(b, "kv")
	for i := range b.N {
		m.Apply(Command{Op: Put, Key: Key(i % 16), Arg: int64(i)}, 0)
	}
}
