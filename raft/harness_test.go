package raft

import (
	"fmt"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// stage is a hand-driven cluster: nothing moves by itself. A script fires timers,
// delivers and drops messages, syncs disks and crashes nodes, and all invariants
// and the durability oracle watch.
type stage struct {
	t          *testing.T
	parameters *Parameters
	cluster    protocols.Cluster
	actors     []*actor // by node id
	wire       []letter
	replies    []protocols.Answer
	refused    []protocols.Command
	now        protocols.Time
	manualSync bool // disks sync only when told
	observers  []protocols.Observer
	found      []protocols.Violation
	seq        uint64
}

type actor struct {
	id      protocols.NodeID
	node    *Node // nil when down
	disk    []written
	durable int
	wiped   bool
	gated   []gatedLetter
	notes   []protocols.Note
	timers  [protocols.MaxTimers]protocols.Duration // armed with this minimum
	image   protocols.DurableImage
	rate    protocols.Time // of its clock, per mille; 0 is 1000
}

// written is a record on a disk.
type written struct {
	record   protocols.Record
	snapshot bool
}

type letter struct {
	from, to protocols.NodeID
	message  protocols.Message
}

type gatedLetter struct {
	letter
	gate int
}

func newStage(t *testing.T, n int, change func(*Parameters)) *stage {
	t.Helper()
	return newStageOf(t, protocols.Cluster{Replicas: n}, change)
}

func newStageOf(t *testing.T, c protocols.Cluster, change func(*Parameters)) *stage {
	t.Helper()
	n := c.Replicas
	p := DefaultParameters()
	if change != nil {
		change(p)
	}
	if err := p.Validate(n); err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, cluster: c, parameters: p, actors: make([]*actor, n+1), now: 1e9, observers: invariants(c, p)}
	for id := 1; id <= n; id++ {
		s.actors[id] = &actor{id: protocols.NodeID(id), image: newDurableImage(protocols.NodeID(id))}
		s.boot(protocols.NodeID(id), nil)
	}
	return s
}

// boot starts a node on its disk; prepare may change it first.
func (s *stage) boot(id protocols.NodeID, prepare func(*Node)) *Node {
	s.t.Helper()
	a := s.actors[id]
	disk := protocols.Recovered{First: len(a.disk) == 0 && !a.wiped, Wiped: a.wiped && a.durable == 0}
	for _, r := range a.disk {
		if r.snapshot {
			disk.Snapshot, disk.Records = r.record, nil
		} else {
			disk.Records = append(disk.Records, protocols.RecoveredRecord{Record: r.record})
		}
	}
	a.node = newNodeOf(s.t, s.parameters, id, s.cluster, disk)
	if prepare != nil {
		prepare(a.node)
	}
	s.show(&protocols.Moment{Kind: protocols.Booted, Node: id, Replica: a.node, Disk: &disk})
	s.step(id, &protocols.Event{Kind: protocols.Start})
	return a.node
}

func newNode(t testing.TB, p *Parameters, id protocols.NodeID, n int, disk protocols.Recovered) *Node {
	t.Helper()
	return newNodeOf(t, p, id, protocols.Cluster{Replicas: n}, disk)
}

func newNodeOf(t testing.TB, p *Parameters, id protocols.NodeID, c protocols.Cluster, disk protocols.Recovered) *Node {
	t.Helper()
	machine, err := protocols.NewMachine("kv")
	if err != nil {
		t.Fatal(err)
	}
	cfg := protocols.Config{ID: id, Cluster: c, Parameters: p, Machine: machine}
	if c.First().Has(id) {
		cfg.Members = c.First()
	}
	node, err := New(cfg, disk)
	if err != nil {
		t.Fatal(err)
	}
	return node.(*Node)
}

func (s *stage) show(m *protocols.Moment) {
	s.seq++
	m.Seq, m.Now = s.seq, s.now
	for _, o := range s.observers {
		if o.Moments()&m.Kind != 0 {
			o.Observe(m)
		}
	}
	s.found = append(s.found, m.Found...)
}

// step lets a node handle an event and carries out the effects.
func (s *stage) step(id protocols.NodeID, ev *protocols.Event) {
	a := s.actors[id]
	if a.node == nil {
		return
	}
	ev.Now, ev.Wall = s.now, s.now
	if a.rate > 0 {
		ev.Now = s.now * a.rate / 1000
	}
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	a.node.Step(ev, out)
	s.show(&protocols.Moment{Kind: protocols.Stepped, Node: id, Replica: a.node, Event: ev, Effects: out})
	for i := range out.List {
		s.effect(a, out, &out.List[i])
	}
	if !s.manualSync {
		s.sync(id)
	}
}

func (s *stage) effect(a *actor, out *protocols.Effects, e *protocols.Effect) {
	switch e.Kind {
	case protocols.EffectSend:
		a.gated = append(a.gated, gatedLetter{letter{a.id, e.To, e.Message}, len(a.disk)})
		s.release(a)
	case protocols.EffectSendEarly:
		s.post(letter{a.id, e.To, e.Message})
	case protocols.EffectPersist, protocols.EffectSaveSnapshot:
		a.disk = append(a.disk, written{e.Record, e.Kind == protocols.EffectSaveSnapshot})
	case protocols.EffectReply, protocols.EffectReplyEarly:
		s.replies = append(s.replies, out.Answers[e.Answer])
	case protocols.EffectRefuse:
		s.refused = append(s.refused, out.Answers[e.Answer].Command)
	case protocols.EffectSetTimer, protocols.EffectSetTimerWithin:
		a.timers[e.Timer] = e.Min
	case protocols.EffectCancelTimer:
		a.timers[e.Timer] = 0
	case protocols.EffectNote:
		a.notes = append(a.notes, out.Notes[e.Note])
	}
}

// sync makes a node's disk durable and lets what waited for it leave.
func (s *stage) sync(id protocols.NodeID) {
	a := s.actors[id]
	for a.durable < len(a.disk) {
		r := a.disk[a.durable]
		a.durable++
		a.image.Persisted(r.record, r.snapshot)
		s.show(&protocols.Moment{Kind: protocols.Durable, Node: id, Record: r.record, Snapshot: r.snapshot})
	}
	s.release(a)
}

func (s *stage) release(a *actor) {
	for len(a.gated) > 0 && a.gated[0].gate <= a.durable {
		l := a.gated[0].letter
		a.gated = a.gated[1:]
		s.post(l)
	}
}

// post puts a letter on the wire and holds its claims against the sender's disk.
func (s *stage) post(l letter) {
	s.show(&protocols.Moment{Kind: protocols.Left, Node: l.from, To: l.to, Message: l.message})
	for _, f := range claims(l.from, l.message, nil) {
		if ok, instead := s.actors[l.from].image.Holds(f); !ok {
			s.found = append(s.found, protocols.Violation{Check: "durability", Text: fmt.Sprintf("%T of %v: %s", l.message, l.from, instead)})
		}
	}
	s.wire = append(s.wire, l)
}

// crash stops a node; what is not durable is lost.
func (s *stage) crash(id protocols.NodeID) {
	a := s.actors[id]
	a.node, a.gated, a.disk = nil, nil, a.disk[:a.durable]
	clear(a.timers[:])
	s.drop(func(l letter) bool { return l.from == id && l.to == id })
	s.show(&protocols.Moment{Kind: protocols.Crashed, Node: id})
}

// wipe crashes a node and loses its disk.
func (s *stage) wipe(id protocols.NodeID) {
	s.crash(id)
	a := s.actors[id]
	a.disk, a.durable, a.wiped = nil, 0, true
	a.image.Lost()
}

func (s *stage) restart(id protocols.NodeID) *Node {
	s.crash(id)
	return s.boot(id, nil)
}

func (s *stage) fire(id protocols.NodeID, timer protocols.Timer) {
	s.step(id, &protocols.Event{Kind: protocols.Fire, Timer: timer})
}

func (s *stage) receive(from, to protocols.NodeID, m protocols.Message) {
	s.step(to, &protocols.Event{Kind: protocols.Receive, From: from, Message: m})
}

func (s *stage) request(id protocols.NodeID, c protocols.Command) {
	s.step(id, &protocols.Event{Kind: protocols.Request, From: c.Client, Command: c})
}

// reconfigure asks id for voters and learners.
func (s *stage) reconfigure(id protocols.NodeID, voters, learners protocols.NodeSet) {
	s.step(id, &protocols.Event{Kind: protocols.AdminEvent, Admin: protocols.Admin{Kind: protocols.Reconfigure, Members: voters, Learner: learners}})
}

// transfer asks id to hand its leadership over to target.
func (s *stage) transfer(id, target protocols.NodeID) {
	s.step(id, &protocols.Event{Kind: protocols.AdminEvent, Admin: protocols.Admin{Kind: protocols.TransferLeadership, Target: target}})
}

// take removes the letters that match from the wire.
func (s *stage) take(match func(letter) bool) []letter {
	var taken, rest []letter
	for _, l := range s.wire {
		if match(l) {
			taken = append(taken, l)
		} else {
			rest = append(rest, l)
		}
	}
	s.wire = rest
	return taken
}

func (s *stage) drop(match func(letter) bool) { s.take(match) }

// deliver hands over the letters now on the wire that match, in order, and
// returns how many there were. What they cause stays on the wire.
func (s *stage) deliver(match func(letter) bool) int {
	letters := s.take(match)
	for _, l := range letters {
		s.receive(l.from, l.to, l.message)
	}
	return len(letters)
}

// settle delivers all that matches, and what it causes, and drops the rest.
func (s *stage) settle(match func(letter) bool) {
	for i := 0; s.deliver(match) > 0; i++ {
		if i > 1000 {
			s.t.Fatal("the messages never end")
		}
	}
	s.wire = nil
}

// elect makes id leader with what only the given nodes say.
func (s *stage) elect(id protocols.NodeID, among ...protocols.NodeID) *Node {
	s.t.Helper()
	if s.node(id).role == leader {
		s.t.Fatalf("%v leads already", id)
	}
	s.now += 1e9 // past everybody's promise
	s.fire(id, timerElection)
	s.settle(between(append(among, id)...))
	if n := s.actors[id].node; n.role != leader {
		s.t.Fatalf("%v is %s of term %d after its election, want leader", id, roleNames()[n.role], n.term)
	}
	return s.actors[id].node
}

func (s *stage) node(id protocols.NodeID) *Node { return s.actors[id].node }

func everything(letter) bool { return true }

// between matches what the given nodes say to each other.
func between(ids ...protocols.NodeID) func(letter) bool {
	set := protocols.Nodes(ids...)
	return func(l letter) bool { return set.Has(l.from) && set.Has(l.to) }
}

// ofKind matches messages of one kind from one node to another; Nobody is anybody.
func ofKind(kind protocols.Kind, from, to protocols.NodeID) func(letter) bool {
	return func(l letter) bool {
		return l.message.Kind() == kind && (from == 0 || l.from == from) && (to == 0 || l.to == to)
	}
}

// sent returns the messages of type M that wait on the wire from one node to another.
func sent[M protocols.Message](s *stage, from, to protocols.NodeID) []M {
	var list []M
	for _, l := range s.wire {
		if m, ok := l.message.(M); ok && l.from == from && l.to == to {
			list = append(list, m)
		}
	}
	return list
}

func put(client protocols.NodeID, seq uint64, value int64) protocols.Command {
	return protocols.Command{Client: client, Kind: protocols.Write, Op: protocols.Put, Key: 1, Seq: seq, Arg: value}
}

func get(client protocols.NodeID, seq uint64) protocols.Command {
	return protocols.Command{Client: client, Kind: protocols.Read, Op: protocols.Get, Key: 1, Seq: seq}
}

// clean fails the test when a check was broken.
func (s *stage) clean() {
	s.t.Helper()
	for _, v := range s.found {
		s.t.Errorf("%v", v)
	}
}

// trips fails the test unless check was broken.
func (s *stage) trips(check string) {
	s.t.Helper()
	for _, v := range s.found {
		if v.Check == check {
			return
		}
	}
	s.t.Errorf("got %v, want a violation of %s", s.found, check)
}

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
		s.crash(id)
		for _, r := range records {
			s.actors[id].disk = append(s.actors[id].disk, written{record: r})
		}
		s.sync(id)
		s.boot(id, nil)
	}
	return s
}
