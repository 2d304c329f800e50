package raft

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The election timer starts anew when the leader is heard or a vote is granted, and
// each time with a new draw; a higher term alone leaves it running (figure 2). By
// default a higher term starts it anew, and draws, once.
func TestElectionTimerHeard(t *testing.T) {
	for _, rule := range []string{ElectionTimerHeard, ElectionTimerEachTerm} {
		heard := rule == ElectionTimerHeard
		p := DefaultParameters()
		p.ElectionTimer, p.PreVote, p.CheckQuorum = rule, false, false
		n := newNode(t, p, 1, 3, protocols.Recovered{})
		for _, c := range []struct {
			what          string
			from          protocols.NodeID
			message       protocols.Message
			draws, starts bool
		}{
			{"a leader of a new term", 2, &Heartbeat{Term: 1, Round: 1}, true, true},
			{"the same leader again", 2, &Heartbeat{Term: 1, Round: 2}, heard, true},
			{"an entry", 2, &AppendEntries{Term: 1, Entries: []Entry{{Term: 1}}}, heard, true},
			{"a candidate that cannot win", 3, &RequestVote{Term: 2}, !heard, !heard},
			{"one that can, of a later term", 2, &RequestVote{Term: 3, LastLogIndex: 1, LastLogTerm: 1}, true, true},
		} {
			out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
			n.Step(&protocols.Event{Kind: protocols.Receive, From: c.from, Message: c.message}, out)
			draws, starts := false, false
			for _, e := range out.List {
				draws = draws || e.Kind == protocols.EffectCancelTimer && e.Timer == timerElection
				starts = starts || e.Kind == protocols.EffectSetTimerWithin && e.Timer == timerElection
			}
			if draws != c.draws || starts != c.starts {
				t.Errorf("%s: %s: the timer starts %v with a new draw %v, want %v and %v", rule, c.what, starts, draws, c.starts, c.draws)
			}
		}
	}
}
