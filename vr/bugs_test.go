package vr

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// play is a script that shows a known bug: with the switch on, the checks trip; with
// the switch off, nothing does, and in the script goes on as far as it can.
type play struct {
	bug    string
	checks []string
	change func(*Parameters)
	run    func(s *stage)
	spares int // replicas that are no members yet
}

func asIs(*Parameters) {}

func withCrashVectors(p *Parameters) { p.Variant = CrashVectors }

func withLease(p *Parameters) { p.Reads = ReadsLease }

var plays = []play{
	{"V-01", []string{changeEvidence, committedStays}, withCrashVectors, func(s *stage) {
		// The answers to n2's first recovery are duplicated, and come again in its second.
		s.Restart(2)
		var late []letter
		for s.Node(2).status == recovering {
			s.Deliver(ofKind(KindRecovery, 2, 0))
			late = append(late, s.Wire...)
			s.Deliver(everything)
		}
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 2)) // committed by n1 and n2
		s.Restart(2)
		s.Hand(late...)
		s.Fire(2, timerView)
		s.Fire(3, timerView)
		s.Settle(between(2, 3))
	}, 0},
	{"V-02", []string{committedStays, onePrimary}, withCrashVectors, func(s *stage) {
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		s.Restart(1)
		s.Settle(everything)
	}, 0},
	{"V-04", []string{promiseKept, committedStays}, asIs, forgottenPromise, 0},
	{"V-05", []string{committedStays}, asIs, func(s *stage) {
		for seq := range uint64(3) {
			s.Request(1, put(-1, seq+1, int64(seq)))
		}
		s.Wire = nil // n1 is cut off
		s.change(2, 3)
		s.Request(2, put(-2, 1, 7))
		s.Settle(between(2, 3))
		s.change(3, 1)
	}, 0},
	{"V-07", []string{changeEvidence, committedStays}, withCrashVectors, func(s *stage) {
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 3))
		s.Fire(2, timerView)
		s.Settle(between(2))
	}, 0},
	{"V-08", []string{promiseKept, committedStays}, asIs, func(s *stage) {
		s.Fire(3, timerView)
		late := s.Take(func(l letter) bool { return l.From == 3 && l.To == 2 })
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1, 3))
		s.Hand(late...)
		s.Settle(between(2))
	}, 0},
	{"V-11", []string{oneLogPerView}, asIs, func(s *stage) {
		s.Request(1, put(-1, 1, 5))
		s.Wire = nil // n1 is cut off
		s.change(2, 3)
		s.Request(2, put(-2, 1, 7))
		s.Settle(between(2, 3))
		s.Fire(2, timerCommit)
		s.Settle(everything)
	}, 0},
	{"V-12", []string{clientTableExact}, asIs, func(s *stage) {
		s.Request(1, put(-1, 1, 5))
		s.Deliver(ofKind(KindPrepare, 1, 2))
		s.Wire = nil // n1 is cut off before it hears of it
		s.Fire(2, timerView)
		s.Fire(3, timerView)
		s.Deliver(between(2, 3))
		s.Deliver(ofKind(KindDoViewChange, 0, 2))
		s.Request(2, put(-1, 1, 5)) // again
		s.Settle(between(2, 3))
	}, 0},
	{"V-22", []string{clientTableExact}, func(p *Parameters) { p.CheckpointInterval = 1 }, func(s *stage) {
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		s.Fire(1, timerCommit)
		s.Settle(everything)
		s.Restart(2)
		s.Restart(3)
		s.Wire = nil
		s.change(2, 3)
		s.Request(2, put(-1, 1, 5)) // again
		s.Settle(between(2, 3))
	}, 0},
	{"V-14", []string{committedStays}, asIs, func(s *stage) {
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		s.reconfigure(1, 4, 5, 6)
		s.Settle(everything)
	}, 3},
	{"V-15", []string{committedStays}, asIs, func(s *stage) {
		s.reconfigure(1, 1, 2, 4)
		s.Request(1, put(-1, 1, 5))
		// n1 and n3 acknowledge both; n2 has only the reconfiguration, and learns from n1,
		// which had not heard of the second one then, that it is committed.
		s.Deliver(ofKind(KindPrepare, 1, 3))
		prepares := s.Take(ofKind(KindPrepare, 1, 2))
		s.Hand(prepares[0])
		s.Deliver(ofKind(KindPrepareOK, 1, 1))
		acks := s.Take(ofKind(KindPrepareOK, 3, 1))
		s.Hand(acks[0])
		s.Settle(everything)
	}, 1},
	{"V-16", []string{"durability", promiseKept}, asIs, func(s *stage) {
		s.ManualSync = true
		s.Fire(3, timerView)
		s.Restart(3)
		s.Receive(1, 3, &Prepare{})
		s.Sync(3)
	}, 0},
	{"V-19", []string{leaseExclusion}, withLease, func(s *stage) {
		s.Fire(1, timerCommit)
		s.Settle(everything) // n1 has a lease
		// n2 was told to time out too early, and n3 joins it although it has promised n1
		// to keep out.
		s.Node(2).quietUntil = 0
		s.Fire(2, timerView)
		s.Settle(between(2, 3))
	}, 0},
}

// forgottenPromise is the schedule of Michael et al. (DISC 2017): two replicas crash
// one after the other, and recover in a view below one that they had promised.
func forgottenPromise(s *stage) {
	// n2 wants view 1; only what it says to n3 stays under way.
	s.Fire(2, timerView)
	late := s.Take(ofKind(KindStartViewChange, 2, 3))
	s.Wire = nil
	s.Restart(2)
	s.Settle(everything)
	// n3 joins view 1 on the word of n2's former life; what it says to n2 is late.
	s.Hand(late...)
	late = s.Take(func(l letter) bool { return l.From == 3 && l.To == 2 })
	s.Wire = nil
	s.Restart(3)
	s.Settle(everything)
	// n1 and n3 commit an operation that n2 misses.
	s.Request(1, put(-1, 1, 5))
	s.Settle(between(1, 3))
	// Now n2 hears what n3 said in its former life.
	s.Hand(late...)
	s.Settle(between(2, 3))
}

// run plays p with or without the bug.
func (p *play) play(t *testing.T, bugs ...string) *stage {
	s := newStageOf(t, protocols.Cluster{Replicas: 3 + p.spares, Members: protocols.NodesUpTo(3)}, func(ps *Parameters) {
		p.change(ps)
		ps.Bugs = bugs
	})
	s.Settle(everything)
	p.run(s)
	return s
}

func TestBugsAreCaughtAndTheirAbsencePasses(t *testing.T) {
	shown := map[string]bool{}
	for _, p := range plays {
		shown[p.bug] = true
		t.Run(p.bug, func(t *testing.T) {
			s := p.play(t, p.bug)
			for _, check := range p.checks {
				s.Trips(check)
			}
			p.play(t).Clean()
		})
	}
	for _, b := range Protocol().Bugs {
		// Package scenarios shows these: there disks rot, and something has to happen in time.
		if !shown[b.ID] && b.ID != "V-17" && b.Class != protocols.ClassLiveness {
			t.Errorf("no script shows %s", b.ID)
		}
	}
}

// DISC 2017, §6: the same script breaks the protocol of the paper, and neither of
// the two that mend it. There an acknowledged write is gone, and a read says so.
func TestForgottenPromiseByVariant(t *testing.T) {
	for variant, breaks := range map[string]bool{Diskless: true, CrashVectors: false, Durable: false} {
		t.Run(variant, func(t *testing.T) {
			s := newStage(t, 3, func(p *Parameters) { p.Variant = variant })
			forgottenPromise(s)
			acknowledged := len(s.Replies)
			s.Request(2, get(-2, 1))
			s.Settle(between(2, 3))
			if !breaks {
				s.Clean()
				if len(s.Replies) > acknowledged {
					t.Errorf("n2 answers a read: %v", s.Replies)
				}
				return
			}
			s.Trips(promiseKept)
			s.Trips(committedStays)
			if acknowledged != 1 || len(s.Replies) != 2 || s.Replies[1].Result.Value != 0 {
				t.Errorf("got %v, want the write of 5 acknowledged and a read of nothing", s.Replies)
			}
		})
	}
}

// Once the script is over, the two safe variants go on, with the write if it was
// acknowledged.
func TestAfterTheForgottenPromiseTheOthersGoOn(t *testing.T) {
	for _, variant := range []string{CrashVectors, Durable} {
		s := newStage(t, 3, func(p *Parameters) { p.Variant = variant })
		forgottenPromise(s)
		acknowledged := len(s.Replies) > 0
		for i := 0; i < 5 && len(s.Replies) < 2; i++ {
			for id := protocols.NodeID(1); id <= 3; id++ {
				s.Fire(id, timerView)
				s.Fire(id, timerResend)
				s.Fire(id, timerCommit)
				s.Settle(everything)
				s.Request(id, get(-2, 1))
				s.Settle(everything)
			}
		}
		last := s.Replies[len(s.Replies)-1].Result.Value
		if len(s.Replies) < 2 || acknowledged && last != 5 {
			t.Errorf("%s: got %v (write acknowledged: %v)", variant, s.Replies, acknowledged)
		}
		s.Clean()
	}
}
