package primarybackup

import (
	"fmt"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// stage is a hand-driven group: nothing moves by itself. A script fires timers,
// delivers and drops messages, syncs disks and crashes nodes, and all invariants and
// the durability oracle watch.
type stage struct {
	t          *testing.T
	parameters *Parameters
	n          int      // replicas; the view service is n+1
	actors     []*actor // by node id
	wire       []letter
	replies    []protocols.Answer
	refused    []protocols.Command
	now        protocols.Time
	manualSync bool // disks sync only when told
	observers  []protocols.Observer
	found      []protocols.Violation
	seq        uint64
	lives      uint64
}

type actor struct {
	id       protocols.NodeID
	node     protocols.Node // nil when down
	disk     []protocols.Record
	snapshot []bool // of disk
	durable  int
	gated    []gatedLetter
	notes    []protocols.Note
	timers   [protocols.MaxTimers]protocols.Duration
	image    protocols.DurableImage
	rate     protocols.Time // of its clock, per mille; 0 is 1000
}

type letter struct {
	from, to protocols.NodeID
	message  protocols.Message
}

type gatedLetter struct {
	letter
	gate int
}

func asIs(*Parameters) {}

func newStage(t *testing.T, n int, change func(*Parameters)) *stage {
	t.Helper()
	p := DefaultParameters()
	change(p)
	if err := p.Validate(n); err != nil {
		t.Fatal(err)
	}
	c := protocols.Cluster{Replicas: n, Services: 1}
	s := &stage{t: t, parameters: p, n: n, actors: make([]*actor, n+2), now: 1e9, observers: invariants(c, p)}
	for id := 1; id <= n+1; id++ {
		s.actors[id] = &actor{id: protocols.NodeID(id), image: newDurableImage(protocols.NodeID(id))}
		s.boot(protocols.NodeID(id))
	}
	return s
}

// formed is a stage on which n1 serves view 1, with all others as backups.
func formed(t *testing.T, n int, change func(*Parameters)) *stage {
	t.Helper()
	s := newStage(t, n, change)
	s.settle(everything)
	if s.replica(1).role != primary || s.view().Number != 1 {
		t.Fatalf("n1 is %s of view %d, want primary of view 1", roleNames()[s.replica(1).role], s.view().Number)
	}
	return s
}

func (s *stage) boot(id protocols.NodeID) protocols.Node {
	s.t.Helper()
	a := s.actors[id]
	cfg := protocols.Config{
		ID: id, Cluster: protocols.Cluster{Replicas: s.n, Services: 1}, Members: protocols.NodesUpTo(s.n),
		Parameters: s.parameters, Machine: machineOf(s.t),
	}
	disk := a.recovered()
	var err error
	if a.node, err = New(cfg, disk); err != nil {
		s.t.Fatal(err)
	}
	s.show(&protocols.Moment{Kind: protocols.Booted, Node: id, Replica: a.node, Disk: &disk})
	s.lives++
	s.step(id, &protocols.Event{Kind: protocols.Start, Nonce: s.lives})
	return a.node
}

func (a *actor) recovered() protocols.Recovered {
	disk := protocols.Recovered{First: len(a.disk) == 0}
	for i, r := range a.disk {
		if a.snapshot[i] {
			disk.Snapshot, disk.Records = r, nil
			continue
		}
		disk.Records = append(disk.Records, protocols.RecoveredRecord{Record: r})
	}
	return disk
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
		a.disk = append(a.disk, e.Record)
		a.snapshot = append(a.snapshot, e.Kind == protocols.EffectSaveSnapshot)
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
		r, snapshot := a.disk[a.durable], a.snapshot[a.durable]
		a.durable++
		a.image.Persisted(r, snapshot)
		s.show(&protocols.Moment{Kind: protocols.Durable, Node: id, Record: r, Snapshot: snapshot})
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

// crash stops nodes; what is not durable is lost.
func (s *stage) crash(ids ...protocols.NodeID) {
	for _, id := range ids {
		a := s.actors[id]
		a.node, a.gated = nil, nil
		a.disk, a.snapshot = a.disk[:a.durable], a.snapshot[:a.durable]
		clear(a.timers[:])
		s.take(func(l letter) bool { return l.from == id && l.to == id })
		s.show(&protocols.Moment{Kind: protocols.Crashed, Node: id})
	}
}

// restart crashes nodes and boots them later.
func (s *stage) restart(ids ...protocols.NodeID) {
	s.crash(ids...)
	s.now += 1e6
	for _, id := range ids {
		s.boot(id)
	}
}

func (s *stage) receive(from, to protocols.NodeID, m protocols.Message) {
	s.step(to, &protocols.Event{Kind: protocols.Receive, From: from, Message: m})
}

func (s *stage) request(id protocols.NodeID, c protocols.Command) {
	s.step(id, &protocols.Event{Kind: protocols.Request, From: c.Client, Command: c})
}

func (s *stage) fire(id protocols.NodeID, timer protocols.Timer) {
	s.step(id, &protocols.Event{Kind: protocols.Fire, Timer: timer})
}

// pass lets time pass, tick by tick, while the messages that match are delivered and
// all others are lost.
func (s *stage) pass(d protocols.Duration, match func(letter) bool) {
	for end := s.now.Add(d); s.now < end; {
		s.now = s.now.Add(s.parameters.Ping)
		for id := 1; id <= s.n+1; id++ {
			s.fire(protocols.NodeID(id), timerTick)
		}
		s.settle(match)
	}
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

// deliver hands over the letters now on the wire that match, in order, and returns
// how many there were. What they cause stays on the wire.
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

func (s *stage) replica(id protocols.NodeID) *Node {
	n, _ := s.actors[id].node.(*Node)
	return n
}

func (s *stage) service() *Service { return s.actors[s.n+1].node.(*Service) }

// view is the service's current view.
func (s *stage) view() View { return s.service().state.View }

func everything(letter) bool { return true }

// between matches what the given nodes say to each other.
func between(ids ...protocols.NodeID) func(letter) bool {
	set := protocols.Nodes(ids...)
	return func(l letter) bool { return set.Has(l.from) && set.Has(l.to) }
}

// without matches what none of the given nodes says or hears.
func without(ids ...protocols.NodeID) func(letter) bool {
	set := protocols.Nodes(ids...)
	return func(l letter) bool { return l.from == l.to || !set.Has(l.from) && !set.Has(l.to) }
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

func add(client protocols.NodeID, seq uint64, value int64) protocols.Command {
	c := put(client, seq, value)
	c.Op = protocols.AppendTo
	return c
}

func get(client protocols.NodeID, seq uint64) protocols.Command {
	return protocols.Command{Client: client, Kind: protocols.Read, Op: protocols.Get, Key: 1, Seq: seq}
}

// answer returns the last reply to a request.
func (s *stage) answer(c protocols.Command) (protocols.Result, bool) {
	for i := len(s.replies) - 1; i >= 0; i-- {
		if s.replies[i].Command.SameRequest(c) {
			return s.replies[i].Result, true
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
	if v.Primary != id || v.Backups != protocols.Nodes(backups...) || s.replica(id) == nil || s.replica(id).role != primary || s.replica(id).view.Number != v.Number {
		s.t.Fatalf("got view %+v, want %v to serve it with backups %v", v, id, backups)
	}
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
	s.sync(id)
	for s.deliver(everything) > 0 {
		s.sync(id)
	}
}
