package sim

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// clockwork is a one-node protocol that does with its timers what a script says,
// and keeps when they fired.
type clockwork struct {
	script func(c *clockwork, ev *protocols.Event, out *protocols.Effects)
	fired  []firing
	lives  []uint32
	nonce  uint64
}

type firing struct {
	timer protocols.Timer
	now   protocols.Time
}

type tick struct{}

func (*tick) Kind() protocols.Kind { return 1 }
func (*tick) Size() int            { return 0 }

func (c *clockwork) Step(ev *protocols.Event, out *protocols.Effects) {
	switch ev.Kind {
	case protocols.Start:
		c.nonce = ev.Nonce
	case protocols.Fire:
		c.fired = append(c.fired, firing{ev.Timer, ev.Now})
	case protocols.Receive:
		c.lives = append(c.lives, ev.Life)
	}
	if c.script != nil {
		c.script(c, ev, out)
	}
}

func (c *clockwork) View(v *protocols.View) { *v = protocols.View{} }

// clockworks runs n nodes with one script.
func clockworks(t *testing.T, n int, change func(*Config), script func(c *clockwork, ev *protocols.Event, out *protocols.Effects)) *World {
	t.Helper()
	cfg := Config{
		Replicas: n, Seed: 5, Clock: Clock{Offset: Between(0, 1000*ms), Drift: 10_000_000}, Trace: true,
		Protocol: &protocols.Protocol{
			Name: "clockwork", Messages: []protocols.KindInfo{{Kind: 1, Name: "Tick", New: func() any { return new(tick) }}},
			New: func(protocols.Config, protocols.Recovered) (protocols.Node, error) {
				return &clockwork{script: script}, nil
			},
		},
	}
	if change != nil {
		change(&cfg)
	}
	return run(t, cfg, 10*second)
}

func TestTimersAreExactOnTheNodesClock(t *testing.T) {
	w := clockworks(t, 5, nil, func(c *clockwork, ev *protocols.Event, out *protocols.Effects) {
		out.SetTimer(3, 70*ms)
	})
	for id := protocols.NodeID(1); id <= 5; id++ {
		fired := w.Node(id).(*clockwork).fired
		if len(fired) < 130 || len(fired) > 150 {
			t.Fatalf("n%d: fired %d times in 10 s", id, len(fired))
		}
		for i := 1; i < len(fired); i++ {
			if d := fired[i].now.Sub(fired[i-1].now); d < 70*ms || d > 70*ms+2 {
				t.Fatalf("n%d: %s between two firings", id, d)
			}
		}
	}
	if a, b := w.Node(1).(*clockwork).fired, w.Node(2).(*clockwork).fired; a[0] == b[0] {
		t.Error("two nodes have one clock")
	}
}

// Setting replaces, cancelling disarms, and those due together fire in the order
// of due time and number.
func TestTimersReplaceAndCancel(t *testing.T) {
	w := clockworks(t, 1, nil, func(c *clockwork, ev *protocols.Event, out *protocols.Effects) {
		if ev.Kind != protocols.Start {
			return
		}
		out.SetTimer(0, 10*ms)
		out.SetTimer(0, 50*ms) // later
		out.SetTimer(1, 40*ms)
		out.CancelTimer(1)
		out.SetTimer(2, 90*ms)
		out.SetTimer(2, 20*ms) // earlier
		out.SetTimer(4, 50*ms)
	})
	fired := w.Node(1).(*clockwork).fired
	want := []struct {
		timer protocols.Timer
		after protocols.Duration
	}{{2, 20 * ms}, {0, 50 * ms}, {4, 50 * ms}}
	if len(fired) != len(want) {
		t.Fatalf("fired %v", fired)
	}
	start := w.nodes[0].clock.read(0)
	for i, f := range fired {
		if d := f.now.Sub(start) - want[i].after; f.timer != want[i].timer || d < 0 || d > 2 {
			t.Errorf("firing %d: %v, want timer %d after %s", i, f, want[i].timer, want[i].after)
		}
	}
}

// The draw of SetTimerWithin is kept while the timer is armed anew, and forgotten
// when it fires, is cancelled or gets another range.
func TestTimerDraws(t *testing.T) {
	w := clockworks(t, 1, nil, nil)
	n := &w.nodes[0]
	arm := func(min, max protocols.Duration) protocols.Duration {
		w.setTimer(n, &protocols.Effect{Timer: 7, Min: min, Max: max}, true)
		w.arm(n)
		return n.timers.list[7].due.Sub(n.clock.read(w.now))
	}
	first := arm(100*ms, 300*ms)
	if first < 100*ms || first > 300*ms {
		t.Fatalf("drew %s from 100ms..300ms", first)
	}
	w.now += protocols.Time(20 * ms)
	if again := arm(100*ms, 300*ms); again != first {
		t.Errorf("armed anew: %s, want %s", again, first)
	}
	if other := arm(100*ms, 301*ms); other == first {
		t.Error("another range took the old draw")
	}
	second := arm(100*ms, 300*ms)
	w.cancelTimer(n, 7)
	if third := arm(100*ms, 300*ms); third == second || second == first {
		t.Error("a cancelled timer kept its draw")
	}
	before := arm(100*ms, 300*ms)
	w.now = n.clock.when(n.timers.list[7].due)
	w.ring(n, 0)
	if after := arm(100*ms, 300*ms); after == before {
		t.Error("a timer that fired kept its draw")
	}
	if d := arm(5*ms, 5*ms); d != 5*ms {
		t.Errorf("a range of one value drew %s", d)
	}
}

// The stamp of the sender's life reaches a node only under a declared session
// transport; each life has a nonce of its own.
func TestLives(t *testing.T) {
	for _, declared := range []bool{true, false} {
		nonces := map[uint64]bool{}
		w := clockworks(t, 2, func(c *Config) {
			c.Protocol.SessionTransport = declared
			c.Faults = []Fault{
				{Kind: protocols.FaultCrash, At: 2 * second, For: 100 * ms, Target: target("n1")},
				{Kind: protocols.FaultCrash, At: 4 * second, For: 100 * ms, Target: target("n1")},
			}
		}, func(c *clockwork, ev *protocols.Event, out *protocols.Effects) {
			if ev.Kind == protocols.Start {
				nonces[ev.Nonce] = true
				protocols.SendEarly(out, 2, tick{})
			}
		})
		lives := w.Node(2).(*clockwork).lives[1:] // the first is its own
		if len(lives) != 3 || len(nonces) != 4 {
			t.Fatalf("%d messages, %d nonces", len(lives), len(nonces))
		}
		for i, life := range lives {
			if want := uint32(i); declared && life != want || !declared && life != 0 {
				t.Errorf("session transport %v: message %d shows life %d", declared, i, life)
			}
		}
	}
}

func TestServices(t *testing.T) {
	w := clockworks(t, 2, func(c *Config) {
		c.Protocol.Services = func(any) int { return 1 }
		c.Faults = []Fault{{Kind: protocols.FaultPause, At: second, For: Forever, Target: target("services")}}
	}, func(c *clockwork, ev *protocols.Event, out *protocols.Effects) {
		if ev.Kind != protocols.Receive {
			out.SetTimer(0, 100*ms)
			protocols.SendEarly(out, 3, tick{})
		}
	})
	if w.Cluster().Nodes() != 3 || w.FaultLog()[0].Names != "s1" {
		t.Errorf("%+v, hit %s", w.Cluster(), w.FaultLog()[0].Names)
	}
	if a, s := len(w.Node(1).(*clockwork).fired), len(w.Node(3).(*clockwork).fired); a < 90 || s > 11 {
		t.Errorf("n1 fired %d times, the paused service %d", a, s)
	}
}
