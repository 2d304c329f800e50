package primarybackup

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// A snapshot stands for the entries that it covers: the log goes on after it, a boot
// from the disk gives the same state, and what is answered twice is answered the same.
func TestSnapshotCompactsTheLog(t *testing.T) {
	for _, log := range []string{Physical, Logical} {
		s := formed(t, 3, func(p *Parameters) { p.Log, p.SnapshotEvery = log, 3 })
		for i := range uint64(7) {
			s.Request(1, put(-1, i+1, int64(i)))
			s.Settle(everything)
		}
		for id := protocols.NodeID(1); id <= 3; id++ {
			n := s.Node(id)
			if n.log.First() <= 4 || n.log.Last() != 7 {
				t.Errorf("%s: %v holds entries %d..%d, want the snapshots to have taken at least 4 of 7", log, id, n.log.First(), n.log.Last())
			}
			before := n.execute.Hash()
			s.Crash(id)
			s.Boot(id)
			s.Settle(everything)
			if n := s.Node(id); n.execute.Hash() != before || n.commit < 6 { // a backup hears of the last commit with the next message
				t.Errorf("%s: %v boots with state %x up to %d, want %x up to 7", log, id, n.execute.Hash(), n.commit, before)
			}
		}
		s.Clean()
	}
}

// Entries that are not committed yet stay in the log, and the snapshot's record holds
// them: it replaces all that was written before.
func TestSnapshotKeepsTheTail(t *testing.T) {
	n := &Node{parameters: *DefaultParameters(), commit: 2}
	n.parameters.SnapshotEvery = 2
	n.execute.Machine, _ = protocols.NewMachine("kv")
	n.execute.Applied = 2
	for i := range uint64(3) {
		n.log.Append(Entry{Epoch: 1, Command: put(-1, i+1, 0)})
	}
	out := new(protocols.Effects)
	n.compact(out)
	if len(out.List) != 1 {
		t.Fatalf("got %d effects, want a snapshot", len(out.List))
	}
	r, ok := out.List[0].Record.(*Checkpoint)
	if !ok || r.Position != 2 || len(r.Entries) != 1 || r.Entries[0].Command.Seq != 3 {
		t.Errorf("got %+v, want a checkpoint of position 2 with entry 3", out.List[0].Record)
	}
	if n.log.First() != 3 || n.log.Last() != 3 || n.epochAt(2) != 1 {
		t.Errorf("the log holds %d..%d after epoch %d, want 3..3 after 1", n.log.First(), n.log.Last(), n.epochAt(2))
	}
}
