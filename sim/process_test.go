package sim

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func TestPowerLossHitsAllAtOneInstant(t *testing.T) {
	w, r := struck(t, Fault{Kind: protocols.FaultPowerLoss, Target: target("all")})
	crashed, booted := 0, 0
	for i := range w.Trace() {
		switch e := &w.Trace()[i]; {
		case e.Kind == TraceCrashed && e.Time == r.Struck:
			crashed++
		case e.Kind == TraceBoot && e.Time == r.Ended && e.Life == 1:
			booted++
		}
	}
	if crashed != 5 || booted != 5 {
		t.Errorf("%d crashed and %d booted, want 5 at one instant", crashed, booted)
	}
}

// Ten times as many crashes of a node whose disk always has something to write.
func TestAttritionPrefersBusyDisks(t *testing.T) {
	crashes := func(busy bool) (n uint64) {
		for seed := range uint64(10) {
			cfg := steady(seed)
			cfg.Workload.Clients = 0
			if busy { // every write takes for ever
				cfg.Disk.Fsync = Exactly(3600_000 * ms)
			} else {
				cfg.Disk = Disk{}
			}
			cfg.Faults = []Fault{{Kind: protocols.FaultAttrition, At: second, For: 20_000 * ms, Target: target("n1 n2 n3 n4 n5"), Every: 2000 * ms, Down: Exactly(ms)}}
			n += run(t, cfg, 22*second).FaultLog()[0].Killed
		}
		return n
	}
	idle, busy := crashes(false), crashes(true)
	if idle < 350 || idle > 650 { // 5 nodes, 20 s, one in 2 s, 10 seeds: 500
		t.Errorf("%d crashes of idle nodes, want about 500", idle)
	}
	if busy < 7*idle || busy > 13*idle {
		t.Errorf("%d crashes of busy nodes, %d of idle ones; want about ten times as many", busy, idle)
	}
}

// A crash point is a moment: what was durable and what had left just then.
func TestCrashPoints(t *testing.T) {
	for _, p := range CrashPoints()[:2*pointView] { // the toy's followers execute nothing
		for _, nth := range []int{1, 3} {
			d := &diary{node: 2}
			cfg := steady(3)
			cfg.Disk.Fsync = Exactly(5 * ms)
			cfg.Observers = []protocols.Observer{d}
			cfg.Faults = []Fault{
				{Kind: protocols.FaultCrashPoint, At: at500, For: 1400 * ms, Target: target("n2"), Point: p, Nth: nth},
				// Leaders and views change.
				{Kind: protocols.FaultPause, At: at500 + 100_000_000, For: 350 * ms, Target: target("leader")},
				{Kind: protocols.FaultPause, At: at500 + 500_000_000, For: 350 * ms, Target: target("leader")},
				{Kind: protocols.FaultPause, At: at500 + 900_000_000, For: 350 * ms, Target: target("leader")},
			}
			w := run(t, cfg, at500)
			durable, left := d.durable, d.left
			w.RunUntil(2*second, func() bool { return d.crashes > 0 })
			r := w.FaultLog()[0]
			if d.crashes != 1 || r.Killed != 1 {
				t.Errorf("%s, time %d: %d crashes, %+v", p, nth, d.crashes, r)
				continue
			}
			durable, left = d.durable-durable, d.left-left
			switch p {
			case crashPoint(pointSend, Before):
				if left != nth-1 {
					t.Errorf("%s, time %d: %d messages had left", p, nth, left)
				}
			case crashPoint(pointSend, After):
				if left != nth {
					t.Errorf("%s, time %d: %d messages had left", p, nth, left)
				}
			case crashPoint(pointSync, Before):
				if nth == 1 && durable != 0 {
					t.Errorf("%s, time %d: %d records were durable", p, nth, durable)
				}
			case crashPoint(pointSync, After), crashPoint(pointPersist, After):
				if durable < nth {
					t.Errorf("%s, time %d: %d records were durable", p, nth, durable)
				}
			}
			w.Run(2 * second)
			if d.crashes != 1 || len(d.booted) != 2 {
				t.Errorf("%s, time %d: %d crashes and %d boots in all", p, nth, d.crashes, len(d.booted))
			}
		}
	}
}

// Before the k-th entry that a node executes nothing of the step takes effect, after
// it everything; the entries of several steps are counted together.
func TestCrashPointsOfEntries(t *testing.T) {
	for _, when := range []When{Before, After} {
		n := &node{trap: trap{point: crashPoint(pointApply, when), left: 3}}
		out := &protocols.Effects{List: make([]protocols.Effect, 4)}
		out.Note(protocols.Note{Kind: protocols.NoteApplied})
		out.Note(protocols.Note{Kind: protocols.NoteCommit})
		out.Note(protocols.Note{Kind: protocols.NoteApplied})
		ev := &protocols.Event{Kind: protocols.Receive}
		if cut, _, _ := n.trapped(ev, out, 0, 0); cut {
			t.Errorf("%d: it stops at the second entry", when)
		}
		cut, at, whole := n.trapped(ev, out, 0, 0)
		if want := int(when) * len(out.List); !cut || at != want || whole {
			t.Errorf("%d: cut %v after %d effects, whole %v; want %d", when, cut, at, whole, want)
		}
	}
}

func TestParseCrashPoint(t *testing.T) {
	for _, p := range CrashPoints() {
		if q, err := ParseCrashPoint(p.String()); err != nil || p != q {
			t.Errorf("%s: %v %v", p, q, err)
		}
	}
	for _, s := range []string{"", "before", "sync", "amid sync", "before sync 3"} {
		if _, err := ParseCrashPoint(s); err == nil {
			t.Errorf("%q is no crash point", s)
		}
	}
}

// A slow node takes one step in its time, in the order in which things came.
func TestSlowNodesTakeTheirTime(t *testing.T) {
	w, r := struck(t, Fault{Kind: protocols.FaultSlowNode, Target: target("leader"), Factor: 100})
	id := r.Resolved.Nodes.Next(protocols.Nobody)
	last, steps := protocols.Time(-second), 0
	for i := range w.Trace() {
		e := &w.Trace()[i]
		step := e.Kind == TraceDelivered || e.Kind == TraceTimer || e.Kind == TraceRequest
		if e.Node != id || !step || e.Time <= r.Struck || e.Time >= r.Ended {
			continue
		}
		steps++
		if steps > 1 && e.Time.Sub(last) < 100*slowStep {
			t.Fatalf("steps at %s and %s", last, e.Time)
		}
		last = e.Time
	}
	if steps < 100 {
		t.Errorf("%d steps in 500 ms at 1 ms each", steps)
	}
}

// A strobe jumps to and fro, and leaves the wall clock as it was.
func TestStrobeLeavesTheClockAsItWas(t *testing.T) {
	seen := map[protocols.Time]int{}
	for _, every := range []protocols.Duration{15 * ms, 20 * ms} { // it ends ahead, or not
		cfg := steady(3)
		cfg.Faults = []Fault{{Kind: protocols.FaultStrobe, At: at500, For: 500 * ms, Target: target("n2"), Step: -40 * ms, Every: every}}
		w := run(t, cfg, at500)
		for w.Now() < second {
			w.Run(w.Now().Add(ms))
			seen[w.nodes[1].clock.wall]++
		}
		if w.Run(2 * second); w.nodes[1].clock.wall != 0 {
			t.Errorf("every %s: the wall clock is off by %s", every, w.nodes[1].clock.wall)
		}
	}
	if len(seen) != 2 || seen[0] < 300 || seen[protocols.Time(-40*ms)] < 300 {
		t.Errorf("offsets seen: %v", seen)
	}
}
