package sim

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// loaded is a world in which 40 clients ask without a pause and nothing takes time
// but distance.
func loaded(n int) Config {
	cfg := steady(1)
	cfg.Replicas, cfg.Disk, cfg.Clock = n, Disk{}, Clock{}
	cfg.Network = Network{Between: Link{Latency: Exactly(ms / 5)}, Client: Link{Latency: Exactly(ms / 5)}}
	cfg.Workload.Clients = 40
	cfg.Workload.Mix = []Share{{protocols.Put, protocols.Write, 1}}
	return cfg
}

// throughput returns the operations done in the second from 1 s on.
func throughput(t *testing.T, cfg Config) int64 {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Run(second)
	before := w.Stats().Done
	w.Run(2 * second)
	return int64(w.Stats().Done - before)
}

func near(t *testing.T, what string, got, want int64) {
	t.Helper()
	if d := got - want; 100*max(d, -d) > want {
		t.Errorf("%s: %d operations per second, want %d", what, got, want)
	}
}

// A leader receives a request and n-1 acknowledgements and sends one broadcast and one
// answer per operation: throughput saturates at 1 / (n·receive + 2·send), the bound of
// the Paxi performance model with the costs of its preset.
func TestThroughputSaturates(t *testing.T) {
	free := throughput(t, loaded(5))
	for _, n := range []int{3, 5, 7} {
		cfg := loaded(n)
		cfg.CPU = CPUPresets()[0].CPU
		receive, send := cfg.CPU.Receive, cfg.CPU.Send
		want := int64(second) / int64(protocols.Duration(n)*receive+2*send)
		near(t, "preset", throughput(t, cfg), want)
		if free < 2*want {
			t.Errorf("without a cost there are only %d operations per second", free)
		}
		cfg.CPU.Broadcast = false
		near(t, "each message serialised", throughput(t, cfg), int64(second)/int64(protocols.Duration(n)*(receive+send)))
		cfg.CPU.Kilobyte = 1000 * ms / 100 // 10 us a byte
		bytes := protocols.Duration(protocols.WireSize(protocols.Command{})+protocols.WireSize(&protocols.Answer{})) + protocols.Duration(n-1)*32
		near(t, "bytes", throughput(t, cfg), int64(second)/int64(protocols.Duration(n)*(receive+send)+bytes*10_000))
		cfg.CPU = CPU{Receive: receive, Send: send, Broadcast: true}
		cfg.Faults = []Fault{{Kind: protocols.FaultSlowNode, For: Forever, Target: target("all"), Factor: 10}}
		near(t, "a slow node, whose every step costs", throughput(t, cfg), int64(second)/int64(10*(protocols.Duration(n)*receive+2*send+protocols.Duration(n+1)*slowStep)))
	}
}

// One operation alone takes four distances and what each processor on its way costs.
func TestCPULatency(t *testing.T) {
	cfg := loaded(3)
	cfg.Workload.Clients, cfg.Workload.Think = 1, Exactly(20*ms)
	cfg.CPU = CPU{Receive: ms / 10, Send: ms / 100, Broadcast: true}
	w := run(t, cfg, 3*second)
	exact := 0
	want := 4*ms/5 + 3*cfg.CPU.Receive + 3*cfg.CPU.Send
	for _, op := range w.History() {
		if got := op.Ended.Sub(op.Began); op.Outcome == protocols.Done && op.Attempts == 1 && got == want {
			exact++
		} else if op.Outcome == protocols.Done && got < want {
			t.Errorf("an operation took %s, want at least %s", got, want)
		}
	}
	if exact < 50 {
		t.Errorf("%d operations took %s exactly", exact, want)
	}
	if busiest := w.Stats().Busiest; busiest < 100*(3*cfg.CPU.Receive+2*cfg.CPU.Send) || busiest > 3000*ms {
		t.Errorf("the leader's processor worked for %s", FormatDuration(busiest))
	}
}

// While a processor is busy, what arrives waits in order; timers wait, too, and a
// crash empties the queue.
func TestBusyNodeCrashesAndPauses(t *testing.T) {
	cfg := loaded(3)
	cfg.CPU = CPUPresets()[0].CPU
	cfg.Trace = true
	cfg.Workload.Timeout = 50 * ms
	cfg.Faults = []Fault{
		{Kind: protocols.FaultCrash, At: second / 2, For: 100 * ms, Target: target("leader")},
		{Kind: protocols.FaultPause, At: second, For: 100 * ms, Target: target("leader")},
	}
	w := run(t, cfg, 2*second)
	for _, r := range w.FaultLog() {
		if !r.Effective {
			t.Errorf("%+v", r)
		}
		id := r.Resolved.Nodes.Next(0)
		if n := during(w, &r, TraceDelivered, func(e *TraceEvent) bool { return e.Node == id }); n > 0 {
			t.Errorf("%s handled %d messages during its %s", id, n, r.Fault.Kind)
		}
	}
	if done := w.Stats().Done; done < 5000 {
		t.Errorf("only %d operations were done", done)
	}
}
