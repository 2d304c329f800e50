package sim

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func TestClosedLoop(t *testing.T) {
	cfg := steady(1)
	cfg.Workload.Think = Exactly(10 * ms)
	w := run(t, cfg, 2*second)
	seen := map[int64]bool{}
	last := map[protocols.NodeID]*protocols.Operation{}
	for i := range w.History() {
		op := &w.History()[i]
		if p := last[op.Client]; p != nil {
			if op.Call <= p.Return || op.Seq != p.Seq+1 || op.Began.Sub(p.Ended) < 10*ms {
				t.Fatalf("%s after %s", op, p)
			}
		}
		last[op.Client] = op
		if op.Kind == protocols.Write {
			if seen[op.Arg] || op.Arg < 1 {
				t.Fatalf("value %d is written twice", op.Arg)
			}
			seen[op.Arg] = true
		}
		if op.Key < 1 || op.Key > 3 {
			t.Fatalf("key %s of 3", op.Key)
		}
	}
	if len(last) != 2 || len(seen) < 20 {
		t.Errorf("%d clients wrote %d values", len(last), len(seen))
	}
}

// Calls and returns are events of their own, all different: they order operations
// without ties.
func TestCallsAndReturnsHaveNoTies(t *testing.T) {
	cfg := steady(1)
	cfg.Workload.Clients = 20
	cfg.Network.Client.Latency = Exactly(ms)
	seen := map[int64]bool{}
	for _, op := range run(t, cfg, second).History() {
		for _, s := range []int64{op.Call, op.Return} {
			if s != protocols.Infinity && seen[s] {
				t.Fatalf("two operations at event %d", s)
			}
			seen[s] = true
		}
		if op.Return <= op.Call {
			t.Fatalf("returns at %d, called at %d", op.Return, op.Call)
		}
	}
}

func TestOpenLoopQueues(t *testing.T) {
	cfg := steady(1)
	cfg.Workload.Clients, cfg.Workload.Every = 3, Exactly(ms)
	cfg.Workload.Begin = second / 2
	w := run(t, cfg, second)
	if n := len(w.History()); n < 300 {
		t.Fatalf("%d operations", n)
	}
	waited := 0
	for i, op := range w.History() {
		if op.Began != (second / 2).Add(protocols.Duration(i+1)*ms) {
			t.Fatalf("operation %d arrived at %s", i, op.Began)
		}
		if op.Attempts > 0 && op.Outcome == protocols.Done && op.Ended.Sub(op.Began) > 100*ms {
			waited++
		}
	}
	if waited == 0 {
		t.Error("an overloaded open loop shows no waiting time")
	}
}

func TestOperationsAreLimited(t *testing.T) {
	for _, every := range []Dist{{}, Exactly(ms)} {
		cfg := steady(1)
		cfg.Workload.Operations, cfg.Workload.Every = 17, every
		if n := len(run(t, cfg, 2*second).History()); n != 17 {
			t.Errorf("%d operations, want 17", n)
		}
	}
}

// A refused operation has failed: no copy can be executed. One that was accepted
// and never answered is unknown; so is one whose copy may still arrive.
func TestOutcomesAreHonest(t *testing.T) {
	refusing := steady(1)
	refusing.Parameters = &toyParameters{Refuse: true}
	refusing.Workload.GiveUp = 300 * ms
	s := run(t, refusing, 2*second).Stats()
	if s.Failed == 0 || s.Unknown >= s.Failed || s.Done != 0 { // unknown: a copy was in flight
		t.Errorf("refusing cluster: %+v", *s)
	}
	if s.Requests > 1000 {
		t.Errorf("a cluster that refuses is hammered with %d requests", s.Requests)
	}

	silent := steady(seedLedBy(t, 1))
	silent.Parameters = &toyParameters{Silent: true}
	silent.Workload.GiveUp = 300 * ms
	s = run(t, silent, 2*second).Stats()
	if s.Unknown == 0 || s.Done != 0 {
		t.Errorf("silent leader: %+v", *s)
	}

	cut := steady(1)
	cut.Workload.GiveUp = 300 * ms
	cut.Faults = []Fault{{Kind: protocols.FaultPartition, For: Forever, Target: target("clients")}}
	s = run(t, cut, 2*second).Stats()
	if s.Failed == 0 || s.Unknown != 0 || s.Done != 0 {
		t.Errorf("every request was lost on the way: %+v", *s)
	}

	slow := steady(1)
	slow.Workload.Timeout, slow.Workload.GiveUp = 50*ms, 100*ms
	slow.Network.Client.Latency = Exactly(400 * ms)
	s = run(t, slow, second).Stats()
	if s.Unknown == 0 || s.Failed != 0 || s.Done != 0 {
		t.Errorf("requests are still on their way: %+v", *s)
	}

	down := steady(1)
	down.Workload.GiveUp = 300 * ms
	down.Faults = []Fault{{Kind: protocols.FaultCrash, For: Forever, Target: target("all")}}
	s = run(t, down, second).Stats()
	if s.Failed == 0 || s.Unknown != 0 {
		t.Errorf("everybody is down: %+v", *s)
	}
}

// A timeout repeats the same request at another node.
func TestRetries(t *testing.T) {
	cfg := steady(2)
	cfg.Trace = true
	cfg.Faults = []Fault{{Kind: protocols.FaultPause, At: second, For: 500 * ms, Target: target("leader")}}
	w := run(t, cfg, 3*second)
	retried := 0
	asked := map[protocols.NodeID]TraceEvent{}
	for _, e := range w.Trace() {
		if e.Kind != TraceAttempt {
			continue
		}
		if p, ok := asked[e.Node]; ok && p.Command.Seq == e.Command.Seq {
			retried++
			if e.Command != p.Command || e.Time-p.Time >= protocols.Time(200*ms) && e.Peer == p.Peer {
				t.Fatalf("%s after %s", w.TraceText(&e), w.TraceText(&p))
			}
		}
		asked[e.Node] = e
	}
	if s := w.Stats(); retried == 0 || s.Unknown != 0 {
		t.Errorf("%d retries, %d unknown", retried, s.Unknown)
	}
}

func TestMachines(t *testing.T) {
	for _, machine := range protocols.MachineNames() {
		cfg := steady(1)
		cfg.Machine = machine
		w := run(t, cfg, second)
		reads, writes := 0, 0
		for _, op := range w.History() {
			if op.Kind == protocols.Read {
				reads++
			} else {
				writes++
			}
			if (op.Key != 0) != (machine == "kv") {
				t.Fatalf("%s: %s", machine, &op)
			}
		}
		if reads == 0 || writes == 0 || w.Stats().Done == 0 {
			t.Errorf("%s: %d reads, %d writes", machine, reads, writes)
		}
	}
}

// Slots of requests and answers are used again: a long run does not grow.
func TestSlotsAreReused(t *testing.T) {
	cfg := steady(1)
	cfg.Network.Client.Duplicate = 300_000_000
	cfg.Network.Client.Loss = 100_000_000
	w := run(t, cfg, 20*second)
	if n := len(w.requests.list) + len(w.answers.list); n > 60 || w.Stats().Done < 500 {
		t.Errorf("%d slots for %d operations of 2 clients", n, w.Stats().Done)
	}
	inFlight := 0
	for i := range w.requests.list {
		inFlight += int(w.requests.list[i].flying)
	}
	w.StopWorkload()
	w.Run(w.Now() + 5*second)
	for i := range w.requests.list {
		if q := &w.requests.list[i]; q.flying != 0 || q.open {
			t.Errorf("request %+v of a quiet world (%d were in flight)", *q, inFlight)
		}
	}
	if len(w.requests.spare) != len(w.requests.list) || len(w.answers.spare) != len(w.answers.list) {
		t.Errorf("%d of %d requests and %d of %d answers are free", len(w.requests.spare), len(w.requests.list), len(w.answers.spare), len(w.answers.list))
	}
}
