package stage

import "github.com/lockstep-sim/lockstep/protocols"

// Boot starts a node on its disk. The nonce of its Start names node and life.
func (s *Stage[N]) Boot(id protocols.NodeID) N {
	s.t.Helper()
	a := s.Actors[id]
	disk := a.Recovered()
	a.lives++
	a.Replica = NewNode(s.t, s.protocol, s.parameters, s.Cluster, id, disk)
	s.Show(&protocols.Moment{Kind: protocols.Booted, Node: id, Replica: a.Replica, Disk: &disk})
	s.Step(id, &protocols.Event{Kind: protocols.Start, Nonce: uint64(id)<<32 | a.lives})
	return s.Node(id)
}

// Crash stops nodes; what is not durable is lost, and so is what they have told
// themselves.
func (s *Stage[N]) Crash(ids ...protocols.NodeID) {
	for _, id := range ids {
		a := s.Actors[id]
		a.Replica, a.gated, a.Disk = nil, nil, a.Disk[:a.Durable]
		clear(a.Timers[:])
		s.Drop(func(l Letter) bool { return l.From == id && l.To == id })
		s.Show(&protocols.Moment{Kind: protocols.Crashed, Node: id})
	}
}

// Wipe crashes a node and loses its disk.
func (s *Stage[N]) Wipe(id protocols.NodeID) {
	s.Crash(id)
	a := s.Actors[id]
	a.Disk, a.Durable, a.wiped = nil, 0, true
	if a.image != nil {
		a.image.Lost()
	}
}

// Restart crashes a node and boots it.
func (s *Stage[N]) Restart(id protocols.NodeID) N {
	s.t.Helper()
	s.Crash(id)
	return s.Boot(id)
}

// Step lets a node handle an event and carries out the effects. Nothing happens when
// it is down.
func (s *Stage[N]) Step(id protocols.NodeID, ev *protocols.Event) {
	a := s.Actors[id]
	if a.Replica == nil {
		return
	}
	ev.Now, ev.Wall = s.Now, s.Now
	if a.Rate > 0 {
		ev.Now = s.Now * a.Rate / 1000
	}
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	a.Replica.Step(ev, out)
	s.Show(&protocols.Moment{Kind: protocols.Stepped, Node: id, Replica: a.Replica, Event: ev, Effects: out})
	for i := range out.List {
		s.effect(a, out, &out.List[i])
	}
	if !s.ManualSync {
		s.Sync(id)
	}
}

func (s *Stage[N]) effect(a *Actor, out *protocols.Effects, e *protocols.Effect) {
	switch e.Kind {
	case protocols.EffectSend:
		a.gated = append(a.gated, gatedLetter{Letter{a.ID, e.To, e.Message}, len(a.Disk)})
		s.release(a)
	case protocols.EffectSendEarly:
		s.Post(Letter{a.ID, e.To, e.Message})
	case protocols.EffectPersist, protocols.EffectSaveSnapshot:
		a.Disk = append(a.Disk, Written{e.Record, e.Kind == protocols.EffectSaveSnapshot})
	case protocols.EffectReply, protocols.EffectReplyEarly:
		s.Replies = append(s.Replies, out.Answers[e.Answer])
	case protocols.EffectRefuse:
		s.Refused = append(s.Refused, out.Answers[e.Answer].Command)
	case protocols.EffectSetTimer, protocols.EffectSetTimerWithin:
		a.Timers[e.Timer] = e.Min
	case protocols.EffectCancelTimer:
		a.Timers[e.Timer] = 0
	case protocols.EffectNote:
		a.Notes = append(a.Notes, out.Notes[e.Note])
	}
}

// Sync makes a node's disk durable and lets what waited for it leave.
func (s *Stage[N]) Sync(id protocols.NodeID) {
	a := s.Actors[id]
	for a.Durable < len(a.Disk) {
		w := a.Disk[a.Durable]
		a.Durable++
		if a.image != nil {
			a.image.Persisted(w.Record, w.Snapshot)
		}
		s.Show(&protocols.Moment{Kind: protocols.Durable, Node: id, Record: w.Record, Snapshot: w.Snapshot})
	}
	s.release(a)
}

func (s *Stage[N]) release(a *Actor) {
	for len(a.gated) > 0 && a.gated[0].gate <= a.Durable {
		l := a.gated[0].Letter
		a.gated = a.gated[1:]
		s.Post(l)
	}
}

// Fire lets a timer of a node expire, armed or not.
func (s *Stage[N]) Fire(id protocols.NodeID, timer protocols.Timer) {
	s.Step(id, &protocols.Event{Kind: protocols.Fire, Timer: timer})
}

// Receive hands a node a message that need not be on the wire.
func (s *Stage[N]) Receive(from, to protocols.NodeID, m protocols.Message) {
	s.Step(to, &protocols.Event{Kind: protocols.Receive, From: from, Message: m})
}

// Request hands a node the command of a client.
func (s *Stage[N]) Request(id protocols.NodeID, c protocols.Command) {
	s.Step(id, &protocols.Event{Kind: protocols.Request, From: c.Client, Command: c})
}

// Admin hands a node the wish of an operator.
func (s *Stage[N]) Admin(id protocols.NodeID, wish protocols.Admin) {
	s.Step(id, &protocols.Event{Kind: protocols.AdminEvent, Admin: wish})
}

// Put is a client's write of value to key 1.
func Put(client protocols.NodeID, seq uint64, value int64) protocols.Command {
	return protocols.Command{Client: client, Kind: protocols.Write, Op: protocols.Put, Key: 1, Seq: seq, Arg: value}
}

// Get is a client's read of key 1.
func Get(client protocols.NodeID, seq uint64) protocols.Command {
	return protocols.Command{Client: client, Kind: protocols.Read, Op: protocols.Get, Key: 1, Seq: seq}
}
