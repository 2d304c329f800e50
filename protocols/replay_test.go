package protocols

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// past is a log, and what the replica that executed it had after every position.
type past struct {
	name   string
	log    []LogEntry
	tables []Table  // by position
	hashes []uint64 // by position
}

// drawPast executes drawn commands: new ones, retries, late ones and no-ops. A
// shipped log holds what the executing replica, the primary, did.
func drawPast(t *rapid.T, name string, ships bool) *past {
	m, err := NewMachine(name)
	if err != nil {
		t.Fatal(err)
	}
	x := Executor{Machine: m}
	p := &past{name: name, tables: []Table{TableOf(m)}, hashes: []uint64{x.Hash()}}
	seqs := []uint64{0, 0, 0, 0}
	for i := range rapid.IntRange(0, 60).Draw(t, "length") {
		e := LogEntry{Position: Index(i + 1), Epoch: 1}
		client := rapid.IntRange(0, 3).Draw(t, "client")
		if client > 0 {
			// Values are unique but for a few, so that an equal value is written too.
			arg := rapid.OneOf(rapid.Just(int64(1000+i)), rapid.Int64Range(0, 2)).Draw(t, "arg")
			e.Command = Command{
				Client: NodeID(-client), Kind: Write, Op: Op(rapid.IntRange(0, int(ReadClock)+1).Draw(t, "op")),
				Key: Key(rapid.IntRange(0, 3).Draw(t, "key")), Arg: arg, Old: rapid.Int64Range(0, 3).Draw(t, "old"),
			}
			switch rapid.IntRange(0, 5).Draw(t, "retry") {
			case 0: // again, or late
				e.Command.Seq = max(1, seqs[client]-uint64(rapid.IntRange(0, 1).Draw(t, "late")))
			default:
				seqs[client]++
				e.Command.Seq = seqs[client]
			}
		}
		wall := Time(0)
		if ships {
			wall = Time(rapid.IntRange(1, 99).Draw(t, "wall"))
			r, changes := x.Execute(e.Position, e.Command, wall, nil)
			e.Effect = &LogEffect{r, changes}
			x.Install(e.Position, e.Command, r, changes)
		} else {
			x.Apply(e.Position, e.Command, wall)
		}
		p.log, p.tables, p.hashes = append(p.log, e), append(p.tables, TableOf(m)), append(p.hashes, x.Hash())
	}
	return p
}

// replay replays the log from a state up to a position and returns the changes of
// each position.
func (p *past) replay(t *rapid.T, snapshot any, to Index) (*Executor, [][]Change) {
	m, err := NewMachine(p.name)
	if err != nil {
		t.Fatal(err)
	}
	x := &Executor{Machine: m}
	x.Restore(snapshot)
	var steps [][]Change
	for _, e := range p.log[x.Applied:to] {
		_, changes := x.Replay(e.Position, e.Command, e.Effect, nil)
		steps = append(steps, changes)
	}
	return x, steps
}

func equalRows(a, b Table) bool {
	return len(a.rows) == 0 && len(b.rows) == 0 || reflect.DeepEqual(a.rows, b.rows)
}

func forEachLog(t *testing.T, test func(t *rapid.T, p *past)) {
	forEachMachine(t, func(t *testing.T, name string) {
		for _, ships := range []bool{false, true} {
			rapid.Check(t, func(t *rapid.T) { test(t, drawPast(t, name, ships)) })
		}
	})
}

// TestReplayGivesTheTable: replaying log[:k] gives the table and the state at k,
// from the start and from a snapshot on the way.
func TestReplayGivesTheTable(t *testing.T) {
	forEachLog(t, func(t *rapid.T, p *past) {
		k := Index(rapid.IntRange(0, len(p.log)).Draw(t, "k"))
		j := Index(rapid.IntRange(0, int(k)).Draw(t, "j"))
		whole, _ := p.replay(t, nil, k)
		half, _ := p.replay(t, nil, j)
		rest, _ := p.replay(t, half.Snapshot(), k)
		for what, x := range map[string]*Executor{"replay": whole, "replay from a snapshot": rest} {
			if got := TableOf(x.Machine); !equalRows(got, p.tables[k]) || x.Hash() != p.hashes[k] || x.Applied != k {
				t.Fatalf("%s of %d positions gives %v at %d, want %v", what, k, got, x.Applied, p.tables[k])
			}
		}
	})
}

// TestTableAndChangelogAreDual: the table at j and the changes after j up to k make
// the table at k, and the difference of the tables at k-1 and k are the changes of k.
func TestTableAndChangelogAreDual(t *testing.T) {
	forEachLog(t, func(t *rapid.T, p *past) {
		k := Index(rapid.IntRange(0, len(p.log)).Draw(t, "k"))
		j := Index(rapid.IntRange(0, int(k)).Draw(t, "j"))
		x, _ := p.replay(t, nil, j)
		made := TableOf(x.Machine)
		_, steps := p.replay(t, nil, k)
		for _, changes := range steps[j:] {
			made.Apply(changes)
		}
		if !equalRows(made, p.tables[k]) {
			t.Fatalf("the table at %d and the changes up to %d make %v, want %v", j, k, made, p.tables[k])
		}
		for i, changes := range steps {
			if got, want := difference(p.tables[i], p.tables[i+1]), bite(p.tables[i], changes); !reflect.DeepEqual(got, want) {
				t.Fatalf("position %d: the tables differ by %v, the changelog has %v", i+1, got, want)
			}
		}
	})
}

// difference derives the changes that make one table of another.
func difference(before, after Table) (changes []Change) {
	for _, row := range before.rows {
		if after.Row(row.Key) == nil {
			changes = append(changes, Change{Kind: ChangeDelete, Key: row.Key})
		}
	}
	for _, row := range after.rows {
		old, n := before.Row(row.Key), len(row.Values)
		switch {
		case reflect.DeepEqual(old, row.Values):
		case n == len(old)+1 && (n > 1 || row.Values[0] == 0) && slices.Equal(old, row.Values[:n-1]):
			changes = append(changes, Change{ChangeAppend, row.Key, row.Values[n-1]})
		case n == 1:
			changes = append(changes, Change{ChangeSet, row.Key, row.Values[0]})
		default:
			panic("more than one change at one position")
		}
	}
	return changes
}

// bite keeps of the changes of one position what changes the table, in the one form
// that a difference can tell: writing what is there changes nothing, setting to 0
// deletes, and appending to nothing sets, but for a 0.
func bite(before Table, changes []Change) (kept []Change) {
	for _, c := range changes {
		old := before.Row(c.Key)
		switch {
		case c.Kind == ChangeSet && c.Value == 0:
			c = Change{Kind: ChangeDelete, Key: c.Key}
		case c.Kind == ChangeAppend && old == nil && c.Value != 0:
			c.Kind = ChangeSet
		}
		if c.Kind == ChangeDelete && old == nil || c.Kind == ChangeSet && len(old) == 1 && old[0] == c.Value {
			continue
		}
		kept = append(kept, c)
	}
	return kept
}

// TestLogFromChanges: a log that is rebuilt from nothing but the differences of the
// tables has the original's tables at every position and the original's changelog.
// For machines whose changes say what was asked, the rebuilt log holds commands,
// and those of put, append and delete are the original's.
func TestLogFromChanges(t *testing.T) {
	forEachLog(t, func(t *rapid.T, p *past) {
		rebuilt := &past{name: p.name}
		for i := range p.log {
			e := LogEntry{Position: Index(i + 1)}
			if changes := difference(p.tables[i], p.tables[i+1]); len(changes) > 0 {
				e.Command = Command{Client: -1, Kind: Write, Seq: uint64(i + 1)}
				if op := asked(p.name, changes[0].Kind); op != Noop {
					e.Command.Op, e.Command.Key, e.Command.Arg = op, changes[0].Key, int64(changes[0].Value)
				} else {
					e.Effect = &LogEffect{Changes: changes}
				}
				if o := p.log[i].Command; e.Command.Op == o.Op && o.Op == Put && (e.Command.Arg != o.Arg || p.name == "kv" && e.Command.Key != o.Key) {
					t.Fatalf("position %d: rebuilt %v, was %v", i+1, e.Command, o)
				}
			}
			rebuilt.log = append(rebuilt.log, e)
		}
		for k := range p.tables {
			x, steps := rebuilt.replay(t, nil, Index(k))
			if got := TableOf(x.Machine); !equalRows(got, p.tables[k]) {
				t.Fatalf("the rebuilt log gives %v at %d, want %v", got, k, p.tables[k])
			}
			if k == len(p.log) {
				_, original := p.replay(t, nil, Index(k))
				for i := range steps {
					if got, want := bite(p.tables[i], steps[i]), bite(p.tables[i], original[i]); !reflect.DeepEqual(got, want) {
						t.Fatalf("position %d: the rebuilt log's changes are %v, want %v", i+1, got, want)
					}
				}
			}
		}
	})
}

// asked returns the operation that makes such a change, or Noop where several do.
func asked(machine string, kind ChangeKind) Op {
	switch {
	case machine == "counter" || machine == "stamp":
		return Noop
	case machine == "log":
		return AppendTo
	case kind == ChangeAppend:
		return AppendTo
	case kind == ChangeDelete && machine == "kv":
		return Delete
	}
	return Put
}

// TestReplayShipsEffects: a log of results gives the primary's state where the
// commands alone do not: a replay has no replica's clock.
func TestReplayShipsEffects(t *testing.T) {
	c := Command{Client: -1, Kind: Write, Op: ReadClock, Seq: 1}
	primary := Executor{Machine: machine(t, "stamp")}
	r, changes := primary.Execute(1, c, 77, nil)
	primary.Install(1, c, r, changes)
	physical, logical := Executor{Machine: machine(t, "stamp")}, Executor{Machine: machine(t, "stamp")}
	_, made := physical.Replay(1, c, &LogEffect{r, changes}, nil)
	logical.Replay(1, c, nil, nil)
	if physical.Hash() != primary.Hash() || !reflect.DeepEqual(made, changes) {
		t.Errorf("replaying what was shipped makes %v, want %v and the primary's state", made, changes)
	}
	if logical.Hash() == primary.Hash() {
		t.Error("replaying the command alone gives the primary's reading of its clock")
	}
}

func TestAccepts(t *testing.T) {
	x := Executor{Machine: machine(t, "kv")}
	if !x.Accepts(nil) || !x.Accepts(x.Snapshot()) || x.Accepts(x.Machine.Snapshot()) || x.Accepts("state") {
		t.Error("Accepts: want nil and snapshots of executors, and nothing else")
	}
}

func TestLogEntryEqual(t *testing.T) {
	e := LogEntry{Position: 3, Epoch: 2, Command: Command{Client: -1, Seq: 4}, Effect: &LogEffect{Result{Value: 1}, []Change{set(1)}}}
	if f := e; !e.Equal(&f) {
		t.Error("an entry differs from itself")
	}
	for what, change := range map[string]func(*LogEntry){
		"position": func(f *LogEntry) { f.Position++ },
		"epoch":    func(f *LogEntry) { f.Epoch++ },
		"command":  func(f *LogEntry) { f.Command.Arg++ },
		"text":     func(f *LogEntry) { f.Text = "no-op" },
		"effect":   func(f *LogEntry) { f.Effect = nil },
		"changes":  func(f *LogEntry) { f.Effect = &LogEffect{Result{Value: 1}, []Change{set(2)}} },
		"result":   func(f *LogEntry) { f.Effect = &LogEffect{Result{Value: 2}, []Change{set(1)}} },
	} {
		f := e
		change(&f)
		if e.Equal(&f) || f.Equal(&e) {
			t.Errorf("entries of different %s count as equal", what)
		}
		if same := what == "epoch"; e.Same(&f) != same || f.Same(&e) != same {
			t.Errorf("entries of different %s: same is %v", what, !same)
		}
	}
	unknown := e
	unknown.Epoch = 0
	if !e.Equal(&unknown) || !unknown.Equal(&e) {
		t.Error("an entry whose epoch is not known differs")
	}
}
