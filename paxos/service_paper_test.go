package paxos

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The rules of reads, leases, clients, snapshots and membership; see
// paxos_paper_test.go.

// Rule 7: a new leader answers no read before all that it inherited is chosen and
// executed.
func TestReadWaitsForWhatWasInherited(t *testing.T) {
	for _, reads := range []string{ReadsQuorum, ReadsLease} {
		s := newStage(t, 3, func(p *Parameters) { p.Reads = reads })
		s.elect(1, 2, 3)
		s.request(1, put(-1, 1, 5))
		s.settle(between(1, 2))
		s.crash(1)
		s.now += 1e9
		noAccepts := func(l letter) bool { return between(2, 3)(l) && l.message.Kind() != KindAccept }
		s.fire(2, timerElection)
		s.settle(noAccepts)
		if s.noted(2, protocols.NoteLeader) != 1 || s.noted(2, protocols.NoteNormal) != 0 {
			t.Fatalf("%s: want a leader that is not yet normal", reads)
		}
		replies := len(s.replies)
		s.request(2, get(-2, 1))
		s.settle(noAccepts)
		if len(s.replies) != replies {
			t.Fatalf("%s: answered before what it inherited was executed", reads)
		}
		s.fire(2, timerHeartbeat)
		s.fire(2, timerHeartbeat)
		s.settle(between(2, 3))
		if got := s.replies[len(s.replies)-1]; got.Command.Client != -2 || got.Result.Value != 5 || s.noted(2, protocols.NoteNormal) != 1 {
			t.Errorf("%s: got %+v, want the read of 5", reads, got)
		}
		s.clean()
	}
}

// A read waits for a round of heartbeats sent after it came; answers to earlier
// rounds confirm nothing.
func TestQuorumReadWaitsForItsOwnRound(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.request(1, get(-1, 1))
	first := n.round
	s.request(1, get(-2, 1))
	answer := func(from protocols.NodeID, round uint64) {
		s.receive(from, 1, &HeartbeatResponse{Ballot: n.promised, Round: round})
	}
	answer(2, first-1)
	if len(s.replies) != 0 {
		t.Error("answered by an earlier round")
	}
	answer(2, first)
	if len(s.replies) != 1 || s.replies[0].Command.Client != -1 {
		t.Errorf("got %v, want only the first read", s.replies)
	}
	answer(3, first+1)
	if len(s.replies) != 2 {
		t.Errorf("got %d replies, want 2", len(s.replies))
	}
	answer(3, first+9)
	if s.noted(1, protocols.NoteDropped) != 1 {
		t.Error("an answer to a round that was not sent was taken")
	}
	s.clean()
}

// A leader that was replaced, and does not know, gets no quorum for its read.
func TestQuorumReadOfADeposedLeaderIsNotAnswered(t *testing.T) {
	s := newStage(t, 3, nil)
	s.elect(1, 2, 3)
	s.elect(2, 3)
	s.request(2, put(-1, 1, 5))
	s.settle(between(2, 3))
	replies := len(s.replies)
	s.request(1, get(-2, 1))
	s.settle(everything)
	if len(s.replies) != replies || len(s.refused) != 1 {
		t.Errorf("got %v, refused %v; want a refusal", s.replies[replies:], s.refused)
	}
	s.clean()
}

// A lease counts from when its round was sent, and is shortened by the clock bound
// (PML §5.2, P-12).
func TestLeaseStartsAtSendAndIsShortened(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Reads, p.MaxDrift = ReadsLease, 100_000_000 })
	n := s.elect(1, 2, 3)
	s.now += 10e6
	sentAt := s.now
	s.fire(1, timerHeartbeat)
	s.now += 20e6
	s.deliver(everything)
	s.deliver(ofKind(KindHeartbeatResponse, 2, 1))
	want := sentAt.Add(150 * 1000 * 1000 * 9 / 11)
	if n.leaseUntil != want {
		t.Fatalf("lease until %v, want %v", n.leaseUntil, want)
	}
	s.wire = nil
	s.now = want - 1
	s.request(1, get(-1, 1))
	if len(s.replies) != 1 || len(s.wire) != 0 {
		t.Errorf("%d replies and %d messages within the lease, want 1 and 0", len(s.replies), len(s.wire))
	}
	s.now = want
	s.request(1, get(-1, 2))
	if len(s.replies) != 1 || len(s.wire) != 2 {
		t.Errorf("%d replies and %d messages after the lease, want 1 and a round", len(s.replies), len(s.wire))
	}
	s.clean()
}

// An acceptor that hears a leader promises nobody else, and does not campaign, for
// the time of a lease; nor for that time after a restart (PML §5.2, P-12b).
func TestAcceptorKeepsTheLease(t *testing.T) {
	s := newStage(t, 3, withLease)
	n := s.elect(1, 2, 3)
	ballot := n.promised
	ask := &Prepare{Ballot: newBallot(8, 3), First: 1}
	for _, restart := range []bool{false, true} {
		if restart {
			s.restart(2)
		}
		s.wire = nil
		s.receive(3, 2, ask)
		s.fire(2, timerElection)
		if m := s.node(2); m.promised != ballot || len(s.wire) != 0 {
			t.Errorf("restart %v: promised %v and sent %v within the lease", restart, m.promised, s.wire)
		}
	}
	s.now = s.now.Add(s.parameters.ElectionTimeout.Min)
	s.receive(3, 2, ask)
	if s.node(2).promised != ask.Ballot {
		t.Error("it does not promise after the lease")
	}
	s.receive(3, 1, &Prepare{Ballot: newBallot(9, 3), First: 1})
	if n.promised != ballot {
		t.Error("the leader itself promises somebody else")
	}
}

// A leader that hears no quorum steps down: those who hear it would ignore everybody
// else for ever.
func TestLeaderWithoutQuorumStepsDown(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.fire(1, timerQuorum)
	if n.role != leader {
		t.Fatal("it steps down although a quorum has answered")
	}
	s.request(1, get(-1, 1))
	s.fire(1, timerQuorum)
	if n.role != follower || len(s.refused) != 1 {
		t.Errorf("it is %s with %v refused, want a follower that refuses the read", roleNames()[n.role], s.refused)
	}
}

// A command is executed once, however often it is sent; a retry gets the first
// result, also from who has it from a snapshot (PMMC §2.1).
func TestRequestIsExecutedOnceAlsoAcrossSnapshots(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.SnapshotEvery = 2 })
	n := s.elect(1, 2)
	s.request(1, put(-1, 1, 5))
	s.request(1, put(-1, 1, 5)) // proposed already
	if n.slots.last != 1 {
		t.Errorf("proposed up to slot %d, want 1", n.slots.last)
	}
	s.settle(between(1, 2))
	s.request(1, put(-2, 1, 6))
	s.settle(between(1, 2))
	s.fire(1, timerHeartbeat)
	s.settle(everything) // n3 installs the snapshot
	if s.node(3).slots.base != 2 {
		t.Fatalf("n3 has compacted %d slots, want 2", s.node(3).slots.base)
	}
	s.crash(1)
	s.elect(3, 2)
	replies := len(s.replies)
	s.request(3, put(-1, 1, 5))
	s.request(3, put(-1, 0, 5))
	if len(s.replies) != replies+2 || s.replies[replies].Result.Position != 1 || s.replies[replies+1].Result.Status != protocols.Expired {
		t.Errorf("got %v, want the first result again, and an expired one", s.replies[replies:])
	}
	s.clean()
}

// A snapshot holds the promise and what was accepted above it; a node boots from it
// alone.
func TestSnapshotIsAFullCheckpoint(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.SnapshotEvery, p.Decide = 2, DecideExplicit })
	s.elect(1, 2, 3)
	for c := range 4 {
		s.request(1, put(protocols.NodeID(-1-c), 1, int64(c+5)))
	}
	m := s.node(2)
	accepts := s.take(ofKind(KindAccept, 1, 2))
	for _, i := range []int{3, 0, 1} { // slot 3 is a hole when slots 1 and 2 are compacted
		s.receive(1, 2, accepts[i].message)
	}
	s.deliver(ofKind(KindAccepted, protocols.Nobody, 1))
	s.deliver(ofKind(KindAccepted, protocols.Nobody, 1))
	s.deliver(ofKind(KindDecide, 1, 2))
	snapshots := writtenBy[*Snapshot](s, 2)
	if len(snapshots) != 1 || snapshots[0].Checkpoint.Applied != 2 || len(snapshots[0].Accepted) != 1 || snapshots[0].Accepted[0].Slot != 4 {
		t.Fatalf("got %+v, want one of slot 2 with slot 4 in it", snapshots)
	}
	hash, promised := m.execute.Hash(), m.promised
	m = s.restart(2)
	if m.execute.Applied != 2 || m.execute.Hash() != hash || m.promised != promised || m.slots.at(4).ballot != promised || m.slots.at(3).ballot != 0 {
		t.Error("a boot from the snapshot is not what the node was")
	}
	s.clean()
}

// A lagging node gets what it lacks in ranges (PMMC §4.3).
func TestCatchUpByRanges(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.SnapshotEvery = 0; p.Window = 1024 })
	s.elect(1, 2)
	const count = catchupBatch + 10
	for seq := range uint64(count) {
		s.request(1, put(-1, seq+1, int64(seq)))
		s.settle(between(1, 2))
	}
	s.fire(1, timerHeartbeat)
	s.settle(everything)
	if n := s.node(3); n.execute.Applied != count || len(writtenBy[*Learned](s, 3)) != 2 {
		t.Errorf("n3 has executed %d slots from %d answers, want %d from 2", n.execute.Applied, len(writtenBy[*Learned](s, 3)), count)
	}
	s.clean()
}

// An acceptor whose disk was wiped has forgotten promises. It learns, and never votes
// again under its identity: a reconfiguration replaces it (PML §5.1, P-13).
func TestWipedAcceptorOnlyLearns(t *testing.T) {
	s := newStage(t, 4, nil)
	s.elect(1, 2, 3)
	s.reconfigure(1, 1, 2, 3)
	s.settle(everything)
	s.crash(3)
	s.wipe(3)
	s.boot(3, nil)
	n := s.node(3)
	s.now += 1e9
	s.receive(2, 3, &Prepare{Ballot: newBallot(9, 2), First: 1})
	s.receive(1, 3, &Accept{Ballot: s.node(1).promised, Slot: 900, Value: command(put(-1, 1, 5))})
	s.fire(3, timerElection)
	s.receive(1, 3, &Heartbeat{Ballot: s.node(1).promised, Round: 1})
	if len(s.wire) != 0 || n.role != learner {
		t.Errorf("it is %s and sent %v", roleNames()[n.role], s.wire)
	}
	s.fire(1, timerHeartbeat)
	s.settle(everything)
	if n.execute.Applied != s.node(1).execute.Applied || n.execute.Applied == 0 {
		t.Errorf("it has executed %d slots, want %d", n.execute.Applied, s.node(1).execute.Applied)
	}
	if n = s.restart(3); n.role != learner || n.execute.Applied == 0 {
		t.Errorf("after another restart it is %s with %d slots executed", roleNames()[n.role], n.execute.Applied)
	}
	s.reconfigure(1, 1, 2, 4)
	s.settle(everything)
	s.crash(2)
	s.request(1, put(-1, 1, 5))
	s.settle(everything)
	s.fire(1, timerHeartbeat)
	s.settle(everything)
	if len(s.replies) != 1 || s.node(4).execute.Applied == 0 {
		t.Errorf("got %v: its replacement does not vote", s.replies)
	}
	s.clean()
}

// A configuration chosen in slot s governs the slots from s+alpha on, and the leader
// fills those before with no-ops (PMMC §4.2, P-14).
func TestConfigurationIsInForceAlphaSlotsLater(t *testing.T) {
	s := newStage(t, 5, func(p *Parameters) { p.Window = 4 })
	n := s.elect(1, 2, 3, 4, 5)
	s.request(1, put(-1, 1, 5))
	s.settle(everything)
	s.reconfigure(1, 3, 1, 2)
	if n.slots.last != 5 || n.governing(5).Members.Len() != 5 {
		t.Fatalf("proposed up to slot %d, want the configuration in 2 and no-ops up to 5", n.slots.last)
	}
	s.settle(everything)
	if n.execute.Applied != 6 || n.governing(5).Members.Len() != 5 || n.governing(6).Members != protocols.Nodes(1, 2, 3) {
		t.Errorf("executed %d, slot 6 is of %v", n.execute.Applied, n.governing(6).Members)
	}
	note := s.actors[1].notes[len(s.actors[1].notes)-1]
	for _, x := range s.actors[1].notes {
		if x.Kind == protocols.NoteMembers && x.Index == 6 {
			note = x
		}
	}
	if note.Kind != protocols.NoteMembers || note.Members != protocols.Nodes(1, 2, 3) {
		t.Errorf("noted %+v", note)
	}
	s.request(1, put(-1, 2, 6))
	if len(sent[*Accept](s, 1, 4)) != 0 || len(sent[*Accept](s, 1, 3)) != 1 {
		t.Error("slot 7 is asked of the old members")
	}
	s.settle(between(1, 2))
	if n.execute.Applied != 7 {
		t.Error("not chosen by two of three")
	}
	s.clean()
}

// New members promise the leader's ballot before it proposes in their slots.
func TestNewMembersArePreparedFirst(t *testing.T) {
	s := newStage(t, 5, func(p *Parameters) { p.Window = 3 })
	n := s.elect(1, 2, 3)
	s.reconfigure(1, 1, 2, 3)
	s.settle(between(1, 2, 3))
	s.reconfigure(1, 1, 4, 5)
	s.settle(between(1, 2, 3))
	at := n.execute.Applied
	s.request(1, put(-1, 1, 5))
	if n.slots.last != at || n.isPrepared(at+1) {
		t.Fatal("it proposes in a slot whose acceptors have promised it nothing")
	}
	s.request(1, get(-2, 1))
	s.settle(between(1, 2, 3))
	if len(s.replies) != 0 {
		t.Fatal("it reads although it does not know whether the new members follow another leader")
	}
	s.fire(1, timerHeartbeat)
	s.settle(between(1, 4, 5))
	if len(s.replies) != 2 || n.execute.Applied != at+1 {
		t.Errorf("got %v and %d slots executed, want both answers", s.replies, n.execute.Applied)
	}
	s.clean()
}

// A leader that is no member any more steps down when its last slot is executed. It
// does not campaign, but tells its successors what it knows, until they have chosen
// something by themselves.
func TestRemovedNodeHandsOver(t *testing.T) {
	s := newStage(t, 4, func(p *Parameters) { p.Window = 2 })
	n := s.elect(1, 2, 3) // n4 has heard nothing
	s.reconfigure(1, 2, 3, 4)
	s.settle(between(1, 2, 3))
	if n.role != follower || n.execute.Applied != 2 || !n.isLeaving() {
		t.Fatalf("it is %s with %d slots executed", roleNames()[n.role], n.execute.Applied)
	}
	ballot := n.promised
	s.fire(1, timerElection)
	if n.promised != ballot || len(sent[*CatchupResponse](s, 1, 4)) != 1 {
		t.Fatalf("ballot %v, sent %v", n.promised, s.wire)
	}
	s.settle(between(1, 4))
	if m := s.node(4); m.execute.Applied != 2 || m.governing(3).Members != protocols.Nodes(2, 3, 4) {
		t.Fatalf("n4 has executed %d slots, want 2", m.execute.Applied)
	}
	s.elect(4, 2, 3)
	s.fire(1, timerElection)
	s.settle(everything)
	if n.isLeaving() {
		t.Error("it goes on although a slot of the new configuration is chosen")
	}
	s.fire(1, timerElection)
	if len(s.wire) != 0 {
		t.Error("it goes on to hand over")
	}
	s.clean()
}

// A node that does not know that it was removed is told so when it campaigns.
func TestStrangerIsToldSo(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Window = 2 })
	s.elect(1, 2, 3)
	s.reconfigure(1, 1, 2)
	s.settle(between(1, 2))
	s.fire(1, timerHeartbeat)
	s.settle(between(1, 2))
	s.now += 1e9
	s.fire(3, timerElection)
	s.deliver(ofKind(KindPrepare, 3, 2))
	if s.node(2).promised.Owner() != 1 || len(sent[*CatchupResponse](s, 2, 3)) != 1 {
		t.Fatalf("promised %v, sent %v", s.node(2).promised, s.wire)
	}
	s.settle(between(2, 3))
	if m := s.node(3); m.isMember() || m.role != follower {
		t.Errorf("it is %s, want to know that it was removed", roleNames()[m.role])
	}
	s.clean()
}

// A new leader finishes the reconfiguration that the old one began.
func TestNewLeaderFinishesReconfiguration(t *testing.T) {
	for _, executed := range []bool{false, true} {
		s := newStage(t, 4, func(p *Parameters) { p.Window = 8 })
		s.elect(1, 2, 3, 4)
		s.reconfigure(1, 2, 3, 4)
		s.deliver(func(l letter) bool { m, ok := l.message.(*Accept); return ok && m.Slot == 1 })
		if executed {
			s.deliver(ofKind(KindAccepted, protocols.Nobody, 1))
			s.fire(1, timerHeartbeat)
			s.deliver(ofKind(KindHeartbeat, 1, protocols.Nobody))
		}
		s.crash(1)
		s.wire = nil
		n := s.elect(2, 3, 4)
		if n.execute.Applied != 9 || n.configurations[n.current].Members != protocols.Nodes(2, 3, 4) {
			t.Errorf("executed %v: %d slots executed, %v in force, want 9 and the new one", executed, n.execute.Applied, n.configurations[n.current].Members)
		}
		s.clean()
	}
}

// What cannot be a configuration is refused, and so is a second one at a time.
func TestReconfigurationIsRefused(t *testing.T) {
	s := newStage(t, 4, func(p *Parameters) { p.Q1, p.Q2 = 3, 2 })
	n := s.elect(1, 2, 3, 4)
	admin := func(id protocols.NodeID, a protocols.Admin) {
		s.step(id, &protocols.Event{Kind: protocols.AdminEvent, Admin: a})
	}
	three := protocols.Nodes(1, 2, 3)
	admin(1, protocols.Admin{Kind: protocols.TransferLeadership, Target: 2})
	admin(1, protocols.Admin{Kind: protocols.Reconfigure})
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(1, 2)})    // no quorum of three
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(1, 2, 9)}) // no such node
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: three, Learner: protocols.Nodes(4)})
	admin(2, protocols.Admin{Kind: protocols.Reconfigure, Members: three})
	if n.slots.last != 0 || s.noted(1, protocols.NoteDropped) != 5 || s.noted(2, protocols.NoteDropped) != 1 {
		t.Fatalf("proposed up to slot %d, with %d wishes dropped", n.slots.last, s.noted(1, protocols.NoteDropped))
	}
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: three})
	last := n.slots.last
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(2, 3, 4)})
	if last != 64 || n.slots.last != last || s.noted(1, protocols.NoteDropped) != 6 {
		t.Errorf("proposed up to slot %d, want 64 for one configuration", n.slots.last)
	}
}
