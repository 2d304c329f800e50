package sim

import (
	"github.com/lockstep-sim/lockstep/protocols"
)

// toy is a small protocol for the tests of the engine: whoever hears no claim for
// a while claims to lead the next epoch, and a leader answers a client once a
// majority has its entry on disk. It is not safe; it exercises everything.
type toy struct {
	id      protocols.NodeID
	n       int
	p       *toyParameters
	epoch   uint64
	leads   bool
	leader  protocols.NodeID
	machine protocols.StateMachine
	count   uint64 // entries on this log
	applied uint64
	acks    [64]int32
	wanted  [64]protocols.Command
	roll    uint64
	fires   int
	steps   int
}

type toyParameters struct {
	PanicAt  int    // step at which n1 panics; 0: never
	Boot     string // error at a reboot
	Snapshot uint64 // entries between snapshots; 0: none
	Refuse   bool   // refuse everything
	Early    bool   // send acknowledgements early
	Silent   bool   // n1 never answers clients
	Stray    bool   // n1 sends to a node that does not exist
	Spin     bool   // n1 sets a timer of no length whenever it fires
	Echo     bool   // n1 sends itself what it gets from itself
}

type toyClaim struct{ Epoch uint64 }
type toyAppend struct{ Epoch, Number uint64 }
type toyAck struct{ Epoch, Number uint64 }
type toyEpoch struct{ Epoch uint64 }
type toyEntry struct{ Number uint64 }
type toySnapshot struct{ Epoch, Count uint64 }

func (*toyClaim) Kind() protocols.Kind    { return 1 }
func (*toyAppend) Kind() protocols.Kind   { return 2 }
func (*toyAck) Kind() protocols.Kind      { return 3 }
func (*toyEpoch) Kind() protocols.Kind    { return 1 }
func (*toyEntry) Kind() protocols.Kind    { return 2 }
func (*toySnapshot) Kind() protocols.Kind { return 3 }

func (*toyClaim) Size() int             { return 8 }
func (*toyAppend) Size() int            { return 16 }
func (*toyAck) Size() int               { return 16 }
func (m *toyAppend) Digest() uint64     { return m.Epoch<<32 | m.Number }
func (m *toyAck) Digest() uint64        { return m.Epoch<<32 | m.Number }
func (t *toy) majority(acks int32) bool { return int(acks) > t.n/2 }

const (
	toyElection protocols.Timer = iota
	toyBeat
)

func toyProtocol() *protocols.Protocol {
	return &protocols.Protocol{
		Name: "toy", EpochWord: "reign", Roles: []string{"follower", "leader"}, Timers: []string{"election", "beat"},
		Messages: []protocols.KindInfo{
			{Kind: 1, Name: "Claim", New: func() any { return new(toyClaim) }},
			{Kind: 2, Name: "Append", New: func() any { return new(toyAppend) }},
			{Kind: 3, Name: "Ack", New: func() any { return new(toyAck) }},
		},
		Records: []protocols.KindInfo{
			{Kind: 1, Name: "Epoch", New: func() any { return new(toyEpoch) }},
			{Kind: 2, Name: "Entry", New: func() any { return new(toyEntry) }},
			{Kind: 3, Name: "Snapshot", New: func() any { return new(toySnapshot) }},
		},
		Parameters: func() any { return new(toyParameters) },
		New:        newToy,
	}
}

func newToy(c protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
	t := &toy{id: c.ID, n: c.Cluster.Replicas, p: c.Parameters.(*toyParameters), machine: c.Machine}
	if !disk.First && t.p.Boot != "" {
		return nil, errText(t.p.Boot)
	}
	if s, ok := disk.Snapshot.(*toySnapshot); ok {
		t.epoch, t.count = s.Epoch, s.Count
	}
	for _, r := range disk.Records {
		switch r := r.Record.(type) {
		case *toyEpoch:
			t.epoch = r.Epoch
		case *toyEntry:
			t.count++
		}
	}
	t.applied = t.count
	return t, nil
}

type errText string

func (e errText) Error() string { return string(e) }

func (t *toy) Step(ev *protocols.Event, out *protocols.Effects) {
	t.steps++
	t.roll = protocols.Fold(t.roll, uint64(ev.Kind)<<8|uint64(uint16(ev.From)))
	if t.id == 1 && t.steps == t.p.PanicAt {
		var none []int
		_ = none[t.steps]
	}
	switch ev.Kind {
	case protocols.Start:
		out.SetTimerWithin(toyElection, 150_000_000, 300_000_000)
		if t.p.Stray && t.id == 1 {
			protocols.Send(out, 77, toyClaim{})
		}
		if t.p.Echo && t.id == 1 {
			protocols.Send(out, 1, toyAck{})
		}
	case protocols.Fire:
		t.fires++
		if t.p.Spin && t.id == 1 {
			out.SetTimer(toyElection, 0)
			return
		}
		if ev.Timer == toyElection {
			t.epoch++
			t.leads, t.leader = true, t.id
			t.acks, t.wanted = [64]int32{}, [64]protocols.Command{}
			protocols.Persist(out, toyEpoch{t.epoch})
			out.Note(protocols.Note{Kind: protocols.NoteLeader, Epoch: t.epoch})
		}
		t.beat(out)
	case protocols.Receive:
		t.receive(ev, out)
	case protocols.Request:
		t.request(ev, out)
	}
}

func (t *toy) beat(out *protocols.Effects) {
	if t.leads {
		t.broadcast(out)
		out.SetTimer(toyBeat, 50_000_000)
	}
}

func (t *toy) broadcast(out *protocols.Effects) {
	for id := 1; id <= t.n; id++ {
		if protocols.NodeID(id) != t.id {
			protocols.SendEarly(out, protocols.NodeID(id), toyClaim{t.epoch})
		}
	}
}

func (t *toy) follow(epoch uint64, from protocols.NodeID, out *protocols.Effects) {
	if epoch > t.epoch {
		t.epoch = epoch
		protocols.Persist(out, toyEpoch{epoch})
		if t.leads {
			t.leads = false
			out.Note(protocols.Note{Kind: protocols.NoteSteppedDown})
			out.CancelTimer(toyBeat)
		}
	}
	if !t.leads {
		t.leader = from
		out.SetTimerWithin(toyElection, 150_000_000, 300_000_000)
	}
}

func (t *toy) receive(ev *protocols.Event, out *protocols.Effects) {
	if t.p.Echo && t.id == 1 && ev.From == 1 {
		protocols.Send(out, 1, toyAck{})
	}
	switch m := ev.Message.(type) {
	case *toyClaim:
		if m.Epoch >= t.epoch {
			t.follow(m.Epoch, ev.From, out)
		}
	case *toyAppend:
		if m.Epoch < t.epoch {
			return
		}
		t.follow(m.Epoch, ev.From, out)
		t.count++
		protocols.Persist(out, toyEntry{m.Number})
		protocols.Send(out, ev.From, toyAck{m.Epoch, m.Number})
		t.snapshot(out)
	case *toyAck:
		if !t.leads || m.Epoch != t.epoch {
			return
		}
		slot := m.Number % 64
		t.acks[slot]++
		if c := t.wanted[slot]; c.Client != 0 && t.majority(t.acks[slot]) {
			t.wanted[slot] = protocols.Command{}
			t.applied++
			r := t.machine.Apply(c, ev.Wall)
			r.Position = protocols.Index(m.Number)
			out.Note(protocols.Note{Kind: protocols.NoteCommit, Index: protocols.Index(m.Number)})
			if !t.p.Silent || t.id != 1 {
				out.ReplyEarly(c, r)
			}
		}
	}
}

func (t *toy) snapshot(out *protocols.Effects) {
	if t.p.Snapshot > 0 && t.count%t.p.Snapshot == 0 {
		out.SaveSnapshot(&toySnapshot{t.epoch, t.count})
	}
}

func (t *toy) request(ev *protocols.Event, out *protocols.Effects) {
	if !t.leads || t.p.Refuse {
		hint := t.leader
		if t.p.Refuse {
			hint = protocols.NodeID(int(t.id)%t.n + 1)
		}
		out.Refuse(ev.Command, hint)
		return
	}
	t.count++
	slot := t.count % 64
	t.acks[slot], t.wanted[slot] = 0, ev.Command
	protocols.Persist(out, toyEntry{t.count})
	protocols.Send(out, t.id, toyAck{t.epoch, t.count})
	for id := 1; id <= t.n; id++ {
		if protocols.NodeID(id) != t.id {
			protocols.SendEarly(out, protocols.NodeID(id), toyAppend{t.epoch, t.count})
		}
	}
	t.snapshot(out)
}

func (t *toy) View(v *protocols.View) {
	*v = protocols.View{
		Leading: t.leads, Epoch: t.epoch, Leader: t.leader, Commit: protocols.Index(t.applied), Applied: protocols.Index(t.applied),
		First: 1, Last: protocols.Index(t.count), Members: protocols.NodesUpTo(t.n), StateHash: t.roll,
	}
	if t.leads {
		v.Role = 1
	}
}

const (
	ms     = protocols.Duration(1_000_000)
	second = protocols.Time(1_000_000_000)
)

// steady is a plain world: five nodes, two clients, 0.5 to 1 ms links, an fsync
// of 1 ms.
func steady(seed uint64) Config {
	return Config{
		Protocol: toyProtocol(), Replicas: 5, Seed: seed,
		Network: Network{
			Between: Link{Latency: Between(ms/2, ms)},
			Client:  Link{Latency: Between(ms/2, ms)},
		},
		Disk:     Disk{Write: Exactly(ms / 100), Fsync: Exactly(ms)},
		Clock:    Clock{Offset: Between(0, 50*ms), Drift: 100_000},
		Workload: Workload{Clients: 2, Keys: 3, Timeout: 200 * ms, GiveUp: 2000 * ms},
	}
}

func target(text string) Target {
	t, err := ParseTarget(text)
	if err != nil {
		panic(err)
	}
	return t
}
