package primarybackup

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
			r.Set(reflect.ValueOf([]Entry{{}, {Effect: &protocols.LogEffect{Result: protocols.Result{List: make([]protocols.Value, 3)}, Changes: make([]protocols.Change, 2)}}}))
		}
		s, ok := v.(protocols.Sized)
		if !ok {
			if k.Name != "State" && k.Name != "Checkpoint" {
				t.Errorf("%s has no size", k.Name)
			}
			continue
		}
		if got, want := s.Size(), protocols.ReflectedSize(v); got != want {
			t.Errorf("%s: size %d, want %d", k.Name, got, want)
		}
	}
}

func TestDigestsSeeEveryField(t *testing.T) {
	for _, k := range messageKinds() {
		plain := k.New().(protocols.Digested).Digest()
		fields := reflect.TypeOf(k.New()).Elem()
		for i := range fields.NumField() {
			if fields.Field(i).Name == "Content" {
				continue // follows from the position
			}
			v := k.New()
			change(reflect.ValueOf(v).Elem().Field(i))
			if v.(protocols.Digested).Digest() == plain {
				t.Errorf("%s: the digest misses %s", k.Name, fields.Field(i).Name)
			}
		}
	}
}

// change sets a field, or the last one in it, to something else.
func change(f reflect.Value) {
	switch f.Kind() {
	case reflect.Bool:
		f.SetBool(true)
	case reflect.Int16, reflect.Int64:
		f.SetInt(5)
	case reflect.Uint64:
		f.SetUint(5)
	case reflect.Slice:
		f.Set(reflect.ValueOf([]Entry{{Epoch: 1}}))
	case reflect.Struct:
		if f.Type() == reflect.TypeFor[protocols.NodeSet]() {
			f.Set(reflect.ValueOf(protocols.Nodes(3)))
		} else {
			change(f.Field(f.NumField() - 1))
		}
	}
}

func TestEntryHashSeesEffect(t *testing.T) {
	hashes := map[uint64]int{}
	for i, f := range []*protocols.LogEffect{nil, {}, {Result: protocols.Result{Status: 1}}, {Result: protocols.Result{Swapped: true}}, {Result: protocols.Result{Value: 1}},
		{Result: protocols.Result{List: []protocols.Value{1, 2}}}, {Changes: []protocols.Change{{Kind: 1}}}, {Changes: []protocols.Change{{Key: 1}}}, {Changes: []protocols.Change{{Value: 1}}}} {
		e := Entry{Epoch: 1, Effect: f}
		if j, ok := hashes[e.hash()]; ok {
			t.Errorf("effects %d and %d have one hash", i, j)
		}
		hashes[e.hash()] = i
	}
}

func TestRecoveryFromDamagedDisk(t *testing.T) {
	ok := func(r protocols.Record) protocols.RecoveredRecord { return protocols.RecoveredRecord{Record: r} }
	bad := func(state protocols.RecordState) protocols.RecoveredRecord {
		return protocols.RecoveredRecord{State: state}
	}
	first, second := ok(&Promise{Epoch: 3, Holds: 3}), ok(&Append{Entries: []Entry{{Epoch: 3}}})
	type records = []protocols.RecoveredRecord
	for _, c := range []struct {
		name     string
		id       protocols.NodeID
		snapshot protocols.Record
		records  records
		refuse   string // "" boots
		last     protocols.Index
	}{
		{"empty", 1, nil, nil, "", 0},
		{"whole", 1, nil, records{first, second}, "", 1},
		{"torn tail", 1, nil, records{first, bad(protocols.RecordTorn)}, "", 0},
		{"torn in the middle", 1, nil, records{bad(protocols.RecordTorn), second}, "record 1 of 2 is torn", 0},
		{"corrupt", 1, nil, records{first, bad(protocols.RecordCorrupt)}, "record 2 of 2 is corrupt or missing", 0},
		{"missing", 1, nil, records{bad(protocols.RecordMissing), second}, "record 1 of 2 is corrupt or missing", 0},
		{"hole", 1, nil, records{ok(&Append{PrevIndex: 4})}, "append after index 4", 0},
		{"rewind", 1, nil, records{second, ok(&Rewind{})}, "", 0},
		{"rewind too far", 1, nil, records{ok(&Rewind{Last: 2})}, "rewind to index 2", 0},
		{"checkpoint", 1, &Checkpoint{Position: 7, Content: emptyState(t)}, records{ok(&Append{PrevIndex: 7, Entries: []Entry{{Epoch: 1}}})}, "", 8},
		{"damaged checkpoint", 1, &Checkpoint{Position: 7}, nil, "checkpoint: it has no content", 0},
		{"another's", 1, nil, records{ok(&ViewState{})}, "unknown record type", 0},
		{"service", 4, nil, records{ok(&ViewState{View: View{Number: 3}}), bad(protocols.RecordTorn)}, "", 3},
		{"service, corrupt", 4, nil, records{bad(protocols.RecordCorrupt)}, "corrupt or missing", 0},
		{"service, another's", 4, nil, records{first}, "unknown record type", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			machine, _ := protocols.NewMachine("kv")
			node, err := New(protocols.Config{
				ID: c.id, Cluster: protocols.Cluster{Replicas: 3, Services: 1}, Members: protocols.NodesUpTo(3), Parameters: DefaultParameters(), Machine: machine,
			}, protocols.Recovered{Snapshot: c.snapshot, Records: c.records})
			if c.refuse != "" {
				if err == nil || !strings.Contains(err.Error(), c.refuse) {
					t.Errorf("got %v, want a refusal with %q", err, c.refuse)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var v protocols.View
			node.View(&v)
			if got := v.Last + protocols.Index(v.Epoch); c.id == 4 && got != c.last || c.id != 4 && v.Last != c.last {
				t.Errorf("got %+v, want %d", v, c.last)
			}
		})
	}
	if _, err := New(protocols.Config{ID: 1, Parameters: 3}, protocols.Recovered{}); err == nil {
		t.Error("parameters of another type boot")
	}
	p := DefaultParameters()
	p.Bugs = []string{"B-99"}
	if _, err := New(protocols.Config{ID: 1, Parameters: p}, protocols.Recovered{}); err == nil {
		t.Error("an unknown bug boots")
	}
}

// A node whose disk failed says nothing more, and is not counted on.
func TestDiskFailureSilences(t *testing.T) {
	for _, id := range []protocols.NodeID{1, 2, 4} {
		s := formed(t, 3, asIs)
		s.Step(id, &protocols.Event{Kind: protocols.DiskFailed})
		s.Wire = nil
		s.Fire(id, timerTick)
		s.Request(id, put(-1, 1, 5))
		s.Receive(3, id, &Heartbeat{Epoch: 9})
		s.Receive(3, id, &Ping{Sent: s.Now})
		if len(s.Wire)+len(s.Replies)+len(s.Refused) != 0 {
			t.Errorf("%v sent %v, replied %v, refused %v", id, s.Wire, s.Replies, s.Refused)
		}
		s.pass(silence, everything)
		if id == 1 {
			s.serves(2, 3)
		}
		s.Clean()
	}
}

func TestCanProgressWantsServiceAndHolder(t *testing.T) {
	s := formed(t, 3, asIs)
	s.pass(silence, without(3)) // n1 and n2 hold the log
	s.Crash(3)
	s.Boot(3)
	facts := func(live ...protocols.NodeID) *protocols.Facts {
		f := &protocols.Facts{Cluster: protocols.Cluster{Replicas: 3, Services: 1}, Live: protocols.Nodes(live...), Hears: make([]protocols.NodeSet, 5), Views: make([]protocols.View, 5)}
		for id := 1; id <= 4; id++ {
			f.Hears[id] = protocols.NodesUpTo(4)
			if s.Actors[id].Replica != nil {
				s.Actors[id].Replica.View(&f.Views[id])
			}
		}
		return f
	}
	deaf := func(f *protocols.Facts) *protocols.Facts {
		f.Hears[2] = f.Hears[2].Without(4)
		return f
	}
	check := func(name string, f *protocols.Facts, want bool) {
		t.Helper()
		if ok, why := canProgress(f); ok != want || ok != (why == "") {
			t.Errorf("%s: got %v %q, want %v", name, ok, why, want)
		}
	}
	check("all", facts(1, 2, 3, 4), true)
	check("one holder", facts(2, 4), true)
	check("no holder", facts(3, 4), false)
	semisync := func(f *protocols.Facts, k int) *protocols.Facts {
		p := DefaultParameters()
		p.Mode, p.K = ModeSemisync, k
		f.Parameters = p
		return f
	}
	check("semisync, one holder", semisync(facts(2, 4), 1), false)
	check("semisync, two", semisync(facts(2, 3, 4), 1), true)
	check("semisync, two of three", semisync(facts(2, 3, 4), 2), false)
	f := semisync(facts(2, 3, 4), 1)
	f.Stalled = protocols.Nodes(3)
	check("semisync, one of two disks", f, false)
	f = semisync(facts(1, 2, 3, 4), 1)
	f.Stalled = protocols.Nodes(3)
	check("semisync, two of three disks", f, true)
	f = semisync(facts(2, 3, 4), 1)
	f.Hears[3] = f.Hears[3].Without(2)
	check("semisync, one way", f, false)
	check("no service", facts(1, 2, 3), false)
	check("deaf holder", deaf(facts(2, 3, 4)), false)
	s.Step(2, &protocols.Event{Kind: protocols.DiskFailed})
	check("stopped holder", facts(2, 3, 4), false)
	s.Crash(4)
	check("unknown, all are there", facts(1, 3, 4), false)
	s.restart(2)
	check("unknown, all are there", facts(1, 2, 3, 4), true)
	s.Boot(4)
	s.Step(4, &protocols.Event{Kind: protocols.DiskFailed})
	check("stopped service", facts(1, 2, 3, 4), false)
}

func TestSurvivesAllButWipesAndUnboundClocks(t *testing.T) {
	p := DefaultParameters()
	for fault, want := range map[protocols.FaultKind]int{protocols.FaultCrash: -1, protocols.FaultPartition: -1, protocols.FaultWipe: 0, protocols.FaultSkew: -1} {
		if got := Protocol().Survives(fault, p, 3); got != want {
			t.Errorf("%s: got %d, want %d", fault, got, want)
		}
	}
	p.Reads = ReadsLease
	if got := Protocol().Survives(protocols.FaultSkew, p, 3); got != 0 {
		t.Errorf("skew with leases: got %d, want 0", got)
	}
}

// The log can be looked at, also one that goes on from a transferred state.
func TestLogCanBeRead(t *testing.T) {
	s := joined(t, asIs)
	s.Request(1, put(-2, 1, 99))
	s.Settle(everything)
	a, c := s.Node(1), s.Node(3)
	base, state := c.LogBase()
	x := protocols.Executor{Machine: machineOf(t)}
	if !x.Accepts(state) || base != 10 {
		t.Fatalf("got a base at %d, want a state at 10", base)
	}
	x.Restore(state)
	tail := c.ReadLog(0, 99, nil)
	whole := a.ReadLog(1, 99, nil)
	if len(tail) != 1 || len(whole) != 11 || !whole[10].Equal(&tail[0]) || len(a.ReadLog(2, 3, nil)) != 3 || len(a.ReadLog(12, 3, nil)) != 0 {
		t.Fatalf("got %d and %d entries, want 11 and the last one of them", len(whole), len(tail))
	}
	x.Replay(11, tail[0].Command, tail[0].Effect, nil)
	if x.Hash() != a.execute.Hash() {
		t.Error("base and log do not make the primary's state")
	}
	if base, state := a.LogBase(); base != 0 || state != nil {
		t.Errorf("got a base at %d, want none", base)
	}
	if first, last := (&Append{PrevIndex: 4, Entries: make([]Entry, 2)}).Positions(); first != 5 || last != 6 {
		t.Errorf("got %d..%d, want 5..6", first, last)
	}
	if first, last := (&Rewind{Last: 4}).Positions(); last >= first {
		t.Errorf("a rewind stores %d..%d, want nothing", first, last)
	}
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		want   string
		n      int
		change func(*Parameters)
	}{
		{"", 1, asIs}, {"", 100, asIs}, {"", 3, withLease}, {"", 1, func(p *Parameters) { p.Mode = ModeSemisync }},
		{"replicas: got 0", 0, asIs},
		{"replicas: got 101", 101, asIs},
		{`mode: got "both", want one of sync, semisync, async`, 3, func(p *Parameters) { p.Mode = "both" }},
		{`visible: got ""`, 3, func(p *Parameters) { p.Visible = "" }},
		{`on_timeout: got "wait"`, 3, func(p *Parameters) { p.OnTimeout = "wait" }},
		{`log: got "bytes"`, 3, func(p *Parameters) { p.Log = "bytes" }},
		{`reads: got "local"`, 3, func(p *Parameters) { p.Reads = "local" }},
		{`leader_write: got "later", want one of parallel, serial`, 3, func(p *Parameters) { p.LeaderWrite = "later" }},
		{"", 3, func(p *Parameters) { p.LeaderWrite = LeaderWriteSerial }},
		{"k: got 3, want 1..2", 3, func(p *Parameters) { p.K = 3 }},
		{"k: got 0", 3, func(p *Parameters) { p.K = 0 }},
		{"timeout: got 0s", 3, func(p *Parameters) { p.Timeout = 0 }},
		{"ping: got 0s", 3, func(p *Parameters) { p.Ping = 0 }},
		{"dead_after: got 100ms", 3, func(p *Parameters) { p.DeadAfter = 100e6 }},
		{"max_batch: got 0", 3, func(p *Parameters) { p.MaxBatch = 0 }},
		{"window: got 0", 3, func(p *Parameters) { p.Window = 0 }},
		{"catch_up: got -1", 3, func(p *Parameters) { p.CatchUp = -1 }},
		{"max_drift: got -1", 3, func(p *Parameters) { p.MaxDrift = -1 }},
		{"max_drift: got 1000000000", 3, func(p *Parameters) { p.MaxDrift = billion }},
		{`bugs: got "B-99"`, 3, func(p *Parameters) { p.Bugs = []string{"B-01", "B-99"} }},
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

func TestGuaranteeSaysWhatAModeCannot(t *testing.T) {
	p := DefaultParameters()
	texts := map[string]bool{}
	for _, c := range []struct {
		change       func()
		linearizable bool
	}{
		{func() {}, true},
		{func() { p.Mode = ModeSemisync }, false},
		{func() { p.Visible = AfterCommit }, false},
		{func() { p.OnTimeout = Degrade }, false},
		{func() { p.Mode = ModeAsync }, false},
	} {
		c.change()
		g := Protocol().Guarantee(p)
		if g.Linearizable != c.linearizable || g.LosesAcknowledged == c.linearizable || Protocol().LinearizableReads(p) != c.linearizable || texts[g.Text] {
			t.Errorf("%s: got %+v, want linearizable %v and a text of its own", p.Mode, g, c.linearizable)
		}
		texts[g.Text] = true
	}
}

func TestLeaseLengthDoesNotOverflow(t *testing.T) {
	p := DefaultParameters()
	p.DeadAfter = 1<<63 - 1
	for drift, want := range map[int64]protocols.Duration{0: 1<<63 - 1, billion - 1: 4611686020} {
		p.MaxDrift = drift
		if got := p.lease(); got != want {
			t.Errorf("drift %d: got %d, want %d", drift, got, want)
		}
	}
}

// In a steady state a step allocates nothing but now and then a block of slots or
// a chunk of log, and in a physical log the outcome that it ships.
func TestStepsDoNotAllocate(t *testing.T) {
	for log, most := range map[string]float64{Logical: 0, Physical: 2} {
		s := formed(t, 3, func(p *Parameters) { p.Log = log })
		n := s.Node(1)
		mem := protocols.NewMemory(protocols.Recycle)
		out := protocols.NewEffects(mem)
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
		seq := uint64(0)
		request := &protocols.Event{Kind: protocols.Request, From: -1}
		ack := &ReplicateResponse{Epoch: 1, Success: true, MatchEpoch: 1}
		confirm := &ConfirmResponse{Epoch: 1}
		got := testing.AllocsPerRun(2000, func() {
			seq++
			request.Command = put(-1, seq, int64(seq%100))
			step(request)
			ack.Match = n.log.Last()
			for id := protocols.NodeID(1); id <= 3; id++ {
				receive(id, ack)
			}
			request.Command = get(-2, seq)
			step(request)
			confirm.Round = n.round
			receive(2, confirm)
			receive(3, confirm)
		})
		if n.commit != n.log.Last() || n.commit == 0 || len(n.reads) != 0 {
			t.Fatalf("commit index %d of %d, %d reads wait", n.commit, n.log.Last(), len(n.reads))
		}
		if got > most { // AllocsPerRun rounds down: fewer than one per 7 events
			t.Errorf("%s: got %v allocations per 7 steps, want %v", log, got, most)
		}
	}
}
