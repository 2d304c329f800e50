package sim

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/protocols"
)

// diskWalk does to the disk of one node what the world does: writes, snapshots, syncs
// and crashes in any order, and messages that wait for it. Beside it stands all that
// was ever written, as a list.
type diskWalk struct {
	world    *World
	node     *node
	written  []protocols.Record // that no crash has taken
	durable  int                // of them
	snapshot int                // the number of the last durable snapshot in it, from 1; 0: none
	covered  int                // what the fsync under way will make durable
	flushing bool
	gates    []int // of the messages that wait: how much must be durable
	left     uint64
}

func newDiskWalk(t *rapid.T) *diskWalk {
	cfg := steady(1)
	cfg.Disk = Disk{Write: Exactly(1000), Fsync: Exactly(1_000_000)}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &diskWalk{world: w, node: &w.nodes[0]}
}

func (m *diskWalk) write(r protocols.Record, snapshot bool) {
	m.written = append(m.written, r)
	m.world.persist(m.node, r, snapshot)
}

// Write numbers the records, so that each is another.
func (m *diskWalk) Write(*rapid.T) { m.write(&toyEpoch{Epoch: uint64(len(m.written))}, false) }

func (m *diskWalk) Snapshot(*rapid.T) {
	m.write(&toySnapshot{Epoch: uint64(len(m.written))}, true)
}

// Send lets a message wait for all that was written before it.
func (m *diskWalk) Send(*rapid.T) {
	m.world.effect(m.node, &protocols.Effect{Kind: protocols.EffectSend, To: 2, Message: &toyClaim{}})
	if m.durable == len(m.written) {
		m.left++
		return
	}
	m.gates = append(m.gates, len(m.written))
}

func (m *diskWalk) Flush(*rapid.T) {
	m.world.flush(m.node)
	if !m.flushing && m.durable < len(m.written) {
		m.flushing, m.covered = true, len(m.written)
	}
}

// Flushed ends the fsync under way. What came after its begin is not in it: another
// one starts.
func (m *diskWalk) Flushed(t *rapid.T) {
	if !m.flushing {
		t.Skip("no fsync is under way")
	}
	m.world.flushed(m.node, 0)
	m.durable, m.flushing = m.covered, false
	for i, r := range m.written[:m.durable] {
		if _, ok := r.(*toySnapshot); ok {
			m.snapshot = i + 1
		}
	}
	m.gates = slices.DeleteFunc(m.gates, func(gate int) bool {
		if gate <= m.durable {
			m.left++
		}
		return gate <= m.durable
	})
	m.Flush(t)
}

// Crash takes what is not durable, and the messages that waited for it.
func (m *diskWalk) Crash(t *rapid.T) {
	lost := m.world.crashDisk(&m.node.disk)
	if want := uint64(len(m.written) - m.durable); lost != want {
		t.Fatalf("a crash takes %d records, want %d", lost, want)
	}
	m.written, m.flushing, m.gates = m.written[:m.durable], false, nil
}

// Check boots: a program finds the last snapshot and what was written after it, of
// what is durable and of all.
func (m *diskWalk) Check(t *rapid.T) {
	d := &m.node.disk
	for _, upTo := range []int{m.durable, len(m.written)} {
		last := 0
		for i, r := range m.written[:upTo] {
			if _, ok := r.(*toySnapshot); ok {
				last = i + 1
			}
		}
		got := d.contents(false, uint64(upTo))
		var want protocols.Record
		if last > 0 {
			want = m.written[last-1]
		}
		if got.Snapshot != want || got.Wiped || len(got.Records) != upTo-last {
			t.Fatalf("of %d records a boot finds snapshot %v and %d more, want %v and %d", upTo, got.Snapshot, len(got.Records), want, upTo-last)
		}
		for i, r := range got.Records {
			if r.State != protocols.RecordOK || r.Record != m.written[last+i] {
				t.Fatalf("record %d is %v (%s), want %v", last+i, r.Record, r.State, m.written[last+i])
			}
		}
	}
	if d.durable != uint64(m.durable) || d.appended != uint64(len(m.written)) || d.flushing != m.flushing {
		t.Fatalf("%d of %d records are durable (fsync %v), want %d of %d (%v)", d.durable, d.appended, d.flushing, m.durable, len(m.written), m.flushing)
	}
	if got := m.world.stats.Messages; got != m.left || len(d.waiting)-d.head != len(m.gates) {
		t.Fatalf("%d messages have left and %d wait, want %d and %d", got, len(d.waiting)-d.head, m.left, len(m.gates))
	}
}

func TestDiskMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { t.Repeat(rapid.StateMachineActions(newDiskWalk(t))) })
}
