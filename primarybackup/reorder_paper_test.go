package primarybackup

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// syncing lets time pass while the disks of some nodes get nothing done; of those, what
// claims something about the disk does not leave.
func (s *stage) syncing(d protocols.Duration, hang protocols.NodeSet, match func(letter) bool) {
	s.ManualSync = true
	for end := s.Now.Add(d); s.Now < end; {
		s.Now = s.Now.Add(s.parameters.Ping)
		for _, a := range s.Actors[1:] {
			s.Fire(a.ID, timerTick)
		}
		for busy := true; busy; {
			for _, a := range s.Actors[1:] {
				if !hang.Has(a.ID) {
					s.Sync(a.ID)
				}
			}
			busy = s.Deliver(match) > 0
		}
	}
}

// A burst that arrives in the worst order costs one message more: what was missing was
// sent again, once, however often it was found missing.
func TestReplicateFillsEachGapOnce(t *testing.T) {
	const burst = 60
	s := formed(t, 2, func(p *Parameters) { p.MaxBatch = 1 })
	for i := range burst {
		s.Request(1, put(protocols.NodeID(-1-i), 1, int64(i+1)))
	}
	shipped := 0
	for range burst {
		letters := s.Take(ofKind(KindReplicate, 1, 2))
		shipped += len(letters)
		slices.Reverse(letters) // the worst order
		for _, l := range letters {
			s.Receive(1, 2, l.Message)
		}
		for s.Deliver(func(l letter) bool { return l.Message.Kind() != KindReplicate }) > 0 {
		}
	}
	if b := s.Node(2); b.log.Last() != burst || s.Node(1).commit != burst || len(b.aside) != 0 {
		t.Errorf("got %d entries, %d committed and %d set aside, want %d, %d and none", b.log.Last(), s.Node(1).commit, len(b.aside), burst, burst)
	}
	if shipped != burst+1 {
		t.Errorf("%d entries were shipped in %d messages, want the first of them twice", burst, shipped)
	}
	s.Clean()
}

// What was set aside of one view is not that of the next.
func TestReplicateForgetsWhatItSetAsideWithTheView(t *testing.T) {
	s := formed(t, 3, asIs)
	entry := Entry{Epoch: 1, Command: put(-1, 2, 2), Effect: &protocols.LogEffect{}}
	s.Receive(1, 2, &Replicate{Epoch: 1, PrevIndex: 1, PrevEpoch: 1, Entries: []Entry{entry}})
	if b := s.Node(2); len(b.aside) != 1 || b.log.Last() != 0 {
		t.Fatalf("set aside %d, want 1", len(b.aside))
	}
	s.Crash(1)
	s.pass(silence, everything)
	for _, id := range []protocols.NodeID{2, 3} {
		if n := s.Node(id); n.view.Number < 2 || len(n.aside) != 0 {
			t.Errorf("%v is in view %d and has set aside %d, want a later view and none", id, n.view.Number, len(n.aside))
		}
	}
	s.Clean()
}

// A backup whose disk hangs answers every heartbeat, and yet the others go on without
// it: under sync, and when it hangs before it has acknowledged the view.
func TestViewDropsBackupWhoseDiskHangs(t *testing.T) {
	for _, mode := range []string{ModeSync, ModeAsync} {
		s := formed(t, 3, func(p *Parameters) { p.Mode = mode })
		hang := protocols.Nodes(3)
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		s.syncing(s.parameters.stuckAfter()-2*s.parameters.Ping, hang, everything)
		s.serves(1, 2, 3)
		s.syncing(silence, hang, everything)
		s.serves(1, 2)
		s.answered(put(-1, 1, 5))
		if n := s.Node(1); n.commit != 1 {
			t.Errorf("%s: got commit index %d, want 1", mode, n.commit)
		}
		s.syncing(4*silence, hang, everything)
		s.serves(1, 2) // its disk has acknowledged nothing, so it is not ready
		s.syncing(4*silence, protocols.NodeSet{}, everything)
		s.serves(1, 2, 3)
		s.Clean()
	}
}

// A disk of the primary that hangs is no backup's fault: under serial writes nothing is
// on its way meanwhile.
func TestViewKeepsBackupsOfPrimaryWhoseDiskHangs(t *testing.T) {
	for _, write := range []string{LeaderWriteParallel, LeaderWriteSerial} {
		s := formed(t, 3, func(p *Parameters) { p.LeaderWrite = write })
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		s.syncing(4*s.parameters.stuckAfter(), protocols.Nodes(1), everything)
		s.serves(1, 2, 3)
		s.Clean()
	}
}

// A joiner that falls far behind while it is streamed the log gets the state.
func TestStateTransferOvertakesASlowStream(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { p.Window, p.MaxBatch, p.CatchUp = 2, 1, 4 })
	s.pass(silence, without(3))
	s.serves(1, 2)
	s.pass(3*s.parameters.Ping, everything) // n3 joins, and nothing is lacking
	if p := &s.Node(1).progress[3]; !s.Node(1).targets.Has(3) || p.probing {
		t.Fatalf("n3 is a target: %v, probed: %v; want it streamed", s.Node(1).targets.Has(3), p.probing)
	}
	for i := range uint64(20) {
		s.Request(1, put(-1, i+1, int64(i+1)))
		s.Settle(func(l letter) bool { return l.From != 3 })
	}
	if p := &s.Node(1).progress[3]; p.transfer != 5 || s.Node(1).match[3] != 0 {
		t.Fatalf("a State of %d is on its way and n3 has acknowledged %d, want 5 and nothing: so many are more than are wanted", p.transfer, s.Node(1).match[3])
	}
	s.pass(s.parameters.Ping, everything)
	if n := s.Node(3); n.log.First() != 21 || n.commit != 20 {
		t.Errorf("n3 has committed %d, and a log from %d on, want the state of 20", n.commit, n.log.First())
	}
	s.Clean()
}

// A State that is sent again stands for a later position. The answer to the first ends
// the transfer all the same, or a slow disk would never be done.
func TestStateTransferEndsWithTheFirstThatArrives(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { p.CatchUp = 0 })
	s.pass(silence, without(3))
	s.Request(1, put(-1, 1, 1))
	s.Settle(without(3))
	var states []*State
	held := func(l letter) bool {
		m, ok := l.Message.(*State)
		if ok && (len(states) == 0 || m.Position > states[len(states)-1].Position) {
			states = append(states, m)
		}
		return !ok
	}
	s.pass(3*s.parameters.Ping, held)
	s.Request(1, put(-1, 2, 2))
	s.pass(2*s.parameters.Ping, held)
	if len(states) != 2 || states[0].Position != 1 || states[1].Position != 2 {
		t.Fatalf("got %d States, want those of positions 1 and 2", len(states))
	}
	s.Receive(1, 3, states[0])
	s.Settle(func(l letter) bool { return l.Message.Kind() == KindReplicateResponse })
	if p := &s.Node(1).progress[3]; p.probing && p.transfer == 2 || s.Node(1).match[3] != 1 {
		t.Errorf("the transfer of %d goes on with match %d, want it ended by position 1", p.transfer, s.Node(1).match[3])
	}
	s.Clean()
}
