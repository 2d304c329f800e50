package sim

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Positions implements [protocols.Positioned]: the toy's entries are numbered.
func (e *toyEntry) Positions() (first, last protocols.Index) {
	return protocols.Index(e.Number), protocols.Index(e.Number)
}

// bystander counts what crashes leave and boots find, as observers see it.
type bystander struct{ survived, found []int }

func (*bystander) Moments() protocols.MomentKind { return protocols.Crashed | protocols.Booted }
func (*bystander) Checks() []protocols.CheckInfo { return nil }
func (o *bystander) Observe(m *protocols.Moment) {
	if m.Kind == protocols.Crashed {
		o.survived = append(o.survived, len(m.Disk.Records))
	} else {
		o.found = append(o.found, len(m.Disk.Records))
	}
}

// TestRecoveries: what crashes lost and boots found is kept, adds up to what the
// fault log and observers say, and is in the trace.
func TestRecoveries(t *testing.T) {
	cfg := steady(7)
	cfg.Disk.Fsync = Exactly(20 * ms)
	cfg.Workload.Clients = 6
	cfg.Trace = true
	seen := &bystander{}
	cfg.Observers = []protocols.Observer{seen}
	for i := range 6 {
		cfg.Faults = append(cfg.Faults, Fault{Kind: protocols.FaultCrash, At: second + protocols.Time(i)*protocols.Time(700*ms), For: 300 * ms, Target: target("leader")})
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if stop := w.Run(6 * second); stop != Reached {
		t.Fatal(stop, w.Violations())
	}
	var lost, want uint64
	crashes, boots := 0, 0
	for _, r := range w.Recoveries() {
		n := 0
		for _, c := range r.Records {
			n += c.Count
			if c.Name == "Entry" && (c.First == 0 || c.Last < c.First) {
				t.Errorf("%+v: want the positions of the entries", c)
			}
		}
		if r.Boot {
			if n != seen.found[boots] {
				t.Errorf("boot %d found %d records, the observer saw %d", boots, n, seen.found[boots])
			}
			boots++
		} else {
			lost += uint64(n)
			crashes++
		}
	}
	for _, f := range w.FaultLog() {
		want += f.Count
	}
	if lost != want || lost == 0 {
		t.Errorf("the crashes lost %d records, the fault log says %d", lost, want)
	}
	if crashes != 6 || boots != len(seen.found) || crashes != len(seen.survived) {
		t.Errorf("%d crashes and %d boots, the observer saw %d and %d", crashes, boots, len(seen.survived), len(seen.found))
	}
	var b strings.Builder
	if err := w.WriteTrace(&b); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.Recoveries() {
		if text := r.Text(); text != "" && !strings.Contains(b.String(), ": "+text+"\n") {
			t.Errorf("the trace does not have %q", text)
		}
	}
	cfg.Trace, cfg.Faults = false, nil
	if err := w.Reset(cfg); err != nil {
		t.Fatal(err)
	}
	w.Run(second)
	if len(w.Recoveries()) > 0 {
		t.Error("recoveries are kept although nobody asked")
	}
}

// TestReborn: what a node booted from its disk would hold is what it holds after a
// crash, and asking changes nothing.
func TestReborn(t *testing.T) {
	cfg := steady(3)
	cfg.Disk.Fsync = Exactly(20 * ms)
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Run(2 * second)
	before := w.Digest()
	behind := 0
	for id := protocols.NodeID(1); id <= 5; id++ {
		n, err := w.Reborn(id)
		if err != nil {
			t.Fatal(err)
		}
		d := &w.nodes[id-1].disk
		durable := uint64(0)
		for _, e := range d.log[:d.durable-d.first] {
			if _, ok := e.record.(*toyEntry); ok {
				durable++
			}
		}
		if got := n.(*toy).count; got != durable {
			t.Errorf("%s: %d entries, %d are durable", id, got, durable)
		}
		if durable < w.Node(id).(*toy).count {
			behind++
		}
	}
	if behind == 0 {
		t.Error("every disk is level with its node: nothing was tested")
	}
	if w.Digest() != before {
		t.Error("asking what is durable has changed the run")
	}
}

func TestRecordCountText(t *testing.T) {
	for want, c := range map[string]RecordCount{
		"2 HardState":        {Name: "HardState", Count: 2},
		"1 Append of 7":      {Name: "Append", Count: 1, First: 7, Last: 7},
		"3 Append of 17..19": {Name: "Append", Count: 3, First: 17, Last: 19},
	} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	w, err := New(steady(1))
	if err != nil {
		t.Fatal(err)
	}
	got := w.countRecords([]protocols.RecoveredRecord{
		{State: protocols.RecordTorn}, {Record: &toyEntry{4}}, {Record: &toyEpoch{1}}, {Record: &toyEntry{2}}, {State: protocols.RecordCorrupt},
	})
	want := []RecordCount{{"Epoch", 1, 0, 0}, {"Entry", 2, 2, 4}, {"damaged", 2, 0, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	r := Recovery{Boot: true, Snapshot: "Snapshot", Records: got}
	if text := r.Text(); text != "checkpoint Snapshot, 1 Epoch, 2 Entry of 2..4, 2 damaged" {
		t.Errorf("got %q", text)
	}
}
