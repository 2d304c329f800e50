package primarybackup

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// play is a script that shows a known bug: with the switch on, the checks trip and
// the script sees a wrong answer if it says so; with the switch off, nothing does.
type play struct {
	bug    string
	checks []string
	sees   bool // a wrong answer
	n      int
	change func(*Parameters)
	run    func(s *stage) (wrong bool)
}

var plays = []play{
	{"B-01", []string{onePrimary, logBeforeAnswer, commitIsForEver}, true, 2, asIs, func(s *stage) bool {
		s.pass(silence, without(1))
		s.serves(2)
		s.Request(2, put(-2, 1, 6))
		s.Settle(without(1))
		s.Request(1, put(-1, 1, 5))
		s.pass(silence, without(1))
		_, ok := s.answer(put(-1, 1, 5))
		return ok
	}},
	{"B-02", []string{promotedComplete, commitIsForEver}, true, 3, asIs, func(s *stage) bool {
		s.Crash(3)
		s.pass(silence, everything)
		s.serves(1, 2)
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		s.answered(put(-1, 1, 5))
		s.Crash(1, 2)
		s.Boot(3)
		s.pass(silence, everything)
		s.Request(3, get(-2, 1))
		s.Settle(everything)
		r, ok := s.answer(get(-2, 1))
		return ok && r.Value != 5
	}},
	{"B-04", []string{readEvidence}, true, 2, asIs, func(s *stage) bool {
		s.pass(silence, without(1))
		s.serves(2)
		s.Request(2, put(-1, 1, 5))
		s.Settle(without(1))
		s.answered(put(-1, 1, 5))
		s.Request(1, get(-2, 1))
		s.Settle(without(1))
		r, ok := s.answer(get(-2, 1))
		return ok && r.Value != 5
	}},
	{"B-06", []string{backupIsPrefix}, true, 2, func(p *Parameters) { p.CatchUp = 0 }, func(s *stage) bool {
		s.Crash(2)
		s.pass(silence, everything)
		s.Request(1, add(-1, 1, 7))
		s.Settle(everything)
		s.answered(add(-1, 1, 7))
		s.Boot(2)
		s.pass(silence, everything)
		s.serves(1, 2)
		s.Crash(1)
		s.pass(silence, everything)
		s.serves(2)
		s.Request(2, add(-1, 1, 7)) // a retry
		s.Settle(everything)
		return s.answered(add(-1, 1, 7)).Position != 1
	}},
	{"B-08", []string{logBeforeAnswer}, true, 2, asIs, func(s *stage) bool {
		s.Request(1, put(-1, 1, 5))
		s.Take(ofKind(KindReplicate, 1, 2))
		s.Settle(everything)
		s.Request(1, get(-2, 1))
		s.Settle(everything)
		return s.answered(get(-2, 1)).Value == 5
	}},
	{"B-09", []string{logBeforeAnswer}, true, 2, func(p *Parameters) { p.Mode = ModeSemisync }, func(s *stage) bool {
		s.Request(1, put(-1, 1, 5))
		s.Take(ofKind(KindReplicate, 1, 2))
		s.Settle(everything)
		s.Fire(1, timerWait)
		_, ok := s.answer(put(-1, 1, 5))
		return ok
	}},
	{"B-12", []string{logMatching, backupIsPrefix}, true, 2, asIs, func(s *stage) bool {
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1))
		s.Crash(1)
		s.pass(silence, everything)
		s.serves(2)
		s.Request(2, put(-2, 1, 6))
		s.Settle(everything)
		s.Boot(1)
		s.pass(silence, everything)
		s.serves(2, 1)
		s.Request(2, put(-2, 2, 7))
		s.Settle(everything)
		s.pass(silence, everything)
		return s.Node(1).log.At(1).Command.Arg != 6
	}},
	{"B-06b", []string{backupIsPrefix}, true, 2, asIs, func(s *stage) bool {
		s.Request(1, add(-1, 1, 7))
		s.Settle(everything)
		s.answered(add(-1, 1, 7))
		s.pass(silence, without(1))
		s.serves(2)
		s.Request(2, add(-1, 1, 7)) // a retry
		s.Settle(without(1))
		s.pass(silence, everything)
		return s.answered(add(-1, 1, 7)).Position != 1
	}},
	{"B-10", []string{logBeforeAnswer}, true, 2, asIs, func(s *stage) bool {
		s.Request(1, put(-1, 1, 5))
		s.Take(ofKind(KindReplicate, 1, 2))
		s.Settle(everything)
		s.Request(1, put(-1, 1, 5)) // it waits no longer, and asks again
		s.Request(1, get(-2, 1))
		s.Settle(everything)
		return s.answered(get(-2, 1)).Value == 5
	}},
	{"B-13", []string{logBeforeAnswer}, true, 2, asIs, func(s *stage) bool {
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1))
		_, ok := s.answer(put(-1, 1, 5))
		return ok
	}},
	{"B-14", []string{onePrimary}, false, 2, asIs, func(s *stage) bool {
		s.restart(3)
		s.pass(silence, without(1))
		return false
	}},
	{"B-15", []string{"durability"}, false, 2, asIs, func(s *stage) bool {
		s.ManualSync = true
		s.Request(1, put(-1, 1, 5))
		s.Deliver(ofKind(KindReplicate, 1, 2))
		return false
	}},
	{"B-16", []string{commitIsForEver, promotedComplete}, true, 3, func(p *Parameters) { p.MaxBatch = 1 }, func(s *stage) bool {
		s.pass(silence, without(3))
		s.serves(1, 2)
		for i := 0; s.view().Number == 2 && i < 100; i++ { // n1 brings n3 up to date
			s.Settle(everything)
			s.Now += 50e6
			for id := range protocols.NodeID(4) {
				s.Fire(id+1, timerTick)
			}
			s.Deliver(ofKind(KindPing, protocols.Nobody, 4))
		}
		named := s.Take(ofKind(KindAnnounce, 4, protocols.Nobody))
		s.Wire = nil
		for seq := uint64(1); seq <= 2; seq++ { // before n1 hears of view 3
			s.Request(1, put(-1, seq, 5))
			s.Settle(between(1, 2))
			s.answered(put(-1, seq, 5))
		}
		s.Wire = named
		s.Settle(func(l letter) bool { // n3 gets the first entry of two
			m, ok := l.Message.(*Replicate)
			return !ok || l.To != 3 || len(m.Entries) == 0 || m.PrevIndex == 0
		})
		s.Crash(1, 2)
		s.pass(silence, everything)
		return s.Node(3).role == primary
	}},
	{"B-17", []string{onePrimary}, false, 2, asIs, func(s *stage) bool {
		s.restart(1)
		s.Settle(everything)
		return false
	}},
	{"B-18", []string{backupIsPrefix}, false, 2, asIs, func(s *stage) bool {
		s.Request(1, put(-1, 1, 5))
		s.Settle(between(1))
		s.Crash(1)
		s.pass(silence, everything)
		s.Request(2, put(-2, 1, 6))
		s.Settle(everything)
		s.Boot(1)
		s.pass(300e6, func(l letter) bool { return l.Message.Kind() != KindReplicate })
		return false
	}},
	{"B-19", []string{leaseExclusion, readEvidence}, false, 2, withLease, func(s *stage) bool {
		s.Fire(1, timerTick)
		s.Deliver(ofKind(KindPing, 1, 3))
		late := s.Take(ofKind(KindAnnounce, 3, 1))
		s.Wire = nil
		s.pass(150e6, without(1))
		for _, l := range late {
			s.Receive(l.From, l.To, l.Message)
		}
		s.pass(100e6, without(1))
		s.serves(2)
		s.Request(1, get(-1, 1))
		return false
	}},
	{"B-20", []string{readEvidence}, true, 3, asIs, func(s *stage) bool {
		s.pass(silence, between(2, 4)) // n3 hears n1 alone
		s.serves(2)
		s.Request(2, put(-1, 1, 5))
		s.Settle(between(2, 4))
		s.answered(put(-1, 1, 5))
		s.Request(1, get(-2, 1))
		s.Settle(between(1, 3))
		r, ok := s.answer(get(-2, 1))
		return ok && r.Value != 5
	}},
}

func TestBugsAreCaughtAndTheirAbsencePasses(t *testing.T) {
	shown := map[string]bool{}
	for _, p := range plays {
		shown[p.bug] = true
		t.Run(p.bug, func(t *testing.T) {
			s := formed(t, p.n, func(ps *Parameters) { p.change(ps); ps.Bugs = []string{p.bug} })
			if wrong := p.run(s); wrong != p.sees {
				t.Errorf("with the bug: a wrong answer %v, want %v", wrong, p.sees)
			}
			for _, check := range p.checks {
				s.Trips(check)
			}
			s = formed(t, p.n, p.change)
			if p.run(s) {
				t.Error("without the bug: a wrong answer")
			}
			s.Clean()
		})
	}
	for _, b := range Protocol().Bugs {
		if !shown[b.ID] && b.Class != protocols.ClassLiveness { // package scenarios shows those: something has to happen in time
			t.Errorf("no script shows %s", b.ID)
		}
	}
}

// Every invariant has a case that breaks it: the scripts above, and this one.
func TestInvariantLeaseExclusionTrips(t *testing.T) {
	s := formed(t, 3, withLease)
	s.Node(1).leaseUntil = 1 << 60
	s.pass(silence, without(1))
	s.Request(1, get(-1, 1))
	s.Trips(leaseExclusion)

	s = formed(t, 3, withLease)
	s.pass(50e6, everything)
	s.observe(1, noting(protocols.Note{Kind: protocols.NoteLease, Epoch: 1, Until: 1 << 60}))
	s.pass(silence, without(1))
	s.Trips(leaseExclusion)
}

func noting(n protocols.Note) *protocols.Effects {
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	out.Note(n)
	return out
}

// A commit index that a backup invents, or that a primary takes back, is seen.
func TestInvariantCommitTrips(t *testing.T) {
	for _, c := range []struct {
		node  protocols.NodeID
		index protocols.Index
	}{{2, 3}, {1, 2}} {
		s := formed(t, 2, asIs)
		s.Request(1, put(-1, 1, 5))
		s.Settle(everything)
		if c.node == 1 {
			s.Request(1, put(-2, 1, 6)) // no disk has it yet but its own
		}
		s.observe(c.node, noting(protocols.Note{Kind: protocols.NoteCommit, Epoch: 1, Index: c.index}))
		s.Trips(commitIsForEver)
	}
}

// observe shows the invariants a step of a node with the given effects.
func (s *stage) observe(id protocols.NodeID, out *protocols.Effects) {
	m := &protocols.Moment{Kind: protocols.Stepped, Now: s.Now, Node: id, Replica: s.Node(id), Event: &protocols.Event{Now: s.Now}, Effects: out}
	s.Observers[0].Observe(m)
	s.Found = append(s.Found, m.Found...)
}

func TestInvariantOnePrimaryTrips(t *testing.T) {
	s := formed(t, 2, asIs)
	s.observe(2, noting(protocols.Note{Kind: protocols.NoteLeader, Epoch: 1}))
	s.Trips(onePrimary)

	s = formed(t, 2, asIs)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	out := noting(protocols.Note{Kind: protocols.NoteNormal})
	out.ReplyEarly(put(-1, 1, 5), protocols.Result{Position: 1})
	s.observe(2, out) // a backup answers
	s.Trips(onePrimary)
	out.Reset()
	out.ReplyEarly(put(-1, 1, 5), protocols.Result{Position: 7})
	s.observe(1, out)
	s.Trips(logBeforeAnswer)
}

// PB-I5: a backup has it on its disk, and has not said so in the view.
func TestInvariantCommitIsForEverTripsOnWhatWasNotSaid(t *testing.T) {
	s := formed(t, 2, func(p *Parameters) { p.Mode = ModeAsync })
	s.Request(1, put(-1, 1, 5))
	s.Deliver(everything)
	s.Clean()
	s.Node(1).match[2] = 1
	s.Request(1, put(-1, 2, 6))
	s.Deliver(everything)
	s.Trips(commitIsForEver)
}

func TestInvariantsAreNotTooStrict(t *testing.T) {
	// An acknowledgement that was long on its way is answered after a later view
	// serves: the write is in its log.
	s := formed(t, 2, asIs)
	s.Request(1, put(-1, 1, 5))
	s.Deliver(everything)
	acks := s.Take(ofKind(KindReplicateResponse, 2, 1))
	s.pass(silence, without(1))
	s.serves(2)
	s.Request(2, put(-2, 1, 6))
	s.Settle(without(1))
	for _, l := range acks {
		s.Receive(l.From, l.To, l.Message)
	}
	if r := s.answered(put(-1, 1, 5)); r.Position != 1 {
		t.Errorf("got %v, want position 1", r)
	}
	s.Clean()
	// Semisync may show what all members of a small view have.
	s = formed(t, 3, func(p *Parameters) { p.Mode, p.K = ModeSemisync, 2 })
	s.Request(1, put(-1, 1, 5))
	s.pass(silence, without(3))
	s.serves(1, 2)
	s.silent(put(-1, 1, 5), "only one backup has it")
	s.Request(1, get(-2, 1))
	s.Settle(without(3))
	s.answered(get(-2, 1))
	s.pass(silence, everything)
	s.answered(put(-1, 1, 5))
	s.Clean()
}

func TestChecksAreListed(t *testing.T) {
	tripped := map[string]bool{leaseExclusion: true} // by its own test
	for _, p := range plays {
		for _, c := range p.checks {
			tripped[c] = true
		}
	}
	delete(tripped, "durability") // the oracle is no invariant of this protocol
	for _, o := range invariants(protocols.Cluster{Replicas: 3, Services: 1}, DefaultParameters()) {
		for _, c := range o.Checks() {
			if !tripped[c.ID] || c.Text == "" {
				t.Errorf("no script breaks %s, or it has no text", c.ID)
			}
			delete(tripped, c.ID)
		}
	}
	if len(tripped) > 0 {
		t.Errorf("%v are not listed", tripped)
	}
}
