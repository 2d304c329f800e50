package paxos

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func TestSizesAgreeWithTheEncoding(t *testing.T) {
	machine, _ := protocols.NewMachine("kv")
	x := protocols.Executor{Machine: machine}
	x.Apply(1, put(-1, 1, 5), 0)
	for _, k := range append(messageKinds(), recordKinds()...) {
		for range 2 { // empty, then full
			v := k.New()
			if got, want := v.(protocols.Sized).Size(), protocols.ReflectedSize(v); got != want {
				t.Errorf("%s: size %d, want %d", k.Name, got, want)
			}
			switch v := v.(type) {
			case *Promise:
				v.Accepted = make([]Pvalue, 3)
			case *CatchupResponse:
				v.Checkpoint, v.Values = &Checkpoint{State: x.Snapshot(), Configurations: make([]Membership, 2)}, make([]Value, 3)
			case *Learned:
				v.Values = make([]Value, 3)
			case *Snapshot:
				v.Checkpoint, v.Accepted = &Checkpoint{State: x.Snapshot()}, make([]Pvalue, 3)
			}
			if got, want := v.(protocols.Sized).Size(), protocols.ReflectedSize(v); got != want {
				t.Errorf("%s: size %d, want %d", k.Name, got, want)
			}
		}
	}
}

func TestDigestsSeeEveryField(t *testing.T) {
	for _, k := range messageKinds() {
		plain := k.New().(protocols.Digested).Digest()
		fields := reflect.TypeOf(k.New()).Elem()
		for i := range fields.NumField() {
			v := k.New()
			switch f := reflect.ValueOf(v).Elem().Field(i); f.Interface().(type) {
			case Ballot, uint64, protocols.Index:
				f.SetUint(5)
			case Value:
				f.Set(reflect.ValueOf(Value{Members: protocols.Nodes(1)}))
			case []Value:
				f.Set(reflect.ValueOf(make([]Value, 1)))
			case []Pvalue:
				f.Set(reflect.ValueOf(make([]Pvalue, 1)))
			case *Checkpoint:
				f.Set(reflect.ValueOf(&Checkpoint{Applied: 1}))
			default:
				t.Fatalf("%s: no value for %s", k.Name, fields.Field(i).Name)
			}
			if v.(protocols.Digested).Digest() == plain {
				t.Errorf("%s: the digest misses %s", k.Name, fields.Field(i).Name)
			}
		}
	}
}

func TestRecoveryFromDamagedDisk(t *testing.T) {
	ok := func(r protocols.Record) protocols.RecoveredRecord { return protocols.RecoveredRecord{Record: r} }
	first, second := ok(&Promised{newBallot(3, 2)}), ok(accepted(1, newBallot(3, 2), 5))
	bad := func(state protocols.RecordState) protocols.RecoveredRecord {
		return protocols.RecoveredRecord{State: state}
	}
	for _, c := range []struct {
		name    string
		records []protocols.RecoveredRecord
		refuse  string // "" boots
		last    protocols.Index
	}{
		{"empty", nil, "", 0},
		{"whole", []protocols.RecoveredRecord{first, second}, "", 1},
		{"torn tail", []protocols.RecoveredRecord{first, bad(protocols.RecordTorn)}, "", 0},
		{"torn in the middle", []protocols.RecoveredRecord{bad(protocols.RecordTorn), second}, "record 1 of 2 is torn", 0},
		{"corrupt", []protocols.RecoveredRecord{first, bad(protocols.RecordCorrupt)}, "record 2 of 2 is corrupt or missing", 0},
		{"missing", []protocols.RecoveredRecord{bad(protocols.RecordMissing), second}, "record 1 of 2 is corrupt or missing", 0},
		{"unknown", []protocols.RecoveredRecord{ok(&Snapshot{})}, "unknown record type", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			machine, _ := protocols.NewMachine("kv")
			node, err := New(protocols.Config{
				ID: 1, Cluster: protocols.Cluster{Replicas: 3}, Members: protocols.NodesUpTo(3),
				Parameters: DefaultParameters(), Machine: machine,
			}, protocols.Recovered{Records: c.records})
			if c.refuse != "" {
				if err == nil || !strings.Contains(err.Error(), c.refuse) {
					t.Errorf("got %v, want a refusal with %q", err, c.refuse)
				}
			} else if err != nil || node.(*Node).slots.last != c.last {
				t.Errorf("got %v, want slots up to %d", err, c.last)
			}
		})
	}
}

// A node whose disk failed says nothing more, and a quorum of such is none; a wiped
// one counts as little.
func TestDiskFailureSilences(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Step(1, &protocols.Event{Kind: protocols.DiskFailed})
	s.Fire(1, timerHeartbeat)
	s.Request(1, put(-1, 1, 5))
	s.Receive(2, 1, &Heartbeat{Ballot: newBallot(9, 2)})
	if len(s.Wire)+len(s.Replies)+len(s.Refused) != 0 || n.promised != newBallot(1, 1) {
		t.Errorf("it sent %v, replied %v, refused %v", s.Wire, s.Replies, s.Refused)
	}
	f := &protocols.Facts{Cluster: protocols.Cluster{Replicas: 3}, Parameters: s.parameters, Live: protocols.NodesUpTo(2), Hears: make([]protocols.NodeSet, 4), Views: make([]protocols.View, 4)}
	look := func() {
		for id := range s.Actors[1:] {
			f.Hears[id+1] = protocols.NodesUpTo(3)
			s.Node(protocols.NodeID(id + 1)).View(&f.Views[id+1])
		}
	}
	look()
	if ok, why := canProgress(f); ok || !strings.Contains(why, "2 of {n1 n2 n3}") {
		t.Errorf("got %v, %q; want no progress with one working node", ok, why)
	}
	f.Live = protocols.NodesUpTo(3)
	if ok, why := canProgress(f); !ok {
		t.Errorf("no progress with two of three: %s", why)
	}
	f.Hears[2] = f.Hears[2].Without(3)
	if ok, _ := canProgress(f); ok {
		t.Error("progress over a link that works one way")
	}
	s.Crash(3)
	s.Wipe(3)
	s.Boot(3)
	look()
	if ok, _ := canProgress(f); ok {
		t.Error("progress with one node failed and one wiped")
	}
	f.Live = protocols.NodeSet{}
	if ok, why := canProgress(f); ok || why != "no member is up" {
		t.Errorf("got %v, %q", ok, why)
	}
}

func TestFollowReadsTheChosenLogAnywhere(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Decide = DecideExplicit })
	s.elect(1, 2, 3)
	for seq := range uint64(5) {
		s.Request(1, put(-1, seq+1, int64(seq)))
		s.Settle(between(1, 2))
	}
	s.Request(1, put(-1, 9, 9)) // not chosen
	ask := func(from, max int64) *protocols.FollowResult {
		s.Replies = nil
		s.Request(2, protocols.Command{Client: -3, Kind: protocols.Follow, Arg: from, Old: max, Seq: 1})
		return s.Replies[0].Result.Follow
	}
	for _, c := range []struct{ from, max, start, entries int64 }{
		{0, 100, 1, 5}, {1, 2, 1, 2}, {4, 100, 4, 2}, {6, 100, 6, 0}, {99, 1, 99, 0}, {2, 0, 2, 0}, {-5, 1, 1, 1},
	} {
		f := ask(c.from, c.max)
		if int64(f.Start) != c.start || int64(len(f.Entries)) != c.entries || f.Snapshot != nil {
			t.Errorf("follow(%d, %d): got %d entries from %d, want %d from %d", c.from, c.max, len(f.Entries), f.Start, c.entries, c.start)
		}
		for i, e := range f.Entries {
			if e.Position != f.Start+protocols.Index(i) {
				t.Errorf("follow(%d, %d): entry %d is at %d", c.from, c.max, i, e.Position)
			}
		}
	}
	n := s.Node(2)
	n.parameters.SnapshotEvery = 5
	out := protocols.NewEffects(protocols.NewMemory(protocols.Keep))
	n.compact(out)
	if f := ask(2, 9); f.Snapshot == nil || f.Start != 6 || len(f.Entries) != 0 {
		t.Errorf("follow below the start of the log: got %+v, want the state", f)
	}
}

func TestLogIsShown(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Window = 2 })
	n := s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.reconfigure(1, 1, 2)
	s.Settle(everything)
	log := n.ReadLog(1, 9, nil)
	if len(log) != 4 || log[0].Command.Arg != 5 || log[1].Text != "configuration" || log[2].Text != "no-op" || log[2].Epoch != uint64(n.promised) {
		t.Errorf("got %+v", log)
	}
	if log := n.ReadLog(2, 1, nil); len(log) != 1 || log[0].Position != 2 {
		t.Errorf("got %+v, want slot 2", log)
	}
	if at, state := n.LogBase(); at != 0 || state != nil {
		t.Errorf("got a base at %d", at)
	}
	n.parameters.SnapshotEvery = 1
	n.compact(protocols.NewEffects(protocols.NewMemory(protocols.Keep)))
	if at, state := n.LogBase(); at != 4 || state == nil || len(n.ReadLog(1, 9, nil)) != 0 {
		t.Errorf("got a base at %d, want 4 with a state", at)
	}
}

func TestReadsThroughTheLog(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Reads = ReadsLog })
	n := s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5))
	s.Request(1, get(-1, 2))
	s.Settle(everything)
	if len(s.Replies) != 2 || s.Replies[1].Result.Value != 5 || n.slots.last != 2 {
		t.Errorf("got %v and slots up to %d, want the read at 2", s.Replies, n.slots.last)
	}
	s.Request(2, get(-1, 3))
	if len(s.Refused) != 1 {
		t.Error("a follower answers reads")
	}
}

// Messages that no correct node sends change nothing that matters.
func TestImpossibleMessagesAreDropped(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	b := n.promised
	for _, m := range []protocols.Message{
		&Prepare{Ballot: newBallot(9, 3)}, // not the sender's
		&Heartbeat{Ballot: newBallot(maxRound+1, 2)},
		&Promise{Ballot: b, Compacted: 2, Executed: 1},
		&Promise{Ballot: b, Accepted: []Pvalue{{Slot: 2, Ballot: b}, {Slot: 1, Ballot: b}}},
		&Promise{Ballot: b, Accepted: []Pvalue{{Slot: 1, Ballot: b + 1}}},
		&Accepted{Ballot: b, Slot: 7},
		&HeartbeatResponse{Ballot: b, Round: 99},
		&Nack{Ballot: b, Promised: newBallot(maxRound+1, 2)},
		&CatchupResponse{First: 0},
		&CatchupResponse{First: 1, Values: []Value{{Members: protocols.Nodes(99)}}},
		&CatchupResponse{First: 1, Checkpoint: &Checkpoint{Applied: 5, Configurations: []Membership{{1, protocols.Nodes(1)}}}},
		&CatchupResponse{First: 1, Checkpoint: &Checkpoint{Applied: 5, State: n.execute.Snapshot(), Configurations: []Membership{{1, protocols.Nodes(99)}}}},
	} {
		before, hash := s.Noted(1, protocols.NoteDropped), n.promised
		s.Receive(2, 1, m)
		if s.Noted(1, protocols.NoteDropped) != before+1 || n.promised != hash || n.role != leader || n.slots.last != 0 {
			t.Errorf("%T was not dropped: %+v", m, m)
		}
	}
	s.Receive(9, 1, &Heartbeat{Ballot: newBallot(9, 9)})
	s.Request(1, protocols.Command{Kind: protocols.Write})
	if n.role != leader || n.slots.last != 0 {
		t.Error("a message of no replica, or a request of no client, was taken")
	}
	follower := s.Node(2)
	s.Receive(1, 2, &Accept{Ballot: b, Slot: 1, Value: command(put(-1, 1, 5))})
	s.Receive(1, 2, &Accept{Ballot: b, Slot: 1, Value: command(put(-1, 1, 6))})
	s.Receive(1, 2, &Accept{Ballot: b, Slot: 2, Value: Value{Members: protocols.Nodes(99)}})
	s.Receive(1, 2, &Accept{Ballot: b, Slot: maxAhead + 1})
	if follower.slots.last != 1 || follower.slots.at(1).value.Command.Arg != 5 {
		t.Error("an impossible Accept was taken")
	}
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		want   string
		n      int
		change func(*Parameters)
	}{
		{"", 1, asIs}, {"", 101, asIs}, {"", 3, withLease},
		{"", 5, func(p *Parameters) { p.Q1, p.Q2 = 4, 2 }},
		{"", 4, func(p *Parameters) { p.Q2 = 2 }},
		{"replicas: got 0", 0, asIs},
		{"replicas: got 102", 102, asIs},
		{"election_timeout: got 0s", 3, func(p *Parameters) { p.ElectionTimeout = protocols.Range{} }},
		{"election_timeout: got 150ms", 3, func(p *Parameters) { p.ElectionTimeout.Max = 150e6 }},
		{"heartbeat: got 150ms", 3, func(p *Parameters) { p.Heartbeat = 150e6 }},
		{"heartbeat: got 0s", 3, func(p *Parameters) { p.Heartbeat = 0 }},
		{"window: got 0", 3, func(p *Parameters) { p.Window = 0 }},
		{"window: got 1025", 3, func(p *Parameters) { p.Window = 1025 }},
		{"max_drift: got -1", 3, func(p *Parameters) { p.MaxDrift = -1 }},
		{"max_drift: got 1000000000", 3, func(p *Parameters) { p.MaxDrift = billion }},
		{"snapshot_every: got -1", 3, func(p *Parameters) { p.SnapshotEvery = -1 }},
		{`decide: got "later"`, 3, func(p *Parameters) { p.Decide = "later" }},
		{`reads: got "local"`, 3, func(p *Parameters) { p.Reads = "local" }},
		{`leader_write: got "later"`, 3, func(p *Parameters) { p.LeaderWrite = "later" }},
		{"", 3, func(p *Parameters) { p.LeaderWrite = LeaderWriteSerial }},
		{"q1: got 4", 3, func(p *Parameters) { p.Q1 = 4 }},
		{"q2: got -1", 3, func(p *Parameters) { p.Q2 = -1 }},
		{"q1, q2: got 2 and 2 of 4 replicas, want q1+q2 of 5", 4, func(p *Parameters) { p.Q1, p.Q2 = 2, 2 }},
		{"q1, q2: got 3 and 2", 5, func(p *Parameters) { p.Q2 = 2 }},
		{`bugs: got "P-99"`, 3, func(p *Parameters) { p.Bugs = []string{"P-01", "P-99"} }},
	} {
		p := DefaultParameters()
		c.change(p)
		err := Protocol().Validate(p, c.n)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	if Protocol().Validate(3, 3) == nil {
		t.Error("parameters of another type pass")
	}
}

func TestSurvives(t *testing.T) {
	p := Protocol()
	lease := DefaultParameters()
	lease.Reads = ReadsLease
	if p.Survives(protocols.FaultSkew, lease, 3) != 0 || p.Survives(protocols.FaultSkew, DefaultParameters(), 3) == 0 {
		t.Error("only leases rest on the clock bound")
	}
	if p.Survives(protocols.FaultWipe, DefaultParameters(), 3) != -1 {
		t.Error("a wiped node is safe: it does not vote")
	}
}

func TestLeaseLengthDoesNotOverflow(t *testing.T) {
	p := DefaultParameters()
	p.ElectionTimeout.Min = 1<<63 - 1
	for drift, want := range map[int64]protocols.Duration{0: 1<<63 - 1, billion - 1: 4611686020} {
		p.MaxDrift = drift
		if got := p.lease(); got != want {
			t.Errorf("drift %d: got %d, want %d", drift, got, want)
		}
	}
}

// In a steady state a step allocates nothing but now and then a block of slots.
func TestStepsDoNotAllocate(t *testing.T) {
	mem := protocols.NewMemory(protocols.Recycle)
	out := protocols.NewEffects(mem)
	p := DefaultParameters()
	p.SnapshotEvery = 0
	n := newNode(t, p, 1, 3, protocols.Recovered{First: true})
	step := func(ev *protocols.Event) {
		ev.Now = n.now + 1
		n.Step(ev, out)
		for i := range out.List {
			if m := out.List[i].Message; m != nil {
				mem.ReleaseMessage(m)
			}
			if r := out.List[i].Record; r != nil {
				mem.ReleaseRecord(r)
			}
		}
		out.Reset()
	}
	receive := func(from protocols.NodeID, m protocols.Message) {
		step(&protocols.Event{Kind: protocols.Receive, From: from, Message: m})
	}
	step(&protocols.Event{Kind: protocols.Start})
	n.becomeCandidate(out)
	b := n.promised
	receive(2, &Promise{Ballot: b})
	receive(1, &Promise{Ballot: b})
	if n.role != leader {
		t.Fatal("no leader")
	}
	seq := uint64(0)
	request := &protocols.Event{Kind: protocols.Request, From: -1}
	ack, beat := &Accepted{Ballot: b}, &HeartbeatResponse{Ballot: b}
	events := 0
	got := testing.AllocsPerRun(2000, func() {
		seq++
		request.Command = put(-1, seq, int64(seq%100))
		step(request)
		ack.Slot = n.slots.last
		receive(1, ack)
		receive(2, ack)
		receive(3, ack)
		request.Command = get(-2, seq)
		step(request)
		beat.Round = n.round
		receive(2, beat)
		events += 7
	})
	if n.execute.Applied != n.slots.last || events == 0 {
		t.Fatalf("executed %d of %d", n.execute.Applied, n.slots.last)
	}
	if got > 0 { // AllocsPerRun rounds down: fewer than one per 7 events
		t.Errorf("got %v allocations per 7 steps, want 0", got)
	}
}
