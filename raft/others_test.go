package raft

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func TestSizesAgreeWithTheEncoding(t *testing.T) {
	for _, k := range append(messageKinds(), recordKinds()...) {
		v := k.New()
		if r := reflect.ValueOf(v).Elem().FieldByName("Entries"); r.IsValid() {
			r.Set(reflect.ValueOf([]Entry{{}, {Configuration: &Configuration{Disks: make([]Disk, 2)}}, {}}))
		}
		x := protocols.Executor{Machine: machineOf(t, "register"), Applied: 1}
		switch v := v.(type) {
		case *Snapshot:
			v.Checkpoint = &Checkpoint{Configuration: &Configuration{}, State: x.Snapshot()}
		case *InstallSnapshot:
			v.LastConfig, v.Data = &Configuration{}, protocols.Cut(x.Snapshot(), 0, 1)
		}
		if got, want := v.(protocols.Sized).Size(), protocols.ReflectedSize(v); got != want {
			t.Errorf("%s: size %d, want %d", k.Name, got, want)
		}
	}
}

func TestDigestsSeeEveryField(t *testing.T) {
	for _, k := range messageKinds() {
		plain := k.New().(protocols.Digested).Digest()
		fields := reflect.TypeOf(k.New()).Elem()
		for i := range fields.NumField() {
			v := k.New()
			switch f := reflect.ValueOf(v).Elem().Field(i); f.Kind() {
			case reflect.Pointer:
				f.Set(reflect.ValueOf(&Configuration{Voters: protocols.Nodes(1)}))
			case reflect.Struct:
				x := protocols.Executor{Machine: machineOf(t, "register"), Applied: 1}
				f.Set(reflect.ValueOf(protocols.Cut(x.Snapshot(), 0, 1)))
			case reflect.Bool:
				f.SetBool(true)
			case reflect.Int16:
				f.SetInt(5)
			case reflect.Uint64:
				f.SetUint(5)
			case reflect.Slice:
				f.Set(reflect.ValueOf([]Entry{{Term: 1}}))
			}
			if v.(protocols.Digested).Digest() == plain {
				t.Errorf("%s: the digest misses %s", k.Name, fields.Field(i).Name)
			}
		}
	}
}

func machineOf(t testing.TB, name string) protocols.StateMachine {
	t.Helper()
	m, err := protocols.NewMachine(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRecoveryFromDamagedDisk(t *testing.T) {
	ok := func(r protocols.Record) protocols.RecoveredRecord { return protocols.RecoveredRecord{Record: r} }
	first, second := ok(&HardState{Term: 3, Vote: 2}), ok(&Append{Entries: []Entry{{Term: 3}}})
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
		{"hole", []protocols.RecoveredRecord{ok(&Append{PrevLogIndex: 4})}, "append after index 4", 0},
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
			} else if err != nil || node.(*Node).log.Last() != c.last {
				t.Errorf("got %v, want a log up to %d", err, c.last)
			}
		})
	}
}

// A node whose disk failed says nothing more, and a quorum of such is none.
func TestDiskFailureSilences(t *testing.T) {
	s := newStage(t, 3, nil)
	n := s.elect(1, 2, 3)
	s.Step(1, &protocols.Event{Kind: protocols.DiskFailed})
	s.Fire(1, timerHeartbeat)
	s.Request(1, put(-1, 1, 5))
	s.Receive(2, 1, &Heartbeat{Term: 9})
	if len(s.Wire)+len(s.Replies)+len(s.Refused) != 0 || n.term != 1 {
		t.Errorf("it sent %v, replied %v, refused %v", s.Wire, s.Replies, s.Refused)
	}
	f := &protocols.Facts{Cluster: protocols.Cluster{Replicas: 3}, Live: protocols.NodesUpTo(2), Hears: make([]protocols.NodeSet, 4), Views: make([]protocols.View, 4)}
	for id := range s.Actors[1:] {
		f.Hears[id+1] = protocols.NodesUpTo(3)
		s.Node(protocols.NodeID(id + 1)).View(&f.Views[id+1])
	}
	if ok, why := canProgress(f); ok || !strings.Contains(why, "majority") {
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
}

func TestFollowReadsTheCommittedLogAnywhere(t *testing.T) {
	s := newStage(t, 3, nil)
	s.elect(1, 2, 3)
	for seq := range uint64(4) {
		s.Request(1, put(-1, seq+1, int64(seq)))
	}
	s.Settle(between(1, 2))
	s.Fire(1, timerHeartbeat)
	s.Deliver(ofKind(KindHeartbeat, 1, 2))
	s.Request(1, put(-1, 9, 9)) // not committed
	for _, c := range []struct{ from, max, start, entries int64 }{
		{0, 100, 1, 5}, {1, 2, 1, 2}, {4, 100, 4, 2}, {6, 100, 6, 0}, {99, 1, 99, 0}, {2, 0, 2, 0}, {-5, 1, 1, 1},
	} {
		s.Replies = nil
		s.Request(2, protocols.Command{Client: -3, Kind: protocols.Follow, Arg: c.from, Old: c.max, Seq: 1})
		f := s.Replies[0].Result.Follow
		if int64(f.Start) != c.start || int64(len(f.Entries)) != c.entries {
			t.Errorf("follow(%d, %d): got %d entries from %d, want %d from %d", c.from, c.max, len(f.Entries), f.Start, c.entries, c.start)
		}
		for i, e := range f.Entries {
			if e.Position != f.Start+protocols.Index(i) {
				t.Errorf("follow(%d, %d): entry %d is at %d", c.from, c.max, i, e.Position)
			}
		}
	}
}

func TestReadsByParameter(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.Reads = ReadsLog })
	n := s.elect(1, 2, 3)
	s.Request(1, put(-1, 1, 5))
	s.Request(1, get(-1, 2))
	s.Settle(everything)
	if len(s.Replies) != 2 || s.Replies[1].Result.Value != 5 || n.log.Last() != 3 {
		t.Errorf("log: got %v and a log up to %d, want the read at 3", s.Replies, n.log.Last())
	}
	s = newStage(t, 3, func(p *Parameters) { p.Reads = ReadsLocal })
	s.Request(3, get(-1, 1))
	if len(s.Replies) != 1 || s.Replies[0].Result.Value != 0 {
		t.Errorf("local: got %v, want an answer from any replica", s.Replies)
	}
	local := *s.parameters
	if Protocol().LinearizableReads(&local) || !Protocol().LinearizableReads(DefaultParameters()) {
		t.Error("local reads are promised to be linearizable, or ReadIndex reads are not")
	}
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		want   string
		n      int
		change func(*Parameters)
	}{
		{"", 1, asIs}, {"", 101, asIs}, {"", 3, withLease},
		{"replicas: got 0", 0, asIs},
		{"replicas: got 102", 102, asIs},
		{"election_timeout: got 0s", 3, func(p *Parameters) { p.ElectionTimeout = protocols.Range{} }},
		{"election_timeout: got 150ms", 3, func(p *Parameters) { p.ElectionTimeout.Max = 150e6 }},
		{"heartbeat: got 150ms", 3, func(p *Parameters) { p.Heartbeat = 150e6 }},
		{"heartbeat: got 0s", 3, func(p *Parameters) { p.Heartbeat = 0 }},
		{"max_batch: got 0", 3, func(p *Parameters) { p.MaxBatch = 0 }},
		{"window: got 0", 3, func(p *Parameters) { p.Window = 0 }},
		{"window: got 1025", 3, func(p *Parameters) { p.Window = 1025 }},
		{"max_drift: got -1", 3, func(p *Parameters) { p.MaxDrift = -1 }},
		{"max_drift: got 1000000000", 3, func(p *Parameters) { p.MaxDrift = billion }},
		{`reads: got "quorum"`, 3, func(p *Parameters) { p.Reads = "quorum" }},
		{"reads: got lease without check_quorum", 3, func(p *Parameters) { p.Reads, p.CheckQuorum = ReadsLease, false }},
		{`bugs: got "R-99"`, 3, func(p *Parameters) { p.Bugs = []string{"R-01", "R-99"} }},
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

// In a steady state a step allocates nothing but now and then a block of slots or
// a chunk of log.
func TestStepsDoNotAllocate(t *testing.T) {
	mem := protocols.NewMemory(protocols.Recycle)
	out := protocols.NewEffects(mem)
	n := newNode(t, DefaultParameters(), 1, 3, protocols.Recovered{})
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
	n.becomeCandidate(false, out)
	receive(2, &RequestVoteResponse{Term: 1, VoteGranted: true, CandidateID: 1})
	receive(1, &RequestVoteResponse{Term: 1, VoteGranted: true, CandidateID: 1})
	if n.role != leader {
		t.Fatal("no leader")
	}
	seq := uint64(0)
	request := &protocols.Event{Kind: protocols.Request, From: -1}
	ack := &AppendEntriesResponse{Term: 1, Success: true, MatchTerm: 1}
	beat := &HeartbeatResponse{Term: 1}
	events := 0
	got := testing.AllocsPerRun(2000, func() {
		seq++
		request.Command = put(-1, seq, int64(seq%100))
		step(request)
		ack.MatchIndex = n.log.Last()
		receive(1, ack)
		receive(2, ack)
		receive(3, ack)
		request.Command = get(-2, seq)
		step(request)
		beat.Round = n.round
		receive(2, beat)
		events += 7
	})
	if n.commit != n.log.Last() || events == 0 {
		t.Fatalf("commit index %d of %d", n.commit, n.log.Last())
	}
	if got > 0 { // AllocsPerRun rounds down: fewer than one per 7 events
		t.Errorf("got %v allocations per 7 steps, want 0", got)
	}
}
