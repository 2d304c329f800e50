package primarybackup

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	hand "github.com/lockstep-sim/lockstep/protocols/protocoltest/stage"
)

// stage is a hand-driven group; its last node is the view service.
type stage struct {
	*hand.Stage[*Node]
	t          *testing.T
	parameters *Parameters
}

type letter = hand.Letter

func asIs(*Parameters) {}

func newStage(t *testing.T, n int, change func(*Parameters)) *stage {
	t.Helper()
	p := DefaultParameters()
	change(p)
	return &stage{hand.New[*Node](t, Protocol(), p, protocols.Cluster{Replicas: n, Services: 1}), t, p}
}

// formed is a stage on which n1 serves view 1, with all others as backups.
func formed(t *testing.T, n int, change func(*Parameters)) *stage {
	t.Helper()
	s := newStage(t, n, change)
	s.Settle(everything)
	if s.Node(1).role != primary || s.view().Number != 1 {
		t.Fatalf("n1 is %s of view %d, want primary of view 1", roleNames()[s.Node(1).role], s.view().Number)
	}
	return s
}

// restart crashes nodes and boots them later.
func (s *stage) restart(ids ...protocols.NodeID) {
	s.Crash(ids...)
	s.Now += 1e6
	for _, id := range ids {
		s.Boot(id)
	}
}

// pass lets time pass, tick by tick, while the messages that match are delivered and
// all others are lost.
func (s *stage) pass(d protocols.Duration, match func(letter) bool) {
	for end := s.Now.Add(d); s.Now < end; {
		s.Now = s.Now.Add(s.parameters.Ping)
		for _, a := range s.Actors[1:] {
			s.Fire(a.ID, timerTick)
		}
		s.Settle(match)
	}
}

func (s *stage) service() *Service { return s.Actors[s.Cluster.Nodes()].Replica.(*Service) }

// view is the service's current view.
func (s *stage) view() View { return s.service().state.View }

// without matches what none of the given nodes says or hears.
func without(ids ...protocols.NodeID) func(letter) bool {
	set := protocols.Nodes(ids...)
	return func(l letter) bool { return l.From == l.To || !set.Has(l.From) && !set.Has(l.To) }
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

func add(client protocols.NodeID, seq uint64, value int64) protocols.Command {
	c := put(client, seq, value)
	c.Op = protocols.AppendTo
	return c
}

// answer returns the last reply to a request.
func (s *stage) answer(c protocols.Command) (protocols.Result, bool) {
	for i := len(s.Replies) - 1; i >= 0; i-- {
		if s.Replies[i].Command.SameRequest(c) {
			return s.Replies[i].Result, true
		}
	}
	return protocols.Result{}, false
}

// answered fails the test unless c was answered, and returns the result.
func (s *stage) answered(c protocols.Command) protocols.Result {
	s.t.Helper()
	r, ok := s.answer(c)
	if !ok {
		s.t.Fatalf("%v of %v got no answer", c, c.Client)
	}
	return r
}

// silent fails the test if c was answered.
func (s *stage) silent(c protocols.Command, why string) {
	s.t.Helper()
	if r, ok := s.answer(c); ok {
		s.t.Errorf("%v of %v was answered %v, want silence: %s", c, c.Client, r, why)
	}
}

// serves fails the test unless id is the primary of the service's view, with the
// given backups.
func (s *stage) serves(id protocols.NodeID, backups ...protocols.NodeID) {
	s.t.Helper()
	v := s.view()
	if v.Primary != id || v.Backups != protocols.Nodes(backups...) || s.Node(id) == nil || s.Node(id).role != primary || s.Node(id).view.Number != v.Number {
		s.t.Fatalf("got view %+v, want %v to serve it with backups %v", v, id, backups)
	}
}

func machineOf(t *testing.T) protocols.StateMachine {
	t.Helper()
	machine, err := protocols.NewMachine("kv")
	if err != nil {
		t.Fatal(err)
	}
	return machine
}

// emptyState is a state to transfer.
func emptyState(t *testing.T) any {
	x := protocols.Executor{Machine: machineOf(t)}
	return x.Snapshot()
}

// deliverSyncing delivers everything, and syncs one node's disk in between, dropping
// nothing.
func (s *stage) deliverSyncing(id protocols.NodeID) {
	s.Sync(id)
	for s.Deliver(everything) > 0 {
		s.Sync(id)
	}
}
