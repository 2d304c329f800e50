package scenarios

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Examination is what the replicas' logs held at one moment of a run.
type Examination struct {
	Scenario  string
	Protocol  *protocols.Protocol
	Seed      uint64
	Machine   string
	At        protocols.Time // the moment: where the run was stopped, or its end
	Ended     bool           // the run has ended by itself
	Violation string         // what ended it, where it was a violation
	Cluster   protocols.Cluster
	Nodes     []NodeLog      // the replicas, in order
	History   []sim.Recovery // what crashes lost and boots found, of all nodes, in order
}

// NodeLog is one replica's log. That of a replica that is down is what its disk
// holds.
type NodeLog struct {
	ID        protocols.NodeID
	Up        bool
	View      protocols.View       // zero when down
	First     protocols.Index      // of Entries, or the next position where there are none
	Last      protocols.Index      // of Entries
	Entries   []protocols.LogEntry // positions First..Last
	Disk      []protocols.LogEntry // what a boot from its disk would find
	DiskView  protocols.View       // how it would then see itself
	DiskError string               // why it would not boot
	machine   string
	base      any // the state at First-1, as protocols.Executor.Snapshot gives it
}

// Examine runs a scenario up to the time at, or to its end where at is 0, and looks
// at the logs. Errors are that the engine refuses the scenario, that the protocol
// shows no log, or that the run ends before at.
func Examine(sc *Scenario, p *protocols.Protocol, seed uint64, at protocols.Time) (*Examination, error) {
	var runner Runner
	r := runner.begin(sc, p, seed, Options{recoveries: true})
	if r.result.Err != nil {
		return nil, r.result.Err
	}
	r.until = at
	r.phases()
	w := r.world
	x := &Examination{
		Scenario: sc.Name, Protocol: p, Seed: seed, Machine: sc.Machine,
		At: w.Now(), Ended: !r.stopped, Cluster: w.Cluster(), History: w.Recoveries(),
	}
	r.measure()
	if len(r.result.Violations) > 0 {
		x.Violation = r.result.Violations[0].Check + ": " + r.result.Violations[0].Text
	}
	if at > 0 && x.Ended {
		how := ""
		if x.Violation != "" {
			how = ", by a violation of " + r.result.Violations[0].Check
		}
		return nil, fmt.Errorf("the run ends at %s%s", FormatTime(x.At), how)
	}
	for id := protocols.NodeID(1); int(id) <= sc.Replicas; id++ {
		n, err := readLog(w, p, id, sc.Machine)
		if err != nil {
			return nil, err
		}
		x.Nodes = append(x.Nodes, n)
	}
	return x, nil
}

// readLog reads the log of one replica, and the one that its disk holds.
func readLog(w *sim.World, p *protocols.Protocol, id protocols.NodeID, machine string) (NodeLog, error) {
	n := NodeLog{ID: id, machine: machine, First: 1}
	program := w.Node(id)
	n.View, n.Up = w.View(id)
	reborn, err := w.Reborn(id)
	if err != nil {
		n.DiskError = err.Error()
	} else {
		reborn.View(&n.DiskView)
		if n.Disk, _, err = entriesOf(p, reborn, &n.DiskView); err != nil {
			return n, err
		}
		if !n.Up {
			program = reborn
		}
	}
	if program != nil {
		var v protocols.View
		program.View(&v)
		if n.Entries, n.base, err = entriesOf(p, program, &v); err != nil {
			return n, err
		}
		n.First = v.First
	}
	n.Last = n.First + protocols.Index(len(n.Entries)) - 1
	return n, nil
}

// entriesOf returns a program's log and the state that it begins with. They are
// checked, since any protocol's code may have made them.
func entriesOf(p *protocols.Protocol, program protocols.Node, v *protocols.View) ([]protocols.LogEntry, any, error) {
	reader, ok := program.(protocols.LogReader)
	if !ok {
		return nil, nil, fmt.Errorf("%s shows no log: its nodes do not implement protocols.LogReader", p.Name)
	}
	entries := reader.ReadLog(v.First, int(v.Last-v.First)+1, nil)
	for i := range entries {
		if got, want := entries[i].Position, v.First+protocols.Index(i); got != want {
			return nil, nil, fmt.Errorf("%s: ReadLog gives position %d where %d comes next", p.Name, got, want)
		}
	}
	_, base := reader.LogBase()
	return entries, base, nil
}

// ParseTime reads a time since the start of a run, as scenarios write it: 2.5s.
func ParseTime(s string) (protocols.Time, error) {
	d, err := readSpan(s)
	return protocols.Time(d), err
}

// FormatTime writes a time as ParseTime reads it.
func FormatTime(t protocols.Time) string { return sim.FormatDuration(protocols.Duration(t)) }

// Node returns the log of the replica called name.
func (x *Examination) Node(name string) (*NodeLog, error) {
	for i := range x.Nodes {
		if x.Nodes[i].ID.String() == name {
			return &x.Nodes[i], nil
		}
	}
	for id := len(x.Nodes) + 1; id <= x.Cluster.Nodes(); id++ {
		if x.Cluster.Name(protocols.NodeID(id)) == name {
			return nil, fmt.Errorf("%s is a service and keeps no log", name)
		}
	}
	return nil, fmt.Errorf("no replica %q; this cluster has n1..n%d", name, len(x.Nodes))
}

// FirstLive returns the first replica that is up, or n1 where none is.
func (x *Examination) FirstLive() *NodeLog {
	for i := range x.Nodes {
		if x.Nodes[i].Up {
			return &x.Nodes[i]
		}
	}
	return &x.Nodes[0]
}

// Durable reports whether the entry at a position is on the replica's disk. What is
// durable is what a boot would find: another entry at the same position is not it.
func (n *NodeLog) Durable(at protocols.Index) bool {
	if at < n.DiskView.First { // its checkpoint covers it
		return at <= n.Last && n.DiskError == ""
	}
	e, found := entryAt(n.Disk, at)
	mine, held := entryAt(n.Entries, at)
	return found && held && e.Equal(mine)
}

// DurableTo returns the last position up to which the whole log is on the disk.
func (n *NodeLog) DurableTo() protocols.Index {
	at := n.First - 1
	for at < n.Last && n.Durable(at+1) {
		at++
	}
	return at
}

// Entry returns the entry at a position, or an error that says what the log holds.
func (n *NodeLog) Entry(at protocols.Index) (*protocols.LogEntry, error) {
	if e, ok := entryAt(n.Entries, at); ok {
		return e, nil
	}
	return nil, n.outside(at)
}

func entryAt(list []protocols.LogEntry, at protocols.Index) (*protocols.LogEntry, bool) {
	if len(list) == 0 || at < list[0].Position || at > list[len(list)-1].Position {
		return nil, false
	}
	return &list[at-list[0].Position], true
}

func (n *NodeLog) outside(at protocols.Index) error {
	if n.Last < n.First {
		return fmt.Errorf("position %d: the log of %s is empty", at, n.ID)
	}
	return fmt.Errorf("position %d: the log of %s holds %d..%d", at, n.ID, n.First, n.Last)
}

// replay replays the log up to a position, which may be First-1, and calls each
// with every entry and the changes that it made.
func (n *NodeLog) replay(to protocols.Index, each func(e *protocols.LogEntry, changes []protocols.Change)) (*protocols.Executor, error) {
	if to > n.Last || to < n.First-1 {
		return nil, n.outside(to)
	}
	machine, err := protocols.NewMachine(n.machine)
	if err != nil {
		return nil, err
	}
	x := &protocols.Executor{Machine: machine}
	if !x.Accepts(n.base) {
		return nil, fmt.Errorf("%s begins its log with a state of type %T, want what protocols.Executor.Snapshot gives", n.ID, n.base)
	}
	x.Restore(n.base)
	if x.Applied != n.First-1 {
		return nil, fmt.Errorf("%s begins its log at %d, with the state at %d", n.ID, n.First, x.Applied)
	}
	for i := range n.Entries {
		e := &n.Entries[i]
		if e.Position > to {
			break
		}
		_, changes := x.Replay(e.Position, e.Command, e.Effect, nil)
		if each != nil {
			each(e, changes)
		}
	}
	return x, nil
}

// Rebuilt is the table at one position, replayed from a log.
type Rebuilt struct {
	Position protocols.Index
	Table    protocols.Table
	Hash     uint64 // of the state, client sessions included
}

// Table rebuilds the table as of a position, from First-1 to Last.
func (n *NodeLog) Table(at protocols.Index) (*Rebuilt, error) {
	x, err := n.replay(at, nil)
	if err != nil {
		return nil, err
	}
	return &Rebuilt{at, protocols.TableOf(x.Machine), x.Hash()}, nil
}

// Replays reports whether a replay of the log up to the position that the replica
// has applied gives the replica's own state. It does not where the state machine
// looks at more than its commands; known is false for a replica that is down.
func (n *NodeLog) Replays() (same, known bool) {
	if !n.Up {
		return false, false
	}
	t, err := n.Table(n.View.Applied)
	return err == nil && t.Hash == n.View.StateHash, err == nil
}

// Step is the changes that one position made.
type Step struct {
	Entry   *protocols.LogEntry
	Changes []protocols.Change
}

// Changelog returns the changes made after position from and up to position to:
// the table at from and these changes make the table at to. Positions without
// changes are left out.
func (n *NodeLog) Changelog(from, to protocols.Index) ([]Step, error) {
	if from < n.First-1 {
		return nil, n.outside(from)
	}
	if to < from {
		return nil, fmt.Errorf("the range %d..%d ends before it begins", from, to)
	}
	var steps []Step
	_, err := n.replay(to, func(e *protocols.LogEntry, changes []protocols.Change) {
		if e.Position > from && len(changes) > 0 {
			steps = append(steps, Step{e, changes})
		}
	})
	return steps, err
}

func (n *NodeLog) committed(e *protocols.LogEntry) bool { return n.Up && e.Position <= n.View.Commit }

// Parting says where two logs part.
type Parting struct {
	From protocols.Index // the first position that both hold
	Same protocols.Index // equal from there up to here
	// A and B are the entries at the first position that differs; nil for a log that
	// has ended. Both are nil where the logs are equal.
	A, B *protocols.LogEntry
}

// Part compares two logs where both hold something. What is committed in both is
// compared by what it is, not by the epoch in which it was made: a protocol may make
// one value anew in a later epoch.
func Part(a, b *NodeLog) Parting {
	p := Parting{From: max(a.First, b.First)}
	p.Same = p.From - 1
	for {
		x, more := entryAt(a.Entries, p.Same+1)
		y, both := entryAt(b.Entries, p.Same+1)
		if !more || !both || !x.Equal(y) && !(x.Same(y) && a.committed(x) && b.committed(y)) {
			if more {
				p.A = x
			}
			if both {
				p.B = y
			}
			return p
		}
		p.Same++
	}
}
