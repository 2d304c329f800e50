package paxos

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

type letter = hand.Letter

func newStage(t *testing.T, n int, change func(*Parameters)) *stage {
	t.Helper()
	p := DefaultParameters()
	if change != nil {
		change(p)
	}
	return &stage{hand.New[*Node](t, Protocol(), p, protocols.Cluster{Replicas: n}), t, p}
}

func newNode(t testing.TB, p *Parameters, id protocols.NodeID, n int, disk protocols.Recovered) *Node {
	t.Helper()
	return hand.NewNode(t, Protocol(), p, protocols.Cluster{Replicas: n}, id, disk).(*Node)
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
		s.t.Fatalf("%v is %s of ballot %v after its election, want leader", id, roleNames()[n.role], n.promised)
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

func writtenBy[R protocols.Record](s *stage, id protocols.NodeID) []R {
	return hand.WrittenBy[R](s.Actors[id])
}

func command(c protocols.Command) Value { return Value{Command: c} }
