package vr

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func TestSizesAgreeWithTheEncoding(t *testing.T) {
	b := &base{op: 3, state: "x"}
	for _, k := range append(messageKinds(), recordKinds()...) {
		v := k.New()
		e := reflect.ValueOf(v).Elem()
		if r := e.FieldByName("Entries"); r.IsValid() {
			r.Set(reflect.ValueOf(make([]Entry, 3)))
		}
		if r := e.FieldByName("Log"); r.IsValid() {
			r.Set(reflect.ValueOf(Tail{Entries: make([]Entry, 2), Base: b}))
		}
		if r := e.FieldByName("Base"); r.IsValid() {
			r.Set(reflect.ValueOf(b))
		}
		if r := e.FieldByName("Vector"); r.IsValid() {
			r.Set(reflect.ValueOf(make([]uint64, 4)))
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
			switch f := reflect.ValueOf(v).Elem().Field(i); f.Interface().(type) {
			case bool:
				f.SetBool(true)
			case uint64, View, protocols.Index:
				f.SetUint(5)
			case protocols.NodeSet:
				f.Set(reflect.ValueOf(protocols.Nodes(3)))
			case []Entry:
				f.Set(reflect.ValueOf([]Entry{{View: 1}}))
			case []uint64:
				f.Set(reflect.ValueOf([]uint64{0}))
			case Tail:
				f.Set(reflect.ValueOf(Tail{Base: &base{op: 1}}))
			}
			if v.(protocols.Digested).Digest() == plain {
				t.Errorf("%s: the digest misses %s", k.Name, fields.Field(i).Name)
			}
		}
	}
	plain := (&StartView{}).Digest()
	for _, log := range []Tail{{After: 1}, {Entries: []Entry{{}}}, {Base: &base{op: 2}}} {
		if (&StartView{Log: log}).Digest() == plain {
			t.Errorf("the digest misses a part of %+v", log)
		}
	}
}

func TestRecoveryFromDamagedDisk(t *testing.T) {
	ok := func(r protocols.Record) protocols.RecoveredRecord { return protocols.RecoveredRecord{Record: r} }
	first, second := ok(&ViewState{View: 3}), ok(&Append{Entries: []Entry{{View: 0}}})
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
		{"hole", []protocols.RecoveredRecord{ok(&Append{After: 4})}, "append after operation 4", 0},
		{"hole in a view's log", []protocols.RecoveredRecord{ok(&Install{After: 4})}, "a log from operation 5 on", 0},
		{"unknown", []protocols.RecoveredRecord{{}}, "unknown record type", 0},
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

func TestNewRefusesWhatItCannotRun(t *testing.T) {
	machine, _ := protocols.NewMachine("kv")
	cfg := protocols.Config{ID: 1, Cluster: protocols.Cluster{Replicas: 3}, Members: protocols.NodesUpTo(3), Parameters: DefaultParameters(), Machine: machine}
	for want, change := range map[string]func(*protocols.Config){
		"parameters of type int": func(c *protocols.Config) { c.Parameters = 3 },
		`bugs: got "V-99"`:       func(c *protocols.Config) { c.Parameters = &Parameters{Bugs: []string{"V-99"}} },
	} {
		bad := cfg
		change(&bad)
		if _, err := New(bad, protocols.Recovered{First: true}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// facts is the true state of the stage, everybody connected.
func (s *stage) facts() *protocols.Facts {
	n := len(s.Actors) - 1
	f := &protocols.Facts{Cluster: s.Cluster, Parameters: s.parameters, Hears: make([]protocols.NodeSet, n+1), Views: make([]protocols.View, n+1)}
	for id := protocols.NodeID(1); int(id) <= n; id++ {
		f.Hears[id] = protocols.NodesUpTo(n)
		if node := s.Node(id); node != nil {
			f.Live = f.Live.With(id)
			node.View(&f.Views[id])
		}
	}
	return f
}

// A node whose disk failed says nothing more, and a quorum of such is none.
func TestDiskFailureSilences(t *testing.T) {
	s := newStage(t, 3, nil)
	s.Settle(everything)
	s.Step(1, &protocols.Event{Kind: protocols.DiskFailed})
	s.Fire(1, timerCommit)
	s.Request(1, put(-1, 1, 5))
	s.Receive(2, 1, &StartViewChange{View: 9})
	if n := s.Node(1); len(s.Wire)+len(s.Replies)+len(s.Refused) != 0 || n.view != 0 {
		t.Errorf("it sent %v, replied %v, refused %v", s.Wire, s.Replies, s.Refused)
	}
	if ok, why := canProgress(s.facts()); !ok {
		t.Errorf("no progress with two of three: %s", why)
	}
	s.Step(2, &protocols.Event{Kind: protocols.DiskFailed})
	if ok, why := canProgress(s.facts()); ok || !strings.Contains(why, "majority") {
		t.Errorf("got %v, %q; want no progress with one working node", ok, why)
	}
	s = newStage(t, 3, nil)
	f := s.facts()
	f.Live = f.Live.Without(1)
	f.Hears[2] = f.Hears[2].Without(3)
	if ok, _ := canProgress(f); ok {
		t.Error("progress over a link that works one way")
	}
}

// Without disks, who recovers does not count, nor who would have to. With disks, who
// is down comes back with its state.
func TestRecoveringReplicasDoNotCount(t *testing.T) {
	for variant, want := range map[string]bool{Durable: true, Diskless: false, CrashVectors: false} {
		s := newStage(t, 3, func(p *Parameters) { p.Variant = variant })
		if ok, why := canProgress(s.facts()); !ok {
			t.Errorf("%s: no progress: %s", variant, why)
		}
		s.Restart(3)
		s.Restart(2)
		if ok, why := canProgress(s.facts()); ok != want || !ok && !strings.Contains(why, "{n2 n3} have lost their state") {
			t.Errorf("%s: got %v, %q; want %v", variant, ok, why, want)
		}
		s.Crash(2)
		f := s.facts()
		f.Live = protocols.NodesUpTo(3) // as if healed
		if ok, _ := canProgress(f); ok != want {
			t.Errorf("%s: got %v with a node that would boot, want %v", variant, ok, want)
		}
	}
}

func TestSurvivesByVariant(t *testing.T) {
	p := Protocol()
	for _, c := range []struct {
		change func(*Parameters)
		fault  protocols.FaultKind
		want   int
	}{
		{asIs, protocols.FaultCrash, -1}, {asIs, protocols.FaultWipe, 0}, {asIs, protocols.FaultPartition, -1},
		{asIs, protocols.FaultSkew, -1}, {withLease, protocols.FaultSkew, 0},
		{withCrashVectors, protocols.FaultCrash, 2}, {withCrashVectors, protocols.FaultWipe, 2}, {withCrashVectors, protocols.FaultLoss, -1},
		{withoutDisk, protocols.FaultCrash, 0}, {withoutDisk, protocols.FaultPause, -1},
		{func(p *Parameters) { p.Bugs = []string{"V-04"} }, protocols.FaultCrash, 2},
	} {
		parameters := DefaultParameters()
		c.change(parameters)
		if got := p.Survives(c.fault, parameters, 5); got != c.want {
			t.Errorf("%s of %s %v: got %d, want %d", c.fault, parameters.Variant, parameters.Bugs, got, c.want)
		}
		if durable := p.Durability(parameters) != nil; durable != (parameters.variant() == 0) {
			t.Errorf("%s %v: claims: %v", parameters.Variant, parameters.Bugs, durable)
		}
	}
}

func TestFollowReadsTheCommittedLogAnywhere(t *testing.T) {
	s := newStage(t, 3, func(p *Parameters) { p.CheckpointInterval = 4 })
	for seq := range uint64(9) {
		s.Request(1, put(-1, seq+1, int64(seq)))
	}
	s.Settle(between(1, 2))
	s.Fire(1, timerCommit)
	s.Deliver(ofKind(KindCommit, 1, 2))
	s.Request(1, put(-1, 10, 9)) // not committed
	for _, c := range []struct {
		from, max, start, entries int64
		snapshot                  bool
	}{
		{0, 100, 10, 0, true}, {4, 100, 10, 0, true}, {5, 100, 5, 5, false}, {8, 1, 8, 1, false}, {10, 100, 10, 0, false}, {99, 1, 99, 0, false}, {6, 0, 6, 0, false}, {-5, 1, 10, 0, true},
	} {
		s.Replies = nil
		s.Request(2, protocols.Command{Client: -3, Kind: protocols.Follow, Arg: c.from, Old: c.max, Seq: 1})
		f := s.Replies[0].Result.Follow
		if int64(f.Start) != c.start || int64(len(f.Entries)) != c.entries || (f.Snapshot != nil) != c.snapshot {
			t.Errorf("follow(%d, %d): got %d entries from %d, want %d from %d", c.from, c.max, len(f.Entries), f.Start, c.entries, c.start)
		}
		for i, e := range f.Entries {
			if e.Position != f.Start+protocols.Index(i) {
				t.Errorf("follow(%d, %d): entry %d is at %d", c.from, c.max, i, e.Position)
			}
		}
	}
}

// What no correct node says is dropped with a note, and changes nothing.
func TestImpossibleMessagesAreDropped(t *testing.T) {
	s := newStage(t, 3, withCrashVectors)
	s.Request(1, put(-1, 1, 5))
	s.Settle(everything)
	s.Fire(1, timerCommit)
	s.Settle(everything)
	later := []Entry{{View: 9}}
	for _, c := range []struct {
		to, from protocols.NodeID
		m        protocols.Message
	}{
		{1, 7, &PrepareOK{}},
		{1, 7, &CommitOK{}},
		{2, 3, &Prepare{}},
		{2, 1, &Prepare{View: 1<<62 + 1}},
		{2, 1, &Prepare{Op: 1, Entries: make([]Entry, 2)}},
		{2, 1, &Prepare{Op: 2, Entries: later}},
		{2, 1, &Commit{Commit: 1<<62 + 1}},
		{1, 2, &PrepareOK{Op: 9}},
		{1, 2, &CommitOK{Round: 99}},
		{2, 3, &StartViewChange{View: 1<<62 + 1}},
		{2, 3, &StartViewChange{View: 1}}, // without a crash vector
		{2, 3, &DoViewChange{View: 1, LastNormal: 2}},
		{2, 3, &DoViewChange{View: 2}},
		{2, 3, &StartView{View: 1}},
		{2, 3, &StartView{View: 2, Op: 5}},
		{2, 1, &NewState{Op: 2, Commit: 1, Log: Tail{After: 1, Entries: later}}},
		{2, 1, &NewState{Op: 3, Commit: 2, Log: Tail{After: 3, Base: &base{op: 2}}}},
	} {
		notes := len(s.Actors[c.to].Notes)
		before := s.Node(c.to).Hash()
		s.Receive(c.from, c.to, c.m)
		after := s.Actors[c.to].Notes
		if len(after) != notes+1 || after[notes].Kind != protocols.NoteDropped || len(s.Wire) != 0 {
			t.Errorf("%T %+v: got notes %v and messages %v, want it dropped", c.m, c.m, after[notes:], s.Wire)
		}
		s.Wire = nil
		if _, heard := c.m.(*CommitOK); !heard && s.Node(c.to).Hash() != before {
			t.Errorf("%T %+v: the node has changed", c.m, c.m)
		}
	}
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		want   string
		n      int
		change func(*Parameters)
	}{
		{"", 1, asIs}, {"", 101, asIs}, {"", 3, withLease}, {"", 3, withCrashVectors},
		{"replicas: got 0", 0, asIs},
		{"replicas: got 102", 102, asIs},
		{`variant: got "disk"`, 3, func(p *Parameters) { p.Variant = "disk" }},
		{"view_timeout: got 0s", 3, func(p *Parameters) { p.ViewTimeout = protocols.Range{} }},
		{"view_timeout: got 200ms..100ms", 3, func(p *Parameters) { p.ViewTimeout.Max = 100e6 }},
		{"commit_interval: got 200ms", 3, func(p *Parameters) { p.CommitInterval = 200e6 }},
		{"commit_interval: got 0s", 3, func(p *Parameters) { p.CommitInterval = 0 }},
		{"resend: got 0s", 3, func(p *Parameters) { p.Resend = 0 }},
		{"max_batch: got 0", 3, func(p *Parameters) { p.MaxBatch = 0 }},
		{"checkpoint_interval: got -1", 3, func(p *Parameters) { p.CheckpointInterval = -1 }},
		{"max_drift: got -1", 3, func(p *Parameters) { p.MaxDrift = -1 }},
		{"max_drift: got 1000000000", 3, func(p *Parameters) { p.MaxDrift = billion }},
		{`reads: got "local"`, 3, func(p *Parameters) { p.Reads = "local" }},
		{`bugs: got "V-99"`, 3, func(p *Parameters) { p.Bugs = []string{"V-01", "V-99"} }},
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
	p.ViewTimeout.Min = 1<<63 - 1
	for drift, want := range map[int64]protocols.Duration{0: 1<<63 - 1, billion - 1: 4611686020} {
		p.MaxDrift = drift
		if got := p.lease(); got != want {
			t.Errorf("drift %d: got %d, want %d", drift, got, want)
		}
	}
}

// In a steady state a step allocates nothing but now and then a block of slots, a
// chunk of log or a checkpoint: here none falls due.
func TestStepsDoNotAllocate(t *testing.T) {
	mem := protocols.NewMemory(protocols.Recycle)
	out := protocols.NewEffects(mem)
	p := DefaultParameters()
	p.CheckpointInterval = 0
	n, backup := newNode(t, p, 1, 3, protocols.Recovered{First: true}), newNode(t, p, 2, 3, protocols.Recovered{First: true})
	step := func(n *Node, ev *protocols.Event) {
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
	step(n, &protocols.Event{Kind: protocols.Start})
	step(backup, &protocols.Event{Kind: protocols.Start})
	seq := uint64(0)
	request := &protocols.Event{Kind: protocols.Request, From: -1}
	receive := &protocols.Event{Kind: protocols.Receive}
	prepare, ack, beat := &Prepare{}, &PrepareOK{}, &CommitOK{}
	got := testing.AllocsPerRun(2000, func() {
		seq++
		request.Command = put(-1, seq, int64(seq%100))
		step(n, request)
		prepare.Op, prepare.Commit, prepare.Entries = n.log.Last(), n.commit, n.log.View(n.log.Last(), 1)
		receive.From, receive.Message = 1, prepare
		step(backup, receive)
		ack.Op = n.log.Last()
		receive.Message = ack
		for receive.From = 1; receive.From <= 3; receive.From++ {
			step(n, receive)
		}
		request.Command = get(-2, seq)
		step(n, request)
		beat.Round, beat.Op = n.round, n.log.Last()
		receive.From, receive.Message = 2, beat
		step(n, receive)
	})
	if n.commit != n.log.Last() || backup.log.Last() != n.log.Last() || n.log.Last() == 0 {
		t.Fatalf("commit-number %d of %d, the backup has %d", n.commit, n.log.Last(), backup.log.Last())
	}
	if got > 0 { // AllocsPerRun rounds down: fewer than one per 7 steps
		t.Errorf("got %v allocations per 7 steps, want 0", got)
	}
}
