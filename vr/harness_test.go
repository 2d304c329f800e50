package vr

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

// newStageOf is newStage with a first membership.
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

// reconfigure asks a node for members, as an operator.
func (s *stage) reconfigure(id protocols.NodeID, members ...protocols.NodeID) {
	s.Admin(id, protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(members...)})
}

// change lets the given nodes time out and change to the next view whose primary is
// lead, hearing only each other.
func (s *stage) change(lead protocols.NodeID, among ...protocols.NodeID) *Node {
	s.t.Helper()
	group := append([]protocols.NodeID{lead}, among...)
	s.Now += 1e9 // past everybody's promise
	for {
		view := s.Node(group[len(group)-1]).view
		for _, id := range group {
			view = max(view, s.Node(id).view)
		}
		next := s.Node(lead).primary(view+1) == lead
		for _, id := range group {
			if n := s.Node(id); n.view <= view {
				if n.leading {
					n.heard = protocols.Nodes(id)
					s.Fire(id, timerQuorum)
				} else {
					s.Fire(id, timerView)
				}
			}
		}
		if next {
			break
		}
		s.Wire = nil
	}
	s.Settle(between(group...))
	if n := s.Node(lead); !n.leading {
		s.t.Fatalf("%v is %s of view %d after the view change, want primary", lead, roleNames()[n.role()], n.view)
	}
	return s.Node(lead)
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

// logOf returns the values that the commands in a node's log write.
func logOf(n *Node) []int64 {
	var values []int64
	for i := n.log.First(); i <= n.log.Last(); i++ {
		values = append(values, n.log.At(i).Command.Arg)
	}
	return values
}
