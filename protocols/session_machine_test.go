package protocols

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// remembered is what a table should know of one client.
type remembered struct {
	seq     uint64
	result  Result
	expired bool
}

// clientTable is a table, what it should hold, and by which records.
type clientTable struct {
	sessions Sessions
	model    map[NodeID]remembered
}

func (c *clientTable) fork() *clientTable {
	return &clientTable{c.sessions.Fork(), maps.Clone(c.model)}
}

// sessionWalk does the same to client tables and maps.
type sessionWalk struct {
	now      *clientTable
	stored   []any // snapshots, and what they should hold
	models   []map[NodeID]remembered
	position Index
}

var clientIDs = rapid.Int16Range(-4, 1)

// Record keeps the result of a client's next request, as a replica does with the one
// at the next position of its log.
func (m *sessionWalk) Record(t *rapid.T) {
	m.position++
	client := NodeID(clientIDs.Draw(t, "client"))
	known := m.now.model[client]
	c := Command{Client: client, Seq: known.seq + rapid.Uint64Range(1, 3).Draw(t, "gap")}
	r := Result{Position: m.position, Value: Value(rapid.IntRange(0, 3).Draw(t, "value"))}
	m.now.sessions.Record(c, r)
	if client >= 0 {
		return // no client
	}
	m.now.model[client] = remembered{seq: c.Seq, result: r}
	m.expire()
}

// expire forgets the oldest result where there are too many.
func (m *sessionWalk) expire() {
	var live []NodeID
	for id, s := range m.now.model {
		if !s.expired {
			live = append(live, id)
		}
	}
	if limit := m.now.sessions.Limit; limit == 0 || len(live) <= limit {
		return
	}
	oldest := slices.MinFunc(live, func(a, b NodeID) int {
		return int(m.now.model[a].result.Position) - int(m.now.model[b].result.Position)
	})
	m.now.model[oldest] = remembered{seq: m.now.model[oldest].seq, expired: true}
}

func (m *sessionWalk) Snapshot(*rapid.T) {
	m.stored = append(m.stored, m.now.sessions.Snapshot())
	m.models = append(m.models, maps.Clone(m.now.model))
}

// Restore goes back to any snapshot, or to the empty table, as a replica that is sent
// one does.
func (m *sessionWalk) Restore(t *rapid.T) {
	i := rapid.IntRange(-1, len(m.stored)-1).Draw(t, "snapshot")
	if i < 0 {
		m.now.sessions.Restore(nil)
		m.now.model = map[NodeID]remembered{}
		return
	}
	m.now.sessions.Restore(m.stored[i])
	m.now.model = maps.Clone(m.models[i])
}

// Fork goes on with a copy; what is done to the first must not show in it.
func (m *sessionWalk) Fork(t *rapid.T) {
	other := m.now.fork()
	m.Record(t)
	m.now = other
}

// Check looks up every client's last request, the one before and the one after, and
// builds the table anew: its hash depends on nothing but what it holds.
func (m *sessionWalk) Check(t *rapid.T) {
	for id := NodeID(-5); id <= 1; id++ {
		s := m.now.model[id]
		for seq := max(s.seq, 1) - 1; seq <= s.seq+1; seq++ {
			want, result := SessionStale, Result{}
			switch {
			case seq > s.seq:
				want = SessionNew
			case seq == s.seq && seq > 0 && !s.expired:
				want, result = SessionDone, s.result
			}
			got, state := m.now.sessions.Lookup(Command{Client: id, Seq: seq})
			if state != want || !reflect.DeepEqual(got, result) {
				t.Fatalf("%v asks %d after %d: got %d %+v, want %d %+v", id, seq, s.seq, state, got, want, result)
			}
		}
	}
	again := Sessions{Limit: m.now.sessions.Limit}
	order := slices.SortedFunc(maps.Keys(m.now.model), func(a, b NodeID) int {
		x, y := m.now.model[a], m.now.model[b]
		if x.expired != y.expired { // those first, so that they expire
			if x.expired {
				return -1
			}
			return 1
		}
		return int(x.result.Position) - int(y.result.Position)
	})
	for _, id := range order {
		again.Record(Command{Client: id, Seq: m.now.model[id].seq}, m.now.model[id].result)
	}
	if again.Hash() != m.now.sessions.Hash() {
		t.Fatalf("the hash of a table of %d clients depends on how it came about", len(order))
	}
}

func TestSessionMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 3).Draw(t, "limit")
		m := &sessionWalk{now: &clientTable{Sessions{Limit: limit}, map[NodeID]remembered{}}}
		t.Repeat(rapid.StateMachineActions(m))
	})
}
