package scenarios_test

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// The two models of replication are run by their protocols in models_test.go. What
// is here breaks them on purpose, or feeds a log to replicas without any protocol.

// bothModels returns the protocols of both models.
func bothModels() []*protocols.Protocol {
	return []*protocols.Protocol{raft.Protocol(), primarybackup.Protocol()}
}

// parseFor reads a scenario that may have parameters of both.
func parseFor(t *testing.T, text string) *scenarios.Scenario {
	t.Helper()
	sc, _, err := scenarios.Parse("x.yaml", []byte(text), bothModels())
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// swapping is a counter that executes two commands in another order: from a count of
// commands on, the first +1 and the next *2 change places.
type swapping struct {
	protocols.StateMachine
	after, seen int
	open        bool // +1 has been executed as *2, and not yet the other way round
	done        bool
}

func (s *swapping) swap(c protocols.Command) protocols.Command {
	s.seen++
	switch {
	case s.done || s.seen <= s.after:
	case !s.open && c.Op == protocols.Increment:
		c.Op, s.open = protocols.Double, true
	case s.open && c.Op == protocols.Double:
		c.Op, s.done = protocols.Increment, true
	}
	return c
}

func (s *swapping) Apply(c protocols.Command, wall protocols.Time) protocols.Result {
	return s.StateMachine.Apply(s.swap(c), wall)
}

func (s *swapping) Execute(c protocols.Command, wall protocols.Time, changes []protocols.Change) (protocols.Result, []protocols.Change) {
	return s.StateMachine.Execute(s.swap(c), wall, changes)
}

// swappingAt makes one replica of p execute on a swapping machine.
func swappingAt(p *protocols.Protocol, id protocols.NodeID, after int) *protocols.Protocol {
	boot := p.New
	p.New = func(c protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
		if c.ID == id {
			c.Machine = &swapping{StateMachine: c.Machine, after: after}
		}
		return boot(c, disk)
	}
	return p
}

// shuffler is a replica that takes two neighbouring entries of its leader's log, a +1
// and a *2, the other way round, once.
type shuffler struct {
	protocols.Node
	at *protocols.Index // the first of the two; 0: it has not happened
}

func (s *shuffler) Step(ev *protocols.Event, out *protocols.Effects) {
	if ev.Kind == protocols.Receive && *s.at == 0 {
		var v protocols.View
		s.View(&v)
		switch m := ev.Message.(type) {
		case *raft.AppendEntries:
			m.Entries = slices.Clone(m.Entries)
			if i := shuffle(m.Entries, v.Last-m.PrevLogIndex, func(e *raft.Entry) protocols.Op { return e.Command.Op }); i >= 0 {
				*s.at = m.PrevLogIndex + 1 + protocols.Index(i)
			}
		case *primarybackup.Replicate:
			m.Entries = slices.Clone(m.Entries)
			if i := shuffle(m.Entries, v.Last-m.PrevIndex, func(e *primarybackup.Entry) protocols.Op { return e.Command.Op }); i >= 0 {
				*s.at = m.PrevIndex + 1 + protocols.Index(i)
			}
		}
	}
	s.Node.Step(ev, out)
}

// shuffle swaps the first neighbours of different operations among the entries that
// the receiver does not hold yet, and returns the place of the first of them, or -1.
func shuffle[E any](entries []E, held protocols.Index, op func(*E) protocols.Op) int {
	changes := func(o protocols.Op) bool { return o == protocols.Increment || o == protocols.Double }
	for i := max(0, int(held)); i < len(entries)-1; i++ {
		a, b := op(&entries[i]), op(&entries[i+1])
		if changes(a) && changes(b) && a != b {
			entries[i], entries[i+1] = entries[i+1], entries[i]
			return i
		}
	}
	return -1
}

// shufflingAt makes one replica of p a shuffler. p's own invariants look at its own
// nodes, so they are left out.
func shufflingAt(p *protocols.Protocol, id protocols.NodeID) (*protocols.Protocol, *protocols.Index) {
	at := new(protocols.Index)
	boot := p.New
	p.New = func(c protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
		n, err := boot(c, disk)
		if err == nil && c.ID == id {
			n = &shuffler{n, at}
		}
		return n, err
	}
	p.Invariants = nil
	return p, at
}

// replay feeds a log to replicas without a protocol, each with a wall clock that
// differs by a millisecond, and returns what the generic observers find. A naive
// replica executes every command itself, whatever the log ships.
func replay(t *testing.T, machine string, log []protocols.LogEntry, naive bool) []protocols.Violation {
	t.Helper()
	const replicas = 3
	observers := checker.Generic(&protocols.Protocol{Name: "replay"}, protocols.Cluster{Replicas: replicas}, nil)
	var found []protocols.Violation
	for id := protocols.NodeID(1); id <= replicas; id++ {
		x := executorOf(t, machine)
		for i := range log {
			e := &log[i]
			if naive {
				x.Apply(e.Position, e.Command, protocols.Time(e.Position)*1000+protocols.Time(id)*1_000_000)
			} else {
				x.Replay(e.Position, e.Command, e.Effect, nil)
			}
			out := protocols.NewEffects(nil)
			out.Note(protocols.Note{Kind: protocols.NoteApplied, Index: e.Position, Hash: uint64(e.Command.Seq), State: x.Hash()})
			m := protocols.Moment{Kind: protocols.Stepped, Node: id, Event: &protocols.Event{}, Effects: out}
			for _, o := range observers {
				if o.Moments()&protocols.Stepped != 0 {
					o.Observe(&m)
				}
			}
			found = append(found, m.Found...)
		}
	}
	return found
}

func executorOf(t *testing.T, machine string) *protocols.Executor {
	t.Helper()
	m, err := protocols.NewMachine(machine)
	if err != nil {
		t.Fatal(err)
	}
	return &protocols.Executor{Machine: m}
}

// logOf returns what the first replica has executed at some moment of a run, or at
// its end where that is 0, from position 1.
func logOf(t *testing.T, sc *scenarios.Scenario, p *protocols.Protocol, seed uint64, at protocols.Time) []protocols.LogEntry {
	t.Helper()
	x, err := scenarios.Examine(sc, p, seed, at)
	if err != nil {
		t.Fatal(err)
	}
	n := x.Nodes[0]
	if n.First != 1 {
		t.Fatalf("%s: the log of n1 begins at %d", p.Name, n.First)
	}
	return n.Entries[:n.View.Applied]
}
