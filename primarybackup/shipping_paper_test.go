package primarybackup

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Shipping

func TestSyncWaitsForAllBackupsAndTheOwnDisk(t *testing.T) {
	c := put(-1, 1, 5)
	for _, missing := range []protocols.NodeID{1, 2, 3} {
		s := formed(t, 3, asIs)
		s.ManualSync = true
		s.Request(1, c)
		for id := protocols.NodeID(1); id <= 3; id++ {
			if id != missing {
				s.deliverSyncing(id)
			}
		}
		s.silent(c, "a disk is missing")
		s.deliverSyncing(missing)
		s.answered(c)
		s.Clean()
	}
}

func TestSemisyncWaitsForKBackups(t *testing.T) {
	c := put(-1, 1, 5)
	for k := 1; k <= 3; k++ {
		s := formed(t, 4, func(p *Parameters) { p.Mode, p.K = ModeSemisync, k })
		s.Request(1, c)
		for id := protocols.NodeID(2); int(id) < 2+k; id++ {
			s.silent(c, "too few backups have it")
			for s.Deliver(between(1, id)) > 0 {
			}
		}
		s.answered(c)
		s.Clean()
	}
}

func TestSemisyncVisibility(t *testing.T) {
	for visible, want := range map[string]protocols.Value{AfterSync: 0, AfterCommit: 5} {
		s := formed(t, 3, func(p *Parameters) { p.Mode, p.Visible = ModeSemisync, visible })
		s.Request(1, put(-1, 1, 5))
		s.Take(ofKind(KindReplicate, 1, 0))
		s.Settle(everything)
		s.Request(1, get(-2, 1))
		s.Settle(everything)
		if r := s.answered(get(-2, 1)); r.Value != want {
			t.Errorf("%s: got %v, want %d", visible, r, want)
		}
		s.silent(put(-1, 1, 5), "no backup has it")
		s.Clean()
	}
}

func TestSemisyncTimeout(t *testing.T) {
	for onTimeout, want := range map[string]struct{ answered, refused bool }{
		Block: {}, Refuse: {refused: true}, Degrade: {answered: true},
	} {
		s := formed(t, 3, func(p *Parameters) { p.Mode, p.OnTimeout = ModeSemisync, onTimeout })
		s.Request(1, put(-1, 1, 5))
		s.Take(ofKind(KindReplicate, 1, 0))
		s.Settle(everything)
		s.silent(put(-1, 1, 5), "the time is not over")
		if s.Actors[1].Timers[timerWait] != s.parameters.Timeout {
			t.Fatalf("%s: the timer is not armed", onTimeout)
		}
		s.Fire(1, timerWait)
		if _, ok := s.answer(put(-1, 1, 5)); ok != want.answered {
			t.Errorf("%s: answered %v, want %v", onTimeout, ok, want.answered)
		}
		s.Request(1, put(-2, 1, 6))
		if refused := len(s.Refused) == 1; refused != want.refused {
			t.Errorf("%s: refused %v, want %v", onTimeout, refused, want.refused)
		}
		s.pass(silence, everything) // sends again what was lost
		s.answered(put(-1, 1, 5))
		s.Request(1, put(-3, 1, 7))
		s.silent(put(-3, 1, 7), "semisync is back")
		s.Settle(everything)
		s.answered(put(-3, 1, 7))
		s.Clean()
	}
}

func TestAsyncAnswersOnceTheOwnDiskHasIt(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { p.Mode = ModeAsync })
	s.ManualSync = true
	s.Request(1, put(-1, 1, 5))
	s.Deliver(between(1))
	s.silent(put(-1, 1, 5), "the disk does not have it")
	s.Sync(1)
	s.Deliver(between(1))
	s.answered(put(-1, 1, 5))
	if n := s.Node(1); n.commit != 0 {
		t.Errorf("got commit index %d, want 0: no backup has it", n.commit)
	}
	s.ManualSync = false
	s.Sync(2)
	s.Sync(3)
	s.pass(silence, everything)
	if n := s.Node(1); n.commit != 1 {
		t.Errorf("got commit index %d, want 1: heartbeats show that all have it", n.commit)
	}
	s.Clean()
}

// An acknowledged write is lost, and its position given away: that is what async is.
func TestAsyncLosesWhatItAcknowledged(t *testing.T) {
	s := formed(t, 2, func(p *Parameters) { p.Mode = ModeAsync })
	s.Request(1, put(-1, 1, 5))
	s.Settle(between(1))
	first := s.answered(put(-1, 1, 5))
	s.Crash(1)
	s.pass(silence, everything)
	s.serves(2)
	s.Request(2, put(-2, 1, 6))
	s.Settle(everything)
	if second := s.answered(put(-2, 1, 6)); second.Position != first.Position || second.Value != 0 {
		t.Errorf("got %v, want position %d again, and not to see 5", second, first.Position)
	}
	s.Clean()
}

func TestPhysicalShipsResultsAndLogicalCommands(t *testing.T) {
	for _, log := range []string{Physical, Logical} {
		s := formed(t, 2, func(p *Parameters) { p.Log = log })
		s.Request(1, put(-1, 1, 5))
		o := sent[*Replicate](s, 1, 2)[0].Entries[0].Effect
		if (o != nil) != (log == Physical) {
			t.Fatalf("%s: got effect %v", log, o)
		}
		if o != nil && (len(o.Changes) != 1 || o.Changes[0] != protocols.Change{Kind: protocols.ChangeSet, Key: 1, Value: 5}) {
			t.Errorf("got changes %v, want k1=5", o.Changes)
		}
		s.Settle(everything)
		s.pass(100e6, everything)
		if a, b := s.Node(1), s.Node(2); b.commit != 1 || a.execute.Hash() != b.execute.Hash() {
			t.Errorf("%s: the backup has commit index %d, or another state", log, b.commit)
		}
		s.Clean()
	}
}

// Replication

func TestReplicateIsDurableBeforeItIsAcknowledged(t *testing.T) {
	s := formed(t, 2, asIs)
	s.ManualSync = true
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindReplicate, 1, 2))
	if a := sent[*ReplicateResponse](s, 2, 1); len(a) != 0 {
		t.Error("acknowledged before the disk had it")
	}
	s.Sync(2)
	if a := sent[*ReplicateResponse](s, 2, 1); len(a) != 1 || !a[0].Success || a[0].Match != 1 {
		t.Errorf("got %v, want an acknowledgement of 1", a)
	}
	s.Clean()
}

func TestReplicateMayOvertakeBeDoubledAndBeLost(t *testing.T) {
	s := formed(t, 2, asIs)
	for i := range uint64(6) {
		s.Request(1, put(protocols.NodeID(-1-int(i)), 1, int64(i+1)))
	}
	letters := s.Take(ofKind(KindReplicate, 1, 2))
	for _, i := range []int{3, 1, 0, 0, 1, 5, 2, 2, 1} { // 4 is lost
		s.Receive(1, 2, letters[i].Message)
	}
	s.Settle(everything)
	s.pass(silence, everything)
	if b := s.Node(2); b.commit != 6 || b.log.Last() != 6 {
		t.Errorf("got commit index %d and log up to %d, want 6", b.commit, b.log.Last())
	}
	s.Clean()
}

func TestReplicateCommitsOnlyWhatIsVerified(t *testing.T) {
	s := formed(t, 2, asIs)
	b := s.Node(2)
	entries := make([]Entry, 3)
	for i := range entries {
		c := put(-1, uint64(i+1), int64(i+1))
		entries[i] = Entry{Epoch: 1, Command: c, Effect: &protocols.LogEffect{}}
	}
	s.Receive(1, 2, &Replicate{Epoch: 1, Entries: entries})
	// A later primary has shown no more yet than that the logs agree up to 1.
	s.Receive(1, 2, &Replicate{Epoch: 5, PrevIndex: 1, PrevEpoch: 1, Commit: 3})
	if b.commit != 1 {
		t.Errorf("got commit index %d, want 1: 2 and 3 may be rewound", b.commit)
	}
}

func TestReplicateMakesHoldersOfMembersWithTheWholeStart(t *testing.T) {
	for _, c := range []struct {
		start  protocols.Index
		member bool
		want   uint64
	}{{0, true, 5}, {1, true, 1}, {0, false, 1}} {
		s := formed(t, 2, asIs)
		s.Receive(1, 2, &Replicate{Epoch: 5, Start: c.start, Member: c.member})
		if got := s.Node(2).holds; got != c.want {
			t.Errorf("start %d, member %v: it holds view %d, want %d", c.start, c.member, got, c.want)
		}
	}
}

func TestReplicateIgnoresAnswersOfStrangers(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, without(3))
	s.serves(1, 2)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Receive(3, 1, &ReplicateResponse{Epoch: s.view().Number, Success: true})
	if len(s.Wire) > 0 {
		t.Errorf("n3 is neither a backup nor idle, and was sent %T", s.Wire[0].Message)
	}
	s.Clean()
}

func TestReplicateTruncatesOnlyFromFirstConflict(t *testing.T) {
	s := formed(t, 2, asIs)
	s.Request(1, put(-1, 1, 1))
	s.Request(1, put(-2, 1, 2))
	old := sent[*Replicate](s, 1, 2)[0]
	s.Settle(everything)
	s.Receive(1, 2, old)
	if b := s.Node(2); b.log.Last() != 2 {
		t.Errorf("an old Replicate cut the log to %d", b.log.Last())
	}
	s.Clean()
}

func TestRewindOfOldPrimary(t *testing.T) {
	s := formed(t, 3, asIs)
	s.Request(1, put(-1, 1, 1))
	s.Settle(everything)
	s.Request(1, put(-2, 1, 2)) // nobody else gets these
	s.Request(1, put(-3, 1, 3))
	s.Settle(between(1))
	s.Crash(1)
	s.pass(silence, everything)
	s.Request(2, put(-4, 1, 4))
	s.Settle(everything)
	s.Boot(1)
	s.pass(silence, everything)
	s.serves(2, 1, 3)
	rewound := false
	for _, r := range s.Actors[1].Disk {
		if w, ok := r.Record.(*Rewind); ok {
			rewound = true
			if w.Last != 1 {
				t.Errorf("rewound to %d, want 1, where the logs part", w.Last)
			}
		}
	}
	if a, b := s.Node(1), s.Node(2); !rewound || a.log.Last() != 2 || a.execute.Hash() != b.execute.Hash() {
		t.Errorf("got a log up to %d and rewound %v, want the new primary's", a.log.Last(), rewound)
	}
	s.restart(1) // the rewind is on its disk
	if n := s.Node(1); n.log.Last() != 2 || n.epochAt(2) != 2 {
		t.Errorf("after a restart the log ends at %d of view %d, want 2 of view 2", n.log.Last(), n.epochAt(2))
	}
	s.Clean()
}

// State transfer

func joined(t *testing.T, change func(*Parameters)) *stage {
	s := formed(t, 3, func(p *Parameters) { p.CatchUp = 4; change(p) })
	s.pass(silence, without(3))
	for i := range uint64(10) {
		s.Request(1, add(-1, i+1, int64(i+1)))
		s.Settle(without(3))
	}
	s.pass(silence, everything)
	return s
}

func TestStateTransferHoldsMachineSessionsAndPosition(t *testing.T) {
	s := joined(t, asIs)
	s.serves(1, 2, 3)
	a, c := s.Node(1), s.Node(3)
	if c.log.First() != 11 || c.commit != 10 || a.execute.Hash() != c.execute.Hash() {
		t.Fatalf("got a log from %d and commit index %d, want a state of 10", c.log.First(), c.commit)
	}
	s.Crash(1, 2)
	s.pass(silence, everything)
	s.serves(3)
	before := c.log.Last()
	s.Request(3, add(-1, 10, 10)) // a retry
	s.Settle(everything)
	if r := s.answered(add(-1, 10, 10)); r.Position != 10 || c.log.Last() != before {
		t.Errorf("got %v and a log up to %d, want position 10, and nothing new", r, c.log.Last())
	}
	s.restart(3)
	s.pass(silence, everything)
	s.serves(3)
	if n := s.Node(3); n.execute.Hash() != a.execute.Hash() || n.epochAt(10) != 2 {
		t.Errorf("after a restart the state is another one")
	}
	s.Clean()
}

func TestStateTransferIsDurableBeforeItIsAcknowledged(t *testing.T) {
	s := formed(t, 3, func(p *Parameters) { p.CatchUp = 0 })
	s.pass(silence, without(3))
	s.Request(1, put(-1, 1, 1))
	s.Settle(without(3))
	s.ManualSync = true
	x := &s.Node(1).execute
	s.Receive(1, 3, &State{Epoch: 2, Position: 1, PositionEpoch: 2, Content: x.Snapshot()})
	if a := sent[*ReplicateResponse](s, 3, 1); len(a) != 0 {
		t.Error("acknowledged before the disk had it")
	}
	s.Clean()
}

func TestStateTransferNeverReplacesWhatMayBeCommitted(t *testing.T) {
	s := formed(t, 3, asIs)
	for i := range uint64(5) {
		s.Request(1, put(-1, i+1, int64(i+1)))
		s.Settle(everything)
	}
	b := s.Node(2) // has 5, and knows of some that they are committed
	s.Receive(1, 2, &State{Epoch: 1, Position: 5, PositionEpoch: 1, Content: emptyState(t)})
	s.Receive(1, 2, &State{Epoch: 1, Position: 2, PositionEpoch: 1, Content: emptyState(t)})
	if b.log.First() != 1 || b.log.Last() != 5 {
		t.Errorf("the log is %d..%d, want 1..5", b.log.First(), b.log.Last())
	}
	s.Clean()
}

func TestJoinerIsNotCounted(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, without(3))
	s.serves(1, 2)
	s.Fire(3, timerTick)
	s.Deliver(ofKind(KindPing, 3, 4)) // it is idle and alive
	s.Deliver(ofKind(KindAnnounce, 4, 3))
	s.Fire(3, timerTick)
	s.Fire(1, timerTick)
	s.Settle(func(l letter) bool { return l.Message.Kind() != KindReplicateResponse })
	if n := s.Node(1); !n.targets.Has(3) || n.view.Backups.Has(3) {
		t.Fatalf("got targets %v of backups %v, want n3 as a joiner", n.targets, n.view.Backups)
	}
	s.Request(1, put(-1, 1, 5))
	s.Settle(without(3))
	s.answered(put(-1, 1, 5))
	s.Clean()
}

// Under serial writes an entry is shipped when the primary's own disk has it, and a
// heartbeat does not call it sent before; under parallel writes it is shipped at once.
func TestEntriesWaitForThePrimarysDiskUnderSerialWrites(t *testing.T) {
	for write, early := range map[string]int{LeaderWriteParallel: 1, LeaderWriteSerial: 0} {
		s := formed(t, 3, func(p *Parameters) { p.LeaderWrite = write })
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		if got := len(sent[*Replicate](s, 1, 2)); got != early {
			t.Errorf("%s: %d Replicates before the disk has it, want %d", write, got, early)
		}
		s.Fire(1, timerTick)
		if got := sent[*Heartbeat](s, 1, 2); len(got) != 1 || got[0].Sent != protocols.Index(early) {
			t.Errorf("%s: %+v, want one that says %d entries were sent", write, got, early)
		}
		s.Sync(1)
		if got := len(sent[*Replicate](s, 1, 2)); got != 1 {
			t.Errorf("%s: %d Replicates once the disk has it, want 1", write, got)
		}
		s.ManualSync = false
		s.Settle(everything)
		s.answered(put(-1, 1, 5))
		s.Clean()
	}
}
