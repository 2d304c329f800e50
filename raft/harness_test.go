package raft

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	hand "github.com/lockstep-sim/lockstep/protocols/protocoltest/stage"
)

// stage is a hand-driven cluster of this protocol.
type stage struct {
	*hand.Stage[*Node]
	t          *testing.T
	parameters *Parameters
}

type (
	letter  = hand.Letter
	written = hand.Written
)

func newStage(t *testing.T, n int, change func(*Parameters)) *stage {
	t.Helper()
	return newStageOf(t, protocols.Cluster{Replicas: n}, change)
}

func newStageOf(t *testing.T, c protocols.Cluster, change func(*Parameters)) *stage {
	t.Helper()
	p := DefaultParameters()
	if change != nil {
		change(p)
	}
	return &stage{hand.New[*Node](t, Protocol(), p, c), t, p}
}

func newNode(t testing.TB, p *Parameters, id protocols.NodeID, n int, disk protocols.Recovered) *Node {
	t.Helper()
	return hand.NewNode(t, Protocol(), p, protocols.Cluster{Replicas: n}, id, disk).(*Node)
}

// reconfigure asks id for voters and learners.
func (s *stage) reconfigure(id protocols.NodeID, voters, learners protocols.NodeSet) {
	s.Admin(id, protocols.Admin{Kind: protocols.Reconfigure, Members: voters, Learner: learners})
}

// transfer asks id to hand its leadership over to target.
func (s *stage) transfer(id, target protocols.NodeID) {
	s.Admin(id, protocols.Admin{Kind: protocols.TransferLeadership, Target: target})
}

// elect makes id leader with what only the given nodes say.
func (s *stage) elect(id protocols.NodeID, among ...protocols.NodeID) *Node {
	s.t.Helper()
	if s.Node(id).role == leader {
		s.t.Fatalf("%v leads already", id)
	}
	s.Now += 1e9 // past everybody's promise
	s.Fire(id, timerElection)
	s.Settle(between(append(among, id)...))
	if n := s.Node(id); n.role != leader {
		s.t.Fatalf("%v is %s of term %d after its election, want leader", id, roleNames()[n.role], n.term)
	}
	return s.Node(id)
}

func everything(l letter) bool { return hand.Everything(l) }

func between(ids ...protocols.NodeID) func(letter) bool { return hand.Between(ids...) }

func ofKind(kind protocols.Kind, from, to protocols.NodeID) func(letter) bool {
	return hand.OfKind(kind, from, to)
}

func sent[M protocols.Message](s *stage, from, to protocols.NodeID) []M {
	return hand.Sent[M](s.Wire, from, to)
}

func put(client protocols.NodeID, seq uint64, value int64) protocols.Command {
	return hand.Put(client, seq, value)
}

func get(client protocols.NodeID, seq uint64) protocols.Command { return hand.Get(client, seq) }

// logOf returns the terms of a node's log.
func logOf(n *Node) []uint64 {
	var terms []uint64
	for i := n.log.First(); i <= n.log.Last(); i++ {
		terms = append(terms, n.termAt(i))
	}
	return terms
}

// withLog returns records of a disk in term that holds entries of the given terms.
// Entries of one term and index are equal.
func withLog(term uint64, terms ...uint64) []protocols.Record {
	entries := make([]Entry, len(terms))
	for i, t := range terms {
		entries[i] = Entry{Term: t, Command: put(-1, uint64(i+1), int64(t)*1000+int64(i))}
	}
	return []protocols.Record{&HardState{Term: term}, &Append{Entries: entries}}
}

// withDisks boots a cluster whose nodes find the given records, durable since ever.
func withDisks(t *testing.T, change func(*Parameters), disks ...[]protocols.Record) *stage {
	t.Helper()
	s := newStage(t, len(disks), change)
	for i, records := range disks {
		id := protocols.NodeID(i + 1)
		s.Crash(id)
		for _, r := range records {
			s.Actors[id].Disk = append(s.Actors[id].Disk, written{Record: r})
		}
		s.Sync(id)
		s.Boot(id)
	}
	return s
}
