package paxos

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The plays of bugs_test.go trip every invariant by a protocol that is wrong. Here
// histories that nobody wrote do, one for each thing that an invariant looks at.

// durably shows a record of a node as durable.
func (s *stage) durably(id protocols.NodeID, r protocols.Record) {
	s.Show(&protocols.Moment{Kind: protocols.Durable, Node: id, Record: r})
}

func accepted(slot protocols.Index, b Ballot, value int64) *AcceptedValue {
	return &AcceptedValue{Pvalue: Pvalue{Slot: slot, Ballot: b, Value: command(put(-1, 1, value))}}
}

func TestInvariantOneChosenTrips(t *testing.T) {
	s := newStage(t, 3, nil)
	for id := protocols.NodeID(1); id <= 3; id++ {
		s.durably(id, &Promised{newBallot(1, 1)})
	}
	s.durably(1, accepted(1, newBallot(1, 1), 5))
	s.durably(2, accepted(1, newBallot(1, 1), 5))
	s.Clean()
	s.durably(2, &Promised{newBallot(2, 3)})
	s.durably(2, accepted(1, newBallot(2, 3), 6))
	s.durably(3, accepted(1, newBallot(2, 3), 6))
	s.Trips(oneChosen)
	s.Trips(safeAt)
}

func TestInvariantOneProposedTrips(t *testing.T) {
	s := newStage(t, 3, nil)
	s.elect(1, 2, 3)
	b := s.Node(1).promised
	s.Post(letter{From: 1, To: 2, Message: &Accept{Ballot: b, Slot: 1, Value: command(put(-1, 1, 5))}})
	s.Post(letter{From: 1, To: 2, Message: &Accept{Ballot: b, Slot: 1, Value: command(put(-1, 1, 5))}})
	s.Clean()
	s.Post(letter{From: 1, To: 3, Message: &Accept{Ballot: b, Slot: 1, Value: command(put(-1, 1, 6))}})
	s.Trips(oneProposed)
}

func TestInvariantSafeAtTrips(t *testing.T) {
	s := newStage(t, 3, nil)
	s.durably(1, &Promised{newBallot(1, 1)}) // one is no quorum
	s.Post(letter{From: 1, To: 2, Message: &Accept{Ballot: newBallot(1, 1), Slot: 1, Value: command(put(-1, 1, 5))}})
	s.Trips(safeAt)
}

func TestInvariantPromiseKeptTrips(t *testing.T) {
	for name, deed := range map[string]func(s *stage){
		"accepts below a durable promise": func(s *stage) {
			s.durably(1, &Promised{newBallot(2, 2)})
			s.durably(1, accepted(1, newBallot(1, 3), 5))
		},
		"accepts below a promise that was told": func(s *stage) {
			s.Show(&protocols.Moment{Kind: protocols.Left, Node: 1, To: 2, Message: &Promise{Ballot: newBallot(2, 2)}})
			s.durably(1, accepted(1, newBallot(1, 3), 5))
		},
		"promises less": func(s *stage) {
			s.durably(1, &Promised{newBallot(2, 2)})
			s.durably(1, &Promised{newBallot(1, 3)})
		},
		"a snapshot promises less": func(s *stage) {
			s.durably(1, &Promised{newBallot(2, 2)})
			s.durably(1, &Snapshot{Promised: newBallot(1, 3)})
		},
		"boots with less": func(s *stage) {
			s.durably(1, &Promised{newBallot(2, 2)})
			s.Show(&protocols.Moment{Kind: protocols.Booted, Node: 1, Disk: &protocols.Recovered{
				Records: []protocols.RecoveredRecord{{Record: &Promised{newBallot(1, 1)}}}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 3, nil)
			deed(s)
			s.Trips(promiseKept)
		})
	}
}

func TestInvariantExecutedIsChosenTrips(t *testing.T) {
	for name, note := range map[string]protocols.Note{
		"commits":  {Kind: protocols.NoteCommit, Index: 2},
		"executes": {Kind: protocols.NoteApplied, Index: 1, Hash: 77},
		"installs": {Kind: protocols.NoteInstalled, Index: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 3, nil)
			s.elect(1, 2, 3)
			s.Request(1, put(-1, 1, 5))
			s.Settle(everything)
			s.Clean()
			out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
			out.Note(note)
			s.Show(&protocols.Moment{Kind: protocols.Stepped, Node: 2, Replica: s.Node(2), Event: &protocols.Event{}, Effects: out})
			s.Trips(executedIsChosen)
		})
	}
}

func TestInvariantLeaseExclusionTripsOnBelief(t *testing.T) {
	s := newStage(t, 3, withLease)
	n := s.elect(1, 2, 3)
	if n.leaseUntil == 0 {
		t.Fatal("no lease after the first round")
	}
	s.elect(3, 2)
	s.Clean()
	n.leaseUntil = s.Now + 1
	s.Fire(1, timerHeartbeat)
	s.Trips(leaseExclusion)
}

// All of this is legal: a late Accepted of an acceptance that precedes a higher
// promise, and a value proposed again at a higher ballot while the lower one goes on.
func TestInvariantsAreNotTooStrict(t *testing.T) {
	s := newStage(t, 5, nil)
	s.elect(1, 2, 3, 4, 5)
	s.ManualSync = true
	s.Request(1, put(-1, 1, 5))
	s.Deliver(ofKind(KindAccept, 1, 2))
	s.Now += 1e9
	s.Receive(3, 2, &Prepare{Ballot: newBallot(2, 3), First: 1})
	s.Sync(2) // Accepted leaves behind the promise that overtook it on the disk's queue
	s.ManualSync = false
	for id := protocols.NodeID(1); id <= 5; id++ {
		s.Sync(id)
	}
	s.Wire = nil
	s.Fire(1, timerHeartbeat)
	s.Fire(1, timerHeartbeat) // sends the open slot again
	accepts := s.Take(ofKind(KindAccept, 1, protocols.Nobody))
	s.Wire = nil
	s.elect(3, 2, 4)
	for _, l := range accepts {
		s.Receive(l.From, l.To, l.Message)
	}
	s.Settle(everything)
	s.Clean()
}

func TestChecksAreListed(t *testing.T) {
	var ids []string
	for _, o := range invariants(protocols.Cluster{Replicas: 3}, DefaultParameters()) {
		for _, c := range o.Checks() {
			ids = append(ids, c.ID)
		}
	}
	want := []string{"PX-I1", "PX-I2", "PX-I3", "PX-I4", "PX-I5", "PX-I6", "PX-I7"}
	if !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}
