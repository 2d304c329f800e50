package protocols

import (
	"testing"

	"pgregory.net/rapid"
)

// executorWalk executes one log at several replicas, each at its own pace, and takes,
// restores and forks their states in any order. What a replica holds at a position
// must be what the first one there held, however it came there.
type executorWalk struct {
	machine  string
	limit    int // of sessions
	log      []Command
	replicas []*Executor
	states   []any    // snapshots, none at position 0
	hashes   []uint64 // by position
	results  []Result // by position, of the first one there
	seqs     [4]uint64
}

func (m *executorWalk) fresh(t *rapid.T) *Executor {
	machine, err := NewMachine(m.machine)
	if err != nil {
		t.Fatal(err)
	}
	return &Executor{Machine: machine, Sessions: Sessions{Limit: m.limit}}
}

func (m *executorWalk) pick(t *rapid.T) (int, *Executor) {
	i := rapid.IntRange(0, len(m.replicas)-1).Draw(t, "replica")
	return i, m.replicas[i]
}

// Apply executes the next command at one replica. The first to come there draws it: a
// new request, one that is sent again, or a no-op.
func (m *executorWalk) Apply(t *rapid.T) {
	_, x := m.pick(t)
	at := int(x.Applied)
	if at == len(m.log) {
		client := rapid.IntRange(0, 3).Draw(t, "client")
		c := Command{Kind: Write, Client: NodeID(-client), Op: Op(rapid.IntRange(0, int(ReadClock)).Draw(t, "op")),
			Key: Key(rapid.IntRange(0, 2).Draw(t, "key")), Arg: rapid.Int64Range(0, 3).Draw(t, "arg"), Old: rapid.Int64Range(0, 3).Draw(t, "old")}
		if again := rapid.IntRange(0, 3).Draw(t, "again"); again > 0 || m.seqs[client] == 0 {
			m.seqs[client]++
		}
		c.Seq = m.seqs[client]
		m.log = append(m.log, c)
	}
	r := x.Apply(Index(at+1), m.log[at], 0)
	if at+1 == len(m.hashes) {
		m.hashes, m.results = append(m.hashes, x.Hash()), append(m.results, r)
	} else if want := m.results[at+1]; r.Hash() != want.Hash() || r.Position != want.Position {
		t.Fatalf("position %d answers %v at one replica and %v at another", at+1, r, want)
	}
}

func (m *executorWalk) Snapshot(t *rapid.T) {
	_, x := m.pick(t)
	m.states = append(m.states, x.Snapshot())
}

// Restore moves a replica to any snapshot, or to the start.
func (m *executorWalk) Restore(t *rapid.T) {
	_, x := m.pick(t)
	if i := rapid.IntRange(-1, len(m.states)-1).Draw(t, "snapshot"); i < 0 {
		x.Restore(nil)
	} else {
		x.Restore(m.states[i])
	}
}

// Fork gives a replica the state of another, without a snapshot.
func (m *executorWalk) Fork(t *rapid.T) {
	_, x := m.pick(t)
	fork := x.Fork()
	i, _ := m.pick(t)
	m.replicas[i] = &fork
}

func (m *executorWalk) Check(t *rapid.T) {
	for _, x := range m.replicas {
		if got, want := x.Hash(), m.hashes[x.Applied]; got != want {
			t.Fatalf("a replica at %d has state %x, want %x", x.Applied, got, want)
		}
	}
	for i, s := range m.states {
		x := m.fresh(t)
		x.Restore(s)
		if got, want := x.Hash(), m.hashes[x.Applied]; got != want {
			t.Fatalf("snapshot %d, of position %d, restores state %x, want %x", i, x.Applied, got, want)
		}
	}
}

func TestExecutorMachine(t *testing.T) {
	forEachMachine(t, func(t *testing.T, name string) {
		rapid.Check(t, func(t *rapid.T) {
			m := &executorWalk{machine: name, limit: rapid.IntRange(0, 2).Draw(t, "limit")}
			m.replicas = []*Executor{m.fresh(t), m.fresh(t), m.fresh(t)}
			m.hashes, m.results = []uint64{m.replicas[0].Hash()}, []Result{{}}
			t.Repeat(rapid.StateMachineActions(m))
		})
	})
}
