package raft

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Reads at followers that rest on something else than they should.
func TestInvariantReadEvidenceTripsAtFollowers(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(s *stage)
	}{
		{"a follower that answers before it is told an index", func(s *stage) {
			s.Request(2, get(-2, 1))
			s.Node(2).asked[0].index = 1
			s.Request(1, put(-1, 1, 5))
			s.Settle(func(l letter) bool { return l.Message.Kind() != KindReadIndex })
			s.Fire(1, timerHeartbeat)
			s.Settle(func(l letter) bool { return l.Message.Kind() != KindReadIndex })
		}},
		{"a follower that answers before it has executed the index", func(s *stage) {
			s.Request(1, put(-1, 1, 5))
			s.Settle(func(l letter) bool { return l.Message.Kind() != KindHeartbeat })
			s.Request(2, get(-2, 1))
			s.Deliver(ofKind(KindReadIndex, 2, 1))
			s.Deliver(ofKind(KindHeartbeat, 1, 3))
			s.Deliver(ofKind(KindHeartbeatResponse, 3, 1))
			s.Deliver(ofKind(KindReadIndexResponse, 1, 2))
			n := s.Node(2)
			if len(n.asked) != 1 || n.asked[0].index <= n.execute.Applied {
				s.t.Fatalf("got %v at %d, want a read that waits for its index", n.asked, n.execute.Applied)
			}
			n.asked[0].index = 1
			s.Receive(1, 2, &ReadIndexResponse{Term: n.term})
		}},
		{"a leader whose answer to a follower joins the round under way", func(s *stage) {
			s.Fire(1, timerHeartbeat)
			s.Request(2, get(-2, 1))
			s.Deliver(ofKind(KindReadIndex, 2, 1))
			s.Node(1).waiting[0].round--
			s.Deliver(ofKind(KindHeartbeat, 1, 3))
			s.Receive(3, 1, &HeartbeatResponse{Term: s.Node(1).term, Round: s.Node(1).round - 1})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, 3, func(p *Parameters) { p.FollowerReads = true })
			s.elect(1, 2, 3)
			s.Fire(1, timerHeartbeat)
			s.Settle(everything)
			s.Clean()
			c.run(s)
			s.Trips(readEvidence)
		})
	}
}

// A question that comes twice, as replayed messages do, is answered twice, in any order.
// Each answer will do.
func TestReadEvidenceKnowsCopies(t *testing.T) {
	for _, told := range [][]protocols.Index{{5, 6}, {6, 5}, {5, 0}, {0, 5}} {
		var w watcher
		w.nodes = make([]ghostNode, 3)
		w.nodes[2].asked = []ghostAsked{{client: -1, seq: 3, id: 9}}
		for _, index := range told {
			w.told(2, &ReadIndexResponse{ID: 9, Index: index})
		}
		answer := protocols.Answer{Command: get(-1, 3), Result: protocols.Result{Position: 5}}
		if wrong := w.followed(2, &answer); wrong != "" {
			t.Errorf("told %v: %s", told, wrong)
		}
		answer.Result.Position = 4
		if wrong := w.followed(2, &answer); wrong == "" {
			t.Errorf("told %v: an answer with index 4 passes", told)
		}
	}
}

// R-I8: a match that was said in another term, or not at all.
func TestInvariantMatchEvidenceTripsOnWhatWasNotSaid(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Settle(everything)
	s.Clean()
	n.match[2] = n.log.Last() + 1
	s.Receive(2, 1, &AppendEntriesResponse{Term: n.term, Success: true, MatchIndex: 1, MatchTerm: 1})
	s.Trips(matchEvidence)

	s = newStage(t, 3, nil)
	n = s.elect(1, 2, 3)
	n.term++
	n.match[3] = 1 // left over from the term before
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	out.Note(protocols.Note{Kind: protocols.NoteLeader, Epoch: n.term, Index: n.log.Last()})
	s.Show(&protocols.Moment{Kind: protocols.Stepped, Node: 1, Replica: n, Event: &protocols.Event{}, Effects: out})
	s.Trips(matchEvidence)
}
