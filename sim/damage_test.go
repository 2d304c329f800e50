package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// diary keeps what one node's disk had and what its boots found.
type diary struct {
	node    protocols.NodeID
	booted  []protocols.Recovered
	durable int
	left    int
	failed  []error // what the node was told of its disk
	crashes int
	// paused is until when it is, and resumed what it handled first after that.
	paused  protocols.Time
	resumed protocols.EventKind
}

func (d *diary) Moments() protocols.MomentKind {
	return protocols.Durable | protocols.Left | protocols.Stepped | protocols.Crashed | protocols.Booted
}
func (d *diary) Checks() []protocols.CheckInfo { return nil }
func (d *diary) Observe(m *protocols.Moment) {
	if m.Node != d.node {
		return
	}
	switch m.Kind {
	case protocols.Durable:
		d.durable++
	case protocols.Left:
		if m.To != m.Node {
			d.left++
		}
	case protocols.Stepped:
		if d.paused > 0 && m.Now >= d.paused && d.resumed == 0 {
			d.resumed = m.Event.Kind
		}
		if m.Event.Kind == protocols.DiskFailed {
			d.failed = append(d.failed, m.Event.Err)
		}
	case protocols.Crashed:
		d.crashes++
	case protocols.Booted:
		d.booted = append(d.booted, *m.Disk)
	}
}

// last returns what the last boot found.
func (d *diary) last() protocols.Recovered { return d.booted[len(d.booted)-1] }

// states counts the records of a disk by state.
func states(r protocols.Recovered) (n [4]int) {
	for i, rec := range r.Records {
		n[rec.State]++
		if (rec.Record == nil) != (rec.State != protocols.RecordOK) || rec.State == protocols.RecordTorn && i+1 < len(r.Records) {
			n[rec.State] = -1 << 20 // a damaged record shows its content, or a torn one is not the last
		}
	}
	return n
}

// chronicle runs the steady world for two seconds with faults at n2, slow fsyncs,
// and a diary of n2.
func chronicle(t *testing.T, seed uint64, faults ...Fault) (*diary, *World) {
	t.Helper()
	d := &diary{node: 2}
	for _, f := range faults {
		if f.Kind == protocols.FaultPause {
			d.paused = f.At.Add(f.For)
		}
	}
	cfg := steady(seed)
	cfg.Disk.Fsync = Exactly(20 * ms)
	cfg.Workload.Clients = 6
	cfg.Observers = []protocols.Observer{d}
	for i := range faults {
		if faults[i].Target.Empty() {
			faults[i].Target = target("n2")
		}
	}
	cfg.Faults = faults
	return d, run(t, cfg, 2*second)
}

const at500, at900, at1500 = second / 2, 900_000_000, 1_500_000_000

func TestTornWritesEndALog(t *testing.T) {
	torn, whole := 0, 0
	for seed := range uint64(20) {
		d, _ := chronicle(t, seed,
			Fault{Kind: protocols.FaultTorn, At: at500, For: 1000 * ms},
			Fault{Kind: protocols.FaultCrash, At: at900, For: 50 * ms},
			Fault{Kind: protocols.FaultCrash, At: at1500 + 100_000_000, For: 50 * ms}) // after the fault
		first, second := states(d.booted[1]), states(d.last())
		if first[protocols.RecordOK] < 0 || first[protocols.RecordTorn] < 0 || first[protocols.RecordMissing]+first[protocols.RecordCorrupt] != 0 {
			t.Fatalf("seed %d: %v", seed, first)
		}
		torn += first[protocols.RecordTorn]
		if second != [4]int{second[0]} || second[0] < first[0] {
			t.Errorf("seed %d: the torn record is still there, or others are gone: %v, then %v", seed, first, second)
		}
		if first[protocols.RecordTorn] == 0 {
			whole++
		}
	}
	if torn < 15 || torn+whole != 20 {
		t.Errorf("%d of 20 crashes left a torn record", torn)
	}
}

func TestReorderedWritesLeaveHoles(t *testing.T) {
	holes, more := 0, 0
	for seed := range uint64(20) {
		d, _ := chronicle(t, seed,
			Fault{Kind: protocols.FaultReordered, At: at500, For: 1000 * ms},
			Fault{Kind: protocols.FaultCrash, At: at900, For: 50 * ms})
		plain, _ := chronicle(t, seed, Fault{Kind: protocols.FaultCrash, At: at900, For: 50 * ms})
		n := states(d.booted[1])
		if n[protocols.RecordMissing] > 0 {
			holes++
			if last := d.booted[1].Records; last[len(last)-1].State != protocols.RecordOK {
				t.Errorf("seed %d: nothing survives behind the last hole", seed)
			}
		}
		if n[protocols.RecordOK] > states(plain.booted[1])[protocols.RecordOK] {
			more++
		}
		if n[protocols.RecordOK] < states(plain.booted[1])[protocols.RecordOK] {
			t.Errorf("seed %d: a synced record is lost", seed)
		}
	}
	if holes < 5 || more < 10 {
		t.Errorf("of 20 crashes %d left holes and %d more than what was synced", holes, more)
	}
}

// After a failed fsync a later one does not write what that one should have. The toy
// goes on, so its log has a hole where those records were.
func TestFailedFsyncsDropWhatTheyCovered(t *testing.T) {
	d, w := chronicle(t, 3, Fault{Kind: protocols.FaultDiskError, At: at500, For: 200 * ms, Prob: 400_000_000})
	if len(d.failed) < 2 || d.failed[0] != errFsync || d.crashes != 1 || len(d.booted) != 2 {
		t.Fatalf("%d failures, %d crashes, %d boots: want a restart when the disk is mended", len(d.failed), d.crashes, len(d.booted))
	}
	if n := states(d.last()); n[protocols.RecordMissing] == 0 {
		t.Errorf("nothing is missing: %v", n)
	}
	if r := w.FaultLog()[0]; int(r.Count) != len(d.failed) {
		t.Errorf("%d failures counted, %d told", r.Count, len(d.failed))
	}
	d, _ = chronicle(t, 3, Fault{Kind: protocols.FaultDiskFull, At: at500, For: 200 * ms})
	if len(d.failed) == 0 || d.failed[0] != errFull || states(d.last())[protocols.RecordMissing] != 0 {
		t.Errorf("a full disk: told %v, found %v", d.failed, states(d.last()))
	}
}

// A node that is paused hears of the failure when it goes on, and of nothing before.
func TestAPausedNodeHearsOfTheFailureLater(t *testing.T) {
	d, w := chronicle(t, 3,
		Fault{Kind: protocols.FaultDiskFull, At: at500, For: 700 * ms},
		Fault{Kind: protocols.FaultPause, At: at500 + 1_000_000, For: 300 * ms})
	if r := w.FaultLog()[0]; len(d.failed) == 0 || int(r.Count) != len(d.failed) {
		t.Errorf("it heard of %d failures of %d", len(d.failed), r.Count)
	}
	if d.resumed != protocols.DiskFailed {
		t.Errorf("when it went on it first handled %s", d.resumed)
	}
}

func TestLyingDisksLoseTheirCacheWithThePower(t *testing.T) {
	lie := Fault{Kind: protocols.FaultLying, At: at500, For: 1000 * ms}
	records := func(seed uint64, snapshot uint64, faults ...Fault) int {
		d := &diary{node: 2}
		cfg := steady(seed)
		cfg.Parameters = &toyParameters{Snapshot: snapshot}
		cfg.Observers = []protocols.Observer{d}
		for i := range faults {
			faults[i].Target = target("n2")
		}
		cfg.Faults = faults
		run(t, cfg, second)
		n := len(d.last().Records)
		if s, ok := d.last().Snapshot.(*toySnapshot); ok {
			n += int(s.Count)
		}
		return n
	}
	for _, snapshot := range []uint64{0, 7} {
		crash := Fault{Kind: protocols.FaultCrash, At: at900, For: 20 * ms}
		power := Fault{Kind: protocols.FaultPowerLoss, At: at900, For: 20 * ms}
		honest, process, lost := records(4, snapshot, crash), records(4, snapshot, lie, crash), records(4, snapshot, lie, power)
		if process != honest || lost >= honest-10 || lost == 0 {
			t.Errorf("snapshot %d: %d records after a crash, %d of a lying disk, %d after a power loss", snapshot, honest, process, lost)
		}
		lie.For = 300 * ms // the cache is written when it stops lying
		if later := records(4, snapshot, lie, power); later != honest {
			t.Errorf("snapshot %d: %d records after a power loss when the disk no longer lies, want %d", snapshot, later, honest)
		}
		lie.For = 1000 * ms
	}
}

func TestWipedDisksSaySo(t *testing.T) {
	d, _ := chronicle(t, 3,
		Fault{Kind: protocols.FaultWipe, At: at500, For: 50 * ms},
		Fault{Kind: protocols.FaultCrash, At: at1500, For: 50 * ms})
	if len(d.booted) != 3 || !d.booted[0].First || d.booted[0].Wiped {
		t.Fatalf("%d boots", len(d.booted))
	}
	if b := d.booted[1]; b.First || !b.Wiped || len(b.Records) != 0 || b.Snapshot != nil {
		t.Errorf("after the wipe: %+v", b)
	}
	if b := d.booted[2]; b.First || b.Wiped || len(b.Records) == 0 {
		t.Errorf("after something was written: First %v, Wiped %v, %d records", b.First, b.Wiped, len(b.Records))
	}
}

// However many disks rot, whatever is damaged is still on an undamaged one.
func TestDamageKeepsWithinTheAtlas(t *testing.T) {
	for seed := range uint64(10) {
		cfg := steady(seed)
		for range 4 {
			cfg.Faults = append(cfg.Faults,
				Fault{Kind: protocols.FaultCorrupt, At: second, For: ms, Target: target("all")},
				Fault{Kind: protocols.FaultMisdirect, At: second, For: 500 * ms, Target: target("all")})
		}
		w := run(t, cfg, 2*second)
		hurt := 0
		for i := range w.nodes {
			n := &w.nodes[i]
			for k := range n.disk.log {
				e := &n.disk.log[k]
				if e.state == protocols.RecordOK {
					continue
				}
				hurt++
				if e.state == protocols.RecordCorrupt && !undamagedHas(w, content(e.record)) {
					t.Errorf("seed %d: no undamaged disk has what n%d has lost", seed, n.id)
				}
			}
		}
		if hurt < 4 {
			t.Errorf("seed %d: %d records are damaged", seed, hurt)
		}
	}
}

func undamagedHas(w *World, sought uint64) bool {
	for i := range w.nodes {
		has, whole := false, true
		for _, e := range w.nodes[i].disk.log {
			has = has || content(e.record) == sought
			whole = whole && e.state == protocols.RecordOK
		}
		if has && whole {
			return true
		}
	}
	return false
}

// A program may refuse a damaged disk, and stays down; it may not refuse a whole one,
// or one with a torn end.
func TestRefusingToBoot(t *testing.T) {
	refusing := func(faults ...Fault) (*World, Stop) {
		cfg := steady(3)
		cfg.Disk.Fsync = Exactly(20 * ms)
		cfg.Trace = true
		cfg.Parameters = &toyParameters{Boot: "I had rather not"}
		for i := range faults {
			faults[i].Target = target("n2")
		}
		cfg.Faults = faults
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return w, w.Run(2 * second)
	}
	crash := Fault{Kind: protocols.FaultCrash, At: at900, For: 50 * ms}
	w, stop := refusing(Fault{Kind: protocols.FaultCorrupt, At: at500, For: ms}, crash)
	if stop != Reached || w.Refused() != protocols.Nodes(2) || !strings.Contains(text(t, w), "does not boot, life 1: I had rather not") {
		t.Errorf("%s %v, refused: %v", stop, w.Violations(), w.Refused())
	}
	if how := w.FaultLog()[0].How(); how != "1 records damaged; {n2} did not boot from it" {
		t.Errorf("got %q", how)
	}
	if core := w.PickCore(); core.Empty() || core.Has(2) {
		t.Errorf("the core %v counts on n2", core)
	}
	w.Heal(w.PickCore())
	w.HealAll()
	w.Run(3 * second)
	if len(w.Violations()) > 0 || w.Refused() != protocols.Nodes(2) {
		t.Errorf("after the heal: %v, refused: %v", w.Violations(), w.Refused())
	}
	if w, stop = refusing(Fault{Kind: protocols.FaultWipe, At: at500, For: ms}); stop != Reached || w.Refused().Empty() {
		t.Errorf("wiped: %s %v", stop, w.Violations())
	}
	for _, f := range []Fault{crash, {Kind: protocols.FaultTorn, At: at500, For: 1000 * ms}} {
		w, stop = refusing(f, crash)
		if stop != Violated || w.Violations()[0].Check != "boot" {
			t.Errorf("%s: %s %v, want a violation of boot", f.Kind, stop, w.Violations())
		}
	}
}

// Disks that take no time suffer, too.
func TestInstantDisksSuffer(t *testing.T) {
	for _, f := range []Fault{
		{Kind: protocols.FaultStall}, {Kind: protocols.FaultDiskFull}, {Kind: protocols.FaultDiskError, Prob: 300_000_000},
		{Kind: protocols.FaultMisdirect}, {Kind: protocols.FaultCrashPoint, Point: crashPoint(pointSync, Before), Nth: 3},
	} {
		f.Target = target("n2")
		_, r := struck(t, f, func(c *Config) { c.Disk = Disk{} })
		if !r.Effective {
			t.Errorf("%s changed nothing", f.Kind)
		}
	}
}
