package vr

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
	id       protocols.NodeID
	node     *Node // nil when down
	snapshot protocols.Record
	disk     []protocols.Record // after the snapshot
	durable  int
	lives    uint64
	gated    []gatedLetter
	notes    []protocols.Note
	timers   [protocols.MaxTimers]protocols.Duration // armed with this minimum
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

func newStage(t *testing.T, n int, change func(*Parameters)) *stage {
	t.Helper()
	return newStageOf(t, protocols.Cluster{Replicas: n}, change)
}

// newStageOf is newStage with a first membership.
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
	s := &stage{t: t, parameters: p, cluster: c, actors: make([]*actor, n+1), now: 1e9, observers: invariants(c, p)}
	for id := 1; id <= n; id++ {
		s.actors[id] = &actor{id: protocols.NodeID(id), image: newDurableImage(protocols.NodeID(id))}
		s.boot(protocols.NodeID(id))
	}
	return s
}

// boot starts a node on its disk.
func (s *stage) boot(id protocols.NodeID) *Node {
	s.t.Helper()
	a := s.actors[id]
	disk := protocols.Recovered{First: a.lives == 0, Snapshot: a.snapshot}
	for _, r := range a.disk {
		disk.Records = append(disk.Records, protocols.RecoveredRecord{Record: r})
	}
	a.lives++
	a.node = newNodeOf(s.t, s.parameters, id, s.cluster, disk)
	s.show(&protocols.Moment{Kind: protocols.Booted, Node: id, Replica: a.node, Disk: &disk})
	s.step(id, &protocols.Event{Kind: protocols.Start, Nonce: uint64(id)<<32 | a.lives})
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
		a.disk = append(a.disk, e.Record)
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

// sync makes a node's disk durable and lets what waited for it leave. A checkpoint
// replaces what was before it.
func (s *stage) sync(id protocols.NodeID) {
	a := s.actors[id]
	for a.durable < len(a.disk) {
		r := a.disk[a.durable]
		a.durable++
		_, snapshot := r.(*Checkpoint)
		a.image.Persisted(r, snapshot)
		s.show(&protocols.Moment{Kind: protocols.Durable, Node: id, Record: r, Snapshot: snapshot})
	}
	s.release(a)
	for i := len(a.disk) - 1; i >= 0; i-- {
		if _, snapshot := a.disk[i].(*Checkpoint); snapshot {
			a.snapshot, a.disk, a.durable = a.disk[i], a.disk[i+1:], a.durable-i-1
			return
		}
	}
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
	if s.parameters.variant() == durable {
		for _, f := range claims(l.from, l.message, nil) {
			if ok, instead := s.actors[l.from].image.Holds(f); !ok {
				s.found = append(s.found, protocols.Violation{Check: "durability", Text: fmt.Sprintf("%T of %v: %s", l.message, l.from, instead)})
			}
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

func (s *stage) restart(id protocols.NodeID) *Node {
	s.crash(id)
	return s.boot(id)
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

// reconfigure asks a node for members, as an operator.
func (s *stage) reconfigure(id protocols.NodeID, members ...protocols.NodeID) {
	s.step(id, &protocols.Event{Kind: protocols.AdminEvent, Admin: protocols.Admin{Kind: protocols.Reconfigure, Members: protocols.Nodes(members...)}})
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

// hand delivers letters that were taken, in order.
func (s *stage) hand(letters ...letter) {
	for _, l := range letters {
		s.receive(l.from, l.to, l.message)
	}
}

// deliver hands over the letters now on the wire that match, in order, and
// returns how many there were. What they cause stays on the wire.
func (s *stage) deliver(match func(letter) bool) int {
	letters := s.take(match)
	s.hand(letters...)
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

// change lets the given nodes time out and change to the next view whose primary is
// lead, hearing only each other.
func (s *stage) change(lead protocols.NodeID, among ...protocols.NodeID) *Node {
	s.t.Helper()
	group := append([]protocols.NodeID{lead}, among...)
	s.now += 1e9 // past everybody's promise
	for {
		view := s.node(group[len(group)-1]).view
		for _, id := range group {
			view = max(view, s.node(id).view)
		}
		next := s.node(lead).primary(view+1) == lead
		for _, id := range group {
			if n := s.node(id); n.view <= view {
				if n.leading {
					n.heard = protocols.Nodes(id)
					s.fire(id, timerQuorum)
				} else {
					s.fire(id, timerView)
				}
			}
		}
		if next {
			break
		}
		s.wire = nil
	}
	s.settle(between(group...))
	if n := s.node(lead); !n.leading {
		s.t.Fatalf("%v is %s of view %d after the view change, want primary", lead, roleNames()[n.role()], n.view)
	}
	return s.node(lead)
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

// logOf returns the values that the commands in a node's log write.
func logOf(n *Node) []int64 {
	var values []int64
	for i := n.log.First(); i <= n.log.Last(); i++ {
		values = append(values, n.log.At(i).Command.Arg)
	}
	return values
}
