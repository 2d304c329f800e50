package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// broken is a world in which everything is broken for good.
func broken(seed uint64) Config {
	cfg := steady(seed)
	for i, f := range []Fault{
		{Kind: protocols.FaultCrash, Target: target("n1 n2")},
		{Kind: protocols.FaultPause, Target: target("n3")},
		{Kind: protocols.FaultPartition, Target: target("n4")},
		{Kind: protocols.FaultLoss, Target: target("all"), Prob: 900_000_000},
		{Kind: protocols.FaultSlowDisk, Target: target("all"), Factor: 500},
		{Kind: protocols.FaultClock, Target: target("all"), Drift: 70_000, Step: 5 * ms},
		{Kind: protocols.FaultPartition, Target: target("clients")},
	} {
		f.At, f.For = protocols.Time(i+1)*second/10, Forever
		cfg.Faults = append(cfg.Faults, f)
	}
	cfg.Faults = append(cfg.Faults, Fault{Kind: protocols.FaultCrash, At: 5 * second, For: Forever, Target: target("all")})
	return cfg
}

func TestHealOfACore(t *testing.T) {
	cores := map[protocols.NodeSet]bool{}
	for seed := range uint64(20) {
		w := run(t, broken(seed), 2*second)
		done := w.Stats().Done
		w.StopWorkload()
		core := w.PickCore()
		cores[core] = true
		if core.Len() < 3 {
			t.Fatalf("core %s is no majority", core)
		}
		if ok, _ := w.CanProgress(w.Facts()); ok {
			t.Fatalf("seed %d: the broken world can make progress", seed)
		}
		w.Heal(core)
		f := w.Facts()
		for id := protocols.NodeID(1); id <= 5; id++ {
			in := core.Has(id)
			if f.Live.Has(id) != (in || id > 3) {
				t.Fatalf("seed %d, core %s: n%d live: %v", seed, core, id, f.Live.Has(id))
			}
			if in && f.Hears[id].And(core) != core || id == 4 && !in && f.Hears[id].Len() != 1 {
				t.Fatalf("seed %d, core %s: n%d hears %s", seed, core, id, f.Hears[id])
			}
		}
		if ok, why := w.CanProgress(w.Facts()); !ok {
			t.Fatalf("core %s: %s", core, why)
		}
		w.Probe()
		if stop := w.RunUntil(w.Now()+20*second, func() bool { return w.PendingOperations() == 0 }); stop != Satisfied {
			t.Fatalf("seed %d, core %s: %s with %d operations pending: %+v", seed, core, stop, w.PendingOperations(), *w.Stats())
		}
		if got := w.Stats().Done - done; got < 4 {
			t.Errorf("%d operations done after the heal, want the probes at least", got)
		}
		log := w.FaultLog()
		if log[7].State != Cancelled || log[0].State == Active && core.Has(1) && core.Has(2) {
			t.Errorf("states after the heal: %s %s", log[7].State, log[0].State)
		}
		w.HealAll()
		w.Run(w.Now() + 2*second)
		if f := w.Facts(); f.Live.Len() != 5 || f.Connected().Len() != 5 {
			t.Errorf("not all is healed: %+v", f)
		}
		for i := range w.nodes {
			if n := &w.nodes[i]; n.disk.slow != 1 || n.clock.ppb != n.clock.home || n.clock.wall != 0 {
				t.Errorf("n%d keeps a fault: %+v %+v", n.id, n.disk.slow, n.clock)
			}
		}
		for _, r := range w.FaultLog() {
			if r.State == Active || r.State == Planned || r.State == Waiting {
				t.Errorf("fault %d is %s at the end", r.Fault.ID, r.State)
			}
		}
	}
	if len(cores) < 6 {
		t.Errorf("only %d different cores in 20 seeds: %v", len(cores), cores)
	}
}

// What is not healed stays broken, although its interval ends.
func TestTheRestStaysBroken(t *testing.T) {
	cfg := steady(1)
	cfg.Faults = []Fault{
		{Kind: protocols.FaultCrash, At: second, For: 1500 * ms, Target: target("n1")},
		{Kind: protocols.FaultPause, At: second, For: 1500 * ms, Target: target("n2")},
	}
	w := run(t, cfg, 2*second)
	w.Heal(protocols.Nodes(3, 4, 5))
	w.Run(6 * second)
	if live := w.Facts().Live; live != protocols.Nodes(3, 4, 5) {
		t.Errorf("live: %s", live)
	}
	w.HealAll()
	w.Run(7 * second)
	if live := w.Facts().Live; live.Len() != 5 {
		t.Errorf("live: %s", live)
	}
}

func TestHealedClientsDoNotGiveUp(t *testing.T) {
	cfg := steady(1)
	cfg.Parameters = &toyParameters{Refuse: true}
	cfg.Workload.GiveUp = 300 * ms
	w := run(t, cfg, 2*second)
	w.StopWorkload()
	w.HealAll()
	w.Probe()
	if stop := w.RunUntil(20*second, func() bool { return w.PendingOperations() == 0 }); stop != Reached || w.PendingOperations() == 0 {
		t.Errorf("%s with %d pending operations in a cluster that refuses all", stop, w.PendingOperations())
	}
}

func TestLeaderlessTime(t *testing.T) {
	cfg := steady(seedLedBy(t, 3))
	calm := run(t, cfg, 3*second).Stats()
	if calm.Leaderless > 400*ms || calm.Leaderless < 100*ms {
		t.Errorf("calm: %s without a leader", calm.Leaderless)
	}
	cfg.Faults = []Fault{{Kind: protocols.FaultCrash, At: second, For: Forever, Target: target("all")}}
	sum := protocols.Duration(0)
	s := run(t, cfg, 3*second).Stats()
	for _, span := range s.LeaderlessSpans {
		sum += span.To.Sub(span.From)
	}
	if sum != s.Leaderless || len(s.LeaderlessSpans) < 2 || len(calm.LeaderlessSpans) != 1 {
		t.Errorf("all crashed for 2 s: the spans %v sum to %s, want %s", s.LeaderlessSpans, sum, s.Leaderless)
	}
	if s.Leaderless != calm.Leaderless+2000*ms {
		t.Errorf("all crashed for 2 s: %s without a leader, %s before", s.Leaderless, calm.Leaderless)
	}
	cfg.Faults[0].Kind = protocols.FaultPause
	if s := run(t, cfg, 3*second).Stats(); s.Leaderless != calm.Leaderless+2000*ms {
		t.Errorf("all paused for 2 s: %s without a leader, %s before", s.Leaderless, calm.Leaderless)
	}
	// A leader that hears nobody leads nobody, whatever it believes.
	cfg.Faults[0] = Fault{Kind: protocols.FaultPartition, At: second, For: Forever, Target: target("n3"), OneWay: In}
	if s := run(t, cfg, 3*second).Stats(); s.Leaderless < calm.Leaderless+50*ms {
		t.Errorf("leader cut off: %s without a leader, %s before", s.Leaderless, calm.Leaderless)
	}
}

func TestPanicInCanProgressIsAFinding(t *testing.T) {
	cfg := steady(1)
	p := *cfg.Protocol
	p.CanProgress = func(*protocols.Facts) (bool, string) { panic("no idea") }
	cfg.Protocol = &p
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if core := w.PickCore(); !core.Empty() {
		t.Errorf("core %v, want none", core)
	}
	if v := w.Violations(); len(v) != 1 || v[0].Check != "panic" || !strings.Contains(v[0].Text, "CanProgress: no idea") {
		t.Errorf("violations: %v", v)
	}
}
