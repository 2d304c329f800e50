package stage

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// TB is the part of [testing.TB] that a stage needs.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Stage is a hand-driven cluster whose replicas are of type N. Make it with [New].
type Stage[N protocols.Node] struct {
	Cluster    protocols.Cluster     // as it was given to New
	Now        protocols.Time        // true time; it moves when a test moves it
	Wire       []Letter              // what has left and has not been delivered, in order
	Actors     []*Actor              // by node id, replicas and then services; index 0 is unused
	Replies    []protocols.Answer    // what clients were answered, in order
	Refused    []protocols.Command   // what clients were refused, in order
	ManualSync bool                  // disks sync only when told
	Observers  []protocols.Observer  // the protocol's invariants; they may be taken away
	Found      []protocols.Violation // what they and the durability oracle found

	t          TB
	protocol   *protocols.Protocol
	parameters any
	durability *protocols.Durability // nil: messages claim nothing
	seq        uint64                // of the last moment
}

// Actor is one node, its disk, its timers and its clock.
type Actor struct {
	ID      protocols.NodeID
	Replica protocols.Node   // nil when it is down
	Disk    []Written        // all that it ever wrote; see [Actor.Recovered]
	Durable int              // so many records of Disk are durable
	Notes   []protocols.Note // all that it noted, in all its lives
	// Timers holds the minimum with which each timer is armed; 0 is not armed.
	Timers [protocols.MaxTimers]protocols.Duration
	Rate   protocols.Time // of its clock, per mille of true time; 0 is 1000

	gated []gatedLetter          // what waits for the disk
	image protocols.DurableImage // nil where messages claim nothing
	lives uint64
	wiped bool
}

// Written is a record on a disk.
type Written struct {
	Record   protocols.Record
	Snapshot bool // it came from SaveSnapshot, and replaces what is before it
}

// Letter is a message on its way.
type Letter struct {
	From, To protocols.NodeID
	Message  protocols.Message
}

type gatedLetter struct {
	Letter
	gate int // so many records must be durable
}

// New boots every node of a cluster on an empty disk, at 1 s, with the kv machine.
// It fails the test where the protocol refuses the parameters.
func New[N protocols.Node](t TB, p *protocols.Protocol, parameters any, c protocols.Cluster) *Stage[N] {
	t.Helper()
	if p.Validate != nil {
		if err := p.Validate(parameters, c.Replicas); err != nil {
			t.Fatalf("stage: %v", err)
			return nil
		}
	}
	s := &Stage[N]{t: t, protocol: p, parameters: parameters, Cluster: c, Now: 1e9, Actors: make([]*Actor, c.Nodes()+1)}
	if p.Invariants != nil {
		s.Observers = p.Invariants(c, parameters)
	}
	if p.Durability != nil {
		s.durability = p.Durability(parameters)
	}
	for id := protocols.NodeID(1); int(id) <= c.Nodes(); id++ {
		a := &Actor{ID: id}
		if s.durability != nil {
			a.image = s.durability.Image(id)
		}
		s.Actors[id] = a
		s.Boot(id)
	}
	return s
}

// NewNode returns one node of a cluster, with the kv machine, that no stage drives.
func NewNode(t TB, p *protocols.Protocol, parameters any, c protocols.Cluster, id protocols.NodeID, disk protocols.Recovered) protocols.Node {
	t.Helper()
	machine, err := protocols.NewMachine("kv")
	if err != nil {
		t.Fatalf("stage: %v", err)
		return nil
	}
	cfg := protocols.Config{ID: id, Cluster: c, Parameters: parameters, Machine: machine}
	if int(id) > c.Replicas || c.First().Has(id) {
		cfg.Members = c.First()
	}
	node, err := p.New(cfg, disk)
	if err != nil {
		t.Fatalf("stage: %v", err)
		return nil
	}
	return node
}

// Node returns a replica; nil when it is down, or a service.
func (s *Stage[N]) Node(id protocols.NodeID) N {
	n, _ := s.Actors[id].Replica.(N)
	return n
}

// Recovered returns what a boot would find on a disk of which all is durable.
func (a *Actor) Recovered() protocols.Recovered {
	disk := protocols.Recovered{First: a.lives == 0, Wiped: a.wiped && a.Durable == 0}
	for _, w := range a.Disk {
		if w.Snapshot {
			disk.Snapshot, disk.Records = w.Record, nil
		} else {
			disk.Records = append(disk.Records, protocols.RecoveredRecord{Record: w.Record})
		}
	}
	return disk
}

// Noted returns how many notes of a kind a node has made.
func (s *Stage[N]) Noted(id protocols.NodeID, kind protocols.NoteKind) int {
	count := 0
	for _, note := range s.Actors[id].Notes {
		if note.Kind == kind {
			count++
		}
	}
	return count
}

// WrittenBy returns the records of type R among what a node has written.
func WrittenBy[R protocols.Record](a *Actor) []R {
	var list []R
	for _, w := range a.Disk {
		if r, ok := w.Record.(R); ok {
			list = append(list, r)
		}
	}
	return list
}

// Show lets the observers look at a moment.
func (s *Stage[N]) Show(m *protocols.Moment) {
	s.seq++
	m.Seq, m.Now = s.seq, s.Now
	for _, o := range s.Observers {
		if o.Moments()&m.Kind != 0 {
			o.Observe(m)
		}
	}
	s.Found = append(s.Found, m.Found...)
}

// Clean fails the test when a check was broken.
func (s *Stage[N]) Clean() {
	s.t.Helper()
	for _, v := range s.Found {
		s.t.Errorf("%v", v)
	}
}

// Trips fails the test unless check was broken.
func (s *Stage[N]) Trips(check string) {
	s.t.Helper()
	for _, v := range s.Found {
		if v.Check == check {
			return
		}
	}
	s.t.Errorf("got %v, want a violation of %s", s.Found, check)
}

// judge holds the claims of a letter against its sender's disk.
func (s *Stage[N]) judge(l Letter) {
	if s.durability == nil {
		return
	}
	for _, f := range s.durability.Claims(l.From, l.Message, nil) {
		if ok, instead := s.Actors[l.From].image.Holds(f); !ok {
			s.Found = append(s.Found, protocols.Violation{Check: "durability", Text: fmt.Sprintf("%T of %v: %s", l.Message, l.From, instead)})
		}
	}
}
