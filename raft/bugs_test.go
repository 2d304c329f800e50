package raft

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// play is a script that shows a known bug: with the switch on, the checks trip or
// the script sees a wrong answer; with the switch off, nothing does.
type play struct {
	bug    string
	checks []string
	stage  func(t *testing.T, change func(*Parameters)) *stage
	run    func(s *stage) (wrong bool)
}

func three(change func(*Parameters)) func(*testing.T, func(*Parameters)) *stage {
	return func(t *testing.T, bugs func(*Parameters)) *stage {
		return newStage(t, 3, func(p *Parameters) {
			change(p)
			bugs(p)
		})
	}
}

// some is a cluster of n replicas, of which the first few are members.
func some(n, members int, change func(*Parameters)) func(*testing.T, func(*Parameters)) *stage {
	return func(t *testing.T, bugs func(*Parameters)) *stage {
		return newStageOf(t, protocols.Cluster{Replicas: n, Members: protocols.NodesUpTo(members)}, func(p *Parameters) {
			change(p)
			bugs(p)
		})
	}
}

func asIs(*Parameters) {}

func single(p *Parameters) { p.Membership = MembershipSingle }

func snapshots(p *Parameters) { p.SnapshotEvery, p.LogKept, p.ChunkSize, p.Window = 3, 0, 1, 1 }

func withLease(p *Parameters) { p.Reads = ReadsLease }

var plays = []play{
	{"R-01", []string{commitEvidence}, func(t *testing.T, bugs func(*Parameters)) *stage {
		change := func(p *Parameters) { p.MaxBatch = 1; bugs(p) }
		return withDisks(t, change, withLog(3, 1, 2), withLog(3, 1), withLog(3, 1, 3))
	}, func(s *stage) bool {
		s.elect(1, 2)
		return false
	}},
	{"R-02", []string{"durability", oneVote}, three(asIs), func(s *stage) bool {
		s.ManualSync = true
		s.Receive(2, 1, &RequestVote{Term: 1})
		s.Restart(1)
		s.Receive(3, 1, &RequestVote{Term: 1})
		s.Sync(1)
		return false
	}},
	{"R-03", []string{oneVote, electionSafety}, three(func(p *Parameters) { p.PreVote = false }), func(s *stage) bool {
		s.Fire(2, timerElection)
		s.Fire(3, timerElection)
		s.Deliver(ofKind(KindRequestVote, 2, 1))
		s.Restart(1)
		s.Deliver(ofKind(KindRequestVote, 3, 1))
		s.Deliver(everything)
		return false
	}},
	{"R-04", []string{oneVote}, three(func(p *Parameters) { p.PreVote, p.CheckQuorum = false, false }), func(s *stage) bool {
		s.Fire(1, timerElection)
		s.Fire(2, timerElection)
		s.Deliver(ofKind(KindRequestVoteResponse, 1, 1))
		s.Deliver(ofKind(KindRequestVote, 1, 3))
		s.Deliver(ofKind(KindRequestVoteResponse, 3, 1))
		s.Fire(1, timerHeartbeat)
		s.Deliver(ofKind(KindHeartbeat, 1, 2))
		s.Deliver(ofKind(KindRequestVote, 1, 2))
		return false
	}},
	{"R-07", []string{leaderCompleteness}, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2))
		s.Crash(1)
		s.Now += 1e9
		s.Fire(3, timerElection)
		s.Settle(between(2, 3))
		return false
	}},
	{"R-32", []string{commitEvidence}, some(4, 3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.reconfigure(1, protocols.NodesUpTo(3), protocols.Nodes(4))
		s.Settle(everything)
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 4))
		return false
	}},
	{"R-08", []string{stateMachineSafety}, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Now += 1e9
		s.Fire(3, timerElection)
		s.Settle(func(l letter) bool { return between(2, 3)(l) && l.Message.Kind() != KindAppendEntries })
		s.Request(3, put(-1, 1, 5)) // entries 2 and 3 are on n3 alone
		s.Receive(2, 1, &HeartbeatResponse{Term: 2})
		l := s.elect(1, 2)
		s.Request(1, put(-2, 1, 6))
		s.Settle(between(1, 2))
		s.Receive(1, 3, &AppendEntries{Term: l.term, Entries: l.log.View(1, 1), LeaderCommit: l.commit})
		return false
	}},
	{"R-09", []string{leaderCompleteness}, three(asIs), func(s *stage) bool {
		l := s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Request(1, put(-1, 2, 6))
		old := sent[*AppendEntries](s, 1, 2)[0]
		s.Settle(between(1, 2))
		s.Receive(1, 2, old) // a duplicate
		if l.commit != 3 {
			s.t.Fatalf("got commit index %d, want 3", l.commit)
		}
		s.Crash(1)
		s.elect(2, 3)
		return false
	}},
	{"R-11", []string{"durability"}, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		s.Deliver(everything)
		return false
	}},
	{"R-12", []string{"durability", matchEvidence}, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		s.Deliver(between(1))
		return false
	}},
	{"R-18", []string{readEvidence}, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2))
		s.Crash(1)
		s.Now += 1e9
		noAppends := func(l letter) bool { return between(2, 3)(l) && l.Message.Kind() != KindAppendEntries }
		s.Fire(2, timerElection)
		s.Settle(noAppends)
		replies := len(s.Replies)
		s.Request(2, get(-2, 1))
		s.Settle(noAppends)
		return len(s.Replies) > replies && s.Replies[replies].Result.Value != 5
	}},
	{"R-19", []string{readEvidence}, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Fire(1, timerHeartbeat)
		s.Deliver(ofKind(KindHeartbeat, 1, protocols.Nobody))
		late := *sent[*HeartbeatResponse](s, 2, 1)[0]
		s.elect(2, 3) // n1 is cut off, and does not know
		s.Request(2, put(-1, 1, 5))
		s.Settle(between(2, 3))
		replies := len(s.Replies)
		s.Request(1, get(-2, 1))
		s.Receive(2, 1, &late)
		return len(s.Replies) > replies
	}},
	{"R-21", []string{readEvidence, leaseExclusion}, three(withLease), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Fire(1, timerHeartbeat)
		s.Deliver(ofKind(KindHeartbeat, 1, protocols.Nobody))
		s.Now += 100e6
		s.Settle(everything)
		s.Now += 60e6
		s.Fire(3, timerElection)
		s.Settle(between(2, 3))
		return false
	}},
	{"R-22", []string{readEvidence, leaseExclusion}, three(func(p *Parameters) { withLease(p); p.MaxDrift = 100_000_000 }), func(s *stage) bool {
		s.Actors[1].Rate, s.Actors[2].Rate, s.Actors[3].Rate = 900, 1100, 1100
		s.elect(1, 2, 3)
		s.Fire(1, timerHeartbeat)
		s.Settle(everything)
		s.Now += 140e6 // n2 and n3 have counted 154 ms, n1 only 126
		s.Fire(3, timerElection)
		s.Settle(between(2, 3))
		s.Fire(1, timerHeartbeat)
		return false
	}},
	{"R-23", []string{leaseExclusion}, three(withLease), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Fire(1, timerHeartbeat)
		s.Settle(everything)
		s.transfer(1, 2)
		s.Deliver(ofKind(KindTimeoutNow, 1, 2))
		s.Settle(between(2, 3))
		return false
	}},
	{"R-26", []string{configurations}, some(5, 4, single), func(s *stage) bool {
		s.elect(1, 2, 3, 4)
		s.reconfigure(1, protocols.NodesUpTo(4), protocols.Nodes(5))
		s.Settle(everything)
		s.Fire(1, timerHeartbeat)
		s.Settle(everything)
		s.reconfigure(1, protocols.NodesUpTo(5), protocols.NodeSet{}) // on n1 alone
		s.Wire = nil
		s.Now += 1e9
		s.Fire(2, timerElection)
		s.Settle(func(l letter) bool { return between(2, 3, 4)(l) && l.Message.Kind() != KindAppendEntries })
		s.reconfigure(2, protocols.Nodes(2, 3, 4), protocols.Nodes(5))
		return false
	}},
	{"R-28", []string{configurations}, some(4, 3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.reconfigure(1, protocols.NodesUpTo(3), protocols.Nodes(4)) // on n1 alone
		s.elect(2, 3)
		s.Fire(2, timerHeartbeat)
		s.Now = s.Now.Add(s.parameters.Heartbeat)
		s.Fire(2, timerHeartbeat)
		s.Settle(between(1, 2))
		s.Fire(2, timerHeartbeat)
		s.Settle(between(1, 2))
		return false
	}},
	{"R-30", []string{commitEvidence}, some(5, 3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.reconfigure(1, protocols.NodesUpTo(3), protocols.Nodes(4, 5))
		s.Settle(everything)
		s.reconfigure(1, protocols.Nodes(1, 4, 5), protocols.NodeSet{})
		s.Settle(between(1, 4, 5))
		return false
	}},
	{"R-31", []string{commitEvidence}, three(single), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.reconfigure(1, protocols.Nodes(2, 3), protocols.NodeSet{})
		s.Settle(between(1, 2))
		return false
	}},
	{"R-33", []string{configurations}, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.reconfigure(1, protocols.Nodes(1, 2), protocols.NodeSet{})
		s.Settle(everything)
		return false
	}},
	{"R-34", []string{jointIsLeft}, some(4, 3, asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.reconfigure(1, protocols.NodesUpTo(3), protocols.Nodes(4))
		s.Settle(everything)
		s.reconfigure(1, protocols.Nodes(1, 2, 4), protocols.NodeSet{})
		s.Deliver(ofKind(KindAppendEntries, 1, protocols.Nobody))
		s.Wire = nil
		s.Crash(1)
		s.elect(2, 3, 4)
		return false
	}},
	{"R-35", []string{matchEvidence}, three(single), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Deliver(ofKind(KindAppendEntries, 1, 3))
		late := *sent[*AppendEntriesResponse](s, 3, 1)[0]
		s.Wipe(3)
		s.Settle(between(1, 2))
		s.reconfigure(1, protocols.Nodes(1, 2), protocols.NodeSet{})
		s.Settle(between(1, 2))
		s.Boot(3)
		s.reconfigure(1, protocols.Nodes(1, 2), protocols.Nodes(3))
		s.Deliver(ofKind(KindAppendEntries, 1, 3))
		s.Deliver(ofKind(KindAppendEntriesResponse, 3, 1))
		s.Receive(3, 1, &late)
		return false
	}},
	{"R-37", []string{stateMachineSafety}, some(1, 1, snapshots), func(s *stage) bool {
		s.elect(1)
		for seq := range uint64(3) {
			s.Request(1, put(-1, seq+1, int64(seq)+5))
			s.Settle(everything)
		}
		s.Restart(1)
		return false
	}},
	{"R-38", []string{configurations}, three(snapshots), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.reconfigure(1, protocols.Nodes(1, 2), protocols.NodeSet{})
		s.Settle(everything)
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		return false
	}},
	{"R-40", []string{leaderCompleteness}, three(snapshots), func(s *stage) bool {
		s.elect(1, 2)
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2))
		s.Request(1, put(-2, 1, 6))
		s.Settle(between(1, 2)) // n1 has a snapshot of all of it, in more than one chunk
		s.Fire(1, timerHeartbeat)
		s.Now = s.Now.Add(s.parameters.Heartbeat)
		s.Fire(1, timerHeartbeat)
		s.Settle(func(l letter) bool { return between(1, 3)(l) && l.Message.Kind() != KindInstallSnapshotResponse })
		s.Crash(1)
		s.Now += 1e9
		s.Fire(3, timerElection)
		s.Settle(func(l letter) bool { return between(2, 3)(l) && l.Message.Kind() != KindAppendEntries })
		return false
	}},
	{"R-WIPE", []string{leaderCompleteness}, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 3))
		s.Crash(1)
		s.Wipe(3)
		s.Boot(3)
		s.Now += 1e9
		s.Fire(2, timerElection)
		s.Settle(between(2, 3))
		return false
	}},
	{"R-25", []string{leaseExclusion}, three(withLease), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Fire(1, timerHeartbeat)
		s.Settle(between(1, 2))
		s.Restart(2)
		s.Fire(3, timerElection)
		s.Settle(between(2, 3))
		return false
	}},
	{"R-44", nil, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		for _, c := range []protocols.Command{put(-1, 1, 5), put(-2, 1, 6), put(-1, 1, 5), get(-3, 1)} {
			s.Request(1, c)
			s.Settle(everything)
		}
		return s.Replies[len(s.Replies)-1].Result.Value != 6
	}},
	{"R-46", nil, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		return len(s.Replies) > 0
	}},
	{"R-47", nil, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.Request(1, put(-1, 1, 5))
		s.Receive(3, 1, &HeartbeatResponse{Term: 5})
		return len(s.Refused) > 0
	}},
	{"R-READ", []string{readEvidence}, three(asIs), func(s *stage) bool {
		s.elect(1, 2, 3)
		s.elect(2, 3) // n1 is cut off, and does not know
		s.Request(2, put(-1, 1, 5))
		s.Settle(between(2, 3))
		replies := len(s.Replies)
		s.Request(1, get(-2, 1))
		return len(s.Replies) > replies
	}},
}

func TestBugsAreCaughtAndTheirAbsencePasses(t *testing.T) {
	shown := map[string]bool{}
	for _, p := range plays {
		shown[p.bug] = true
		t.Run(p.bug, func(t *testing.T) {
			s := p.stage(t, func(ps *Parameters) { ps.Bugs = []string{p.bug} })
			wrong := p.run(s)
			for _, check := range p.checks {
				s.Trips(check)
			}
			if len(p.checks) == 0 && !wrong {
				t.Error("with the bug: nothing is wrong")
			}
			s = p.stage(t, asIs)
			if p.run(s) {
				t.Error("without the bug: a wrong answer")
			}
			s.Clean()
		})
	}
	for _, b := range Protocol().Bugs {
		// Package scenarios shows these: there disks rot, and something has to happen in time.
		if !shown[b.ID] && b.ID != "R-51" && b.Class != protocols.ClassLiveness {
			t.Errorf("no script shows %s", b.ID)
		}
	}
}
