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
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2))
		s.Crash(1)
		s.Now += 1e9
		noAccepts := func(l letter) bool { return between(2, 3)(l) && l.Message.Kind() != KindAccept }
		s.Fire(2, timerElection)
		s.Settle(noAccepts)
		if s.Noted(2, protocols.NoteLeader) != 1 || s.Noted(2, protocols.NoteNormal) != 0 {
			t.Fatalf("%s: want a leader that is not yet normal", reads)
		}
		replies := len(s.Replies)
		s.Request(2, get(-2, 1))
		s.Settle(noAccepts)
		if len(s.Replies) != replies {
			t.Fatalf("%s: answered before what it inherited was executed", reads)
		}
		s.Fire(2, timerHeartbeat)
		s.Fire(2, timerHeartbeat)
		s.Settle(between(2, 3))
		if got := s.Replies[len(s.Replies)-1]; got.Command.Client != -2 || got.Result.Value != 5 || s.Noted(2, protocols.NoteNormal) != 1 {
			t.Errorf("%s: got %+v, want the read of 5", reads, got)
		}
		s.Clean()
	}
}

// A read waits for a round of heartbeats sent after it came; answers to earlier
// rounds confirm nothing.
func TestQuorumReadWaitsForItsOwnRound(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Request(1, get(-1, 1))
	first := n.round
	s.Request(1, get(-2, 1))
	answer := func(from protocols.NodeID, round uint64) {
		s.Receive(from, 1, &HeartbeatResponse{Ballot: n.promised, Round: round})
	}
	answer(2, first-1)
	if len(s.Replies) != 0 {
		t.Error("answered by an earlier round")
	}
	answer(2, first)
	if len(s.Replies) != 1 || s.Replies[0].Command.Client != -1 {
		t.Errorf("got %v, want only the first read", s.Replies)
	}
	answer(3, first+1)
	if len(s.Replies) != 2 {
		t.Errorf("got %d replies, want 2", len(s.Replies))
	}
	answer(3, first+9)
	if s.Noted(1, protocols.NoteDropped) != 1 {
		t.Error("an answer to a round that was not sent was taken")
	}
	s.Clean()
}

// A leader that was replaced, and does not know, gets no quorum for its read.
func TestQuorumReadOfADeposedLeaderIsNotAnswered(t *testing.T) {
	s := newStage(t, 3, nil)
	s.elect(1, 2, 3)
	s.elect(2, 3)
	s.Request(2, put(-1, 1, 5))
	s.Settle(between(2, 3))
	replies := len(s.Replies)
	s.Request(1, get(-2, 1))
	s.Settle(everything)
	if len(s.Replies) != replies || len(s.Refused) != 1 {
		t.Errorf("got %v, refused %v; want a refusal", s.Replies[replies:], s.Refused)
	}
	s.Clean()
}

// A lease counts from when its round was sent, and is shortened by the clock bound
// (PML §5.2, P-12).
func TestLeaseStartsAtSendAndIsShortened(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Reads, p.MaxDrift = ReadsLease, 100_000_000 })
	n := s.elect(1, 2, 3)
	s.Now += 10e6
	sentAt := s.Now
	s.Fire(1, timerHeartbeat)
	s.Now += 20e6
	s.Deliver(everything)
	s.Deliver(ofKind(KindHeartbeatResponse, 2, 1))
	want := sentAt.Add(150 * 1000 * 1000 * 9 / 11)
	if n.leaseUntil != want {
		t.Fatalf("lease until %v, want %v", n.leaseUntil, want)
	}
	s.Wire = nil
	s.Now = want - 1
	s.Request(1, get(-1, 1))
	if len(s.Replies) != 1 || len(s.Wire) != 0 {
		t.Errorf("%d replies and %d messages within the lease, want 1 and 0", len(s.Replies), len(s.Wire))
	}
	s.Now = want
	s.Request(1, get(-1, 2))
	if len(s.Replies) != 1 || len(s.Wire) != 2 {
		t.Errorf("%d replies and %d messages after the lease, want 1 and a round", len(s.Replies), len(s.Wire))
	}
	s.Clean()
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
			s.Restart(2)
		}
		s.Wire = nil
		s.Receive(3, 2, ask)
		s.Fire(2, timerElection)
		if m := s.Node(2); m.promised != ballot || len(s.Wire) != 0 {
			t.Errorf("restart %v: promised %v and sent %v within the lease", restart, m.promised, s.Wire)
		}
	}
	s.Now = s.Now.Add(s.parameters.ElectionTimeout.Min)
	s.Receive(3, 2, ask)
	if s.Node(2).promised != ask.Ballot {
		t.Error("it does not promise after the lease")
	}
	s.Receive(3, 1, &Prepare{Ballot: newBallot(9, 3), First: 1})
	if n.promised != ballot {
		t.Error("the leader itself promises somebody else")
	}
}

// A leader that hears no quorum steps down: those who hear it would ignore everybody
// else for ever.
func TestLeaderWithoutQuorumStepsDown(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Fire(1, timerQuorum)
	if n.role != leader {
		t.Fatal("it steps down although a quorum has answered")
	}
	s.Request(1, get(-1, 1))
	s.Fire(1, timerQuorum)
	if n.role != follower || len(s.Refused) != 1 {
		t.Errorf("it is %s with %v refused, want a follower that refuses the read", roleNames()[n.role], s.Refused)
	}
}

// A command is executed once, however often it is sent; a retry gets the first
// result, also from who has it from a snapshot (PMMC §2.1).
func TestRequestIsExecutedOnceAlsoAcrossSnapshots(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.SnapshotEvery = 2 })
	n := s.elect(1, 2)
	s.Request(1, put(-1, 1, 5))
	s.Request(1, put(-1, 1, 5)) // proposed already
	if n.slots.last != 1 {
		t.Errorf("proposed up to slot %d, want 1", n.slots.last)
	}
	s.Settle(between(1, 2))
	s.Request(1, put(-2, 1, 6))
	s.Settle(between(1, 2))
	s.Fire(1, timerHeartbeat)
	s.Settle(everything) // n3 installs the snapshot
	if s.Node(3).slots.base != 2 {
		t.Fatalf("n3 has compacted %d slots, want 2", s.Node(3).slots.base)
	}
	s.Crash(1)
	s.elect(3, 2)
	replies := len(s.Replies)
	s.Request(3, put(-1, 1, 5))
	s.Request(3, put(-1, 0, 5))
	if len(s.Replies) != replies+2 || s.Replies[replies].Result.Position != 1 || s.Replies[replies+1].Result.Status != protocols.Expired {
		t.Errorf("got %v, want the first result again, and an expired one", s.Replies[replies:])
	}
	s.Clean()
}

// A snapshot holds the promise and what was accepted above it; a node boots from it
// alone.
func TestSnapshotIsAFullCheckpoint(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.SnapshotEvery, p.Decide = 2, DecideExplicit })
	s.elect(1, 2, 3)
	for c := range 4 {
		s.Request(1, put(protocols.NodeID(-1-c), 1, int64(c+5)))
	}
	m := s.Node(2)
	accepts := s.Take(ofKind(KindAccept, 1, 2))
	for _, i := range []int{3, 0, 1} { // slot 3 is a hole when slots 1 and 2 are compacted
		s.Receive(1, 2, accepts[i].Message)
	}
	s.Deliver(ofKind(KindAccepted, protocols.Nobody, 1))
	s.Deliver(ofKind(KindAccepted, protocols.Nobody, 1))
	s.Deliver(ofKind(KindDecide, 1, 2))
	snapshots := writtenBy[*Snapshot](s, 2)
	if len(snapshots) != 1 || snapshots[0].Checkpoint.Applied != 2 || len(snapshots[0].Accepted) != 1 || snapshots[0].Accepted[0].Slot != 4 {
		t.Fatalf("got %+v, want one of slot 2 with slot 4 in it", snapshots)
	}
	hash, promised := m.execute.Hash(), m.promised
	m = s.Restart(2)
	if m.execute.Applied != 2 || m.execute.Hash() != hash || m.promised != promised || m.slots.at(4).ballot != promised || m.slots.at(3).ballot != 0 {
		t.Error("a boot from the snapshot is not what the node was")
	}
	s.Clean()
}

// A lagging node gets what it lacks in ranges (PMMC §4.3).
func TestCatchUpByRanges(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.SnapshotEvery = 0; p.Window = 1024 })
	s.elect(1, 2)
	const count = catchupBatch + 10
	for seq := range uint64(count) {
		s.Request(1, put(-1, seq+1, int64(seq)))
		s.Settle(between(1, 2))
	}
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	if n := s.Node(3); n.execute.Applied != count || len(writtenBy[*Learned](s, 3)) != 2 {
		t.Errorf("n3 has executed %d slots from %d answers, want %d from 2", n.execute.Applied, len(writtenBy[*Learned](s, 3)), count)
	}
	s.Clean()
}

// An acceptor whose disk was wiped has forgotten promises. It learns, and never votes
// again under its identity: a reconfiguration replaces it (PML §5.1, P-13).
func TestWipedAcceptorOnlyLearns(t *testing.T) {
	s := newStage(t, 4, nil)
	s.elect(1, 2, 3)
	s.reconfigure(1, 1, 2, 3)
	s.Settle(everything)
	s.Crash(3)
	s.Wipe(3)
	s.Boot(3)
	n := s.Node(3)
	s.Now += 1e9
	s.Receive(2, 3, &Prepare{Ballot: newBallot(9, 2), First: 1})
	s.Receive(1, 3, &Accept{Ballot: s.Node(1).promised, Slot: 900, Value: command(put(-1, 1, 5))})
	s.Fire(3, timerElection)
	s.Receive(1, 3, &Heartbeat{Ballot: s.Node(1).promised, Round: 1})
	if len(s.Wire) != 0 || n.role != learner {
		t.Errorf("it is %s and sent %v", roleNames()[n.role], s.Wire)
	}
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	if n.execute.Applied != s.Node(1).execute.Applied || n.execute.Applied == 0 {
		t.Errorf("it has executed %d slots, want %d", n.execute.Applied, s.Node(1).execute.Applied)
	}
	if n = s.Restart(3); n.role != learner || n.execute.Applied == 0 {
		t.Errorf("after another restart it is %s with %d slots executed", roleNames()[n.role], n.execute.Applied)
	}
	s.reconfigure(1, 1, 2, 4)
	s.Settle(everything)
	s.Crash(2)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Fire(1, timerHeartbeat)
	s.Settle(everything)
	if len(s.Replies) != 1 || s.Node(4).execute.Applied == 0 {
		t.Errorf("got %v: its replacement does not vote", s.Replies)
	}
	s.Clean()
}

// A configuration chosen in slot s governs the slots from s+alpha on, and the leader
// fills those before with no-ops (PMMC §4.2, P-14).
func TestConfigurationIsInForceAlphaSlotsLater(t *testing.T) {
	s := newStage(t, 5, func(p *Parameters) { p.Window = 4 })
	n := s.elect(1, 2, 3, 4, 5)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.reconfigure(1, 3, 1, 2)
	if n.slots.last != 5 || n.governing(5).Members.Len() != 5 {
		t.Fatalf("proposed up to slot %d, want the configuration in 2 and no-ops up to 5", n.slots.last)
	}
	s.Settle(everything)
	if n.execute.Applied != 6 || n.governing(5).Members.Len() != 5 || n.governing(6).Members != protocols.Nodes(1, 2, 3) {
		t.Errorf("executed %d, slot 6 is of %v", n.execute.Applied, n.governing(6).Members)
	}
	note := s.Actors[1].Notes[len(s.Actors[1].Notes)-1]
	for _, x := range s.Actors[1].Notes {
		if x.Kind == protocols.NoteMembers && x.Index == 6 {
			note = x
		}
	}
	if note.Kind != protocols.NoteMembers || note.Members != protocols.Nodes(1, 2, 3) {
		t.Errorf("noted %+v", note)
	}
	s.Request(1, put(-1, 2, 6))
	if len(sent[*Accept](s, 1, 4)) != 0 || len(sent[*Accept](s, 1, 3)) != 1 {
		t.Error("slot 7 is asked of the old members")
	}
	s.Settle(between(1, 2))
	if n.execute.Applied != 7 {
		t.Error("not chosen by two of three")
	}
	s.Clean()
}

// New members promise the leader's ballot before it proposes in their slots.
func TestNewMembersArePreparedFirst(t *testing.T) {
	s := newStage(t, 5, func(p *Parameters) { p.Window = 3 })
	n := s.elect(1, 2, 3)
	s.reconfigure(1, 1, 2, 3)
	s.Settle(between(1, 2, 3))
	s.reconfigure(1, 1, 4, 5)
	s.Settle(between(1, 2, 3))
	at := n.execute.Applied
	s.Request(1, put(-1, 1, 5))
	if n.slots.last != at || n.isPrepared(at+1) {
		t.Fatal("it proposes in a slot whose acceptors have promised it nothing")
	}
	s.Request(1, get(-2, 1))
	s.Settle(between(1, 2, 3))
	if len(s.Replies) != 0 {
		t.Fatal("it reads although it does not know whether the new members follow another leader")
	}
	s.Fire(1, timerHeartbeat)
	s.Settle(between(1, 4, 5))
	if len(s.Replies) != 2 || n.execute.Applied != at+1 {
		t.Errorf("got %v and %d slots executed, want both answers", s.Replies, n.execute.Applied)
	}
	s.Clean()
}

// A round that the members before have confirmed does not do for a read once others
// decide: they may follow another leader by then.
func TestRoundOfFormerMembersConfirmsNoRead(t *testing.T) {
	s := newStage(t, 4, func(p *Parameters) { p.Window = 1 })
	n := s.elect(1, 2, 3)
	s.reconfigure(1, 1, 3, 4)
	s.Request(1, get(-1, 1))
	s.Deliver(ofKind(KindHeartbeat, 1, 2))
	s.Deliver(ofKind(KindHeartbeatResponse, 2, 1))
	round := n.round
	if n.confirmed != round || len(s.Replies) != 1 {
		t.Fatalf("round %d of %d is confirmed, answered %v; want the read before the change", n.confirmed, round, s.Replies)
	}
	s.Settle(func(l letter) bool { return l.Message.Kind() != KindHeartbeat && between(1, 2, 3)(l) })
	if n.execute.Applied < 1 || n.governing(n.execute.Applied+1).Members != protocols.Nodes(1, 3, 4) {
		t.Fatalf("%d slots executed, want the configuration to be in force", n.execute.Applied)
	}
	if n.confirmed >= round {
		t.Errorf("round %d counts as confirmed, but of {n1 n3 n4} only n1 has answered", n.confirmed)
	}
	s.Clean()
}

// A leader that is no member any more steps down when its last slot is executed. It
// does not campaign, but tells its successors what it knows, until they have chosen
// something by themselves.
func TestRemovedNodeHandsOver(t *testing.T) {
	s := newStage(t, 4, func(p *Parameters) { p.Window = 2 })
	n := s.elect(1, 2, 3) // n4 has heard nothing
	s.reconfigure(1, 2, 3, 4)
	s.Settle(between(1, 2, 3))
	if n.role != follower || n.execute.Applied != 2 || !n.isLeaving() {
		t.Fatalf("it is %s with %d slots executed", roleNames()[n.role], n.execute.Applied)
	}
	ballot := n.promised
	s.Fire(1, timerElection)
	if n.promised != ballot || len(sent[*CatchupResponse](s, 1, 4)) != 1 {
		t.Fatalf("ballot %v, sent %v", n.promised, s.Wire)
	}
	s.Settle(between(1, 4))
	if m := s.Node(4); m.execute.Applied != 2 || m.governing(3).Members != protocols.Nodes(2, 3, 4) {
		t.Fatalf("n4 has executed %d slots, want 2", m.execute.Applied)
	}
	s.elect(4, 2, 3)
	s.Fire(1, timerElection)
	s.Settle(everything)
	if n.isLeaving() {
		t.Error("it goes on although a slot of the new configuration is chosen")
	}
	s.Fire(1, timerElection)
	if len(s.Wire) != 0 {
		t.Error("it goes on to hand over")
	}
	s.Clean()
}

// Whom a removed node heard last may be removed too. It names the members one after
// the other, for writes and reads alike, so that a client gets to who leads now.
func TestRemovedNodeNamesTheMembers(t *testing.T) {
	s := newStage(t, 4, func(p *Parameters) { p.Window = 2 })
	n := s.elect(1, 2, 3, 4)
	s.reconfigure(1, 2, 3, 4)
	s.Settle(everything)
	if n.isMember() {
		t.Fatal("n1 is a member, want it removed")
	}
	n.leader = 1 // as if it had heard last a node that is no member either
	for i, want := range []protocols.NodeID{2, 3, 4, 2} {
		c := put(-1, uint64(i+1), 7)
		if i%2 == 1 {
			c = get(-1, uint64(i+1))
		}
		refused := len(s.Refused)
		s.Request(1, c)
		if len(s.Refused) != refused+1 || n.hinted != want {
			t.Fatalf("refused %v, hint %v, want %v", s.Refused, n.hinted, want)
		}
	}
	s.Clean()
}

// A node that does not know that it was removed is told so when it campaigns.
func TestStrangerIsToldSo(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Window = 2 })
	s.elect(1, 2, 3)
	s.reconfigure(1, 1, 2)
	s.Settle(between(1, 2))
	s.Fire(1, timerHeartbeat)
	s.Settle(between(1, 2))
	s.Now += 1e9
	s.Fire(3, timerElection)
	s.Deliver(ofKind(KindPrepare, 3, 2))
	if s.Node(2).promised.Owner() != 1 || len(sent[*CatchupResponse](s, 2, 3)) != 1 {
		t.Fatalf("promised %v, sent %v", s.Node(2).promised, s.Wire)
	}
	s.Settle(between(2, 3))
	if m := s.Node(3); m.isMember() || m.role != follower {
		t.Errorf("it is %s, want to know that it was removed", roleNames()[m.role])
	}
	s.Clean()
}

// A new leader finishes the reconfiguration that the old one began.
func TestNewLeaderFinishesReconfiguration(t *testing.T) {
	for _, executed := range []bool{false, true} {
		s := newStage(t, 4, func(p *Parameters) { p.Window = 8 })
		s.elect(1, 2, 3, 4)
		s.reconfigure(1, 2, 3, 4)
		s.Deliver(func(l letter) bool { m, ok := l.Message.(*Accept); return ok && m.Slot == 1 })
		if executed {
			s.Deliver(ofKind(KindAccepted, protocols.Nobody, 1))
			s.Fire(1, timerHeartbeat)
			s.Deliver(ofKind(KindHeartbeat, 1, protocols.Nobody))
		}
		s.Crash(1)
		s.Wire = nil
		n := s.elect(2, 3, 4)
		if n.execute.Applied != 9 || n.configurations[n.current].Members != protocols.Nodes(2, 3, 4) {
			t.Errorf("executed %v: %d slots executed, %v in force, want 9 and the new one", executed, n.execute.Applied, n.configurations[n.current].Members)
		}
		s.Clean()
	}
}

// What cannot be a configuration is refused, and so is a second one at a time.
func TestReconfigurationIsRefused(t *testing.T) {
	s := newStage(t, 4, func(p *Parameters) { p.Q1, p.Q2 = 3, 2 })
	n := s.elect(1, 2, 3, 4)
	admin := func(id protocols.NodeID, a protocols.Admin) {
		s.Step(id, &protocols.Event{Kind: protocols.AdminEvent, Admin: a})
	}
	three := protocols.Nodes(1, 2, 3)
	admin(1, protocols.Admin{Kind: protocols.TransferLeadership, Target: 2})
	admin(1, protocols.Admin{Kind: protocols.Reconfigure})
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(1, 2)})    // no quorum of three
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(1, 2, 9)}) // no such node
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: three, Learner: protocols.Nodes(4)})
	admin(2, protocols.Admin{Kind: protocols.Reconfigure, Members: three})
	if n.slots.last != 0 || s.Noted(1, protocols.NoteDropped) != 5 || s.Noted(2, protocols.NoteDropped) != 1 {
		t.Fatalf("proposed up to slot %d, with %d wishes dropped", n.slots.last, s.Noted(1, protocols.NoteDropped))
	}
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: three})
	last := n.slots.last
	admin(1, protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(2, 3, 4)})
	if last != 64 || n.slots.last != last || s.Noted(1, protocols.NoteDropped) != 6 {
		t.Errorf("proposed up to slot %d, want 64 for one configuration", n.slots.last)
	}
}
